//! The text of scenario.toml and the overrides turned into settings, every problem of their keys reported at once.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::settings::{Settings, schema};
use super::shape;
use crate::problem::{Findings, InputError, Problem};

/// Reads the settings of a scenario file with overrides such as `contributors.FRA.max_units=3` applied.
pub(super) fn settings(path: &Path, overrides: &[(String, String)]) -> Result<Settings, InputError> {
    let file = path.display().to_string();
    let text = text(path, &file)?;
    let mut table: toml::Table = text.parse().map_err(|error| not_toml(&file, &text, &error))?;
    let (mut lines, mut findings) = (lines(&text), Findings::default());
    for (key, value) in overrides {
        if let Err(problem) = apply(&mut table, key, value) {
            findings.push(problem);
        }
        // Its line would point at what was overridden.
        lines.retain(|at, _| !same_path(&table, at, key));
    }
    let value = Value::Table(table);
    shape::check(&value, &schema(), (&file, &lines), &mut findings);
    findings.into_result(())?;
    Settings::deserialize(value).map_err(|error| {
        Problem::new("wrong-type", file, error.to_string(), "a scenario as docs/formats.md describes", "mend the key")
            .into()
    })
}

fn text(path: &Path, file: &str) -> Result<String, Problem> {
    let bytes = fs::read(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            let advice = "check the path, or start from coverplan init DIR";
            Problem::new("missing-file", file, "no such file", "a scenario file", advice)
        } else {
            Problem::new("unreadable-file", file, error.to_string(), "a file that can be read", "check its permissions")
        }
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let advice = "save the file as UTF-8";
        Problem::new("not-utf8", format!("{file}, byte {at}"), "bytes that are not UTF-8", "text in UTF-8", advice)
    })
}

fn not_toml(file: &str, text: &str, error: &toml::de::Error) -> Problem {
    let place = error.span().map_or_else(|| file.to_owned(), |span| format!("{file}, {}", position(text, &span)));
    Problem::new(
        "not-toml",
        place,
        error.message(),
        "TOML text",
        "look for a missing quote, bracket or equals sign there",
    )
}

/// The line that a span starts on, counted from 1.
fn line(text: &str, span: &Range<usize>) -> usize {
    1 + text[..span.start.min(text.len())].matches('\n').count()
}

fn position(text: &str, span: &Range<usize>) -> String {
    let before = &text.as_bytes()[..span.start.min(text.len())];
    let line = line(text, span);
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    format!("line {line}, column {column}")
}

/// The line of every key, by its path such as `unit_types.0.reach.km`.
fn lines(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        note_table(text, table.get_ref(), "", &mut lines);
    }
    lines
}

fn note_table(text: &str, table: &DeTable<'_>, path: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path = joined(path, key.get_ref());
        note(text, &path, &key.span(), value.get_ref(), lines);
    }
}

fn note(text: &str, path: &str, span: &Range<usize>, value: &DeValue<'_>, lines: &mut BTreeMap<String, usize>) {
    lines.insert(path.to_owned(), line(text, span));
    match value {
        DeValue::Table(table) => note_table(text, table, path, lines),
        DeValue::Array(entries) => {
            for (place, entry) in entries.iter().enumerate() {
                note(text, &joined(path, &place.to_string()), &entry.span(), entry.get_ref(), lines);
            }
        }
        _ => {}
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Sets a key of a table; tables in lists are found by their id or their position.
fn apply(table: &mut toml::Table, key: &str, value: &str) -> Result<(), Problem> {
    let bad = |found: &str| {
        Problem::new(
            "bad-override",
            format!("command line, --set {key}={value}"),
            found,
            "a key of the scenario such as solve.seed or contributors.FRA.max_units",
            "see coverplan schema for the keys",
        )
    };
    let steps: Vec<&str> = key.split('.').collect();
    let (last, parents) = steps.split_last().ok_or_else(|| bad("no key"))?;
    let mut at = table;
    let mut parents = parents.iter().copied().peekable();
    while let Some(step) = parents.next() {
        let entry = at.entry(step).or_insert_with(|| Value::Table(toml::Table::new()));
        at = match entry {
            Value::Table(inner) => inner,
            Value::Array(entries) => {
                let wanted = parents.next().ok_or_else(|| bad(&format!("{step} is a list")))?;
                let found = place(entries, wanted).ok_or_else(|| bad(&format!("no \"{wanted}\" in {step}")))?;
                match &mut entries[found] {
                    Value::Table(inner) => inner,
                    _ => return Err(bad(&format!("{step} is a list of plain values"))),
                }
            }
            _ => return Err(bad(&format!("{step} holds a plain value"))),
        };
    }
    // What is no TOML value is text, so that quotes are not needed on the command line.
    let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    at.insert((*last).to_owned(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    Ok(())
}

/// The position of the table with this id, or with this number.
fn place(entries: &[Value], wanted: &str) -> Option<usize> {
    let by_id = entries.iter().position(|entry| entry.get("id").and_then(Value::as_str) == Some(wanted));
    by_id.or_else(|| wanted.parse().ok().filter(|place| *place < entries.len()))
}

/// True where a path by position and a key by id mean the same.
fn same_path(table: &toml::Table, path: &str, key: &str) -> bool {
    let mut steps = path.split('.').zip(key.split('.'));
    if path.split('.').count() != key.split('.').count() {
        return false;
    }
    let first = steps.next();
    let entries = first.and_then(|(step, _)| table.get(step)).and_then(Value::as_array);
    first.is_some_and(|(a, b)| a == b)
        && steps
            .all(|(a, b)| a == b || entries.and_then(|entries| place(entries, b)).is_some_and(|at| at.to_string() == a))
}
