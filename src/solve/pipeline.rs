//! A program turned into the best plan and bound that the method asked for, or suited to it, can find.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use super::goal::Goal;
use super::layout::Layout;
use super::merge::{self, Effort, SEARCHES};
use super::multipliers::{Multipliers, Proof};
use super::record::{Ending, Record};
use super::{beside, compact, cuts, relax, steps, tied, tree};
use crate::model::{Aim, Program};
use crate::problem::SolveError;
use crate::reduce::{self, Reduced};
use crate::scenario::{Method, Options};

/// Items of the cover sets up to which one model for HiGHS is quickest.
const SMALL: usize = 1_000;

/// Items up to which prices come so soon that a short search is enough until they do.
const SHORT: usize = 50_000;

/// The same where rules tie units to other units: HiGHS sees through such rules sooner than single moves do.
const SMALL_TIED: usize = 250_000;

/// Items of the cover sets up to which the interior-point method is quickest.
const LARGE: usize = 3_000_000;

/// Items from which cuts are quicker where there are many more sets than variables.
const MIDDLING: usize = 500_000;

/// How many more sets than variables are many.
const SETS_PER_VARIABLE: usize = 10;

/// Items of the cover sets, after fixing, up to which HiGHS can be hoped to close the gap.
const HOPEFUL: usize = 60_000;

/// Items, after fixing, up to which a tree of our own is quicker than that of HiGHS.
const QUICK: usize = 20_000;

/// Runs the method that the options ask for.
///
/// # Errors
/// [`SolveError`] when HiGHS cannot take the model at all and there is no plan.
pub(super) fn run(layout: &Layout<'_>, options: &Options, record: &mut Record<'_>) -> Result<Ending, SolveError> {
    let program = layout.program;
    let is_tied = program.has_ties();
    let is_small = program.sets.items() <= if is_tied { SMALL_TIED } else { SMALL };
    let is_whole = match options.method {
        Method::Compact => true,
        Method::Auto => is_small,
        Method::Decompose | Method::Search => false,
    };
    if is_whole || record.best.is_none() {
        return compactly(program, None, options, record, "compact");
    }
    decomposed(layout, options, record)
}

/// Walks alone, without anything of HiGHS.
pub(super) fn walks(layout: &Layout<'_>, options: &Options, record: &mut Record<'_>) -> Ending {
    let program = layout.program;
    let suited = Effort { is_merged: false, ..Effort::suited(program, 0) };
    // Where rules tie units to others, single moves soon find no more.
    let effort = if program.has_ties() { Effort { moves: suited.moves / 8, rounds: 3, ..suited } } else { suited };
    merge::search(layout, effort, options, record);
    Ending::failed(program)
}

/// Search, a bound from prices, and a model of what the two leave open.
fn decomposed(layout: &Layout<'_>, options: &Options, record: &mut Record<'_>) -> Result<Ending, SolveError> {
    let program = layout.program;
    let is_tied = program.has_ties();
    let mut ending = Ending {
        is_infeasible: false,
        stop_reason: None,
        nodes: 0,
        variables: program.variables.len(),
        rows: program.rows.len(),
        method: if options.method == Method::Search { "search" } else { "decompose" },
        reductions: Vec::new(),
    };
    let most = reduce::limits(program);
    let (mut more, proof, point) = if is_tied {
        (SEARCHES, tied::searched_and_priced(layout, &most, options, record), Vec::new())
    } else {
        searched_and_priced(layout, &most, options, record)
    };
    if options.method == Method::Search {
        ending.stop_reason = record.stop_reason();
        return Ok(ending);
    }
    let mut enough = more + SEARCHES;
    let mut is_branched = false;
    let is_plain = !is_tied && program.groups.iter().all(|group| group.full_at() == 1);
    while !record.is_done() && !record.is_over() {
        let is_kept = open_variables(program, &most, proof.as_ref(), record);
        let reduced = reduce::restricted(program, &is_kept);
        let items = reduced.program.sets.items();
        let fixed = is_kept.len() - reduced.kept.len();
        let reductions = vec![("variables fixed by their reduced cost", fixed)];
        let is_for_tree = !is_tied && !is_branched && proof.is_some() && (program.is_rising() || items <= QUICK);
        if is_for_tree && tree::suits(&reduced.program, &reduce::limits(&reduced.program)) {
            ending.reductions.clone_from(&reductions);
            ending.nodes = beside::branched(layout, &reduced, options, record);
            if record.is_done() || record.is_over() {
                break;
            }
            // The tree was given up, or broke off, or rounding kept it from the end: one model gets its try.
            is_branched = true;
        }
        let is_patched = !is_tied && is_for_patches(&reduced.program);
        if !is_branched && proof.is_some() && (is_patched || (is_plain && items <= cuts::SPARSE)) {
            ending.reductions = reductions;
            if is_patched {
                beside::patched(layout, (&reduced, &point), more + 1, options, record);
            } else {
                ending.nodes = beside::planted(layout, &reduced, more + 1, options, record);
            }
            is_branched = true;
            // It was searched meanwhile.
            (more, enough) = (more + SEARCHES, enough + SEARCHES);
            continue;
        }
        if items <= HOPEFUL || (more >= enough && items <= 4 * HOPEFUL) || is_tied || proof.is_none() {
            // Where rules tie units to others, single moves soon find no more.
            let last = if is_tied || rayon::current_num_threads() == 1 {
                compactly(&reduced.program, Some(&reduced), options, record, "decompose")?
            } else {
                let ending = beside::accompanied(layout, &reduced, more + 1, options, record)?;
                concluded(ending, Some(&reduced), record, "decompose")
            };
            return Ok(Ending { is_infeasible: false, nodes: ending.nodes + last.nodes, reductions, ..last });
        }
        more += 1;
        merge::search(layout, Effort::suited(program, more), options, record);
    }
    ending.stop_reason = record.stop_reason();
    Ok(ending)
}

/// True where cuts find prices sooner than an interior-point method on the whole, or better ones: where levels rise.
fn is_for_cuts(program: &Program) -> bool {
    let items = program.sets.items();
    program.is_rising() || items > LARGE || (items > MIDDLING && has_many_sets(program))
}

/// True where rows on patches bring a bound nearer than prices can, sooner than a tree does: its rows on a few sets say little
/// where there are many more sets than variables.
fn is_for_patches(program: &Program) -> bool {
    let items = program.sets.items();
    let is_large = items > cuts::SPARSE || (items > QUICK && has_many_sets(program));
    is_large && !program.has_ties() && !program.is_rising()
}

/// True where there are many more sets than variables.
fn has_many_sets(program: &Program) -> bool {
    program.sets.len() > SETS_PER_VARIABLE * program.variables.len()
}

/// True where little of the gap is left for prices to close, which cannot be nearer than at a height.
fn is_near(record: &Record<'_>, height: f64) -> bool {
    /// Part of the gap.
    const LITTLE: f64 = 0.25;
    let (Some(value), Some(bound)) = (record.value, record.bound) else { return false };
    let goal = Goal::new(record.program, value);
    goal.turned(bound) - height < LITTLE * (goal.turned(bound) - goal.best())
}

/// Search and a bound from prices, side by side; says how often it was searched, what the prices prove, and a point near which
/// the relaxation is best, or a plan.
///
/// Where prices take long, they are told now and then; the search goes on meanwhile, a round of it for each time. Each waits
/// for the other there, so that the plan does not depend on which of the two is quicker.
fn searched_and_priced(
    layout: &Layout<'_>,
    most: &[u32],
    options: &Options,
    record: &mut Record<'_>,
) -> (u32, Option<Proof>, Vec<f64>) {
    /// Number of the first round of the search that follows a short one.
    const SECOND: u64 = 500;
    let program = layout.program;
    let clock = record.clock();
    let halt = &AtomicBool::new(false);
    let is_over = move || halt.load(Ordering::Relaxed) || clock();
    let (mut searches, mut is_enough) = (0, false);
    let is_short = program.sets.items() <= SHORT;
    let (prices, point) = std::thread::scope(|scope| {
        let mut point: Vec<f64> = record.best.iter().flatten().copied().map(f64::from).collect();
        let (teller, told) = sync_channel(0);
        let (answerer, answers) = sync_channel(1);
        let price = move || {
            if !is_for_cuts(program) {
                return (relax::prices(program, most, &is_over), point);
            }
            let mut tell = |prices, reached| {
                // Who listens may have heard enough.
                teller.send((prices, reached)).is_ok() && answers.recv().unwrap_or(false)
            };
            let prices = cuts::prices(layout, most, &cuts::shape(program), &mut point, &mut tell, &is_over);
            (prices, point)
        };
        let pricing = scope.spawn(price);
        let whole = Effort::suited(program, 0);
        let first =
            if is_short { Effort { moves: whole.moves / 8, rounds: 1, is_merged: false, ..whole } } else { whole };
        merge::search(layout, first, options, record);
        while !record.is_done()
            && let Ok((prices, reached)) = told.recv()
        {
            prove(program, most, prices, record);
            let is_last = is_for_patches(program) && is_near(record, reached);
            if record.is_done() || record.is_over() || answerer.send(!is_last).is_err() || is_last {
                break;
            }
            // Prices that take long leave time for long walks.
            searches += 1;
            let suited = Effort::suited(program, SEARCHES - 1 + searches);
            let long = Effort { first: u64::from(searches) * 1000, ..suited };
            merge::search(layout, long, options, record);
        }
        // What is known by now is enough, and does not depend on how far the prices have come since.
        is_enough = record.is_done();
        halt.store(is_enough, Ordering::Relaxed);
        drop((told, answerer));
        pricing.join().unwrap_or_default()
    });
    if is_enough {
        return (searches, None, point);
    }
    if prices.is_none() && !record.is_over() {
        record.blame("HiGHS found no prices: it broke off".to_owned());
    }
    let proof = prices.map(|prices| prove(program, most, prices, record));
    // A tree, if it is to come, has a search beside it.
    let has_tree = options.method != Method::Search && program.sets.items() <= QUICK;
    if is_short && !has_tree && !record.is_done() && !record.is_over() {
        merge::search(layout, Effort { first: SECOND, ..Effort::suited(program, 0) }, options, record);
    }
    (searches, proof, point)
}

/// Takes what prices prove into the record.
fn prove(program: &Program, most: &[u32], prices: Multipliers, record: &mut Record<'_>) -> Proof {
    let proof = prices.proof(program, most);
    record.prove("prices", steps::attainable(program, proof.bound), Some(prices));
    proof
}

/// For every variable, whether a better plan than the best may use it.
///
/// # Source
/// Fixing by reduced costs against an incumbent; Wolsey 1998, section 7.5.
fn open_variables(program: &Program, most: &[u32], proof: Option<&Proof>, record: &Record<'_>) -> Vec<bool> {
    let (Some(proof), Some(value), Some(best)) = (proof, record.value, record.best.as_ref()) else {
        return vec![true; most.len()];
    };
    let step = steps::step(program);
    let attainable = |bound: f64| step.map_or(bound, |step| steps::attainable_by(program, bound, step));
    let is_open = |(variable, loss): (usize, &f64)| {
        let is_hopeless = match program.aim {
            Aim::MostValue => attainable(proof.bound - loss) <= value,
            Aim::LeastCost { .. } => attainable(proof.bound + loss) >= value,
        };
        best[variable] > 0 || !is_hopeless
    };
    proof.loss.iter().enumerate().map(is_open).collect()
}

/// One model for HiGHS, of the whole program or of what is left of it.
fn compactly(
    program: &Program,
    reduced: Option<&Reduced>,
    options: &Options,
    record: &mut Record<'_>,
    method: &'static str,
) -> Result<Ending, SolveError> {
    let start = record.best.as_ref().map(|best| reduced.map_or_else(|| best.clone(), |reduced| reduced.forth(best)));
    let (stop, begun) = (record.watch.stop, record.begun);
    let mut heard = |news: &compact::News<'_>| {
        let back = news.values.zip(reduced).map(|(values, reduced)| reduced.back(values));
        record.hear(back.as_deref().or(news.values), news.bound, news.nodes);
    };
    let ending = compact::solve(program, options, stop, begun, start.as_deref(), &mut heard)?;
    Ok(concluded(ending, reduced, record, method))
}

/// What HiGHS says at its end, taken into the record.
fn concluded(
    ending: compact::Ending,
    reduced: Option<&Reduced>,
    record: &mut Record<'_>,
    method: &'static str,
) -> Ending {
    let back = ending.values.as_ref().zip(reduced).map(|(values, reduced)| reduced.back(values));
    record.hear(back.as_deref().or(ending.values.as_deref()), ending.bound, ending.nodes);
    ending.fault.into_iter().for_each(|fault| record.blame(fault));
    Ending {
        is_infeasible: ending.is_infeasible,
        // Search beside it may have reached the bound.
        stop_reason: ending.stop_reason.filter(|_| !record.is_done()),
        nodes: ending.nodes,
        variables: ending.variables,
        rows: ending.rows,
        method,
        reductions: Vec::new(),
    }
}
