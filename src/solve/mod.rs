//! A program turned into a solution: values, a proven bound, and why the search ended.

mod compact;
mod conflict;
mod greedy;
mod highs_ffi;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::model::{Aim, Program, Row};
use crate::problem::SolveError;
use crate::scenario::Options;

/// Gap up to which a plan counts as proven best.
pub const OPTIMAL_GAP: f64 = 1e-6;

/// Two sums of the same numbers in another order differ by less than this, relatively.
const SAME: f64 = 1e-12;

/// A bound on the wrong side of the value by more than this, relatively, is a fault of the solver.
const BOUND_SLACK: f64 = 1e-7;

/// What is known about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A plan, proven best.
    Optimal,
    /// A plan with a bound, not proven best.
    Feasible,
    /// Proven: no plan obeys the hard rules.
    Infeasible,
    /// Stopped before a plan was found.
    Unknown,
}

/// Why the search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Nothing is left to prove.
    Proved,
    /// The gap asked for is reached.
    GapReached,
    /// The time limit came first.
    TimeLimit,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The solver failed; the plan is the best known without it.
    Error,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// What is being done: `cover`, `model`, `solve` or `judge`.
    pub stage: &'static str,
    /// Since the stage began.
    pub seconds: f64,
    /// Objective of the best plan so far.
    pub value: Option<f64>,
    /// Proven bound so far.
    pub bound: Option<f64>,
    /// Nodes of the search tree so far.
    pub nodes: u64,
}

/// How a caller follows and stops a search.
pub struct Watch<'a> {
    /// Set to true to stop; the best plan so far is kept.
    pub stop: &'a AtomicBool,
    /// Called at each stage and now and then from the search; must return quickly.
    pub report: &'a dyn Fn(Progress),
}

impl Watch<'_> {
    /// Tells that a stage begins.
    pub fn begin(&self, stage: &'static str) {
        (self.report)(Progress { stage, ..Progress::default() });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// One per variable of the program; `None` without a plan.
    pub values: Option<Vec<u32>>,
    /// What is known.
    pub status: Status,
    /// Why the search ended.
    pub stop_reason: StopReason,
    /// No values can be better than this: never below the objective of `values` for value, never above it for cost.
    pub bound: f64,
    /// Rules that clash, when infeasible.
    pub conflict: Vec<String>,
    /// True when each of them is shown to be needed for the clash; false when time ran out before that.
    pub is_conflict_smallest: bool,
    /// Nodes of the search tree.
    pub nodes: u64,
    /// Variables handed to the solver.
    pub variables: usize,
    /// Rows handed to the solver.
    pub rows: usize,
}

/// Finds the best values of a program and proves how good they are.
///
/// # Errors
/// [`SolveError`] when the solver fails and no plan is known without it.
///
/// # Cost
/// Exponential at worst; `options.time_limit_s` holds within about a second.
pub fn solve(program: &Program, options: &Options, watch: &Watch<'_>) -> Result<Solution, SolveError> {
    let begun = Instant::now();
    let is_over = || watch.is_stopped() || begun.elapsed().as_secs_f64() > options.time_limit_s;
    let start = greedy::values(program, &is_over);
    if let Some(clash) = unreachable_coverage(program) {
        return Ok(Solution {
            conflict: vec![clash],
            is_conflict_smallest: true,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    let ending = compact::solve(program, options, watch, begun, start.as_deref())?;
    if ending.is_infeasible && start.is_none() {
        let (conflict, is_conflict_smallest) = conflict::smallest(program, watch);
        return Ok(Solution {
            conflict,
            is_conflict_smallest,
            nodes: ending.nodes,
            variables: ending.variables,
            rows: ending.rows,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    if ending.values.is_none() && start.is_none() && ending.stop_reason == Some(StopReason::Error) {
        return Err(SolveError { detail: "HiGHS ended without an answer".to_owned() });
    }
    Ok(settle(program, options, watch, begun, conclude(program, options, ending, start)))
}

/// Among plans as good as a proven one, one with fewer units, then with fewer people; as far as time allows.
fn settle(program: &Program, options: &Options, watch: &Watch<'_>, begun: Instant, solution: Solution) -> Solution {
    /// Time for this, as a part of the time that the proof took, and at least so many seconds.
    const PART: f64 = 0.5;
    const LEAST_S: f64 = 1.0;
    // Who asks for a gap is in a hurry.
    let is_wanted = solution.status == Status::Optimal && options.gap <= 0.0;
    let Some(values) = solution.values.as_ref().filter(|_| is_wanted) else { return solution };
    let Some(tied) = tied(program, values) else { return solution };
    let elapsed_s = begun.elapsed().as_secs_f64();
    let limit_s = (elapsed_s + (PART * elapsed_s).max(LEAST_S)).min(options.time_limit_s);
    let options = Options { time_limit_s: limit_s, gap: 0.0, ..*options };
    // Its values and bounds are costs of another kind: no one is to take them for the objective.
    let quiet = Watch { stop: watch.stop, report: &|_| {} };
    let Ok(ending) = compact::solve(&tied, &options, &quiet, begun, Some(values)) else { return solution };
    let Some(settled) = ending.values else { return solution };
    let loss = match program.aim {
        Aim::MostValue => program.objective(values) - program.objective(&settled),
        Aim::LeastCost { .. } => program.objective(&settled) - program.objective(values),
    };
    let is_as_good = loss <= SAME * program.objective(values).abs() && program.broken_rule(&settled).is_none();
    if is_as_good && tied.is_better(&settled, values) {
        return Solution { values: Some(settled), ..solution };
    }
    solution
}

/// The program that asks for the least units, then people, of all values as good as these.
fn tied(program: &Program, values: &[u32]) -> Option<Program> {
    /// Sums above this lose whole numbers to the solver's tolerances.
    const LARGEST: f64 = 1e9;
    let [units, people] = &program.ties;
    let cost = |costs: &[f64]| costs.iter().zip(values).map(|(cost, value)| cost * f64::from(*value)).sum::<f64>();
    let most_people = people.iter().copied().fold(0.0, f64::max) * cost(units) + 1.0;
    let factor = if most_people * cost(units) <= LARGEST { most_people } else { 0.0 };
    let costs: Vec<f64> = if factor > 0.0 {
        units.iter().zip(people).map(|(units, people)| units * factor + people).collect()
    } else {
        units.clone()
    };
    if costs.len() != values.len() || cost(&costs) <= 0.0 {
        return None;
    }
    let mut tied = program.clone();
    let coverage = match &program.aim {
        Aim::MostValue => program.value(values),
        Aim::LeastCost { costs, coverage } => {
            let terms = (0_u32..).zip(costs).filter(|(_, cost)| **cost != 0.0).map(|(place, cost)| (place, *cost));
            tied.add_row(Row {
                rule: "the proven cost".to_owned(),
                terms: terms.collect(),
                least: f64::NEG_INFINITY,
                most: program.cost(values),
            });
            *coverage
        }
    };
    tied.aim = Aim::LeastCost { costs, coverage };
    Some(tied)
}

/// Picks the better of the solver's values and the start, makes the bound sound and says what is proven.
fn conclude(program: &Program, options: &Options, ending: compact::Ending, start: Option<Vec<u32>>) -> Solution {
    let mut values = ending.values;
    if let Some(start) = start
        && values.as_ref().is_none_or(|values| program.is_better(&start, values))
    {
        values = Some(start);
    }
    let Some(values) = values.map(|values| without_idle_units(program, values)) else {
        let stop_reason = ending.stop_reason.unwrap_or(StopReason::Error);
        return Solution {
            nodes: ending.nodes,
            variables: ending.variables,
            rows: ending.rows,
            ..nothing(program, Status::Unknown, stop_reason)
        };
    };
    let value = program.objective(&values);
    let sound = sound_bound(program, ending.bound, value);
    let is_contradicted = sound.is_none();
    let bound = sound.unwrap_or_else(|| trivial_bound(program));
    let bound = if (bound - value).abs() <= SAME * value.abs() { value } else { bound };
    let gap = gap(value, bound);
    let stop_reason = match ending.stop_reason {
        _ if is_contradicted => StopReason::Error,
        _ if gap <= OPTIMAL_GAP => StopReason::Proved,
        None | Some(StopReason::Proved) if gap <= options.gap => StopReason::GapReached,
        None | Some(StopReason::Proved) => StopReason::Error,
        Some(other) => other,
    };
    Solution {
        values: Some(values),
        status: if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible },
        stop_reason,
        bound,
        conflict: Vec::new(),
        is_conflict_smallest: false,
        nodes: ending.nodes,
        variables: ending.variables,
        rows: ending.rows,
    }
}

/// |bound - value| relative to the larger of the two.
#[must_use]
pub fn gap(value: f64, bound: f64) -> f64 {
    let scale = value.abs().max(bound.abs());
    if scale == 0.0 { 0.0 } else { (bound - value).abs() / scale }
}

/// The solver's bound where it does not contradict the value by more than rounding explains; `None` where it does.
fn sound_bound(program: &Program, bound: Option<f64>, value: f64) -> Option<f64> {
    let trivial = trivial_bound(program);
    let slack = BOUND_SLACK * value.abs().max(1.0);
    let bound = bound.unwrap_or(trivial);
    match program.aim {
        Aim::MostValue if bound < value - slack => None,
        Aim::LeastCost { .. } if bound > value + slack => None,
        Aim::MostValue => Some(bound.min(trivial).max(value)),
        Aim::LeastCost { .. } => Some(bound.max(trivial).min(value)),
    }
}

fn trivial_bound(program: &Program) -> f64 {
    match program.aim {
        Aim::MostValue => program.value_everywhere(),
        Aim::LeastCost { .. } => 0.0,
    }
}

/// A solution without values.
fn nothing(program: &Program, status: Status, stop_reason: StopReason) -> Solution {
    let bound = if status == Status::Infeasible { 0.0 } else { trivial_bound(program) };
    Solution {
        values: None,
        status,
        stop_reason,
        bound,
        conflict: Vec::new(),
        is_conflict_smallest: false,
        nodes: 0,
        variables: 0,
        rows: 0,
    }
}

/// Coverage that not even units everywhere would reach, in words.
fn unreachable_coverage(program: &Program) -> Option<String> {
    match program.aim {
        Aim::LeastCost { coverage, .. } if program.value_everywhere() < coverage - 1e-9 => Some(format!(
            "objective coverage {coverage}: units at every allowed location would reach {:.6}",
            program.value_everywhere()
        )),
        _ => None,
    }
}

/// Takes away units that add nothing and that no rule asks for, so that a plan deploys none in vain.
fn without_idle_units(program: &Program, values: Vec<u32>) -> Vec<u32> {
    greedy::Build::resume(program, values).without_idle_units()
}
