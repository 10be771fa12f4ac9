//! A few sets and what covers them turned into whole numbers: what units earn there, and which variables give them.

use std::collections::BTreeMap;

use super::layout::Layout;

/// Less of a variable is none.
pub(super) const NONE: f64 = 1e-7;

/// Some sets and all that covers them.
pub(super) struct Region {
    pub(super) sets: Vec<u32>,
    /// What the first unit on each set earns, the second and so on, rounded up to whole multiples of [`Self::unit`].
    pub(super) steps: Vec<Vec<i64>>,
    /// What all sets can earn.
    pub(super) worth: i64,
    /// A power of two, in the objective's units: sums of its multiples are exact.
    unit: f64,
    /// Variables of which the answer has some.
    pub(super) used: Vec<Kind>,
    /// Other variables, those that can earn most first.
    pub(super) idle: Vec<Kind>,
    /// Variables that cannot be in a better plan.
    pub(super) hopeless: Vec<Kind>,
}

/// Variables that are in the same sets of a region.
pub(super) struct Kind {
    /// The sets, by number within the region, none twice.
    pub(super) sets: Vec<usize>,
    pub(super) variables: Vec<u32>,
    /// Units there can be, as far as they matter.
    pub(super) limit: u32,
    /// Units of the answer.
    pub(super) value: f64,
}

/// How the best whole units of a region are found.
pub(super) trait Whole {
    /// Units to begin with.
    fn known(&self) -> Vec<Vec<u32>>;

    /// What whole units of the used kinds earn beyond what they cost at most, and no less than `known`; and units that earn more
    /// than was known, the best among them unless that would take too long. `None` where nothing can be said in time.
    fn dearest(&self, prices: &[i64], known: i64) -> Option<(i64, Vec<Vec<u32>>)>;

    /// Prices of the idle kinds, as low as can be one after the other, at which whole units earn at most `top` beyond what they
    /// cost, as those of the used kinds at their prices do; `None` where it is over before.
    fn lifted(&self, prices: &[i64], top: i64, is_over: &dyn Fn() -> bool) -> Option<Vec<i64>>;
}

impl Region {
    /// `limits` are the most that variables can be at all, `ranges` those that they may have in a better plan; `None` where the
    /// sets earn nothing.
    pub(super) fn new(
        layout: &Layout<'_>,
        (limits, ranges): (&[u32], &[(u32, u32)]),
        sets: &[u32],
        values: &[f64],
    ) -> Option<Self> {
        /// Bits of what all sets earn.
        const BITS: i32 = 40;
        let steps: Vec<Vec<f64>> = sets.iter().map(|set| steps(layout, *set)).collect();
        let worth: f64 = steps.iter().flatten().sum();
        if worth <= 0.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number is small")]
        let unit = 2.0_f64.powi(worth.log2().ceil() as i32 - BITS);
        #[expect(clippy::cast_possible_truncation, reason = "at most about 2^40")]
        let up = |number: &f64| (number / unit).ceil() as i64;
        let steps: Vec<Vec<i64>> = steps.iter().map(|steps| steps.iter().map(up).collect()).collect();
        let worth = steps.iter().flatten().sum();
        let enough = steps.iter().map(Vec::len).max().unwrap_or(0);
        let enough = u32::try_from(enough).unwrap_or(u32::MAX);
        let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, set) in sets.iter().enumerate() {
            let variables = layout.program.sets.row(*set as usize).iter().filter(|place| limits[**place as usize] > 0);
            variables.for_each(|variable| holders.entry(*variable).or_default().push(place));
        }
        let mut alike: BTreeMap<(bool, Vec<usize>), Vec<u32>> = BTreeMap::new();
        for (variable, sets) in holders {
            alike.entry((ranges[variable as usize].1 == 0, sets)).or_default().push(variable);
        }
        let (used, idle, hopeless) = (Vec::new(), Vec::new(), Vec::new());
        let mut region = Self { sets: sets.to_vec(), steps, worth, unit, used, idle, hopeless };
        for ((is_hopeless, sets), variables) in alike {
            let limit = variables.iter().fold(0_u32, |sum, variable| sum.saturating_add(limits[*variable as usize]));
            let value = variables.iter().map(|variable| values[*variable as usize]).sum();
            let kind = Kind { sets, variables, limit: limit.min(enough), value };
            match (is_hopeless, value > NONE) {
                (_, true) => region.used.push(kind),
                (false, false) => region.idle.push(kind),
                (true, false) => region.hopeless.push(kind),
            }
        }
        let mut idle = std::mem::take(&mut region.idle);
        idle.sort_by_cached_key(|kind| std::cmp::Reverse(region.gain(kind)));
        region.idle = idle;
        Some(region)
    }

    /// The most that a unit of a kind can earn, whatever other units there are.
    pub(super) fn gain(&self, kind: &Kind) -> i64 {
        kind.sets.iter().filter_map(|set| self.steps[*set].iter().max()).sum()
    }

    /// What so many units of the used kinds earn.
    pub(super) fn earned(&self, units: &[u32]) -> i64 {
        let mut counts = vec![0; self.sets.len()];
        for (kind, units) in self.used.iter().zip(units) {
            kind.sets.iter().for_each(|set| counts[*set] += *units as usize);
        }
        self.steps.iter().zip(counts).map(|(steps, count)| steps.iter().take(count).sum::<i64>()).sum()
    }

    /// Units of the used kinds as variables, one for each unit.
    pub(super) fn named(&self, all: &[Vec<u32>]) -> Vec<Vec<u32>> {
        let named = |units: &Vec<u32>| {
            let of = |(kind, units): (&Kind, &u32)| std::iter::repeat_n(kind.variables[0], *units as usize);
            self.used.iter().zip(units).flat_map(of).collect()
        };
        all.iter().map(named).collect()
    }

    /// In the objective's units.
    #[expect(clippy::cast_precision_loss, reason = "at most about 2^50")]
    pub(super) fn float(&self, number: i64) -> f64 {
        number as f64 * self.unit
    }

    /// The nearest multiple of the unit that is not negative.
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    pub(super) fn whole(&self, number: f64) -> i64 {
        (number / self.unit).round().clamp(0.0, 2.0_f64.powi(42)) as i64
    }
}

/// What a set asks a unit for, so much at most: the least that any of its holders has left of its price; all give it.
pub(super) fn asked(left: &mut [i64], holders: &[usize], most: i64) -> i64 {
    let asked = holders.iter().map(|holder| left[*holder]).min().unwrap_or(0).min(most);
    holders.iter().for_each(|holder| left[*holder] -= asked);
    asked
}

/// A unit's share of a number, rounded up.
pub(super) fn share(number: i64, units: u32) -> i64 {
    let units = i64::from(units);
    number.div_euclid(units) + i64::from(number.rem_euclid(units) > 0)
}

/// What the first unit on a set earns, the second and so on.
fn steps(layout: &Layout<'_>, set: u32) -> Vec<f64> {
    let term = layout.terms[set as usize];
    (0..term.full()).map(|count| term.weight * layout.steps[term.step(count)]).collect()
}
