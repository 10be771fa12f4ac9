//! Search and proofs side by side turned into plan and bound.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::layout::Layout;
use super::merge::{self, Effort, SEARCHES};
use super::pace::Pace;
use super::pool::Pool;
use super::record::Record;
use super::rescue::Rescue;
use super::{Watch, compact, mosaic, search, tree};
use crate::problem::SolveError;
use crate::reduce::{self, Reduced};
use crate::scenario::Options;

/// How often the wish to stop is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A tree of questions, and search beside it, stage by stage; each waits for the other between two stages, so that the plan
/// does not depend on which of the two is quicker, and search takes about as long as the stages before did; a tree without
/// questions cuts it short. After a few of the tree's stages there is a longer search on all threads, for which the tree waits.
/// Gives the number of questions.
pub(super) fn branched(layout: &Layout<'_>, reduced: &Reduced, options: &Options, record: &mut Record<'_>) -> u64 {
    /// Stages without a better plan after which only every so manyth has a search beside it.
    const PATIENCE: u32 = 4;
    let (Some(best), Some(mut value)) = (record.best.clone(), record.value) else { return 0 };
    let mut nodes = 0;
    let halt = &AtomicBool::new(false);
    let clock = record.clock();
    let is_over = move || halt.load(Ordering::Relaxed) || clock();
    let is_grown = &AtomicBool::new(false);
    let is_late = move || is_grown.load(Ordering::Relaxed) || is_over();
    let smaller = &reduced.program;
    let start = &reduced.forth(&best);
    let (teller, told) = sync_channel(0);
    let (answerer, answers) = sync_channel(0);
    std::thread::scope(|scope| {
        let growing = scope.spawn(move || {
            let mut tell = |news: tree::News| {
                is_grown.fetch_or(news.is_closed, Ordering::Relaxed);
                // Who listens may have heard enough.
                teller.send(news).ok()?;
                answers.recv().ok()
            };
            let (layout, most, habits) = (Layout::new(smaller), reduce::limits(smaller), tree::Habits::new(smaller));
            tree::grow(&layout, &most, &habits, (start, value), &mut tell, &is_over)
        });
        // On one thread: the tree has the others.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let (mut round, mut idle) = (u64::from(SEARCHES) + 1, 0);
        let mut hint: Option<Vec<u32>> = None;
        let (mut is_closed, mut is_given_up, mut pace) = (false, false, Pace::default());
        loop {
            round += 1;
            let mut walks = Vec::new();
            if hint.is_some() || idle < PATIENCE || round % u64::from(PATIENCE) == 0 {
                // Merging ends by the clock, and the tree takes its time: walks alone.
                let longer = if hint.is_some() { SEARCHES - 1 } else { SEARCHES };
                let moves = pace.moves(Effort::near(layout.program, longer).moves);
                let random = options.seed.wrapping_mul(1 << 20).wrapping_add(round * 1000);
                let Some(start) = hint.take().or_else(|| record.best.clone()) else { break };
                let walk = || search::walks(layout, &[&start], search::NEAR, random, moves, &is_late);
                walks = alone.as_ref().map_or_else(|_| walk(), |alone| alone.install(walk));
            }
            let news = told.recv().ok();
            // What a closed tree cut short would depend on who was quicker.
            if !news.as_ref().is_some_and(|news| news.is_closed) {
                walks.iter().for_each(|walk| record.offer_walk(walk));
            }
            let Some(news) = news else { break };
            pace.hear(&news);
            if let Some(values) = news.values {
                record.offer("tree", &reduced.back(&values));
            }
            hint = news.hint.filter(|_| round % 2 == 0).map(|values| reduced.back(&values));
            record.hear_of_better("tree", news.bound, news.nodes);
            nodes = news.nodes;
            is_closed = news.is_closed;
            is_given_up = news.is_given_up;
            if news.is_closed || is_given_up || record.is_done() || is_over() {
                break;
            }
            if pace.is_search_due() {
                // A good plan saves questions.
                for more in 0..=SEARCHES {
                    if record.is_done() || is_over() {
                        break;
                    }
                    merge::search(layout, Effort::near(layout.program, more), options, record);
                }
                if record.is_done() || is_over() {
                    break;
                }
            }
            let known = record.value.unwrap_or(value);
            idle = if known.to_bits() == value.to_bits() { idle + 1 } else { 0 };
            value = known;
            if answerer.send(value).is_err() {
                break;
            }
        }
        halt.store(true, Ordering::Relaxed);
        drop((told, answerer));
        let is_broken = growing.join().is_err();
        if (is_broken || !(is_closed || is_given_up)) && !record.is_done() && !record.is_over() {
            record.blame("HiGHS broke off in the tree".to_owned());
        }
    });
    nodes
}

/// One model of what is left for HiGHS, and search on one more thread as long as HiGHS takes; of plans of the same worth the
/// quicker one's stays. `searches` is how often the program has been searched before.
///
/// # Errors
/// Those of [`compact::solve`].
pub(super) fn accompanied(
    layout: &Layout<'_>,
    reduced: &Reduced,
    searches: u32,
    options: &Options,
    record: &mut Record<'_>,
) -> Result<compact::Ending, SolveError> {
    let best = record.best.clone().unwrap_or_default();
    let (start, smaller, begun) = (reduced.forth(&best), &reduced.program, record.begun);
    let solve = |halt: &AtomicBool, _: &Mutex<Option<f64>>, teller: Sender<_>| {
        let mut heard = |news: &compact::News<'_>| {
            // Who listens stays until this ends.
            let _hung_up = teller.send((news.values.map(<[u32]>::to_vec), news.bound, news.nodes));
        };
        compact::solve(smaller, options, halt, begun, Some(&start), &mut heard)
    };
    let mut hear = |record: &mut Record<'_>, (values, bound, nodes): (Option<Vec<u32>>, _, _)| {
        record.hear(values.map(|values| reduced.back(&values)).as_deref(), bound, nodes);
    };
    let ended = with_search(layout, searches, options, record, solve, &mut hear);
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A tree of questions, and search on one more thread as long as the tree grows; of plans of the same worth the quicker one's
/// stays. A tree whose first question brings the bound little nearer is given up: it would not come to an end. `searches` is how
/// often the program has been searched before. Gives the number of questions.
pub(super) fn planted(
    layout: &Layout<'_>,
    reduced: &Reduced,
    searches: u32,
    options: &Options,
    record: &mut Record<'_>,
) -> u64 {
    /// Part of the gap that the first question has to close.
    const LEAST: f64 = 0.25;
    let (Some(best), Some(value)) = (record.best.clone(), record.value) else { return 0 };
    let clock = record.clock();
    let (start, smaller) = (reduced.forth(&best), &reduced.program);
    let (mut nodes, mut is_closed) = (0, false);
    let bound = record.bound;
    let grow = |halt: &AtomicBool, known: &Mutex<Option<f64>>, teller: Sender<_>| {
        let is_over = || halt.load(Ordering::Relaxed) || clock();
        let mut is_given_up = false;
        let mut tell = |news: tree::News| {
            let known = *known.lock().unwrap_or_else(PoisonError::into_inner);
            let closed = bound.zip(known).map(|(bound, known)| (bound - news.bound) / (bound - known));
            is_given_up = news.nodes == 1 && closed.is_some_and(|closed| closed < LEAST);
            // Who listens may have heard enough.
            teller.send(news).ok()?;
            known.filter(|_| !is_over() && !is_given_up)
        };
        let (layout, most) = (Layout::new(smaller), reduce::limits(smaller));
        // What the first question proves is told at once: it takes the longest.
        let mut habits = tree::Habits::new(smaller);
        habits.least = LEAST;
        habits.first = 1;
        // Questions are slow, too.
        habits.gathers_at = 8;
        tree::grow(&layout, &most, &habits, (&start, value), &mut tell, &is_over);
        is_given_up
    };
    let mut hear = |record: &mut Record<'_>, news: tree::News| {
        for values in [news.values, news.hint].into_iter().flatten() {
            record.offer("tree", &reduced.back(&values));
        }
        record.hear_of_better("tree", news.bound, news.nodes);
        (nodes, is_closed) = (news.nodes, news.is_closed);
    };
    let ended = with_search(layout, searches, options, record, grow, &mut hear);
    let is_broken = ended.map_or(true, |is_given_up| !is_closed && !is_given_up);
    if is_broken && !record.is_done() && !record.is_over() {
        record.blame("HiGHS broke off in the tree".to_owned());
    }
    nodes
}

/// Rows on patches, and search on one more thread as long as they bring the bound nearer. `searches` is how often the program has
/// been searched before, `point` a point to begin at.
pub(super) fn patched(
    layout: &Layout<'_>,
    (reduced, point): (&Reduced, &[f64]),
    searches: u32,
    options: &Options,
    record: &mut Record<'_>,
) {
    let Some(value) = record.value else { return };
    let clock = record.clock();
    let (start, smaller) = (reduced.forth(point), &reduced.program);
    let lay = |halt: &AtomicBool, known: &Mutex<Option<f64>>, teller: Sender<_>| {
        let is_over = || halt.load(Ordering::Relaxed) || clock();
        let mut tell = |bound: f64| {
            // Who listens may have heard enough.
            teller.send(bound).ok()?;
            known.lock().unwrap_or_else(PoisonError::into_inner).filter(|_| !is_over())
        };
        let (layout, most) = (Layout::new(smaller), reduce::limits(smaller));
        mosaic::lay(&layout, (&most, mosaic::BINS), (&start, value), &mut tell, &is_over)
    };
    let mut hear = |record: &mut Record<'_>, bound: f64| {
        record.hear_of_better("patches", bound, 0);
    };
    let ended = with_search(layout, searches, options, record, lay, &mut hear);
    if !matches!(ended, Ok(Some(()))) && !record.is_done() && !record.is_over() {
        record.blame("HiGHS broke off in rows on patches".to_owned());
    }
}

/// Work on a thread of its own, and search on one more as long as that takes. The work has a wish to stop, the best objective
/// known, and someone to tell its news, which `hear` takes into the record.
///
/// # Errors
/// What the work panicked with.
fn with_search<News: Send, Found: Send>(
    layout: &Layout<'_>,
    searches: u32,
    options: &Options,
    record: &mut Record<'_>,
    work: impl FnOnce(&AtomicBool, &Mutex<Option<f64>>, Sender<News>) -> Found + Send,
    hear: &mut dyn FnMut(&mut Record<'_>, News),
) -> std::thread::Result<Found> {
    let best = &record.best.clone().unwrap_or_default();
    let (halt, search_halt) = (&AtomicBool::new(false), &AtomicBool::new(false));
    let known = &Mutex::new(record.value);
    let (teller, told) = channel();
    let (finder, found) = channel();
    let (pool, begun) = (std::mem::take(&mut record.pool), record.begun);
    std::thread::scope(|scope| {
        let working = scope.spawn(move || work(halt, known, teller));
        let searching =
            scope.spawn(move || searched((layout, searches, pool), best, options, (search_halt, begun), &finder));
        loop {
            match told.recv_timeout(PAUSE) {
                Ok(news) => hear(record, news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            found.try_iter().for_each(|values| record.offer("search", &values));
            *known.lock().unwrap_or_else(PoisonError::into_inner) = record.value;
            halt.store(record.is_done() || record.watch.is_stopped(), Ordering::Relaxed);
        }
        search_halt.store(true, Ordering::Relaxed);
        match searching.join() {
            Ok(pool) => record.pool = pool,
            Err(_) => record.blame("the search beside HiGHS broke off".to_owned()),
        }
        found.try_iter().for_each(|values| record.offer("search", &values));
        working.join()
    })
}

/// Searches on one thread until told to stop, from a plan and a population, and tells of better plans; gives the population.
fn searched(
    (layout, searches, pool): (&Layout<'_>, u32, Pool),
    best: &[u32],
    options: &Options,
    (halt, begun): (&AtomicBool, Instant),
    finder: &Sender<Vec<u32>>,
) -> Pool {
    let go_on = move || {
        let (watch, nowhere) = (Watch { stop: halt, report: &|_| {} }, Rescue::none());
        let mut own = Record::new(layout.program, options, &watch, &nowhere, begun);
        own.pool = pool;
        own.offer("search", best);
        for more in searches.. {
            if own.is_over() {
                break;
            }
            let known = own.value;
            merge::search(layout, Effort::suited(layout.program, more), options, &mut own);
            if own.value != known {
                // Who listens may have heard enough.
                let _hung_up = finder.send(own.best.clone().unwrap_or_default());
            }
        }
        own.pool
    };
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(alone) => alone.install(go_on),
        Err(_) => Pool::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Program;
    use crate::scenario::Method;
    use crate::solve::multipliers::Multipliers;
    use crate::solve::trials::{Numbers, best, program};
    use crate::solve::{greedy, relax};

    /// What is known at the end: objective, bound, and whether the one is said to reach the other.
    type Known = (f64, Option<f64>, bool);

    /// Calls [`accompanied`], or [`planted`], with all variables kept, after the prices have proven a bound, if `prices` are given.
    fn found(program: &Program, stop: &AtomicBool, is_planted: bool, prices: Option<Multipliers>) -> Option<Known> {
        let options = Options { time_limit_s: 60.0, gap: 0.0, seed: 3, threads: 2, method: Method::Auto };
        let (watch, nowhere) = (Watch { stop, report: &|_| {} }, Rescue::none());
        let layout = Layout::new(program);
        let mut record = Record::new(program, &options, &watch, &nowhere, Instant::now());
        record.offer("greedy", &greedy::values(&layout, &|| false)?);
        if let Some(prices) = prices {
            record.prove("prices", prices.bound(program, &reduce::limits(program)), Some(prices));
        }
        let reduced = reduce::restricted(program, &vec![true; program.variables.len()]);
        if is_planted {
            planted(&layout, &reduced, 0, &options, &mut record);
        } else {
            let ending = accompanied(&layout, &reduced, 0, &options, &mut record).expect("HiGHS takes small models");
            record.hear(ending.values.map(|values| reduced.back(&values)).as_deref(), ending.bound, ending.nodes);
        }
        assert_eq!(record.faults, Vec::<String>::new());
        Some((record.value?, record.bound, record.is_done()))
    }

    /// Of forty programs, how many have a plan; all of these end at the best one and say so.
    fn ended_at_the_best(is_planted: bool, seed: u64) -> u32 {
        let mut numbers = Numbers(seed);
        let mut count = 0;
        for program in std::iter::repeat_with(|| program(&mut numbers)).take(40) {
            if is_planted && !tree::suits(&program, &reduce::limits(&program)) {
                continue;
            }
            let Some((value, _, is_done)) = found(&program, &AtomicBool::new(false), is_planted, None) else {
                continue;
            };
            let best = best(&program).expect("a plan is known");
            assert!(is_done && (value - best).abs() <= 1e-9 * best.abs().max(1.0), "{value} {best}: {program:?}");
            count += 1;
        }
        count
    }

    #[test]
    fn search_and_one_model_end_at_the_best_plan() {
        let count = ended_at_the_best(false, 0x2545_f491_4f6c_dd1d);
        assert!(count >= 20, "{count} programs");
    }

    #[test]
    fn search_and_a_tree_end_at_the_best_plan() {
        let count = ended_at_the_best(true, 0x9e37_79b9_7f4a_7c15);
        assert!(count >= 10, "{count} programs");
    }

    /// With the prices' bound known, a tree that brings it little nearer leaves plan and bound as they are, and that is no fault.
    #[test]
    fn a_hopeless_tree_is_given_up() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut done, mut given_up) = (0, 0);
        for program in std::iter::repeat_with(|| program(&mut numbers)).take(400) {
            let most = reduce::limits(&program);
            let Some(prices) = relax::prices(&program, &most, &|| false).filter(|_| tree::suits(&program, &most))
            else {
                continue;
            };
            let Some((value, bound, is_done)) = found(&program, &AtomicBool::new(false), true, Some(prices)) else {
                continue;
            };
            let (bound, best) = (bound.expect("a bound"), best(&program).expect("a plan is known"));
            let slack = 1e-9 * best.abs().max(1.0);
            let (low, high) = (value.min(bound), value.max(bound));
            assert!(low - slack <= best && best <= high + slack, "{value} {bound} {best}: {program:?}");
            (done, given_up) = if is_done { (done + 1, given_up) } else { (done, given_up + 1) };
        }
        assert!(done >= 40 && given_up >= 5, "{done} trees came to an end, {given_up} were given up");
    }

    #[test]
    fn who_stops_both_keeps_the_plan() {
        let mut numbers = Numbers(5);
        for program in std::iter::repeat_with(|| program(&mut numbers)).take(12) {
            let Some(start) = greedy::values(&Layout::new(&program), &|| false) else { continue };
            let (value, ..) = found(&program, &AtomicBool::new(true), false, None).expect("greedy has a plan");
            let (start, best) = (program.objective(&start), best(&program).expect("a plan is known"));
            let is_between = start.min(best) - 1e-9 <= value && value <= start.max(best) + 1e-9;
            assert!(is_between, "{value} is not between {start} and {best}: {program:?}");
        }
    }
}
