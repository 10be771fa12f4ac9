//! A placement turned into the sites that it reaches, by brute force.

use geographiclib_rs::{Geodesic, InverseGeodesic};

use super::within::is_within;
use super::{Covered, drive, profile};
use crate::plan::Placement;
use crate::scenario::{Band, Distance, Reach, Scenario};

/// Sites that a placement reaches, ascending.
pub(super) fn reached(scenario: &Scenario, placement: &Placement) -> Vec<Covered> {
    let from = scenario.locations[placement.location].position;
    let share: Box<dyn Fn([f64; 2]) -> f64> = match &scenario.unit_types[placement.unit_type].reach {
        Reach::Matrix(matrix) => {
            let sites = matrix.sites_of(placement.location).iter();
            return sites.map(|site| Covered { site: *site, share: 1.0 }).collect();
        }
        Reach::Areas(areas) => {
            let polygons = &areas.by_location[placement.location];
            Box::new(move |at| if polygons.iter().any(|rings| is_within(rings, at)) { 1.0 } else { 0.0 })
        }
        Reach::Roads(roads) => {
            let costs = drive::costs(roads, placement.location);
            let is_reached = |node: &Option<u32>| node.is_some_and(|node| costs.contains_key(&node));
            let sites = u32::try_from(scenario.sites.positions.len()).unwrap_or(u32::MAX);
            let vertices = |site: u32| &roads.vertex_nodes[scenario.sites.vertex_range(site as usize)];
            let reached = (0..sites).filter(|site| vertices(*site).iter().all(is_reached));
            return reached.map(|site| Covered { site, share: 1.0 }).collect();
        }
        Reach::LineOfSight(sight) => {
            let ruler = Ruler { distance: scenario.distance, ellipsoid: Geodesic::wgs84(), from };
            let sees = |vertex: usize, to: [f64; 2]| {
                let metres = ruler.metres(to, sight.max_m).filter(|metres| *metres <= sight.max_m);
                metres.is_some_and(|metres| profile::sees(sight, placement.location, vertex, metres))
            };
            let is_seen = |site: &u32| {
                let vertices = scenario.sites.vertex_range(*site as usize).zip(scenario.sites.vertices(*site as usize));
                vertices.into_iter().all(|(vertex, to)| sees(vertex, *to))
            };
            let sites = u32::try_from(scenario.sites.positions.len()).unwrap_or(u32::MAX);
            return (0..sites).filter(is_seen).map(|site| Covered { site, share: 1.0 }).collect();
        }
        Reach::None => return Vec::new(),
        Reach::Range { min_m, max_m } => {
            let (min_m, max_m) = (*min_m, *max_m);
            let ruler = Ruler { distance: scenario.distance, ellipsoid: Geodesic::wgs84(), from };
            Box::new(move |to| {
                let is_reached = ruler.metres(to, max_m).is_some_and(|metres| min_m <= metres && metres <= max_m);
                if is_reached { 1.0 } else { 0.0 }
            })
        }
        Reach::Bands(bands) => {
            let ruler = Ruler { distance: scenario.distance, ellipsoid: Geodesic::wgs84(), from };
            let farthest_m = bands.last().map_or(0.0, |band| band.max_m);
            let bands: Vec<Band> = bands.clone();
            Box::new(move |to| {
                let metres = ruler.metres(to, farthest_m).unwrap_or(f64::INFINITY);
                bands.iter().find(|band| metres <= band.max_m).map_or(0.0, |band| band.share)
            })
        }
    };
    let of_site = |site: u32| {
        // A line or polygon gets what its worst vertex gets.
        let vertices = scenario.sites.vertices(site as usize).iter();
        Covered { site, share: vertices.map(|vertex| share(*vertex)).fold(f64::INFINITY, f64::min) }
    };
    let sites = u32::try_from(scenario.sites.positions.len()).unwrap_or(u32::MAX);
    (0..sites).map(of_site).filter(|covered| covered.share > 0.0).collect()
}

/// True where a unit of a type reaches a position from a location.
pub(super) fn reaches(scenario: &Scenario, unit_type: usize, location: usize, to: [f64; 2]) -> bool {
    let Some((min_m, max_m)) = scenario.unit_types[unit_type].reach.span_m() else { return false };
    let from = scenario.locations[location].position;
    let ruler = Ruler { distance: scenario.distance, ellipsoid: Geodesic::wgs84(), from };
    ruler.metres(to, max_m).is_some_and(|metres| min_m <= metres && metres <= max_m)
}

/// Measures from one position.
struct Ruler {
    distance: Distance,
    ellipsoid: Geodesic,
    from: [f64; 2],
}

impl Ruler {
    /// Metres to a position; may be left out where it lies beyond a limit.
    fn metres(&self, to: [f64; 2], limit_m: f64) -> Option<f64> {
        let from = self.from;
        match self.distance {
            Distance::Planar => Some(((to[0] - from[0]).powi(2) + (to[1] - from[1]).powi(2)).sqrt()),
            Distance::Geodesic if is_beyond(from, to, limit_m) => None,
            Distance::Geodesic => Some(self.ellipsoid.inverse(from[1], from[0], to[1], to[0])),
        }
    }
}

/// True where two latitudes alone put positions farther apart than a distance; saves most of the measuring.
///
/// # Source
/// A degree of latitude is at least 110 574 m long (at the equator of WGS 84), and no way between two parallels is
/// shorter than along a meridian.
fn is_beyond(a: [f64; 2], b: [f64; 2], distance_m: f64) -> bool {
    const LEAST_DEGREE_M: f64 = 110_574.0;
    (a[1] - b[1]).abs() * LEAST_DEGREE_M > distance_m + 1.0
}
