//! A layer of any vector source that GDAL opens turned into features, keeping only what was asked for.

use std::path::Path;
use std::sync::{LazyLock, Once};

use gdal::errors::GdalError;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, FieldValue, Geometry as Geo, LayerAccess};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use sha2::{Digest, Sha256};

use super::gathered::Gathered;
use super::geometry::Geometry;
use super::source::chosen;
use super::wkb;
use super::{Layer, Request, Source, crs_name, hex, open_problem, raster};
use crate::problem::{InputError, Problem};

/// True where sources that are no files can be read.
pub(super) const READS_DATABASES: bool = true;

/// The hash of a file, or of a table's content.
pub(super) fn sha256(source: &Source<'_>) -> Result<String, Problem> {
    if !source.is_database() {
        return raster::sha256(source.file);
    }
    let mut opened = Opened::new(source)?;
    opened.rows(source).map(|rows| content(&opened.names, &rows))
}

/// A feature as text and bytes.
struct Row {
    number: Option<u64>,
    cells: Vec<Option<String>>,
    wkb: Option<Vec<u8>>,
}

/// An open layer.
struct Opened {
    dataset: Dataset,
    place: usize,
    layer_name: String,
    crs: Option<String>,
    names: Vec<String>,
}

impl Opened {
    fn new(source: &Source<'_>) -> Result<Self, Problem> {
        if !source.is_database() {
            std::fs::metadata(source.file).map_err(|error| open_problem(&error, &source.place()))?;
        }
        quiet();
        let flags =
            GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR;
        let options = DatasetOptions { open_flags: flags, ..DatasetOptions::default() };
        let dataset = Dataset::open_ex(source.file, options).map_err(|error| failure(source, &error))?;
        let layers: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
        let place = chosen(&layers, source.layer, &source.place())?;
        let layer = dataset.layer(place).map_err(|error| failure(source, &error))?;
        let crs = layer.spatial_ref().map(|system| name(&system, &source.place(), ADVICE)).transpose()?.flatten();
        let names = layer.defn().fields().map(|field| field.name()).collect();
        let layer_name = layer.name();
        Ok(Self { dataset, place, layer_name, crs, names })
    }

    /// All features, in the order of their numbers: a database may give them in any.
    fn rows(&mut self, source: &Source<'_>) -> Result<Vec<Row>, Problem> {
        let mut layer = self.dataset.layer(self.place).map_err(|error| failure(source, &error))?;
        let row = |feature: Feature<'_>| -> Result<Row, GdalError> {
            let cells = (0..self.names.len()).map(|field| cell(&feature, field)).collect::<Result<_, _>>()?;
            let wkb = feature.geometry().map(Geo::wkb).transpose()?;
            Ok(Row { number: feature.fid(), cells, wkb })
        };
        let mut rows =
            layer.features().map(row).collect::<Result<Vec<Row>, _>>().map_err(|error| failure(source, &error))?;
        rows.sort_by_key(|row| row.number);
        Ok(rows)
    }
}

/// Reads points, lines and polygons of any driver of GDAL, such as Shapefile, FlatGeobuf, KML, GML and PostGIS.
pub(super) fn layer(
    request: &Request<'_>,
    source: &Source<'_>,
    see: &mut dyn FnMut(&mut Geometry),
) -> Result<Layer, InputError> {
    let mut opened = Opened::new(source)?;
    let rows = opened.rows(source)?;
    let hash = if source.is_database() { content(&opened.names, &rows) } else { super::source::sha256(source.file)? };
    let place = source.place();
    let mut gathered = Gathered::new(request, format!("{place}, layer \"{}\"", opened.layer_name));
    gathered.names.clone_from(&opened.names);
    let asked: Vec<Option<usize>> =
        request.attributes.iter().map(|wanted| opened.names.iter().position(|name| name == wanted)).collect();
    for row in rows {
        for (place, at) in asked.iter().enumerate() {
            gathered.set(place, at.and_then(|at| row.cells[at].as_deref()));
        }
        gathered.begin(None);
        let found = row.wkb.as_deref().map(wkb::geometry).ok_or_else(|| gathered.unsupported("no geometry"));
        let sound = found.and_then(|found| wkb::sound(&gathered, found));
        gathered.finish(sound, see);
    }
    gathered.into_layer(Path::new(&place), hash, opened.crs)
}

/// A field as the other readers write it; `None` where it is null, unset or empty.
fn cell(feature: &Feature<'_>, field: usize) -> Result<Option<String>, GdalError> {
    // A number that is not set reads as 0, but as an empty text.
    let Some(text) = feature.field_as_string(field)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    Ok(Some(match feature.field(field) {
        Ok(Some(FieldValue::RealValue(number))) => number.to_string(),
        Ok(Some(FieldValue::IntegerListValue(list))) => joined(&list),
        Ok(Some(FieldValue::Integer64ListValue(list))) => joined(&list),
        Ok(Some(FieldValue::RealListValue(list))) => joined(&list),
        Ok(Some(FieldValue::StringListValue(list))) => joined(&list),
        Ok(Some(FieldValue::DateValue(day))) => day.to_string(),
        Ok(Some(FieldValue::DateTimeValue(instant))) => format!("{instant:?}"),
        _ => text,
    }))
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

/// What to do about a system that is not known.
const ADVICE: &str = "reproject the layer: ogr2ogr -t_srs EPSG:4326 -f GPKG out.gpkg INPUT";

/// Drivers that ask other machines, which a file could make us do.
const OF_THE_NET: &str = "WMS,WCS,WMTS,PLMOSAIC,PLSCENES,DAAS,EEDA,EEDAI,OGCAPI,HTTP,STACIT,STACTA,WFS,OAPIF,CSW,NGW,Elastic,\
                          Carto,AmigoCloud,GMLAS";

/// Keeps GDAL from writing to standard error and from following addresses in files.
pub(super) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // What GDAL says there is in its errors, too.
        gdal::config::set_error_handler(|_, _, _| {});
        let skipped = gdal::config::get_config_option("GDAL_SKIP", "").unwrap_or_default();
        for (key, value) in [
            ("GDAL_SKIP", format!("{OF_THE_NET},{skipped}").as_str()),
            // No file of the net has such an ending, so none is there.
            ("CPL_VSIL_CURL_ALLOWED_EXTENSIONS", ".not-followed"),
        ] {
            // Fails for a value with a zero byte alone.
            let _ = gdal::config::set_config_option(key, value);
        }
    });
}

/// The system of a layer or raster, its horizontal part; `None` for coordinates of no system.
pub(super) fn name(system: &SpatialRef, place: &str, advice: &str) -> Result<Option<String>, Problem> {
    let mut system = system.clone();
    let authority = |system: &SpatialRef| {
        if !system.is_compound() {
            return system.authority().ok().and_then(|authority| crs_name(&authority));
        }
        let code = |node: &str| system.get_attr_value(&format!("{node}|AUTHORITY"), 1).ok().flatten();
        code("PROJCS").or_else(|| code("GEOGCS")).and_then(|code| crs_name(&code))
    };
    if let Some(known) = authority(&system) {
        return Ok(Some(known));
    }
    if system.is_local() {
        return Ok(None);
    }
    if system.auto_identify_epsg().is_ok()
        && let Some(known) = authority(&system)
    {
        return Ok(Some(known));
    }
    if let Some(code) = code_by_name(&system) {
        return Ok(Some(code));
    }
    let found = format!("\"{}\"", system.name().unwrap_or_else(|| "a system without a name".to_owned()));
    Err(Problem::new("unknown-crs", place, found, "a system of the EPSG registry", advice))
}

/// The code of a system that a file describes without one, as `.prj` of Esri do: the first of its name that is the same.
///
/// # Cost
/// A few seconds the first time: GDAL lists no names.
fn code_by_name(system: &SpatialRef) -> Option<String> {
    static NAMES: LazyLock<Vec<(u32, String)>> = LazyLock::new(|| {
        let name = |code: u32| SpatialRef::from_epsg(code).ok().and_then(|known| Some((code, known.name()?)));
        (2_000..=32_767).filter_map(name).collect()
    });
    let wanted = system.name()?;
    let is_same = |code: u32| SpatialRef::from_epsg(code).is_ok_and(|known| known == *system);
    NAMES.iter().find(|(code, name)| *name == wanted && is_same(*code)).map(|(code, _)| format!("EPSG:{code}"))
}

/// A hash of names, cells and geometries, each with its length, so that none runs into the next.
fn content(names: &[String], rows: &[Row]) -> String {
    let mut digest = Sha256::new();
    let mut add = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => {
            digest.update((bytes.len() as u64 + 1).to_le_bytes());
            digest.update(bytes);
        }
        None => digest.update(0_u64.to_le_bytes()),
    };
    names.iter().for_each(|name| add(Some(name.as_bytes())));
    for row in rows {
        row.cells.iter().for_each(|cell| add(cell.as_deref().map(str::as_bytes)));
        add(row.wkb.as_deref());
    }
    hex(&digest.finalize())
}

fn failure(source: &Source<'_>, error: &GdalError) -> Problem {
    // The message of a database repeats the words it was opened with.
    let found = if source.is_database() { "GDAL cannot read the database".to_owned() } else { error.to_string() };
    let advice = if source.is_database() {
        "try ogrinfo with the same source; a password may stand in PGPASSWORD or in ~/.pgpass"
    } else {
        "try ogrinfo with the same file; ogrinfo --formats lists what this GDAL reads"
    };
    Problem::new("unsupported-format", source.place(), found, "a vector source that GDAL opens", advice)
}
