//! Values of a program turned into placements of contributors' units, and what they earn.

use super::{Objective, Placement, Plan, RequirementResult, Search};
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
        search: Search {
            seconds: 0.0,
            method: "compact",
            nodes: solution.nodes,
            variables: solution.variables,
            rows: solution.rows,
            reductions: vec![("sites merged by cover set", scenario.sites.positions.len() - coverage.sets.len())],
        },
    }
}

/// Hands units out to contributors: fixed units first, then location by location, contributor by contributor.
fn placements(scenario: &Scenario, origin: &Origin, values: &[u32]) -> Vec<Placement> {
    let (posts, pledges) = values.split_at(origin.posts.len());
    let mut left: Vec<((usize, usize), u32)> = origin.pledges.iter().copied().zip(pledges.iter().copied()).collect();
    let mut counts = std::collections::BTreeMap::<(usize, usize, usize), u32>::new();
    let mut give = |contributor: usize, unit_type: usize, location: usize, wanted: u32| {
        let pledge = left.iter_mut().find(|(owner, _)| *owner == (contributor, unit_type));
        let given = pledge.map_or(0, |(_, left)| {
            let given = wanted.min(*left);
            *left -= given;
            given
        });
        if given > 0 {
            *counts.entry((contributor, unit_type, location)).or_default() += given;
        }
        given
    };
    let mut wanted: Vec<u32> = posts.to_vec();
    for fixed in &scenario.fixed {
        let post = origin.posts.iter().position(|post| *post == (fixed.location, fixed.unit_type));
        if let Some(post) = post {
            wanted[post] -= give(fixed.contributor, fixed.unit_type, fixed.location, fixed.count);
        }
    }
    for ((location, unit_type), wanted) in origin.posts.iter().zip(&mut wanted) {
        for contributor in 0..scenario.contributors.len() {
            *wanted -= give(contributor, *unit_type, *location, *wanted);
        }
    }
    let placement = |((contributor, unit_type, location), count): ((usize, usize, usize), u32)| Placement {
        contributor,
        unit_type,
        location,
        count,
        position: scenario.locations[location].position,
    };
    counts.into_iter().map(placement).collect()
}

/// What placements earn for each requirement.
fn requirements(scenario: &Scenario, coverage: &Coverage, placements: &[Placement]) -> Vec<RequirementResult> {
    let unit_types = scenario.unit_types.len();
    let mut units_at = vec![0_u32; scenario.locations.len() * unit_types];
    for placement in placements {
        units_at[placement.location * unit_types + placement.unit_type] += placement.count;
    }
    let result = |requirement: &Requirement| {
        let counts = |post: &&u32| requirement.unit_types.contains(&(**post as usize % unit_types));
        let units_on: Vec<u32> = coverage
            .sets
            .iter()
            .map(|posts| posts.iter().filter(counts).map(|post| units_at[*post as usize]).sum())
            .collect();
        let units = requirement.sites.iter().map(|site| units_on[coverage.set_of_site[*site as usize] as usize]);
        measured(requirement, units)
    };
    scenario.requirements.iter().map(result).collect()
}

/// The result of a requirement from the units on each of its sites, in order.
fn measured(requirement: &Requirement, units: impl Iterator<Item = u32>) -> RequirementResult {
    let mut result = RequirementResult {
        share: 0.0,
        covered_weight: 0.0,
        total_weight: requirement.total_weight(),
        sites: requirement.sites.len(),
        sites_covered: 0,
        by_level: vec![0.0; requirement.levels.len()],
    };
    let mut earned = 0.0;
    for (units, weight) in units.zip(&requirement.weights) {
        earned += weight * requirement.value_of(units);
        if units > 0 {
            result.covered_weight += weight;
            result.sites_covered += 1;
        }
        result.by_level.iter_mut().take(units as usize).for_each(|level| *level += weight);
    }
    result.share = earned / (requirement.possible * result.total_weight);
    result
}
