//! Prices on the rows and terms of a program turned into a bound that no plan can beat.

use std::collections::BTreeMap;

use super::joint::PricedJoint;
use super::steps;
use crate::model::{Aim, Program, Row, TermGroup};

/// Prices: one per part of the value, per row and per covering term.
///
/// Any prices give a sound bound (weak duality); good ones, from whatever engine, give a close one.
///
/// # Shape
/// `parts` as [`Program::parts`], `rows` as [`Program::rows`], `sets` as [`Program::sets`]; `left_out` holds what has a price.
///
/// # Units
/// Those of the program's objective per unit of the row or per unit on the set.
#[derive(Clone, Debug, PartialEq)]
pub struct Multipliers {
    /// What a share of each part is worth; they are not negative.
    pub parts: Vec<f64>,
    /// What one more on the right side of each row is worth: positive where `most` binds, negative where `least` does.
    pub rows: Vec<f64>,
    /// What one more unit on each set is worth; they are not negative.
    pub sets: Vec<f64>,
    /// What one more unit of any but one variable of a set is worth, by set and variable.
    pub left_out: Vec<LeftOut>,
}

/// A price on what a set earns without one of its variables: with as many levels as there are units, the units of the
/// others must make up for what goes beyond the most of the one.
///
/// # Source
/// A site that must be covered twice stays covered once without any one unit: `y <= sum of x without x_k`. Such rows are
/// facets of what a single site allows (Wolsey 1998, section 9.3, covers and lifting).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// The set.
    pub set: u32,
    /// The variable that is left out.
    pub variable: u32,
    /// The price; not negative.
    pub price: f64,
}

/// What each unit is worth and what is paid in all at some prices, in whole numbers.
#[derive(Clone)]
pub(super) struct Ledger {
    fixed: Fixed,
    worth: Vec<i128>,
    total: i128,
    /// For every set whose levels rise and that is not decided, the most that it adds with less than all of its levels, less what
    /// it adds with all; empty where nobody decides.
    full: Vec<(u32, i128)>,
}

/// Sets whose levels rise and of which it is decided whether they earn all that they can.
pub(super) type Decided = BTreeMap<u32, bool>;

impl Ledger {
    /// Takes in that a row has a price, besides those that it has already.
    pub(super) fn charge(&mut self, row: &Row, price: f64) {
        let price = self.fixed.near(allowed(row, price));
        if price == 0 {
            return;
        }
        self.total += price * whole(if price > 0 { row.most } else { row.least });
        for (variable, factor) in &row.terms {
            self.worth[*variable as usize] -= price * whole(*factor);
        }
    }

    /// What follows for values within ranges, which must be within those that the ledger was made for.
    pub(super) fn proof(&self, program: &Program, ranges: &[(u32, u32)]) -> Proof {
        let mut total = self.total;
        for (worth, (least, most)) in self.worth.iter().zip(ranges) {
            total += worth * i128::from(if *worth > 0 { *most } else { *least });
        }
        let loss = self.worth.iter().map(|worth| -self.fixed.float(*worth)).collect();
        let bound = self.fixed.float(total);
        let bound = if matches!(program.aim, Aim::MostValue) { bound } else { -bound };
        let full = self.full.iter().map(|(set, loss)| (*set, self.fixed.float(*loss))).collect();
        Proof { bound, loss, full }
    }
}

/// Sums in whole multiples of a power of two, so that they are exact in any order; rounded against the one who proves.
#[derive(Clone, Copy)]
struct Fixed {
    unit: f64,
}

impl Fixed {
    /// Bits of the largest number.
    const BITS: i32 = 60;

    /// A unit in which the largest of the numbers has [`Self::BITS`] bits.
    fn new(largest: f64) -> Self {
        let exponent = largest.max(f64::MIN_POSITIVE).log2().ceil();
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number is small")]
        let exponent = exponent as i32;
        Self { unit: 2.0_f64.powi(Self::BITS - exponent) }
    }

    /// The next multiple upwards.
    #[expect(clippy::cast_possible_truncation, reason = "at most a few times 2^60")]
    fn up(self, number: f64) -> i128 {
        (number * self.unit).ceil() as i128
    }

    /// The nearest multiple, for prices: any prices are sound.
    #[expect(clippy::cast_possible_truncation, reason = "at most a few times 2^60")]
    fn near(self, number: f64) -> i128 {
        (number * self.unit).round() as i128
    }

    /// A float not below the number.
    #[expect(clippy::cast_precision_loss, reason = "rounded upwards right after")]
    fn float(self, number: i128) -> f64 {
        (number as f64 / self.unit).next_up()
    }
}

/// A bound and what it says of single variables.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proof {
    /// No values are better than this, as it comes out of the sums.
    pub(super) bound: f64,
    /// For every variable, by how much its next unit makes the bound worse (positive) or is already counted in it
    /// (negative: each unit less makes it worse by so much).
    pub(super) loss: Vec<f64>,
    /// For every set whose levels rise and that is not decided, where sets are, by how much it makes the bound worse that the set
    /// earns all that it can (positive), or that it earns less (negative).
    pub(super) full: Vec<(u32, f64)>,
}

impl Multipliers {
    /// Prices that say nothing.
    #[must_use]
    pub fn zero(program: &Program) -> Self {
        let mut parts = vec![0.0; program.parts];
        if matches!(program.aim, Aim::MostValue) {
            parts[0] = 1.0;
        }
        Self { parts, rows: vec![0.0; program.rows.len()], sets: vec![0.0; program.sets.len()], left_out: Vec::new() }
    }

    /// Makes prices that break their sign allowed ones, and the parts' prices of a value sum up to one.
    #[must_use]
    pub fn mended(mut self, program: &Program) -> Self {
        self.sets.iter_mut().for_each(|price| *price = sound(*price).max(0.0));
        self.parts.iter_mut().for_each(|price| *price = sound(*price).max(0.0));
        self.left_out.iter_mut().for_each(|left_out| left_out.price = sound(left_out.price).max(0.0));
        self.left_out.retain(|left_out| left_out.price > 0.0 && left_out.is_known(program));
        self.left_out.sort_by_key(|left_out| (left_out.set, left_out.variable));
        self.left_out.dedup_by(|later, first| {
            let is_same = (later.set, later.variable) == (first.set, first.variable);
            first.price += if is_same { later.price } else { 0.0 };
            is_same
        });
        self.rows.iter_mut().zip(&program.rows).for_each(|(price, row)| *price = allowed(row, *price));
        if matches!(program.aim, Aim::MostValue) {
            let sum: f64 = self.parts.iter().sum();
            if sum > 0.0 {
                self.parts.iter_mut().for_each(|price| *price /= sum);
            } else {
                self.parts = Self::zero(program).parts;
            }
        }
        self
    }

    /// A bound on the objective of all values that keep the rules: not below the best value, not above the least cost.
    /// `most` says how large each variable can be at all. Moved to the next objective that whole values can have.
    ///
    /// # Cost
    /// Linear in the items of sets and rows.
    ///
    /// # Source
    /// Lagrange duality (Geoffrion 1974): rows and the links between units and levels are priced, what is left falls
    /// apart into single variables. Summed in whole numbers, so the order does not matter and rounding is upwards only.
    #[must_use]
    pub fn bound(&self, program: &Program, most: &[u32]) -> f64 {
        let bound = self.proof(program, most).bound;
        steps::step_within(program, most).map_or(bound, |step| steps::attainable_by(program, bound, step))
    }

    /// The bound with what it says of each variable.
    pub(super) fn proof(&self, program: &Program, most: &[u32]) -> Proof {
        let ranges: Vec<(u32, u32)> = most.iter().map(|most| (0, *most)).collect();
        self.proof_within(program, &ranges)
    }

    /// As [`Self::proof`], of the values within these ranges, least and most.
    pub(super) fn proof_within(&self, program: &Program, ranges: &[(u32, u32)]) -> Proof {
        self.ledger(program, ranges, &[], None).proof(program, ranges)
    }

    /// What each unit is worth at these prices, and at those on several sets together, and what is paid besides, for values
    /// within these ranges with which some sets earn what is decided.
    pub(super) fn ledger(
        &self,
        program: &Program,
        ranges: &[(u32, u32)],
        joints: &[PricedJoint],
        decided: Option<&Decided>,
    ) -> Ledger {
        let costs: &[f64] = match &program.aim {
            Aim::MostValue => &[],
            Aim::LeastCost { costs, .. } => costs,
        };
        let fixed = Fixed::new(self.largest(costs));
        let mut worth = vec![0_i128; program.variables.len()];
        let mut total = 0_i128;
        let mut full = Vec::new();
        // What a set earns is paid for in each of these.
        let mut shares = vec![0.0; if joints.is_empty() { 0 } else { program.sets.len() }];
        for PricedJoint { joint, price } in joints {
            let price = sound(*price).max(0.0);
            total += fixed.up(guarded(price * joint.most));
            joint.sets.iter().for_each(|(set, factor)| shares[*set as usize] += price * factor);
            for (variable, factor) in &joint.factors {
                worth[*variable as usize] += fixed.up(guarded(price * factor));
            }
        }
        for group in &program.groups {
            let is_rising = !group.is_concave();
            for term in &group.terms {
                let without = self.left_out_of(term.set).iter();
                let without: Vec<(u32, i128)> =
                    without.map(|left_out| (left_out.variable, fixed.near(left_out.price))).collect();
                let unit = fixed.near(self.sets[term.set as usize]);
                let share = shares.get(term.set as usize).copied().unwrap_or(0.0);
                let part = self.parts[group.part];
                // Sums of shares are rounded; by less than this.
                let slack = if share > 0.0 { 64.0 * f64::EPSILON * (part + share) } else { 0.0 };
                let scale = term.weight * group.scale * (part - share + slack);
                let paid = |count: u32| {
                    let beyond = |variable: u32| i128::from(count.saturating_sub(ranges[variable as usize].1));
                    let others = without.iter().map(|(variable, price)| price * beyond(*variable));
                    unit * i128::from(count) + others.sum::<i128>()
                };
                let (less, all) = best_ends(group, |value| fixed.up(scale * value), paid);
                total += match decided.and_then(|decided| decided.get(&term.set)) {
                    Some(true) => all,
                    Some(false) => less,
                    None => less.max(all),
                };
                if is_rising && decided.is_some_and(|decided| !decided.contains_key(&term.set)) {
                    full.push((term.set, less - all));
                }
                let all = unit + without.iter().map(|(_, price)| price).sum::<i128>();
                for variable in program.sets.row(term.set as usize) {
                    worth[*variable as usize] += all;
                }
                without.iter().for_each(|(variable, price)| worth[*variable as usize] -= price);
            }
        }
        for (worth, cost) in worth.iter_mut().zip(costs) {
            *worth -= -fixed.up(-cost);
        }
        if let Aim::LeastCost { coverage, .. } = program.aim {
            total -= self.parts.iter().map(|price| -fixed.up(-price * coverage)).sum::<i128>();
        }
        let mut ledger = Ledger { fixed, worth, total, full };
        let priced = program.rows.iter().zip(&self.rows);
        priced.for_each(|(row, price)| ledger.charge(row, *price));
        ledger
    }

    /// Those of a set; they are in order of the sets.
    pub(super) fn left_out_of(&self, set: u32) -> &[LeftOut] {
        let begin = self.left_out.partition_point(|left_out| left_out.set < set);
        let end = self.left_out.partition_point(|left_out| left_out.set <= set);
        &self.left_out[begin..end]
    }

    /// What a unit of a variable is worth to one of its sets.
    pub(super) fn worth(&self, set: u32, variable: u32) -> f64 {
        let others = self.left_out_of(set).iter().filter(|left_out| left_out.variable != variable);
        self.sets[set as usize] + others.map(|left_out| left_out.price).sum::<f64>()
    }

    /// Multiplies the prices of a set.
    pub(super) fn scale(&mut self, set: u32, factor: f64) {
        self.sets[set as usize] *= factor;
        let begin = self.left_out.partition_point(|left_out| left_out.set < set);
        self.left_out[begin..]
            .iter_mut()
            .take_while(|left_out| left_out.set == set)
            .for_each(|left_out| left_out.price *= factor);
    }

    /// The largest number of the sums.
    fn largest(&self, costs: &[f64]) -> f64 {
        let left_out = self.left_out.iter().map(|left_out| &left_out.price);
        let numbers = self.parts.iter().chain(&self.rows).chain(&self.sets).chain(left_out).chain(costs);
        numbers.map(|number| number.abs()).fold(1e-30, f64::max)
    }
}

impl LeftOut {
    /// True where the program has the set and the set has the variable.
    fn is_known(&self, program: &Program) -> bool {
        let set = self.set as usize;
        set < program.sets.len() && program.sets.row(set).binary_search(&self.variable).is_ok()
    }
}

/// A product of two numbers, moved upwards by more than it was rounded.
fn guarded(number: f64) -> f64 {
    number + 16.0 * f64::EPSILON * number.abs()
}

/// A price that is a number.
fn sound(price: f64) -> f64 {
    if price.is_finite() { price } else { 0.0 }
}

/// A price of a row with the sign that it may have.
pub(super) fn allowed(row: &Row, price: f64) -> f64 {
    let least = if row.least.is_finite() { f64::NEG_INFINITY } else { 0.0 };
    let most = if row.most.is_finite() { f64::INFINITY } else { 0.0 };
    sound(price).clamp(least, most)
}

/// The most that a term can earn when so many units on it have to be paid for: with less than all of its levels, and with all.
fn best_ends(group: &TermGroup, worth: impl Fn(f64) -> i128, paid: impl Fn(u32) -> i128) -> (i128, i128) {
    let (mut less, mut all, mut value) = (0, 0, 0.0);
    for (count, level) in (1..).zip(&group.levels[..group.full_at()]) {
        // There are more levels.
        less = less.max(all);
        value += level;
        all = worth(value) - paid(count);
    }
    (less, all)
}

/// Coefficients and sides of rows are whole.
#[expect(clippy::cast_possible_truncation, reason = "numbers of units and people are whole and far below 2^53")]
fn whole(number: f64) -> i128 {
    number as i128
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{Numbers, POSTS, program, units_within};

    /// Whatever the prices and whatever is decided, no plan that keeps to it beats the bound; nor, where a set earns all it can or
    /// less, the bound made worse by what that costs.
    #[test]
    fn no_plan_that_keeps_to_what_is_decided_beats_the_bound() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let (mut reached, mut decisive) = (0, 0);
        for _ in 0..150 {
            let program = program(&mut numbers);
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            let ranges: Vec<(u32, u32)> =
                program.variables.iter().map(|entry| (u32::from(numbers.below(6) == 0), entry.most)).collect();
            let price = |numbers: &mut Numbers| f64::from(numbers.below(8)) / 40.0;
            let mut prices = Multipliers::zero(&program);
            prices.parts.iter_mut().for_each(|part| *part = 0.1 + price(&mut numbers));
            prices.rows.iter_mut().for_each(|row| *row = price(&mut numbers));
            prices.sets.iter_mut().for_each(|set| *set = price(&mut numbers));
            let prices = prices.mended(&program);
            let rising = program.groups.iter().filter(|group| !group.is_concave());
            let full_at: BTreeMap<u32, u64> =
                rising.flat_map(|group| group.terms.iter().map(|term| (term.set, group.full_at() as u64))).collect();
            let some = full_at.keys().filter(|_| numbers.below(4) == 0).copied().collect::<Vec<_>>();
            let decided: Decided = some.into_iter().map(|set| (set, numbers.below(2) == 0)).collect();
            let proof = prices.ledger(&program, &ranges, &[], Some(&decided)).proof(&program, &ranges);
            let is_full = |set: u32, plan: &[u32]| program.count(set, plan) >= full_at[&set];
            let plans = units_within(&[2; POSTS as usize]).into_iter().filter(|plan| {
                let within = plan.iter().zip(&ranges).all(|(value, (least, most))| least <= value && value <= most);
                let keeps = decided.iter().all(|(set, full)| is_full(*set, plan) == *full);
                within && keeps && program.broken_rule(plan).is_none()
            });
            assert!(proof.full.iter().all(|(set, _)| !decided.contains_key(set)));
            for plan in plans {
                let (height, bound) = (sign * program.objective(&plan), sign * proof.bound);
                assert!(height <= bound + 1e-12, "{height} {bound} {plan:?} {decided:?}: {program:?}");
                for (set, loss) in &proof.full {
                    let lost = if is_full(*set, &plan) { loss.max(0.0) } else { (-loss).max(0.0) };
                    assert!(height <= bound - lost + 1e-12, "{height} {bound} {lost} {set} {plan:?}: {program:?}");
                    decisive += u32::from(lost > 0.0);
                }
                reached += 1;
            }
        }
        assert!(reached > 10_000 && decisive > 10_000, "{reached} plans, {decisive} with a loss");
    }
}
