//! Rasters of heights turned into one terrain, with sites and locations on its grid.

use std::path::Path;
use std::sync::Arc;

use super::layers::{Loaded, changed};
use super::rules::Rules;
use super::settings::{self, Refraction, Settings};
use super::{Distance, Input, Location, Reach, Sight, Terrain, UnitType};
use crate::load::{self, Raster, crs_name};
use crate::problem::Problem;
use crate::reproject::from_wgs84;

/// More cells than this, gaps between tiles included, are more than memory should hold.
const MOST_CELLS: f64 = 4e8;

/// Tiles fit together when their grids differ by no more than this part of a cell.
const MISFIT: f64 = 0.01;

/// Longest sight, kilometres; the earth hides what is farther.
const MOST_KM: f64 = 1_000.0;

/// Highest sensor or target, metres over the ground.
const MOST_HEIGHT_M: f64 = 100_000.0;

/// So many places are named in a warning.
const NAMED: usize = 3;

impl Rules {
    /// Reads the terrain of every unit type that needs sight, and puts sites and locations on it.
    pub(super) fn sights(
        &mut self,
        settings: &Settings,
        unit_types: &mut [UnitType],
        sites: &Loaded,
        locations: &[Location],
    ) {
        let mut known: Vec<(&settings::Paths, Arc<Terrain>)> = Vec::new();
        for (entry, unit_type) in settings.unit_types.iter().zip(unit_types) {
            let settings::Reach::LineOfSight { km, terrain, sha256, sensor_m, target_m, refraction } = &entry.reach
            else {
                continue;
            };
            let table = format!("[[unit_types]] \"{}\"", entry.id);
            if !self.are_heights_sound(&table, *km, *sensor_m, *target_m) {
                continue;
            }
            if !known.iter().any(|(paths, _)| *paths == terrain) {
                let Some(read) = self.terrain(terrain.list(), sha256, &table, settings.distance) else { continue };
                known.push((terrain, Arc::new(read)));
            }
            let Some((_, terrain)) = known.iter().find(|(paths, _)| *paths == terrain) else { continue };
            let vertices = sites.outlines.as_ref().map_or(&sites.positions, |outlines| &outlines.vertices);
            let positions: Vec<[f64; 2]> = locations.iter().map(|location| location.position).collect();
            let (Some(location_points), Some(vertex_points)) = (
                self.on_grid(terrain, &positions, settings.distance, &table),
                self.on_grid(terrain, vertices, settings.distance, &table),
            ) else {
                continue;
            };
            let sight = Sight {
                terrain: Arc::clone(terrain),
                max_m: 1000.0 * km,
                sensor_m: *sensor_m,
                target_m: *target_m,
                curvature: match refraction {
                    Refraction::Radio => 0.75,
                    Refraction::Optical => 6.0 / 7.0,
                    Refraction::None => 1.0,
                },
                location_points,
                vertex_points,
            };
            self.warnings.extend(off_terrain(&sight, unit_type, sites, &settings.sites.id, locations));
            unit_type.reach = Reach::LineOfSight(sight);
        }
    }

    fn are_heights_sound(&mut self, table: &str, km: f64, sensor_m: f64, target_m: f64) -> bool {
        let mut are_sound = true;
        for (key, value, most) in
            [("km", km, MOST_KM), ("sensor_m", sensor_m, MOST_HEIGHT_M), ("target_m", target_m, MOST_HEIGHT_M)]
        {
            let place = format!("{table}, key \"reach.{key}\"");
            if value < 0.0 {
                self.push("negative-reach", &place, &value.to_string(), "0 or more", "mend the number");
                are_sound = false;
            } else if value > most {
                self.push("too-large", &place, &value.to_string(), &format!("at most {most}"), "mend the number");
                are_sound = false;
            }
        }
        are_sound
    }

    /// Reads tiles as one terrain; `None` after a problem was pushed.
    fn terrain(&mut self, paths: &[String], sha256: &[String], table: &str, distance: Distance) -> Option<Terrain> {
        let mut tiles: Vec<(&str, Raster)> = Vec::new();
        let mut is_sound = true;
        for (place, path) in paths.iter().enumerate() {
            let tile = load::raster(Path::new(path));
            let tile = tile.and_then(|tile| {
                match changed(Path::new(path), sha256.get(place).map(String::as_str), &tile.sha256) {
                    Some(problem) => Err(problem),
                    None => Ok(tile),
                }
            });
            match tile {
                Ok(tile) => {
                    let input = Input { path: path.into(), sha256: tile.sha256.clone() };
                    if !self.inputs.contains(&input) {
                        self.inputs.push(input);
                    }
                    tiles.push((path, tile));
                }
                Err(problem) => {
                    self.findings.push(problem);
                    is_sound = false;
                }
            }
        }
        let Some((first_path, first)) = tiles.first() else {
            if is_sound {
                let place = format!("{table}, key \"reach.terrain\"");
                self.push("no-georeference", &place, "no file", "at least one raster of heights", "name the tiles");
            }
            return None;
        };
        if first.crs.is_none() && distance == Distance::Geodesic {
            let advice = "give it one: gdal_edit.py -a_srs EPSG:32636 FILE";
            let expected = "a CRS with an EPSG code";
            self.findings.push(Problem::new(
                "unknown-crs",
                *first_path,
                "a raster without a CRS code",
                expected,
                advice,
            ));
            return None;
        }
        if let Some(problem) = tiles.iter().find_map(|(path, tile)| misfit(path, tile, first)) {
            self.findings.push(problem);
            return None;
        }
        let terrain = mosaic(&tiles);
        if terrain.is_none() {
            let place = format!("{table}, key \"reach.terrain\"");
            self.push(
                "too-large",
                &place,
                "tiles that lie far apart",
                "at most 400000000 cells in all",
                "leave some out",
            );
        }
        let terrain = terrain.filter(|_| is_sound)?;
        let voids = terrain.heights.iter().filter(|height| height.is_nan()).count();
        if voids > 0 {
            let found = format!("{voids} of {} heights not known", terrain.heights.len());
            let expected = "a height for every cell between units and sites";
            let advice = "what lies behind one counts as hidden; fill them: gdal_fillnodata.py";
            self.warnings.push(Problem::new("terrain-voids", *first_path, found, expected, advice));
        }
        Some(terrain)
    }

    /// Positions as column and row of the terrain.
    fn on_grid(
        &mut self,
        terrain: &Terrain,
        positions: &[[f64; 2]],
        distance: Distance,
        table: &str,
    ) -> Option<Vec<[f64; 2]>> {
        let mut points = positions.to_vec();
        if let (Some(crs), Distance::Geodesic) = (&terrain.crs, distance)
            && let Err(problem) = from_wgs84(&mut points, crs, table)
        {
            self.findings.push(problem);
            return None;
        }
        points.iter_mut().for_each(|point| *point = terrain.point(*point));
        Some(points)
    }
}

/// The problem of a tile whose grid is not that of the first.
fn misfit(path: &str, tile: &Raster, first: &Raster) -> Option<Problem> {
    let name = |raster: &Raster| raster.crs.as_deref().and_then(crs_name);
    let is_apart = |axis: usize| {
        let cells = (tile.origin[axis] - first.origin[axis]) / first.step[axis];
        let steps = (tile.step[axis] / first.step[axis] - 1.0).abs() * size(tile, axis);
        (cells - cells.round()).abs() > MISFIT || steps > MISFIT
    };
    (name(tile) != name(first) || is_apart(0) || is_apart(1)).then(|| {
        let found = "a grid that does not continue that of the first tile";
        let advice = "make one raster of them: gdalwarp a.tif b.tif out.tif";
        Problem::new("terrain-mismatch", path, found, "tiles of one CRS, step and alignment", advice)
    })
}

/// Cells along an axis.
fn size(tile: &Raster, axis: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "tiles have fewer than 2^53 cells")]
    let size = if axis == 0 { tile.width } else { tile.height } as f64;
    size
}

/// Tiles on one grid; `None` where that would be too large.
fn mosaic(tiles: &[(&str, Raster)]) -> Option<Terrain> {
    let first = &tiles.first()?.1;
    let sign = [1.0, -1.0];
    let offset = |tile: &Raster, axis: usize| sign[axis] * (tile.origin[axis] - first.origin[axis]) / first.step[axis];
    let least = [0, 1].map(|axis| tiles.iter().map(|(_, tile)| offset(tile, axis).round()).fold(0.0, f64::min));
    let most = [0, 1]
        .map(|axis| tiles.iter().map(|(_, tile)| offset(tile, axis).round() + size(tile, axis)).fold(0.0, f64::max));
    if (most[0] - least[0]) * (most[1] - least[1]) > MOST_CELLS {
        return None;
    }
    let count = |axis: usize| whole(most[axis] - least[axis]);
    let (width, height) = (count(0), count(1));
    let mut heights = vec![f32::NAN; width * height];
    for (_, tile) in tiles {
        let (left, top) = (whole(offset(tile, 0).round() - least[0]), whole(offset(tile, 1).round() - least[1]));
        for (row, cells) in tile.heights.chunks(tile.width).enumerate() {
            let start = (top + row) * width + left;
            // Tiles share their edges: the first that knows a height gives it.
            for (known, height) in heights[start..start + cells.len()].iter_mut().zip(cells) {
                if known.is_nan() {
                    *known = *height;
                }
            }
        }
    }
    let origin = [0, 1].map(|axis| first.origin[axis] + sign[axis] * least[axis] * first.step[axis]);
    Some(Terrain { crs: first.crs.clone(), origin, step: first.step, width, height, heights })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of cells, checked before")]
fn whole(cells: f64) -> usize {
    cells as usize
}

/// Warnings about places whose ground is not known.
fn off_terrain(sight: &Sight, unit_type: &UnitType, sites: &Loaded, id: &str, locations: &[Location]) -> Vec<Problem> {
    let is_off = |point: &[f64; 2]| sight.terrain.height(*point).is_none();
    let off_locations: Vec<&str> = (locations.iter().zip(&sight.location_points))
        .filter(|(location, point)| is_off(point) && unit_type.may_stand_at(location))
        .map(|(location, _)| location.id.as_str())
        .collect();
    let starts = sites.outlines.as_ref().map(|outlines| &outlines.starts);
    let range = |site: usize| starts.map_or(site..site + 1, |starts| starts[site]..starts[site + 1]);
    let off_sites: Vec<&str> = (0..sites.len())
        .filter(|site| sight.vertex_points[range(*site)].iter().any(is_off))
        .map(|site| sites.column(id).cell(site).unwrap_or_default())
        .collect();
    let warning = |(noun, off): (&str, &Vec<&str>)| {
        let more = if off.len() > NAMED { ", ..." } else { "" };
        (!off.is_empty()).then(|| {
            Problem::new(
                "off-terrain",
                format!("unit type \"{}\"", unit_type.id),
                format!(
                    "{} {noun} where the ground is not known: {}{more}",
                    off.len(),
                    off[..off.len().min(NAMED)].join(", ")
                ),
                format!("{noun} within the terrain and on no void"),
                "nothing sees or is seen there; add the tile",
            )
        })
    };
    [("locations", &off_locations), ("sites", &off_sites)].into_iter().filter_map(warning).collect()
}
