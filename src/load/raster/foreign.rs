//! A raster of any other form turned into a refusal that names the feature which reads it, and the way around.

use std::path::Path;

use super::Raster;
use crate::load::source;
use crate::problem::Problem;

pub(super) const EXPECTED: &str = "GeoTIFF (.tif; plain, deflate or LZW) or SRTM (.hgt, .hgt.zip)";

pub(super) const ADVICE: &str = "build coverplan with GDAL, cargo install --path . --features gdal (Debian: libgdal-dev), or convert: \
                                 gdal_translate -of GTiff -co COMPRESS=DEFLATE INPUT out.tif";

/// Refuses.
pub(super) fn raster(_: &Path, problem: Problem) -> Result<Raster, Problem> {
    Err(problem)
}

/// The hash of a file's bytes.
pub(in crate::load) fn sha256(path: &Path) -> Result<String, Problem> {
    source::sha256(path)
}
