//! A plan.gpkg compared, table by table and row by row, with what would be written for the plan.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Rows};

use super::fill;
use crate::export::Report;

/// What differs, in words; nothing where the content is the same.
///
/// The content counts, not the bytes: QGIS changes counters of a file that it only looks at. Tables, indices, triggers
/// and views that were added, taken away or redefined differ, and every cell does.
///
/// # Cost
/// As writing the file, in memory.
pub(in crate::export) fn differences(path: &Path, report: &Report<'_>) -> Vec<String> {
    match compared(path, report) {
        Ok(differences) => differences,
        Err(error) => vec![format!("plan.gpkg cannot be read: {error}")],
    }
}

fn compared(path: &Path, report: &Report<'_>) -> rusqlite::Result<Vec<String>> {
    let expected = Connection::open_in_memory()?;
    fill(&expected, report)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(path, flags)?;
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name, type";
    // Tables are named from here on: they are those of the program, not of the file.
    if !is_same(&expected, &found, schema)? {
        return Ok(vec!["plan.gpkg: tables that are not those of a plan".to_owned()]);
    }
    let mut differences = Vec::new();
    for pragma in ["application_id", "user_version", "encoding"] {
        if !is_same(&expected, &found, &format!("PRAGMA {pragma}"))? {
            differences.push(format!("plan.gpkg: {pragma} is not that of a plan"));
        }
    }
    let mut tables = expected.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for table in tables {
        if !is_same(&expected, &found, &format!("SELECT * FROM \"{table}\""))? {
            differences.push(format!("plan.gpkg, table {table}: not what the plan amounts to"));
        }
    }
    Ok(differences)
}

/// True where a statement gives the same rows from both.
fn is_same(expected: &Connection, found: &Connection, sql: &str) -> rusqlite::Result<bool> {
    let (mut a, mut b) = (expected.prepare(sql)?, found.prepare(sql)?);
    let width = a.column_count();
    if b.column_count() != width {
        return Ok(false);
    }
    let (mut a, mut b): (Rows<'_>, Rows<'_>) = (a.query([])?, b.query([])?);
    loop {
        match (a.next()?, b.next()?) {
            (None, None) => return Ok(true),
            (Some(a), Some(b)) => {
                for column in 0..width {
                    if !is_equal(a.get_ref(column)?, b.get_ref(column)?) {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
}

/// Cells of one kind and one value, to the last bit.
fn is_equal(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::Real(a), ValueRef::Real(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}
