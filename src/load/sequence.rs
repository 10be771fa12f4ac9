//! GeoJSON features, each a text of its own, turned into a layer.

use super::gathered::Gathered;
use super::geometry::Geometry;
use super::{Layer, Request, bytes, geojson, hash, text};
use crate::problem::{InputError, Problem};

/// Begins every record of RFC 8142, which may then go over several lines.
const SEPARATOR: char = '\u{1e}';

/// Reads newline-delimited GeoJSON and the text sequences of RFC 8142.
pub(super) fn layer(request: &Request<'_>, see: &mut dyn FnMut(&mut Geometry)) -> Result<Layer, InputError> {
    let place = request.path.display().to_string();
    let bytes = bytes(request.path)?;
    let all = text(&bytes, &place)?;
    let mut reader = geojson::Reader { gathered: Gathered::new(request, place), see };
    let mut line = 1;
    let delimiter = if all.starts_with(SEPARATOR) { SEPARATOR } else { '\n' };
    for record in all.split(delimiter) {
        if !record.trim().is_empty()
            && let Err(error) = geojson::feature(&mut reader, record)
        {
            let problem = broken(&reader.gathered.place, line, &error);
            reader.gathered.findings.push(problem);
        }
        line += record.matches('\n').count() + usize::from(delimiter == '\n');
    }
    reader.gathered.into_layer(request.path, hash(&bytes), None)
}

fn broken(place: &str, first: usize, error: &serde_json::Error) -> Problem {
    Problem::new(
        "not-json",
        // Lines of an error are counted from 1 within its record; 0 stands for none.
        format!("{place}, line {}, column {}", first + error.line().max(1) - 1, error.column()),
        error.to_string(),
        "a GeoJSON feature on each line, or each after the character 1E",
        "mend or remove the line; a file that is one FeatureCollection ends in .geojson",
    )
}
