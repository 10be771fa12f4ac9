//! A position and two distances turned into polygons that a map can draw, over poles and the antimeridian too.

use geo::{BooleanOps, Coord, LineString, MapCoords, MultiPolygon, Orient, Polygon, Translate, orient::Direction};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};

use super::features::rounded;
use crate::scenario::Distance;

/// Points on a circle: the polygon lies up to 0.016 % of the radius inside it.
const POINTS: u32 = 180;

/// A smaller circle collapses when its coordinates are rounded to seven decimals.
const LEAST_M: f64 = 1.0;

/// Half the way around the earth along a meridian: no two places are farther apart.
///
/// # Source
/// WGS 84 quarter meridian 10 001 965.729 m.
const FARTHEST_M: f64 = 20_003_931.46;

/// Positions of polygons as GeoJSON nests them: polygons, rings, positions, ordinates.
pub(super) type Polygons = Vec<Vec<Vec<[f64; 2]>>>;

/// The area from `min_m` to `max_m` around a position; `None` where it is too small to draw.
///
/// # Units
/// Degrees for [`Distance::Geodesic`], metres for [`Distance::Planar`].
pub(super) fn ring(distance: Distance, center: [f64; 2], min_m: f64, max_m: f64) -> Option<Polygons> {
    if max_m < LEAST_M || max_m - min_m < LEAST_M {
        return None;
    }
    let disc = |radius_m: f64| match distance {
        Distance::Planar => circle(center, radius_m),
        Distance::Geodesic => on_the_earth(center, radius_m),
    };
    let outer = disc(max_m);
    let area = if min_m < LEAST_M { outer } else { outer.difference(&disc(min_m)) };
    written(distance, &area)
}

/// An area as GeoJSON has it: exterior rings counter-clockwise, seven decimals; `None` where nothing is left of it.
pub(super) fn written(distance: Distance, area: &MultiPolygon) -> Option<Polygons> {
    let limits = if distance == Distance::Geodesic { [180.0, 90.0] } else { [f64::INFINITY; 2] };
    let parts = area.orient(Direction::Default);
    let polygons: Polygons = parts.into_iter().filter_map(|part| polygon(&part, limits)).collect();
    (!polygons.is_empty()).then_some(polygons)
}

/// Rings of a polygon with seven decimals, within limits that cutting may miss by a rounding; `None` where nothing is
/// left of it.
fn polygon(polygon: &Polygon, limits: [f64; 2]) -> Option<Vec<Vec<[f64; 2]>>> {
    let ring = |line: &LineString| {
        let within = |ordinate: f64, limit: f64| rounded(ordinate.clamp(-limit, limit));
        let position = |at: &Coord| [within(at.x, limits[0]), within(at.y, limits[1])];
        let mut positions: Vec<[f64; 2]> = line.coords().map(position).collect();
        positions.dedup();
        (positions.len() >= 4).then_some(positions)
    };
    let exterior = ring(polygon.exterior())?;
    Some([exterior].into_iter().chain(polygon.interiors().iter().filter_map(ring)).collect())
}

fn circle([x, y]: [f64; 2], radius_m: f64) -> MultiPolygon {
    let points = (0..POINTS).map(|step| {
        let (sin, cos) = angle(step).to_radians().sin_cos();
        Coord { x: x + radius_m * cos, y: y + radius_m * sin }
    });
    MultiPolygon::new(vec![Polygon::new(LineString::new(points.collect()), Vec::new())])
}

fn angle(step: u32) -> f64 {
    360.0 * f64::from(step) / f64::from(POINTS)
}

/// A geodesic disc as polygons between the longitudes -180 and 180.
fn on_the_earth(center: [f64; 2], radius_m: f64) -> MultiPolygon {
    let ellipsoid = Geodesic::wgs84();
    let holds_pole = |latitude: f64| -> bool {
        let distance_m: f64 = ellipsoid.inverse(center[1], center[0], latitude, center[0]);
        distance_m <= radius_m
    };
    if radius_m >= FARTHEST_M {
        return window();
    }
    let mut points = boundary(&ellipsoid, center, radius_m);
    match (holds_pole(90.0), holds_pole(-90.0)) {
        (false, false) => cut(&closed(points)),
        // The far side of the earth is what is left out.
        (true, true) => window().difference(&cut(&closed(points))),
        (holds_north, _) => {
            // The boundary runs once around the earth: close it along the pole.
            let latitude = if holds_north { 90.0 } else { -90.0 };
            let first = points[0];
            let last = points[points.len() - 1];
            let turn = 360.0_f64.copysign(last.x - first.x);
            points.push(Coord { x: first.x + turn, y: first.y });
            points.push(Coord { x: first.x + turn, y: latitude });
            points.push(Coord { x: first.x, y: latitude });
            cut(&closed(points))
        }
    }
}

/// Points on the circle, their longitudes running on past 180 without a jump, and closer together near a pole, where a
/// straight line on the map is far from a straight line on the earth.
fn boundary(ellipsoid: &Geodesic, center: [f64; 2], radius_m: f64) -> Vec<Coord> {
    const WIDEST: f64 = 1.0;
    const MOST_PARTS: f64 = 64.0;
    let point = |azimuth: f64, before: f64| -> Coord {
        let (latitude, longitude): (f64, f64) = ellipsoid.direct(center[1], center[0], azimuth, radius_m);
        Coord { x: longitude + 360.0 * ((before - longitude) / 360.0).round(), y: latitude }
    };
    let first = point(0.0, center[0]);
    let mut points = vec![first];
    let mut before = first;
    for step in 1..=POINTS {
        let next = point(angle(step), before.x);
        let parts = ((next.x - before.x).abs() / WIDEST).ceil().clamp(1.0, MOST_PARTS);
        let mut part = 1.0;
        while part < parts {
            let azimuth = angle(step - 1) + (angle(step) - angle(step - 1)) * part / parts;
            before = point(azimuth, before.x);
            points.push(before);
            part += 1.0;
        }
        before = point(angle(step), before.x);
        if step < POINTS {
            points.push(before);
        }
    }
    points
}

fn closed(points: Vec<Coord>) -> MultiPolygon {
    MultiPolygon::new(vec![Polygon::new(LineString::new(points), Vec::new())])
}

fn window() -> MultiPolygon {
    let corners = vec![(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)];
    MultiPolygon::new(vec![Polygon::new(LineString::from(corners), Vec::new())])
}

/// Brings an area that runs past the antimeridian back between -180 and 180, cut there (RFC 7946, 3.1.9).
fn cut(area: &MultiPolygon) -> MultiPolygon {
    let longitudes = || area.iter().flat_map(|part| part.exterior().coords()).map(|point| point.x);
    if longitudes().all(|longitude| longitude.abs() <= 180.0) {
        return area.clone();
    }
    // Cutting rounds: edges that are to meet on the antimeridian are put exactly there.
    let snapped = |ordinate: f64, limit: f64| {
        if (ordinate.abs() - limit).abs() < 1e-6 { limit.copysign(ordinate) } else { ordinate }
    };
    let part = |turn: f64| {
        let part = area.translate(turn, 0.0).intersection(&window());
        part.map_coords(|at| Coord { x: snapped(at.x, 180.0), y: snapped(at.y, 90.0) })
    };
    // A part that was moved around the earth may continue one that was not.
    let turns = [-720.0, -360.0, 0.0, 360.0, 720.0];
    turns.into_iter().map(part).reduce(|all, part| all.union(&part)).expect("there are five turns")
}
