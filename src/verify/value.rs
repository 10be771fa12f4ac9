//! What placements reach turned into shares and the objective, compared with what the plan claims.

use super::{Bench, Covered, ROUNDING, Share, Violation, counts, is_close, when};
use crate::plan::{Placement, RequirementResult};
use crate::scenario::{ObjectiveKind, Requirement, UnitType, weighted_share};

/// Units on one site, by the share they give it.
type Units = [(f64, u64)];

/// Units that count for a requirement in a phase, told site by site, so that nothing is kept for each site.
struct Standing<'a> {
    /// What each placement reaches beyond the sites told so far, and its units.
    ahead: Vec<(&'a [Covered], u64)>,
    here: Vec<(f64, u64)>,
}

impl Standing<'_> {
    /// Units on a site; sites are asked for in ascending order.
    ///
    /// # Cost
    /// A look at every placement.
    fn on(&mut self, site: u32) -> &Units {
        self.here.clear();
        for (ahead, count) in &mut self.ahead {
            while let [first, rest @ ..] = *ahead
                && first.site < site
            {
                *ahead = rest;
            }
            if let [first, ..] = *ahead
                && first.site == site
            {
                self.here.push((first.share, *count));
            }
        }
        &self.here
    }
}

impl Bench<'_> {
    /// Units that count for a requirement in a phase.
    fn standing<'a>(
        &self,
        cover: &'a [Vec<Covered>],
        place: usize,
        phase: usize,
        is_kept: impl Fn(&Placement) -> bool,
    ) -> Standing<'a> {
        let placements = self.plan.placements.iter().zip(cover);
        let counting =
            placements.filter(|(placement, _)| counts(self.scenario, placement, place, phase) && is_kept(placement));
        let ahead = counting.map(|(placement, sites)| (sites.as_slice(), u64::from(placement.count))).collect();
        Standing { ahead, here: Vec::new() }
    }

    /// Recomputes what each requirement earns in each phase and compares it with the plan.
    pub(super) fn requirements(&mut self, cover: &[Vec<Covered>]) -> Vec<RequirementResult> {
        let mut results = Vec::new();
        for claimed in &self.plan.requirements {
            let (place, phase) = (claimed.requirement, claimed.phase);
            let requirement = &self.scenario.requirements[place];
            let mut standing = self.standing(cover, place, phase, |_| true);
            let is_below =
                |site: &u32| requirement.minimum > 0 && total(standing.on(*site)) < u64::from(requirement.minimum);
            let below: Vec<u32> = requirement.sites.iter().copied().filter(is_below).collect();
            if let Some(first) = below.first() {
                let site = self.scenario.sites.ids.cell(*first as usize).unwrap_or_default();
                let text = format!(
                    "requirement {}{}: {} sites below minimum {}, the first {site}",
                    requirement.id,
                    when(self.scenario, phase),
                    below.len(),
                    requirement.minimum
                );
                self.violations.push(Violation { code: "minimum-missed", text });
            }
            let result = earned(place, phase, requirement, self.standing(cover, place, phase, |_| true));
            self.compare(requirement, &result, claimed);
            results.push(result);
        }
        results
    }

    fn compare(&mut self, requirement: &Requirement, found: &RequirementResult, claimed: &RequirementResult) {
        let id = format!("{}{}", requirement.id, when(self.scenario, found.phase));
        if !is_close(found.share, claimed.share) {
            self.add("share-differs", format!("requirement {id}: share {}, recomputed {}", claimed.share, found.share));
        }
        let weights = [
            (claimed.covered_weight, found.covered_weight, "covered_weight"),
            (claimed.total_weight, found.total_weight, "total_weight"),
        ];
        let levels =
            claimed.by_level.iter().zip(&found.by_level).map(|(claimed, found)| (*claimed, *found, "by_level"));
        for (claimed, found, name) in weights.into_iter().chain(levels) {
            if !is_close(claimed, found) {
                self.add("covered-weight-differs", format!("requirement {id}: {name} {claimed}, recomputed {found}"));
            }
        }
        let is_same = (claimed.sites, claimed.sites_covered, claimed.by_level.len())
            == (found.sites, found.sites_covered, found.by_level.len());
        if !is_same {
            let text = format!(
                "requirement {id}: {} of {} sites covered, recomputed {} of {}",
                claimed.sites_covered, claimed.sites, found.sites_covered, found.sites
            );
            self.add("covered-weight-differs", text);
        }
    }

    /// Shares of the groups, or what is left without each contributor, where the objective is the smallest of them.
    pub(super) fn parts(&self, cover: &[Vec<Covered>]) -> Vec<Share> {
        let scenario = self.scenario;
        match scenario.objective.kind {
            ObjectiveKind::MaxMin => {
                let groups = scenario.groups().into_iter();
                groups
                    .filter_map(|group| Some(Share { id: group.to_owned(), share: self.group(cover, group)? }))
                    .collect()
            }
            ObjectiveKind::WithstandLoss => {
                let gives = |place: usize| {
                    scenario.offers.iter().any(|offer| offer.contributor == place && offer.phases.is_some())
                };
                let contributors = scenario.contributors.iter().enumerate().filter(|(place, _)| gives(*place));
                contributors
                    .map(|(lost, entry)| Share { id: entry.id.clone(), share: self.without(cover, lost) })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The weighted mean over the requirements that have weight in a group; `None` where none has.
    fn group(&self, cover: &[Vec<Covered>], group: &str) -> Option<f64> {
        let scenario = self.scenario;
        let (mut value, mut total) = (0.0, 0.0);
        for (place, requirement) in scenario.requirements.iter().enumerate() {
            let is_in = |site: u32| scenario.sites.groups.cell(site as usize).unwrap_or_default() == group;
            let sites = || requirement.sites.iter().zip(&requirement.weights).filter(|(site, _)| is_in(**site));
            let weight: f64 = sites().map(|(_, weight)| weight).sum();
            if weight <= 0.0 {
                continue;
            }
            for (phase, entry) in scenario.phases.iter().enumerate() {
                let mut standing = self.standing(cover, place, phase, |_| true);
                let earned: f64 = sites().map(|(site, weight)| weight * worth(requirement, standing.on(*site))).sum();
                let part = requirement.importance * entry.weight;
                value += part * earned / (requirement.possible * weight);
                total += part;
            }
        }
        (total > 0.0).then(|| value / total)
    }

    /// The share that is left without the units of a contributor.
    fn without(&self, cover: &[Vec<Covered>], lost: usize) -> f64 {
        let scenario = self.scenario;
        let mut shares = Vec::new();
        for (place, requirement) in scenario.requirements.iter().enumerate() {
            for phase in 0..scenario.phases.len() {
                let standing = self.standing(cover, place, phase, |placement| placement.contributor != lost);
                shares.push(earned(place, phase, requirement, standing).share);
            }
        }
        weighted_share(scenario, &shares)
    }

    /// Recomputes the objective and compares value, bound and gap.
    pub(super) fn value(&mut self, results: &[RequirementResult], parts: &[Share]) -> f64 {
        let goal = self.scenario.objective;
        let shares: Vec<f64> = results.iter().map(|result| result.share).collect();
        let share = weighted_share(self.scenario, &shares);
        let cost_of = |kind: &UnitType| match goal.kind {
            ObjectiveKind::MinCost => kind.cost,
            #[expect(clippy::cast_precision_loss, reason = "people per unit are limited to a billion")]
            ObjectiveKind::MinHeadcount => kind.headcount as f64,
            _ => 1.0,
        };
        let cost: f64 = self.plan.placements.iter().map(|one| f64::from(one.count) * cost_of(self.kind(one))).sum();
        let is_minimum = goal.kind.is_minimum();
        let worst = parts.iter().map(|part| part.share).fold(f64::INFINITY, f64::min);
        let value = match goal.kind {
            _ if is_minimum => cost,
            ObjectiveKind::MaxMin | ObjectiveKind::WithstandLoss if worst.is_finite() => worst,
            _ => share,
        };
        if is_minimum && share < goal.coverage - ROUNDING {
            self.add("coverage-missed", format!("share {share}, coverage {} asked for", goal.coverage));
        }
        let objective = self.plan.objective;
        if objective.kind != goal.kind {
            let (found, expected) = (objective.kind.word(), goal.kind.word());
            self.add("value-differs", format!("objective {found}, the scenario asks for {expected}"));
        }
        let claimed = objective.value.unwrap_or_default();
        if !is_close(claimed, value) {
            self.add("value-differs", format!("objective {claimed}, recomputed {value}"));
        }
        let slack = ROUNDING * value.abs().max(1.0);
        let is_beaten = if is_minimum { value < objective.bound - slack } else { value > objective.bound + slack };
        if is_beaten || !objective.bound.is_finite() {
            self.add("bound-beaten", format!("value {value} beats the bound {}", objective.bound));
        }
        let scale = value.abs().max(objective.bound.abs());
        let gap = if scale == 0.0 { 0.0 } else { (objective.bound - value).abs() / scale };
        match objective.gap {
            Some(claimed) if (claimed - gap).abs() <= ROUNDING => {}
            claimed => self.add("gap-differs", format!("gap {claimed:?}, recomputed {gap}")),
        }
        value
    }
}

/// What a weight of 1 earns under units of several shares: for every share that some unit gives, the levels of the units
/// that give at least that, times what it is above the next smaller one.
fn worth(requirement: &Requirement, units: &Units) -> f64 {
    let level = |count: u64| {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(requirement.levels.len());
        requirement.levels[..count].iter().sum::<f64>()
    };
    let above = |below: f64| units.iter().map(|(share, _)| *share).filter(|share| *share > below).reduce(f64::min);
    let mut below = 0.0;
    let mut worth = 0.0;
    while let Some(share) = above(below) {
        let count = units.iter().filter(|(other, _)| *other >= share).map(|(_, count)| count).sum();
        worth += (share - below) * level(count);
        below = share;
    }
    worth
}

/// How many units.
fn total(units: &Units) -> u64 {
    units.iter().map(|(_, count)| count).sum()
}

/// What units on the sites earn.
fn earned(place: usize, phase: usize, requirement: &Requirement, mut standing: Standing<'_>) -> RequirementResult {
    let mut result = RequirementResult {
        requirement: place,
        phase,
        share: 0.0,
        covered_weight: 0.0,
        total_weight: 0.0,
        sites: requirement.sites.len(),
        sites_covered: 0,
        by_level: vec![0.0; requirement.levels.len()],
    };
    let mut value = 0.0;
    for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
        let on_site = standing.on(*site);
        let count = total(on_site);
        let levels = usize::try_from(count).unwrap_or(usize::MAX).min(requirement.levels.len());
        result.total_weight += weight;
        value += weight * worth(requirement, on_site);
        result.by_level[..levels].iter_mut().for_each(|level| *level += weight);
        if count > 0 {
            result.covered_weight += weight;
            result.sites_covered += 1;
        }
    }
    result.share = value / (requirement.possible * result.total_weight);
    result
}
