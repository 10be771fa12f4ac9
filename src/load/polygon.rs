//! Polygons of a file turned into an area that can say which positions it holds.

use std::path::Path;

use geo::{BoundingRect, Coord, Intersects, LineString, Point, Polygon, Rect, Validation};

use super::{Column, Format, Request, Source, bytes, foreign, geojson, gpkg, refuse_address, text, without_password};
use crate::problem::{Findings, InputError, Problem};

/// Polygons, in the coordinates of their file.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The CRS that the file itself states.
    pub crs: Option<String>,
    /// Rings by polygon, the first of each its exterior.
    pub polygons: Vec<Rings>,
}

impl Area {
    /// For each position, whether it lies inside a polygon or on its edge.
    ///
    /// # Cost
    /// Linear in the vertices of the polygons whose extent holds the position.
    #[must_use]
    pub fn holds_each(&self, positions: &[[f64; 2]]) -> Vec<bool> {
        let polygons: Vec<(Rect, Polygon)> = self
            .polygons
            .iter()
            .map(|rings| polygon(rings))
            .filter_map(|polygon| polygon.bounding_rect().map(|extent| (extent, polygon)))
            .collect();
        let is_held = |position: &[f64; 2]| {
            let point = Point::new(position[0], position[1]);
            polygons.iter().any(|(extent, polygon)| extent.intersects(&point) && polygon.intersects(&point))
        };
        positions.iter().map(is_held).collect()
    }
}

/// Reads the polygons of a GeoJSON file, or of a layer of a GeoPackage.
///
/// # Errors
/// [`InputError`] when the file cannot be read, holds other geometries or none, or a polygon crosses itself.
pub fn area(path: &Path) -> Result<Area, InputError> {
    refuse_address(path)?;
    let place = without_password(&path.display().to_string());
    let source = Source::new(path, None)?;
    let area = match source.format {
        Format::GeoPackage => gpkg::area(&source),
        Format::Foreign => foreign::area(&source),
        Format::GeoJson | Format::GeoJsonSequence | Format::Csv => of_geojson(path, &place),
    }?;
    if area.polygons.is_empty() {
        let advice = "draw the area as polygons";
        return Err(Problem::new("no-polygons", place, "no polygons", "polygons that make an area", advice).into());
    }
    Ok(area)
}

fn of_geojson(path: &Path, place: &str) -> Result<Area, InputError> {
    // The layer reader tells of everything that is wrong with the file.
    let layer = geojson::layer(&Request { path, layer: None, attributes: &[], xy: ("", ""), is_points_only: false })?;
    let bytes = bytes(path)?;
    let json: serde_json::Value = serde_json::from_str(text(&bytes, place)?)
        .map_err(|error| Problem::new("not-json", place, error.to_string(), "JSON text", "mend the file"))?;
    let mut polygons = Vec::new();
    collect(&json, &mut polygons);
    Ok(Area { sha256: layer.sha256, crs: layer.crs, polygons })
}

/// Polygons with a label each, in the coordinates of their file.
///
/// # Shape
/// `labels` and `polygons` have one entry per feature, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledAreas {
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The CRS that the file itself states.
    pub crs: Option<String>,
    /// The attribute asked for.
    pub labels: Column,
    /// Names of all attributes seen, in order of first sight.
    pub attribute_names: Vec<String>,
    /// Polygons by feature, rings by polygon, the first of each its exterior.
    pub polygons: Vec<Vec<Rings>>,
}

/// Rings of one polygon, its exterior first.
pub type Rings = Vec<Vec<[f64; 2]>>;

/// Reads the polygons of a GeoJSON file and an attribute of each feature.
///
/// # Errors
/// [`InputError`] when the file cannot be read, holds other geometries or none, or a polygon crosses itself.
pub fn labeled_areas(path: &Path, attribute: &str) -> Result<LabeledAreas, InputError> {
    let place = path.display().to_string();
    let attributes = [attribute.to_owned()];
    let layer =
        geojson::layer(&Request { path, layer: None, attributes: &attributes, xy: ("", ""), is_points_only: false })?;
    let json = parsed(path, &place)?;
    let features = match &json["features"] {
        serde_json::Value::Array(features) => features.as_slice(),
        _ => std::slice::from_ref(&json),
    };
    let mut findings = Findings::default();
    let mut of_feature = |(number, feature): (usize, &serde_json::Value)| {
        let mut polygons = Vec::new();
        collect(feature, &mut polygons);
        if polygons.is_empty() {
            let found = format!("a {}", feature["geometry"]["type"].as_str().unwrap_or("geometry"));
            let advice = "draw the area as a polygon, or remove the feature";
            let place = format!("{place}, feature {}", number + 1);
            findings.push(Problem::new("unsupported-geometry", place, found, "a Polygon or MultiPolygon", advice));
        }
        polygons
    };
    let polygons: Vec<Vec<Rings>> = features.iter().enumerate().map(&mut of_feature).collect();
    if polygons.is_empty() {
        let advice = "draw the area of each location as a polygon";
        findings.push(Problem::new("no-polygons", &place, "no polygons", "a polygon for each location", advice));
    }
    let labels = layer.columns.into_iter().next().unwrap_or_default();
    findings.into_result(LabeledAreas {
        sha256: layer.sha256,
        crs: layer.crs,
        labels,
        attribute_names: layer.attribute_names,
        polygons,
    })
}

/// A JSON file as a whole.
fn parsed(path: &Path, place: &str) -> Result<serde_json::Value, Problem> {
    let bytes = bytes(path)?;
    serde_json::from_str(text(&bytes, place)?)
        .map_err(|error| Problem::new("not-json", place, error.to_string(), "JSON text", "mend the file"))
}

/// Collects the polygons of whatever GeoJSON object this is.
fn collect(json: &serde_json::Value, polygons: &mut Vec<Rings>) {
    let rings = |value: &serde_json::Value| serde_json::from_value::<Vec<Vec<Vec<f64>>>>(value.clone()).ok();
    let mut keep = |value: &serde_json::Value| {
        let rings = rings(value).unwrap_or_default();
        polygons.push(rings.iter().map(|ring| ring.iter().map(|vertex| [vertex[0], vertex[1]]).collect()).collect());
    };
    match json["type"].as_str() {
        Some("Polygon") => keep(&json["coordinates"]),
        Some("MultiPolygon") => json["coordinates"].as_array().into_iter().flatten().for_each(keep),
        Some("Feature") => collect(&json["geometry"], polygons),
        Some("FeatureCollection") => {
            json["features"].as_array().into_iter().flatten().for_each(|feature| collect(feature, polygons));
        }
        _ => {}
    }
}

/// True where rings are closed, have at least four positions and do not cross.
pub(super) fn is_valid(rings: &[Vec<[f64; 2]>]) -> bool {
    let is_closed = |ring: &Vec<[f64; 2]>| ring.len() >= 4 && ring.first() == ring.last();
    !rings.is_empty() && rings.iter().all(is_closed) && polygon(rings).is_valid()
}

fn polygon(rings: &[Vec<[f64; 2]>]) -> Polygon {
    let line = |ring: &Vec<[f64; 2]>| ring.iter().map(|[x, y]| Coord { x: *x, y: *y }).collect::<LineString>();
    Polygon::new(line(&rings[0]), rings[1..].iter().map(line).collect())
}
