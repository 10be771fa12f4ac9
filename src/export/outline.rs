//! A placement turned into the polygons of what it reaches, each kind of reach drawn in its own way.

use geo::{Coord, LineString, MultiPolygon, Polygon, unary_union};

use super::disc::{self, Polygons};
use crate::load::Rings;
use crate::plan::Placement;
use crate::scenario::{Reach, Scenario};

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
