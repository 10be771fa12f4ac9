//! A source of any other format turned into a refusal that names the feature which reads it, and the way around.

use super::geometry::Geometry;
use super::source::FORMATS;
use super::{Layer, Request, Source, raster};
use crate::problem::{InputError, Problem};

/// True where sources that are no files can be read.
pub(super) const READS_DATABASES: bool = false;

/// Refuses.
pub(super) fn layer(
    _: &Request<'_>,
    source: &Source<'_>,
    _: &mut dyn FnMut(&mut Geometry),
) -> Result<Layer, InputError> {
    Err(refusal(source).into())
}

/// The hash of a file; refuses a database.
pub(super) fn sha256(source: &Source<'_>) -> Result<String, Problem> {
    if source.is_database() { Err(refusal(source)) } else { raster::sha256(source.file) }
}

/// Why a source of another format is refused.
fn refusal(source: &Source<'_>) -> Problem {
    let ending = source.file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let found = match ending {
        _ if source.is_database() => "a database".to_owned(),
        Some(ending) => format!("the ending .{ending}"),
        None => "no file ending".to_owned(),
    };
    let advice = "build coverplan with GDAL, cargo install --path . --features gdal (Debian: libgdal-dev), or convert: \
                  ogr2ogr -f GPKG out.gpkg INPUT";
    Problem::new("unsupported-format", source.place(), found, FORMATS, advice)
}
