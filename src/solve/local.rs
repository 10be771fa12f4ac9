//! An answer of a relaxation turned into rows on what neighbouring sets earn together, which whole units keep and it breaks.

use highs::{Col, HighsModelStatus, RowProblem};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::area::Area;
use super::dive::Dive;
use super::highs_ffi::{self, Live};
use super::joint::Joint;
use super::layout::Layout;
use super::region::{Kind, Region, Whole};
use super::spots::Spot;

/// Whole units asked for in the last round, by the sets of a spot: variables, one for each unit.
#[derive(Default)]
pub(super) struct Memory {
    units: FxHashMap<Vec<u32>, Vec<Vec<u32>>>,
}

impl Memory {
    /// Those of a region, of its used kinds.
    fn of(&self, region: &Region) -> Vec<Vec<u32>> {
        let Some(all) = self.units.get(&region.sets) else { return Vec::new() };
        let kinds = region.used.iter().enumerate();
        let kind_of: FxHashMap<u32, usize> =
            kinds.flat_map(|(kind, of)| of.variables.iter().map(move |variable| (*variable, kind))).collect();
        let units = |variables: &Vec<u32>| {
            let mut units = vec![0; region.used.len()];
            for kind in variables.iter().filter_map(|variable| kind_of.get(variable)) {
                units[*kind] = (units[*kind] + 1).min(region.used[*kind].limit);
            }
            units
        };
        all.iter().map(units).collect()
    }
}

/// Rows on the sets of each spot that an answer breaks, those that it breaks most first.
///
/// `values` are those of the variables, `limits` the most that these can be at all and `ranges` what they can be in a better
/// plan.
///
/// Where sets share parts of units, what they earn together is at most the least concave number above what whole units on the
/// variables that the answer uses earn. The row that says so is found by asking again and again for the whole units that break
/// the last one most; then it takes in all other variables, one by one. Rows hold for all whole values within the limits:
/// constant and factors are computed in whole numbers, whatever HiGHS says.
///
/// # Cost
/// For each spot, dozens of times, all ways to cover it that are worth following; on all threads.
///
/// # Source
/// Local cuts: Applegate, Bixby, Chvatal and Cook 2001; variables one by one: Padberg 1975.
pub(super) fn broken(
    layout: &Layout<'_>,
    (limits, ranges): (&[u32], &[(u32, u32)]),
    spots: Vec<Spot>,
    values: &[f64],
    memory: &mut Memory,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Vec<Joint> {
    /// Most rows.
    const MOST: usize = 400;
    let is_rising = |steps: &Vec<i64>| steps.windows(2).any(|pair| pair[0] < pair[1]);
    let known: &Memory = memory;
    let row = |Spot { sets, reached }: Spot| {
        let region = Region::new(layout, (limits, ranges), &sets, values).filter(|_| !is_over())?;
        let mut asked = known.of(&region);
        let joint = if region.steps.iter().any(is_rising) {
            row(&region, &Area::new(&region)?, reached, &mut asked, is_over)
        } else {
            row(&region, &Dive::new(&region), reached, &mut asked, is_over)
        };
        Some((region.named(&asked), sets, joint.map(|joint| (reached - joint.most_at(values), joint))))
    };
    let all: Vec<_> = spots.into_par_iter().filter_map(row).collect();
    let mut found = Vec::new();
    memory.units.clear();
    for (asked, sets, joint) in all {
        memory.units.insert(sets, asked);
        found.extend(joint);
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(MOST);
    found.into_iter().map(|(_, joint)| joint).collect()
}

/// The row that an answer breaks most in which the sets of a region earn so much; `None` where it breaks none.
fn row(
    region: &Region,
    whole: &impl Whole,
    reached: f64,
    known: &mut Vec<Vec<u32>>,
    is_over: &dyn Fn() -> bool,
) -> Option<Joint> {
    /// Times that units are asked for.
    const TRIES: u32 = 60;
    /// A row has to be broken by so much, as a part of all that the sets can earn.
    const LEAST: f64 = 1e-4;
    /// How near the most broken row has to be, as a part of by how much it is broken.
    const NEAR: f64 = 0.1;
    let worth = region.float(region.worth);
    let reached = reached / worth;
    let mut prices = Prices::new(&region.used)?;
    let mut asked = whole.known();
    asked.append(known);
    asked.sort_unstable();
    asked.dedup();
    for tries in 1..=TRIES {
        for units in asked.drain(..) {
            prices.add(region.float(region.earned(&units)) / worth, &units)?;
            known.push(units);
        }
        let (least, constant, found) = prices.solve(is_over).filter(|_| !is_over())?;
        let found: Vec<i64> = found.iter().map(|price| region.whole(price.max(0.0) * worth)).collect();
        if least > reached - LEAST {
            binding(region, &found, known);
            return None;
        }
        // What is known earns the constant beyond what it costs.
        let (top, units) = whole.dearest(&found, region.whole(constant * (1.0 - 1e-9) * worth))?;
        let paid: f64 = found.iter().zip(&region.used).map(|(price, kind)| region.float(*price) * kind.value).sum();
        let height = (region.float(top) + paid) / worth;
        let is_last = tries == TRIES || units.is_empty();
        if height - least <= NEAR * (reached - height) || (is_last && height < reached - LEAST) {
            binding(region, &found, known);
            return joint(region, whole, (&found, top), is_over);
        }
        if is_last {
            return None;
        }
        asked = units;
    }
    None
}

/// Of some whole units those that bind most at these prices, about as many as it takes to find these again.
fn binding(region: &Region, prices: &[i64], known: &mut Vec<Vec<u32>>) {
    /// Units for each price.
    const EACH: usize = 6;
    let net = |units: &Vec<u32>| {
        let paid = prices.iter().zip(units).map(|(price, units)| price * i64::from(*units)).sum::<i64>();
        paid - region.earned(units)
    };
    known.sort_by_cached_key(net);
    known.truncate(EACH * (prices.len() + 1));
}

/// The row with these prices of the used kinds, whose whole units earn at most `top` beyond what they cost, and as low prices as
/// can be for all other kinds; what is paid at tiny prices, which solvers of linear programs do not bear, is added to `top`.
/// `None` where it is over.
fn joint(
    region: &Region,
    whole: &impl Whole,
    (prices, mut top): (&[i64], i64),
    is_over: &dyn Fn() -> bool,
) -> Option<Joint> {
    /// So many of them are as much as all sets can earn.
    const TINY: i64 = 1_000_000;
    let used = region.used.iter().zip(prices.iter().copied());
    let idle = region.idle.iter().zip(whole.lifted(prices, top, is_over)?);
    let hopeless = region.hopeless.iter().map(|kind| (kind, region.gain(kind)));
    let all = used.chain(idle).chain(hopeless);
    let (tiny, all): (Vec<_>, Vec<_>) = all.partition(|(_, price)| *price < region.worth / TINY);
    top += tiny.into_iter().map(|(kind, price)| price * i64::from(kind.limit)).sum::<i64>();
    let all = all.into_iter().filter(|(_, price)| *price > 0);
    let each = |(kind, price): (&Kind, i64)| {
        let factor = region.float(price);
        kind.variables.iter().map(move |variable| (*variable, factor)).collect::<Vec<_>>()
    };
    let mut factors: Vec<(u32, f64)> = all.flat_map(each).collect();
    factors.sort_unstable_by_key(|factor| factor.0);
    Some(Joint { sets: region.sets.iter().map(|set| (*set, 1.0)).collect(), most: region.float(top), factors })
}

/// The smallest constant and prices above what some whole units earn.
struct Prices {
    model: Option<Live>,
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Program;
    use crate::solve::spots::{neighbourhoods, patches};
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
            let mut spots = neighbourhoods(&layout, &claimed, &values, 4);
            spots.extend(patches(&layout, &claimed, &values, 1 + numbers.below(3) as usize));
            let (memory, rows) = (&mut Memory::default(), (&limits[..], &ranges[..]));
            broken(&layout, rows, spots.clone(), &values, memory, &|| false);
            // What is remembered leads to rows as true.
            for joint in broken(&layout, rows, spots, &values, memory, &|| false) {
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
        let rows = |value: f64, is_over: bool| {
            let values = [value; POSTS as usize];
            let spots = neighbourhoods(&layout, &all, &values, 4);
            broken(&layout, (&limits, &ranges), spots, &values, &mut Memory::default(), &|| is_over)
        };
        assert_eq!(rows(1.0, false), [], "all is whole");
        assert_eq!(rows(0.5, true), [], "it is over");
    }
}
