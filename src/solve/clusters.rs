//! The covering terms of a group shared out among clusters that lie together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::layout::Layout;
use crate::model::TermGroup;

/// Places of a group's terms, in at most `most` lists: each with the nearest of some variables that lie far from each other, as
/// many as lists, or as it takes until all that a unit can cover is near one; then small lists go to neighbours.
///
/// A variable is the nearer to another the larger the part of what it covers that the other covers, too, and a term is as near
/// as all that cover it are together.
///
/// # Cost
/// Linear in the items of the group's sets, times the lists that a variable is in.
///
/// # Source
/// Farthest points first: Gonzalez 1985.
pub(super) fn clusters(layout: &Layout<'_>, group: &TermGroup, most: usize) -> Vec<Vec<usize>> {
    let parts = parts(layout, group, most);
    let centres = parts.iter().flatten().map(|(centre, _)| centre + 1).max().unwrap_or(1);
    let mut lists = vec![Vec::new(); centres];
    let mut nearness = vec![0.0; centres];
    for (place, term) in group.terms.iter().enumerate() {
        let row = layout.program.sets.row(term.set as usize);
        let near = row.iter().flat_map(|variable| &parts[*variable as usize]);
        near.clone().for_each(|(centre, part)| nearness[*centre] += part);
        let closer = |a: &usize, b: &usize| f64::total_cmp(&nearness[*a], &nearness[*b]).then(b.cmp(a));
        let nearest = near.clone().map(|(centre, _)| *centre).max_by(closer).unwrap_or(0);
        near.for_each(|(centre, _)| nearness[*centre] = 0.0);
        lists[nearest].push(place);
    }
    lists.retain(|list| !list.is_empty());
    if lists.len() > most { merged(layout, group, lists, most) } else { lists }
}

/// Centres near each variable, by number, and what part of the centre's it covers.
fn parts(layout: &Layout<'_>, group: &TermGroup, most: usize) -> Vec<Vec<(usize, f64)>> {
    let weight = |set: &u32| layout.terms[*set as usize].weight;
    let all: Vec<f64> =
        (0..layout.program.variables.len()).map(|variable| held(layout, group, variable).map(weight).sum()).collect();
    // Weights are not negative: their bits are in their order.
    let first = |(variable, all): (usize, &f64)| (Reverse(0), all.to_bits(), Reverse(variable));
    let useful = all.iter().enumerate().filter(|(_, all)| **all > 0.0);
    let mut heap: BinaryHeap<(Reverse<u64>, u64, Reverse<usize>)> = useful.map(first).collect();
    let mut nearest = vec![0.0_f64; all.len()];
    let mut parts: Vec<Vec<(usize, f64)>> = vec![Vec::new(); all.len()];
    let mut centre = 0;
    while let Some((Reverse(near), weighs, Reverse(variable))) = heap.pop() {
        if centre >= most && near > 0 {
            break;
        }
        if near != nearest[variable].to_bits() {
            heap.push((Reverse(nearest[variable].to_bits()), weighs, Reverse(variable)));
            continue;
        }
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        for set in held(layout, group, variable) {
            let row = layout.program.sets.row(*set as usize);
            row.iter().for_each(|other| *shared.entry(*other as usize).or_default() += weight(set));
        }
        for (other, shared) in shared {
            nearest[other] = nearest[other].max(shared / all[other].max(f64::MIN_POSITIVE));
            parts[other].push((centre, shared / all[variable]));
        }
        centre += 1;
    }
    parts
}

/// The sets of a variable that belong to a group, whose sets follow each other.
fn held<'a>(layout: &'a Layout<'_>, group: &TermGroup, variable: usize) -> impl Iterator<Item = &'a u32> + use<'a> {
    let (first, last) = (group.terms.first().map(|term| term.set), group.terms.last().map(|term| term.set));
    layout.sets_of.row(variable).iter().filter(move |set| Some(**set) >= first && Some(**set) <= last)
}

/// Lists of which the shortest went, one after the other, to that neighbour with which the same variables cover most of it and
/// which is short, too, until there are at most so many.
fn merged(layout: &Layout<'_>, group: &TermGroup, mut lists: Vec<Vec<usize>>, most: usize) -> Vec<Vec<usize>> {
    let first = group.terms.first().map_or(0, |term| term.set);
    let mut list_of = vec![0; group.terms.len()];
    lists.iter().enumerate().for_each(|(list, places)| places.iter().for_each(|place| list_of[*place] = list));
    let mut links: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); lists.len()];
    for variable in 0..layout.program.variables.len() {
        let mut covered: BTreeMap<usize, f64> = BTreeMap::new();
        for set in held(layout, group, variable) {
            *covered.entry(list_of[(set - first) as usize]).or_default() += layout.terms[*set as usize].weight;
        }
        for (a, weight) in &covered {
            for (b, other) in covered.iter().filter(|(b, _)| *b != a) {
                *links[*a].entry(*b).or_default() += weight.min(*other);
            }
        }
    }
    let mut heap: BinaryHeap<Reverse<(usize, usize)>> =
        lists.iter().enumerate().map(|(list, places)| Reverse((places.len(), list))).collect();
    let mut left = lists.len();
    while left > most
        && let Some(Reverse((short, list))) = heap.pop()
    {
        if lists[list].len() != short || short == 0 {
            continue;
        }
        let gone = std::mem::take(&mut links[list]);
        let length = |list: usize| f64::from(u32::try_from(lists[list].len()).unwrap_or(u32::MAX));
        let score = |(other, link): &(&usize, &f64)| *link / length(**other);
        let nearest = gone.iter().max_by(|a, b| score(a).total_cmp(&score(b))).map(|(other, _)| *other);
        // Who has no neighbours goes to the next shortest.
        let others = || (0..lists.len()).filter(|other| *other != list && !lists[*other].is_empty());
        let Some(to) = nearest.or_else(|| others().min_by_key(|other| lists[*other].len())) else { break };
        let places = std::mem::take(&mut lists[list]);
        lists[to].extend(places);
        links[to].remove(&list);
        for (other, link) in gone.into_iter().filter(|(other, _)| *other != to) {
            links[other].remove(&list);
            *links[other].entry(to).or_default() += link;
            *links[to].entry(other).or_default() += link;
        }
        heap.push(Reverse((lists[to].len(), to)));
        left -= 1;
    }
    lists.retain(|list| !list.is_empty());
    lists.iter_mut().for_each(|list| list.sort_unstable());
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Program, Variable};

    /// A row of posts, each of which covers the two sites beside it: clusters are stretches of the row.
    #[test]
    fn clusters_lie_together() {
        let posts = 24_u32;
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; posts as usize]);
        let sets: Vec<Vec<u32>> = (1..posts).map(|site| vec![site - 1, site]).collect();
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&[1.0; 23]));
        let layout = Layout::new(&program);
        for most in [1, 4, 8, 100] {
            let lists = clusters(&layout, &program.groups[0], most);
            assert!(lists.len() <= most && lists.len() >= most.min(12), "{most}: {lists:?}");
            let mut all: Vec<usize> = lists.iter().flatten().copied().collect();
            all.sort_unstable();
            assert_eq!(all, (0..23).collect::<Vec<_>>(), "each term is in one");
            let is_stretch = |list: &Vec<usize>| list.windows(2).all(|pair| pair[1] == pair[0] + 1);
            assert!(lists.iter().all(is_stretch), "{most}: {lists:?}");
        }
    }
}
