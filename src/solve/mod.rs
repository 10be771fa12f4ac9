//! A program turned into a solution: values, a proven bound, and why the search ended.

mod compact;
mod conflict;
mod greedy;
mod highs_ffi;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::model::{Aim, Program};
use crate::problem::SolveError;
use crate::scenario::Options;

/// Gap up to which a plan counts as proven best.
pub const OPTIMAL_GAP: f64 = 1e-6;

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
    /// Rules that clash, when infeasible; every one of them is needed for the clash unless time ran out.
    pub conflict: Vec<String>,
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
    let start = greedy::values(program);
    if let Some(clash) = unreachable_coverage(program) {
        return Ok(Solution { conflict: vec![clash], ..nothing(program, Status::Infeasible, StopReason::Proved) });
    }
    let ending = compact::solve(program, options, watch, begun, start.as_deref())?;
    if ending.is_infeasible && start.is_none() {
        let conflict = conflict::smallest(program, watch);
        return Ok(Solution {
            conflict,
            nodes: ending.nodes,
            variables: ending.variables,
            rows: ending.rows,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    Ok(conclude(program, options, ending, start))
}

/// Picks the better of the solver's values and the start, makes the bound sound and says what is proven.
fn conclude(program: &Program, options: &Options, ending: compact::Ending, start: Option<Vec<u32>>) -> Solution {
    let is_better = |a: f64, b: f64| match program.aim {
        Aim::MostValue => a > b,
        Aim::LeastCost { .. } => a < b,
    };
    let mut values = ending.values;
    if let Some(start) = start
        && values.as_ref().is_none_or(|values| is_better(program.objective(&start), program.objective(values)))
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
    let bound = sound_bound(program, ending.bound, value);
    let gap = gap(value, bound);
    let stop_reason = match ending.stop_reason {
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

/// The solver's bound, or the trivial one where it has none, never on the wrong side of the value.
fn sound_bound(program: &Program, bound: Option<f64>, value: f64) -> f64 {
    let trivial = trivial_bound(program);
    match program.aim {
        Aim::MostValue => bound.unwrap_or(trivial).min(trivial).max(value),
        Aim::LeastCost { .. } => bound.unwrap_or(trivial).max(trivial).min(value),
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
    Solution { values: None, status, stop_reason, bound, conflict: Vec::new(), nodes: 0, variables: 0, rows: 0 }
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
