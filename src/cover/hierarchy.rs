//! A road graph turned into a contraction hierarchy that answers, for many nodes at once, which others are near.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::drive::Search;
use crate::scenario::RoadGraph;

/// No way. Adding the largest cost to it does not overflow.
const NO_WAY: i32 = i32::MAX / 2;

/// Nodes that a look for a way around settles at most; fewer make more shortcuts, never wrong answers.
const MOST_SETTLED: usize = 50;

/// The place of a node that no sweep needs.
const NOT_NEEDED: u32 = u32::MAX;

/// Starts that one sweep serves; eight numbers of 32 bits are one or two registers of most processors.
pub(super) const LANES: usize = 8;

/// Costs by start of a batch; signed, since older processors compare no others at once.
type Costs = [i32; LANES];

/// The other ends of a node's arcs, and their costs.
type Arcs = Vec<(u32, u32)>;

/// A hierarchy of nodes by importance.
///
/// # Shape
/// Nodes are numbered anew, the most important first; arcs up lead to smaller numbers.
///
/// # Source
/// Geisberger et al. 2008 for the hierarchy; Delling et al. 2011 for sweeps of many (PHAST), restricted to what the
/// targets need.
pub(super) struct Hierarchy {
    number: Vec<u32>,
    up: Vec<Arcs>,
    down: Vec<Arcs>,
}

impl Hierarchy {
    /// # Cost
    /// Tens of microseconds a node.
    pub(super) fn new(graph: &RoadGraph) -> Self {
        let count = graph.positions.len();
        let out: Vec<Arcs> = (0_u32..).take(count).map(|node| graph.arcs_of(node).to_vec()).collect();
        let mut into: Vec<Arcs> = vec![Vec::new(); count];
        for (tail, arcs) in (0_u32..).zip(&out) {
            arcs.iter().for_each(|(head, cost)| into[*head as usize].push((tail, *cost)));
        }
        let mut contraction = Contraction { out, into, level: vec![0; count], around: Search::new(count) };
        let mut queue: BinaryHeap<Reverse<(i64, u32)>> =
            (0_u32..).take(count).map(|node| Reverse((contraction.priority(node), node))).collect();
        let (mut up, mut down) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        let mut order = Vec::with_capacity(count);
        while let Some(Reverse((_, node))) = queue.pop() {
            // Priorities rise as neighbors go: the node waits where another now comes first.
            let priority = contraction.priority(node);
            if queue.peek().is_some_and(|Reverse(next)| *next < (priority, node)) {
                queue.push(Reverse((priority, node)));
                continue;
            }
            (up[node as usize], down[node as usize]) = contraction.contract(node);
            order.push(node);
        }
        let mut number = vec![0_u32; count];
        for (place, node) in (0_u32..).zip(order.iter().rev()) {
            number[*node as usize] = place;
        }
        let renumbered = |mut arcs: Vec<Arcs>| -> Vec<Arcs> {
            let of = |node: &u32| {
                let mut arcs = std::mem::take(&mut arcs[*node as usize]);
                arcs.iter_mut().for_each(|(end, _)| *end = number[*end as usize]);
                arcs
            };
            order.iter().rev().map(of).collect()
        };
        let (up, down) = (renumbered(up), renumbered(down));
        Self { number, up, down }
    }

    /// What is needed to reach these nodes.
    pub(super) fn toward(&self, targets: &[u32]) -> Sweep<'_> {
        let mut is_needed = vec![false; self.number.len()];
        targets.iter().for_each(|target| is_needed[self.number[*target as usize] as usize] = true);
        for node in (0..is_needed.len()).rev() {
            if is_needed[node] {
                self.down[node].iter().for_each(|(tail, _)| is_needed[*tail as usize] = true);
            }
        }
        let mut place = vec![NOT_NEEDED; is_needed.len()];
        let (mut starts, mut arcs) = (vec![0], Vec::new());
        for (count, node) in (0_u32..).zip((0..is_needed.len()).filter(|node| is_needed[*node])) {
            place[node] = count;
            let down = self.down[node].iter();
            arcs.extend(down.map(|(tail, cost)| (place[*tail as usize], signed(*cost))));
            starts.push(arcs.len());
        }
        let targets = targets.iter().map(|target| place[self.number[*target as usize] as usize]).collect();
        Sweep { hierarchy: self, place, starts, arcs, targets }
    }
}

/// A cost as the sweeps keep it.
fn signed(cost: u32) -> i32 {
    i32::try_from(cost).unwrap_or(NO_WAY).min(NO_WAY)
}

/// Nodes on the ways down to some targets, the most important first.
pub(super) struct Sweep<'a> {
    hierarchy: &'a Hierarchy,
    /// Place of each node of the hierarchy.
    place: Vec<u32>,
    /// Where the arcs down to each place start.
    starts: Vec<usize>,
    /// Place of the tail, and cost.
    arcs: Vec<(u32, i32)>,
    /// Place of each target.
    targets: Vec<u32>,
}

/// Room for sweeps to work in.
pub(super) struct Room {
    costs: Vec<Costs>,
    climb: Search,
}

impl Sweep<'_> {
    pub(super) fn room(&self) -> Room {
        Room { costs: Vec::new(), climb: Search::new(self.place.len()) }
    }

    /// For each of at most [`LANES`] starts the targets, by their place in the list, within a cost, ascending.
    pub(super) fn within(&self, batch: &[u32], limit: u32, room: &mut Room) -> Vec<Vec<u32>> {
        let Room { costs, climb } = room;
        costs.clear();
        costs.resize(self.starts.len() - 1, [NO_WAY; LANES]);
        for (lane, start) in batch.iter().enumerate() {
            let start = self.hierarchy.number[*start as usize];
            let up = |node: u32| self.hierarchy.up[node as usize].as_slice();
            climb.run(up, start, limit, |node, cost| {
                let place = self.place[node as usize];
                if place != NOT_NEEDED {
                    costs[place as usize][lane] = signed(cost);
                }
                true
            });
        }
        for place in 0..costs.len() {
            let (before, rest) = costs.split_at_mut(place);
            for (tail, cost) in &self.arcs[self.starts[place]..self.starts[place + 1]] {
                relax(&mut rest[0], &before[*tail as usize], *cost);
            }
        }
        let limit = signed(limit);
        let near = |lane: usize| {
            let places = (0_u32..).zip(&self.targets);
            places.filter(|(_, place)| costs[**place as usize][lane] <= limit).map(|(target, _)| target).collect()
        };
        (0..batch.len()).map(near).collect()
    }
}

/// Costs by way of an arc, where they are less.
fn relax(here: &mut Costs, there: &Costs, cost: i32) {
    for (here, there) in here.iter_mut().zip(there) {
        let through = there + cost;
        *here = if through < *here { through } else { *here };
    }
}

/// Takes nodes out of a graph one by one, with shortcuts where ways led through them.
struct Contraction {
    out: Vec<Arcs>,
    into: Vec<Arcs>,
    /// How many were taken out below each node, one above the other.
    level: Vec<i64>,
    around: Search,
}

impl Contraction {
    /// Shortcuts that are needed when a node goes: for ways through it that no other matches.
    fn shortcuts(&mut self, node: u32) -> Vec<(u32, u32, u32)> {
        let mut shortcuts = Vec::new();
        let heads = &self.out[node as usize];
        let Some(farthest) = heads.iter().map(|(_, cost)| *cost).max() else { return shortcuts };
        for (tail, first) in &self.into[node as usize] {
            let mut settled = 0;
            // The node itself leads nowhere, so that only ways around it are found.
            let out = |other: u32| if other == node { &[] } else { self.out[other as usize].as_slice() };
            self.around.run(out, *tail, first + farthest, |_, _| {
                settled += 1;
                settled <= MOST_SETTLED
            });
            for (head, second) in heads.iter().filter(|(head, _)| head != tail) {
                let through = first + second;
                // What is farther than any limit needs no shortcut.
                let is_needed = self.around.cost(*head).is_none_or(|cost| cost > through);
                if is_needed && through <= RoadGraph::MOST_COST {
                    shortcuts.push((*tail, *head, through));
                }
            }
        }
        shortcuts
    }

    /// The lower, the sooner a node goes: few shortcuts for its arcs, and few gone below it.
    fn priority(&mut self, node: u32) -> i64 {
        let count = |arcs: usize| i64::try_from(arcs).unwrap_or(i64::MAX / 4);
        let added = count(self.shortcuts(node).len());
        2 * added - count(self.out[node as usize].len() + self.into[node as usize].len()) + self.level[node as usize]
    }

    /// Takes a node out; its arcs to and from those that are left.
    fn contract(&mut self, node: u32) -> (Arcs, Arcs) {
        for (tail, head, cost) in self.shortcuts(node) {
            shorten(&mut self.out[tail as usize], head, cost);
            shorten(&mut self.into[head as usize], tail, cost);
        }
        let (out, into) = (std::mem::take(&mut self.out[node as usize]), std::mem::take(&mut self.into[node as usize]));
        let level = self.level[node as usize] + 1;
        for (head, _) in &out {
            self.into[*head as usize].retain(|(tail, _)| *tail != node);
            self.level[*head as usize] = self.level[*head as usize].max(level);
        }
        for (tail, _) in &into {
            self.out[*tail as usize].retain(|(head, _)| *head != node);
            self.level[*tail as usize] = self.level[*tail as usize].max(level);
        }
        (out, into)
    }
}

/// Puts an arc into a list, or makes the one that is there cheaper.
fn shorten(arcs: &mut Arcs, end: u32, cost: u32) {
    match arcs.iter_mut().find(|(other, _)| *other == end) {
        Some((_, known)) => *known = cost.min(*known),
        None => arcs.push((end, cost)),
    }
}
