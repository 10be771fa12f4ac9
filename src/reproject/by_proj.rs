//! Two systems of the EPSG registry turned into a transformation by PROJ.

use proj::Proj;

/// What to do about a system that is not known.
pub(super) const ADVICE: &str = "reproject the source yourself: ogr2ogr -t_srs EPSG:4326 out.gpkg INPUT";

/// From a system to another.
pub(super) struct Transformation(Proj);

impl Transformation {
    /// `None` for systems that PROJ does not know.
    pub(super) fn new(from: &str, to: &str) -> Option<Self> {
        Proj::new_known_crs(from, to, None).ok().map(Self)
    }

    /// One position, `None` where the systems do not hold it.
    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = self.0.convert((x, y)).ok()?;
        let moved = [x, y];
        moved.iter().all(|ordinate| ordinate.is_finite()).then_some(moved)
    }
}
