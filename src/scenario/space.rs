//! Positions turned into points in space, where poles and the antimeridian are places like any other.

use super::Distance;

impl Distance {
    /// A position as a point on the ellipsoid, or in the plane z = 0.
    ///
    /// # Units
    /// Metres.
    ///
    /// # Source
    /// WGS 84: a = 6 378 137 m, 1/f = 298.257 223 563 (NGA.STND.0036).
    #[must_use]
    pub fn to_space(self, [x, y]: [f64; 2]) -> [f64; 3] {
        const SEMI_MAJOR_M: f64 = 6_378_137.0;
        const FLATTENING: f64 = 1.0 / 298.257_223_563;
        const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
        if self == Self::Planar {
            return [x, y, 0.0];
        }
        let (sin_lat, cos_lat) = y.to_radians().sin_cos();
        let (sin_lon, cos_lon) = x.to_radians().sin_cos();
        let normal_m = SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
        [normal_m * cos_lat * cos_lon, normal_m * cos_lat * sin_lon, normal_m * (1.0 - ECCENTRICITY_SQUARED) * sin_lat]
    }
}
