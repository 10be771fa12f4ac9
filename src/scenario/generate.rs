//! Sites and areas turned into candidate positions: a hexagonal grid, or the crossings of reach circles.

use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};

use super::Distance;
use super::settings::{Reach, Settings};

/// More candidates than this are refused.
pub(super) const MOST_POINTS: usize = 200_000;

/// Positions spaced equally on the ground: rows along parallels, each shifted by half a step against its neighbors.
///
/// On the ellipsoid the spacing holds along each row and between rows; from row to row the shift drifts with the length
/// of the parallels, by less than a step in a hundred rows. No place is farther from a point than the spacing.
pub(super) fn grid(distance: Distance, corners: &[[f64; 2]], spacing_m: f64) -> Vec<[f64; 2]> {
    let extent = |axis: usize| {
        let ordinates = || corners.iter().map(|corner| corner[axis]);
        (ordinates().fold(f64::INFINITY, f64::min), ordinates().fold(f64::NEG_INFINITY, f64::max))
    };
    let ((west, east), (south, north)) = (extent(0), extent(1));
    let step_m = spacing_m * 0.75_f64.sqrt();
    let ellipsoid = Geodesic::wgs84();
    let mut points = Vec::new();
    let mut latitude = south;
    let mut is_shifted = false;
    while latitude <= north && points.len() <= MOST_POINTS {
        let step = match distance {
            Distance::Planar => spacing_m,
            Distance::Geodesic => longitude_step(latitude, spacing_m),
        };
        let mut longitude = if is_shifted { west + step / 2.0 } else { west };
        while longitude <= east && points.len() <= MOST_POINTS {
            points.push([longitude, latitude]);
            longitude += step;
        }
        latitude = match distance {
            Distance::Planar => latitude + step_m,
            Distance::Geodesic => {
                let (next, _): (f64, f64) = ellipsoid.direct(latitude, 0.0, 0.0, step_m);
                if next > latitude { next } else { 91.0 }
            }
        };
        is_shifted = !is_shifted;
    }
    points
}

/// Degrees of longitude that are `spacing_m` long on a parallel; a full turn at a pole.
///
/// # Source
/// Radius of a parallel of WGS 84: a cos(lat) / sqrt(1 - e^2 sin^2(lat)).
fn longitude_step(latitude: f64, spacing_m: f64) -> f64 {
    const SEMI_MAJOR_M: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_223_563;
    let (sin, cos) = latitude.to_radians().sin_cos();
    let radius_m = SEMI_MAJOR_M * cos / (1.0 - FLATTENING * (2.0 - FLATTENING) * sin * sin).sqrt();
    if radius_m < spacing_m / std::f64::consts::TAU { 360.0 } else { (spacing_m / radius_m).to_degrees() }
}

/// Every site's position, and where the circles of two sites with the reach of some unit type cross.
///
/// # Cost
/// Quadratic in the sites.
///
/// # Source
/// Church 1984 (The planar maximal covering location problem): for one range in the plane some best plan uses only these
/// points. On the ellipsoid circles cross at most twice, too, as long as they are small against the earth.
pub(super) fn crossings(settings: &Settings, sites: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut reaches_m: Vec<f64> = Vec::new();
    for unit_type in &settings.unit_types {
        match &unit_type.reach {
            Reach::Range { km, .. } => reaches_m.push(km * 1000.0),
            Reach::Bands { bands } => reaches_m.extend(bands.iter().map(|[km, _]| km * 1000.0)),
            _ => {}
        }
    }
    reaches_m.sort_by(f64::total_cmp);
    reaches_m.dedup();
    let ruler = Ruler { distance: settings.distance, ellipsoid: Geodesic::wgs84() };
    let mut points = sites.to_vec();
    for (place, a) in sites.iter().enumerate() {
        for b in &sites[place + 1..] {
            if points.len() > MOST_POINTS {
                return points;
            }
            let (apart_m, azimuth) = ruler.between(*a, *b);
            for reach_m in reaches_m.iter().filter(|reach_m| apart_m > 0.0 && apart_m <= 2.0 * **reach_m) {
                points.extend(
                    [-1.0, 1.0].into_iter().filter_map(|side| ruler.crossing(*a, *b, azimuth, apart_m, *reach_m, side)),
                );
            }
        }
    }
    points
}

/// Measures distances and directions.
struct Ruler {
    distance: Distance,
    ellipsoid: Geodesic,
}

impl Ruler {
    /// Metres, and the direction from `a` to `b` in degrees.
    fn between(&self, a: [f64; 2], b: [f64; 2]) -> (f64, f64) {
        match self.distance {
            Distance::Planar => ((b[0] - a[0]).hypot(b[1] - a[1]), (b[0] - a[0]).atan2(b[1] - a[1]).to_degrees()),
            Distance::Geodesic => {
                let (metres, azimuth, _, _): (f64, f64, f64, f64) = self.ellipsoid.inverse(a[1], a[0], b[1], b[0]);
                (metres, azimuth)
            }
        }
    }

    fn ahead(&self, [x, y]: [f64; 2], azimuth: f64, metres: f64) -> [f64; 2] {
        match self.distance {
            Distance::Planar => {
                let (sin, cos) = azimuth.to_radians().sin_cos();
                [x + metres * sin, y + metres * cos]
            }
            Distance::Geodesic => {
                let (latitude, longitude): (f64, f64) = self.ellipsoid.direct(y, x, azimuth, metres);
                [longitude, latitude]
            }
        }
    }

    /// The point at the reach from both, on one side of the line between them, by the secant method over the angle at
    /// `a`; a hair inside both circles, so that rounding does not put it outside.
    fn crossing(
        &self,
        a: [f64; 2],
        b: [f64; 2],
        azimuth: f64,
        apart_m: f64,
        reach_m: f64,
        side: f64,
    ) -> Option<[f64; 2]> {
        const HAIR_M: f64 = 1e-4;
        let radius_m = reach_m - HAIR_M;
        let at = |angle: f64| self.ahead(a, azimuth + side * angle, radius_m);
        let error_m = |angle: f64| self.between(at(angle), b).0 - radius_m;
        let first = (apart_m / (2.0 * radius_m)).min(1.0).acos().to_degrees();
        let (mut angle, mut other) = (first, first + 0.01);
        let (mut error, mut other_error) = (error_m(angle), error_m(other));
        for _ in 0..20 {
            if error.abs() < HAIR_M / 2.0 {
                return Some(at(angle));
            }
            let slope = (other_error - error) / (other - angle);
            let next = angle - error / slope;
            (other, other_error) = (angle, error);
            angle = next;
            error = error_m(angle);
        }
        // Circles that hardly touch: the middle of the two sites serves as well.
        (apart_m / 2.0 <= radius_m).then(|| self.ahead(a, azimuth, apart_m / 2.0))
    }
}
