//! Prices of units that are still to come turned into the most that each set can still earn beyond what these cost.

use super::region::{self, Kind, Region};

/// For each set of a region, by the units on it, the most that units to come can earn there beyond its share of their prices.
pub(super) struct Prospects {
    of: Vec<Vec<i64>>,
}

impl Prospects {
    /// With units of these kinds to come, each kind at a price for a unit, which is not negative.
    ///
    /// A kind's price is shared out among its sets, and a set asks no unit for more than the least that a kind to come has left
    /// for it. So what units to come earn beyond what they cost is, over all sets, at most what these earn beyond their shares.
    ///
    /// # Cost
    /// A look at all sets of all kinds, three times.
    ///
    /// # Source
    /// Dual ascent: Erlenkotter 1978.
    pub(super) fn new(region: &Region, to_come: &[(&Kind, i64)]) -> Self {
        let worth: Vec<i64> = region.steps.iter().map(|steps| steps.iter().sum()).collect();
        // A larger share changes nothing.
        let dearest: Vec<i64> = region.steps.iter().map(|steps| steps.iter().copied().max().unwrap_or(0)).collect();
        // First each set has the part of a price that it has of what the kind's sets can earn.
        let mut shares = dearest.clone();
        let mut coming = vec![0_usize; worth.len()];
        for (kind, price) in to_come {
            let all: i64 = kind.sets.iter().map(|set| worth[*set]).sum();
            for set in &kind.sets {
                shares[*set] = shares[*set].min(part(*price, worth[*set], all));
                coming[*set] += kind.limit as usize;
            }
        }
        // Then sets take what is left, one after the other.
        let sum = |sets: &[usize]| sets.iter().map(|set| shares[*set]).sum::<i64>();
        let mut left: Vec<i64> = to_come.iter().map(|(kind, price)| price - sum(&kind.sets)).collect();
        let mut holders = vec![Vec::new(); worth.len()];
        for (place, (kind, _)) in to_come.iter().enumerate() {
            kind.sets.iter().for_each(|set| holders[*set].push(place));
        }
        for ((share, dearest), holders) in shares.iter_mut().zip(dearest).zip(&holders) {
            *share += region::asked(&mut left, holders, dearest - *share);
        }
        let of = region.steps.iter().zip(shares).zip(coming);
        Self { of: of.map(|((steps, share), coming)| beyond(steps, share, coming)).collect() }
    }

    /// The most with so many units on each set.
    pub(super) fn most(&self, units: impl Fn(usize) -> usize) -> i64 {
        self.of.iter().enumerate().map(|(set, most)| most[units(set)]).sum()
    }

    /// How much more it is with one unit more on a set that has so many and can have one more.
    pub(super) fn change(&self, set: usize, units: usize) -> i64 {
        self.of[set][units + 1] - self.of[set][units]
    }
}

/// What up to so many units more earn beyond their shares at most, by the units that are there.
fn beyond(steps: &[i64], share: i64, coming: usize) -> Vec<i64> {
    let mut all = vec![0; steps.len() + 1];
    for (place, step) in steps.iter().enumerate().rev() {
        all[place] = if coming >= steps.len() {
            (all[place + 1] + step - share).max(0)
        } else {
            let sums = steps[place..].iter().take(coming).scan(0, |sum, step| {
                *sum += step - share;
                Some(*sum)
            });
            sums.max().unwrap_or(0).max(0)
        };
    }
    all
}

/// The part of a price that one number is of another, rounded down.
fn part(price: i64, of: i64, all: i64) -> i64 {
    if all <= 0 {
        return 0;
    }
    i64::try_from(i128::from(price) * i128::from(of) / i128::from(all)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::layout::Layout;
    use crate::solve::trials::{Numbers, POSTS, program, units_within};

    /// Whatever units come, they earn no more beyond their prices than was said; and sometimes as much.
    #[test]
    fn units_to_come_earn_no_more_than_is_said() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut near, mut tried) = (0, 0);
        for _ in 0..300 {
            let program = program(&mut numbers);
            let layout = Layout::new(&program);
            let sets: Vec<u32> = (0_u32..).take(program.sets.len()).filter(|_| numbers.below(2) > 0).collect();
            let limits: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let ranges: Vec<(u32, u32)> = limits.iter().map(|limit| (0, *limit)).collect();
            let half = [0.5; POSTS as usize];
            let Some(region) = Region::new(&layout, (&limits, &ranges), &sets, &half) else { continue };
            let mut price = |kind: &Kind| region.gain(kind) / 100 * i64::from(numbers.below(120));
            let mut to_come: Vec<(&Kind, i64)> = region.used.iter().map(|kind| (kind, price(kind))).collect();
            to_come.retain(|_| numbers.below(3) > 0);
            if to_come.is_empty() {
                continue;
            }
            let prospects = Prospects::new(&region, &to_come);
            let plans = units_within(&to_come.iter().map(|(kind, _)| kind.limit).collect::<Vec<_>>());
            for _ in 0..5 {
                let some = |steps: &Vec<i64>| numbers.below(u32::try_from(steps.len()).expect("few") + 1) as usize;
                let before: Vec<usize> = region.steps.iter().map(some).collect();
                let said = prospects.most(|set| before[set]);
                let net = |plan: &Vec<u32>| -> i64 {
                    let mut units = before.clone();
                    let mut paid = 0;
                    for ((kind, price), count) in to_come.iter().zip(plan) {
                        kind.sets.iter().for_each(|set| units[*set] += *count as usize);
                        paid += price * i64::from(*count);
                    }
                    let earned = region.steps.iter().zip(&before).zip(&units);
                    earned
                        .map(|((steps, before), units)| steps.iter().take(*units).skip(*before).sum::<i64>())
                        .sum::<i64>()
                        - paid
                };
                let most = plans.iter().map(net).max().unwrap_or(0);
                assert!(most <= said, "{most} is more than {said}");
                (near, tried) = (near + u32::from(said - most <= said / 100), tried + 1);
            }
        }
        assert!(near * 3 > tried, "{near} of {tried} are near");
    }
}
