//! A CSV table of location, site and value turned into the sites that each location covers.

use std::collections::HashMap;
use std::path::Path;

use super::{Input, Matrix};
use crate::load::{self, Column, nearest};
use crate::problem::{Findings, InputError, Problem};

/// Ids and their indices.
pub(super) type Places<'a> = HashMap<&'a str, u32>;

/// The index of every id.
pub(super) fn places<'a>(ids: impl Iterator<Item = &'a str>) -> Places<'a> {
    ids.zip(0..).collect()
}

/// Reads the rows whose value is at most `max`.
///
/// # Cost
/// Linear in the file; memory holds its text once.
pub(super) fn read(
    path: &Path,
    max: f64,
    locations: &Places<'_>,
    sites: &Places<'_>,
) -> Result<(Matrix, Input), InputError> {
    let table = load::table(path, &["location_id", "site_id", "value"], &[])?;
    let (location_ids, site_ids, values) = (&table.columns[0], &table.columns[1], &table.columns[2]);
    let mut rows = Rows { place: path.display().to_string(), lines: &table.lines, findings: Findings::default() };
    let mut pairs = Vec::new();
    for row in 0..table.lines.len() {
        let location = rows.find(row, location_ids, "location_id", locations);
        let site = rows.find(row, site_ids, "site_id", sites);
        let value = rows.number(row, values);
        if let (Some(location), Some(site), Some(value)) = (location, site, value) {
            pairs.push((location, site, row, value <= max));
        }
    }
    pairs.sort_unstable();
    for twins in pairs.windows(2).filter(|twins| (twins[0].0, twins[0].1) == (twins[1].0, twins[1].1)) {
        let place = rows.place(twins[1].2, "location_id");
        let found = format!("the pair of line {} again", table.lines[twins[0].2]);
        let advice = "keep one of the two rows";
        rows.findings.push(Problem::new("duplicate-row", place, found, "one row for a location and a site", advice));
    }
    let pairs: Vec<(u32, u32)> =
        pairs.into_iter().filter(|(.., is_within)| *is_within).map(|(location, site, ..)| (location, site)).collect();
    let mut starts = vec![0; locations.len() + 1];
    pairs.iter().for_each(|(location, _)| starts[*location as usize + 1] += 1);
    (0..locations.len()).for_each(|location| starts[location + 1] += starts[location]);
    let matrix = Matrix { starts, sites: pairs.into_iter().map(|(_, site)| site).collect() };
    rows.findings.into_result((matrix, Input { path: path.to_owned(), sha256: table.sha256 }))
}

/// Rows of the table with what is wrong with them.
struct Rows<'a> {
    place: String,
    lines: &'a [u64],
    findings: Findings,
}

impl Rows<'_> {
    fn place(&self, row: usize, column: &str) -> String {
        format!("{}, line {}, column \"{column}\"", self.place, self.lines[row])
    }

    fn find(&mut self, row: usize, column: &Column, name: &str, places: &Places<'_>) -> Option<u32> {
        let id = column.cell(row).unwrap_or_default();
        let found = places.get(id).copied();
        if found.is_none() {
            let kind = name.trim_end_matches("_id");
            // The nearest word is worth its search only for those messages that are shown.
            let near = if self.findings.is_empty() { nearest(id, sorted(places).into_iter()) } else { None };
            let advice = near.map_or_else(
                || format!("remove the row, or add the {kind} to its layer"),
                |near| format!("did you mean \"{near}\"?"),
            );
            let place = self.place(row, name);
            self.findings.push(Problem::new(
                "unknown-id",
                place,
                format!("\"{id}\""),
                format!("the id of a {kind}"),
                advice,
            ));
        }
        found
    }

    fn number(&mut self, row: usize, column: &Column) -> Option<f64> {
        let text = column.cell(row).unwrap_or_default();
        let number = text.parse::<f64>().ok();
        if let Some(number) = number.filter(|number| number.is_finite()) {
            return Some(number);
        }
        let code = if number.is_some() { "not-finite" } else { "not-a-number" };
        let advice = "mend or remove the row; a pair without a row is not covered";
        let place = self.place(row, "value");
        self.findings.push(Problem::new(code, place, format!("\"{text}\""), "a finite number", advice));
        None
    }
}

/// Ids in the order of their places.
pub(super) fn sorted<'a>(places: &Places<'a>) -> Vec<&'a str> {
    let mut ids: Vec<(u32, &str)> = places.iter().map(|(id, place)| (*place, *id)).collect();
    ids.sort_unstable();
    ids.into_iter().map(|(_, id)| id).collect()
}
