//! A layer of a GeoPackage turned into features, row by row, keeping only what was asked for.

mod database;
mod system;

use std::borrow::Cow;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use self::database::{Database, size};
use super::gathered::Gathered;
use super::geometry::Geometry;
use super::source::chosen;
use super::wkb::{self, Flaw};
use super::{Layer, Request, Source, sha256};
use crate::problem::{InputError, Problem};

/// Reads points, lines and polygons of any coordinate system of the file, and shows `see` every sound geometry.
///
/// # Source
/// OGC 12-128r17 (GeoPackage 1.3), clauses 1.1.2 and 2.1.
pub(super) fn layer(
    request: &Request<'_>,
    source: &Source<'_>,
    see: &mut dyn FnMut(&mut Geometry),
) -> Result<Layer, InputError> {
    let database = Database::open(source.file)?;
    let mut tables = tables(&database)?;
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    if names.is_empty() {
        return Err(database::no_geopackage(&database.place, "no layer of features").into());
    }
    let table = tables.swap_remove(chosen(&names, source.layer, &database.place)?);
    let crs = system::name(&database, table.srs_id)?;
    let fields = fields(&database, &table)?;
    let mut gathered = Gathered::new(request, format!("{}, layer \"{}\"", database.place, table.name));
    gathered.names = fields.iter().map(|field| field.name.clone()).collect();
    let key = fields.iter().find(|field| field.is_key);
    let asked: Vec<Option<&Field>> =
        request.attributes.iter().map(|name| fields.iter().find(|field| field.name == *name)).collect();
    let cells = [key].into_iter().chain(asked.iter().copied());
    let cells = cells.map(|field| field.map_or_else(|| "NULL".to_owned(), |field| quoted(&field.name)));
    let columns: Vec<String> = [quoted(&table.geometry)].into_iter().chain(cells).collect();
    // The order of the key is that of the file; without one, as in a view, the statement of the view decides.
    let order = key.map(|key| format!(" ORDER BY {}", quoted(&key.name))).unwrap_or_default();
    let sql = format!("SELECT {} FROM {}{order}", columns.join(", "), quoted(&table.name));
    let failure = |error: rusqlite::Error| database.failure(&error);
    let mut statement = database.connection.prepare(&sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        database.count((0..columns.len()).map(|column| cell(row, column)).map(size).sum())?;
        for (place, field) in asked.iter().enumerate() {
            if let Some(field) = field {
                let cell = text(&mut gathered, field, cell(row, place + FIRST));
                gathered.set(place, cell.as_deref());
            }
        }
        let number = match cell(row, 1) {
            ValueRef::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        gathered.begin(number.as_deref());
        let found = geometry(&gathered, cell(row, 0));
        gathered.finish(found, see);
    }
    gathered.into_layer(request.path, sha256(source.file)?, crs)
}

/// The attributes follow the geometry and the key.
const FIRST: usize = 2;

fn cell<'a>(row: &'a Row<'_>, column: usize) -> ValueRef<'a> {
    row.get_ref(column).unwrap_or(ValueRef::Null)
}

/// A table of features.
struct Table {
    name: String,
    geometry: String,
    srs_id: i64,
}

fn tables(database: &Database) -> Result<Vec<Table>, Problem> {
    let sql = "SELECT c.table_name, g.column_name, g.srs_id FROM gpkg_contents c \
               JOIN gpkg_geometry_columns g ON g.table_name = c.table_name \
               WHERE c.data_type = 'features' ORDER BY c.table_name";
    let table = |row: &Row<'_>| Ok(Table { name: row.get(0)?, geometry: row.get(1)?, srs_id: row.get(2)? });
    database.rows(sql, [], table).map_err(|problem| match problem {
        Problem { found, .. } if found.contains("no such table") => database::no_geopackage(&database.place, &found),
        problem => problem,
    })
}

/// A column of a table.
struct Field {
    name: String,
    is_flag: bool,
    is_key: bool,
}

/// All columns but the geometry.
fn fields(database: &Database, table: &Table) -> Result<Vec<Field>, Problem> {
    let sql = format!("PRAGMA table_info({})", quoted(&table.name));
    let field = |row: &Row<'_>| {
        let kind: String = row.get(2)?;
        let (is_flag, is_number) = (kind.eq_ignore_ascii_case("BOOLEAN"), kind.eq_ignore_ascii_case("INTEGER"));
        Ok(Field { name: row.get(1)?, is_flag, is_key: is_number && row.get::<_, i64>(5)? == 1 })
    };
    let mut fields = database.rows(&sql, [], field)?;
    // SQLite takes a quoted name that is no column for a text.
    if !fields.iter().any(|field| field.name == table.geometry) {
        let found = format!("a layer \"{}\" without its column \"{}\"", table.name, table.geometry);
        return Err(database::no_geopackage(&database.place, &found));
    }
    fields.retain(|field| field.name != table.geometry);
    Ok(fields)
}

/// A name as SQL writes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A cell as the other readers write it; `None` for NULL and, after a problem, for what is no text.
fn text<'c>(gathered: &mut Gathered<'_>, field: &Field, cell: ValueRef<'c>) -> Option<Cow<'c, str>> {
    let problem = |gathered: &Gathered<'_>, code, found: &str, expected: &str, advice: &str| {
        let place = format!("{}, feature {}, key \"{}\"", gathered.place, gathered.features + 1, field.name);
        Problem { code, place, found: found.into(), expected: expected.into(), advice: advice.into() }
    };
    match cell {
        ValueRef::Null => None,
        ValueRef::Integer(flag @ (0 | 1)) if field.is_flag => Some(if flag == 1 { "true" } else { "false" }.into()),
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Real(number) => Some(number.to_string().into()),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok();
            if text.is_none() {
                let advice = "save the layer again with its text as UTF-8";
                let found = "bytes that are not UTF-8";
                gathered.findings.push(problem(gathered, "not-utf8", found, "text in UTF-8", advice));
            }
            text.map(Cow::from)
        }
        ValueRef::Blob(_) => {
            let expected = "text, a number, true or false";
            gathered.findings.push(problem(gathered, "unsupported-value", "bytes", expected, "use another attribute"));
            None
        }
    }
}

/// The geometry of a cell: a header of its own, then WKB.
fn geometry(gathered: &Gathered<'_>, cell: ValueRef<'_>) -> Result<Geometry, Problem> {
    let found = match cell {
        ValueRef::Null => return Err(gathered.unsupported("no geometry")),
        ValueRef::Blob(bytes) => body(bytes).map_or(Err(Flaw::Broken), wkb::geometry),
        _ => Err(Flaw::Broken),
    };
    wkb::sound(gathered, found)
}

/// What follows the header of a geometry; `None` where the header is none.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let [b'G', b'P', _version, flags, ..] = bytes else { return None };
    let envelope = match (flags >> 1) & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    bytes.get(8 + envelope..)
}
