//! A scenario and a plan turned into a verdict: everything recomputed, nothing believed.

mod claims;
mod coalition;
mod drive;
mod limits;
mod profile;
mod reach;
mod value;
mod within;

use std::collections::BTreeSet;

use rayon::prelude::*;

pub use self::claims::judge_sites;
use self::reach::reached;
use crate::plan::{Placement, Plan, RequirementResult, Status};
use crate::scenario::{LocationStatus, Scenario, UnitType};

/// Relative difference between two sums of the same numbers that rounding can explain.
const ROUNDING: f64 = 1e-9;

/// Largest gap of a plan that calls itself optimal.
const OPTIMAL_GAP: f64 = 1e-6;

/// Files keep seven decimals; a position that differs by more was moved.
const DECIMALS: f64 = 1e-7;

/// What the judge says of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// True when no rule is broken and every number is right.
    pub accepted: bool,
    /// Rules broken and numbers that are wrong.
    pub violations: Vec<Violation>,
    /// What the placements earn for each requirement and phase, recomputed.
    pub requirements: Vec<RequirementResult>,
    /// The objective, recomputed; `None` without a plan.
    pub value: Option<f64>,
    /// The parts whose smallest is the objective: shares of groups, or what is left without a contributor.
    pub parts: Vec<Share>,
    /// Sites that each placement reaches, ascending, whether or not a requirement counts them.
    pub cover: Vec<Vec<Covered>>,
}

/// A part of the objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Id of the group, or of the contributor that is lost.
    pub id: String,
    /// From 0 to 1.
    pub share: f64,
}

/// A site that a unit reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covered {
    /// Index of the site.
    pub site: u32,
    /// What it gets: 1 but for bands.
    pub share: f64,
}

/// A rule that a plan breaks, or a number in it that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable code; docs/errors.md has an entry for each.
    pub code: &'static str,
    /// What is wrong, with names and numbers.
    pub text: String,
}

/// Judges a plan by the scenario alone.
///
/// # Cost
/// Every placement against every site: about 2 ns a pair out of reach, 1 microsecond a pair in reach, over all cores.
#[must_use]
pub fn judge(scenario: &Scenario, plan: &Plan) -> Verdict {
    let mut bench = Bench { scenario, plan, violations: Vec::new() };
    let is_in_range = bench.indices();
    let mut verdict = Verdict {
        accepted: false,
        violations: Vec::new(),
        requirements: Vec::new(),
        value: None,
        parts: Vec::new(),
        cover: Vec::new(),
    };
    if is_in_range {
        bench.placements();
        if plan.objective.value.is_some() {
            bench.limits();
            bench.musts();
            bench.coalition();
            verdict.cover = plan.placements.par_iter().map(|placement| reached(scenario, placement)).collect();
            verdict.requirements = bench.requirements(&verdict.cover);
            verdict.parts = bench.parts(&verdict.cover);
            verdict.value = Some(bench.value(&verdict.requirements, &verdict.parts));
        }
        bench.status();
    }
    Verdict { accepted: bench.violations.is_empty(), violations: bench.violations, ..verdict }
}

fn is_at(a: [f64; 2], b: [f64; 2]) -> bool {
    (a[0] - b[0]).abs() <= DECIMALS && (a[1] - b[1]).abs() <= DECIMALS
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs().max(b.abs()).max(1.0)
}

fn is_known(scenario: &Scenario, placement: &Placement) -> bool {
    placement.contributor < scenario.contributors.len()
        && placement.unit_type < scenario.unit_types.len()
        && placement.location < scenario.locations.len()
        && placement.arrival <= placement.last
        && placement.last < scenario.phases.len()
}

/// True where a placement's units count for a requirement in a phase; the judge's own reading of mandates and phases.
fn counts(scenario: &Scenario, placement: &Placement, requirement: usize, phase: usize) -> bool {
    let mandate = &scenario.contributors[placement.contributor].mandate;
    scenario.requirements[requirement].unit_types.contains(&placement.unit_type)
        && placement.arrival <= phase
        && phase <= placement.last
        && mandate.as_ref().is_none_or(|mandate| mandate.contains(&requirement))
}

/// The words that name a phase; none where there is only one.
fn when(scenario: &Scenario, phase: usize) -> String {
    if scenario.phases.len() == 1 { String::new() } else { format!(" in phase {}", scenario.phases[phase].id) }
}

/// What is judged and what was found.
struct Bench<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    violations: Vec<Violation>,
}

impl Bench<'_> {
    fn add(&mut self, code: &'static str, text: String) {
        self.violations.push(Violation { code, text });
    }

    /// Every index names something; the rest cannot be judged otherwise.
    fn indices(&mut self) -> bool {
        let unknown = self.plan.placements.iter().filter(|placement| !is_known(self.scenario, placement)).count();
        if unknown > 0 {
            let text = format!("{unknown} placements of unknown contributors, types, locations or phases");
            self.add("index-out-of-range", text);
        }
        let found: Vec<(usize, usize)> =
            self.plan.requirements.iter().map(|result| (result.requirement, result.phase)).collect();
        let requirements = 0..self.scenario.requirements.len();
        let all = requirements.flat_map(|place| (0..self.scenario.phases.len()).map(move |phase| (place, phase)));
        let expected: Vec<(usize, usize)> =
            if self.plan.objective.value.is_some() { all.collect() } else { Vec::new() };
        if found != expected {
            let (found, expected) = (found.len(), expected.len());
            self.add(
                "share-differs",
                format!("results for {found} requirements and phases, {expected} expected in order"),
            );
            return false;
        }
        unknown == 0
    }

    /// Name of a placement for a message.
    fn name(&self, placement: &Placement) -> String {
        let contributor = &self.scenario.contributors[placement.contributor].id;
        let unit_type = &self.scenario.unit_types[placement.unit_type].id;
        format!("{contributor}'s {unit_type} at {}", self.scenario.locations[placement.location].id)
    }

    fn kind(&self, placement: &Placement) -> &UnitType {
        &self.scenario.unit_types[placement.unit_type]
    }

    fn placements(&mut self) {
        let mut seen = BTreeSet::new();
        for placement in &self.plan.placements {
            let name = self.name(placement);
            let location = &self.scenario.locations[placement.location];
            let domain = self.kind(placement).domain.clone();
            if placement.count == 0 {
                self.add("count-zero", format!("{name}: no units"));
            }
            let key =
                (placement.contributor, placement.unit_type, placement.location, placement.arrival, placement.last);
            if !seen.insert(key) {
                self.add("duplicate-placement", format!("{name}: listed twice"));
            }
            if location.status == LocationStatus::Forbidden {
                self.add("location-forbidden", format!("{name}: the location is forbidden"));
            }
            if let (Some(domain), Some(domains)) = (domain, &location.domains)
                && !domains.contains(&domain)
            {
                self.add("domain-mismatch", format!("{name}: {domain} is not among {}", domains.join(", ")));
            }
            if let Some(caveat) = &self.scenario.contributors[placement.contributor].caveat
                && !caveat[placement.location]
            {
                self.add("caveat-broken", format!("{name}: its caveats do not allow the location"));
            }
            if !is_at(placement.position, location.position) {
                let [x, y] = placement.position;
                let [expected_x, expected_y] = location.position;
                self.add(
                    "placement-moved",
                    format!("{name}: drawn at {x}, {y}, the location is at {expected_x}, {expected_y}"),
                );
            }
        }
    }

    fn status(&mut self) {
        let plan = self.plan;
        let has_plan = plan.objective.value.is_some();
        let gap = plan.objective.gap.unwrap_or(f64::INFINITY);
        let fault = match plan.status {
            Status::Optimal if !has_plan => Some("optimal without a plan"),
            Status::Optimal if gap > OPTIMAL_GAP => Some("optimal with a gap"),
            Status::Feasible if !has_plan => Some("feasible without a plan"),
            Status::Infeasible | Status::Unknown if has_plan || !plan.placements.is_empty() => {
                Some("a plan where there is said to be none")
            }
            Status::Infeasible if plan.conflict.is_empty() => Some("infeasible without a conflict"),
            _ => None,
        };
        if let Some(fault) = fault {
            self.add("status-contradiction", fault.to_owned());
        }
    }
}
