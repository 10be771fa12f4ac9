//! An answer of a relaxation turned into rows on what neighbouring sets earn together, which whole units keep and it breaks.

use std::collections::{BTreeMap, HashMap};

use highs::{Col, HighsModelStatus, Model, RowProblem};
use rayon::prelude::*;

use super::area::{self, Area, Kind, NONE, Ways};
use super::highs_ffi;
use super::joint::Joint;
use super::layout::Layout;

/// More ways to cover a neighbourhood are not followed.
const WAYS: usize = 40_000;

/// Rows on neighbouring sets that an answer breaks, those that it breaks most first.
///
/// `earned` are sets with what they earn, in the objective's units, `values` those of the variables, `limits` the most that
/// these can be at all and `ranges` what they can be in a better plan; a neighbourhood has about `size` sets.
///
/// Where sets share parts of units, what they earn together is at most the least concave number above what whole units on the
/// variables that the answer uses earn. The row that says so is found by asking again and again for the whole units that break
/// the last one most; then it takes in all other variables, one by one. Rows hold for all whole values within the limits:
/// constant and factors are computed in whole numbers, whatever HiGHS says.
///
/// # Cost
/// For each set a neighbourhood, for which there are up to [`WAYS`] ways to cover it, dozens of times; on all threads.
///
/// # Source
/// Local cuts: Applegate, Bixby, Chvatal and Cook 2001; variables one by one: Padberg 1975.
pub(super) fn broken(
    layout: &Layout<'_>,
    (limits, ranges): (&[u32], &[(u32, u32)]),
    earned: &[(u32, f64)],
    values: &[f64],
    size: usize,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Vec<Joint> {
    /// Most rows.
    const MOST: usize = 400;
    let row = |sets: Vec<(u32, f64)>| {
        let names: Vec<u32> = sets.iter().map(|(set, _)| *set).collect();
        let area = Area::new(layout, (limits, ranges), &names, values).filter(|_| !is_over())?;
        let reached = sets.iter().map(|(_, earned)| earned).sum();
        let joint = row(&area, reached, is_over)?;
        let of: BTreeMap<u32, f64> = sets.into_iter().collect();
        Some((joint.excess(|set| of[&set], values), joint))
    };
    let all = neighbourhoods(layout, earned, values, size);
    let mut found: Vec<(f64, Joint)> = all.into_par_iter().filter_map(row).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(MOST);
    found.into_iter().map(|(_, joint)| joint).collect()
}

/// For each set that has parts of units, those that share most of them; no two alike.
fn neighbourhoods(layout: &Layout<'_>, earned: &[(u32, f64)], values: &[f64], size: usize) -> Vec<Vec<(u32, f64)>> {
    let is_part = |value: f64| value > NONE && (value - value.round()).abs() > NONE;
    let parts = |set: u32| {
        let row = layout.program.sets.row(set as usize).iter();
        row.map(|variable| (*variable, values[*variable as usize])).filter(|(_, value)| is_part(*value))
    };
    let is_open = |(set, earned): &&(u32, f64)| *earned > 0.0 && parts(*set).next().is_some();
    let open: Vec<(u32, f64)> = earned.iter().filter(is_open).copied().collect();
    let mut with: HashMap<u32, Vec<usize>> = HashMap::new();
    for (place, (set, _)) in open.iter().enumerate() {
        parts(*set).for_each(|(variable, _)| with.entry(variable).or_default().push(place));
    }
    let units: Vec<f64> = open.iter().map(|(set, _)| parts(*set).map(|(_, value)| value).sum()).collect();
    let around = |centre: usize| {
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        for (variable, value) in parts(open[centre].0) {
            with[&variable].iter().for_each(|place| *shared.entry(*place).or_default() += value);
        }
        let alike = |place: usize, shared: f64| shared / (units[centre] + units[place] - shared);
        let mut near: Vec<(f64, usize)> =
            shared.into_iter().map(|(place, shared)| (alike(place, shared), place)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1 != centre).cmp(&(b.1 != centre))).then(a.1.cmp(&b.1)));
        let mut sets: Vec<(u32, f64)> = near.into_iter().take(size).map(|(_, place)| open[place]).collect();
        let names: Vec<u32> = sets.iter().map(|(set, _)| *set).collect();
        sets.truncate(area::most_sets(layout, &names));
        sets.sort_unstable_by_key(|(set, _)| *set);
        sets
    };
    let mut all: Vec<Vec<(u32, f64)>> = (0..open.len()).map(around).filter(|sets| sets.len() > 1).collect();
    all.sort_by(|a, b| a.iter().map(|set| set.0).cmp(b.iter().map(|set| set.0)));
    all.dedup();
    all
}

/// The row that an answer breaks most in which the sets of an area earn so much; `None` where it breaks none.
fn row(area: &Area, reached: f64, is_over: &dyn Fn() -> bool) -> Option<Joint> {
    /// Times that units are asked for.
    const TRIES: u32 = 60;
    /// A row has to be broken by so much, as a part of all that the sets can earn.
    const LEAST: f64 = 1e-4;
    /// How near the most broken row has to be, as a part of by how much it is broken.
    const NEAR: f64 = 0.1;
    let steps: u32 = area.used.iter().map(|kind| kind.limit).sum();
    if steps > u128::BITS {
        return None;
    }
    let worth = area.float(area.worth);
    let reached = reached / worth;
    let mut prices = Prices::new(&area.used)?;
    let mut asked = pairs(&area.used);
    for tries in 1..=TRIES {
        for units in asked.drain(..) {
            prices.add(area.float(area.earned(&units)) / worth, &units)?;
        }
        let (least, constant, found) = prices.solve(is_over).filter(|_| !is_over())?;
        if least > reached - LEAST {
            return None;
        }
        let found: Vec<i64> = found.iter().map(|price| area.whole(price.max(0.0) * worth)).collect();
        // What is known earns the constant beyond what it costs.
        let (top, units) = dearest(area, &found, area.whole(constant * (1.0 - 1e-9) * worth))?;
        let paid: f64 = found.iter().zip(&area.used).map(|(price, kind)| area.float(*price) * kind.value).sum();
        let height = (area.float(top) + paid) / worth;
        if height - least <= NEAR * (reached - height) || (tries == TRIES && height < reached - LEAST) {
            return Some(lifted(area, &found, top));
        }
        asked.push(units);
    }
    None
}

/// One unit of each kind alone, and of each two.
fn pairs(kinds: &[Kind]) -> Vec<Vec<u32>> {
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

/// The most that whole units of the used kinds earn beyond what they cost, or `known` where that is more, and the units.
fn dearest(area: &Area, prices: &[i64], known: i64) -> Option<(i64, Vec<u32>)> {
    let mut ways = Ways::new(area, known);
    let mut step = 0;
    for (kind, price) in area.used.iter().zip(prices) {
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
    let units = area.used.iter().map(|kind| bits.by_ref().take(kind.limit as usize).sum()).collect();
    Some(((best.earns + best.paid).max(known), units))
}

/// The row with these prices of the used kinds, whose whole units earn at most `top` beyond what they cost, and as low prices as
/// can be for all other kinds.
fn lifted(area: &Area, prices: &[i64], top: i64) -> Joint {
    let mut ways = Ways::new(area, top);
    let mut all: Vec<(&Kind, i64)> = area.used.iter().zip(prices.iter().copied()).collect();
    for (kind, price) in &all {
        (0..kind.limit).for_each(|_| ways.spread(kind, *price, 0));
    }
    for kind in &area.idle {
        if ways.all.len() > WAYS {
            all.push((kind, area.gain(kind)));
            continue;
        }
        let beyond = |units: u32| {
            let after = |way| (0..units).fold(way, |way, _| area.with(&way, kind));
            let ends = ways.all.iter().map(|way| after(*way)).map(|way| way.earns + way.paid - top);
            (ends.max().unwrap_or(0), i64::from(units))
        };
        let shares = (1..=kind.limit).map(beyond);
        let price = shares.map(|(beyond, units)| beyond.div_euclid(units) + i64::from(beyond.rem_euclid(units) > 0));
        let price = price.max().unwrap_or(0).max(0);
        (0..kind.limit).for_each(|_| ways.spread(kind, price, 0));
        all.push((kind, price));
    }
    all.extend(area.hopeless.iter().map(|kind| (kind, area.gain(kind))));
    let each = |(kind, price): &(&Kind, i64)| {
        let factor = area.float(*price);
        kind.variables.iter().map(move |variable| (*variable, factor)).collect::<Vec<_>>()
    };
    let mut factors: Vec<(u32, f64)> = all.iter().filter(|(_, price)| *price > 0).flat_map(each).collect();
    factors.sort_unstable_by_key(|factor| factor.0);
    Joint { sets: area.sets.iter().map(|set| (*set, 1.0)).collect(), most: area.float(top), factors }
}

/// The smallest constant and prices above what some whole units earn.
struct Prices {
    model: Option<Model>,
    constant: Col,
    units: Vec<Col>,
}

impl Prices {
    fn new(kinds: &[Kind]) -> Option<Self> {
        let mut problem = RowProblem::default();
        let constant = problem.add_column(1.0, 0.0..);
        let units: Vec<Col> = kinds.iter().map(|kind| problem.add_column(kind.value, 0.0..)).collect();
        let model = highs_ffi::linear(problem, &[("solver", "simplex"), ("presolve", "off")])?;
        Some(Self { model: Some(model), constant, units })
    }

    /// Takes in what whole units earn.
    fn add(&mut self, earns: f64, counts: &[u32]) -> Option<()> {
        let priced = self.units.iter().zip(counts).filter(|(_, count)| **count > 0);
        let row: Vec<(Col, f64)> = priced.map(|(unit, count)| (*unit, f64::from(*count))).collect();
        self.model.as_mut()?.try_add_row(earns.., row.into_iter().chain([(self.constant, 1.0)])).ok().map(|_| ())
    }

    /// The objective, the constant and the prices.
    fn solve(&mut self, is_over: &dyn Fn() -> bool) -> Option<(f64, f64, Vec<f64>)> {
        let ended = highs_ffi::rerun(&mut self.model, is_over)?;
        let (constant, prices) = ended.columns.split_first()?;
        (ended.status == HighsModelStatus::Optimal).then(|| (ended.objective, *constant, prices.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Program;
    use crate::solve::trials::{Numbers, POSTS, program};

    /// What each set earns with these values, in the objective's units.
    fn earned(program: &Program, values: &[u32]) -> BTreeMap<u32, f64> {
        let terms = program.groups.iter().flat_map(|group| group.terms.iter().map(move |term| (group, term)));
        terms
            .map(|(group, term)| {
                (term.set, term.weight * group.scale * group.value_of(program.count(term.set, values)))
            })
            .collect()
    }

    /// All whole values within the limits.
    fn plans(limits: &[u32]) -> impl Iterator<Item = Vec<u32>> {
        let plans = (0..3_u32.pow(POSTS)).map(|plan| (0..POSTS).map(|post| plan / 3_u32.pow(post) % 3).collect());
        plans.filter(move |values: &Vec<u32>| values.iter().zip(limits).all(|(value, limit)| value <= limit))
    }

    /// Where two sites that count twice share three posts of half a unit each, parts of units cover more than whole ones.
    #[test]
    fn whole_units_keep_what_is_found_and_answers_break_it() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let (mut found, mut narrow) = (0, 0);
        for _ in 0..400 {
            let program = program(&mut numbers);
            let layout = Layout::new(&program);
            let limits: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let range = |limit: &u32, numbers: &mut Numbers| (0, if numbers.below(5) == 0 { 0 } else { *limit });
            let ranges: Vec<(u32, u32)> = limits.iter().map(|limit| range(limit, &mut numbers)).collect();
            let values: Vec<f64> = ranges.iter().map(|(_, most)| f64::from(most * numbers.below(5)) / 4.0).collect();
            // An answer that claims all that sets can earn where they have any unit.
            let everywhere = earned(&program, &limits);
            let units =
                |set: u32| program.sets.row(set as usize).iter().map(|post| values[*post as usize]).sum::<f64>();
            let claimed: Vec<(u32, f64)> =
                everywhere.iter().map(|(set, all)| (*set, all * (units(*set) / 2.0).min(1.0))).collect();
            let of: BTreeMap<u32, f64> = claimed.iter().copied().collect();
            for joint in broken(&layout, (&limits, &ranges), &claimed, &values, 4, &|| false) {
                assert!(joint.excess(|set| of[&set], &values) > 0.0, "{joint:?} {values:?}");
                let mut least = f64::INFINITY;
                for plan in plans(&limits) {
                    let (earned, whole) =
                        (earned(&program, &plan), plan.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
                    let excess = joint.excess(|set| earned[&set], &whole);
                    assert!(excess <= 1e-12, "{joint:?} {plan:?}: {program:?}");
                    least = least.min(-excess);
                }
                (found, narrow) = (found + 1, narrow + u32::from(least < 1e-9));
            }
        }
        assert!(found >= 300 && narrow * 10 >= found * 9, "{found} rows, {narrow} of them as low as they can be");
    }

    #[test]
    fn whole_answers_and_who_is_told_to_stop_get_no_rows() {
        let mut numbers = Numbers(7);
        let program = program(&mut numbers);
        let layout = Layout::new(&program);
        let limits = [2; POSTS as usize];
        let ranges = limits.map(|limit| (0, limit));
        let all: Vec<(u32, f64)> = earned(&program, &limits).into_iter().collect();
        assert_eq!(broken(&layout, (&limits, &ranges), &all, &[1.0; POSTS as usize], 4, &|| false), [], "all is whole");
        assert_eq!(broken(&layout, (&limits, &ranges), &all, &[0.5; POSTS as usize], 4, &|| true), [], "it is over");
    }
}
