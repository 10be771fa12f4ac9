//! Polygons of a file turned into an area that can say which positions it holds.

use std::path::Path;

use geo::{BoundingRect, Coord, Intersects, LineString, Point, Polygon, Rect, Validation};

use super::geometry::Geometry;
use super::{Column, Format, Layer, Request, Source, refuse_address, seen, without_password};
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

/// Reads the polygons of a file or of one of its layers, of any format of [`layer`](super::layer) but CSV.
///
/// # Errors
/// [`InputError`] when the file cannot be read, holds no polygons, or a polygon crosses itself.
pub fn area(path: &Path) -> Result<Area, InputError> {
    let mut polygons = Vec::new();
    let layer = of_polygons(path, None, &[], &mut |geometry| polygons.append(&mut geometry.polygons))?;
    if polygons.is_empty() {
        let place = without_password(&path.display().to_string());
        let advice = "draw the area as polygons";
        return Err(Problem::new("no-polygons", place, "no polygons", "polygons that make an area", advice).into());
    }
    Ok(Area { sha256: layer.sha256, crs: layer.crs, polygons })
}

/// Reads a layer whose geometries are looked at one by one.
fn of_polygons(
    path: &Path,
    layer: Option<&str>,
    attributes: &[String],
    see: &mut dyn FnMut(&mut Geometry),
) -> Result<Layer, InputError> {
    refuse_address(path)?;
    if Source::new(path, layer)?.format == Format::Csv {
        let expected = "polygons: GeoJSON or GeoPackage, with the feature gdal whatever OGR opens";
        let advice = "export the layer with its polygons: ogr2ogr -f GPKG out.gpkg INPUT";
        let place = path.display().to_string();
        return Err(Problem::new("no-polygons", place, "a table of points (.csv)", expected, advice).into());
    }
    seen(&Request { path, layer, attributes, xy: ("", ""), is_points_only: false }, see)
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

/// Reads the polygons of a file, or of one of its layers, and an attribute of each feature.
///
/// # Errors
/// [`InputError`] when the file cannot be read, holds other geometries or none, or a polygon crosses itself.
pub fn labeled_areas(path: &Path, layer: Option<&str>, attribute: &str) -> Result<LabeledAreas, InputError> {
    let place = without_password(&path.display().to_string());
    let mut polygons: Vec<Vec<Rings>> = Vec::new();
    let mut findings = Findings::default();
    let mut see = |geometry: &mut Geometry| {
        polygons.push(std::mem::take(&mut geometry.polygons));
        if polygons.last().is_some_and(Vec::is_empty) {
            let place = format!("{place}, feature {}", polygons.len());
            let advice = "draw the area as a polygon, or remove the feature";
            let found = format!("a {}", geometry.kind);
            findings.push(Problem::new("unsupported-geometry", place, found, "a Polygon or MultiPolygon", advice));
        }
    };
    let layer = of_polygons(path, layer, &[attribute.to_owned()], &mut see)?;
    if polygons.is_empty() {
        let advice = "draw the area of each location as a polygon";
        findings.push(Problem::new("no-polygons", &place, "no polygons", "a polygon for each location", advice));
    }
    findings.into_result(LabeledAreas {
        sha256: layer.sha256,
        crs: layer.crs,
        labels: layer.columns.into_iter().next().unwrap_or_default(),
        attribute_names: layer.attribute_names,
        polygons,
    })
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
