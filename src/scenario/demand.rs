//! The requirements of a scenario file turned into sites, weights and levels, every rule about them checked.

use std::collections::{BTreeSet, HashMap};

use super::layers::Loaded;
use super::settings::{self, NumberOrAttribute, Scalar, Settings};
use super::{Offer, Requirement, UnitType, place, rules};
use crate::load::nearest;
use crate::problem::{Findings, Problem};

/// The attribute that says in which unit a weight is counted, where a source has it.
const WEIGHT_UNIT: &str = "weight_unit";

/// Expected cover counts units until fewer than this share of a site's weight would be left.
const NEGLIGIBLE: f64 = 1e-6;

/// Larger weights lose their small differences to rounding.
const MOST_WEIGHT: f64 = 1e12;

/// More levels than this are a slip of the pen.
const MOST_LEVELS: usize = 1_000;

/// Less would ask for thousands of levels.
const LEAST_AVAILABILITY: f64 = 0.01;

/// Attributes of the sites that the settings name, each once.
pub(super) fn attributes(settings: &Settings) -> Vec<String> {
    let keys = &settings.sites;
    let mut attributes = vec![keys.id.clone(), keys.name.clone(), keys.kind.clone(), keys.group.clone()];
    let weights = settings.requirements.iter().filter_map(|requirement| requirement.weight.as_ref());
    for weight in weights.chain([&keys.weight]) {
        if let NumberOrAttribute::Attribute(name) = weight {
            attributes.push(name.clone());
        }
    }
    attributes.extend(settings.requirements.iter().flat_map(|requirement| requirement.sites.keys().cloned()));
    attributes.push(WEIGHT_UNIT.to_owned());
    if settings.locations.generate == Some(settings::Generate::Sites) {
        attributes.extend(place::location_attributes(&settings.locations));
    }
    let mut seen = BTreeSet::new();
    attributes.retain(|attribute| seen.insert(attribute.clone()));
    attributes
}

/// What requirements are checked against.
pub(super) struct Demand<'a> {
    pub(super) settings: &'a Settings,
    pub(super) file: &'a str,
    pub(super) unit_types: &'a [UnitType],
    pub(super) offers: &'a [Offer],
}

impl Demand<'_> {
    /// Every requirement; those with problems are as whole as they can be made.
    pub(super) fn requirements(
        &self,
        sites: Option<&Loaded>,
        findings: &mut Findings,
        warnings: &mut Vec<Problem>,
    ) -> Vec<Requirement> {
        let entries = &self.settings.requirements;
        if entries.is_empty() {
            let advice = "add a [[requirements]] table";
            let place = format!("{}, [[requirements]]", self.file);
            findings.push(Problem::new("no-requirements", place, "none", "at least one requirement", advice));
        }
        let mut ids = BTreeSet::new();
        for entry in entries {
            if entry.id.trim().is_empty() || !ids.insert(&entry.id) {
                let code = if entry.id.trim().is_empty() { "missing-id" } else { "duplicate-id" };
                let found = format!("\"{}\"", entry.id);
                findings.push(Problem::new(
                    code,
                    self.place(entry, "id"),
                    found,
                    "an id that no other has",
                    "rename one of them",
                ));
            }
        }
        let is_any_negative = entries.iter().any(|entry| entry.importance < 0.0);
        if !entries.is_empty()
            && !is_any_negative
            && entries.iter().map(|entry| entry.importance.max(0.0)).sum::<f64>() <= 0.0
        {
            let place = format!("{}, [[requirements]], key \"importance\"", self.file);
            let advice = "give at least one requirement an importance over 0";
            findings.push(Problem::new("bad-importance", place, "0 for all", "a sum over 0", advice));
        }
        let mut reported = BTreeSet::new();
        entries.iter().map(|entry| self.requirement(entry, sites, findings, warnings, &mut reported)).collect()
    }

    fn place(&self, entry: &settings::Requirement, key: &str) -> String {
        format!("{}, [[requirements]] \"{}\", key \"{key}\"", self.file, entry.id)
    }

    fn requirement(
        &self,
        entry: &settings::Requirement,
        layer: Option<&Loaded>,
        findings: &mut Findings,
        warnings: &mut Vec<Problem>,
        reported: &mut BTreeSet<(String, u32)>,
    ) -> Requirement {
        if entry.importance < 0.0 {
            let found = entry.importance.to_string();
            let place = self.place(entry, "importance");
            findings.push(Problem::new("bad-importance", place, found, "0 or more", "importance is never negative"));
        }
        let unit_types = self.types(entry, findings);
        let (levels, possible) = self.levels(entry, findings);
        let sites = layer.map(|layer| self.sites(entry, layer, findings, warnings)).unwrap_or_default();
        let weights = layer.map(|layer| self.weights(entry, layer, &sites, findings, warnings, reported));
        Requirement {
            id: entry.id.clone(),
            unit_types,
            sites,
            weights: weights.unwrap_or_default(),
            importance: entry.importance,
            levels,
            possible,
            minimum: entry.minimum,
        }
    }

    fn types(&self, entry: &settings::Requirement, findings: &mut Findings) -> Vec<usize> {
        let place = self.place(entry, "unit_types");
        if entry.unit_types.is_empty() {
            let advice = "name the types whose units count";
            findings.push(Problem::new("requirement-without-types", &place, "no unit types", "at least one", advice));
        }
        let mut types = BTreeSet::new();
        for id in &entry.unit_types {
            let ids = self.unit_types.iter().map(|unit_type| unit_type.id.as_str());
            match self.unit_types.iter().position(|unit_type| unit_type.id == *id) {
                Some(unit_type) => {
                    types.insert(unit_type);
                }
                None => findings.push(rules::unknown("unknown-unit-type", &place, "unit type", id, ids)),
            }
        }
        types.into_iter().collect()
    }

    /// Levels and the value possible per weight.
    fn levels(&self, entry: &settings::Requirement, findings: &mut Findings) -> (Vec<f64>, f64) {
        if let (Some(_), Some(_)) = (&entry.levels, entry.availability) {
            let place = self.place(entry, "availability");
            let advice = "remove one of the two";
            findings.push(Problem::new(
                "levels-and-availability",
                place,
                "levels and availability",
                "one of them",
                advice,
            ));
        }
        if let Some(availability) = entry.availability {
            if (LEAST_AVAILABILITY..=1.0).contains(&availability) {
                return (self.expected_levels(entry, availability), 1.0);
            }
            let place = self.place(entry, "availability");
            let found = availability.to_string();
            let expected = "a probability from 0.01 to 1";
            findings.push(Problem::new("bad-availability", place, found, expected, "80 percent is availability = 0.8"));
            return (vec![1.0], 1.0);
        }
        let levels = entry.levels.clone().unwrap_or_else(|| vec![1.0]);
        let sum: f64 = levels.iter().sum();
        if levels.iter().any(|level| *level < 0.0) || sum <= 0.0 || !sum.is_finite() || levels.len() > MOST_LEVELS {
            let expected = "at most 1000 numbers of 0 or more, at least one of them over 0";
            let advice = "levels = [1.0, 0.25] makes a second unit worth a quarter of the first";
            findings.push(Problem::new("bad-levels", self.place(entry, "levels"), shown(&levels), expected, advice));
            return (vec![1.0], 1.0);
        }
        (levels, sum)
    }

    /// p (1 - p)^(k - 1) for the k-th unit, as far as there are units and it matters.
    fn expected_levels(&self, entry: &settings::Requirement, availability: f64) -> Vec<f64> {
        let counts = |offer: &&Offer| entry.unit_types.contains(&self.unit_types[offer.unit_type].id);
        let offered: u64 = self.offers.iter().filter(counts).map(|offer| u64::from(offer.count)).sum();
        let mut levels = Vec::new();
        let mut left = 1.0;
        while left > NEGLIGIBLE && (levels.len() as u64) < offered.max(1) {
            levels.push(availability * left);
            left *= 1.0 - availability;
        }
        levels
    }

    fn sites(
        &self,
        entry: &settings::Requirement,
        layer: &Loaded,
        findings: &mut Findings,
        warnings: &mut Vec<Problem>,
    ) -> Vec<u32> {
        let mut is_kept = vec![true; layer.len()];
        let mut is_sound = true;
        for (attribute, values) in &entry.sites {
            if !layer.has(attribute, &format!("requirement \"{}\"", entry.id), findings) {
                is_sound = false;
                continue;
            }
            let column = layer.column(attribute);
            let accepted: Vec<(String, Option<f64>)> = values.iter().map(of_scalar).collect();
            let mut is_seen = vec![false; accepted.len()];
            for (site, is_kept) in is_kept.iter_mut().enumerate() {
                let found = column.cell(site).and_then(|cell| accepted.iter().position(|value| is_equal(cell, value)));
                if let Some(found) = found {
                    is_seen[found] = true;
                }
                *is_kept &= found.is_some();
            }
            let unseen = values.iter().zip(&is_seen).filter(|(_, is_seen)| !**is_seen).map(|(value, _)| value);
            warnings.extend(unseen.map(|value| self.unseen(entry, attribute, value, layer)));
        }
        let sites: Vec<u32> = (0u32..).zip(&is_kept).filter(|(_, is_kept)| **is_kept).map(|(site, _)| site).collect();
        if sites.is_empty() && is_sound && layer.len() > 0 {
            let found = format!("none of {} sites has these values", layer.len());
            let place = self.place(entry, "sites");
            let advice = "compare the values with those of the layer; coverplan check shows them";
            findings.push(Problem::new("requirement-without-sites", place, found, "at least one site", advice));
        }
        sites
    }

    /// The warning about an accepted value that no site has.
    fn unseen(&self, entry: &settings::Requirement, attribute: &str, value: &Scalar, layer: &Loaded) -> Problem {
        let column = layer.column(attribute);
        let known: BTreeSet<&str> = (0..layer.len()).filter_map(|site| column.cell(site)).collect();
        let near = nearest(&value.to_string(), known.into_iter());
        let advice =
            near.map_or_else(|| "remove it, or mend the layer".to_owned(), |near| format!("did you mean \"{near}\"?"));
        let found = format!("no site whose {attribute} is \"{value}\"");
        let place = self.place(entry, &format!("sites.{attribute}"));
        Problem::new("value-unseen", place, found, "values that sites have", advice)
    }

    fn weights(
        &self,
        entry: &settings::Requirement,
        layer: &Loaded,
        sites: &[u32],
        findings: &mut Findings,
        warnings: &mut Vec<Problem>,
        reported: &mut BTreeSet<(String, u32)>,
    ) -> Vec<f64> {
        let weight = entry.weight.as_ref().unwrap_or(&self.settings.sites.weight);
        let weights = match weight {
            NumberOrAttribute::Number(number) => {
                if *number < 0.0 {
                    let place = self.place(entry, "weight");
                    findings.push(negative_weight(place, &number.to_string()));
                }
                if *number > MOST_WEIGHT {
                    let place = self.place(entry, "weight");
                    findings.push(Problem::new(
                        "too-large",
                        place,
                        number.to_string(),
                        "at most 1e12",
                        "count in larger units",
                    ));
                }
                vec![number.clamp(0.0, MOST_WEIGHT); sites.len()]
            }
            NumberOrAttribute::Attribute(attribute) if is_default_and_absent(entry, attribute, layer) => {
                warnings.push(self.weight_absent(entry, layer));
                vec![1.0; sites.len()]
            }
            NumberOrAttribute::Attribute(attribute) => {
                let named_by = format!("the weight of requirement \"{}\"", entry.id);
                if !layer.has(attribute, &named_by, findings) {
                    return vec![1.0; sites.len()];
                }
                warnings.extend(mixed_units(entry, layer, sites));
                let mut weight = |site: &u32| {
                    weight_of(layer, attribute, *site).unwrap_or_else(|problem| {
                        if reported.insert((attribute.clone(), *site)) {
                            findings.push(problem);
                        }
                        1.0
                    })
                };
                sites.iter().map(&mut weight).collect()
            }
        };
        if !sites.is_empty() && weights.iter().sum::<f64>() <= 0.0 {
            let place = self.place(entry, "weight");
            let advice = "choose another attribute, or weight = 1 to count sites";
            findings.push(Problem::new("zero-total-weight", place, "weights that add up to 0", "a sum over 0", advice));
        }
        weights
    }

    fn weight_absent(&self, entry: &settings::Requirement, layer: &Loaded) -> Problem {
        Problem::new(
            "weight-absent",
            self.place(entry, "weight"),
            format!("no attribute \"weight\" in {}", layer.input.path.display()),
            "an attribute, or a number for all",
            "every site counts the same; say weight = 1, or name the attribute",
        )
    }
}

/// Levels as text, cut off where they are many.
fn shown(levels: &[f64]) -> String {
    const SHOWN: usize = 10;
    let more = if levels.len() > SHOWN { format!(" and {} more", levels.len() - SHOWN) } else { String::new() };
    format!("{:?}{more}", &levels[..levels.len().min(SHOWN)])
}

/// True where no one named the attribute and the source does not have it.
fn is_default_and_absent(entry: &settings::Requirement, attribute: &str, layer: &Loaded) -> bool {
    entry.weight.is_none() && attribute == "weight" && !layer.knows(attribute)
}

/// The weight of a site.
fn weight_of(layer: &Loaded, attribute: &str, site: u32) -> Result<f64, Problem> {
    let site = site as usize;
    let place = || layer.place(site, attribute);
    let Some(cell) = layer.column(attribute).cell(site) else {
        let advice = "fill it in, or leave such sites out with a filter on sites";
        return Err(Problem::new("missing-weight", place(), "nothing", "a number of 0 or more", advice));
    };
    match cell.trim().parse::<f64>() {
        Ok(weight) if !weight.is_finite() => {
            Err(Problem::new("not-finite", place(), cell, "a finite number", "mend the value"))
        }
        Ok(weight) if weight < 0.0 => Err(negative_weight(place(), cell)),
        Ok(weight) if weight > MOST_WEIGHT => {
            Err(Problem::new("too-large", place(), cell, "at most 1e12", "count in larger units"))
        }
        Ok(weight) => Ok(weight),
        Err(_) => {
            let advice = "weights are plain numbers with a decimal point; name another attribute with weight = \"...\"";
            Err(Problem::new("not-a-number", place(), format!("\"{cell}\""), "a number of 0 or more", advice))
        }
    }
}

fn negative_weight(place: String, found: &str) -> Problem {
    Problem::new("negative-weight", place, found, "0 or more", "weights count inhabitants, MW or sites: mend the sign")
}

/// The warning about weights of several units in one requirement.
fn mixed_units(entry: &settings::Requirement, layer: &Loaded, sites: &[u32]) -> Option<Problem> {
    let column = layer.column(WEIGHT_UNIT);
    let mut units = HashMap::<&str, usize>::new();
    for unit in sites.iter().filter_map(|site| column.cell(*site as usize)) {
        *units.entry(unit).or_default() += 1;
    }
    let mut units: Vec<(&str, usize)> = units.into_iter().collect();
    units.sort_unstable();
    let listed: Vec<String> = units.iter().map(|(unit, count)| format!("{unit} ({count} sites)")).collect();
    (units.len() > 1).then(|| {
        Problem::new(
            "mixed-weight-units",
            format!("requirement \"{}\"", entry.id),
            format!("weights in {}", listed.join(", ")),
            "weights of one unit in one requirement",
            "make one requirement for each unit, with a filter on sites; or weight = 1 to count sites",
        )
    })
}

/// A value as text and, where it is one, as a number.
fn of_scalar(value: &Scalar) -> (String, Option<f64>) {
    let text = value.to_string();
    let number = text.parse().ok();
    (text, number)
}

fn is_equal(cell: &str, (text, number): &(String, Option<f64>)) -> bool {
    cell == text || number.is_some_and(|number| cell.parse::<f64>().is_ok_and(|cell| cell.total_cmp(&number).is_eq()))
}
