//! A road network and a start turned into costs of the shortest ways, as plainly as can be.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::Roads;

/// Least cost of every node that a drive from a location reaches.
///
/// # Source
/// Dijkstra 1959.
pub(super) fn costs(roads: &Roads, location: usize) -> BTreeMap<u32, u64> {
    let mut costs = BTreeMap::new();
    let mut open: BTreeSet<(u64, u32)> = roads.location_nodes[location].map(|node| (0, node)).into_iter().collect();
    while let Some((cost, node)) = open.pop_first() {
        if costs.contains_key(&node) {
            continue;
        }
        costs.insert(node, cost);
        let arcs = roads.graph.arcs_of(node).iter().map(|(head, more)| (cost + u64::from(*more), *head));
        open.extend(arcs.filter(|(cost, head)| *cost <= u64::from(roads.limit) && !costs.contains_key(head)));
    }
    costs
}
