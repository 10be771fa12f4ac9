//! A plan folder turned back into the scenario it answers, the plan, and what its files claim about each site.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Listed, Objective, Placement, Plan, RequirementResult, Search, Status, StopReason, certificate};
use crate::load::{self, Layer, Request};
use crate::problem::{Findings, InputError, Problem};
use crate::scenario::{self, ObjectiveKind, Scenario};

/// A plan as its folder tells it.
#[derive(Debug)]
pub struct Recorded {
    /// The question, from scenario.toml and the inputs it names.
    pub scenario: Scenario,
    /// The answer, from plan.json and placements.geojson.
    pub plan: Plan,
    /// What sites.geojson says.
    pub claims: Vec<SiteClaim>,
}

/// What a plan's files say about one site and requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteClaim {
    /// Index into the scenario's requirements.
    pub requirement: usize,
    /// Index into the scenario's phases.
    pub phase: usize,
    /// Index into the scenario's sites.
    pub site: u32,
    /// Where the file puts it.
    pub position: [f64; 2],
    /// Units said to cover it.
    pub cover_count: u32,
    /// Whether it is said to be covered.
    pub is_covered: bool,
    /// Placements said to cover it, by their place in the file; `None` for a placement that is not there.
    pub covered_by: Vec<Option<usize>>,
}

/// plan.json, as far as it is judged.
#[derive(Deserialize)]
struct Summary {
    status: Status,
    stop_reason: StopReason,
    objective: RecordedObjective,
    requirements: Vec<RecordedRequirement>,
    #[serde(default)]
    conflict: Vec<String>,
    #[serde(default)]
    conflict_is_smallest: bool,
    #[serde(default)]
    inputs: Vec<RecordedInput>,
    #[serde(default)]
    options: RecordedOptions,
}

#[derive(Default, Deserialize)]
struct RecordedOptions {
    #[serde(default)]
    sites: Listed,
}

#[derive(Deserialize)]
struct RecordedObjective {
    kind: ObjectiveKind,
    value: Option<f64>,
    bound: f64,
    gap: Option<f64>,
    #[serde(default)]
    proof: String,
}

#[derive(Deserialize)]
struct RecordedRequirement {
    id: String,
    phase_id: String,
    share: f64,
    covered_weight: f64,
    total_weight: f64,
    sites: usize,
    sites_covered: usize,
    by_level: Vec<f64>,
}

#[derive(Deserialize)]
struct RecordedInput {
    path: String,
    sha256: String,
}

/// Reads a plan folder and the inputs that it names.
///
/// # Errors
/// [`InputError`] when a file is missing or broken, names something that the scenario has not, or is an input that
/// changed since the plan was made.
pub fn read(folder: &Path) -> Result<Recorded, InputError> {
    let summary = summary(&folder.join("plan.json"))?;
    changed_inputs(folder, &summary.inputs)?;
    let scenario = scenario::read(&folder.join("scenario.toml"), &[])?;
    let requirements = requirement_results(&scenario, summary.requirements, &folder.join("plan.json"))?;
    let (placements, ids, claims) = if summary.objective.value.is_some() {
        let (placements, ids) = placements(&scenario, folder.join("placements.geojson"))?;
        let claims = site_claims(&scenario, &ids, folder.join("sites.geojson"))?;
        (placements, ids, claims)
    } else {
        Default::default()
    };
    debug_assert_eq!(placements.len(), ids.len(), "one id for each placement");
    let objective = summary.objective;
    let has_certificate = objective.proof == "certificate";
    let certificate =
        if has_certificate { Some(certificate::read_certificate(&folder.join("certificate.json"))?) } else { None };
    let plan = Plan {
        status: summary.status,
        stop_reason: summary.stop_reason,
        objective: Objective {
            kind: objective.kind,
            value: objective.value,
            bound: objective.bound,
            gap: objective.gap,
        },
        placements,
        requirements,
        conflict: summary.conflict,
        is_conflict_smallest: summary.conflict_is_smallest,
        certificate,
        search: Search::default(),
        listed: summary.options.sites,
    };
    Ok(Recorded { scenario, plan, claims })
}

fn summary(path: &Path) -> Result<Summary, Problem> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        let code = if is_missing { "missing-file" } else { "unreadable-file" };
        let found = if is_missing { "no such file".to_owned() } else { error.to_string() };
        Problem::new(code, &place, found, "a folder that coverplan solve wrote", "name the folder of the plan")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        let place = format!("{place}, line {}, column {}", error.line(), error.column());
        let advice = "bring the file back, or solve again";
        Problem::new("broken-plan", place, error.to_string(), "a plan.json as coverplan solve wrote it", advice)
    })
}

fn changed_inputs(folder: &Path, inputs: &[RecordedInput]) -> Result<(), InputError> {
    let mut findings = Findings::default();
    for input in inputs {
        let path = Path::new(&input.path);
        let path = if load::is_database(path) { path.to_owned() } else { folder.join(path) };
        match load::sha256(&path) {
            Ok(found) if found == input.sha256 => {}
            Ok(found) => findings.push(Problem::new(
                "input-changed",
                path.display().to_string(),
                format!("SHA-256 {found}"),
                format!("SHA-256 {}, as when the plan was made", input.sha256),
                "bring the file back, or solve again",
            )),
            Err(problem) => {
                let advice = "inputs are found from the plan's own folder: move both together, or bring the file back";
                findings.push(Problem { advice: advice.to_owned(), ..problem });
            }
        }
    }
    findings.into_result(())
}

/// Results with the indices of their requirement and phase.
fn requirement_results(
    scenario: &Scenario,
    recorded: Vec<RecordedRequirement>,
    path: &Path,
) -> Result<Vec<RequirementResult>, Problem> {
    let requirements = indices(scenario.requirements.iter().map(|requirement| requirement.id.as_str()));
    let phases = indices(scenario.phases.iter().map(|phase| phase.id.as_str()));
    let result = |result: RecordedRequirement| {
        let place = (requirements.get(result.id.as_str()), phases.get(result.phase_id.as_str()));
        let (Some(requirement), Some(phase)) = place else {
            let found = format!("requirement {} in phase {}", result.id, result.phase_id);
            let advice = "bring the file back, or solve again";
            let expected = "requirements and phases of scenario.toml";
            return Err(Problem::new("broken-plan", path.display().to_string(), found, expected, advice));
        };
        Ok(RequirementResult {
            requirement: *requirement,
            phase: *phase,
            share: result.share,
            covered_weight: result.covered_weight,
            total_weight: result.total_weight,
            sites: result.sites,
            sites_covered: result.sites_covered,
            by_level: result.by_level,
        })
    };
    recorded.into_iter().map(result).collect()
}

/// A layer of the plan with its problems.
struct Rows {
    path: PathBuf,
    layer: Layer,
    names: Vec<String>,
    findings: Findings,
}

impl Rows {
    fn read(path: PathBuf, names: &[&str]) -> Result<Self, InputError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let layer = load::layer(&Request {
            path: &path,
            layer: None,
            attributes: &names,
            xy: ("lon", "lat"),
            is_points_only: true,
        })?;
        Ok(Self { path, layer, names, findings: Findings::default() })
    }

    fn len(&self) -> usize {
        self.layer.positions.len()
    }

    fn text(&self, row: usize, column: usize) -> &str {
        self.layer.columns[column].cell(row).unwrap_or_default()
    }

    /// A cell as whatever `read` makes of it; a problem where it makes nothing.
    fn value<T>(
        &mut self,
        row: usize,
        column: usize,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.text(row, column));
        if value.is_none() {
            let place = format!("{}, feature {}, key \"{}\"", self.path.display(), row + 1, self.names[column]);
            let found = format!("\"{}\"", self.text(row, column));
            self.findings.push(Problem::new(
                "broken-plan",
                place,
                found,
                expected,
                "bring the file back, or solve again",
            ));
        }
        value
    }
}

/// The index of every id.
fn indices<'a>(ids: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    ids.enumerate().map(|(place, id)| (id, place)).collect()
}

/// Placements in the order of the file, and their ids.
fn placements(scenario: &Scenario, path: PathBuf) -> Result<(Vec<Placement>, Vec<String>), InputError> {
    let mut rows = Rows::read(
        path,
        &["placement_id", "contributor_id", "unit_type_id", "location_id", "count", "phase_id", "last_phase_id"],
    )?;
    let contributors = indices(scenario.contributors.iter().map(|contributor| contributor.id.as_str()));
    let types = indices(scenario.unit_types.iter().map(|unit_type| unit_type.id.as_str()));
    let locations = indices(scenario.locations.iter().map(|location| location.id.as_str()));
    let phases = indices(scenario.phases.iter().map(|phase| phase.id.as_str()));
    let mut placements = Vec::new();
    let mut ids = Vec::new();
    for row in 0..rows.len() {
        let contributor = rows.value(row, 1, "the id of a contributor", |id| contributors.get(id).copied());
        let unit_type = rows.value(row, 2, "the id of a unit type", |id| types.get(id).copied());
        let location = rows.value(row, 3, "the id of a location", |id| locations.get(id).copied());
        let count = rows.value(row, 4, "a whole number", |count| count.parse().ok());
        let arrival = rows.value(row, 5, "the id of a phase", |id| phases.get(id).copied());
        let last = rows.value(row, 6, "the id of a phase", |id| phases.get(id).copied());
        if let (Some(contributor), Some(unit_type), Some(location), Some(count), Some(arrival), Some(last)) =
            (contributor, unit_type, location, count, arrival, last)
        {
            let position = rows.layer.positions[row];
            let id = rows.text(row, 0).to_owned();
            if ids.contains(&id) {
                rows.value(row, 0, "an id that no other placement has", |_| None::<()>);
            }
            placements.push(Placement { contributor, unit_type, location, count, arrival, last, position });
            ids.push(id);
        }
    }
    rows.findings.into_result((placements, ids))
}

fn site_claims(scenario: &Scenario, placements: &[String], path: PathBuf) -> Result<Vec<SiteClaim>, InputError> {
    let mut rows =
        Rows::read(path, &["site_id", "requirement_id", "cover_count", "covered", "covered_by", "phase_id"])?;
    let ids = &scenario.sites.ids;
    let sites: HashMap<&str, u32> =
        (0..ids.len()).map(|site| ids.cell(site).unwrap_or_default()).zip(0_u32..).collect();
    let requirements = indices(scenario.requirements.iter().map(|requirement| requirement.id.as_str()));
    let phases = indices(scenario.phases.iter().map(|phase| phase.id.as_str()));
    let placements = indices(placements.iter().map(String::as_str));
    let mut claims = Vec::new();
    for row in 0..rows.len() {
        let site = rows.value(row, 0, "the id of a site", |id| sites.get(id).copied());
        let requirement = rows.value(row, 1, "the id of a requirement", |id| requirements.get(id).copied());
        let count = rows.value(row, 2, "a whole number", |count| count.parse().ok());
        let is_covered = rows.value(row, 3, "true or false", |word| word.parse().ok());
        let phase = rows.value(row, 5, "the id of a phase", |id| phases.get(id).copied());
        if let (Some(site), Some(requirement), Some(cover_count), Some(is_covered), Some(phase)) =
            (site, requirement, count, is_covered, phase)
        {
            let ids = rows.text(row, 4).split(';').filter(|id| !id.is_empty());
            let covered_by = ids.map(|id| placements.get(id).copied()).collect();
            let position = rows.layer.positions[row];
            claims.push(SiteClaim { requirement, phase, site, position, cover_count, is_covered, covered_by });
        }
    }
    rows.findings.into_result(claims)
}
