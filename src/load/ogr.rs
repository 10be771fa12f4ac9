//! A layer of any vector source that GDAL opens turned into features, keeping only what was asked for.

use std::path::Path;

use gdal::errors::GdalError;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, FieldValue, Geometry as Geo, LayerAccess};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use sha2::{Digest, Sha256};

use super::gathered::Gathered;
use super::source::chosen;
use super::wkb::{self, Geometry};
use super::{Area, Layer, Request, Source, crs_name, hex, open_problem};
use crate::problem::{InputError, Problem};

/// True where sources that are no files can be read.
pub(super) const READS_DATABASES: bool = true;

/// Reads points, lines and polygons of any driver of GDAL, such as Shapefile, FlatGeobuf, KML, GML and PostGIS.
pub(super) fn layer(request: &Request<'_>, source: &Source<'_>) -> Result<Layer, InputError> {
    read(request, source, |_| {})
}

/// Reads the polygons of a layer.
pub(super) fn area(source: &Source<'_>) -> Result<Area, InputError> {
    let mut polygons = Vec::new();
    let request = Request { path: source.file, layer: None, attributes: &[], xy: ("", ""), is_points_only: false };
    let layer = read(&request, source, |geometry| polygons.append(&mut geometry.polygons))?;
    Ok(Area { sha256: layer.sha256, crs: layer.crs, polygons })
}

/// The hash of a table's content.
pub(super) fn sha256(source: &Source<'_>) -> Result<String, Problem> {
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
        // What GDAL says on standard error is in its errors, too.
        gdal::config::set_error_handler(|_, _, _| {});
        let flags =
            GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR;
        let options = DatasetOptions { open_flags: flags, ..DatasetOptions::default() };
        let dataset = Dataset::open_ex(source.file, options).map_err(|error| failure(source, &error))?;
        let layers: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
        let place = chosen(&layers, source.layer, &source.place())?;
        let layer = dataset.layer(place).map_err(|error| failure(source, &error))?;
        let crs = layer.spatial_ref().map(|system| name(&system, source)).transpose()?.flatten();
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

fn read(request: &Request<'_>, source: &Source<'_>, mut see: impl FnMut(&mut Geometry)) -> Result<Layer, InputError> {
    let mut opened = Opened::new(source)?;
    let rows = opened.rows(source)?;
    let hash = if source.is_database() { content(&opened.names, &rows) } else { super::source::sha256(source.file)? };
    let place = source.place();
    let mut gathered = Gathered::new(request, format!("{place}, layer \"{}\"", opened.layer_name));
    gathered.names.clone_from(&opened.names);
    let asked: Vec<Option<usize>> =
        request.attributes.iter().map(|wanted| opened.names.iter().position(|name| name == wanted)).collect();
    for row in rows {
        for (cell, at) in gathered.cells.iter_mut().zip(&asked) {
            *cell = at.and_then(|at| row.cells[at].clone());
        }
        gathered.begin(None);
        let found = row.wkb.as_deref().map(wkb::geometry).ok_or_else(|| gathered.unsupported("no geometry"));
        let sound = found.and_then(|found| wkb::sound(&gathered, found));
        gathered.finish(sound.map(|mut geometry| {
            see(&mut geometry);
            geometry.vertices
        }));
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

/// The system of a layer; `None` for coordinates of no system.
fn name(system: &SpatialRef, source: &Source<'_>) -> Result<Option<String>, Problem> {
    let mut system = system.clone();
    let authority = |system: &SpatialRef| system.authority().ok().and_then(|authority| crs_name(&authority));
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
    let found = format!("\"{}\"", system.name().unwrap_or_else(|| "a system without a name".to_owned()));
    let advice = "reproject the layer: ogr2ogr -t_srs EPSG:4326 -f GPKG out.gpkg INPUT";
    Err(Problem::new("unknown-crs", source.place(), found, "a system of the EPSG registry", advice))
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
