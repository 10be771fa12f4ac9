//! A region of many sets whose levels do not rise turned into its best whole units, by taking them one by one.

use super::region::{self, Kind, Region, Whole};

/// Takings that are tried for an answer, and for the price of one more kind; what is not tried counts with what it can earn at
/// most.
const VISITS: u32 = 5_000;
const LIFTING: u32 = 300;

/// Units that are told of at most.
const MOST: usize = 50;

/// A region where a further unit never earns more than the one before it.
pub(super) struct Dive<'a> {
    region: &'a Region,
}

impl<'a> Dive<'a> {
    /// For a region of falling levels.
    pub(super) fn new(region: &'a Region) -> Self {
        Self { region }
    }
}

impl Whole for Dive<'_> {
    /// One unit of each kind alone.
    fn known(&self) -> Vec<Vec<u32>> {
        let kinds = self.region.used.len();
        (0..kinds).map(|one| (0..kinds).map(|kind| u32::from(kind == one)).collect()).collect()
    }

    fn dearest(&self, prices: &[i64], known: i64) -> Option<(i64, Vec<Vec<u32>>)> {
        let mut taking = Taking::new(self.region, prices, known);
        let most = taking.run(VISITS);
        let mut found = taking.found;
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        found.truncate(MOST);
        Some((most, found.into_iter().map(|(_, units)| units).collect()))
    }

    fn lifted(&self, prices: &[i64], top: i64, is_over: &dyn Fn() -> bool) -> Option<Vec<i64>> {
        let mut taking = Taking::new(self.region, prices, top);
        self.region.idle.iter().map(|kind| (!is_over()).then(|| taking.lift(kind, top))).collect()
    }
}

/// Units taken one by one.
struct Taking<'a> {
    region: &'a Region,
    kinds: Vec<(&'a Kind, i64)>,
    /// Units on each set, and what one more earns there.
    counts: Vec<usize>,
    next: Vec<i64>,
    /// What is left to earn.
    left: i64,
    /// Room for what is shared out: what is left of the price of each kind, and the kinds that hold each set.
    slack: Vec<i64>,
    holders: Vec<Vec<usize>>,
    /// Units of each kind.
    units: Vec<u32>,
    best: i64,
    /// Units that beat what was known, and what they earn beyond what they cost.
    known: i64,
    found: Vec<(i64, Vec<u32>)>,
    /// Takings that may still be tried, and the most that those which were not can earn.
    visits: u32,
    open: i64,
}

/// A kind of which one unit more earns something beyond its price.
#[derive(Clone, Copy)]
struct Choice {
    net: i64,
    kind: usize,
}

impl<'a> Taking<'a> {
    /// Nothing is taken; the used kinds have these prices.
    fn new(region: &'a Region, prices: &[i64], known: i64) -> Self {
        let next = region.steps.iter().map(|steps| steps.first().copied().unwrap_or(0)).collect();
        let counts = vec![0; region.sets.len()];
        Self {
            region,
            kinds: region.used.iter().zip(prices.iter().copied()).collect(),
            counts,
            next,
            left: region.worth,
            slack: Vec::new(),
            holders: vec![Vec::new(); region.sets.len()],
            units: Vec::new(),
            best: known,
            found: Vec::new(),
            visits: 0,
            open: i64::MIN,
            known,
        }
    }

    /// The lowest price of a kind with which nothing beats `top`; the kind is there from then on.
    fn lift(&mut self, kind: &'a Kind, top: i64) -> i64 {
        let mut price = 0_i64;
        for units in 1..=kind.limit {
            self.best = top;
            self.put(kind, units);
            let beyond = self.run(LIFTING) - top;
            self.take_back(kind, units);
            price = price.max(region::share(beyond, units));
        }
        self.kinds.push((kind, price));
        price
    }

    /// The most that units can earn with those that are there already, or the best that was known where that is more.
    fn run(&mut self, visits: u32) -> i64 {
        let earned = self.region.worth - self.left;
        self.units = vec![0; self.kinds.len()];
        self.slack = vec![0; self.kinds.len()];
        self.visits = visits;
        self.open = i64::MIN;
        self.known = self.best;
        self.found.clear();
        self.reached(earned);
        let choices = self.choices((0..self.kinds.len()).collect());
        self.descend(&choices, earned);
        self.best.max(self.open)
    }

    /// Tries all units of these choices besides those that are there, which earn so much.
    fn descend(&mut self, choices: &[Choice], earned: i64) {
        let (shared, slack) = self.shared(choices);
        if earned + shared <= self.best.max(self.open) {
            return;
        }
        let floor = self.best.max(self.open);
        // Who takes a unit gives away what its price is above its share.
        let choices: Vec<Choice> = choices
            .iter()
            .zip(slack)
            .filter(|(_, slack)| earned + shared - slack > floor)
            .map(|(choice, _)| *choice)
            .collect();
        let mut prices: Vec<i64> =
            choices.iter().flat_map(|choice| self.repeated(choice, self.kinds[choice.kind].1)).collect();
        prices.sort_unstable();
        for (place, choice) in choices.iter().enumerate() {
            let most = earned + self.most(&choices[place..], &prices).min(shared);
            if most <= self.best.max(self.open) {
                return;
            }
            let Some(visits) = self.visits.checked_sub(1) else {
                self.open = most;
                return;
            };
            self.visits = visits;
            let (kind, _) = self.kinds[choice.kind];
            self.put(kind, 1);
            self.units[choice.kind] += 1;
            self.reached(earned + choice.net);
            let left = choices[place..].iter().map(|choice| choice.kind);
            let left = left.filter(|kind| self.units[*kind] < self.kinds[*kind].0.limit).collect();
            let further = self.choices(left);
            self.descend(&further, earned + choice.net);
            self.units[choice.kind] -= 1;
            self.take_back(kind, 1);
        }
    }

    /// The most that units of these choices can earn beyond their prices where what each set earns is shared out among them up
    /// to their prices, and what is left of the price of each.
    fn shared(&mut self, choices: &[Choice]) -> (i64, Vec<i64>) {
        for choice in choices {
            let (kind, price) = self.kinds[choice.kind];
            self.slack[choice.kind] = price;
            kind.sets.iter().for_each(|set| self.holders[*set].push(choice.kind));
        }
        let mut sets: Vec<(usize, usize)> =
            (0..self.holders.len()).map(|set| (self.holders[set].len(), set)).filter(|(count, _)| *count > 0).collect();
        sets.sort_unstable();
        let mut most = 0;
        for (_, set) in sets {
            let share = region::asked(&mut self.slack, &self.holders[set], self.next[set]);
            let steps = self.region.steps[set].iter().skip(self.counts[set]);
            most += steps.map(|step| (step - share).max(0)).sum::<i64>();
            self.holders[set].clear();
        }
        (most, choices.iter().map(|choice| self.slack[choice.kind]).collect())
    }

    /// The most that units of these choices can earn beyond their prices: no unit earns more for there being others, and all
    /// together earn no more than is left to earn.
    fn most(&self, choices: &[Choice], prices: &[i64]) -> i64 {
        let nets = choices.iter().flat_map(|choice| self.repeated(choice, choice.net));
        let (mut most, mut net, mut price) = (0, 0, 0);
        for (more, paid) in nets.zip(prices) {
            net += more;
            price += paid;
            most = most.max(net.min(self.left - price));
            if net >= self.left - price {
                break;
            }
        }
        most
    }

    /// A number for each unit of a choice that there may be besides those that there are.
    fn repeated(&self, choice: &Choice, number: i64) -> impl Iterator<Item = i64> + use<> {
        let left = self.kinds[choice.kind].0.limit - self.units[choice.kind];
        std::iter::repeat_n(number, left as usize)
    }

    /// Of these kinds those of which one unit more earns something, those that earn most first.
    fn choices(&self, kinds: Vec<usize>) -> Vec<Choice> {
        let net = |kind: usize| {
            let (of, price) = self.kinds[kind];
            Choice { net: of.sets.iter().map(|set| self.next[*set]).sum::<i64>() - price, kind }
        };
        let mut choices: Vec<Choice> = kinds.into_iter().map(net).filter(|choice| choice.net > 0).collect();
        choices.sort_by_key(|choice| (-choice.net, choice.kind));
        choices
    }

    fn reached(&mut self, earned: i64) {
        if earned > self.known {
            self.found.push((earned, self.units.clone()));
        }
        self.best = self.best.max(earned);
    }

    fn put(&mut self, kind: &Kind, units: u32) {
        self.change(kind, |count| count + units as usize);
    }

    fn take_back(&mut self, kind: &Kind, units: u32) {
        self.change(kind, |count| count - units as usize);
    }

    fn change(&mut self, kind: &Kind, change: impl Fn(usize) -> usize) {
        for set in &kind.sets {
            let steps = &self.region.steps[*set];
            let (before, after) = (self.counts[*set], change(self.counts[*set]));
            let earned = |count: usize| steps.iter().take(count).sum::<i64>();
            self.left += earned(before) - earned(after);
            self.counts[*set] = after;
            self.next[*set] = steps.get(after).copied().unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::layout::Layout;
    use crate::solve::trials::{Numbers, POSTS, program, units_within};

    /// With time enough the best of all units is found, with little time nothing less is promised; and idle kinds get prices at
    /// which no units beat what is promised.
    #[test]
    fn no_units_earn_more_than_is_said() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut tried, mut short) = (0, 0);
        for _ in 0..300 {
            let program = program(&mut numbers);
            let layout = Layout::new(&program);
            let falling = program.groups.iter().filter(|group| group.is_concave());
            let sets: Vec<u32> = falling.flat_map(|group| group.terms.iter().map(|term| term.set)).collect();
            let limits: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let ranges: Vec<(u32, u32)> = limits.iter().map(|limit| (0, *limit)).collect();
            let values: Vec<f64> = (0..POSTS).map(|_| f64::from(numbers.below(3)) / 3.0).collect();
            let Some(region) = Region::new(&layout, (&limits, &ranges), &sets, &values) else { continue };
            let mut price = |kind: &Kind| region.gain(kind) / 100 * i64::from(20 + numbers.below(60));
            let prices: Vec<i64> = region.used.iter().map(&mut price).collect();
            let net = |prices: &[i64], units: &[u32]| -> i64 {
                region.earned(units)
                    - prices.iter().zip(units).map(|(price, units)| price * i64::from(*units)).sum::<i64>()
            };
            let units = units_within(&region.used.iter().map(|kind| kind.limit).collect::<Vec<_>>());
            let best = units.iter().map(|units| net(&prices, units)).max().unwrap_or(0);
            let (most, found) = Dive::new(&region).dearest(&prices, -1).expect("it always says something");
            assert_eq!(most, best);
            assert_eq!(found.first().map(|units| net(&prices, units)), Some(best));
            for visits in [0, 1, 3] {
                let promised = Taking::new(&region, &prices, 0).run(visits);
                assert!(promised >= best, "{promised} after {visits} visits, {best} at best");
                short += u32::from(promised > best);
            }
            let lifted = Dive::new(&region).lifted(&prices, best, &|| false).expect("there is time");
            let mut whole = Region::new(&layout, (&limits, &ranges), &sets, &values).expect("as before");
            let idle = std::mem::take(&mut whole.idle);
            whole.used.extend(idle);
            let units = units_within(&whole.used.iter().map(|kind| kind.limit).collect::<Vec<_>>());
            let all_prices: Vec<i64> = prices.iter().chain(&lifted).copied().collect();
            let beyond = |units: &Vec<u32>| {
                let paid = all_prices.iter().zip(units).map(|(price, units)| price * i64::from(*units)).sum::<i64>();
                whole.earned(units) - paid
            };
            assert_eq!(units.iter().map(beyond).max(), Some(best), "prices of idle kinds are too low or too high");
            tried += 1;
        }
        assert!(tried >= 150 && short >= 20, "{tried} regions, {short} promises above the best");
    }
}
