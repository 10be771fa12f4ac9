//! A region of a few sets turned into all ways to cover them, each with the least that it costs.

use rustc_hash::FxHashMap;

use super::layout::Layout;
use super::region::{self, Kind, Region, Whole};

/// More ways to cover a region are not followed.
const WAYS: usize = 40_000;

/// A region with the units on each of its sets packed into one number; levels may rise.
pub(super) struct Area<'a> {
    region: &'a Region,
    fields: Fields,
}

impl<'a> Area<'a> {
    /// `None` where there is no room for all sets, or for a bit for each unit.
    pub(super) fn new(region: &'a Region) -> Option<Self> {
        let fulls: Vec<u32> = region.steps.iter().map(|steps| u32::try_from(steps.len()).unwrap_or(u32::MAX)).collect();
        let units: u32 = region.used.iter().map(|kind| kind.limit).sum();
        let has_room = fulls.len() <= room(fulls.iter().copied()) && units <= u128::BITS;
        has_room.then(|| Self { region, fields: Fields::new(&fulls) })
    }

    /// One unit of a kind.
    fn unit(&self, kind: &Kind) -> u128 {
        kind.sets.iter().map(|set| self.fields.one(*set)).sum()
    }

    /// A way with one unit of a kind more, at no cost.
    fn with(&self, way: &Way, kind: &Kind, unit: u128) -> Way {
        let more = |set: &usize| self.region.steps[*set].get(self.fields.on(way.units, *set)).unwrap_or(&0);
        let earns = way.earns + kind.sets.iter().map(more).sum::<i64>();
        Way { units: self.fields.with(way.units, unit), earns, ..*way }
    }
}

impl Whole for Area<'_> {
    /// One unit of each kind alone, and of each two.
    fn known(&self) -> Vec<Vec<u32>> {
        let kinds = &self.region.used;
        let mut all = Vec::new();
        for first in 0..kinds.len() {
            for second in first..kinds.len() {
                let mut units = vec![0; kinds.len()];
                units[first] += 1;
                units[second] += u32::from(kinds[second].limit > units[second]);
                all.push(units);
            }
        }
        all
    }

    fn dearest(&self, prices: &[i64], known: i64) -> Option<(i64, Vec<Vec<u32>>)> {
        let used = &self.region.used;
        let mut ways = Ways::new(self, known);
        let mut step = 0;
        for (kind, price) in used.iter().zip(prices) {
            for _ in 0..kind.limit {
                ways.spread(kind, *price, 1 << step);
                step += 1;
            }
            if ways.all.len() > WAYS {
                return None;
            }
        }
        let best = ways.best();
        let mut bits = (0..u128::BITS).map(|step| u32::from(best.steps >> step & 1 == 1));
        let units = used.iter().map(|kind| bits.by_ref().take(kind.limit as usize).sum()).collect();
        let height = best.earns + best.paid;
        Some((height.max(known), if height > known { vec![units] } else { Vec::new() }))
    }

    fn lifted(&self, prices: &[i64], top: i64) -> Vec<i64> {
        let mut ways = Ways::new(self, top);
        for (kind, price) in self.region.used.iter().zip(prices) {
            (0..kind.limit).for_each(|_| ways.spread(kind, *price, 0));
        }
        let lift = |kind: &Kind| {
            if ways.all.len() > WAYS {
                return self.region.gain(kind);
            }
            let unit = self.unit(kind);
            let beyond = |units: u32| {
                let after = |way| (0..units).fold(way, |way, _| self.with(&way, kind, unit));
                let ends = ways.all.iter().map(|way| after(*way)).map(|way| way.earns + way.paid - top);
                region::share(ends.max().unwrap_or(0), units)
            };
            let price = (1..=kind.limit).map(beyond).max().unwrap_or(0).max(0);
            (0..kind.limit).for_each(|_| ways.spread(kind, price, 0));
            price
        };
        self.region.idle.iter().map(lift).collect()
    }
}

/// How many sets there is room for in an area.
pub(super) fn most_sets(layout: &Layout<'_>, sets: &[u32]) -> usize {
    room(sets.iter().map(|set| layout.terms[*set as usize].full()))
}

/// The same for sets that earn all they can at so many units.
fn room(fulls: impl Iterator<Item = u32>) -> usize {
    (u128::BITS / fulls.map(Fields::width_of).max().unwrap_or(1)) as usize
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
struct Way {
    units: u128,
    earns: i64,
    /// What was paid for the units; not positive.
    paid: i64,
    /// A bit for each unit that leads here, where units have bits.
    steps: u128,
}

impl Way {
    const NONE: Self = Self { units: 0, earns: 0, paid: 0, steps: 0 };
}

/// Ways to cover the sets of an area, each with the least that has to be paid for it.
struct Ways<'a> {
    area: &'a Area<'a>,
    place_of: FxHashMap<u128, usize>,
    all: Vec<Way>,
    /// Ways for which as much is paid cannot end above what is known.
    floor: i64,
}

impl<'a> Ways<'a> {
    /// Without any units; what ends at `known` or below is left out.
    fn new(area: &'a Area<'a>, known: i64) -> Self {
        let place_of = std::iter::once((0, 0)).collect();
        Self { area, place_of, all: vec![Way::NONE], floor: known - area.region.worth }
    }

    /// One unit of a kind more or none, at a price; the unit has this bit.
    fn spread(&mut self, kind: &Kind, price: i64, step: u128) {
        let unit = self.area.unit(kind);
        let from = self.all.iter().filter(|way| way.paid - price > self.floor);
        let next =
            from.map(|way| Way { paid: way.paid - price, steps: way.steps | step, ..self.area.with(way, kind, unit) });
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
    fn best(&self) -> Way {
        self.all.iter().copied().max_by_key(|way| way.earns + way.paid).unwrap_or(Way::NONE)
    }
}
