//! A proven plan turned into one as good with fewer units, then with fewer people.

use std::time::Instant;

use super::layout::Layout;
use super::multipliers::Multipliers;
use super::record::Record;
use super::rescue::Rescue;
use super::{OPTIMAL_GAP, SAME, Solution, Status, Watch, pipeline, steps};
use crate::model::{Aim, Program, Row};
use crate::reduce;
use crate::scenario::{Method, Options};

/// Among plans as good as a proven one, one with fewer units, then with fewer people; as far as time allows.
pub(super) fn settled(
    program: &Program,
    options: &Options,
    watch: &Watch<'_>,
    begun: Instant,
    solution: Solution,
    prices: Option<Multipliers>,
) -> Solution {
    /// Time for this, as a part of the time that the proof took, and at least so many seconds.
    const PART: f64 = 0.5;
    const LEAST_S: f64 = 1.0;
    // Who asks for a gap is in a hurry.
    let is_wanted = solution.status == Status::Optimal && options.gap <= 0.0;
    let Some(values) = solution.values.as_ref().filter(|_| is_wanted) else { return solution };
    let elapsed_s = begun.elapsed().as_secs_f64();
    let limit_s = (elapsed_s + (PART * elapsed_s).max(LEAST_S)).min(options.time_limit_s);
    let is_over = watch.clock(begun, limit_s);
    if is_settled(program, values, prices, &is_over) {
        return solution;
    }
    let Some(tied) = tied(program, values) else { return solution };
    // Beside large sums, the gap at which a search takes a plan for the best would hide people: one model asks for none.
    let is_told_apart = steps::step(&tied).is_some_and(|step| step > OPTIMAL_GAP * tied.cost(values));
    let is_searched = options.method != Method::Compact && is_told_apart;
    let method = if is_searched { Method::Auto } else { Method::Compact };
    let options = Options { time_limit_s: limit_s, gap: 0.0, method, ..*options };
    // Its values and bounds are costs of another kind: no one is to take them for the objective.
    let (unheard, nowhere) = (Watch { stop: watch.stop, report: &|_| {} }, Rescue::none());
    let mut record = Record::new(&tied, &options, &unheard, &nowhere, begun);
    record.offer("earlier", values);
    let Ok(_) = pipeline::run(&Layout::new(&tied), &options, &mut record) else { return solution };
    let Some(settled) = record.best else { return solution };
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

/// True where prices show, without a search, that fewer units are worth less, and people go with units.
fn is_settled(program: &Program, values: &[u32], prices: Option<Multipliers>, is_over: &dyn Fn() -> bool) -> bool {
    /// Prices of a unit that are tried.
    const TRIALS: u32 = 24;
    let [units, people] = &program.ties;
    let factor = |first: &[f64], second: &[f64]| {
        let factor =
            first.iter().zip(second).find(|(_, second)| **second > 0.0).map_or(0.0, |(first, second)| first / second);
        let is_alike = |(first, second): (&f64, &f64)| (first - factor * second).abs() <= SAME * first.abs();
        first.iter().zip(second).all(is_alike).then_some(factor)
    };
    if units.len() != values.len() || factor(people, units).is_none() {
        return false;
    }
    if let Aim::LeastCost { costs, .. } = &program.aim {
        return factor(costs, units).is_some_and(|factor| factor > 0.0);
    }
    let Some(mut prices) = prices else { return false };
    let count: f64 = units.iter().zip(values).map(|(units, value)| units * f64::from(*value)).sum();
    let mut fewer = program.clone();
    let terms = (0_u32..).zip(units).filter(|(_, units)| **units != 0.0).map(|(place, units)| (place, *units));
    let row =
        Row { rule: "fewer units".to_owned(), terms: terms.collect(), least: f64::NEG_INFINITY, most: count - 1.0 };
    fewer.add_row(row);
    prices.rows.push(0.0);
    let most = reduce::limits(program);
    let value = program.value(values);
    let mut is_less = |price: f64| {
        if let Some(last) = prices.rows.last_mut() {
            *last = price;
        }
        let bound = prices.bound(&fewer, &most);
        (bound < value - 1e-9 * value.abs(), bound)
    };
    // The bound is convex in the price: its least is found between two ends that close in.
    let (mut low, mut high) = (0.0, value);
    for _ in 0..TRIALS {
        if is_over() {
            break;
        }
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        let (is_left_less, left_bound) = is_less(left);
        let (is_right_less, right_bound) = is_less(right);
        if is_left_less || is_right_less {
            return true;
        }
        if left_bound <= right_bound { high = right } else { low = left }
    }
    false
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
                // Sums of the same costs in another order are rounded in another way.
                most: program.cost(values) * (1.0 + SAME),
            });
            *coverage
        }
    };
    tied.aim = Aim::LeastCost { costs, coverage };
    Some(tied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Variable;

    /// Three units cost as much as a large one, but for rounding.
    #[test]
    fn what_costs_the_same_is_allowed() {
        let aim = Aim::LeastCost { costs: vec![0.3, 0.3, 0.3, 0.9], coverage: 0.0 };
        let ties = [vec![1.0; 4], vec![0.0; 4]];
        let program = Program { ties, ..Program::new(aim, vec![Variable { most: 1 }; 4]) };
        let (three, large) = (vec![1, 1, 1, 0], vec![0, 0, 0, 1]);
        assert!(program.cost(&three) < program.cost(&large));
        let asked = tied(&program, &three).expect("there are units");
        assert_eq!(asked.broken_rule(&large), None);
        assert!(asked.broken_rule(&[1, 0, 0, 1]).is_some(), "but what costs more is not");
    }
}
