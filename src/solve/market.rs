//! Prices turned into what sets buy and contributors give at them, and into how each price would have to move.

use rayon::prelude::*;

use super::layout::Layout;
use super::multipliers::{Multipliers, Proof, allowed};
use super::tally::{Answer, Forced, Leaf, Tally};
use crate::cover::Rows;
use crate::model::{Aim, Program, Row, TermGroup};

/// A number for each set, each row of posts and each part: prices, or by how much what they lead to is out of balance.
#[derive(Clone)]
pub(super) struct Numbers {
    sets: Vec<f64>,
    rows: Vec<f64>,
    parts: Vec<f64>,
}

/// What prices lead to.
pub(super) struct Told {
    /// No plan is above it; for the least cost, none is below it with the sign turned.
    pub(super) height: f64,
    /// How the height changes with each price.
    pub(super) slope: Numbers,
    answer: Answer,
    worth: Vec<f64>,
}

/// A program taken apart by prices.
pub(super) struct Market<'a> {
    layout: &'a Layout<'a>,
    /// Sets of each item of the bundles.
    sets_of: Rows,
    tally: Tally<'a>,
    /// True where contributors give whole units.
    pub(super) is_whole: bool,
    /// How far each price moves for the same imbalance.
    scales: Numbers,
    most: &'a [u32],
}

impl<'a> Market<'a> {
    /// A market, and prices at which the sets would buy about what a plan gives them; `value` is the plan's objective.
    ///
    /// # Cost
    /// Linear in the items of sets and rows.
    pub(super) fn new(
        layout: &'a Layout<'_>,
        most: &'a [u32],
        (start, value): (&[u32], f64),
    ) -> Option<(Self, Numbers)> {
        let program = layout.program;
        let tally = Tally::new(layout, most)?;
        let bundles = layout.bundles();
        let sets_of = bundles.sets.transposed(program.variables.len() + bundles.members.len());
        let posts = (0_u32..).zip(start).filter(|(variable, _)| layout.is_post(*variable));
        let units: f64 = posts.map(|(_, units)| f64::from(*units)).sum();
        let part = first_part(program, value);
        let unit = match program.aim {
            Aim::MostValue => value,
            Aim::LeastCost { .. } => part,
        } / units.max(1.0);
        let (mut tops, mut sets) = (vec![0.0; program.sets.len()], vec![0.0; program.sets.len()]);
        for group in &program.groups {
            let level = |place: usize| group.levels.get(place).copied().unwrap_or(0.0);
            let top = group.levels.iter().copied().fold(0.0, f64::max);
            for term in &group.terms {
                let count = usize::try_from(program.count(term.set, start)).unwrap_or(usize::MAX);
                let slope = if count == 0 { level(0) } else { 0.5 * (level(count - 1) + level(count)) };
                let weight = term.weight * group.scale * part;
                tops[term.set as usize] = weight * top;
                sets[term.set as usize] = weight * slope;
            }
        }
        let of_row = |(row, is_in): (&Row, &bool)| {
            let largest = row.terms.iter().map(|(_, factor)| factor.abs()).fold(1.0, f64::max);
            if *is_in { 0.0 } else { unit / (largest * largest) }
        };
        let rows = program.rows.iter().zip(&tally.is_in).map(of_row).collect();
        let is_fixed = program.parts == 1 && matches!(program.aim, Aim::MostValue);
        let parts = vec![if is_fixed { 0.0 } else { part }; program.parts];
        let first = Numbers { sets, rows: vec![0.0; program.rows.len()], parts: vec![part; program.parts] };
        let scales = Numbers { sets: tops, rows, parts };
        Some((Self { layout, sets_of, tally, is_whole: false, scales, most }, first))
    }

    /// What one unit of each variable is worth.
    fn worth(&self, prices: &Numbers) -> Vec<f64> {
        let program = self.layout.program;
        let (sets_of, sets) = (&self.sets_of, &prices.sets);
        let of_item = |item: usize| sets_of.row(item).iter().map(|set| sets[*set as usize]).sum::<f64>();
        let items: Vec<f64> = (0..sets_of.len()).into_par_iter().map(of_item).collect();
        let (worth, sums) = items.split_at(program.variables.len());
        let mut worth = worth.to_vec();
        for (members, sum) in self.layout.bundles().members.iter().zip(sums) {
            members.iter().for_each(|variable| worth[*variable as usize] += sum);
        }
        if let Aim::LeastCost { costs, .. } = &program.aim {
            worth.iter_mut().zip(costs).for_each(|(worth, cost)| *worth -= cost);
        }
        for (row, price) in program.rows.iter().zip(&prices.rows).filter(|(_, price)| **price != 0.0) {
            row.terms.iter().for_each(|(variable, factor)| worth[*variable as usize] -= price * factor);
        }
        worth
    }

    /// What prices lead to; `None` where HiGHS fails or has to stop.
    pub(super) fn asked(&mut self, prices: &Numbers, is_over: &(dyn Fn() -> bool + Sync)) -> Option<Told> {
        let worth = self.worth(prices);
        let answer =
            if self.is_whole { self.tally.guessed_whole(&worth, is_over) } else { self.tally.best(&worth, is_over) }?;
        let program = self.layout.program;
        let zero = |numbers: &[f64]| vec![0.0; numbers.len()];
        let mut slope = Numbers { sets: zero(&prices.sets), rows: zero(&prices.rows), parts: zero(&prices.parts) };
        let mut height = answer.worth;
        for (variable, value) in &answer.values {
            for set in self.layout.sets_of.row(*variable as usize) {
                slope.sets[*set as usize] += value;
            }
            for (row, factor) in self.layout.rows_of(*variable) {
                slope.rows[*row as usize] -= factor * value;
            }
        }
        for group in &program.groups {
            let part = prices.parts[group.part];
            for term in &group.terms {
                let (weight, price) = (term.weight * group.scale, prices.sets[term.set as usize]);
                let (count, earned) = bought(group, weight * part, price);
                slope.sets[term.set as usize] -= f64::from(count);
                slope.parts[group.part] += weight * earned;
                height += part * weight * earned - price * f64::from(count);
            }
        }
        for (place, row) in program.rows.iter().enumerate() {
            let (sum, price) = (-slope.rows[place], prices.rows[place]);
            slope.rows[place] = if self.tally.is_in[place] { 0.0 } else { side(row, price, sum) - sum };
            height += if price == 0.0 { 0.0 } else { price * side(row, price, sum) };
        }
        if let Aim::LeastCost { coverage, .. } = program.aim {
            for (slope, price) in slope.parts.iter_mut().zip(&prices.parts) {
                *slope -= coverage;
                height -= coverage * price;
            }
        }
        Some(Told { height, slope, answer, worth })
    }

    /// Prices moved against a slope, as far as they may.
    pub(super) fn moved(&self, prices: &Numbers, slope: &Numbers, length: f64) -> Numbers {
        let along = |prices: &[f64], slope: &[f64], scales: &[f64]| -> Vec<f64> {
            let moved = |((price, slope), scale): ((&f64, &f64), &f64)| price - length * scale * slope;
            prices.iter().zip(slope).zip(scales).map(moved).collect()
        };
        let program = self.layout.program;
        let mut sets = along(&prices.sets, &slope.sets, &self.scales.sets);
        sets.iter_mut().zip(&self.scales.sets).for_each(|(price, top)| *price = price.clamp(0.0, *top));
        let mut rows = along(&prices.rows, &slope.rows, &self.scales.rows);
        rows.iter_mut().zip(&program.rows).for_each(|(price, row)| *price = allowed(row, *price));
        let mut parts = along(&prices.parts, &slope.parts, &self.scales.parts);
        parts.iter_mut().for_each(|price| *price = price.max(0.0));
        let sum: f64 = parts.iter().sum();
        if matches!(program.aim, Aim::MostValue) && sum > 0.0 {
            parts.iter_mut().for_each(|price| *price /= sum);
        }
        Numbers { sets, rows, parts }
    }

    /// Square of a slope's length, without what the prices' limits hold back.
    pub(super) fn square(&self, prices: &Numbers, slope: &Numbers) -> f64 {
        let sets = prices.sets.iter().zip(&slope.sets).zip(&self.scales.sets).map(|((price, slope), scale)| {
            let is_held = (*slope > 0.0 && *price <= 0.0) || (*slope < 0.0 && *price >= *scale);
            if is_held { 0.0 } else { scale * slope * slope }
        });
        let rows = prices.rows.iter().zip(&slope.rows).zip(&self.scales.rows).zip(&self.layout.program.rows);
        let rows = rows.map(|(((price, slope), scale), row)| {
            let is_held = *price == 0.0 && allowed(row, -slope) == 0.0;
            if is_held { 0.0 } else { scale * slope * slope }
        });
        let parts = slope.parts.iter().zip(&self.scales.parts).map(|(slope, scale)| scale * slope * slope);
        sets.chain(rows).chain(parts).sum()
    }

    /// How far two slopes agree.
    pub(super) fn product(&self, a: &Numbers, b: &Numbers) -> f64 {
        let of = |a: &[f64], b: &[f64], scales: &[f64]| -> f64 {
            a.iter().zip(b).zip(scales).map(|((a, b), scale)| a * b * scale).sum()
        };
        let scales = &self.scales;
        of(&a.sets, &b.sets, &scales.sets) + of(&a.rows, &b.rows, &scales.rows) + of(&a.parts, &b.parts, &scales.parts)
    }

    /// All prices, those of contributors' rows included.
    pub(super) fn multipliers(&self, prices: &Numbers, told: &Told) -> Multipliers {
        let mut multipliers = prices.bare();
        for (row, price) in of_contributors((&self.tally.rows, &self.tally.forced), &told.answer.duals, &told.worth) {
            multipliers.rows[row as usize] += price;
        }
        multipliers.mended(self.layout.program)
    }

    /// What prices and what they led to prove of whole units, in whole numbers; `slack` is what the proof may miss.
    ///
    /// Contributors' rows have other prices in each of the ranges into which the tally falls apart; the bound is the weakest of
    /// them. That ranges hold no values at all is HiGHS's word, asked for twice.
    pub(super) fn proof(
        &mut self,
        prices: &Numbers,
        told: &Told,
        slack: f64,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Option<Proof> {
        let program = self.layout.program;
        let leaves = self.tally.leaves(&told.worth, slack, is_over)?;
        let root: Vec<(u32, u32)> = self.most.iter().map(|most| (0, *most)).collect();
        let ledger = prices.bare().mended(program).ledger(program, &root, &[], None);
        let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
        let nothing = || (f64::NEG_INFINITY, vec![f64::NEG_INFINITY; root.len()]);
        let (rows, forced) = (&self.tally.rows[..], &self.tally.forced[..]);
        let with_leaf = |(top, mut reach): (f64, Vec<f64>), Leaf { narrowed, duals }: &Leaf| {
            let (mut ledger, mut ranges) = (ledger.clone(), root.clone());
            narrowed.iter().for_each(|(variable, least, most)| ranges[*variable as usize] = (*least, *most));
            for (row, price) in of_contributors((rows, forced), duals, &told.worth) {
                ledger.charge(&program.rows[row as usize], price);
            }
            let proof = ledger.proof(program, &ranges);
            let height = sign * proof.bound;
            for ((reach, loss), (least, most)) in reach.iter_mut().zip(&proof.loss).zip(&ranges) {
                // Where some unit must be, the next is not the first.
                let with = if *least > 0 { height } else { height - loss.max(0.0) };
                *reach = if *most == 0 { *reach } else { reach.max(with) };
            }
            (top.max(height), reach)
        };
        let further = |(top, mut reach): (f64, Vec<f64>), (other, others): (f64, Vec<f64>)| {
            reach.iter_mut().zip(others).for_each(|(reach, other)| *reach = reach.max(other));
            (top.max(other), reach)
        };
        let (top, reach) = leaves.par_iter().fold(nothing, with_leaf).reduce(nothing, further);
        let loss = reach.iter().map(|reach| top - reach).collect();
        Some(Proof { bound: sign * top, loss, full: Vec::new() })
    }
}

/// Rows and prices of what contributors give, and of posts that must hold units although they are worth less than others.
fn of_contributors<'a>(
    (rows, forced): (&'a [u32], &'a [Forced]),
    duals: &'a [f64],
    worth: &'a [f64],
) -> impl Iterator<Item = (u32, f64)> + 'a {
    let forced = forced.iter().map(|forced| {
        let short = duals[forced.balance] - worth[forced.variable as usize];
        (forced.row, -short.max(0.0) / forced.factor)
    });
    rows.iter().copied().zip(duals.iter().copied()).chain(forced)
}

impl Numbers {
    /// Prices without those of contributors' rows.
    fn bare(&self) -> Multipliers {
        let Self { sets, rows, parts } = self.clone();
        Multipliers { parts, rows, sets, left_out: Vec::new() }
    }

    /// Moves a mean towards the last of what it is the mean of.
    pub(super) fn move_towards(&mut self, last: &Self, weight: f64) {
        let lists = [(&mut self.sets, &last.sets), (&mut self.rows, &last.rows), (&mut self.parts, &last.parts)];
        for (mean, last) in lists {
            mean.iter_mut().zip(last).for_each(|(mean, last)| *mean += weight * (last - *mean));
        }
    }
}

/// Price of each part to begin with.
fn first_part(program: &Program, value: f64) -> f64 {
    let parts = f64::from(u32::try_from(program.parts).unwrap_or(u32::MAX));
    match program.aim {
        Aim::MostValue => 1.0 / parts,
        Aim::LeastCost { coverage, .. } => value / (coverage.max(1e-3) * parts),
    }
}

/// The side of a row that its price belongs to; without a price, the one that is broken or nearer.
fn side(row: &Row, price: f64, sum: f64) -> f64 {
    let is_most = price > 0.0 || (price == 0.0 && (sum > row.most || row.least.is_infinite()));
    if is_most && row.most.is_finite() { row.most } else { row.least }
}

/// The units that a set buys at a price, and what they earn before the weight.
fn bought(group: &TermGroup, weight: f64, price: f64) -> (u32, f64) {
    let (mut best, mut most, mut value) = ((0, 0.0), 0.0, 0.0);
    for (count, level) in (1..).zip(&group.levels[..group.full_at()]) {
        value += level;
        let left = weight * value - price * f64::from(count);
        if left > most {
            (best, most) = ((count, value), left);
        }
    }
    best
}
