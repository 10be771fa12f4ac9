//! Positions turned into the nodes of a road network that they are beside.

use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::{Distance, RoadGraph};

/// A strongly connected part of the network counts when it has at least this share of the largest part's nodes: islands
/// do, a car park cut off by a gap in the data does not.
const LEAST_PART: f64 = 0.1;

/// For every node, whether it lies in a strongly connected part that counts.
pub(super) fn anchors(graph: &RoadGraph) -> Vec<bool> {
    let parts = parts(graph);
    let mut sizes = vec![0_u32; parts.len()];
    parts.iter().for_each(|part| sizes[*part as usize] += 1);
    let largest = sizes.iter().max().map_or(0.0, |most| f64::from(*most));
    parts.iter().map(|part| f64::from(sizes[*part as usize]) >= LEAST_PART * largest).collect()
}

/// The strongly connected part of every node.
///
/// # Source
/// Tarjan 1972, without recursion.
fn parts(graph: &RoadGraph) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    let count = graph.positions.len();
    let (mut order, mut low, mut part) = (vec![UNSEEN; count], vec![0; count], vec![UNSEEN; count]);
    let (mut open, mut trail): (Vec<u32>, Vec<(u32, usize)>) = (Vec::new(), Vec::new());
    let (mut next_order, mut next_part) = (0, 0);
    for root in 0..u32::try_from(count).unwrap_or(UNSEEN) {
        if order[root as usize] != UNSEEN {
            continue;
        }
        trail.push((root, 0));
        while let Some((node, arc)) = trail.last_mut() {
            let (node, place) = (*node, *arc);
            if place == 0 {
                (order[node as usize], low[node as usize]) = (next_order, next_order);
                next_order += 1;
                open.push(node);
            }
            *arc += 1;
            if let Some((head, _)) = graph.arcs_of(node).get(place) {
                if order[*head as usize] == UNSEEN {
                    trail.push((*head, 0));
                } else if part[*head as usize] == UNSEEN {
                    low[node as usize] = low[node as usize].min(order[*head as usize]);
                }
                continue;
            }
            trail.pop();
            if let Some((above, _)) = trail.last() {
                low[*above as usize] = low[*above as usize].min(low[node as usize]);
            }
            if low[node as usize] == order[node as usize] {
                while let Some(member) = open.pop() {
                    part[member as usize] = next_part;
                    if member == node {
                        break;
                    }
                }
                next_part += 1;
            }
        }
    }
    part
}

/// Finds the node beside a position.
pub(super) struct Snap {
    tree: RTree<GeomWithData<[f64; 3], u32>>,
    distance: Distance,
    limit_m: f64,
}

impl Snap {
    /// Looks among the nodes of parts that count, no farther than a limit.
    pub(super) fn new(distance: Distance, graph: &RoadGraph, is_anchor: &[bool], limit_m: f64) -> Self {
        let nodes = (0_u32..).zip(&graph.positions).zip(is_anchor).filter(|(_, is_anchor)| **is_anchor);
        let points = nodes.map(|((node, at), _)| GeomWithData::new(distance.to_space(*at), node)).collect();
        Self { tree: RTree::bulk_load(points), distance, limit_m }
    }

    /// The nearest node in a straight line, if it is near enough.
    pub(super) fn node(&self, at: [f64; 2]) -> Option<u32> {
        let point = self.distance.to_space(at);
        let nearest = self.tree.nearest_neighbor(point)?;
        let squared: f64 = nearest.geom().iter().zip(point).map(|(a, b)| (a - b).powi(2)).sum();
        (squared.sqrt() <= self.limit_m).then_some(nearest.data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph(count: u32, streets: &[(u32, u32)]) -> RoadGraph {
        let mut arcs: Vec<(u32, u32)> = streets.iter().map(|(tail, head)| (tail % count, head % count)).collect();
        arcs.sort_unstable();
        let starts = (0..=count).map(|node| arcs.partition_point(|(tail, _)| *tail < node)).collect();
        let arcs = arcs.into_iter().map(|(_, head)| (head, 1)).collect();
        RoadGraph { positions: (0..count).map(|node| [f64::from(node), 0.0]).collect(), starts, arcs }
    }

    proptest! {
        /// Two nodes are in one part exactly when each can be reached from the other.
        #[test]
        fn parts_are_mutual_reach(count in 1_u32..9, streets in proptest::collection::vec((0_u32..9, 0_u32..9), 0..20)) {
            let graph = graph(count, &streets);
            let reached = |from: u32| {
                let (mut seen, mut open) = (vec![false; count as usize], vec![from]);
                while let Some(node) = open.pop() {
                    if !std::mem::replace(&mut seen[node as usize], true) {
                        open.extend(graph.arcs_of(node).iter().map(|(head, _)| *head));
                    }
                }
                seen
            };
            let reached: Vec<Vec<bool>> = (0..count).map(reached).collect();
            let parts = parts(&graph);
            for a in 0..count as usize {
                for b in 0..count as usize {
                    prop_assert_eq!(parts[a] == parts[b], reached[a][b] && reached[b][a]);
                }
            }
        }
    }

    #[test]
    fn the_nearest_node_of_a_part_that_counts() {
        // 0 -> 1 -> 2 -> 0 is a part; 3 is a dead end that counts for less than a tenth only among more than ten.
        let mut streets: Vec<(u32, u32)> = (0..20).map(|node| (node, (node + 1) % 20)).collect();
        streets.push((3, 20));
        let graph = graph(21, &streets);
        let is_anchor = anchors(&graph);
        assert!(is_anchor[..20].iter().all(|is| *is) && !is_anchor[20]);
        let snap = Snap::new(Distance::Planar, &graph, &is_anchor, 1.0);
        assert_eq!(snap.node([7.4, 0.0]), Some(7));
        assert_eq!(snap.node([20.0, 0.0]), Some(19), "its own node is a dead end");
        assert_eq!(snap.node([20.1, 0.0]), None);
    }
}
