//! Exact reductions: the same optimum with each of them and without, on questions of every rule.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;

use coverplan::model::{self, Aim, Attribution, Program, Row, TermGroup, Variable};
use coverplan::reduce::{self, Dominated, Precedence, REDUCTIONS, Reduction, presolve};
use coverplan::scenario::{Method, Options};
use coverplan::solve::{self as solver, Rescue, Solution, Status, Watch};
use coverplan::{cover, plan};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::properties::{question, same};

type Solver = fn(&Program, &Options, &Watch<'_>, &Rescue<'_>) -> Result<Solution, coverplan::problem::SolveError>;

fn answer(by: Solver, program: &Program, options: &Options) -> Solution {
    let stop = AtomicBool::new(false);
    by(program, options, &Watch { stop: &stop, report: &|_| {} }, &Rescue::none()).expect("the solver works")
}

/// Objective, and among equals the units and the people, of an answer that is proven.
fn merits(program: &Program, solution: &Solution) -> Option<[f64; 3]> {
    let values = solution.values.as_ref()?;
    let sum = |costs: &[f64]| costs.iter().zip(values).map(|(cost, value)| cost * f64::from(*value)).sum();
    Some([program.objective(values), sum(&program.ties[0]), sum(&program.ties[1])])
}

fn are_same(one: Option<[f64; 3]>, other: Option<[f64; 3]>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.iter().zip(&other).all(|(one, other)| same(Some(*one), Some(*other))),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Every subset of the reductions, and none, on random questions of every rule; each reduction has to take something away
/// in a good part of them, or the test would say nothing.
#[test]
fn each_reduction_changes_no_optimum_and_no_tie() {
    let (zero, dominated, questions) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&question(), |question| {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let (program, _) = model::build(&scenario, &cover::build(&scenario), Attribution::Counts);
        let plain = answer(solver::unreduced, &program, &scenario.options);
        let expected = merits(&program, &plain);
        questions.set(questions.get() + 1);
        for reductions in [&REDUCTIONS[..], &[Reduction::Zero], &[Reduction::Dominated]] {
            let Some(presolved) = presolve(&program, reductions, &|| false) else { continue };
            zero.set(zero.get() + usize::from(reductions == [Reduction::Zero]));
            dominated.set(dominated.get() + usize::from(!presolved.dominated.is_empty()));
            let smaller = &presolved.reduced.program;
            let mut solution = answer(solver::unreduced, smaller, &scenario.options);
            solution.values = solution.values.map(|values| presolved.reduced.back(&values));
            if let Some(values) = &solution.values {
                prop_assert_eq!(program.broken_rule(values), None, "{:?}", reductions);
            }
            let found = merits(&program, &solution);
            prop_assert!(are_same(found, expected), "{reductions:?}: {found:?} and {expected:?} without");
        }
        Ok(())
    });
    outcome.expect("no reduction changes an optimum");
    let (zero, dominated, questions) = (zero.get(), dominated.get(), questions.get());
    assert!(10 * zero > questions, "only {zero} of {questions} questions have variables that must be zero");
    assert!(30 * dominated > questions, "only {dominated} of {questions} questions have dominated variables");
}

/// Prices that prove the bound of the smaller program prove it, lifted, for the one that was asked; but for a few tiny
/// questions where the weights of merged sets make the steps of the value wider.
#[test]
fn certificates_are_lifted() {
    let (kept, lost) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&question(), |question| {
        let Ok(mut scenario) = question.scene(0.0).read() else { return Ok(()) };
        scenario.options.method = Method::Search;
        let (program, _) = model::build(&scenario, &cover::build(&scenario), Attribution::Counts);
        let Some(presolved) = presolve(&program, &REDUCTIONS, &|| false) else { return Ok(()) };
        let smaller = answer(solver::unreduced, &presolved.reduced.program, &scenario.options);
        let solution = answer(solver::solve, &program, &scenario.options);
        if let Some(prices) = &solution.certificate {
            kept.set(kept.get() + 1);
            let proven = prices.bound(&program, &reduce::limits(&program));
            let over = match program.aim {
                Aim::MostValue => proven - solution.bound,
                Aim::LeastCost { .. } => solution.bound - proven,
            };
            prop_assert!(over <= 1e-9 * solution.bound.abs().max(1.0), "{proven} proven, {} claimed", solution.bound);
        } else if smaller.certificate.is_some() {
            lost.set(lost.get() + 1);
        }
        Ok(())
    });
    outcome.expect("no certificate proves less than is claimed");
    let (kept, lost) = (kept.get(), lost.get());
    assert!(kept > 20 && 4 * lost < kept, "{kept} certificates kept, {lost} lost");
}

/// Three posts of one lot in a row, the middle one reaching what the others reach; `room` units each, `units` in all.
fn row_of_posts(room: f64, units: f64, levels: &[f64], is_shared: bool) -> Program {
    let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1_000_000 }; 4]);
    let balance = vec![(0, 1.0), (1, 1.0), (2, 1.0), (3, -1.0)];
    program.add_row(Row { rule: String::new(), terms: balance, least: 0.0, most: 0.0 });
    let mut at_most = |terms: Vec<(u32, f64)>, most: f64| {
        program.add_row(Row { rule: "a limit".to_owned(), terms, least: f64::NEG_INFINITY, most });
    };
    at_most(vec![(3, 1.0)], units);
    if is_shared {
        at_most(vec![(0, 1.0), (1, 1.0)], room);
    } else {
        (0..3).for_each(|post| at_most(vec![(post, 1.0)], room));
    }
    let sets: [&[u32]; 3] = [&[0, 1], &[1], &[1, 2]];
    let weights = [3.0, 1.0, 5.0];
    let group = TermGroup { part: 0, levels: levels.to_vec(), scale: 1.0 / 9.0, terms: Vec::new() };
    program.add_group(group, sets.into_iter().zip(&weights));
    program
}

#[test]
fn only_posts_that_another_can_stand_in_for_are_dominated() {
    let dominated = |program: &Program| -> Vec<u32> {
        reduce::dominated(program, &[true; 4], &|| false).into_iter().map(|gone| gone.variable).collect()
    };
    assert_eq!(dominated(&row_of_posts(1.0, 2.0, &[1.0], false)), [2, 0]);
    // Two units wanted, room for one: the others are the backup.
    assert_eq!(dominated(&row_of_posts(1.0, 2.0, &[1.0, 0.5], false)), [0_u32; 0]);
    assert_eq!(dominated(&row_of_posts(2.0, 2.0, &[1.0, 0.5], false)), [2, 0]);
    // Room that the middle post shares with the first: only the first may give its units to it.
    assert_eq!(dominated(&row_of_posts(1.0, 2.0, &[1.0], true)), [0]);
    // A unit that must be given cannot be dropped.
    let mut program = row_of_posts(1.0, 2.0, &[1.0], false);
    program.add_row(Row { rule: "all".to_owned(), terms: vec![(3, 1.0)], least: 2.0, most: f64::INFINITY });
    assert_eq!(dominated(&program), [0_u32; 0]);
    // A cost that the middle post alone has.
    let mut program = row_of_posts(1.0, 2.0, &[1.0], false);
    program.ties[0] = vec![0.0, 1.0, 0.0, 0.0];
    assert_eq!(dominated(&program), [0_u32; 0]);
}

/// Posts along a road of eight sites: each reaches so many from one on and holds so many units; how much the first unit on a site
/// earns, the second and so on; units in all.
fn road(posts: &[(u32, u32, u32)], levels: &[f64], units: u32) -> Program {
    const SITES: u32 = 8;
    let variables = posts.iter().map(|(_, _, room)| Variable { most: *room }).collect();
    let mut program = Program::new(Aim::MostValue, variables);
    program.ties[0] = vec![1.0; posts.len()];
    let terms = (0..).zip(posts).map(|(post, _)| (post, 1.0)).collect();
    let most = f64::from(units);
    program.add_row(Row { rule: "the offer".to_owned(), terms, least: f64::NEG_INFINITY, most });
    let reaching = |site: u32| {
        let reaches = |(_, post): &(u32, &(u32, u32, u32))| (post.0..post.0 + post.1).contains(&site);
        (0..).zip(posts).filter(reaches).map(|(number, _)| number).collect::<Vec<u32>>()
    };
    let (sets, weights): (Vec<_>, Vec<f64>) = (0..SITES).map(|site| (reaching(site), f64::from(site % 3 + 1))).unzip();
    let group = TermGroup { part: 0, levels: levels.to_vec(), scale: 1.0, terms: Vec::new() };
    program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights).filter(|(set, _)| !set.is_empty()));
    program
}

/// The most that a program is worth, and the fewest units for it, of all values that are allowed.
fn best_allowed(program: &Program, is_allowed: impl Fn(&[u32]) -> bool) -> (f64, u32) {
    let mut best = (f64::NEG_INFINITY, 0);
    let mut values = vec![0; program.variables.len()];
    loop {
        if program.broken_rule(&values).is_none() && is_allowed(&values) {
            let (value, units) = (program.objective(&values), values.iter().sum());
            let is_same = (value - best.0).abs() <= 1e-9;
            if !is_same && value > best.0 || is_same && units < best.1 {
                best = (value, units);
            }
        }
        let has_room = |place: &usize| values[*place] < program.variables[*place].most;
        let Some(next) = (0..values.len()).find(has_room) else { return best };
        values[..next].fill(0);
        values[next] += 1;
    }
}

/// Every way to place units, those without the posts that others dominate, and those that fill posts in order: as much is earned
/// with as few units.
#[test]
fn what_several_dominate_is_not_missed() {
    let posts = prop::collection::vec((0_u32..6, 1_u32..5, 1_u32..3), 2..7);
    let levels =
        prop::sample::select(vec![vec![1.0], vec![0.0, 1.0], vec![0.6, 1.0], vec![1.0, 0.5, 0.2], vec![0.0, 0.0, 1.0]]);
    let (together, ordered) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&(posts, levels, 1_u32..6), |(posts, levels, units)| {
        let program = road(&posts, &levels, units);
        let dominated = reduce::dominated(&program, &vec![true; posts.len()], &|| false);
        let order = reduce::precedences(&program, &|| false);
        let is_without = |values: &[u32]| dominated.iter().all(|gone| values[gone.variable as usize] == 0);
        let is_in_order = |values: &[u32]| {
            order.iter().all(|rule| values[rule.then as usize] == 0 || values[rule.first as usize] >= rule.room)
        };
        let expected = best_allowed(&program, |_| true);
        for found in [best_allowed(&program, is_without), best_allowed(&program, is_in_order)] {
            prop_assert!((found.0 - expected.0).abs() <= 1e-9 && found.1 == expected.1, "{found:?} and {expected:?}");
        }
        ordered.set(ordered.get() + usize::from(!order.is_empty()));
        together.set(together.get() + usize::from(dominated.iter().any(|gone| gone.others.len() > 1)));
        Ok(())
    });
    outcome.expect("no dominated post is missed");
    assert!(together.get() > 100, "only in {} of 1,000 questions several dominate one", together.get());
    assert!(ordered.get() > 300, "only in {} of 1,000 questions posts have an order", ordered.get());
}

/// Two posts with room for a unit each reach what a third does: where sites are to be covered twice, what the third could give
/// they have given when they are full; where three times, it may be the third.
#[test]
fn posts_dominate_together() {
    let program = |levels: &[f64]| {
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; 3]);
        let terms = vec![(0, 1.0), (1, 1.0), (2, 1.0)];
        program.add_row(Row { rule: "the offer".to_owned(), terms, least: f64::NEG_INFINITY, most: 2.0 });
        let group = TermGroup { part: 0, levels: levels.to_vec(), scale: 0.25, terms: Vec::new() };
        let sets: [&[u32]; 3] = [&[0, 1, 2], &[1], &[2]];
        program.add_group(group, sets.into_iter().zip(&[1.0, 1.0, 2.0]));
        program
    };
    let dominated = |levels: &[f64]| reduce::dominated(&program(levels), &[true; 3], &|| false);
    let gone = Dominated { variable: 0, others: vec![1, 2] };
    let behind = |first: u32| Precedence { first, room: 1, then: 0 };
    assert_eq!(reduce::precedences(&program(&[0.0, 1.0]), &|| false), [behind(1), behind(2)]);
    assert_eq!(dominated(&[0.0, 1.0]), [gone]);
    assert_eq!(dominated(&[0.0, 0.0, 1.0]), []);
}

/// Who has no time gets a plan all the same, of the program as it is.
#[test]
fn without_time_nothing_is_reduced_and_there_is_a_plan() {
    let program = row_of_posts(1.0, 2.0, &[1.0], false);
    assert_eq!(presolve(&program, &REDUCTIONS, &|| true), None);
    let options = Options { time_limit_s: 0.0, gap: 0.0, seed: 0, threads: 1, method: Method::Decompose };
    let solution = answer(solver::solve, &program, &options);
    assert_eq!(solution.reductions, []);
    assert_eq!(program.broken_rule(&solution.values.expect("greedy has a plan")), None);
}

/// A certificate survives: the prices of two posts that are gone are made for the one that is left.
#[test]
fn the_certificate_of_a_reduced_program_proves_the_whole() {
    let program = row_of_posts(1.0, 2.0, &[1.0], false);
    let options = Options { time_limit_s: 10.0, gap: 0.0, seed: 0, threads: 1, method: Method::Search };
    let solution = answer(solver::solve, &program, &options);
    assert_eq!(solution.status, Status::Optimal);
    assert!(solution.reductions.contains(&("variables that others dominate", 2)));
    let prices: &plan::Multipliers = solution.certificate.as_ref().expect("prices prove it");
    assert_eq!(prices.sets.len(), 3);
    assert!(prices.bound(&program, &reduce::limits(&program)) <= solution.bound + 1e-12);
}
