//! The source or the generator of locations turned into locations, and areas into where units may stand.

use std::path::{Path, PathBuf};

use super::generate;
use super::layers::{Loaded, Source, changed};
use super::rules::Rules;
use super::settings::{self, Generate, NumberOrAttribute, Settings};
use super::{Distance, Input, Location, LocationStatus};
use crate::load::{self, Area, nearest, without_password};
use crate::problem::{Findings, Problem};
use crate::reproject::to_wgs84;

/// Polygons that positions must lie inside of, or outside of, with the hash that the scenario states.
pub(super) struct Fences<'a> {
    /// Table and key, for messages.
    pub(super) table: String,
    pub(super) within: Option<(&'a str, Option<&'a str>)>,
    pub(super) outside: Option<(&'a str, Option<&'a str>)>,
}

impl Rules {
    /// For each position, whether the fences let units stand there; `None` where there are no fences.
    pub(super) fn fenced(
        &mut self,
        fences: &Fences<'_>,
        distance: Distance,
        positions: &[[f64; 2]],
    ) -> Option<Vec<bool>> {
        let mut is_allowed = None;
        for (key, fence, wanted) in [("within", fences.within, true), ("outside", fences.outside, false)] {
            let Some((path, sha256)) = fence else { continue };
            let is_allowed = is_allowed.get_or_insert_with(|| vec![true; positions.len()]);
            let Some(area) = self.area(&format!("{}, key \"{key}\"", fences.table), path, sha256, distance) else {
                continue;
            };
            is_allowed
                .iter_mut()
                .zip(area.holds_each(positions))
                .for_each(|(is_allowed, is_held)| *is_allowed &= is_held == wanted);
        }
        is_allowed
    }

    /// Reads an area, on WGS 84 unless the distance is planar.
    pub(super) fn area(&mut self, place: &str, path: &str, sha256: Option<&str>, distance: Distance) -> Option<Area> {
        let path = Path::new(path);
        let mut area = match load::area(path) {
            Ok(area) => area,
            Err(error) => {
                self.findings.extend(error.problems);
                return None;
            }
        };
        if let Some(problem) = changed(path, sha256, &area.sha256) {
            self.findings.push(problem);
            return None;
        }
        let kept = PathBuf::from(without_password(&path.display().to_string()));
        let input = Input { path: kept, sha256: area.sha256.clone() };
        if !self.inputs.contains(&input) {
            self.inputs.push(input);
        }
        if let (Some(crs), Distance::Geodesic) = (&area.crs, distance) {
            for ring in area.polygons.iter_mut().flatten() {
                if let Err(problem) = to_wgs84(ring, crs, place) {
                    self.findings.push(problem);
                    return None;
                }
            }
        }
        Some(area)
    }

    /// Polygons for the map.
    pub(super) fn outlines(&mut self, settings: &Settings) -> Vec<Vec<Vec<[f64; 2]>>> {
        let Some(path) = &settings.outlines else { return Vec::new() };
        let area = self.area("key \"outlines\"", path, settings.outlines_sha256.as_deref(), settings.distance);
        area.map(|area| area.polygons).unwrap_or_default()
    }

    /// All candidates; those that the areas leave out are forbidden.
    pub(super) fn locations(&mut self, settings: &Settings, sites: Option<&Loaded>) -> Option<Vec<Location>> {
        let keys = &settings.locations;
        if let (Some(_), generate) = (keys.spacing_km, keys.generate)
            && generate != Some(Generate::Grid)
        {
            let advice = "remove it, or set generate = \"grid\"";
            self.push(
                "bad-spacing",
                "[locations], key \"spacing_km\"",
                "spacing without a grid",
                "generate = \"grid\"",
                advice,
            );
        }
        let mut locations = match (&keys.source, keys.generate) {
            (None, Some(Generate::Sites)) => {
                let sites = sites?;
                self.location_list(settings, sites, &settings.sites.id)
            }
            (None, Some(generate)) => return self.generated(settings, sites?, generate),
            (Some(path), None) => {
                let layer = self.location_layer(settings, path)?;
                if let (Distance::Planar, Some(a), Some(b)) =
                    (settings.distance, &layer.crs, sites.and_then(|sites| sites.crs.as_ref()))
                    && a != b
                {
                    let found = format!("locations in {a}, sites in {b}");
                    let advice = "reproject one of the two, or use distance = \"geodesic\"";
                    self.push("crs-conflict", "[locations]", &found, "one CRS, since distance = \"planar\"", advice);
                }
                self.location_list(settings, &layer, &keys.id)
            }
            (source, _) => {
                let found = if source.is_some() { "both source and generate" } else { "neither source nor generate" };
                let advice = "generate = \"sites\" makes every site a location";
                self.push("source-or-generate", "[locations]", found, "either source or generate", advice);
                return None;
            }
        };
        let positions: Vec<[f64; 2]> = locations.iter().map(|location| location.position).collect();
        if let Some(is_allowed) = self.fenced(&fences(settings), settings.distance, &positions) {
            for (location, _) in locations.iter_mut().zip(is_allowed).filter(|(_, is_allowed)| !is_allowed) {
                if location.status == LocationStatus::Required {
                    let found = format!("location \"{}\" is required and left out", location.id);
                    let advice = "mend its status, or the area";
                    self.push(
                        "required-left-out",
                        "[locations]",
                        &found,
                        "required locations within the areas",
                        advice,
                    );
                }
                location.status = LocationStatus::Forbidden;
            }
        }
        Some(locations)
    }

    fn location_layer(&mut self, settings: &Settings, path: &str) -> Option<Loaded> {
        let keys = &settings.locations;
        let source = Source {
            table: "locations",
            path: PathBuf::from(path),
            layer: keys.layer.as_deref(),
            sha256: keys.sha256.as_deref(),
            crs: keys.crs.as_deref(),
            xy: (&keys.x, &keys.y),
            attributes: location_attributes(keys).into_iter().chain([keys.id.clone()]).collect(),
            distance: settings.distance,
            is_points_only: true,
        };
        let layer = source.read(&mut self.findings, &mut self.warnings)?;
        self.inputs.push(layer.input.clone());
        if keys.id != "id" {
            layer.has(&keys.id, "[locations] id", &mut self.findings);
        }
        if layer.len() == 0 {
            let place = layer.input.path.display().to_string();
            let advice = "check that the layer was exported with its features";
            let expected = "at least one location";
            self.findings.push(Problem::new("empty-locations", place, "no locations", expected, advice));
        }
        Some(layer)
    }

    /// A grid, or the crossings of reach circles.
    fn generated(&mut self, settings: &Settings, sites: &Loaded, generate: Generate) -> Option<Vec<Location>> {
        let keys = &settings.locations;
        let mut limit = |key: &str, limit: Option<&NumberOrAttribute>| match limit {
            Some(NumberOrAttribute::Attribute(name)) => {
                let place = format!("[locations], key \"{key}\"");
                let advice = "generated locations have no attributes: give a number";
                self.push("unknown-attribute", &place, &format!("\"{name}\""), "a number for all", advice);
                None
            }
            _ => sites.limits(limit, key, &mut self.findings).first().copied().flatten(),
        };
        let max_units = limit("max_units", keys.max_units.as_ref()).and_then(|limit| u32::try_from(limit).ok());
        let max_headcount = limit("max_headcount", keys.max_headcount.as_ref());
        let points = match generate {
            Generate::Grid => self.grid(settings, sites)?,
            _ => generate::crossings(settings, &sites.positions),
        };
        if points.len() > generate::MOST_POINTS {
            let expected = format!("at most {} locations", generate::MOST_POINTS);
            let advice = "use a wider spacing, a smaller area, fewer sites or a shorter reach";
            self.push("too-large", "[locations], key \"generate\"", "too many points", &expected, advice);
            return None;
        }
        let is_allowed = self.fenced(&fences(settings), settings.distance, &points);
        let kept = points.into_iter().enumerate().filter(|(place, _)| is_allowed.as_ref().is_none_or(|is| is[*place]));
        let locations: Vec<Location> = kept
            .enumerate()
            .map(|(number, (_, position))| Location {
                id: format!("G{}", number + 1),
                position,
                max_units,
                max_headcount,
                domains: None,
                status: LocationStatus::Candidate,
            })
            .collect();
        if locations.is_empty() {
            let advice = "use a closer spacing, or a larger area";
            self.push(
                "empty-locations",
                "[locations]",
                "no generated location lies in the area",
                "at least one",
                advice,
            );
        }
        Some(locations)
    }

    fn grid(&mut self, settings: &Settings, sites: &Loaded) -> Option<Vec<[f64; 2]>> {
        let keys = &settings.locations;
        let spacing = keys.spacing_km.unwrap_or_default();
        if spacing <= 0.0 {
            let advice = "give the distance between neighbors, for example spacing_km = 25";
            self.push(
                "bad-spacing",
                "[locations], key \"spacing_km\"",
                &spacing.to_string(),
                "kilometres over 0",
                advice,
            );
            return None;
        }
        let area = match &keys.within {
            Some(path) => Some(self.area("[locations], key \"within\"", path, None, settings.distance)?),
            None => None,
        };
        let corners: Vec<[f64; 2]> = match &area {
            Some(area) => area.polygons.iter().flatten().flatten().copied().collect(),
            None => sites.positions.clone(),
        };
        Some(generate::grid(settings.distance, &corners, spacing * 1000.0))
    }

    fn location_list(&mut self, settings: &Settings, layer: &Loaded, id: &str) -> Vec<Location> {
        let keys = &settings.locations;
        // Ids of generated locations are those of the sites, which are looked at as such.
        let ids = if keys.generate.is_some() {
            layer.ids(id, &mut Findings::default())
        } else {
            layer.ids(id, &mut self.findings)
        };
        let max_units = layer.limits(keys.max_units.as_ref(), "max_units", &mut self.findings);
        let max_headcount = layer.limits(keys.max_headcount.as_ref(), "max_headcount", &mut self.findings);
        for (key, attribute) in [("domains", &keys.domains), ("status", &keys.status)] {
            if key != attribute {
                layer.has(attribute, &format!("[locations] {key}"), &mut self.findings);
            }
        }
        (0..layer.len())
            .map(|place| Location {
                id: ids.cell(place).unwrap_or_default().to_owned(),
                position: layer.positions[place],
                max_units: max_units[place].and_then(|limit| u32::try_from(limit).ok()),
                max_headcount: max_headcount[place],
                domains: domains(layer.column(&keys.domains).cell(place)),
                status: self.status(layer, place, &keys.status),
            })
            .collect()
    }

    fn status(&mut self, layer: &Loaded, place: usize, attribute: &str) -> LocationStatus {
        const WORDS: [(&str, LocationStatus); 3] = [
            ("candidate", LocationStatus::Candidate),
            ("required", LocationStatus::Required),
            ("forbidden", LocationStatus::Forbidden),
        ];
        let word = layer.column(attribute).cell(place).map(str::trim).filter(|word| !word.is_empty());
        let Some(word) = word else { return LocationStatus::Candidate };
        if let Some((_, status)) = WORDS.iter().find(|(known, _)| *known == word) {
            return *status;
        }
        let near = nearest(word, WORDS.iter().map(|(known, _)| *known));
        let advice = near.map_or_else(|| "use one of these".to_owned(), |near| format!("did you mean \"{near}\"?"));
        let expected = "candidate, required or forbidden; empty means candidate";
        let place = layer.place(place, attribute);
        self.findings.push(Problem::new("unknown-status", place, format!("\"{word}\""), expected, advice));
        LocationStatus::Candidate
    }
}

fn fences(settings: &Settings) -> Fences<'_> {
    let keys = &settings.locations;
    Fences {
        table: "[locations]".to_owned(),
        within: keys.within.as_deref().map(|path| (path, keys.within_sha256.as_deref())),
        outside: keys.outside.as_deref().map(|path| (path, keys.outside_sha256.as_deref())),
    }
}

/// Attributes of locations other than their id.
pub(super) fn location_attributes(keys: &settings::LocationsSource) -> Vec<String> {
    let limits = [&keys.max_units, &keys.max_headcount].into_iter().filter_map(|limit| match limit {
        Some(NumberOrAttribute::Attribute(name)) => Some(name.clone()),
        _ => None,
    });
    limits.chain([keys.domains.clone(), keys.status.clone()]).collect()
}

/// Domains of a cell such as `land;air`; nothing for all.
fn domains(cell: Option<&str>) -> Option<Vec<String>> {
    let domains: Vec<String> =
        cell?.split(';').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    (!domains.is_empty()).then_some(domains)
}
