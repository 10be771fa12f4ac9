//! A plan and its verdict turned into files and words.

mod cells;
mod differences;
mod disc;
mod features;
mod geojson;
mod geopackage;
mod outline;
mod plan_json;
mod summary;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use self::differences::differences;
pub use self::summary::{question, summary};
use crate::plan::{Placement, Plan, certificate_file};
use crate::problem::OutputError;
use crate::scenario::{Scenario, resolved_text};
use crate::verify::Verdict;

/// Everything that is told about an answer.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The question.
    pub scenario: &'a Scenario,
    /// The answer.
    pub plan: &'a Plan,
    /// What the judge says.
    pub verdict: &'a Verdict,
    /// Per requirement and its sites, in order: whether some location could cover the site.
    pub reachable: &'a [Vec<bool>],
    /// Version of the program that made the plan.
    pub version: &'a str,
}

impl Report<'_> {
    /// True where there is a plan to draw.
    fn has_plan(&self) -> bool {
        self.plan.objective.value.is_some()
    }

    /// Placements with their ids `P1`, `P2` ... in order.
    fn placements(&self) -> impl Iterator<Item = (String, &Placement)> {
        self.plan.placements.iter().enumerate().map(|(place, placement)| (format!("P{}", place + 1), placement))
    }
}

/// Checks before the long work that a folder can be written.
///
/// # Errors
/// [`OutputError`] when something else stands there, a plan stands there and is not to be replaced, or the disk
/// refuses.
pub fn check_target(folder: &Path, overwrite: bool) -> Result<(), OutputError> {
    let taken = |detail: &str| OutputError { path: folder.to_owned(), detail: detail.to_owned(), is_taken: true };
    if folder.exists() {
        let mut entries = fs::read_dir(folder).map_err(|_| taken("something that is no folder is there"))?;
        let is_empty = entries.next().is_none();
        if !is_empty && !folder.join("plan.json").is_file() {
            return Err(taken("a folder that is no plan is there; name another with --output"));
        }
        if !is_empty && !overwrite {
            return Err(taken(
                "a plan is there already; give --overwrite to replace it, or name another with --output",
            ));
        }
    }
    let parent = existing_parent(folder);
    tempfile::tempdir_in(&parent).map(drop).map_err(|error| failed(&parent, &error))
}

/// The nearest folder above that exists.
fn existing_parent(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.ancestors().skip(1).find(|parent| parent.is_dir()).map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn failed(path: &Path, error: &io::Error) -> OutputError {
    OutputError { path: path.to_owned(), detail: error.to_string(), is_taken: false }
}

/// Writes a plan folder, whole or not at all.
///
/// Without a plan (infeasible, or stopped too early) only plan.json and scenario.toml are written.
///
/// # Errors
/// [`OutputError`] as [`check_target`], or when the disk fails; then nothing is left behind.
pub fn write(folder: &Path, overwrite: bool, report: &Report<'_>) -> Result<(), OutputError> {
    check_target(folder, overwrite)?;
    let folder = &std::path::absolute(folder).map_err(|error| failed(folder, &error))?;
    let parent = folder.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&parent).map_err(|error| failed(&parent, &error))?;
    // Beside the target, so that renaming stays within one file system; removed again when dropped.
    let workshop =
        tempfile::Builder::new().prefix(".coverplan-").tempdir_in(&parent).map_err(|error| failed(&parent, &error))?;
    let fresh = workshop.path().join("plan");
    fs::create_dir(&fresh).map_err(|error| failed(&fresh, &error))?;
    write_files(&fresh, folder, report)?;
    let old = workshop.path().join("old");
    if folder.exists() {
        fs::rename(folder, &old).map_err(|error| failed(folder, &error))?;
    }
    if let Err(error) = fs::rename(&fresh, folder) {
        // Puts back what stood there; should that fail too, the first error is the one to tell.
        let _unmovable = fs::rename(&old, folder);
        return Err(failed(folder, &error));
    }
    Ok(())
}

/// Writes all files into `fresh`, as they will stand in `folder`.
fn write_files(fresh: &Path, folder: &Path, report: &Report<'_>) -> Result<(), OutputError> {
    file(&fresh.join("plan.json"), |out| out.write_all(plan_json(report, Some(folder)).as_bytes()))?;
    let text = resolved_text(report.scenario, folder);
    file(&fresh.join("scenario.toml"), |out| out.write_all(text.as_bytes()))?;
    if let Some(prices) = &report.plan.certificate {
        let (name, bytes) = certificate_file(prices);
        file(&fresh.join(name), |out| out.write_all(&bytes))?;
    }
    if report.has_plan() {
        file(&fresh.join("placements.geojson"), |out| geojson::write("placements", features::placements(report), out))?;
        file(&fresh.join("sites.geojson"), |out| geojson::write("sites", features::sites(report), out))?;
        file(&fresh.join("reach.geojson"), |out| geojson::write("reach", features::reach(report), out))?;
        file(&fresh.join("links.geojson"), |out| geojson::write("links", features::links(report), out))?;
        let path = fresh.join("plan.gpkg");
        let failed = |detail: String| OutputError { path: path.clone(), detail, is_taken: false };
        geopackage::write(&path, report).map_err(|error| failed(error.to_string()))?;
        fs::File::open(&path).and_then(|file| file.sync_all()).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn file(path: &Path, write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>) -> Result<(), OutputError> {
    let written = fs::File::create(path).map(BufWriter::new).and_then(|mut out| {
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    });
    written.map_err(|error| failed(path, &error))
}

/// The text of plan.json; paths of inputs are relative to `folder` where one is given.
#[must_use]
pub fn plan_json(report: &Report<'_>, folder: Option<&Path>) -> String {
    plan_json::text(report, folder)
}

/// The text of placements.geojson; without a plan it has no features.
#[must_use]
pub fn placements_geojson(report: &Report<'_>) -> String {
    let mut bytes = Vec::new();
    geojson::write("placements", features::placements(report), &mut bytes).expect("memory takes every byte");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}
