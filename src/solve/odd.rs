//! An answer of a relaxation turned into rows on three sets each, which whole units keep and the answer breaks.

use std::collections::HashMap;

use super::joint::Joint;
use super::layout::Layout;
use super::region::NONE;
use crate::cover::Rows;

/// Sets that look alike to an answer: the variables of theirs that it uses, and of one of the sets what it leaves open.
struct Kind {
    used: Vec<u32>,
    /// Units on the set.
    units: f64,
    /// Units beyond the level, and level below 1.
    slack: f64,
    set: u32,
}

/// Rows on three sets that an answer breaks most; `earned` are sets with what they earn, in the objective's units, `values`
/// those of the variables. Sets with more levels than one are left alone.
///
/// Of three sets of one level, the sum of the levels is at most 1 and, of each variable, its units where it is in one or two of
/// the sets, twice its units where it is in all three.
///
/// # Source
/// Half the sum of `y <= sum of x` and `y <= 1` over the three sets, rounded: zero-half cuts, Caprara and Fischetti 1996.
///
/// # Cost
/// Linear in the items of the sets, and for each two sets that share variables with parts of units a look at those that share
/// what is in one of them; at most [`LOOKS`].
pub(super) fn broken(layout: &Layout<'_>, earned: &[(u32, f64)], values: &[f64]) -> Vec<Joint> {
    /// A row has to be broken by so much.
    const LEAST: f64 = 0.02;
    /// Most rows, and most of one set.
    const MOST: usize = 400;
    const EACH: u32 = 4;
    let sets = &layout.program.sets;
    let worth = |set: u32| {
        let term = layout.terms[set as usize];
        if term.full() == 1 { term.weight * layout.steps[term.step(0)] } else { 0.0 }
    };
    let plain = earned.iter().map(|(set, earned)| (*set, *earned, worth(*set))).filter(|(.., worth)| *worth > 0.0);
    let levels: Vec<(u32, f64)> = plain.map(|(set, earned, worth)| (set, earned / worth)).collect();
    let kinds = kinds(sets, &levels, values);
    let mut found = triples(&kinds, values, LEAST);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut taken: HashMap<u32, u32> = HashMap::new();
    let mut rows = Vec::new();
    for (_, triple) in found {
        let triple = triple.map(|kind| kinds[kind].set);
        if triple.iter().all(|set| taken.get(set).is_none_or(|count| *count < EACH)) {
            triple.iter().for_each(|set| *taken.entry(*set).or_default() += 1);
            let sets_and_factors = triple.map(|set| (set, 1.0 / worth(set)));
            rows.push(Joint { sets: sets_and_factors.to_vec(), most: 1.0, factors: factors(sets, triple) });
        }
        if rows.len() == MOST {
            break;
        }
    }
    rows
}

/// Of sets that look alike the one that leaves least open.
fn kinds(sets: &Rows, levels: &[(u32, f64)], values: &[f64]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (set, level) in levels {
        let row = sets.row(*set as usize).iter().copied();
        let used: Vec<u32> = row.filter(|variable| values[*variable as usize] > NONE).collect();
        let units: f64 = used.iter().map(|variable| values[*variable as usize]).sum();
        let slack = (units - level).max(0.0) + (1.0 - level).max(0.0);
        if slack < 1.0 && used.len() > 1 {
            kinds.push(Kind { used, units, slack, set: *set });
        }
    }
    kinds.sort_by(|a, b| a.used.cmp(&b.used).then(a.slack.total_cmp(&b.slack)).then(a.set.cmp(&b.set)));
    kinds.dedup_by(|later, first| later.used == first.used);
    kinds
}

/// Most looks at a kind that shares a variable with another.
const LOOKS: u64 = 30_000_000;

/// Three kinds each whose row is broken by more than `least`, and by how much.
fn triples(kinds: &[Kind], values: &[f64], least: f64) -> Vec<(f64, [usize; 3])> {
    let mut with: HashMap<u32, Vec<usize>> = HashMap::new();
    for (place, kind) in kinds.iter().enumerate() {
        kind.used.iter().for_each(|variable| with.entry(*variable).or_default().push(place));
    }
    let most = 1.0 - 2.0 * least;
    let (mut first_two, mut all_three) = (Shared::new(kinds.len()), Shared::new(kinds.len()));
    let mut found = Vec::new();
    let mut looks = 0;
    for (a, first) in kinds.iter().enumerate() {
        first_two.gather(&first.used, a, &with, values, &mut looks);
        for (b, shared) in first_two.taken() {
            let second = &kinds[b];
            let slack = first.slack + second.slack;
            let rest = first.units + second.units - 2.0 * shared;
            // What is in one of the two alone has to be in the third, which has one unit or little more or less.
            if slack >= most || !(0.1..1.9).contains(&rest) {
                continue;
            }
            let apart = apart(&first.used, &second.used);
            all_three.gather(&apart, b, &with, values, &mut looks);
            for (c, shared) in all_three.taken() {
                let third = &kinds[c];
                let odd = rest + third.units - 2.0 * shared;
                let by = 0.5 * (1.0 - odd - slack - third.slack);
                if by > least {
                    found.push((by, [a, b, c]));
                }
            }
        }
        if looks > LOOKS {
            break;
        }
    }
    found
}

/// How much each kind shares with some variables.
struct Shared {
    sums: Vec<f64>,
    places: Vec<usize>,
}

impl Shared {
    fn new(kinds: usize) -> Self {
        Self { sums: vec![0.0; kinds], places: Vec::new() }
    }

    /// Sums of the kinds behind one of them.
    fn gather(
        &mut self,
        variables: &[u32],
        behind: usize,
        with: &HashMap<u32, Vec<usize>>,
        values: &[f64],
        looks: &mut u64,
    ) {
        for variable in variables {
            let places = with.get(variable).map_or(&[][..], Vec::as_slice);
            let later = &places[places.partition_point(|place| *place <= behind)..];
            for place in later {
                if self.sums[*place] == 0.0 {
                    self.places.push(*place);
                }
                self.sums[*place] += values[*variable as usize];
            }
            *looks += later.len() as u64;
        }
    }

    /// What was gathered, which is forgotten.
    fn taken(&mut self) -> Vec<(usize, f64)> {
        let places = std::mem::take(&mut self.places);
        places.into_iter().map(|place| (place, std::mem::take(&mut self.sums[place]))).collect()
    }
}

/// Variables in one of two lists, both in order.
fn apart(first: &[u32], second: &[u32]) -> Vec<u32> {
    let outside = |list: &[u32], other: &[u32]| -> Vec<u32> {
        list.iter().copied().filter(|variable| other.binary_search(variable).is_err()).collect()
    };
    [outside(first, second), outside(second, first)].concat()
}

/// The factors of the variables of three sets.
fn factors(sets: &Rows, triple: [u32; 3]) -> Vec<(u32, f64)> {
    let mut all: Vec<u32> = triple.iter().flat_map(|set| sets.row(*set as usize)).copied().collect();
    all.sort_unstable();
    all.chunk_by(|a, b| a == b).map(|same| (same[0], if same.len() > 2 { 2.0 } else { 1.0 })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Program, TermGroup, Variable};
    use crate::solve::trials::Numbers;

    /// A program of sets that earn 1, 2 ... with their first unit.
    fn of_sets(sets: &[Vec<u32>], variables: u32) -> Program {
        let most = Variable { most: 2 };
        let mut program = Program::new(Aim::MostValue, vec![most; variables as usize]);
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        let weights: Vec<f64> = (1..=sets.len()).map(|weight| f64::from(u32::try_from(weight).expect("few"))).collect();
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
        program
    }

    /// Half a unit at each of three posts, any two of which cover a site: all sites are covered by parts of units.
    #[test]
    fn a_triangle_is_found() {
        let program = of_sets(&[vec![0, 1], vec![1, 2], vec![0, 2], vec![2, 3]], 4);
        let layout = Layout::new(&program);
        let earned = [(0, 1.0), (1, 2.0), (2, 3.0), (3, 2.0)];
        let rows = broken(&layout, &earned, &[0.5, 0.5, 0.5, 0.0]);
        let (sets, factors) = (vec![(0, 1.0), (2, 1.0 / 3.0), (1, 0.5)], vec![(0, 1.0), (1, 1.0), (2, 1.0)]);
        let row = Joint { sets, most: 1.0, factors };
        assert_eq!(rows, [row], "1.5 units cover 3 sites where at most 2.5 are possible");
        assert_eq!(broken(&layout, &earned, &[1.0, 0.5, 0.5, 0.0]), [], "two units cover three sites");
    }

    /// Whatever an answer looks like: the rows that it breaks are kept by whole units, and it does break them.
    #[test]
    fn whole_units_keep_what_is_found() {
        const VARIABLES: u32 = 6;
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let mut found = 0;
        for _ in 0..1_500 {
            let set = |numbers: &mut Numbers| (0..VARIABLES).filter(|_| numbers.below(5) < 2).collect::<Vec<u32>>();
            let sets: Vec<Vec<u32>> = (0..8).map(|_| set(&mut numbers)).filter(|set| !set.is_empty()).collect();
            let program = of_sets(&sets, VARIABLES);
            let layout = Layout::new(&program);
            let values: Vec<f64> = (0..VARIABLES).map(|_| f64::from(numbers.below(5)) / 4.0).collect();
            let earned = |set: u32, values: &[f64]| -> f64 {
                let units: f64 = sets[set as usize].iter().map(|variable| values[*variable as usize]).sum();
                f64::from(set + 1) * units.min(1.0)
            };
            let all: Vec<(u32, f64)> = (0..).zip(&sets).map(|(set, _)| (set, earned(set, &values))).collect();
            for joint in broken(&layout, &all, &values) {
                let excess = |values: &[f64]| joint.excess(|set| earned(set, values), values);
                assert!(excess(&values) > 0.01, "{joint:?} {values:?}");
                for plan in 0..3_u32.pow(VARIABLES) {
                    let whole: Vec<f64> = (0..VARIABLES).map(|place| f64::from(plan / 3_u32.pow(place) % 3)).collect();
                    assert!(excess(&whole) <= 1e-9, "{joint:?} {whole:?}");
                }
                found += 1;
            }
        }
        assert!(found >= 30, "{found} rows");
    }
}
