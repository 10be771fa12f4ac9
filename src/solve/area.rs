//! A region of a few sets turned into all ways to cover them, each with the least that it costs.

use rustc_hash::FxHashMap;

use super::layout::Layout;
use super::prospects::Prospects;
use super::region::{self, Kind, Region, Whole};

/// More ways to cover a region are not followed.
const WAYS: usize = 40_000;

/// A region with the units on each of its sets packed into one number; levels may rise.
pub(super) struct Area<'a> {
    region: &'a Region,
    fields: Fields,
    /// More ways are not followed.
    most_ways: usize,
}

impl<'a> Area<'a> {
    /// `None` where there is no room for all sets, or for a bit for each unit.
    pub(super) fn new(region: &'a Region) -> Option<Self> {
        let fulls: Vec<u32> = region.steps.iter().map(|steps| u32::try_from(steps.len()).unwrap_or(u32::MAX)).collect();
        let units: u32 = region.used.iter().map(|kind| kind.limit).sum();
        let has_room = fulls.len() <= room(fulls.iter().copied()) && units <= u128::BITS;
        has_room.then(|| Self { region, fields: Fields::new(&fulls), most_ways: WAYS })
    }

    /// One unit of a kind.
    fn unit(&self, kind: &Kind) -> u128 {
        kind.sets.iter().map(|set| self.fields.one(*set)).sum()
    }

    /// What so many units of a kind more earn where there are units already.
    fn more(&self, units: u128, kind: &Kind, more: usize) -> i64 {
        let earned = |set: &usize| {
            let steps = self.region.steps[*set].iter().skip(self.fields.on(units, *set));
            steps.take(more).sum::<i64>()
        };
        kind.sets.iter().map(earned).sum()
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
        let kinds: Vec<(&Kind, i64)> = self.region.used.iter().zip(prices.iter().copied()).collect();
        let mut ways = Ways::new(self, known);
        let mut step = 0;
        for (place, (kind, price)) in kinds.iter().enumerate() {
            ways.spread(kind, *price, step, &kinds[place + 1..]);
            step += kind.limit;
            if ways.all.len() > self.most_ways {
                return None;
            }
        }
        let best = ways.best();
        let mut bits = (0..u128::BITS).map(|step| u32::from(best.steps >> step & 1 == 1));
        let units = kinds.iter().map(|(kind, _)| bits.by_ref().take(kind.limit as usize).sum()).collect();
        Some((best.net.max(known), if best.net > known { vec![units] } else { Vec::new() }))
    }

    fn lifted(&self, prices: &[i64], top: i64, is_over: &dyn Fn() -> bool) -> Option<Vec<i64>> {
        // What idle kinds will cost is not known before.
        let idle = self.region.idle.iter().map(|kind| (kind, 0));
        let kinds: Vec<(&Kind, i64)> = self.region.used.iter().zip(prices.iter().copied()).chain(idle).collect();
        let mut ways = Ways::new(self, top);
        let mut found = Vec::new();
        for (place, (kind, price)) in kinds.iter().enumerate() {
            let is_idle = place >= prices.len();
            if is_over() {
                return None;
            }
            if ways.all.len() > self.most_ways {
                found.extend(is_idle.then(|| self.region.gain(kind)));
                continue;
            }
            let price = if is_idle { ways.price(kind) } else { *price };
            ways.spread(kind, price, NO_STEP, &kinds[place + 1..]);
            found.extend(is_idle.then_some(price));
        }
        Some(found)
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
    /// What it earns beyond what it costs.
    net: i64,
    /// A bit for each unit that leads here, where units have bits.
    steps: u128,
}

/// The step of units of which it does not matter later where they are.
const NO_STEP: u32 = u128::BITS;

/// Ways to cover the sets of an area, each with the least that has to be paid for it.
struct Ways<'a> {
    area: &'a Area<'a>,
    place_of: FxHashMap<u128, usize>,
    all: Vec<Way>,
    /// Ways that cannot end above this are left out.
    known: i64,
}

impl<'a> Ways<'a> {
    /// Without any units; what ends at `known` or below is left out.
    fn new(area: &'a Area<'a>, known: i64) -> Self {
        Self { area, place_of: FxHashMap::default(), all: vec![Way { units: 0, net: 0, steps: 0 }], known }
    }

    /// Up to as many units of a kind more as there are, at a price each, before others come; the units have bits from a step on.
    fn spread(&mut self, kind: &Kind, price: i64, step: u32, to_come: &[(&Kind, i64)]) {
        let area = self.area;
        let (prospects, unit) = (Prospects::new(area.region, to_come), area.unit(kind));
        // Who costs more than it can earn is of no use.
        let limit = if price < area.region.gain(kind) { kind.limit } else { 0 };
        self.place_of.clear();
        for mut way in std::mem::take(&mut self.all) {
            let mut ahead = prospects.most(|set| area.fields.on(way.units, set));
            self.take_in(way, ahead);
            for number in 0..limit {
                let units = area.fields.with(way.units, unit);
                if units == way.units {
                    break;
                }
                way.net -= price;
                for set in &kind.sets {
                    let on = area.fields.on(way.units, *set);
                    if let Some(earns) = area.region.steps[*set].get(on) {
                        way.net += earns;
                        ahead += prospects.change(*set, on);
                    }
                }
                way.units = units;
                way.steps |= 1_u128.checked_shl(step + number).unwrap_or(0);
                self.take_in(way, ahead);
            }
        }
    }

    /// Keeps a way that may end above what is known, `ahead` of it so much at most, where no better one covers the same.
    fn take_in(&mut self, way: Way, ahead: i64) {
        if way.net + ahead <= self.known {
            return;
        }
        let place = *self.place_of.entry(way.units).or_insert(self.all.len());
        match self.all.get_mut(place) {
            Some(before) if before.net < way.net => *before = way,
            Some(_) => {}
            None => self.all.push(way),
        }
    }

    /// The least price of a unit of a kind at which no way with some of these ends above what is known.
    fn price(&self, kind: &Kind) -> i64 {
        let most = self.area.region.gain(kind);
        let beyond = |units: u32| {
            let ends = |highest: i64, way: &Way| {
                if way.net + i64::from(units) * most <= highest {
                    return highest;
                }
                highest.max(way.net + self.area.more(way.units, kind, units as usize))
            };
            region::share(self.all.iter().fold(self.known, ends) - self.known, units)
        };
        (1..=kind.limit).map(beyond).max().unwrap_or(0)
    }

    /// The way that ends highest.
    fn best(&self) -> Way {
        let none = Way { units: 0, net: self.known.min(0), steps: 0 };
        self.all.iter().copied().max_by_key(|way| way.net).unwrap_or(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{Numbers, POSTS, program, units_within};

    /// All units of some kinds.
    fn all(kinds: &[&Kind]) -> Vec<Vec<u32>> {
        units_within(&kinds.iter().map(|kind| kind.limit).collect::<Vec<_>>())
    }

    /// What units of some kinds earn beyond what they cost.
    fn net(region: &Region, kinds: &[&Kind], prices: &[i64], units: &[u32]) -> i64 {
        let on = |set: usize| {
            let of = |(kind, units): (&&Kind, &u32)| if kind.sets.contains(&set) { *units as usize } else { 0 };
            kinds.iter().zip(units).map(of).sum()
        };
        let earned = region.steps.iter().enumerate().map(|(set, steps)| steps.iter().take(on(set)).sum::<i64>());
        let paid = prices.iter().zip(units).map(|(price, units)| price * i64::from(*units)).sum::<i64>();
        earned.sum::<i64>() - paid
    }

    /// The dearest units are those of all that there are; idle kinds get the lowest prices, one after the other, at which no units
    /// earn more than is said.
    #[test]
    fn ways_end_where_all_units_do() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let (mut found, mut unknown, mut lifts, mut given_up) = (0, 0, 0, 0);
        for _ in 0..400 {
            let program = program(&mut numbers);
            let layout = Layout::new(&program);
            let sets: Vec<u32> = (0_u32..).take(program.sets.len()).filter(|_| numbers.below(3) > 0).collect();
            let limits: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let ranges: Vec<(u32, u32)> = limits.iter().map(|limit| (0, *limit)).collect();
            let values: Vec<f64> = (0..POSTS).map(|_| f64::from(numbers.below(3)) / 3.0).collect();
            let Some(region) = Region::new(&layout, (&limits, &ranges), &sets, &values) else { continue };
            let Some(area) = Area::new(&region) else { continue };
            let mut price = |kind: &Kind| {
                if numbers.below(5) == 0 { 0 } else { region.gain(kind) / 100 * i64::from(numbers.below(120)) }
            };
            let prices: Vec<i64> = region.used.iter().map(&mut price).collect();
            let mut kinds: Vec<&Kind> = region.used.iter().collect();
            let best = all(&kinds).iter().map(|units| net(&region, &kinds, &prices, units)).max().unwrap_or(0);
            for known in [-1, best / 2, best - 1, best] {
                let (height, units) = area.dearest(&prices, known).expect("few ways");
                assert_eq!((height, units.len()), (best, usize::from(best > known)), "{known}");
                assert!(units.iter().all(|units| net(&region, &kinds, &prices, units) == best));
                (found, unknown) = (found + units.len(), unknown + usize::from(units.is_empty()));
            }
            let top = best + region.worth / 50 * i64::from(numbers.below(4));
            let lifted = area.lifted(&prices, top, &|| false).expect("there is time");
            assert_eq!(lifted.len(), region.idle.len());
            let hasty = Area { most_ways: 3, ..Area::new(&region).expect("as before") };
            let quick = hasty.lifted(&prices, top, &|| false).expect("there is time");
            let all_prices: Vec<i64> = prices.iter().copied().chain(quick).collect();
            let mut so_far = prices.clone();
            for (kind, price) in region.idle.iter().zip(lifted) {
                kinds.push(kind);
                so_far.push(price);
                let with = all(&kinds).into_iter().filter(|units| units.last() > Some(&0));
                let most = with.map(|units| net(&region, &kinds, &so_far, &units)).max().unwrap_or(0);
                assert!(most <= top, "{most} is more than {top}");
                assert!(price == 0 || most > top - i64::from(kind.limit), "{most}, where {top} would do");
                lifts += usize::from(price > 0);
            }
            let most = all(&kinds).iter().map(|units| net(&region, &kinds, &all_prices, units)).max().unwrap_or(0);
            assert!(most <= top, "{most} is more than {top} after few ways");
            match hasty.dearest(&prices, -1) {
                Some((height, _)) => assert_eq!(height, best),
                None => given_up += 1,
            }
        }
        assert!(found > 600 && unknown > 300 && lifts > 200 && given_up > 100, "{found} {unknown} {lifts} {given_up}");
    }
}
