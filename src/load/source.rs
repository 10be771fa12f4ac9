//! A source as a scenario names it turned into a file, a layer and a format.

use std::path::Path;

use crate::problem::Problem;

/// What can be read.
pub(super) const FORMATS: &str = "GeoJSON (.geojson, .json), CSV (.csv) or GeoPackage (.gpkg)";

/// A file and which of its layers is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    /// `None` where the only one is meant.
    pub(super) layer: Option<&'a str>,
    pub(super) format: Format,
}

/// A format by the ending of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    GeoJson,
    Csv,
    GeoPackage,
    /// Any other.
    Foreign,
}

impl<'a> Source<'a> {
    /// Takes apart what QGIS calls a source, such as `a.gpkg|layername=towns`; `layer` may name the layer, too.
    pub(super) fn new(path: &'a Path, layer: Option<&'a str>) -> Result<Self, Problem> {
        let (file, of_path) = apart(path);
        let layer = match (of_path, layer) {
            (Some(of_path), Some(layer)) if of_path != layer => {
                let found = format!("\"{of_path}\" in the source, \"{layer}\" as layer");
                let advice = "remove one of the two";
                return Err(Problem::new("layer-conflict", path.display().to_string(), found, "one layer", advice));
            }
            (of_path, layer) => layer.or(of_path),
        };
        let format = format(file);
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let (Some(layer), Format::GeoJson | Format::Csv) = (layer.filter(|layer| *layer != stem), format) {
            let expected = format!("the layer \"{stem}\"");
            let advice = "remove the layer: such a file is one layer of its own name";
            let found = format!("\"{layer}\"");
            return Err(Problem::new("unknown-layer", file.display().to_string(), found, expected, advice));
        }
        Ok(Self { file, layer, format })
    }
}

/// The file of a source, without the name of a layer behind it.
pub(super) fn apart(path: &Path) -> (&Path, Option<&str>) {
    const MARK: &str = "|layername=";
    let parts = path.to_str().and_then(|text| text.split_once(MARK));
    // What follows a further bar, such as a filter of QGIS, is refused as a layer that is not there.
    parts.map_or((path, None), |(file, layer)| (Path::new(file), Some(layer)))
}

fn format(file: &Path) -> Format {
    match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase().as_str() {
        "geojson" | "json" => Format::GeoJson,
        "csv" => Format::Csv,
        "gpkg" => Format::GeoPackage,
        _ => Format::Foreign,
    }
}
