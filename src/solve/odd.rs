//! An answer of a relaxation turned into rows on three sets each, which whole units keep and the answer breaks.

use std::collections::HashMap;

use crate::cover::Rows;

/// Of three sets, each with a level of its own between 0 and 1 that is at most the units on it: the sum of the levels is at
/// most 1 and, of each variable, its units where it is in one or two of the sets, twice its units where it is in all three.
///
/// # Source
/// Half the sum of `y <= sum of x` and `y <= 1` over the three sets, rounded: zero-half cuts, Caprara and Fischetti 1996.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Odd {
    pub(super) sets: [u32; 3],
    /// Variables and their factors.
    pub(super) factors: Vec<(u32, f64)>,
}

/// A price on three sets together.
#[derive(Clone, Debug)]
pub(super) struct Together {
    pub(super) odd: Odd,
    pub(super) price: f64,
}

/// Sets that look alike to an answer: the variables of theirs that it uses, and of one of the sets what it leaves open.
struct Kind {
    used: Vec<u32>,
    /// Units on the set.
    units: f64,
    /// Units beyond the level, and level below 1.
    slack: f64,
    set: u32,
}

/// Rows that an answer breaks most; `levels` are sets with their levels, `values` those of the variables.
///
/// # Cost
/// Linear in the items of the sets, and for each two sets that share variables with parts of units a look at those that share
/// what is in one of them; at most [`LOOKS`].
pub(super) fn broken(sets: &Rows, levels: &[(u32, f64)], values: &[f64]) -> Vec<Odd> {
    /// A row has to be broken by so much.
    const LEAST: f64 = 0.02;
    /// Most rows, and most of one set.
    const MOST: usize = 400;
    const EACH: u32 = 4;
    let kinds = kinds(sets, levels, values);
    let mut found = triples(&kinds, values, LEAST);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut taken: HashMap<u32, u32> = HashMap::new();
    let mut rows = Vec::new();
    for (_, triple) in found {
        let triple = triple.map(|kind| kinds[kind].set);
        if triple.iter().all(|set| taken.get(set).is_none_or(|count| *count < EACH)) {
            triple.iter().for_each(|set| *taken.entry(*set).or_default() += 1);
            rows.push(Odd { sets: triple, factors: factors(sets, triple) });
        }
        if rows.len() == MOST {
            break;
        }
    }
    rows
}

/// Of sets that look alike the one that leaves least open.
fn kinds(sets: &Rows, levels: &[(u32, f64)], values: &[f64]) -> Vec<Kind> {
    /// Less of a variable is none.
    const NONE: f64 = 1e-7;
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
    use crate::solve::trials::Numbers;

    /// Half a unit at each of three posts, any two of which cover a site: all sites are covered by parts of units.
    #[test]
    fn a_triangle_is_found() {
        let mut sets = Rows::default();
        [[0, 1], [1, 2], [0, 2], [2, 3]].iter().for_each(|set| sets.push(set));
        let levels: Vec<(u32, f64)> = (0..4).map(|set| (set, if set < 3 { 1.0 } else { 0.5 })).collect();
        let rows = broken(&sets, &levels, &[0.5, 0.5, 0.5, 0.0]);
        let factors = vec![(0, 1.0), (1, 1.0), (2, 1.0)];
        assert_eq!(rows, [Odd { sets: [0, 2, 1], factors }], "1.5 units cover 3 sites where at most 2.5 are possible");
        assert_eq!(broken(&sets, &levels, &[1.0, 0.5, 0.5, 0.0]), [], "two units cover three sites");
    }

    /// Whatever an answer looks like: the rows that it breaks are kept by whole units, and it does break them.
    #[test]
    fn whole_units_keep_what_is_found() {
        const VARIABLES: u32 = 6;
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let mut found = 0;
        for _ in 0..1_500 {
            let mut sets = Rows::default();
            for _ in 0..8 {
                let set: Vec<u32> = (0..VARIABLES).filter(|_| numbers.below(5) < 2).collect();
                sets.push(&set);
            }
            let values: Vec<f64> = (0..VARIABLES).map(|_| f64::from(numbers.below(5)) / 4.0).collect();
            let units = |set: usize, values: &[f64]| -> f64 {
                sets.row(set).iter().map(|variable| values[*variable as usize]).sum()
            };
            let levels: Vec<(u32, f64)> = (0..8).map(|set| (set, units(set as usize, &values).min(1.0))).collect();
            for odd in broken(&sets, &levels, &values) {
                let slack = |values: &[f64]| {
                    let most: f64 =
                        odd.factors.iter().map(|(variable, factor)| factor * values[*variable as usize]).sum();
                    1.0 + most - odd.sets.iter().map(|set| units(*set as usize, values).min(1.0)).sum::<f64>()
                };
                assert!(slack(&values) < -0.01, "{odd:?} {values:?}");
                for plan in 0..3_u32.pow(VARIABLES) {
                    let whole: Vec<f64> = (0..VARIABLES).map(|place| f64::from(plan / 3_u32.pow(place) % 3)).collect();
                    assert!(slack(&whole) >= -1e-9, "{odd:?} {whole:?}");
                }
                found += 1;
            }
        }
        assert!(found >= 30, "{found} rows");
    }
}
