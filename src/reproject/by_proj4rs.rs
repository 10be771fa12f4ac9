//! Two systems of the EPSG registry turned into a transformation in pure Rust.

use proj4rs::Proj;
use proj4rs::transform::transform;

/// What to do about a system that is not known.
pub(super) const ADVICE: &str = "reproject the source yourself: ogr2ogr -t_srs EPSG:4326 out.gpkg INPUT; or build \
    coverplan with PROJ, which knows more systems: cargo install --path . --features proj";

/// From a system to another.
pub(super) struct Transformation {
    from: Proj,
    to: Proj,
}

impl Transformation {
    /// `None` for systems that are not known or need grids.
    pub(super) fn new(from: &str, to: &str) -> Option<Self> {
        let system = |name: &str| {
            let code = name.strip_prefix("EPSG:")?.parse().ok()?;
            Proj::from_proj_string(crs_definitions::from_code(code)?.proj4).ok()
        };
        Some(Self { from: system(from)?, to: system(to)? })
    }

    /// One position, `None` where the systems do not hold it.
    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let mut point = if self.from.is_latlong() { (x.to_radians(), y.to_radians(), 0.0) } else { (x, y, 0.0) };
        transform(&self.from, &self.to, &mut point).ok()?;
        let is_degrees = self.to.is_latlong();
        let moved = if is_degrees { [point.0.to_degrees(), point.1.to_degrees()] } else { [point.0, point.1] };
        moved.iter().all(|ordinate| ordinate.is_finite()).then_some(moved)
    }
}
