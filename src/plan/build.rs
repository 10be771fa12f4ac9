//! Values of a program turned into placements of contributors' units, and what they earn.

use std::collections::BTreeMap;

use super::{Listed, Objective, Placement, Plan, RequirementResult, Search};
use crate::cover::Coverage;
use crate::model::{Origin, Program};
use crate::scenario::{Requirement, Scenario};
use crate::solve::{Solution, gap};

/// Turns a solution into a plan.
///
/// # Cost
/// Linear in sites and in the items of the cover sets.
#[must_use]
pub fn build(
    scenario: &Scenario,
    coverage: &Coverage,
    program: &Program,
    origin: &Origin,
    solution: &Solution,
) -> Plan {
    let placements = solution.values.as_ref().map(|values| placements(scenario, origin, values)).unwrap_or_default();
    let value = solution.values.as_ref().map(|values| program.objective(values));
    let requirements = if value.is_some() { requirements(scenario, coverage, &placements) } else { Vec::new() };
    let merged = scenario.sites.positions.len() - coverage.sets.len();
    Plan {
        status: solution.status,
        stop_reason: solution.stop_reason,
        objective: Objective {
            kind: scenario.objective.kind,
            value,
            bound: solution.bound,
            gap: value.map(|value| gap(value, solution.bound)),
        },
        placements,
        requirements,
        conflict: solution.conflict.clone(),
        is_conflict_smallest: solution.is_conflict_smallest,
        certificate: solution.certificate.clone(),
        listed: Listed::All,
        search: Search {
            seconds: 0.0,
            method: solution.method,
            nodes: solution.nodes,
            variables: solution.variables,
            rows: solution.rows,
            reductions: std::iter::once(("sites merged by cover set", merged))
                .chain(solution.reductions.iter().copied())
                .collect(),
            trace: solution.trace.clone(),
            faults: solution.faults.clone(),
        },
    }
}

/// A contributor's units of a type at a location over a span of phases.
type Key = (usize, usize, usize, usize, usize);

/// Hands units out to contributors: fixed units first, then location by location, pool by pool.
///
/// Within a lot any order will do: its units may stand at all of its posts, and there are as many as are pledged.
fn placements(scenario: &Scenario, origin: &Origin, values: &[u32]) -> Vec<Placement> {
    let (posts, rest) = values.split_at(origin.posts.len());
    let mut wanted: Vec<u32> = posts.to_vec();
    let mut left: Vec<u32> = rest[..origin.pledges.len()].to_vec();
    let mut counts = BTreeMap::<Key, u32>::new();
    let mut give = |pledge: usize, post: usize, count: u32| {
        let (pool, lot) = (&origin.pools[origin.pledges[pledge].0], &origin.lots[origin.posts[post].1]);
        let key = (pool.contributor, pool.unit_type, origin.posts[post].0, lot.arrival, lot.last);
        if count > 0 {
            *counts.entry(key).or_default() += count;
        }
    };
    for (pledge, post, count) in &origin.fixed {
        let count = (*count).min(wanted[*post]).min(left[*pledge]);
        wanted[*post] -= count;
        left[*pledge] -= count;
        give(*pledge, *post, count);
    }
    let mut pledges_of_lot: Vec<Vec<usize>> = vec![Vec::new(); origin.lots.len()];
    for (pledge, (_, lot)) in origin.pledges.iter().enumerate() {
        pledges_of_lot[*lot].push(pledge);
    }
    for (post, (_, lot)) in origin.posts.iter().enumerate() {
        for pledge in &pledges_of_lot[*lot] {
            let count = wanted[post].min(left[*pledge]);
            wanted[post] -= count;
            left[*pledge] -= count;
            give(*pledge, post, count);
        }
    }
    let placement = |((contributor, unit_type, location, arrival, last), count): (Key, u32)| Placement {
        contributor,
        unit_type,
        location,
        count,
        arrival,
        last,
        position: scenario.locations[location].position,
    };
    counts.into_iter().map(placement).collect()
}

/// What placements earn for each requirement and phase.
fn requirements(scenario: &Scenario, coverage: &Coverage, placements: &[Placement]) -> Vec<RequirementResult> {
    let mut results = Vec::new();
    let unit_types = scenario.unit_types.len();
    for (place, requirement) in scenario.requirements.iter().enumerate() {
        for phase in 0..scenario.phases.len() {
            let mut units_at = vec![0_u32; scenario.locations.len() * unit_types];
            let counting = placements
                .iter()
                .filter(|one| one.stands_in(phase) && scenario.counts(one.contributor, one.unit_type, place));
            for placement in counting {
                units_at[placement.location * unit_types + placement.unit_type] += placement.count;
            }
            let ladders: Vec<Cover> =
                coverage.sets.iter().map(|posts| cover(requirement, coverage, posts, &units_at, unit_types)).collect();
            results.push(measured(place, phase, requirement, coverage, &ladders));
        }
    }
    results
}

/// Units on a site and what a weight of 1 there earns.
struct Cover {
    units: u32,
    value: f64,
}

fn cover(requirement: &Requirement, coverage: &Coverage, posts: &[u32], units_at: &[u32], unit_types: usize) -> Cover {
    let mut by_share: Vec<(f64, u32)> = Vec::new();
    for post in posts {
        let (location, strand) = coverage.split(*post);
        let units = units_at[location * unit_types + strand.unit_type];
        if units > 0 {
            by_share.push((strand.share, units));
        }
    }
    by_share.sort_by(|a, b| b.0.total_cmp(&a.0));
    Cover { units: by_share.iter().map(|(_, units)| units).sum(), value: requirement.gradual_value(&by_share) }
}

/// The result of a requirement and phase from the cover of each of its sites.
fn measured(
    place: usize,
    phase: usize,
    requirement: &Requirement,
    coverage: &Coverage,
    covers: &[Cover],
) -> RequirementResult {
    let mut result = RequirementResult {
        requirement: place,
        phase,
        share: 0.0,
        covered_weight: 0.0,
        total_weight: requirement.total_weight(),
        sites: requirement.sites.len(),
        sites_covered: 0,
        by_level: vec![0.0; requirement.levels.len()],
    };
    let mut earned = 0.0;
    for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
        let cover = &covers[coverage.set_of_site[*site as usize] as usize];
        earned += weight * cover.value;
        if cover.units > 0 {
            result.covered_weight += weight;
            result.sites_covered += 1;
        }
        result.by_level.iter_mut().take(cover.units as usize).for_each(|level| *level += weight);
    }
    result.share = earned / (requirement.possible * result.total_weight);
    result
}
