//! Requirements turned into covering terms, by phase and band, and into hard rows of cover.

use std::collections::HashMap;

use super::{Origin, Program, Row, TermGroup};
use crate::cover::{Coverage, Rows, Strand};
use crate::scenario::{ObjectiveKind, Requirement, Scenario};

/// Adds the terms that the objective counts and the rows of hard cover.
pub(super) fn add_terms(program: &mut Program, scenario: &Scenario, coverage: &Coverage, origin: &Origin) {
    let value = Value { scenario, coverage, origin, variables: variables_at(scenario, origin) };
    for requirement in 0..scenario.requirements.len() {
        value.add_minimum(program, requirement);
    }
    let parts = value.parts();
    program.parts = parts.len().max(1);
    for (place, part) in parts.iter().enumerate() {
        for requirement in 0..scenario.requirements.len() {
            value.add_requirement(program, requirement, place, part);
        }
    }
}

/// Which sites and units a part of the objective looks at.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Only sites of this group.
    group: Option<&'a str>,
    /// Without the units of this contributor.
    lost: Option<usize>,
}

struct Value<'a> {
    scenario: &'a Scenario,
    coverage: &'a Coverage,
    origin: &'a Origin,
    /// Lot and variable of every post, by location and unit type.
    variables: Vec<Vec<(usize, u32)>>,
}

/// Lot and variable of the posts at every location and unit type.
fn variables_at(scenario: &Scenario, origin: &Origin) -> Vec<Vec<(usize, u32)>> {
    let unit_types = scenario.unit_types.len();
    let mut variables = vec![Vec::new(); scenario.locations.len() * unit_types];
    for (variable, (location, lot)) in (0_u32..).zip(&origin.posts) {
        variables[location * unit_types + origin.lots[*lot].unit_type].push((*lot, variable));
    }
    variables
}

/// The cover sets of one requirement and phase, in variables, identical ones merged.
#[derive(Default)]
struct MergedSets {
    sets: Rows,
    /// Weight of all sites of a set.
    weights: Vec<f64>,
    /// The first site of a set, to name it.
    first_site: Vec<u32>,
    /// How many sites of a set.
    sites: Vec<usize>,
}

impl Value<'_> {
    /// The parts whose smallest sum is the objective.
    fn parts(&self) -> Vec<Part<'_>> {
        let whole = Part { group: None, lost: None };
        match self.scenario.objective.kind {
            ObjectiveKind::MaxMin => {
                let groups = self.scenario.groups().into_iter().map(|group| Part { group: Some(group), lost: None });
                groups.filter(|part| self.importance(*part) > 0.0).collect()
            }
            ObjectiveKind::WithstandLoss if !self.origin.pools.is_empty() => {
                let mut contributors: Vec<usize> = self.origin.pools.iter().map(|pool| pool.contributor).collect();
                contributors.dedup();
                contributors.into_iter().map(|lost| Part { group: None, lost: Some(lost) }).collect()
            }
            _ => vec![whole],
        }
    }

    /// Importance of all requirements that have weight in a part.
    fn importance(&self, part: Part<'_>) -> f64 {
        let requirements = self.scenario.requirements.iter();
        requirements.filter(|entry| self.weight(entry, part) > 0.0).map(|entry| entry.importance).sum()
    }

    /// Weight of the sites of a requirement in a part.
    fn weight(&self, requirement: &Requirement, part: Part<'_>) -> f64 {
        let sites = requirement.sites.iter().zip(&requirement.weights);
        sites.filter(|(site, _)| self.is_in(**site, part)).map(|(_, weight)| weight).sum()
    }

    fn is_in(&self, site: u32, part: Part<'_>) -> bool {
        part.group.is_none_or(|group| self.scenario.sites.groups.cell(site as usize).unwrap_or_default() == group)
    }

    /// One group of terms for each phase and band of a requirement.
    fn add_requirement(&self, program: &mut Program, place: usize, number: usize, part: &Part<'_>) {
        let requirement = &self.scenario.requirements[place];
        let weight = self.weight(requirement, *part);
        let phase_weight: f64 = self.scenario.phases.iter().map(|phase| phase.weight).sum();
        if weight <= 0.0 || requirement.importance <= 0.0 {
            return;
        }
        let possible = self.importance(*part) * phase_weight * requirement.possible * weight;
        for (phase, entry) in self.scenario.phases.iter().enumerate().filter(|(_, phase)| phase.weight > 0.0) {
            for (least_share, step) in self.bands(requirement) {
                let counts = |strand: Strand| strand.share >= least_share;
                let merged = self.merged(place, phase, *part, counts);
                let group = TermGroup {
                    part: number,
                    levels: requirement.levels.clone(),
                    scale: requirement.importance * entry.weight * step / possible,
                    terms: Vec::new(),
                };
                program.add_group(group, merged.sets.iter().zip(&merged.weights));
            }
        }
    }

    /// Shares of the bands of a requirement's types, falling, each with its step above the next.
    fn bands(&self, requirement: &Requirement) -> Vec<(f64, f64)> {
        let strands = self.coverage.strands.iter().filter(|one| requirement.unit_types.contains(&one.unit_type));
        let mut shares: Vec<f64> = strands.map(|strand| strand.share).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        shares.dedup();
        let next = shares.iter().skip(1).copied().chain([0.0]);
        shares.iter().copied().zip(next).map(|(share, next)| (share, share - next)).collect()
    }

    /// Restricts cover sets to the variables that count in a phase and merges those that become identical.
    fn merged(&self, place: usize, phase: usize, part: Part<'_>, counts: impl Fn(Strand) -> bool) -> MergedSets {
        const UNSEEN: u32 = u32::MAX;
        let requirement = &self.scenario.requirements[place];
        let mut merged_of_set = vec![UNSEEN; self.coverage.sets.len()];
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut merged = MergedSets::default();
        for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
            if !self.is_in(*site, part) {
                continue;
            }
            let set = self.coverage.set_of_site[*site as usize] as usize;
            if merged_of_set[set] == UNSEEN {
                let mut variables = Vec::new();
                for post in self.coverage.sets.row(set) {
                    let (location, strand) = self.coverage.split(*post);
                    if requirement.unit_types.contains(&strand.unit_type) && counts(strand) {
                        self.gather(location, strand.unit_type, place, phase, part, &mut variables);
                    }
                }
                variables.sort_unstable();
                let next = u32::try_from(merged.sets.len()).expect("no more merged sets than cover sets");
                merged_of_set[set] = *known.entry(variables).or_insert_with_key(|variables| {
                    merged.sets.push(variables);
                    merged.weights.push(0.0);
                    merged.first_site.push(*site);
                    merged.sites.push(0);
                    next
                });
            }
            let place = merged_of_set[set] as usize;
            merged.weights[place] += weight;
            merged.sites[place] += 1;
        }
        merged
    }

    /// Variables of the lots at a post that stand in a phase and count for a requirement.
    fn gather(
        &self,
        location: usize,
        unit_type: usize,
        requirement: usize,
        phase: usize,
        part: Part<'_>,
        variables: &mut Vec<u32>,
    ) {
        let posts = &self.variables[location * self.scenario.unit_types.len() + unit_type];
        let counting = posts.iter().filter(|(place, _)| {
            let lot = &self.origin.lots[*place];
            lot.counts[requirement] && lot.stands_in(phase) && (part.lost.is_none() || lot.owner != part.lost)
        });
        variables.extend(counting.map(|(_, variable)| *variable));
    }

    /// Hard cover: one row per phase and distinct cover set.
    fn add_minimum(&self, program: &mut Program, place: usize) {
        let requirement = &self.scenario.requirements[place];
        if requirement.minimum == 0 {
            return;
        }
        for phase in 0..self.scenario.phases.len() {
            let merged = self.merged(place, phase, Part { group: None, lost: None }, |_| true);
            for (set, variables) in merged.sets.iter().enumerate() {
                let site = self.scenario.sites.ids.cell(merged.first_site[set] as usize).unwrap_or_default();
                let others = match merged.sites[set] - 1 {
                    0 => String::new(),
                    more => format!(" and {more} sites with the same cover"),
                };
                let when = super::supply::when(self.scenario, phase);
                let why = if variables.is_empty() { ": no allowed location reaches it" } else { "" };
                let (id, minimum) = (&requirement.id, requirement.minimum);
                program.add_row(Row {
                    rule: format!("requirement {id} minimum {minimum}, site {site}{others}{when}{why}"),
                    terms: variables.iter().map(|variable| (*variable, 1.0)).collect(),
                    least: f64::from(minimum),
                    most: f64::INFINITY,
                });
            }
        }
    }
}
