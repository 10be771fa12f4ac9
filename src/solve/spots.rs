//! An answer of a relaxation turned into groups of neighbouring sets that parts of units cover better than whole ones could.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::area;
use super::layout::Layout;
use super::region::NONE;

/// Sets that a row may be about, and what they earn together in the answer.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) sets: Vec<u32>,
    pub(super) reached: f64,
}

/// For each set that has parts of units, those that share most of them; no two alike.
pub(super) fn neighbourhoods(layout: &Layout<'_>, earned: &[(u32, f64)], values: &[f64], size: usize) -> Vec<Spot> {
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
    let spot = |sets: Vec<(u32, f64)>| Spot {
        reached: sets.iter().map(|(_, earned)| earned).sum(),
        sets: sets.into_iter().map(|(set, _)| set).collect(),
    };
    all.into_iter().map(spot).collect()
}

/// Patches of sets: those that hold one of `width` variables of which the answer has a part and that lie side by side; as many
/// as it takes until each set that such a variable covers is in two. Patches of very many sets are left out: rows on them take too
/// long. `earned` are sets with what they earn.
pub(super) fn patches(layout: &Layout<'_>, earned: &[(u32, f64)], values: &[f64], width: usize) -> Vec<Spot> {
    /// Patches that a set is in.
    const EACH: u32 = 2;
    /// Most sets of a patch.
    const LARGEST: usize = 400;
    let of: BTreeMap<u32, f64> = earned.iter().copied().filter(|(_, earned)| *earned > 0.0).collect();
    let held = |variable: u32| -> BTreeSet<u32> {
        layout.sets_of.row(variable as usize).iter().copied().filter(|set| of.contains_key(set)).collect()
    };
    let variables = (0_u32..).zip(&values[..layout.program.variables.len()]);
    let parts = variables.filter(|(_, value)| is_part(**value)).map(|(variable, _)| variable);
    let alone: BTreeMap<u32, BTreeSet<u32>> = parts.map(|variable| (variable, held(variable))).collect();
    let beside = |patch: &BTreeSet<u32>| {
        let mut shared: BTreeMap<u32, usize> = BTreeMap::new();
        let holders = patch.iter().flat_map(|set| layout.program.sets.row(*set as usize));
        let holders = holders.filter(|variable| alone.contains_key(variable));
        holders.for_each(|variable| *shared.entry(*variable).or_default() += 1);
        // Neither what is there already nor what is far.
        let score = |(variable, shared): (u32, usize)| (shared * (alone[&variable].len() - shared), Reverse(variable));
        shared.into_iter().map(score).max().map(|(_, Reverse(variable))| variable)
    };
    let patch = |variable: u32| {
        let mut patch = alone[&variable].clone();
        for _ in 1..width {
            beside(&patch).into_iter().for_each(|next| patch.extend(&alone[&next]));
        }
        patch
    };
    let mut order: Vec<u32> = alone.keys().copied().collect();
    order.sort_by(|a, b| values[*b as usize].total_cmp(&values[*a as usize]).then(a.cmp(b)));
    let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
    let mut all = Vec::new();
    for patch in order.into_iter().map(patch).filter(|patch| (2..=LARGEST).contains(&patch.len())) {
        if patch.iter().any(|set| taken.get(set).is_none_or(|taken| *taken < EACH)) {
            patch.iter().for_each(|set| *taken.entry(*set).or_default() += 1);
            let reached = patch.iter().map(|set| of[set]).sum();
            all.push(Spot { sets: patch.into_iter().collect(), reached });
        }
    }
    all.sort_by(|a, b| a.sets.cmp(&b.sets));
    all.dedup_by(|later, first| later.sets == first.sets);
    all
}

/// True for a value that is not whole.
fn is_part(value: f64) -> bool {
    value > NONE && (value - value.round()).abs() > NONE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Program, TermGroup, Variable};

    /// A row of posts, each of which covers the two sites beside it: patches are sites side by side, each site in two of them.
    #[test]
    fn patches_lie_side_by_side() {
        let posts = 12_u32;
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; posts as usize]);
        let sets: Vec<Vec<u32>> = (1..posts).map(|site| vec![site - 1, site]).collect();
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&[1.0; 11]));
        let earned: Vec<(u32, f64)> = (0..posts - 1).map(|set| (set, 1.0)).collect();
        let layout = Layout::new(&program);
        for width in 1..=3 {
            let all = patches(&layout, &earned, &vec![0.5; posts as usize], width);
            for Spot { sets, reached } in &all {
                let neighbours = sets.windows(2).all(|pair| pair[0] + 1 == pair[1]);
                assert!(neighbours && (2..=width + 1).contains(&sets.len()), "{sets:?}");
                assert!((reached - earned[..sets.len()].iter().map(|(_, earned)| earned).sum::<f64>()).abs() < 1e-9);
            }
            let count = |set: u32| all.iter().filter(|spot| spot.sets.contains(&set)).count();
            assert!((1..posts - 2).all(|set| count(set) >= 2), "{all:?}");
        }
        assert!(patches(&layout, &earned, &vec![1.0; posts as usize], 2).is_empty(), "all is whole");
    }
}
