//! CSV tables of nodes and edges turned into a road network.

use std::collections::HashMap;
use std::path::Path;

use super::{Column, Table, csv};
use crate::problem::{Findings, InputError, Problem};

/// Roads as a graph.
///
/// # Units
/// Positions as the files have them: longitude and latitude in degrees, or x and y in metres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// SHA-256 of the files' bytes, lower-case hex: that of the edges or of the whole, and that of the nodes.
    pub sha256: (String, Option<String>),
    /// Where nodes are.
    pub positions: Vec<[f64; 2]>,
    /// Classes of road, such as `primary`, in order of first sight.
    pub classes: Vec<String>,
    /// From node to node.
    pub streets: Vec<Street>,
}

/// A piece of road between two nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Street {
    /// Index of the node that it is drawn from.
    pub from: u32,
    /// Index of the node that it is drawn to.
    pub to: u32,
    /// Index of its class.
    pub class: u16,
    /// Which ways it may be driven.
    pub direction: Direction,
    /// Metres; `None` for the straight line between its nodes.
    pub length_m: Option<f64>,
    /// Where the source knows it.
    pub speed_kmh: Option<f64>,
    /// Seconds, where the source knows them.
    pub time_s: Option<f64>,
}

/// Which ways a street may be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    Both,
    /// As it is drawn.
    Forward,
    /// Against the drawing.
    Backward,
}

/// Most classes that are told apart.
pub(super) const MOST_CLASSES: usize = 1_000;

/// Gives classes numbers in order of first sight.
#[derive(Default)]
pub(super) struct Classes {
    known: HashMap<String, u16>,
    pub(super) names: Vec<String>,
}

impl Classes {
    /// The number of a class; `None` where there are too many.
    pub(super) fn number(&mut self, name: &str) -> Option<u16> {
        if let Some(number) = self.known.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok().filter(|number| usize::from(*number) < MOST_CLASSES)?;
        self.known.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        Some(number)
    }
}

/// Reads nodes (`node_id`, `lon`, `lat`) and edges (`from`, `to`, and where they are there `highway`, `oneway`,
/// `length_m`, `speed_kmh`, `time_s`).
///
/// # Errors
/// [`InputError`] with every problem of both files.
///
/// # Cost
/// Linear in the files; memory holds their text once.
pub(super) fn read(edges: &Path, nodes: &Path) -> Result<Network, InputError> {
    let node_table = csv::table(nodes, &["node_id", "lon", "lat"], &[]);
    let edge_table = csv::table(edges, &["from", "to"], &["highway", "oneway", "length_m", "speed_kmh", "time_s"]);
    let (node_table, edge_table) = match (node_table, edge_table) {
        (Ok(nodes), Ok(edges)) => (nodes, edges),
        (nodes, edges) => {
            let problems = [nodes.err(), edges.err()].into_iter().flatten().flat_map(|error| error.problems).collect();
            return Err(InputError { problems });
        }
    };
    let mut reader = Reader { place: nodes.display().to_string(), table: &node_table, findings: Findings::default() };
    let (ids, positions) = reader.nodes();
    reader.place = edges.display().to_string();
    reader.table = &edge_table;
    let mut classes = Classes::default();
    let streets = reader.streets(&ids, &mut classes);
    if positions.is_empty() || (streets.is_empty() && reader.findings.is_empty()) {
        let advice = "check that nodes and edges were exported whole";
        let problem = Problem::new("empty-network", &reader.place, "no roads", "at least one edge", advice);
        reader.findings.push(problem);
    }
    reader.findings.into_result(Network {
        sha256: (edge_table.sha256, Some(node_table.sha256)),
        positions,
        classes: classes.names,
        streets,
    })
}

/// A table with what is wrong with it.
struct Reader<'a> {
    place: String,
    table: &'a Table,
    findings: Findings,
}

impl Reader<'_> {
    fn place(&self, row: usize, column: &str) -> String {
        format!("{}, line {}, column \"{column}\"", self.place, self.table.lines[row])
    }

    fn nodes(&mut self) -> (HashMap<String, u32>, Vec<[f64; 2]>) {
        let table = self.table;
        let (mut ids, mut positions) = (HashMap::new(), Vec::new());
        for row in 0..table.lines.len() {
            let (x, y) = (self.number(row, &table.columns[1], "lon"), self.number(row, &table.columns[2], "lat"));
            let id = table.columns[0].cell(row).unwrap_or_default();
            let place = || self.place(row, "node_id");
            if id.is_empty() {
                let problem = Problem::new("missing-id", place(), "nothing", "an id", "give the node an id");
                self.findings.push(problem);
            } else if ids.contains_key(id) {
                let found = format!("\"{id}\" again");
                let advice = "keep one of the two rows";
                let problem = Problem::new("duplicate-id", place(), found, "an id that no other node has", advice);
                self.findings.push(problem);
            } else if let (Some(x), Some(y), Ok(number)) = (x, y, u32::try_from(positions.len())) {
                ids.insert(id.to_owned(), number);
                positions.push([x, y]);
            }
        }
        (ids, positions)
    }

    fn streets(&mut self, ids: &HashMap<String, u32>, classes: &mut Classes) -> Vec<Street> {
        let table = self.table;
        let mut streets = Vec::with_capacity(table.lines.len());
        for row in 0..table.lines.len() {
            let ends = [("from", &table.columns[0]), ("to", &table.columns[1])].map(|(name, column)| {
                let id = column.cell(row).unwrap_or_default();
                let node = ids.get(id).copied();
                if node.is_none() && self.findings.is_empty() {
                    let place = self.place(row, name);
                    let advice = "remove the edge, or add the node to its file";
                    let found = format!("\"{id}\"");
                    self.findings.push(Problem::new("unknown-id", place, found, "the id of a node", advice));
                }
                node
            });
            let number = |reader: &mut Self, column: usize, name: &str, least: f64, is_least_in: bool| {
                let column = &table.columns[column];
                column.cell(row)?;
                let number = reader.number(row, column, name)?;
                if number < least || (!is_least_in && number <= least) {
                    let place = reader.place(row, name);
                    let expected = if is_least_in { "a number of 0 or more" } else { "a number over 0" };
                    let advice = "mend it, or leave the cell empty";
                    reader.findings.push(Problem::new("bad-edge", place, number.to_string(), expected, advice));
                }
                Some(number)
            };
            let length_m = number(self, 4, "length_m", 0.0, true);
            let speed_kmh = number(self, 5, "speed_kmh", 0.0, false);
            let time_s = number(self, 6, "time_s", 0.0, true);
            let direction = match table.columns[3].cell(row).unwrap_or("0") {
                "0" | "no" | "false" => Direction::Both,
                "1" | "yes" | "true" => Direction::Forward,
                "-1" | "reverse" => Direction::Backward,
                other => {
                    let place = self.place(row, "oneway");
                    let advice = "1 as drawn, -1 against the drawing, 0 both ways";
                    self.findings.push(Problem::new("bad-edge", place, format!("\"{other}\""), "1, -1 or 0", advice));
                    Direction::Both
                }
            };
            let class = classes.number(table.columns[2].cell(row).unwrap_or("road"));
            if class.is_none() {
                let place = self.place(row, "highway");
                let found = format!("more than {MOST_CLASSES} classes of road");
                let advice = "check which column holds the class";
                self.findings.push(Problem::new("bad-edge", place, found, "a class such as primary", advice));
            }
            if let ([Some(from), Some(to)], Some(class)) = (ends, class) {
                streets.push(Street { from, to, class, direction, length_m, speed_kmh, time_s });
            }
        }
        streets
    }

    fn number(&mut self, row: usize, column: &Column, name: &str) -> Option<f64> {
        let text = column.cell(row).unwrap_or_default();
        let number = text.parse::<f64>().ok();
        if let Some(number) = number.filter(|number| number.is_finite()) {
            return Some(number);
        }
        let code = if number.is_some() { "not-finite" } else { "not-a-number" };
        let place = self.place(row, name);
        let found = if text.is_empty() { "an empty cell".to_owned() } else { format!("\"{text}\"") };
        let advice = "mend or remove the row";
        self.findings.push(Problem::new(code, place, found, "a finite number with a decimal point", advice));
        None
    }
}
