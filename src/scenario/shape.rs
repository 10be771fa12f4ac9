//! A value of TOML held against the schema of a scenario, every key that differs reported at once.

use std::collections::BTreeMap;

use serde_json::Value as Schema;
use toml::Value;

use crate::load::nearest;
use crate::problem::{Findings, Problem};

/// Compares a value with the schema and gathers what differs; `lines` are those of the file by path, where they are known.
pub(super) fn check(
    value: &Value,
    schema: &Schema,
    (file, lines): (&str, &BTreeMap<String, usize>),
    findings: &mut Findings,
) {
    Walk { file, schema, lines, labels: Vec::new(), findings }.value(value, schema, &mut Vec::new());
}

/// A walk through value and schema together.
struct Walk<'a> {
    file: &'a str,
    schema: &'a Schema,
    lines: &'a BTreeMap<String, usize>,
    /// Ids of the list entries on the way to the value being looked at, by depth of the path.
    labels: Vec<(usize, String)>,
    findings: &'a mut Findings,
}

impl<'a> Walk<'a> {
    fn resolved(&self, schema: &'a Schema) -> &'a Schema {
        let reference = schema.get("$ref").and_then(Schema::as_str);
        let target = reference.and_then(|reference| self.schema.pointer(reference.trim_start_matches('#')));
        target.unwrap_or(schema)
    }

    /// The alternatives of a schema, those of its alternatives included.
    fn flat(&self, schema: &'a Schema) -> Vec<&'a Schema> {
        let schema = self.resolved(schema);
        match schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Schema::as_array) {
            Some(options) => options.iter().flat_map(|option| self.flat(option)).collect(),
            None => vec![schema],
        }
    }

    fn value(&mut self, value: &Value, schema: &'a Schema, path: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if let Some(options) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Schema::as_array) {
            self.one_of(value, options, path);
            return;
        }
        if let Some(accepted) = accepted(schema) {
            self.word(value, &accepted, path);
            return;
        }
        if !types(schema).iter().any(|kind| is_of_type(value, kind)) {
            self.wrong_type(value, &types(schema), path);
            return;
        }
        match value {
            Value::Table(table) => self.table(table, schema, path),
            Value::Array(entries) => self.list(entries, schema, path),
            Value::Float(number) if !number.is_finite() => {
                self.push("not-finite", path, &number.to_string(), "a finite number", "give a number");
            }
            Value::Integer(number) => self.whole(*number, schema, path),
            _ => {}
        }
    }

    fn one_of(&mut self, value: &Value, options: &'a [Schema], path: &mut Vec<String>) {
        let options = options.iter().flat_map(|option| self.flat(option));
        // TOML has no null: a key that may be absent is a matter of the table that holds it.
        let options: Vec<&Schema> = options.filter(|option| types(option) != ["null"]).collect();
        let words: Vec<&str> = options.iter().filter_map(|option| accepted(option)).flatten().collect();
        if words.len() >= options.len() {
            self.word(value, &words, path);
            return;
        }
        let kind = |option: &'a Schema| option.pointer("/properties/kind/const").and_then(Schema::as_str);
        let kinds: Vec<&str> = options.iter().filter_map(|option| kind(option)).collect();
        if let (Value::Table(table), false) = (value, kinds.is_empty()) {
            path.push("kind".to_owned());
            match table.get("kind") {
                None => self.missing("kind", path),
                Some(found) => self.word(found, &kinds, path),
            }
            path.pop();
            let found = table.get("kind").and_then(Value::as_str);
            if let Some(option) = options.iter().find(|option| kind(option).is_some() && kind(option) == found) {
                self.table(table, option, path);
            }
            return;
        }
        let matching = options.iter().find(|option| types(option).iter().any(|kind| is_of_type(value, kind)));
        if let Some(option) = matching {
            self.value(value, option, path);
        } else {
            let types: Vec<&str> = options.iter().flat_map(|option| types(option)).collect();
            self.wrong_type(value, &types, path);
        }
    }

    fn table(&mut self, table: &toml::Table, schema: &'a Schema, path: &mut Vec<String>) {
        let no_properties = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Schema::as_object).unwrap_or(&no_properties);
        let is_open = schema.get("additionalProperties").is_some_and(Schema::is_object);
        for (key, value) in table {
            path.push(key.clone());
            if let Some(property) = schema.get("properties").and_then(|properties| properties.get(key)) {
                self.value(value, property, path);
            } else if is_open {
                self.value(value, &schema["additionalProperties"], path);
            } else {
                self.unknown_key(key, properties, path);
            }
            path.pop();
        }
        let required =
            schema.get("required").and_then(Schema::as_array).into_iter().flatten().filter_map(Schema::as_str);
        for key in required.filter(|key| !table.contains_key(*key)) {
            path.push(key.to_owned());
            self.missing(key, path);
            path.pop();
        }
    }

    fn list(&mut self, entries: &[Value], schema: &'a Schema, path: &mut Vec<String>) {
        let Some(items) = schema.get("items") else { return };
        for (place, entry) in entries.iter().enumerate() {
            let id = entry.get("id").and_then(Value::as_str);
            let label = id.map_or_else(|| format!("#{}", place + 1), |id| format!("\"{id}\""));
            self.labels.push((path.len(), label));
            path.push(place.to_string());
            self.value(entry, items, path);
            path.pop();
            self.labels.pop();
        }
    }

    fn word(&mut self, value: &Value, accepted: &[&str], path: &[String]) {
        match value {
            Value::String(word) if accepted.contains(&word.as_str()) => {}
            Value::String(word) => {
                let nearest = nearest(word, accepted.iter().copied());
                let advice =
                    nearest.map_or_else(|| "use one of these".to_owned(), |near| format!("did you mean \"{near}\"?"));
                self.push(
                    "unknown-value",
                    path,
                    &format!("\"{word}\""),
                    &format!("one of {}", accepted.join(", ")),
                    &advice,
                );
            }
            _ => self.wrong_type(value, &["string"], path),
        }
    }

    fn whole(&mut self, number: i64, schema: &Schema, path: &[String]) {
        let is_count = schema.get("minimum").and_then(Schema::as_i64) == Some(0);
        if is_count && number < 0 {
            self.push("negative-count", path, &number.to_string(), "0 or more", "counts are never negative");
        } else if schema.get("format").and_then(Schema::as_str) == Some("uint32") && u32::try_from(number).is_err() {
            self.push("wrong-type", path, &number.to_string(), "at most 4294967295", "give a smaller number");
        }
    }

    fn unknown_key(&mut self, key: &str, properties: &serde_json::Map<String, Schema>, path: &[String]) {
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        let nearest = nearest(key, known.iter().copied());
        let advice = nearest.map_or_else(|| "remove it".to_owned(), |near| format!("did you mean \"{near}\"?"));
        self.push("unknown-key", path, &format!("\"{key}\""), &format!("one of {}", known.join(", ")), &advice);
    }

    fn missing(&mut self, key: &str, path: &[String]) {
        self.push(
            "missing-key",
            path,
            "nothing",
            &format!("the key \"{key}\""),
            "add it; docs/formats.md shows an example",
        );
    }

    fn wrong_type(&mut self, value: &Value, wanted: &[&str], path: &[String]) {
        let wanted: Vec<&str> = wanted.iter().filter(|kind| **kind != "null").map(|kind| plain(kind)).collect();
        let shown = value.to_string();
        let shown = if shown.chars().count() > 40 { String::new() } else { format!(" {shown}") };
        let found = format!("{}{shown}", plain(value.type_str()));
        self.push("wrong-type", path, &found, &wanted.join(" or "), "write the value in that form");
    }

    fn push(&mut self, code: &'static str, path: &[String], found: &str, expected: &str, advice: &str) {
        let place = self.place(path);
        self.findings.push(Problem::new(code, place, found, expected, advice));
    }

    /// File, line, table and key of a path.
    fn place(&self, path: &[String]) -> String {
        let mut place = self.file.to_owned();
        // A key that is missing has no line; the table that lacks it has.
        let mut known = (1..=path.len()).rev().filter_map(|depth| self.lines.get(&path[..depth].join(".")));
        if let Some(line) = known.next() {
            place += &format!(", line {line}");
        }
        let mut keys = Vec::new();
        for (depth, step) in path.iter().enumerate() {
            match self.labels.iter().find(|(at, _)| *at == depth) {
                Some((_, label)) if depth == 1 => {
                    let table: String = keys.drain(..).collect();
                    place += &format!(", [[{table}]] {label}");
                }
                Some(_) => keys.push(format!("{}", step.parse::<usize>().map_or(0, |place| place + 1))),
                None if depth == 1 && self.labels.is_empty() => {
                    let table: String = keys.drain(..).collect();
                    place += &format!(", [{table}]");
                    keys.push(step.clone());
                }
                None => keys.push(step.clone()),
            }
        }
        if !keys.is_empty() {
            place += &format!(", key \"{}\"", keys.join("."));
        }
        place
    }
}

/// Words that a schema of fixed words accepts.
fn accepted(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const").and_then(Schema::as_str) {
        return Some(vec![word]);
    }
    schema.get("enum").and_then(Schema::as_array).map(|words| words.iter().filter_map(Schema::as_str).collect())
}

fn types(schema: &Schema) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(kind)) => vec![kind],
        Some(Schema::Array(kinds)) => kinds.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match value {
        Value::String(_) => kind == "string",
        Value::Integer(_) => kind == "integer" || kind == "number",
        Value::Float(_) => kind == "number",
        Value::Boolean(_) => kind == "boolean",
        Value::Array(_) => kind == "array",
        Value::Table(_) => kind == "object",
        Value::Datetime(_) => false,
    }
}

/// The word a person uses for a type.
fn plain(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" | "float" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" | "table" => "a table",
        "datetime" => "a date",
        other => other,
    }
}
