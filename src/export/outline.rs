//! A placement turned into the polygons of what it reaches, each kind of reach drawn in its own way.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Coord, LineString, MapCoords, MultiPolygon, Polygon, unary_union};

use super::cells::Grid;
use super::disc::{self, Polygons};
use crate::cover;
use crate::load::Rings;
use crate::plan::Placement;
use crate::reproject::to_wgs84;
use crate::scenario::{Distance, Reach, Roads, Scenario, Sight};

/// What a placement reaches; `None` where it cannot be drawn: nothing at all, or a table.
///
/// # Units
/// Degrees, or metres where the distance is planar.
pub(super) fn reached(scenario: &Scenario, placement: &Placement) -> Option<Polygons> {
    // The location's position: a placement read back from a file is rounded.
    let position = scenario.locations[placement.location].position;
    match &scenario.unit_types[placement.unit_type].reach {
        Reach::Range { .. } | Reach::Bands(_) => {
            let (min_m, max_m) = scenario.unit_types[placement.unit_type].reach.span_m()?;
            disc::ring(scenario.distance, position, min_m, max_m)
        }
        Reach::Areas(areas) => disc::written(scenario.distance, &joined(&areas.by_location[placement.location])),
        Reach::Roads(roads) => streets(scenario, roads, placement),
        Reach::LineOfSight(sight) => seen(scenario.distance, sight, placement.location),
        Reach::Matrix(_) | Reach::None => None,
    }
}

/// Polygons that may overlap as one area.
fn joined(polygons: &[Rings]) -> MultiPolygon {
    let line = |ring: &Vec<[f64; 2]>| ring.iter().map(|[x, y]| Coord { x: *x, y: *y }).collect::<LineString>();
    let polygon = |rings: &Rings| Polygon::new(line(&rings[0]), rings[1..].iter().map(line).collect());
    let polygons: Vec<Polygon> = polygons.iter().map(polygon).collect();
    match polygons.as_slice() {
        // Joining moves corners by a rounding: a single polygon is drawn as it came.
        [_] => MultiPolygon::new(polygons),
        several => unary_union(several),
    }
}

/// Cells of 250 m, or of a two-hundredth of the whole where that is more, that streets within the limit run through.
fn streets(scenario: &Scenario, roads: &Roads, placement: &Placement) -> Option<Polygons> {
    const CELL_M: f64 = 250.0;
    const MOST_CELLS: f64 = 200.0;
    let position = scenario.locations[placement.location].position;
    let graph = &roads.graph;
    let mut pieces: Vec<[[f64; 2]; 2]> = Vec::new();
    for (node, cost) in cover::drive(roads, placement.location) {
        let from = graph.positions[node as usize];
        pieces.push([from, from]);
        for (head, more) in graph.arcs_of(node) {
            let to = graph.positions[*head as usize];
            let left = f64::from(roads.limit - cost);
            let share = if f64::from(*more) <= left { 1.0 } else { left / f64::from(*more) };
            // A street over the antimeridian is left out rather than drawn around the earth.
            if scenario.distance == Distance::Planar || (from[0] - to[0]).abs() <= 180.0 {
                pieces.push([from, [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))]);
            }
        }
    }
    let step_m = metres_a_step(scenario.distance, position);
    let extent_m = |axis: usize| {
        let ordinates = || pieces.iter().flatten().map(|at| at[axis]);
        (ordinates().fold(f64::NEG_INFINITY, f64::max) - ordinates().fold(f64::INFINITY, f64::min)) * step_m[axis]
    };
    let cell_m = CELL_M.max(extent_m(0).max(extent_m(1)) / MOST_CELLS);
    let grid = Grid { origin: position, step: step_m.map(|metres| cell_m / metres) };
    let mut cells = BTreeSet::new();
    pieces.iter().for_each(|[from, to]| grid.line(*from, *to, &mut cells));
    disc::written(scenario.distance, &grid.area(&cells))
}

/// Metres to the east and to the north in one unit of the coordinates, about.
fn metres_a_step(distance: Distance, at: [f64; 2]) -> [f64; 2] {
    const DEGREE_M: f64 = 111_132.95;
    match distance {
        Distance::Planar => [1.0, 1.0],
        Distance::Geodesic => [DEGREE_M * at[1].to_radians().cos().max(1e-3), DEGREE_M],
    }
}

/// Cells in sight, as a sweep finds them; where there are many, blocks of cells at least half of which are.
fn seen(distance: Distance, sight: &Sight, location: usize) -> Option<Polygons> {
    const MOST_BLOCKS: usize = 250;
    let seen = cover::sweep(distance, sight, location)?;
    let side = seen.width.max(seen.height).div_ceil(MOST_BLOCKS).max(1);
    let mut counts = BTreeMap::<(i32, i32), usize>::new();
    for (cell, least) in seen.heights.iter().enumerate() {
        if f64::from(*least) <= sight.target_m {
            let block = |at: usize| i32::try_from(at / side).unwrap_or(i32::MAX);
            *counts.entry((block(cell % seen.width), block(cell / seen.width))).or_default() += 1;
        }
    }
    let is_seen = |(_, count): &(&(i32, i32), &usize)| 2 * **count >= side * side;
    let mut cells: BTreeSet<(i32, i32)> = counts.iter().filter(is_seen).map(|(block, _)| *block).collect();
    if cells.is_empty() {
        cells.extend(counts.keys());
    }
    #[expect(clippy::cast_precision_loss, reason = "a place on the grid")]
    let (corner, step) = ([seen.left as f64 - 0.5, seen.top as f64 - 0.5], [side as f64; 2]);
    let area = Grid { origin: corner, step }.area(&cells);
    let place = |at: Coord| {
        let mut positions = [sight.terrain.position([at.x, at.y])];
        if let (Some(crs), Distance::Geodesic) = (&sight.terrain.crs, distance) {
            // The terrain's system was known when it was read.
            let _known = to_wgs84(&mut positions, crs, "");
        }
        Coord { x: positions[0][0], y: positions[0][1] }
    };
    disc::written(distance, &area.map_coords(place))
}
