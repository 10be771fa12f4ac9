//! A source as a scenario names it turned into a file, a layer and a format.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{hex, nearest, open_problem};
use crate::problem::Problem;

/// What can be read.
pub(super) const FORMATS: &str =
    "GeoJSON (.geojson, .json; with a feature a line .geojsonl, .geojsons, .ndjson), CSV (.csv) or GeoPackage (.gpkg)";

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
    GeoJsonSequence,
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
        if let (Some(layer), Format::GeoJson | Format::GeoJsonSequence | Format::Csv) =
            (layer.filter(|layer| *layer != stem), format)
        {
            let expected = format!("the layer \"{stem}\"");
            let advice = "remove the layer: such a file is one layer of its own name";
            let found = format!("\"{layer}\"");
            return Err(Problem::new("unknown-layer", file.display().to_string(), found, expected, advice));
        }
        Ok(Self { file, layer, format })
    }
}

impl Source<'_> {
    /// True where it is no file.
    pub(super) fn is_database(&self) -> bool {
        is_database(self.file)
    }

    /// The source for a message, without its password.
    pub(super) fn place(&self) -> String {
        without_password(&self.file.display().to_string())
    }
}

/// How sources begin that are no files.
const DATABASES: [&str; 9] =
    ["pg:", "postgresql:", "postgres:", "mysql:", "mssql:", "http:", "https:", "oci:", "mongodb"];

/// Those that GDAL reads as tables of features.
const OF_GDAL: [&str; 3] = ["pg:", "postgresql:", "postgres:"];

fn begins_with(source: &Path, schemes: &[&str]) -> bool {
    let source = source.display().to_string().to_ascii_lowercase();
    schemes.iter().any(|scheme| source.starts_with(scheme))
}

/// True for the words of a connection to PostGIS, which are no path.
#[must_use]
pub fn is_database(source: &Path) -> bool {
    begins_with(source, &OF_GDAL)
}

/// True for what is no path and can never be read, or holds a password where none belongs.
pub(super) fn is_foreign_address(source: &Path) -> bool {
    let text = source.display().to_string().to_ascii_lowercase();
    let is_inside = |scheme: &&str| text.contains(&format!("/{scheme}"));
    !is_database(source)
        && (begins_with(source, &DATABASES) || DATABASES.iter().any(is_inside) || text.contains("password="))
}

/// A source without the password in it: `password=...` among words, or between `:` and `@` of an address.
#[must_use]
pub fn without_password(source: &str) -> String {
    if !is_database(Path::new(source)) {
        return source.to_owned();
    }
    let mut text = source.to_owned();
    // ASCII letters alone change case, so that places are the same in both.
    while let Some(at) = text.to_ascii_lowercase().find("password=") {
        let value = &text[at + "password=".len()..];
        let length = match value.strip_prefix('\'') {
            Some(quoted) => 1 + closing(quoted),
            None => value.find([' ', '|', '&', '\t']).unwrap_or(value.len()),
        };
        let end = at + "password=".len() + length;
        text.replace_range(at..end, "");
    }
    if let Some((head, rest)) = text.split_once("://")
        && let Some((account, host)) = rest.split_once('@')
        && let Some((user, _)) = account.split_once(':')
    {
        text = format!("{head}://{user}@{host}");
    }
    text.trim_end().replace("  ", " ")
}

/// Where a quoted value ends, its closing quote included; a backslash hides what follows it.
fn closing(quoted: &str) -> usize {
    let mut is_hidden = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if is_hidden => is_hidden = false,
            '\\' => is_hidden = true,
            '\'' => return at + 1,
            _ => {}
        }
    }
    quoted.len()
}

/// The place of the layer asked for, or of the only one there is.
pub(super) fn chosen<T: AsRef<str>>(names: &[T], wanted: Option<&str>, place: &str) -> Result<usize, Problem> {
    const LISTED: usize = 20;
    let shown: Vec<&str> = names.iter().map(AsRef::as_ref).take(LISTED).collect();
    let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    let found = if names.is_empty() { "no layers".to_owned() } else { format!("layers {}{more}", shown.join(", ")) };
    let Some(wanted) = wanted else {
        if names.len() == 1 {
            return Ok(0);
        }
        let first = shown.first().copied().unwrap_or("name");
        let advice = format!("name one, for example layer = \"{first}\"");
        return Err(Problem::new("several-layers", place, found, "which layer to read", advice));
    };
    names.iter().position(|name| name.as_ref() == wanted).ok_or_else(|| {
        let near = nearest(wanted, names.iter().map(AsRef::as_ref));
        let advice = near.map_or_else(|| "name one of these".to_owned(), |near| format!("did you mean \"{near}\"?"));
        Problem::new("unknown-layer", place, found, format!("the layer \"{wanted}\""), advice)
    })
}

/// The file of a source, without the name of a layer behind it.
pub(super) fn apart(path: &Path) -> (&Path, Option<&str>) {
    const MARK: &str = "|layername=";
    let parts = path.to_str().and_then(|text| text.split_once(MARK));
    // What follows a further bar, such as a filter of QGIS, is refused as a layer that is not there.
    parts.map_or((path, None), |(file, layer)| (Path::new(file), Some(layer)))
}

/// The hash of a file and of those that belong to it, or of the files of a folder, by name.
pub(super) fn sha256(file: &Path) -> Result<String, Problem> {
    let digest = || -> io::Result<String> {
        let mut digest = Sha256::new();
        for part in parts(file)? {
            let mut file = fs::File::open(part)?;
            let mut piece = vec![0; 1 << 16];
            loop {
                match file.read(&mut piece)? {
                    0 => break,
                    length => digest.update(&piece[..length]),
                }
            }
        }
        Ok(hex(&digest.finalize()))
    };
    digest().map_err(|error| open_problem(&error, &file.display().to_string()))
}

/// What a source is made of: a Shapefile keeps attributes and system in files beside it, a TIFF may keep its position
/// there, other sources are folders.
fn parts(file: &Path) -> io::Result<Vec<PathBuf>> {
    let mut parts = vec![file.to_owned()];
    if file.is_dir() {
        parts = fs::read_dir(file)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        parts.retain(|part| part.is_file());
        parts.sort();
        return Ok(parts);
    }
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let beside: &[&str] = match ending.as_str() {
        "shp" => &["shx", "dbf", "prj", "cpg"],
        "tif" | "tiff" => &["tfw", "prj"],
        _ => &[],
    };
    if !beside.is_empty() {
        let beside = beside.iter().flat_map(|ending| [(*ending).to_owned(), ending.to_uppercase()]);
        parts.extend(beside.map(|ending| file.with_extension(ending)).filter(|part| part.is_file()));
    }
    Ok(parts)
}

fn format(file: &Path) -> Format {
    if is_database(file) {
        return Format::Foreign;
    }
    match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase().as_str() {
        "geojson" | "json" => Format::GeoJson,
        "geojsonl" | "geojsons" | "ndjson" => Format::GeoJsonSequence,
        "csv" => Format::Csv,
        "gpkg" => Format::GeoPackage,
        _ => Format::Foreign,
    }
}
