//! Bytes of a file turned into a layer: positions, the attributes asked for, and the CRS it states.

mod coordinates;
mod csv;
#[cfg_attr(feature = "gdal", path = "ogr.rs")]
mod foreign;
mod gathered;
mod geojson;
mod geometry;
mod gpkg;
mod loose;
mod network;
mod osm;
mod polygon;
mod raster;
mod sequence;
mod source;
mod wkb;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::geometry::Geometry;
pub use self::network::{Direction, Network, Street};
pub use self::polygon::{Area, LabeledAreas, Rings, area, labeled_areas};
pub use self::raster::{Raster, raster};
use self::source::{FORMATS, Format, Source, is_foreign_address};
pub use self::source::{is_database, without_password};
use crate::problem::{InputError, Problem};

/// What to read from a vector source.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The file; `a.gpkg|layername=towns` is understood.
    pub path: &'a Path,
    /// The layer, of a file that has several.
    pub layer: Option<&'a str>,
    /// Attributes to keep, in this order; one that a source lacks gives a column of empty cells.
    pub attributes: &'a [String],
    /// Names of the columns that hold x (longitude) and y (latitude); CSV only.
    pub xy: (&'a str, &'a str),
    /// True where lines and polygons are a problem.
    pub is_points_only: bool,
}

/// Vertices of features that are lines or polygons.
///
/// # Shape
/// Those of feature `f` are `vertices[starts[f]..starts[f + 1]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlines {
    /// Where each feature's vertices start; one more than there are features.
    pub starts: Vec<usize>,
    /// Positions.
    pub vertices: Vec<[f64; 2]>,
}

/// Features with the attributes asked for.
///
/// # Shape
/// `positions` and every column have one entry per feature, in the order of the file.
///
/// # Units
/// Positions are as the file has them; [`crate::reproject`] makes them longitude, latitude.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Where it came from.
    pub path: PathBuf,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The CRS that the file itself states, such as `EPSG:32636`; `None` where it says nothing.
    pub crs: Option<String>,
    /// x and y of every feature; of lines and polygons the mean of their vertices.
    pub positions: Vec<[f64; 2]>,
    /// Vertices by feature; `None` where all are points.
    pub outlines: Option<Outlines>,
    /// One per attribute asked for.
    pub columns: Vec<Column>,
    /// Names of all attributes seen, in order of first sight.
    pub attribute_names: Vec<String>,
}

/// One attribute of every feature, kept as text in one buffer (a million cells cost megabytes, not gigabytes).
///
/// Cells before the first that holds a value are only counted, so an attribute that a source lacks costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// How many cells come before the first that holds a value.
    leading: usize,
    text: String,
    ends: Vec<usize>,
    is_present: Vec<bool>,
}

impl Column {
    /// Appends a cell; `None` for null, absent or, in CSV, empty.
    pub fn push(&mut self, cell: Option<&str>) {
        if cell.is_none() && self.ends.is_empty() {
            self.leading += 1;
            return;
        }
        self.text.push_str(cell.unwrap_or_default());
        self.ends.push(self.text.len());
        self.is_present.push(cell.is_some());
    }

    /// The cell of a feature.
    #[must_use]
    pub fn cell(&self, feature: usize) -> Option<&str> {
        let at = feature.checked_sub(self.leading)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.is_present[at].then(|| &self.text[start..self.ends[at]])
    }

    /// How many cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leading + self.ends.len()
    }

    /// True without cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when no cell holds a value.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.ends.is_empty()
    }
}

/// A table without geometry: offers and travel matrices.
///
/// # Shape
/// Every column has one cell per line of the file after the header.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// Names of all columns of the file.
    pub header: Vec<String>,
    /// One per column asked for, in that order.
    pub columns: Vec<Column>,
    /// Line of the file (counted from 1) on which each record starts.
    pub lines: Vec<u64>,
}

/// Reads features from GeoJSON (`.geojson`, `.json`; a feature a line: `.geojsonl`, `.geojsons`, `.ndjson`) or GeoPackage (`.gpkg`), or points from CSV (`.csv`).
///
/// # Errors
/// [`InputError`] with every problem of the file: missing, not UTF-8, not JSON, no point, not a number.
/// Formats that need a feature or a later version are refused by name.
///
/// # Cost
/// One pass over the bytes; memory grows with positions and the attributes asked for, not with the file.
pub fn layer(request: &Request<'_>) -> Result<Layer, InputError> {
    seen(request, &mut |_| {})
}

/// Reads features and shows `see` every sound geometry, in order; the points of a CSV have none.
fn seen(request: &Request<'_>, see: &mut dyn FnMut(&mut Geometry)) -> Result<Layer, InputError> {
    refuse_address(request.path)?;
    let source = Source::new(request.path, request.layer)?;
    match source.format {
        Format::GeoJson => geojson::layer(request, see),
        Format::GeoJsonSequence => sequence::layer(request, see),
        Format::Csv => csv::layer(request),
        Format::GeoPackage => gpkg::layer(request, &source, see),
        Format::Foreign => foreign::layer(request, &source, see),
    }
}

/// The SHA-256 of a file's bytes, lower-case hex; of a layer's whole file, and of the files beside a Shapefile.
///
/// Of a folder that is a source, all its files count; of a table in a database, its content.
///
/// # Errors
/// [`Problem`] when the file is missing or cannot be read.
///
/// # Cost
/// One pass over the bytes, a piece at a time.
pub fn sha256(path: &Path) -> Result<String, Problem> {
    refuse_address(path)?;
    let source = Source::new(path, None)?;
    if source.format == Format::Foreign { foreign::sha256(&source) } else { source::sha256(source.file) }
}

/// The word among `known` that a misspelled one most likely means.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let likeness = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    known
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}

/// A CRS name in its short form: `urn:ogc:def:crs:EPSG::32636`, `epsg:32636` and `32636` are `EPSG:32636`, and the
/// longitude, latitude of OGC is `EPSG:4326`. `None` where it is of no known form.
#[must_use]
pub fn crs_name(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_uppercase();
    if name.ends_with("CRS84") {
        return Some("EPSG:4326".to_owned());
    }
    let is_epsg = name.starts_with("EPSG:") || name.starts_with("URN:OGC:DEF:CRS:EPSG:");
    let code = if is_epsg { name.rsplit(':').next()? } else { name.as_str() };
    let is_code = !code.is_empty() && code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("EPSG:{code}"))
}

/// All bytes of a file.
fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    refuse_address(path)?;
    fs::read(path).map_err(|error| open_problem(&error, &path.display().to_string()))
}

/// Why a file cannot be read, in words.
fn open_problem(error: &io::Error, place: &str) -> Problem {
    if error.kind() == io::ErrorKind::NotFound {
        let advice = "check the path; relative paths start from the folder of the file that names them";
        Problem::new("missing-file", place, "no such file", "a file", advice)
    } else {
        let advice = "check that it is a file and that you may read it";
        Problem::new("unreadable-file", place, error.to_string(), "a file that can be read", advice)
    }
}

/// The bytes as text, without a byte order mark.
fn text<'a>(bytes: &'a [u8], place: &str) -> Result<&'a str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(
            "not-utf8",
            format!("{place}, byte {}", error.valid_up_to()),
            "bytes that are not UTF-8",
            "text in UTF-8",
            "save the file as UTF-8, or convert it: iconv -f latin1 -t utf-8",
        )
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Refuses what is no file, before its name, which may hold a password, gets into any message.
fn refuse_address(path: &Path) -> Result<(), Problem> {
    if !is_foreign_address(path) && (foreign::READS_DATABASES || !is_database(path)) {
        return Ok(());
    }
    Err(Problem::new(
        "unsupported-format",
        "a source that is a database or an address (not repeated here: it may hold a password)",
        "no file",
        FORMATS,
        "PostGIS (PG:...) is read by coverplan built with GDAL: cargo install --path . --features gdal (Debian: \
         libgdal-dev); or export a file: ogr2ogr -f GPKG out.gpkg INPUT",
    ))
}

/// Reads a road network: an extract of OpenStreetMap (`.osm.pbf`), or a CSV of edges with one of nodes.
///
/// Of an extract only ways of the classes named are read.
///
/// # Errors
/// [`InputError`] with every problem of the files.
///
/// # Cost
/// One pass over tables, two over an extract; memory grows with the files.
pub fn network(path: &Path, nodes: Option<&Path>, classes: &[String]) -> Result<Network, InputError> {
    let name = path.display().to_string();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match (nodes, extension.as_str()) {
        (None, "pbf") => osm::read(path, classes),
        (Some(nodes), "csv") => network::read(path, nodes),
        _ => {
            let found =
                if nodes.is_some() { "a network with nodes apart that is no CSV" } else { "a network without nodes" };
            let expected = "an extract .osm.pbf, or edges and nodes as CSV";
            let advice = "give nodes = \"nodes.csv\" beside network = \"edges.csv\", or an .osm.pbf alone";
            Err(Problem::new("unsupported-format", name, found, expected, advice).into())
        }
    }
}

/// Reads the named columns of a CSV table.
///
/// # Errors
/// [`InputError`] when the file is missing, is no CSV, or lacks one of `required` columns.
pub fn table(path: &Path, required: &[&str], optional: &[&str]) -> Result<Table, InputError> {
    csv::table(path, required, optional)
}
