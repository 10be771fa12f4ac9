//! A geometry of any format turned into one that a layer can hold, or into what is wrong with it.

use super::gathered::Gathered;
use super::polygon::is_valid;
use crate::problem::Problem;

/// A point, line or polygon, or several of one kind.
pub(super) struct Geometry {
    /// As GeoJSON calls it.
    pub(super) kind: &'static str,
    /// All positions, in order.
    pub(super) vertices: Vec<[f64; 2]>,
    /// Rings by polygon, the first of each its exterior; empty for points and lines.
    pub(super) polygons: Vec<Vec<Vec<[f64; 2]>>>,
}

impl Geometry {
    /// Itself where a layer can hold it.
    pub(super) fn sound(self, gathered: &Gathered<'_>) -> Result<Self, Problem> {
        let Self { kind, vertices, polygons } = &self;
        let is_empty_point = *kind == "Point" && vertices.iter().flatten().all(|ordinate| ordinate.is_nan());
        if vertices.is_empty() || is_empty_point {
            return Err(gathered.unsupported(&format!("a {kind} without coordinates")));
        }
        if gathered.is_points_only && vertices.len() > 1 {
            return Err(gathered.unsupported(&format!("a {kind}")));
        }
        if !vertices.iter().flatten().all(|ordinate| ordinate.is_finite()) {
            return Err(gathered.no_numbers("coordinates that are not finite"));
        }
        if !polygons.iter().all(|rings| is_valid(rings)) {
            return Err(gathered.crossing());
        }
        Ok(self)
    }
}
