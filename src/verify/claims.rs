//! What a plan's files say of each site turned into violations where it is not so.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Covered, Violation, counts, is_at, is_known, reached, when};
use crate::plan::{Plan, SiteClaim};
use crate::scenario::Scenario;

/// Judges what a plan's files say about each site.
#[must_use]
pub fn judge_sites(scenario: &Scenario, plan: &Plan, claims: &[SiteClaim]) -> Vec<Violation> {
    if plan.objective.value.is_none() || plan.placements.iter().any(|placement| !is_known(scenario, placement)) {
        return Vec::new();
    }
    let cover: Vec<Vec<Covered>> = plan.placements.par_iter().map(|placement| reached(scenario, placement)).collect();
    let mut by_topic = BTreeMap::<(usize, usize), Vec<&SiteClaim>>::new();
    claims.iter().for_each(|claim| by_topic.entry((claim.requirement, claim.phase)).or_default().push(claim));
    let mut violations = Vec::new();
    for requirement in 0..scenario.requirements.len() {
        for phase in 0..scenario.phases.len() {
            let claims = by_topic.remove(&(requirement, phase)).unwrap_or_default();
            let topic = Topic {
                scenario,
                plan,
                requirement,
                phase,
                by_site: BySite::new(scenario, plan, &cover, requirement, phase),
            };
            violations.extend(topic.judge(&claims));
        }
    }
    violations
}

/// Placements that cover each site and count for a requirement in a phase.
///
/// # Shape
/// Those of site `s` are `placements[starts[s]..starts[s + 1]]`, ascending.
struct BySite {
    starts: Vec<usize>,
    placements: Vec<u32>,
}

impl BySite {
    fn new(scenario: &Scenario, plan: &Plan, cover: &[Vec<Covered>], requirement: usize, phase: usize) -> Self {
        let counting = || {
            let placements = (0_u32..).zip(&plan.placements).zip(cover);
            placements.filter(|((_, placement), _)| counts(scenario, placement, requirement, phase))
        };
        let mut starts = vec![0; scenario.sites.positions.len() + 1];
        for (_, sites) in counting() {
            sites.iter().for_each(|covered| starts[covered.site as usize] += 1);
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        // From the last placement to the first, each before those that are there.
        let mut placements = vec![0; total];
        let all: Vec<_> = counting().collect();
        for ((index, _), sites) in all.into_iter().rev() {
            for covered in sites {
                starts[covered.site as usize] -= 1;
                placements[starts[covered.site as usize]] = index;
            }
        }
        Self { starts, placements }
    }

    fn of(&self, site: u32) -> &[u32] {
        let site = site as usize;
        match (self.starts.get(site), self.starts.get(site + 1)) {
            (Some(start), Some(end)) => &self.placements[*start..*end],
            _ => &[],
        }
    }
}

/// One requirement in one phase, and the truth about it.
struct Topic<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    requirement: usize,
    phase: usize,
    by_site: BySite,
}

impl Topic<'_> {
    fn judge(&self, claims: &[&SiteClaim]) -> Vec<Violation> {
        let requirement = &self.scenario.requirements[self.requirement];
        let name = format!("requirement {}{}", requirement.id, when(self.scenario, self.phase));
        let mut claimed: Vec<u32> = claims.iter().map(|claim| claim.site).collect();
        claimed.sort_unstable();
        let is_listed = |site: &u32| self.plan.listed.holds(self.units(*site));
        let mut expected: Vec<u32> = requirement.sites.iter().copied().filter(is_listed).collect();
        expected.sort_unstable();
        let mut violations = Vec::new();
        if claimed != expected {
            let text = format!("{name}: {} sites listed, {} expected", claims.len(), expected.len());
            violations.push(Violation { code: "site-claim-differs", text });
        }
        for claim in claims.iter().filter(|claim| !self.is_true(claim)) {
            let site = self.scenario.sites.ids.cell(claim.site as usize).unwrap_or_default();
            let text = format!(
                "site {site}, {name}: said to be covered by {} units of {} placements, is covered by {} of {}",
                claim.cover_count,
                claim.covered_by.len(),
                self.units(claim.site),
                self.truth(claim.site).len()
            );
            violations.push(Violation { code: "site-claim-differs", text });
        }
        violations
    }

    fn truth(&self, site: u32) -> &[u32] {
        self.by_site.of(site)
    }

    fn units(&self, site: u32) -> u64 {
        self.truth(site).iter().map(|index| u64::from(self.plan.placements[*index as usize].count)).sum()
    }

    /// True where a claim says what placements do for a site.
    fn is_true(&self, claim: &SiteClaim) -> bool {
        let units = self.units(claim.site);
        let mut covered_by: Vec<Option<usize>> = claim.covered_by.clone();
        covered_by.sort_unstable();
        let position = self.scenario.sites.positions.get(claim.site as usize).copied().unwrap_or_default();
        u64::from(claim.cover_count) == units
            && claim.is_covered == (units > 0)
            && covered_by.iter().copied().eq(self.truth(claim.site).iter().map(|index| Some(*index as usize)))
            && is_at(claim.position, position)
    }
}
