//! A road network turned into the sites that a drive from each location reaches.

use rayon::prelude::*;

use super::Rows;
use super::drive::Search;
use super::hierarchy::{Hierarchy, LANES};
use crate::scenario::{Roads, Sites};

/// Contracting a node costs about as much as settling so many in a plain search; measured with `cargo bench --bench
/// roads`.
const CONTRACTION: usize = 100;

/// Sites all of whose vertices a drive from a location reaches, by location, ascending.
///
/// # Cost
/// About 70 ns a node that plain searches settle, or, where that is more, tens of microseconds a node of the network
/// once and then about a nanosecond a node and location. Over all cores.
pub(super) fn sites_by_location(sites: &Sites, roads: &Roads) -> Rows {
    let targets = distinct(&roads.vertex_nodes);
    let starts = distinct(&roads.location_nodes);
    let near = drives(roads, &starts, &targets);
    let place = |list: &[u32], node: &Option<u32>| node.and_then(|node| list.binary_search(&node).ok());
    let target_of_vertex: Vec<Option<usize>> = roads.vertex_nodes.iter().map(|node| place(&targets, node)).collect();
    let of_location = |node: &Option<u32>| -> Vec<u32> {
        let Some(start) = place(&starts, node) else { return Vec::new() };
        let mut is_near = vec![false; targets.len()];
        near[start].iter().for_each(|target| is_near[*target as usize] = true);
        let is_reached = |site: &u32| {
            let mut vertices = target_of_vertex[sites.vertex_range(*site as usize)].iter();
            vertices.all(|target| target.is_some_and(|target| is_near[target]))
        };
        let count = u32::try_from(sites.positions.len()).expect("sites are counted in 32 bits");
        (0..count).filter(is_reached).collect()
    };
    let lists: Vec<Vec<u32>> = roads.location_nodes.par_iter().map(of_location).collect();
    let mut rows = Rows::default();
    lists.iter().for_each(|list| rows.push(list));
    rows
}

/// Nodes and costs of a drive from a location as far as it covers, nearest first.
#[must_use]
pub fn drive(roads: &Roads, location: usize) -> Vec<(u32, u32)> {
    let mut reached = Vec::new();
    if let Some(start) = roads.location_nodes[location] {
        let graph = &roads.graph;
        Search::new(graph.positions.len()).run(
            |node| graph.arcs_of(node),
            start,
            roads.limit,
            |node, cost| {
                reached.push((node, cost));
                true
            },
        );
    }
    reached
}

fn distinct(nodes: &[Option<u32>]) -> Vec<u32> {
    let mut nodes: Vec<u32> = nodes.iter().flatten().copied().collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// For each start the targets, by their place in the list, that a drive within the limit reaches, ascending.
///
/// # Cost
/// By a contraction hierarchy or by plain searches, whichever a first search shows to be cheaper; over all cores.
#[must_use]
pub fn drives(roads: &Roads, starts: &[u32], targets: &[u32]) -> Vec<Vec<u32>> {
    let Some(first) = starts.first() else { return Vec::new() };
    let nodes = roads.graph.positions.len();
    let most = CONTRACTION.saturating_mul(nodes) / starts.len();
    let mut settled = 0;
    Search::new(nodes).run(
        |node| roads.graph.arcs_of(node),
        *first,
        roads.limit,
        |_, _| {
            settled += 1;
            settled <= most
        },
    );
    if settled > most { by_hierarchy(roads, starts, targets) } else { by_search(roads, starts, targets) }
}

fn by_search(roads: &Roads, starts: &[u32], targets: &[u32]) -> Vec<Vec<u32>> {
    let graph = &roads.graph;
    let of_start = |search: &mut Search, start: &u32| -> Vec<u32> {
        search.run(|node| graph.arcs_of(node), *start, roads.limit, |_, _| true);
        (0_u32..).zip(targets).filter(|(_, node)| search.cost(**node).is_some()).map(|(target, _)| target).collect()
    };
    starts.par_iter().map_init(|| Search::new(graph.positions.len()), of_start).collect()
}

fn by_hierarchy(roads: &Roads, starts: &[u32], targets: &[u32]) -> Vec<Vec<u32>> {
    let hierarchy = Hierarchy::new(&roads.graph);
    let sweep = hierarchy.toward(targets);
    let batches: Vec<Vec<Vec<u32>>> = starts
        .par_chunks(LANES)
        .map_init(|| sweep.room(), |room, batch| sweep.within(batch, roads.limit, room))
        .collect();
    batches.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::scenario::RoadGraph;

    proptest! {
        /// Both ways of searching agree on random networks, one-way streets and dead ends included.
        #[test]
        fn the_hierarchy_answers_as_plain_searches_do(
            count in 1_u32..40,
            streets in proptest::collection::vec((0_u32..40, 0_u32..40, 0_u32..50), 0..160),
            limit in 0_u32..200,
        ) {
            let mut arcs: Vec<(u32, u32, u32)> =
                streets.iter().map(|(tail, head, cost)| (tail % count, head % count, *cost)).collect();
            arcs.retain(|(tail, head, _)| tail != head);
            arcs.sort_unstable();
            arcs.dedup_by_key(|(tail, head, _)| (*tail, *head));
            let starts = (0..=count).map(|node| arcs.partition_point(|(tail, ..)| *tail < node)).collect();
            let arcs = arcs.into_iter().map(|(_, head, cost)| (head, cost)).collect();
            let positions = vec![[0.0, 0.0]; count as usize];
            let graph = Arc::new(RoadGraph { positions, starts, arcs });
            let roads =
                Roads { graph, limit, is_timed: true, location_nodes: Vec::new(), vertex_nodes: Vec::new() };
            let all: Vec<u32> = (0..count).collect();
            let some: Vec<u32> = all.iter().copied().step_by(3).collect();
            prop_assert_eq!(by_hierarchy(&roads, &all, &some), by_search(&roads, &all, &some));
        }
    }
}
