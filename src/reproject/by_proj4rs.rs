//! A system of the EPSG registry turned into a transformation to WGS 84 in pure Rust.

use proj4rs::Proj;
use proj4rs::transform::transform;

/// What to do about a system that is not known.
pub(super) const ADVICE: &str = "reproject the source yourself: ogr2ogr -t_srs EPSG:4326 out.gpkg INPUT; or build \
    coverplan with PROJ, which knows more systems: cargo install --path . --features proj";

/// From a system to longitude and latitude on WGS 84.
pub(super) struct Transformation {
    from: Proj,
    to: Proj,
}

impl Transformation {
    /// `None` for systems that are not known or need grids.
    pub(super) fn new(name: &str) -> Option<Self> {
        let code = name.strip_prefix("EPSG:")?.parse().ok()?;
        let definition = crs_definitions::from_code(code)?;
        let from = Proj::from_proj_string(definition.proj4).ok()?;
        let to = Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs").ok()?;
        Some(Self { from, to })
    }

    /// One position, `None` where the systems do not hold it.
    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let mut point = if self.from.is_latlong() { (x.to_radians(), y.to_radians(), 0.0) } else { (x, y, 0.0) };
        transform(&self.from, &self.to, &mut point).ok()?;
        let moved = [point.0.to_degrees(), point.1.to_degrees()];
        moved.iter().all(|ordinate| ordinate.is_finite()).then_some(moved)
    }
}
