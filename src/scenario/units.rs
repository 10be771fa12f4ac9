//! Tables of unit types turned into unit types, with what they reach as far as that needs no files.

use super::rules::{Rules, unknown};
use super::settings::{self, Settings};
use super::{Band, Reach, UnitType};

/// Larger costs lose their small differences to rounding.
const MOST_COST: f64 = 1e12;

/// No reach is longer, not even in the plane, kilometres.
const MOST_KM: f64 = 1e6;

/// More people per unit are a slip of the pen; it also keeps every sum of people in 64 bits.
const MOST_HEADCOUNT: u64 = 1_000_000_000;

impl Rules {
    pub(super) fn unit_types(&mut self, settings: &Settings) -> Vec<UnitType> {
        self.ids("unit_types", settings.unit_types.iter().map(|unit_type| unit_type.id.as_str()));
        if settings.unit_types.is_empty() {
            let advice = "add a [[unit_types]] table";
            self.push("no-unit-types", "[[unit_types]]", "none", "at least one unit type", advice);
        }
        settings.unit_types.iter().map(|entry| self.unit_type(settings, entry)).collect()
    }

    fn unit_type(&mut self, settings: &Settings, entry: &settings::UnitType) -> UnitType {
        let table = format!("[[unit_types]] \"{}\"", entry.id);
        if entry.cost < 0.0 {
            let place = format!("{table}, key \"cost\"");
            self.push("negative-cost", &place, &entry.cost.to_string(), "0 or more", "costs are never negative");
        }
        if entry.cost > MOST_COST {
            let place = format!("{table}, key \"cost\"");
            self.push("too-large", &place, &entry.cost.to_string(), "at most 1e12", "count in larger units");
        }
        if entry.headcount > MOST_HEADCOUNT {
            let place = format!("{table}, key \"headcount\"");
            self.push("bad-count", &place, &entry.headcount.to_string(), "at most 1000000000", "give people per unit");
        }
        let reach = match &entry.reach {
            &settings::Reach::Range { km, min_km } => {
                for (key, value) in [("km", km), ("min_km", min_km)] {
                    if value < 0.0 {
                        let place = format!("{table}, key \"reach.{key}\"");
                        self.push(
                            "negative-reach",
                            &place,
                            &value.to_string(),
                            "0 or more kilometres",
                            "mend the number",
                        );
                    }
                }
                if km > MOST_KM {
                    let place = format!("{table}, key \"reach.km\"");
                    self.push("too-large", &place, &km.to_string(), "at most 1000000 km", "give kilometres");
                }
                if min_km > km && km >= 0.0 {
                    let place = format!("{table}, key \"reach.min_km\"");
                    let found = format!("min_km {min_km} over km {km}");
                    self.push("min-km-over-km", &place, &found, "min_km at most km", "swap the two, or mend one");
                }
                Reach::Range { min_m: metres(min_km), max_m: metres(km) }
            }
            settings::Reach::Bands { bands } => Reach::Bands(self.bands(&table, bands)),
            // Filled in once sites and locations are known.
            settings::Reach::Matrix { .. } => Reach::Matrix(super::Matrix::default()),
            settings::Reach::Areas { .. } => Reach::Areas(super::Areas::default()),
            settings::Reach::Roads { .. } => Reach::Roads(super::Roads::default()),
            settings::Reach::LineOfSight { .. } => Reach::LineOfSight(super::Sight::default()),
            settings::Reach::None {} => Reach::None,
        };
        UnitType {
            id: entry.id.clone(),
            name: entry.name.clone().unwrap_or_else(|| entry.id.clone()),
            domain: entry.domain.clone(),
            headcount: entry.headcount.min(MOST_HEADCOUNT),
            cost: entry.cost,
            reach,
            protected_by: self.protectors(settings, entry, &table),
        }
    }

    /// Bands with kilometres that rise and shares that fall.
    fn bands(&mut self, table: &str, bands: &[[f64; 2]]) -> Vec<Band> {
        let is_sound = |[km, share]: &[f64; 2]| *km >= 0.0 && *km <= MOST_KM && *share > 0.0 && *share <= 1.0;
        let is_ordered = bands.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] > pair[1][1]);
        if bands.is_empty() || !bands.iter().all(is_sound) || !is_ordered {
            let place = format!("{table}, key \"reach.bands\"");
            let expected = "pairs of kilometres that rise and shares that fall, above 0 and at most 1";
            self.push("bad-bands", &place, &format!("{bands:?}"), expected, "for example [[20, 1.0], [40, 0.6]]");
        }
        bands.iter().map(|[km, share]| Band { max_m: metres(*km), share: *share }).collect()
    }

    /// Types that protect one, each with a reach that is a distance.
    fn protectors(&mut self, settings: &Settings, entry: &settings::UnitType, table: &str) -> Vec<usize> {
        let place = format!("{table}, key \"protected_by\"");
        let mut protectors = Vec::new();
        for id in &entry.protected_by {
            let Some(found) = settings.unit_types.iter().position(|unit_type| unit_type.id == *id) else {
                let ids = settings.unit_types.iter().map(|unit_type| unit_type.id.as_str());
                let place = format!("{}, {place}", self.file);
                self.findings.push(unknown("unknown-unit-type", &place, "unit type", id, ids));
                continue;
            };
            let protector = &settings.unit_types[found];
            let measures = matches!(protector.reach, settings::Reach::Range { .. } | settings::Reach::Bands { .. });
            if protector.id == entry.id || !measures {
                let found =
                    if measures { format!("\"{id}\" itself") } else { format!("\"{id}\", whose reach is no distance") };
                let expected = "another type with the reach range or bands";
                self.push("bad-protection", &place, &found, expected, "name a type that reaches the locations");
            }
            protectors.push(found);
        }
        protectors.sort_unstable();
        protectors.dedup();
        protectors
    }
}

/// Kilometres as metres, rounded to a micrometre so that 0.15 km is 150 m and not a hair less.
fn metres(km: f64) -> f64 {
    (km * 1e9).round() / 1e6
}
