//! A placement turned into the polygons of what it reaches, each kind of reach drawn in its own way.

use std::collections::BTreeSet;

use geo::{Coord, LineString, MultiPolygon, Polygon, unary_union};

use super::cells::Grid;
use super::disc::{self, Polygons};
use crate::cover;
use crate::load::Rings;
use crate::plan::Placement;
use crate::scenario::{Distance, Reach, Roads, Scenario};

/// What a placement reaches; `None` where it cannot be drawn: nothing at all, or a table.
///
/// # Units
/// Degrees, or metres where the distance is planar.
pub(super) fn reached(scenario: &Scenario, placement: &Placement) -> Option<Polygons> {
    match &scenario.unit_types[placement.unit_type].reach {
        Reach::Range { .. } | Reach::Bands(_) => {
            let (min_m, max_m) = scenario.unit_types[placement.unit_type].reach.span_m()?;
            disc::ring(scenario.distance, placement.position, min_m, max_m)
        }
        Reach::Areas(areas) => disc::written(scenario.distance, &joined(&areas.by_location[placement.location])),
        Reach::Roads(roads) => streets(scenario, roads, placement),
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
    let step_m = metres_a_step(scenario.distance, placement.position);
    let extent_m = |axis: usize| {
        let ordinates = || pieces.iter().flatten().map(|at| at[axis]);
        (ordinates().fold(f64::NEG_INFINITY, f64::max) - ordinates().fold(f64::INFINITY, f64::min)) * step_m[axis]
    };
    let cell_m = CELL_M.max(extent_m(0).max(extent_m(1)) / MOST_CELLS);
    let grid = Grid { origin: placement.position, step: step_m.map(|metres| cell_m / metres) };
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
