//! Polygons labeled with ids of locations turned into what each location covers.

use std::path::{Path, PathBuf};

use super::layers::changed;
use super::matrix::{Places, places, sorted};
use super::rules::{Rules, unknown};
use super::settings::{self, Settings};
use super::{Areas, Distance, Input, Location, Reach, UnitType};
use crate::load::{self, LabeledAreas, without_password};
use crate::problem::Problem;
use crate::reproject::to_wgs84;

/// So many locations are named in a warning.
const NAMED: usize = 3;

impl Rules {
    /// Reads the areas of every unit type whose reach they are.
    pub(super) fn areas(&mut self, settings: &Settings, unit_types: &mut [UnitType], locations: &[Location]) {
        let ids = places(locations.iter().map(|location| location.id.as_str()));
        if ids.len() < locations.len() {
            // Ids that are missing or repeated were reported; areas cannot be told apart.
            return;
        }
        for (entry, unit_type) in settings.unit_types.iter().zip(unit_types) {
            let settings::Reach::Areas { source, layer, sha256, location } = &entry.reach else { continue };
            let found = match load::labeled_areas(Path::new(source), layer.as_deref(), location) {
                Ok(found) => found,
                Err(error) => {
                    self.findings.extend(error.problems);
                    continue;
                }
            };
            let path = &*PathBuf::from(without_password(source));
            if let Some(problem) = changed(path, sha256.as_deref(), &found.sha256) {
                self.findings.push(problem);
                continue;
            }
            let input = Input { path: path.to_owned(), sha256: found.sha256.clone() };
            if !self.inputs.contains(&input) {
                self.inputs.push(input);
            }
            if let Some(areas) = self.sorted(found, path, location, &ids, settings.distance) {
                self.warnings.extend(without_area(&areas, unit_type, locations));
                unit_type.reach = Reach::Areas(areas);
            }
        }
    }

    /// Polygons by location, on WGS 84 unless the distance is planar; `None` after a problem was pushed.
    fn sorted(
        &mut self,
        mut found: LabeledAreas,
        path: &Path,
        attribute: &str,
        ids: &Places<'_>,
        distance: Distance,
    ) -> Option<Areas> {
        let place = path.display().to_string();
        if !found.attribute_names.iter().any(|name| name == attribute) {
            let known = found.attribute_names.iter().map(String::as_str);
            let near = load::nearest(attribute, known);
            let advice = near.map_or_else(
                || "name the attribute with the id of the location: location = \"...\"".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            let names = format!("attributes {}", found.attribute_names.join(", "));
            let expected = format!("the attribute \"{attribute}\" that reach.location names");
            self.findings.push(Problem::new("unknown-attribute", place, names, expected, advice));
            return None;
        }
        let mut is_sound = true;
        let mut areas = Areas { by_location: vec![Vec::new(); ids.len()] };
        for feature in 0..found.polygons.len() {
            let place = format!("{place}, feature {}, key \"{attribute}\"", feature + 1);
            let mut polygons = std::mem::take(&mut found.polygons[feature]);
            if let Some(problem) = misplaced(&mut polygons, found.crs.as_deref(), distance, &place) {
                self.findings.push(problem);
                is_sound = false;
            }
            let id = found.labels.cell(feature).map(str::trim).filter(|id| !id.is_empty());
            if let Some(location) = id.and_then(|id| ids.get(id)) {
                areas.by_location[*location as usize].append(&mut polygons);
                continue;
            }
            is_sound = false;
            self.findings.push(match id {
                None => {
                    let advice = "fill it in, or remove the area";
                    Problem::new("missing-id", place, "nothing", "the id of a location", advice)
                }
                Some(id) => unknown("unknown-id", &place, "location", id, sorted(ids).into_iter()),
            });
        }
        is_sound.then_some(areas)
    }
}

/// Reprojects the polygons of a feature; the problem of those that lie nowhere on the earth.
fn misplaced(polygons: &mut [load::Rings], crs: Option<&str>, distance: Distance, place: &str) -> Option<Problem> {
    if distance == Distance::Planar {
        return None;
    }
    for ring in polygons.iter_mut().flatten() {
        if let Some(problem) = crs.and_then(|crs| to_wgs84(ring, crs, place).err()) {
            return Some(problem);
        }
    }
    let outside = polygons.iter().flatten().flatten().find(|[x, y]| x.abs() > 180.0 || y.abs() > 90.0);
    outside.map(|[x, y]| {
        let found = format!("longitude {x}, latitude {y}");
        let expected = "longitude from -180 to 180, latitude from -90 to 90";
        let advice = "cut the polygon at the antimeridian, or reproject the file to longitude, latitude";
        Problem::new("outside-earth", place, found, expected, advice)
    })
}

/// The warning about locations where units of a type may stand and would cover nothing, for want of an area.
fn without_area(areas: &Areas, unit_type: &UnitType, locations: &[Location]) -> Option<Problem> {
    let lacking: Vec<&str> = (locations.iter().zip(&areas.by_location))
        .filter(|(location, polygons)| polygons.is_empty() && unit_type.may_stand_at(location))
        .map(|(location, _)| location.id.as_str())
        .collect();
    let more = if lacking.len() > NAMED { ", ..." } else { "" };
    (!lacking.is_empty()).then(|| {
        Problem::new(
            "location-without-area",
            format!("unit type \"{}\"", unit_type.id),
            format!(
                "{} locations without an area: {}{more}",
                lacking.len(),
                lacking[..lacking.len().min(NAMED)].join(", ")
            ),
            "a polygon for every location where such units may stand",
            "a unit there covers nothing; add the area, or forbid the location",
        )
    })
}
