//! CSV text turned into a layer or a table, record by record.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{Column, Layer, Request, Table, bytes, hash, text};
use crate::problem::{Findings, InputError, Problem};

/// Reads points from two columns of numbers.
pub(super) fn layer(request: &Request<'_>) -> Result<Layer, InputError> {
    let place = request.path.display().to_string();
    let bytes = bytes(request.path)?;
    let mut source = Source::new(text(&bytes, &place)?, place)?;
    let (x, y) = (source.column(request.xy.0, "x"), source.column(request.xy.1, "y"));
    let wanted: Vec<Option<usize>> = request.attributes.iter().map(|name| source.find(name)).collect();
    let mut positions = Vec::new();
    let mut columns = vec![Column::default(); wanted.len()];
    if let (Some(x), Some(y)) = (x, y) {
        source.records(|source, line, record| {
            let (Some(x), Some(y)) = (source.number(record, x, line), source.number(record, y, line)) else { return };
            positions.push([x, y]);
            for (column, at) in columns.iter_mut().zip(&wanted) {
                column.push(at.and_then(|at| cell(record, at)));
            }
        });
    }
    let layer = Layer {
        path: request.path.to_owned(),
        sha256: hash(&bytes),
        crs: None,
        positions,
        outlines: None,
        columns,
        attribute_names: source.header.clone(),
    };
    source.findings.into_result(layer)
}

/// Reads the named columns; those that are optional and absent have empty cells.
pub(super) fn table(path: &std::path::Path, required: &[&str], optional: &[&str]) -> Result<Table, InputError> {
    let place = path.display().to_string();
    let bytes = bytes(path)?;
    let mut source = Source::new(text(&bytes, &place)?, place)?;
    let required = required.iter().map(|name| source.column(name, "table")).collect::<Vec<_>>();
    let wanted: Vec<Option<usize>> =
        required.into_iter().chain(optional.iter().map(|name| source.find(name))).collect();
    let mut columns = vec![Column::default(); wanted.len()];
    let mut lines = Vec::new();
    source.records(|_, line, record| {
        lines.push(line);
        for (column, at) in columns.iter_mut().zip(&wanted) {
            column.push(at.and_then(|at| cell(record, at)));
        }
    });
    let table = Table { sha256: hash(&bytes), header: source.header.clone(), columns, lines };
    source.findings.into_result(table)
}

/// A cell's text without surrounding white space; `None` when empty.
fn cell(record: &ByteRecord, at: usize) -> Option<&str> {
    let text = record.get(at).and_then(|cell| std::str::from_utf8(cell).ok())?.trim();
    (!text.is_empty()).then_some(text)
}

/// A CSV text with its header.
struct Source<'a> {
    place: String,
    reader: Option<Reader<&'a [u8]>>,
    header: Vec<String>,
    findings: Findings,
}

impl<'a> Source<'a> {
    fn new(text: &'a str, place: String) -> Result<Self, InputError> {
        let first = text.lines().next().unwrap_or_default();
        let delimiter = match (first.contains(','), first.contains(';'), first.contains('\t')) {
            (false, true, _) => b';',
            (false, false, true) => b'\t',
            _ => b',',
        };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let header = match reader.headers() {
            Ok(header) if !header.is_empty() => header.iter().map(|name| name.trim().to_owned()).collect(),
            _ => {
                let advice = "give the file a first line that names its columns";
                return Err(Problem::new("missing-column", place, "no header", "a line of column names", advice).into());
            }
        };
        let header: Vec<String> = header;
        let mut findings = Findings::default();
        for (at, name) in header.iter().enumerate() {
            if !name.is_empty() && header[..at].contains(name) {
                let found = format!("the column \"{name}\" twice");
                let advice = "rename one of the two";
                findings.push(Problem::new("duplicate-column", &place, found, "column names that differ", advice));
            }
        }
        Ok(Self { place, reader: Some(reader), header, findings })
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The place of a column that must be there.
    fn column(&mut self, name: &str, role: &str) -> Option<usize> {
        let at = self.find(name);
        if at.is_none() {
            let nearest = super::nearest(name, self.header.iter().map(String::as_str));
            let nearest = nearest.map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default();
            let advice = if role == "table" {
                format!("add or rename the column{nearest}")
            } else {
                format!("name the column in the scenario, for example {role} = \"{name}\"{nearest}")
            };
            let found = format!("columns {}", self.header.join(", "));
            let problem = Problem::new("missing-column", &self.place, found, format!("a column \"{name}\""), advice);
            self.findings.push(problem);
        }
        at
    }

    /// Calls `take` with the line and cells of every record as wide as the header.
    fn records(&mut self, mut take: impl FnMut(&mut Self, u64, &ByteRecord)) {
        let Some(mut reader) = self.reader.take() else { return };
        let mut record = ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => return,
                Ok(true) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if record.len() == self.header.len() {
                        take(self, line, &record);
                    } else {
                        self.ragged(line, &format!("{} cells", record.len()));
                    }
                }
                Err(error) => {
                    self.ragged(reader.position().line(), &error.to_string());
                    return;
                }
            }
        }
    }

    fn ragged(&mut self, line: u64, found: &str) {
        self.findings.push(Problem::new(
            "ragged-row",
            format!("{}, line {line}", self.place),
            found,
            format!("{} cells, as in the header", self.header.len()),
            "look for a missing or an extra delimiter, or a cell that needs quotes",
        ));
    }

    /// A finite number; anything else is a problem.
    fn number(&mut self, record: &ByteRecord, at: usize, line: u64) -> Option<f64> {
        let text = cell(record, at);
        let number = text.and_then(|text| text.parse::<f64>().ok());
        if number.is_some_and(f64::is_finite) {
            return number;
        }
        let code = if number.is_some() { "not-finite" } else { "not-a-number" };
        let column = &self.header[at];
        self.findings.push(Problem::new(
            code,
            format!("{}, line {line}, column \"{column}\"", self.place),
            text.map_or_else(|| "an empty cell".to_owned(), |text| format!("\"{text}\"")),
            "a finite number with a decimal point",
            "mend or remove the row",
        ));
        None
    }
}
