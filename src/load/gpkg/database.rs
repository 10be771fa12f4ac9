//! A file that may be hostile turned into a database that only reads, runs no code of the file and cannot run for ever.

use std::cell::Cell;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, Row};

use crate::load::open_problem;
use crate::problem::Problem;

/// No single value is longer: a polygon of eight million vertices is not.
const MOST_BYTES: i32 = 128 << 20;

/// Steps of SQLite's machine that a file of any size may take, and how many more for each of its bytes.
///
/// A row of a table takes a few dozen steps and at least ten bytes.
const STEPS: (u64, u64) = (10_000_000, 1_000);

/// The handler that counts is called after so many steps.
const STRIDE: i32 = 10_000;

/// Bytes that may be read for each byte of the file. Numbers grow when they become text; views repeat what they like.
const GROWTH: u64 = 32;

/// Functions that a view of a file may call; each gives no more than it takes.
const FUNCTIONS: [&str; 22] = [
    "abs", "avg", "coalesce", "count", "date", "datetime", "ifnull", "iif", "instr", "length", "like", "lower",
    "ltrim", "max", "min", "nullif", "round", "rtrim", "substr", "sum", "trim", "upper",
];

/// An open file.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) place: String,
    /// Bytes that may yet be read.
    left: Cell<u64>,
}

impl Database {
    /// Opens a file for reading alone: nothing beside it is made or looked at, no triggers, no extensions.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let place = path.display().to_string();
        let size = check_header(path, &place)?;
        check_settled(path, &place)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(address(path), flags).and_then(|connection| {
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES)?;
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            connection.pragma_update(None, "cell_size_check", true)?;
            connection.authorizer(Some(judged));
            let most = STEPS.0.saturating_add(size.saturating_mul(STEPS.1)) / u64::from(STRIDE.unsigned_abs());
            let mut calls = 0_u64;
            connection.progress_handler(
                STRIDE,
                Some(move || {
                    calls += 1;
                    calls > most
                }),
            );
            Ok(connection)
        });
        let connection = connection.map_err(|error| failure(&error, &place))?;
        Ok(Self { connection, place, left: Cell::new(size.saturating_mul(GROWTH)) })
    }

    /// Notes that so many bytes were read.
    pub(super) fn count(&self, bytes: usize) -> Result<(), Problem> {
        let left = self.left.get().checked_sub(bytes as u64);
        self.left.set(left.ok_or_else(|| unsafe_view(&self.place, "more than the file holds"))?);
        Ok(())
    }

    /// All rows of a statement, as `take` makes them of its cells; each cell counts.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Problem> {
        let mut statement = self.connection.prepare(sql).map_err(|error| self.failure(&error))?;
        let width = statement.column_count();
        let mut rows = statement.query(parameters).map_err(|error| self.failure(&error))?;
        let mut taken = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.failure(&error))? {
            self.count((0..width).map(|column| row.get_ref(column).map_or(0, size)).sum())?;
            taken.push(take(row).map_err(|error| self.failure(&error))?);
        }
        Ok(taken)
    }

    pub(super) fn failure(&self, error: &rusqlite::Error) -> Problem {
        failure(error, &self.place)
    }
}

/// Bytes of a cell; one for what is kept elsewhere than in text.
pub(super) fn size(cell: ValueRef<'_>) -> usize {
    match cell {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => 1 + bytes.len(),
        _ => 1,
    }
}

/// Lets a statement read and nothing else; the statements of views are asked about, too.
fn judged(context: AuthContext<'_>) -> Authorization {
    let is_allowed = match context.action {
        AuthAction::Select | AuthAction::Read { .. } => true,
        AuthAction::Pragma { pragma_name, .. } => pragma_name == "table_info",
        AuthAction::Function { function_name } => FUNCTIONS.iter().any(|one| function_name.eq_ignore_ascii_case(one)),
        // Recursive queries, which may never end, are among the rest.
        _ => false,
    };
    if is_allowed { Authorization::Allow } else { Authorization::Deny }
}

/// The size of the file, once it is known to open as an SQLite database.
fn check_header(path: &Path, place: &str) -> Result<u64, Problem> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let open = || -> std::io::Result<(u64, Vec<u8>)> {
        let mut head = Vec::new();
        fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
        Ok((fs::metadata(path)?.len(), head))
    };
    let (size, head) = open().map_err(|error| open_problem(&error, place))?;
    if head == MAGIC { Ok(size) } else { Err(no_geopackage(place, "bytes that are no SQLite database")) }
}

/// Refuses a file that another program is still writing: what it wrote last lies beside it.
fn check_settled(path: &Path, place: &str) -> Result<(), Problem> {
    for ending in ["-wal", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        if fs::metadata(PathBuf::from(&beside)).is_ok_and(|metadata| metadata.len() > 0) {
            return Err(Problem::new(
                "unsettled-file",
                place,
                format!("changes in {} that are not yet in the file", PathBuf::from(beside).display()),
                "a file that no other program is writing",
                "close it in QGIS and elsewhere, or save the layer as a new file",
            ));
        }
    }
    Ok(())
}

/// The file as an address that tells SQLite to look at nothing else and to lock nothing.
fn address(path: &Path) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let encoded = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| if is_plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") });
    format!("file://{}?immutable=1", encoded.collect::<String>())
}

pub(super) fn no_geopackage(place: &str, found: &str) -> Problem {
    let advice = "export the layer as GeoPackage from your GIS, or with ogr2ogr -f GPKG";
    Problem::new("not-geopackage", place, found, "a GeoPackage with a layer of features", advice)
}

fn unsafe_view(place: &str, found: &str) -> Problem {
    let advice = "save the layer as a table of its own: ogr2ogr -f GPKG out.gpkg INPUT LAYER";
    Problem::new("unsafe-view", place, format!("a view that computes {found}"), "a layer that is a table", advice)
}

/// An error of SQLite in words.
fn failure(error: &rusqlite::Error, place: &str) -> Problem {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => no_geopackage(place, "bytes that are no SQLite database"),
        Some(ErrorCode::OperationInterrupted) => unsafe_view(place, "without an end in sight"),
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            unsafe_view(place, &format!("what is not allowed ({text})"))
        }
        Some(ErrorCode::TooBig) => {
            let advice = "split the feature, or simplify it";
            let expected = format!("values of at most {} MiB", MOST_BYTES >> 20);
            Problem::new("too-large", place, "a larger value", expected, advice)
        }
        _ if text.starts_with("not authorized") || text.contains("unsafe use of") => {
            unsafe_view(place, &format!("what is not allowed ({text})"))
        }
        _ => {
            let advice = "copy it again, or rebuild it: ogr2ogr -f GPKG out.gpkg in.gpkg";
            Problem::new("corrupt-geopackage", place, text, "an SQLite database that holds together", advice)
        }
    }
}
