//! Faults of HiGHS, on purpose: a sound model turned into the answers of a broken solver; part of the tests alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use highs::{Model, Sense};

use super::{Attempt, Kept, Rescue, Solution, Status, StopReason, Watch, highs_ffi, solve};
use crate::model::{Aim, Program, Row, TermGroup, Variable};
use crate::problem::SolveError;
use crate::scenario::{Method, Options};

/// What HiGHS does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It returns an error.
    Error,
    /// It returns an error once, after some runs.
    Once,
    /// It makes small what it should make large: values that are no good and a bound below a known plan.
    Bound,
    /// It forgets the rows: levels earned by no one, called optimal.
    Values,
    /// It also sets every column to one: a plan that breaks the rules, called optimal.
    Rules,
    /// It calls the model infeasible.
    Infeasible,
    /// It neither ends nor calls back.
    Hang,
    /// Its thread panics.
    Panic,
    /// The callback panics.
    Callback,
}

static FAULT: Mutex<Option<Fault>> = Mutex::new(None);

/// Runs until it happens, where it happens once.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// Does something while HiGHS returns an error in a run, after so many others; says whether it came to that.
pub(super) fn failing_once<Found>(runs: u32, done: impl FnOnce() -> Found) -> (Found, bool) {
    RUNS.store(runs + 1, Ordering::SeqCst);
    *FAULT.lock().expect("no test panics with it") = Some(Fault::Once);
    let found = done();
    *FAULT.lock().expect("no test panics with it") = None;
    (found, RUNS.load(Ordering::SeqCst) == 0)
}

fn fault() -> Option<Fault> {
    FAULT.lock().ok().and_then(|fault| *fault)
}

/// The model as the fault wants it; `None` where HiGHS is to return an error.
pub(super) fn spoilt(mut model: Model) -> Option<Model> {
    match fault() {
        Some(Fault::Error) => return None,
        Some(Fault::Once) => {
            let left = RUNS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left == Ok(1) {
                return None;
            }
        }
        Some(Fault::Bound) => model.set_sense(Sense::Minimise),
        Some(Fault::Values) => highs_ffi::forget(&mut model, false),
        Some(Fault::Rules) => highs_ffi::forget(&mut model, true),
        Some(Fault::Infeasible) => {
            model.add_row(1.0..=1.0, Vec::<(highs::Col, f64)>::new());
        }
        _ => {}
    }
    Some(model)
}

/// Called on the thread of HiGHS before it works.
pub(super) fn on_thread() {
    match fault() {
        Some(Fault::Hang) => loop {
            std::thread::park();
        },
        other => assert!(other != Some(Fault::Panic), "a fault on purpose"),
    }
}

/// Called inside the callback.
pub(super) fn in_callback() {
    assert!(fault() != Some(Fault::Callback), "a fault on purpose");
}

/// A ring of posts, each covering three sites, at most one unit a post and seven in all: greedy falls short of the best.
fn ring() -> Program {
    ring_beside(0)
}

/// The same, with so many posts that cover one site alone, each of which another can stand in for.
fn ring_beside(others: u32) -> Program {
    const POSTS: u32 = 40;
    let mut variables = vec![Variable { most: 1 }; (POSTS + 1 + others) as usize];
    variables[POSTS as usize].most = 9;
    let mut program = Program::new(Aim::MostValue, variables);
    let factor = |variable: u32| if variable == POSTS { -1.0 } else { 1.0 };
    let balance = (0..=POSTS + others).map(|variable| (variable, factor(variable))).collect();
    program.add_row(Row { rule: String::new(), terms: balance, least: 0.0, most: 0.0 });
    let seven = vec![(POSTS, 1.0)];
    program.add_row(Row { rule: "seven units".to_owned(), terms: seven, least: f64::NEG_INFINITY, most: 7.0 });
    let sets: Vec<Vec<u32>> = (0..POSTS)
        .map(|site| {
            let mut set = vec![site, (site + 1) % POSTS, (site * 7 + 3) % POSTS];
            set.extend((site < others).then_some(POSTS + 1 + site));
            set.sort_unstable();
            set.dedup();
            set
        })
        .collect();
    let weights: Vec<f64> = (0..POSTS).map(|site| f64::from(1 + site * 17 % 23)).collect();
    let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0 / weights.iter().sum::<f64>(), terms: Vec::new() };
    program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
    program
}

fn solved(method: Method, time_limit_s: f64) -> Result<Solution, SolveError> {
    let options = Options { time_limit_s, gap: 0.0, seed: 0, threads: 1, method };
    solve(&ring(), &options, &Watch { stop: &AtomicBool::new(false), report: &|_| {} }, &Rescue::none())
}

/// Whatever HiGHS does, a plan that keeps the rules comes out, its bound is true, and the fault is told.
#[test]
fn a_broken_solver_costs_the_proof_and_never_the_plan() {
    let sound = solved(Method::Compact, 20.0).expect("HiGHS works");
    assert_eq!((sound.status, sound.faults.len()), (Status::Optimal, 0));
    let best = ring().value(sound.values.as_ref().expect("a plan"));
    for (fault, words) in [
        (Fault::Error, "broke off"),
        (Fault::Bound, "nothing is better than"),
        (Fault::Values, "for optimal"),
        (Fault::Rules, "breaks a rule"),
        (Fault::Infeasible, "status Infeasible"),
        (Fault::Hang, "left behind"),
        (Fault::Panic, "broke off"),
        (Fault::Callback, "broke off"),
    ] {
        *FAULT.lock().expect("no one panics while holding it") = Some(fault);
        let solutions =
            [Method::Compact, Method::Decompose, Method::Search].map(|method| (method, solved(method, 0.5)));
        *FAULT.lock().expect("no one panics while holding it") = None;
        for (method, solution) in solutions {
            let solution = solution.expect("greedy has a plan");
            let values = solution.values.as_ref().expect("greedy has a plan");
            assert_eq!(ring().broken_rule(values), None, "{fault:?} {method:?}");
            assert!(solution.bound >= best - 1e-12, "{fault:?} {method:?}: bound {} and best {best}", solution.bound);
            let is_best = ring().value(values) >= best - 1e-12;
            assert!(solution.status != Status::Optimal || is_best, "{fault:?} {method:?}");
            if method == Method::Compact {
                assert!(solution.faults.iter().any(|told| told.contains(words)), "{fault:?}: {:?}", solution.faults);
                let reason = if fault == Fault::Hang { StopReason::TimeLimit } else { StopReason::Error };
                assert_eq!(solution.stop_reason, reason, "{fault:?}");
            }
        }
    }
}

/// What was kept of an attempt that broke off is where the next begins, even one without time to reduce the program first.
#[test]
fn what_is_kept_outlives_the_time_limit() {
    let program = ring_beside(20);
    let options = Options { time_limit_s: 20.0, gap: 0.0, seed: 0, threads: 1, method: Method::Compact };
    let stop = AtomicBool::new(false);
    let watch = Watch { stop: &stop, report: &|_| {} };
    let kept = Mutex::new(Vec::new());
    let keep = |news: Kept<'_>| {
        if let Kept::Values(values) = news {
            *kept.lock().expect("no one panics while holding it") = values.to_vec();
        }
    };
    let solution = solve(&program, &options, &watch, &Rescue { keep: &keep, ..Rescue::none() }).expect("HiGHS works");
    assert!(solution.reductions.iter().any(|(name, count)| name.contains("dominate") && *count >= 20));
    let best = kept.into_inner().expect("no one panicked");
    assert_eq!((solution.values.as_ref(), program.broken_rule(&best)), (Some(&best), None));
    for spent_s in [0.0, 100.0] {
        let rescue = Rescue { attempt: Attempt::WithoutSolver, values: Some(best.clone()), spent_s, ..Rescue::none() };
        let again = solve(&program, &options, &watch, &rescue).expect("a plan is known");
        assert_eq!(again.values.as_ref(), Some(&best), "after {spent_s} s");
    }
}
