//! A few sets and what covers them turned into all ways to cover them, each with the least that it costs.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::layout::Layout;

/// Less of a variable is none.
pub(super) const NONE: f64 = 1e-7;

/// Some sets and all that covers them.
pub(super) struct Area {
    pub(super) sets: Vec<u32>,
    /// What each set earns with no unit, one unit and so on, rounded up to whole multiples of [`Self::unit`].
    ladders: Vec<Vec<i64>>,
    /// What all sets can earn.
    pub(super) worth: i64,
    /// A power of two, in the objective's units: sums of its multiples are exact.
    unit: f64,
    fields: Fields,
    /// Variables of which the answer has some.
    pub(super) used: Vec<Kind>,
    /// Other variables, those that can earn most first.
    pub(super) idle: Vec<Kind>,
    /// Variables that cannot be in a better plan.
    pub(super) hopeless: Vec<Kind>,
}

/// Variables that are in the same sets of an area.
pub(super) struct Kind {
    /// The sets, by number within the area.
    sets: Vec<usize>,
    /// One unit on each of them.
    unit: u128,
    pub(super) variables: Vec<u32>,
    /// Units there can be, as far as they matter.
    pub(super) limit: u32,
    /// Units of the answer.
    pub(super) value: f64,
}

impl Area {
    /// `limits` are the most that variables can be at all, `ranges` those that they may have in a better plan; `None` where the
    /// sets earn nothing or are too many.
    pub(super) fn new(
        layout: &Layout<'_>,
        (limits, ranges): (&[u32], &[(u32, u32)]),
        sets: &[u32],
        values: &[f64],
    ) -> Option<Self> {
        /// Bits of what all sets earn.
        const BITS: i32 = 40;
        let ladders: Vec<Vec<f64>> = sets.iter().map(|set| ladder(layout, *set)).collect();
        let worth: f64 = ladders.iter().filter_map(|ladder| ladder.last()).sum();
        if worth <= 0.0 || sets.len() > most_sets(layout, sets) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number is small")]
        let unit = 2.0_f64.powi(worth.log2().ceil() as i32 - BITS);
        #[expect(clippy::cast_possible_truncation, reason = "at most about 2^40")]
        let up = |number: &f64| (number / unit).ceil() as i64;
        let ladders: Vec<Vec<i64>> = ladders.iter().map(|ladder| ladder.iter().map(up).collect()).collect();
        let worth = ladders.iter().filter_map(|ladder| ladder.last()).sum();
        let fulls: Vec<u32> = sets.iter().map(|set| layout.terms[*set as usize].full()).collect();
        let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, set) in sets.iter().enumerate() {
            let variables = layout.program.sets.row(*set as usize).iter().filter(|place| limits[**place as usize] > 0);
            variables.for_each(|variable| holders.entry(*variable).or_default().push(place));
        }
        let mut alike: BTreeMap<(bool, Vec<usize>), Vec<u32>> = BTreeMap::new();
        for (variable, sets) in holders {
            alike.entry((ranges[variable as usize].1 == 0, sets)).or_default().push(variable);
        }
        let (fields, enough) = (Fields::new(&fulls), fulls.iter().copied().max().unwrap_or(0));
        let (used, idle, hopeless) = (Vec::new(), Vec::new(), Vec::new());
        let sets = sets.to_vec();
        let mut area = Self { sets, ladders, worth, unit, fields, used, idle, hopeless };
        for ((is_hopeless, sets), variables) in alike {
            let limit = variables.iter().fold(0_u32, |sum, variable| sum.saturating_add(limits[*variable as usize]));
            let value = variables.iter().map(|variable| values[*variable as usize]).sum();
            let unit = sets.iter().map(|set| area.fields.one(*set)).sum();
            let kind = Kind { sets, unit, variables, limit: limit.min(enough), value };
            match (is_hopeless, value > NONE) {
                (_, true) => area.used.push(kind),
                (false, false) => area.idle.push(kind),
                (true, false) => area.hopeless.push(kind),
            }
        }
        let mut idle = std::mem::take(&mut area.idle);
        idle.sort_by_cached_key(|kind| std::cmp::Reverse(area.gain(kind)));
        area.idle = idle;
        Some(area)
    }

    /// The most that a unit of a kind can earn, whatever other units there are.
    pub(super) fn gain(&self, kind: &Kind) -> i64 {
        let steepest = |set: &usize| self.ladders[*set].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        kind.sets.iter().map(steepest).sum()
    }

    /// What so many units of the used kinds earn.
    pub(super) fn earned(&self, units: &[u32]) -> i64 {
        let mut way = Way::NONE;
        for (kind, units) in self.used.iter().zip(units) {
            (0..*units).for_each(|_| way = self.with(&way, kind));
        }
        way.earns
    }

    /// A way with one unit of a kind more, at no cost.
    pub(super) fn with(&self, way: &Way, kind: &Kind) -> Way {
        let more = |set: &usize| {
            let (ladder, units) = (&self.ladders[*set], self.fields.on(way.units, *set));
            ladder.get(units + 1).map_or(0, |next| next - ladder[units])
        };
        let earns = way.earns + kind.sets.iter().map(more).sum::<i64>();
        Way { units: self.fields.with(way.units, kind.unit), earns, ..*way }
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

/// What a set earns with no unit, one unit and so on.
fn ladder(layout: &Layout<'_>, set: u32) -> Vec<f64> {
    let term = layout.terms[set as usize];
    let steps = (0..term.full()).scan(0.0, |sum, count| {
        *sum += layout.steps[term.step(count)];
        Some(term.weight * *sum)
    });
    std::iter::once(0.0).chain(steps).collect()
}

/// How many sets there is room for in an area.
pub(super) fn most_sets(layout: &Layout<'_>, sets: &[u32]) -> usize {
    let widest = sets.iter().map(|set| Fields::width_of(layout.terms[*set as usize].full())).max();
    (u128::BITS / widest.unwrap_or(1)) as usize
}

/// Units on each set, up to those at which it earns all it can, side by side in one number.
struct Fields {
    /// Bits of each set.
    width: u32,
    /// Added to all sets, it sets the highest bit of those with a unit too many.
    bias: u128,
    highest: u128,
}

impl Fields {
    /// Bits for a set that earns all it can at so many units, and one more.
    fn width_of(full: u32) -> u32 {
        1 + u32::BITS - full.leading_zeros()
    }

    fn new(fulls: &[u32]) -> Self {
        let width = fulls.iter().map(|full| Self::width_of(*full)).max().unwrap_or(1);
        let highest = 1_u128 << (width - 1);
        let sum = |of: &dyn Fn(u32) -> u128| (0..).zip(fulls).map(|(set, full)| of(*full) << (set * width)).sum();
        Self { width, bias: sum(&|full| highest - 1 - u128::from(full)), highest: sum(&|_| highest) }
    }

    /// One unit on a set.
    fn one(&self, set: usize) -> u128 {
        1 << self.shift(set)
    }

    /// Units on a set.
    fn on(&self, units: u128, set: usize) -> usize {
        let mask = (1 << self.width) - 1;
        usize::try_from(units >> self.shift(set) & mask).unwrap_or(usize::MAX)
    }

    /// One unit more on some sets.
    fn with(&self, units: u128, more: u128) -> u128 {
        let sum = units + more;
        sum - (((sum + self.bias) & self.highest) >> (self.width - 1))
    }

    fn shift(&self, set: usize) -> u32 {
        u32::try_from(set).unwrap_or(0) * self.width
    }
}

/// A way to cover the sets of an area.
#[derive(Clone, Copy)]
pub(super) struct Way {
    units: u128,
    pub(super) earns: i64,
    /// What was paid for the units; not positive.
    pub(super) paid: i64,
    /// A bit for each unit that leads here, where units have bits.
    pub(super) steps: u128,
}

impl Way {
    const NONE: Self = Self { units: 0, earns: 0, paid: 0, steps: 0 };
}

/// Ways to cover the sets of an area, each with the least that has to be paid for it.
pub(super) struct Ways<'a> {
    area: &'a Area,
    place_of: FxHashMap<u128, usize>,
    pub(super) all: Vec<Way>,
    /// Ways for which as much is paid cannot end above what is known.
    floor: i64,
}

impl<'a> Ways<'a> {
    /// Without any units; what ends at `known` or below is left out.
    pub(super) fn new(area: &'a Area, known: i64) -> Self {
        let place_of = std::iter::once((0, 0)).collect();
        Self { area, place_of, all: vec![Way::NONE], floor: known - area.worth }
    }

    /// One unit of a kind more or none, at a price; the unit has this bit.
    pub(super) fn spread(&mut self, kind: &Kind, price: i64, step: u128) {
        let from = self.all.iter().filter(|way| way.paid - price > self.floor);
        let next = from.map(|way| Way { paid: way.paid - price, steps: way.steps | step, ..self.area.with(way, kind) });
        for way in next.collect::<Vec<Way>>() {
            if let Some(place) = self.place_of.get(&way.units) {
                let before = &mut self.all[*place];
                *before = if before.paid < way.paid { way } else { *before };
            } else {
                self.place_of.insert(way.units, self.all.len());
                self.all.push(way);
            }
        }
    }

    /// The way that ends highest.
    pub(super) fn best(&self) -> Way {
        self.all.iter().copied().max_by_key(|way| way.earns + way.paid).unwrap_or(Way::NONE)
    }
}
