//! Tables turned into the SQL of the GeoPackage standard: core tables, layers, spatial index and its triggers.

use super::tables::{Kind, Table};

/// "GPKG" as the application id, and version 1.2 of the standard, the newest that QGIS 3.22 and GDAL 3.6 know whole.
///
/// # Source
/// OGC 12-128r15, requirement 2.
const PRAGMAS: &str = "PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA journal_mode = OFF; \
    PRAGMA synchronous = OFF; PRAGMA application_id = 1196444487; PRAGMA user_version = 10200;";

/// The time of every change: a file that says when it was written would differ each time.
pub(super) const EPOCH: &str = "1970-01-01T00:00:00.000Z";

/// Opens the transaction and makes the tables that every GeoPackage has, and those of QGIS.
///
/// # Source
/// OGC 12-128r15, annex C.1, C.2, C.4, F.3; QGIS 3.22 for `layer_styles` and `qgis_projects`.
pub(super) fn core() -> String {
    format!(
        "{PRAGMAS}
BEGIN;
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL,
  definition TEXT NOT NULL,
  description TEXT
);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY,
  data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE,
  min_y DOUBLE,
  max_x DOUBLE,
  max_y DOUBLE,
  srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL,
  m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
);
CREATE TABLE gpkg_extensions (
  table_name TEXT,
  column_name TEXT,
  extension_name TEXT NOT NULL,
  definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256),
  f_table_schema TEXT(256),
  f_table_name TEXT(256),
  f_geometry_column TEXT(256),
  styleName TEXT(30),
  styleQML TEXT,
  styleSLD TEXT,
  useAsDefault BOOLEAN,
  description TEXT,
  owner TEXT(30),
  ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
);
CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB);
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)
  VALUES ('layer_styles', 'attributes', 'layer_styles', 'How QGIS draws the layers', '{EPOCH}');
"
    )
}

/// Makes a table; the index of a layer has no triggers yet, so that it can be filled row by row.
pub(super) fn table(table: &Table) -> String {
    let name = table.name;
    let geometry = table.geometry.map(|kind| format!(",\n  geom {kind}")).unwrap_or_default();
    let column = |(name, kind): &(&str, Kind)| format!(",\n  \"{name}\" {}", kind.word());
    let columns = table.columns.iter().map(column).collect::<Vec<_>>().concat();
    let mut sql =
        format!("CREATE TABLE \"{name}\" (\n  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL{geometry}{columns}\n);\n");
    if table.geometry.is_some() {
        sql += &format!(
            "CREATE VIRTUAL TABLE \"rtree_{name}_geom\" USING rtree(id, minx, maxx, miny, maxy);
INSERT INTO gpkg_extensions VALUES ('{name}', 'geom', 'gpkg_rtree_index',
  'http://www.geopackage.org/spec120/#extension_rtree', 'write-only');\n"
        );
    }
    sql
}

/// The triggers that keep the index of a layer in step with it.
///
/// # Source
/// OGC 12-128r15, annex F.3, table 39.
pub(super) fn triggers(table: &Table) -> String {
    if table.geometry.is_none() {
        return String::new();
    }
    let name = table.name;
    let index = format!("rtree_{name}_geom");
    let full = "NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom)";
    let empty = "NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)";
    let insert = format!(
        "INSERT OR REPLACE INTO \"{index}\" VALUES (\n    NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), \
         ST_MinY(NEW.geom), ST_MaxY(NEW.geom)\n  );"
    );
    let delete = |which: &str| format!("DELETE FROM \"{index}\" WHERE id = {which}.fid;");
    let both = format!("DELETE FROM \"{index}\" WHERE id IN (OLD.fid, NEW.fid);");
    let trigger = |end: &str, event: &str, condition: String, body: String| {
        let when = if condition.is_empty() { String::new() } else { format!("\n  WHEN ({condition})") };
        format!("CREATE TRIGGER \"{index}_{end}\" AFTER {event} ON \"{name}\"{when}\nBEGIN\n  {body}\nEND;\n")
    };
    [
        trigger("insert", "INSERT", full.to_owned(), insert.clone()),
        trigger("update1", "UPDATE OF geom", format!("OLD.fid = NEW.fid AND ({full})"), insert.clone()),
        trigger("update2", "UPDATE OF geom", format!("OLD.fid = NEW.fid AND ({empty})"), delete("OLD")),
        trigger(
            "update3",
            "UPDATE",
            format!("OLD.fid != NEW.fid AND ({full})"),
            format!("{}\n  {insert}", delete("OLD")),
        ),
        trigger("update4", "UPDATE", format!("OLD.fid != NEW.fid AND ({empty})"), both),
        trigger("delete", "DELETE", "OLD.geom NOT NULL".to_owned(), delete("OLD")),
    ]
    .concat()
}
