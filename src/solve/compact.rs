//! A program turned into one mixed-integer model for HiGHS, and what HiGHS says turned into values and a bound.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use highs::HighsModelStatus;

use super::StopReason;
use super::bundles::Bundles;
use super::frame::TOTAL;
use super::highs_ffi::{self, Run, Tick};
use super::steps::{self, value_scale};
use crate::model::{Aim, Program};
use crate::problem::SolveError;
use crate::scenario::{Method, Options};

/// Relative gap asked of HiGHS where the objective's attainable steps are not known; below [`super::OPTIMAL_GAP`].
const PROOF_GAP: f64 = 1e-7;

/// Shares this close below the coverage asked for reach it: the judge allows twice as much for rounding.
const COVERAGE_SLACK: f64 = 5e-10;

/// Rounding the columns of an optimal plan may change its objective by so much, relatively; more is a fault.
const CLAIM_SLACK: f64 = 1e-4;

/// HiGHS looks at its own time limit; this much later it is stopped from outside, seconds.
const LATE_S: f64 = 0.5;

/// How a run of HiGHS ended, in the program's terms.
#[derive(Debug)]
pub(super) struct Ending {
    /// The best values found that keep every rule.
    pub(super) values: Option<Vec<u32>>,
    /// Proven bound on the program's objective.
    pub(super) bound: Option<f64>,
    /// True when no values keep the rules.
    pub(super) is_infeasible: bool,
    /// Why it ended; `None` when HiGHS says optimal within the gap asked.
    pub(super) stop_reason: Option<StopReason>,
    /// Nodes of the tree.
    pub(super) nodes: u64,
    /// Columns of the model.
    pub(super) variables: usize,
    /// Rows of the model.
    pub(super) rows: usize,
    /// What went wrong in HiGHS, in words.
    pub(super) fault: Option<String>,
}

/// What HiGHS says while it works, in the program's terms.
pub(super) struct News<'a> {
    /// The best values so far, when they are new.
    pub(super) values: Option<&'a [u32]>,
    /// Proven bound so far.
    pub(super) bound: Option<f64>,
    /// Nodes of the tree so far.
    pub(super) nodes: u64,
}

/// A column that says whether a set earns a level that is worth something.
struct Rung {
    set: u32,
    group: usize,
    /// Units at which it is earned.
    at: usize,
    /// Units beyond the rung before.
    width: usize,
    /// In the program's terms.
    worth: f64,
    column: Variable,
}

/// A model under construction.
struct Compact {
    columns: ProblemVariables,
    values: Vec<Variable>,
    /// What sets can earn, set by set and rung by rung.
    rungs: Vec<Rung>,
    /// The smallest part of the value, where there are several.
    worst: Option<Variable>,
    /// Sums of variables that always cover together, and their columns.
    bundles: Bundles,
    sums: Vec<Variable>,
    /// Objective in model units: the program's times this.
    scale: f64,
    /// Steps in which the objective moves, in model units, where they are known.
    step: Option<f64>,
}

/// Solves a program by one model, from a start that keeps the rules if there is one.
///
/// # Errors
/// [`SolveError`] when HiGHS cannot take the model at all and there is no start.
pub(super) fn solve(
    program: &Program,
    options: &Options,
    halt: &AtomicBool,
    begun: Instant,
    start: Option<&[u32]>,
    heard: &mut dyn FnMut(&News<'_>),
) -> Result<Ending, SolveError> {
    if let Some(ending) = without_search(program) {
        return Ok(ending);
    }
    let compact = Compact::new(program);
    let full_start = start.map(|values| compact.complete(program, values));
    let (scale, step) = (compact.scale, compact.step);
    let (columns, mut model) = compact.model(program)?;
    let rows = model.num_rows();
    set_options(&mut model, options, begun, step)?;
    if let Some(full_start) = &full_start {
        // A start that HiGHS does not take costs time, never the answer.
        let _ignored = model.try_set_solution(Some(full_start), None, None, None);
    }
    let mut watcher = Watcher { program, scale, columns, best: start.map(<[u32]>::to_vec), bound: None, nodes: 0 };
    let is_stopped = || halt.load(Ordering::Relaxed);
    let is_over = || is_stopped() || begun.elapsed().as_secs_f64() > options.time_limit_s + LATE_S;
    let run = highs_ffi::run(model, &mut |tick| watcher.hear(&tick, heard), &is_over);
    let variables = full_columns(program);
    let mut ending = Ending {
        values: None,
        bound: None,
        is_infeasible: false,
        stop_reason: Some(StopReason::Error),
        nodes: 0,
        variables,
        rows,
        fault: None,
    };
    match run {
        Run::Failed => ending.fault = Some("HiGHS broke off with an error".to_owned()),
        Run::LeftBehind => {
            ending.stop_reason = Some(if is_stopped() { StopReason::Interrupted } else { StopReason::TimeLimit });
            ending.fault = Some("HiGHS did not stop when told to, and was left behind".to_owned());
        }
        Run::Solved(solved) => watcher.conclude(&solved, start, is_stopped(), &mut ending),
    }
    ending.bound = watcher.bound.map(|dual| steps::attainable(program, dual / scale));
    ending.nodes = watcher.nodes;
    ending.values = watcher.best;
    Ok(ending)
}

/// The ending of a program that needs no search: a rule without variables that cannot be kept, or no variables at all,
/// which HiGHS would call an empty model without a look at its rows.
fn without_search(program: &Program) -> Option<Ending> {
    let is_hopeless = |row: &crate::model::Row| row.terms.is_empty() && (row.least > 0.0 || row.most < 0.0);
    let is_infeasible = program.rows.iter().any(is_hopeless);
    if !is_infeasible && !program.variables.is_empty() {
        return None;
    }
    let is_infeasible = is_infeasible || program.broken_rule(&[]).is_some();
    Some(Ending {
        values: (!is_infeasible).then(Vec::new),
        bound: (!is_infeasible).then(|| program.objective(&[])),
        is_infeasible,
        stop_reason: Some(StopReason::Proved),
        nodes: 0,
        variables: program.variables.len(),
        rows: program.rows.len(),
        fault: None,
    })
}

fn full_columns(program: &Program) -> usize {
    let rungs: usize = program.groups.iter().map(|group| group.terms.len() * group.rungs().len()).sum();
    program.variables.len() + rungs
}

fn set_options(
    model: &mut highs::Model,
    options: &Options,
    begun: Instant,
    step: Option<f64>,
) -> Result<(), SolveError> {
    model.make_quiet();
    let left_s = (options.time_limit_s - begun.elapsed().as_secs_f64()).max(0.1);
    let seed = i32::try_from(options.seed & 0x7fff_ffff).expect("31 bits fit");
    // HiGHS stops at either gap: below one step nothing better exists.
    let absolute = step.map_or(0.0, |step| step * (1.0 - 10.0 * steps::TOLERANCE));
    let relative = if options.gap > 0.0 {
        options.gap
    } else if step.is_some() {
        0.0
    } else {
        PROOF_GAP
    };
    let outcome = model
        .try_set_option("time_limit", left_s)
        .and_then(|()| model.try_set_option("random_seed", seed))
        .and_then(|()| model.try_set_option("mip_abs_gap", absolute))
        .and_then(|()| model.try_set_option("mip_rel_gap", relative))
        // One thread: the tree search of this version gains nothing from more, and answers must not depend on them.
        .and_then(|()| model.try_set_option("parallel", "off"))
        .and_then(|()| model.try_set_option("threads", 1));
    outcome.map_err(|error| SolveError { detail: format!("HiGHS refuses an option: {error}") })
}

impl Compact {
    fn new(program: &Program) -> Self {
        let mut columns = ProblemVariables::new();
        let values = program
            .variables
            .iter()
            .map(|entry| columns.add(variable().integer().min(0.0).max(f64::from(entry.most))))
            .collect();
        let mut rungs = Vec::new();
        for (place, group) in program.groups.iter().enumerate().filter(|_| needs_rungs(program)) {
            for term in &group.terms {
                let mut below = 0;
                for (at, level) in group.rungs() {
                    let column = variable().min(0.0).max(1.0);
                    // Where a further unit adds more than the one before, only whole rungs keep the order.
                    let column = if group.is_concave() { column } else { column.integer() };
                    let worth = term.weight * level * group.scale;
                    let (width, column) = (at - below, columns.add(column));
                    rungs.push(Rung { set: term.set, group: place, at, width, worth, column });
                    below = at;
                }
            }
        }
        let has_worst = program.parts > 1 && matches!(program.aim, Aim::MostValue);
        let worst = has_worst.then(|| columns.add(variable().min(0.0).max(value_scale(program))));
        let bundles = Bundles::new(program);
        let sums = bundles.members.iter().map(|_| columns.add(variable().min(0.0))).collect();
        let scale = match program.aim {
            Aim::MostValue => value_scale(program),
            Aim::LeastCost { .. } => 1.0,
        };
        let step = steps::step(program).map(|step| step * scale);
        Self { columns, values, rungs, worst, bundles, sums, scale, step }
    }

    /// Values of all columns for values of the program's variables: every rung that is earned is taken.
    fn complete(&self, program: &Program, values: &[u32]) -> Vec<f64> {
        let earned = self
            .rungs
            .iter()
            .map(|rung| f64::from(program.count(rung.set, values) >= u64::try_from(rung.at).unwrap_or(u64::MAX)));
        let worst = self.worst.map(|_| program.value(values) * self.scale);
        let sum = |members: &[u32]| members.iter().map(|variable| f64::from(values[*variable as usize])).sum::<f64>();
        let sums = self.bundles.members.iter().map(sum);
        values.iter().map(|value| f64::from(*value)).chain(earned).chain(worst).chain(sums).collect()
    }

    /// Columns of the program's variables and the model.
    fn model(self, program: &Program) -> Result<(usize, highs::Model), SolveError> {
        let Self { columns, values, rungs, worst, bundles, sums, scale, .. } = self;
        let items: Vec<Variable> = values.iter().chain(&sums).copied().collect();
        // The value of each part, in model units.
        let parts = |scale: f64| {
            let mut parts = vec![Expression::default(); program.parts];
            for rung in &rungs {
                parts[program.groups[rung.group].part].add_mul(rung.worth * scale, rung.column);
            }
            parts
        };
        let mut problem = match (&program.aim, worst) {
            (Aim::MostValue, Some(worst)) => {
                let problem = columns.maximise(worst).using(good_lp::highs);
                parts(scale).into_iter().fold(problem, |problem, part| problem.with(constraint!(worst <= part)))
            }
            (Aim::MostValue, None) => {
                let value: Expression = parts(scale).into_iter().sum();
                columns.maximise(value).using(good_lp::highs)
            }
            (Aim::LeastCost { costs, .. }, _) => {
                let cost: Expression = costs.iter().zip(&values).map(|(cost, column)| *cost * *column).sum();
                columns.minimise(cost).using(good_lp::highs)
            }
        };
        for row in &program.rows {
            let sum = || row.terms.iter().map(|(place, factor)| *factor * values[*place as usize]).sum::<Expression>();
            if row.least.to_bits() == row.most.to_bits() {
                problem = problem.with(constraint!(sum() == row.least));
                continue;
            }
            if row.least.is_finite() {
                problem = problem.with(constraint!(sum() >= row.least));
            }
            if row.most.is_finite() {
                problem = problem.with(constraint!(sum() <= row.most));
            }
        }
        let units = |set: u32| {
            let items = bundles.sets.row(set as usize).iter().map(|item| Expression::from(items[*item as usize]));
            items.sum::<Expression>()
        };
        for (sum, members) in sums.iter().zip(bundles.members.iter()) {
            let units: Expression = members.iter().map(|place| Expression::from(values[*place as usize])).sum();
            problem = problem.with(constraint!(*sum <= units));
        }
        for rungs in rungs.chunk_by(|a, b| a.set == b.set) {
            let width = |rung: &Rung| f64::from(u32::try_from(rung.width).unwrap_or(u32::MAX));
            let earned: Expression = rungs.iter().map(|rung| width(rung) * rung.column).sum();
            problem = problem.with(constraint!(earned <= units(rungs[0].set)));
            if !program.groups[rungs[0].group].is_concave() {
                for pair in rungs.windows(2) {
                    problem = problem.with(constraint!(pair[0].column >= pair[1].column));
                }
            }
        }
        if let Aim::LeastCost { coverage, .. } = program.aim {
            if needs_rungs(program) {
                // In such units what HiGHS takes for nought is less than the slack.
                for part in parts(TOTAL) {
                    problem = problem.with(constraint!(part >= (coverage - COVERAGE_SLACK) * TOTAL));
                }
            } else {
                for group in &program.groups {
                    let full = f64::from(u32::try_from(group.full_at()).unwrap_or(u32::MAX));
                    for term in &group.terms {
                        problem = problem.with(constraint!(units(term.set) >= full));
                    }
                }
            }
        }
        let count = values.len();
        let model = problem.try_into_inner().map_err(|error| SolveError { detail: error.to_string() })?;
        Ok((count, model))
    }
}

/// False where all value must be earned, which plain covering rows say better than rungs.
fn needs_rungs(program: &Program) -> bool {
    match program.aim {
        Aim::MostValue => true,
        Aim::LeastCost { coverage, .. } => program.parts_everywhere().iter().any(|all| coverage < all - 1e-12),
    }
}

/// Keeps the best values that HiGHS finds and tells the caller how far it is.
struct Watcher<'a> {
    program: &'a Program,
    scale: f64,
    columns: usize,
    best: Option<Vec<u32>>,
    bound: Option<f64>,
    nodes: u64,
}

impl Watcher<'_> {
    /// What HiGHS says at its end; an answer that cannot be right is a fault, and nothing of it is used. `is_stopped` is true where
    /// it was interrupted by a wish to stop, and not because it looks at its time limit too rarely.
    fn conclude(&mut self, solved: &highs::SolvedModel, start: Option<&[u32]>, is_stopped: bool, ending: &mut Ending) {
        let status = solved.status();
        let is_optimal = matches!(status, HighsModelStatus::Optimal | HighsModelStatus::ModelEmpty);
        ending.stop_reason = match status {
            _ if is_optimal => None,
            HighsModelStatus::Infeasible if start.is_none() => {
                ending.is_infeasible = true;
                Some(StopReason::Proved)
            }
            HighsModelStatus::ReachedInterrupt if is_stopped => Some(StopReason::Interrupted),
            HighsModelStatus::ReachedTimeLimit | HighsModelStatus::ReachedInterrupt => Some(StopReason::TimeLimit),
            _ => {
                ending.fault = Some(format!("HiGHS ended with the status {status:?}"));
                Some(StopReason::Error)
            }
        };
        if ending.is_infeasible || ending.fault.is_some() {
            return;
        }
        let values = self.whole(solved.get_solution().columns());
        let broken = values.as_ref().and_then(|values| self.program.broken_rule(values));
        if let Some(rule) = broken.filter(|_| is_optimal) {
            ending.fault = Some(format!("HiGHS calls a plan optimal that breaks a rule: {rule}"));
            ending.stop_reason = Some(StopReason::Error);
            return;
        }
        if let Some(values) = values {
            let (claimed, earned) = (solved.objective_value() / self.scale, self.program.objective(&values));
            let over = if matches!(self.program.aim, Aim::MostValue) { claimed - earned } else { earned - claimed };
            if is_optimal && over > CLAIM_SLACK * claimed.abs().max(earned.abs()) {
                ending.fault = Some(format!("HiGHS takes a plan of {earned} for optimal with {claimed}"));
                ending.stop_reason = Some(StopReason::Error);
                return;
            }
            let _kept_when_better = self.offer(values);
        }
        let dual = solved.double_info_value(c"mip_dual_bound").ok().filter(|dual| dual.is_finite());
        // A model that is solved before the tree begins has no bound of its own: optimal says that value and bound meet.
        let dual = dual.or_else(|| (status == HighsModelStatus::Optimal).then(|| solved.objective_value()));
        self.bound = dual.or(self.bound);
    }

    /// The program's variables among the columns of a solution, rounded.
    fn whole(&self, columns: &[f64]) -> Option<Vec<u32>> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
        let whole = |value: &f64| value.round().clamp(0.0, 4e9) as u32;
        columns.get(..self.columns).map(|columns| columns.iter().map(whole).collect())
    }

    /// Takes values that keep every rule and beat the best so far; says whether they do.
    fn offer(&mut self, values: Vec<u32>) -> bool {
        let is_better = self.best.as_ref().is_none_or(|best| self.program.is_better(&values, best))
            && self.program.broken_rule(&values).is_none();
        if is_better {
            self.best = Some(values);
        }
        is_better
    }

    fn hear(&mut self, tick: &Tick, heard: &mut dyn FnMut(&News<'_>)) {
        let values = tick.solution.as_ref().and_then(|solution| self.whole(solution));
        let is_better = values.is_some_and(|values| self.offer(values));
        if tick.dual.is_finite() && tick.dual.abs() < 1e29 && tick.primal.is_finite() {
            self.bound = Some(tick.dual);
        }
        self.nodes = u64::try_from(tick.nodes).unwrap_or(0);
        heard(&News {
            values: self.best.as_deref().filter(|_| is_better),
            bound: self.bound.map(|bound| bound / self.scale),
            nodes: self.nodes,
        });
    }
}

/// Proves that rows alone, all or some of them, have no solution.
///
/// `None` when HiGHS does not say within the time.
pub(super) fn is_infeasible(program: &Program, time_limit_s: f64, stop: &AtomicBool) -> Option<bool> {
    let options = Options { time_limit_s, gap: 1.0, seed: 0, threads: 1, method: Method::Compact };
    let ending = solve(program, &options, stop, Instant::now(), None, &mut |_| {}).ok()?;
    (ending.is_infeasible || ending.values.is_some()).then_some(ending.is_infeasible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TermGroup, Variable};

    /// The cheap unit falls short of the coverage by less than HiGHS takes for nought in a row of shares.
    #[test]
    fn what_falls_short_a_little_falls_short() {
        let aim = Aim::LeastCost { costs: vec![1.0, 2.0, 9.0], coverage: 0.95 };
        let mut program = Program::new(aim, vec![Variable { most: 1 }; 3]);
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        let sets: [&[u32]; 3] = [&[0, 1], &[1], &[2]];
        program.add_group(group, sets.into_iter().zip(&[0.949_999_5, 0.000_000_6, 0.049_999_9]));
        let options = Options { time_limit_s: 20.0, gap: 0.0, seed: 0, threads: 1, method: Method::Compact };
        let ending = solve(&program, &options, &AtomicBool::new(false), Instant::now(), None, &mut |_| {});
        let ending = ending.expect("HiGHS works");
        assert_eq!((ending.fault, ending.values), (None, Some(vec![0, 1, 0])));
    }
}
