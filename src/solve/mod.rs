//! A program turned into a solution: values, a proven bound, and why the search ended.

mod area;
mod bath;
mod beside;
mod bins;
mod branching;
mod bundles;
mod clusters;
mod compact;
mod conflict;
mod cuts;
mod dive;
#[cfg(test)]
mod faults;
mod frame;
mod gathering;
mod goal;
mod greedy;
mod ground;
mod highs_ffi;
mod joint;
mod kernel;
mod layout;
mod lift;
mod local;
mod market;
mod master;
mod merge;
mod mosaic;
mod multipliers;
mod odd;
mod pace;
mod pipeline;
mod planes;
mod pool;
mod prospects;
mod question;
mod record;
mod region;
mod relax;
mod rescue;
mod search;
mod settle;
mod spots;
mod state;
mod steps;
mod tally;
mod tempering;
mod tied;
mod tree;
#[cfg(test)]
mod trials;
mod volume;

pub use self::multipliers::{LeftOut, Multipliers};
pub use self::record::Moment;
pub use self::rescue::{Attempt, Kept, Rescue};

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::layout::Layout;
use self::record::Record;
use crate::model::{Aim, Program};
use crate::problem::SolveError;
use crate::reduce;
use crate::scenario::{Method, Options};

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
    /// The solver failed, or [`Method::Search`] had done its work; the plan is the best known.
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
    /// Which method is at work: `greedy`, `search`, `prices`, `tree`, `patches`, `compact`, or `earlier` for what an attempt that
    /// broke off left; empty outside the search.
    pub method: &'static str,
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

    /// Says, in other threads, too, whether the wish to stop has come, or so many seconds since the beginning have gone.
    fn clock(&self, begun: Instant, limit_s: f64) -> impl Fn() -> bool + Copy + Sync + use<'_> {
        let stop = self.stop;
        move || stop.load(Ordering::Relaxed) || begun.elapsed().as_secs_f64() > limit_s
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
    /// The method that was used: `compact`, `decompose` or `search`.
    pub method: &'static str,
    /// Value, bound and method over time.
    pub trace: Vec<Moment>,
    /// Prices that prove the bound without any solver; `None` where the bound is the solver's word.
    pub certificate: Option<Multipliers>,
    /// What exact reductions took away: name and count.
    pub reductions: Vec<(&'static str, usize)>,
    /// What went wrong in the solver, in words; value and bound hold all the same.
    pub faults: Vec<String>,
}

/// Finds the best values of a program and proves how good they are; `rescue` keeps what is known on the way.
///
/// # Errors
/// [`SolveError`] when the solver fails and no plan is known without it.
///
/// # Cost
/// Exponential at worst; `options.time_limit_s` holds within about a second, or until a first plan is found. A solver that does not
/// stop is left behind after two and a half; rules that clash are looked for in ten more.
pub fn solve(
    program: &Program,
    options: &Options,
    watch: &Watch<'_>,
    rescue: &Rescue<'_>,
) -> Result<Solution, SolveError> {
    let begun = begun(rescue);
    let Some(presolved) = reduce::presolve(program, &reduce::REDUCTIONS, &watch.clock(begun, options.time_limit_s))
    else {
        return searched(program, program, options, watch, rescue, begun);
    };
    // What is kept are values of the whole program: the next attempt may have no time to reduce it.
    let reduced = &presolved.reduced;
    let keep = |kept: Kept<'_>| match kept {
        Kept::Values(values) => (rescue.keep)(Kept::Values(&reduced.back(values))),
        Kept::Prices(_) => (rescue.keep)(kept),
    };
    let is_whole = |values: &&Vec<u32>| values.len() == program.variables.len();
    let own = Rescue {
        keep: &keep,
        values: rescue.values.as_ref().filter(is_whole).map(|values| reduced.forth(values)),
        ..rescue.clone()
    };
    let solution = searched(&reduced.program, program, options, watch, &own, begun)?;
    Ok(lift::lifted(program, &presolved, solution))
}

/// As [`solve`], of the program as it stands, without reductions before the search.
///
/// # Errors
/// Those of [`solve`].
pub fn unreduced(
    program: &Program,
    options: &Options,
    watch: &Watch<'_>,
    rescue: &Rescue<'_>,
) -> Result<Solution, SolveError> {
    searched(program, program, options, watch, rescue, begun(rescue))
}

/// When the search began, what attempts that broke off spent on it included.
fn begun(rescue: &Rescue<'_>) -> Instant {
    let now = Instant::now();
    now.checked_sub(Duration::from_secs_f64(rescue.spent_s)).unwrap_or(now)
}

/// Solves a program; `whole` is the one that it was reduced from, whose rules are named where they clash.
fn searched(
    program: &Program,
    whole: &Program,
    options: &Options,
    watch: &Watch<'_>,
    rescue: &Rescue<'_>,
    begun: Instant,
) -> Result<Solution, SolveError> {
    if let Some(clash) = unreachable_coverage(whole) {
        return Ok(Solution {
            conflict: vec![clash],
            is_conflict_smallest: true,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    if unreachable_coverage(program).is_some() {
        let (conflict, is_conflict_smallest) = conflict::smallest(whole, watch);
        return Ok(Solution {
            conflict,
            is_conflict_smallest,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    let layout = Layout::new(program);
    let mut record = Record::new(program, options, watch, rescue, begun);
    recall(rescue, &mut record);
    if let Some(start) = greedy::values(&layout, &|| watch.is_stopped()) {
        record.offer("greedy", &start);
    }
    let options = &match rescue.attempt {
        Attempt::Whole => *options,
        _ => Options { method: Method::Search, ..*options },
    };
    let ending = match rescue.attempt {
        Attempt::WithoutSolver => pipeline::walks(&layout, options, &mut record),
        _ => pipeline::run(&layout, options, &mut record).or_else(|error| {
            // A plan that is known outlives a solver that is not.
            record.blame(error.to_string());
            if record.best.is_some() { Ok(record::Ending::failed(program)) } else { Err(error) }
        })?,
    };
    if ending.is_infeasible && record.best.is_none() {
        let (conflict, is_conflict_smallest) = conflict::smallest(whole, watch);
        return Ok(Solution {
            conflict,
            is_conflict_smallest,
            nodes: ending.nodes,
            variables: ending.variables,
            rows: ending.rows,
            ..nothing(program, Status::Infeasible, StopReason::Proved)
        });
    }
    if record.best.is_none() && ending.stop_reason == Some(StopReason::Error) {
        let faults = record.faults.join("; ");
        let detail = if faults.is_empty() { "HiGHS ended without an answer".to_owned() } else { faults };
        return Err(SolveError { detail });
    }
    let prices = record.certificate.as_ref().map(|(prices, _)| prices.clone());
    let solution = conclude(&layout, options, ending, record);
    Ok(match rescue.attempt {
        Attempt::Whole => settle::settled(program, options, watch, begun, solution, prices),
        _ => solution,
    })
}

/// Takes what earlier attempts left into the record: plans that keep the rules, and what their prices prove.
fn recall(rescue: &Rescue<'_>, record: &mut Record<'_>) {
    let program = record.program;
    if let Some(values) = rescue.values.as_ref().filter(|values| values.len() == program.variables.len()) {
        record.offer("earlier", values);
    }
    let fits = |prices: &&Multipliers| {
        (prices.parts.len(), prices.rows.len(), prices.sets.len())
            == (program.parts, program.rows.len(), program.sets.len())
    };
    if let Some(prices) = rescue.prices.as_ref().filter(fits) {
        let prices = prices.clone().mended(program);
        record.prove("earlier", prices.bound(program, &reduce::limits(program)), Some(prices));
    }
}

/// Takes idle units away, makes the bound sound and says what is proven.
fn conclude(layout: &Layout<'_>, options: &Options, ending: record::Ending, record: Record<'_>) -> Solution {
    let program = layout.program;
    let reason = ending.stop_reason;
    let told = Solution {
        nodes: ending.nodes,
        variables: ending.variables,
        rows: ending.rows,
        method: ending.method,
        reductions: ending.reductions,
        trace: record.trace,
        faults: record.faults,
        ..nothing(program, Status::Unknown, reason.unwrap_or(StopReason::Error))
    };
    let Some(values) = record.best.map(|values| greedy::without_idle_units(layout, values)) else { return told };
    let value = program.objective(&values);
    let sound = sound_bound(program, record.bound, value);
    let is_contradicted = sound.is_none();
    let bound = sound.unwrap_or_else(|| trivial_bound(program));
    let bound = if (bound - value).abs() <= SAME * value.abs() { value } else { bound };
    let gap = gap(value, bound);
    let stop_reason = match reason {
        _ if is_contradicted => StopReason::Error,
        _ if gap <= OPTIMAL_GAP => StopReason::Proved,
        None | Some(StopReason::Proved) if gap <= options.gap => StopReason::GapReached,
        None | Some(StopReason::Proved) => StopReason::Error,
        Some(other) => other,
    };
    let certificate = record.certificate.filter(|(_, certified)| (certified - bound).abs() <= SAME * bound.abs());
    Solution {
        values: Some(values),
        status: if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible },
        stop_reason,
        bound,
        certificate: certificate.map(|(prices, _)| prices),
        ..told
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
        method: "compact",
        trace: Vec::new(),
        certificate: None,
        reductions: Vec::new(),
        faults: Vec::new(),
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
