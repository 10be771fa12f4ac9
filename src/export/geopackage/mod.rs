//! A plan turned into a GeoPackage with a style for every layer and a QGIS project that needs no touch.

mod blob;
mod comparison;
mod outlines;
mod project;
mod qml;
mod schema;
mod sld;
mod styles;
mod tables;

use std::path::Path;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags, Statement, params, params_from_iter};
use serde_json::Value;

use self::blob::Extent;
pub(super) use self::comparison::differences;
use self::tables::{Kind, Table};
use super::{Report, features, plan_json};
use crate::reproject::definition;
use crate::scenario::Distance;

/// Rows of the standard for coordinates of which no system is known: in the plane, and on the earth.
const PLANE: i32 = -1;
const EARTH: i32 = 0;

/// Writes plan.gpkg; the same plan gives the same bytes.
pub(super) fn write(path: &Path, report: &Report<'_>) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let package = Connection::open_with_flags(path, flags)?;
    fill(&package, report)?;
    package.close().map_err(|(_, error)| error)
}

/// Writes all tables into an empty database.
fn fill(package: &Connection, report: &Report<'_>) -> rusqlite::Result<()> {
    package.execute_batch(&schema::core())?;
    let srs_id = system(package, report)?;
    let writer = Writer { package, srs_id };
    let mut extent = writer.table(&tables::PLACEMENTS, features::placements(report))?;
    let sites = writer.table(&tables::SITES, features::sites(report))?;
    extent.join(&sites);
    let reach = writer.table(&tables::REACH, features::reach(report))?;
    extent.join(&reach);
    writer.table(&tables::LINKS, features::links(report))?;
    writer.table(&tables::OUTLINES, outlines::features(report, &extent).into_iter())?;
    writer.table(&tables::LIMITS, limits(report).into_iter())?;
    let styles = styles::of_plan(report);
    for style in &styles {
        package.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, \
             styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) \
             VALUES ('', '', ?1, 'geom', ?1, ?2, ?3, 1, ?4, '', '', ?5)",
            params![style.table, qml::text(style), sld::text(style), style.title, schema::EPOCH],
        )?;
    }
    let (metadata, content) = project::row(report, &styles, &extent);
    let sql = "INSERT INTO qgis_projects VALUES (?1, ?2, ?3)";
    package.execute(sql, params![report.scenario.name, metadata.into_bytes(), content.into_bytes()])?;
    package.execute_batch("COMMIT")
}

/// Notes the systems of the file; gives that of the layers.
fn system(package: &Connection, report: &Report<'_>) -> rusqlite::Result<i32> {
    let sql = "INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = package.prepare(sql)?;
    insert.execute(params![
        "Undefined Cartesian SRS",
        PLANE,
        "NONE",
        PLANE,
        "undefined",
        "undefined Cartesian system"
    ])?;
    insert.execute(params![
        "Undefined geographic SRS",
        EARTH,
        "NONE",
        EARTH,
        "undefined",
        "undefined geographic system"
    ])?;
    let mut known = |name: &str| -> rusqlite::Result<Option<i32>> {
        let code = name.rsplit(':').next().and_then(|code| code.parse::<i32>().ok());
        let (Some(code), Some([wkt, _])) = (code, definition(name)) else { return Ok(None) };
        // The name is the first quoted text of a definition.
        let title = wkt.split('"').nth(1).unwrap_or(name);
        insert.execute(params![title, code, "EPSG", code, wkt, None::<String>])?;
        Ok(Some(code))
    };
    let earth = known("EPSG:4326")?;
    Ok(match (report.scenario.distance, &report.scenario.crs) {
        (Distance::Geodesic, _) => earth,
        (Distance::Planar, Some(crs)) if crs == "EPSG:4326" => earth,
        (Distance::Planar, Some(crs)) => known(crs)?,
        (Distance::Planar, None) => None,
    }
    .unwrap_or(PLANE))
}

/// Fills tables.
struct Writer<'a> {
    package: &'a Connection,
    srs_id: i32,
}

impl Writer<'_> {
    /// Makes a table with its features; gives their extent.
    fn table(&self, table: &Table, features: impl Iterator<Item = Value>) -> rusqlite::Result<Extent> {
        self.package.execute_batch(&schema::table(table))?;
        let mut row = self.package.prepare(&insertion(table))?;
        let mut index = match table.geometry {
            Some(_) => Some(
                self.package
                    .prepare(&format!("INSERT INTO \"rtree_{}_geom\" VALUES (?1, ?2, ?3, ?4, ?5)", table.name))?,
            ),
            None => None,
        };
        let mut whole = Extent::EMPTY;
        for (number, feature) in (1_i64..).zip(features) {
            let mut cells = vec![Cell::Integer(number)];
            if let Some(index) = &mut index {
                let (blob, extent) = blob::of_geojson(&feature["geometry"], self.srs_id);
                cells.push(Cell::Blob(blob));
                note(index, number, &extent)?;
                whole.join(&extent);
            }
            cells.extend(table.columns.iter().map(|(name, kind)| cell(&feature["properties"][name], *kind)));
            row.execute(params_from_iter(cells))?;
        }
        self.register(table, &whole)?;
        self.package.execute_batch(&schema::triggers(table))?;
        Ok(whole)
    }

    fn register(&self, table: &Table, extent: &Extent) -> rusqlite::Result<()> {
        let kind = if table.geometry.is_some() { "features" } else { "attributes" };
        let end = |ordinate: f64| (table.geometry.is_some() && !extent.is_empty()).then_some(ordinate);
        let [west, south] = extent.least.map(end);
        let [east, north] = extent.most.map(end);
        let srs_id = table.geometry.map(|_| self.srs_id);
        self.package.execute(
            "INSERT INTO gpkg_contents VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![table.name, kind, table.description, schema::EPOCH, west, south, east, north, srs_id],
        )?;
        if let Some(kind) = table.geometry {
            let sql = "INSERT INTO gpkg_geometry_columns VALUES (?1, 'geom', ?2, ?3, 0, 0)";
            self.package.execute(sql, params![table.name, kind, self.srs_id])?;
        }
        Ok(())
    }
}

fn insertion(table: &Table) -> String {
    let geometry = table.geometry.map_or("", |_| ", geom");
    let columns = table.columns.iter().map(|(name, _)| format!(", \"{name}\"")).collect::<Vec<_>>().concat();
    let count = 1 + usize::from(table.geometry.is_some()) + table.columns.len();
    let places: Vec<String> = (1..=count).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO \"{}\" (fid{geometry}{columns}) VALUES ({})", table.name, places.join(", "))
}

/// Puts a feature into the index.
fn note(index: &mut Statement<'_>, number: i64, extent: &Extent) -> rusqlite::Result<()> {
    index.execute(params![number, extent.least[0], extent.most[0], extent.least[1], extent.most[1]]).map(drop)
}

/// A property as the column keeps it.
fn cell(value: &Value, kind: Kind) -> Cell {
    match kind {
        Kind::Text => value.as_str().map_or(Cell::Null, |text| Cell::Text(text.to_owned())),
        Kind::Whole => value.as_i64().map_or(Cell::Null, Cell::Integer),
        Kind::Real => value.as_f64().map_or(Cell::Null, Cell::Real),
        Kind::Flag => value.as_bool().map_or(Cell::Null, |flag| Cell::Integer(i64::from(flag))),
        Kind::Day => {
            let day = value.as_str().and_then(|instant| instant.split('T').next());
            day.map_or(Cell::Null, |day| Cell::Text(day.to_owned()))
        }
    }
}

/// Rows of the table of limits, as plan.json has them.
fn limits(report: &Report<'_>) -> Vec<Value> {
    let mut rows = Vec::new();
    for (entry, contributor) in plan_json::contributors(report).iter().zip(&report.scenario.contributors) {
        for limit in entry["limits"].as_array().into_iter().flatten() {
            rows.push(serde_json::json!({"properties": {
                "contributor_id": contributor.id,
                "contributor": contributor.name,
                "limit_name": limit["limit"],
                "used": limit["used"],
                "available": limit["available"],
            }}));
        }
    }
    rows
}
