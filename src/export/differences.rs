//! The files of a plan folder compared with what would be written for the plan, so that nothing derived goes unseen.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use serde_json::Value;

use super::{Report, features, geojson, geopackage, plan_json};
use crate::verify::Violation;

/// Files that differ from what this version writes for the plan and the question; `None` where plan.json says that another
/// version wrote it: that may have written otherwise.
///
/// How the plan was found (seconds, nodes) is not compared.
///
/// # Cost
/// As writing the plan, without the disk.
#[must_use]
pub fn differences(folder: &Path, report: &Report<'_>) -> Option<Vec<Violation>> {
    let mut violations = Vec::new();
    match summary(&folder.join("plan.json")) {
        Some(found) if found["coverplan_version"].as_str().is_some_and(|version| version != report.version) => {
            return None;
        }
        Some(found) => {
            let expected = serde_json::from_str(&plan_json(report, Some(folder))).unwrap_or(Value::Null);
            violations.extend(members(&found, &expected));
        }
        None => violations.push(differs("plan.json cannot be read")),
    }
    if report.has_plan() {
        type Layer = fn(&Report<'_>, &mut Comparison) -> io::Result<()>;
        let layers: [(&str, Layer); 4] = [
            ("placements.geojson", |report, out| geojson::write("placements", features::placements(report), out)),
            ("sites.geojson", |report, out| geojson::write("sites", features::sites(report), out)),
            ("reach.geojson", |report, out| geojson::write("reach", features::reach(report), out)),
            ("links.geojson", |report, out| geojson::write("links", features::links(report), out)),
        ];
        violations.extend(layers.into_iter().filter_map(|(name, layer)| compared(folder, name, report, layer)));
        let package = geopackage::differences(&folder.join("plan.gpkg"), report);
        violations.extend(package.iter().map(|text| differs(text)));
    }
    Some(violations)
}

fn differs(text: &str) -> Violation {
    Violation { code: "file-differs", text: text.to_owned() }
}

fn summary(path: &Path) -> Option<Value> {
    serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
}

/// Members of plan.json that are not what they should be.
fn members(found: &Value, expected: &Value) -> Vec<Violation> {
    let (Some(found), Some(expected)) = (found.as_object(), expected.as_object()) else {
        return vec![differs("plan.json is no object")];
    };
    let names = expected.keys().chain(found.keys().filter(|name| !expected.contains_key(*name)));
    let is_wrong = |name: &&String| match name.as_str() {
        "solve" => false,
        // Offers may have come from a file that the plan's scenario does not name any more.
        "inputs" => !entries(expected.get(*name)).iter().all(|input| entries(found.get(*name)).contains(input)),
        _ => found.get(*name) != expected.get(*name),
    };
    let wrong = names.filter(is_wrong);
    wrong.map(|name| differs(&format!("plan.json, member {name}: not what the plan amounts to"))).collect()
}

fn entries(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The violation of a file that is not what `layer` writes.
fn compared(
    folder: &Path,
    name: &str,
    report: &Report<'_>,
    layer: impl FnOnce(&Report<'_>, &mut Comparison) -> io::Result<()>,
) -> Option<Violation> {
    let Ok(file) = File::open(folder.join(name)) else { return Some(differs(&format!("{name} cannot be read"))) };
    let mut comparison = Comparison { file: BufReader::new(file), line: 1, buffer: Vec::new() };
    let is_same = layer(report, &mut comparison).is_ok() && comparison.is_at_end();
    (!is_same).then(|| differs(&format!("{name}, line {}: not what the plan amounts to", comparison.line)))
}

/// Takes what would be written and fails at the first byte that the file has otherwise.
struct Comparison {
    file: BufReader<File>,
    /// The line being compared.
    line: usize,
    buffer: Vec<u8>,
}

impl Comparison {
    fn is_at_end(&mut self) -> bool {
        self.file.read(&mut [0]).is_ok_and(|count| count == 0)
    }
}

impl Write for Comparison {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.resize(bytes.len(), 0);
        self.file.read_exact(&mut self.buffer)?;
        if self.buffer != bytes {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.line += bytes.split(|byte| *byte == b'\n').count() - 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
