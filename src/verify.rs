//! A scenario and a plan turned into a verdict: everything recomputed, nothing believed.

use std::collections::{BTreeMap, BTreeSet};

use geographiclib_rs::{Geodesic, InverseGeodesic};
use rayon::prelude::*;

use crate::plan::{Placement, Plan, RequirementResult, SiteClaim, Status};
use crate::scenario::{
    Distance, LocationStatus, ObjectiveKind, Reach, Requirement, Scenario, UnitType, weighted_share,
};

/// Relative difference between two sums of the same numbers that rounding can explain.
const ROUNDING: f64 = 1e-9;

/// Largest gap of a plan that calls itself optimal.
const OPTIMAL_GAP: f64 = 1e-6;

/// Files keep seven decimals; a position that differs by more was moved.
const DECIMALS: f64 = 1e-7;

/// What the judge says of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// True when no rule is broken and every number is right.
    pub accepted: bool,
    /// Rules broken and numbers that are wrong.
    pub violations: Vec<Violation>,
    /// What the placements earn for each requirement, recomputed.
    pub requirements: Vec<RequirementResult>,
    /// The objective, recomputed; `None` without a plan.
    pub value: Option<f64>,
    /// Sites that each placement reaches, ascending, whether or not a requirement counts them.
    pub cover: Vec<Vec<u32>>,
}

/// A rule that a plan breaks, or a number in it that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable code; docs/errors.md has an entry for each.
    pub code: &'static str,
    /// What is wrong, with names and numbers.
    pub text: String,
}

/// Judges a plan by the scenario alone.
///
/// # Cost
/// Every placement against every site: about 2 ns a pair out of reach, 1 microsecond a pair in reach, over all cores.
#[must_use]
pub fn judge(scenario: &Scenario, plan: &Plan) -> Verdict {
    let mut bench = Bench { scenario, plan, violations: Vec::new() };
    let is_in_range = bench.indices();
    if !is_in_range {
        return Verdict {
            accepted: false,
            violations: bench.violations,
            requirements: Vec::new(),
            value: None,
            cover: Vec::new(),
        };
    }
    bench.placements();
    let (requirements, value, cover) = if plan.objective.value.is_some() {
        bench.limits();
        bench.musts();
        let cover: Vec<Vec<u32>> = plan.placements.par_iter().map(|placement| reached(scenario, placement)).collect();
        let requirements = bench.requirements(&cover);
        let value = bench.value(&requirements);
        (requirements, Some(value), cover)
    } else {
        Default::default()
    };
    bench.status();
    Verdict { accepted: bench.violations.is_empty(), violations: bench.violations, requirements, value, cover }
}

/// Judges what a plan's files say about each site.
#[must_use]
pub fn judge_sites(scenario: &Scenario, plan: &Plan, claims: &[SiteClaim]) -> Vec<Violation> {
    if plan.objective.value.is_none() || plan.placements.iter().any(|placement| !is_known(scenario, placement)) {
        return Vec::new();
    }
    let cover: Vec<Vec<u32>> = plan.placements.par_iter().map(|placement| reached(scenario, placement)).collect();
    let mut violations = Vec::new();
    for (place, requirement) in scenario.requirements.iter().enumerate() {
        let mut by_site = BTreeMap::<u32, Vec<usize>>::new();
        for (index, (placement, sites)) in plan.placements.iter().zip(&cover).enumerate() {
            if requirement.unit_types.contains(&placement.unit_type) {
                sites.iter().for_each(|site| by_site.entry(*site).or_default().push(index));
            }
        }
        let of_requirement: Vec<&SiteClaim> = claims.iter().filter(|claim| claim.requirement == place).collect();
        let claimed: BTreeSet<u32> = of_requirement.iter().map(|claim| claim.site).collect();
        let expected: BTreeSet<u32> = requirement.sites.iter().copied().collect();
        if claimed != expected || of_requirement.len() != expected.len() {
            violations.push(Violation {
                code: "site-claim-differs",
                text: format!(
                    "requirement {}: {} sites listed, {} expected",
                    requirement.id,
                    of_requirement.len(),
                    expected.len()
                ),
            });
        }
        let wrong = of_requirement.into_iter().filter(|claim| {
            let truth = by_site.get(&claim.site).map(Vec::as_slice).unwrap_or_default();
            !is_true(scenario, plan, claim, truth)
        });
        violations.extend(wrong.map(|claim| {
            let site = scenario.sites.ids.cell(claim.site as usize).unwrap_or_default();
            let truth = by_site.get(&claim.site).map(Vec::as_slice).unwrap_or_default();
            let units: u64 = truth.iter().map(|index| u64::from(plan.placements[*index].count)).sum();
            Violation {
                code: "site-claim-differs",
                text: format!(
                    "site {site}, requirement {}: said to be covered by {} units of {} placements, is covered by {units} of {}",
                    requirement.id,
                    claim.cover_count,
                    claim.covered_by.len(),
                    truth.len()
                ),
            }
        }));
    }
    violations
}

/// True where a claim says what placements do for a site.
fn is_true(scenario: &Scenario, plan: &Plan, claim: &SiteClaim, truth: &[usize]) -> bool {
    let units: u64 = truth.iter().map(|index| u64::from(plan.placements[*index].count)).sum();
    let mut covered_by: Vec<Option<usize>> = claim.covered_by.clone();
    covered_by.sort_unstable();
    u64::from(claim.cover_count) == units
        && claim.is_covered == (units > 0)
        && covered_by.iter().copied().eq(truth.iter().copied().map(Some))
        && is_at(claim.position, scenario.sites.positions.get(claim.site as usize).copied().unwrap_or_default())
}

fn is_at(a: [f64; 2], b: [f64; 2]) -> bool {
    (a[0] - b[0]).abs() <= DECIMALS && (a[1] - b[1]).abs() <= DECIMALS
}

fn is_known(scenario: &Scenario, placement: &Placement) -> bool {
    placement.contributor < scenario.contributors.len()
        && placement.unit_type < scenario.unit_types.len()
        && placement.location < scenario.locations.len()
}

/// Sites that a placement reaches, ascending.
fn reached(scenario: &Scenario, placement: &Placement) -> Vec<u32> {
    let from = scenario.locations[placement.location].position;
    let sites = (0_u32..).zip(&scenario.sites.positions);
    match &scenario.unit_types[placement.unit_type].reach {
        Reach::Range { min_m, max_m } => match scenario.distance {
            Distance::Planar => sites
                .filter(|(_, to)| {
                    let distance_m = ((to[0] - from[0]).powi(2) + (to[1] - from[1]).powi(2)).sqrt();
                    *min_m <= distance_m && distance_m <= *max_m
                })
                .map(|(site, _)| site)
                .collect(),
            Distance::Geodesic => {
                let ellipsoid = Geodesic::wgs84();
                sites
                    .filter(|(_, to)| !is_beyond(from, **to, *max_m))
                    .filter(|(_, to)| {
                        let distance_m: f64 = ellipsoid.inverse(from[1], from[0], to[1], to[0]);
                        *min_m <= distance_m && distance_m <= *max_m
                    })
                    .map(|(site, _)| site)
                    .collect()
            }
        },
        Reach::Matrix(matrix) => matrix.sites_of(placement.location).to_vec(),
        Reach::None => Vec::new(),
    }
}

/// True where two latitudes alone put positions farther apart than a distance; saves most of the measuring.
///
/// # Source
/// A degree of latitude is at least 110 574 m long (at the equator of WGS 84), and no way between two parallels is
/// shorter than along a meridian.
fn is_beyond(a: [f64; 2], b: [f64; 2], distance_m: f64) -> bool {
    const LEAST_DEGREE_M: f64 = 110_574.0;
    (a[1] - b[1]).abs() * LEAST_DEGREE_M > distance_m + 1.0
}

/// What is judged and what was found.
struct Bench<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    violations: Vec<Violation>,
}

impl Bench<'_> {
    fn add(&mut self, code: &'static str, text: String) {
        self.violations.push(Violation { code, text });
    }

    /// Every index names something; the rest cannot be judged otherwise.
    fn indices(&mut self) -> bool {
        let unknown = self.plan.placements.iter().filter(|placement| !is_known(self.scenario, placement)).count();
        if unknown > 0 {
            self.add("index-out-of-range", format!("{unknown} placements of unknown contributors, types or locations"));
        }
        let found = self.plan.requirements.len();
        let expected = if self.plan.objective.value.is_some() { self.scenario.requirements.len() } else { 0 };
        if found != expected {
            self.add("share-differs", format!("{found} requirements with results, {expected} expected"));
        }
        unknown == 0 && found == expected
    }

    /// Name of a placement for a message.
    fn name(&self, placement: &Placement) -> String {
        let contributor = &self.scenario.contributors[placement.contributor].id;
        let unit_type = &self.scenario.unit_types[placement.unit_type].id;
        format!("{contributor}'s {unit_type} at {}", self.scenario.locations[placement.location].id)
    }

    fn kind(&self, placement: &Placement) -> &UnitType {
        &self.scenario.unit_types[placement.unit_type]
    }

    fn placements(&mut self) {
        let mut seen = BTreeSet::new();
        for placement in &self.plan.placements {
            let name = self.name(placement);
            let location = &self.scenario.locations[placement.location];
            let domain = self.kind(placement).domain.clone();
            if placement.count == 0 {
                self.add("count-zero", format!("{name}: no units"));
            }
            if !seen.insert((placement.contributor, placement.unit_type, placement.location)) {
                self.add("duplicate-placement", format!("{name}: listed twice"));
            }
            if location.status == LocationStatus::Forbidden {
                self.add("location-forbidden", format!("{name}: the location is forbidden"));
            }
            if let (Some(domain), Some(domains)) = (domain, &location.domains)
                && !domains.contains(&domain)
            {
                self.add("domain-mismatch", format!("{name}: {domain} is not among {}", domains.join(", ")));
            }
            if !is_at(placement.position, location.position) {
                let [x, y] = placement.position;
                let [expected_x, expected_y] = location.position;
                self.add(
                    "placement-moved",
                    format!("{name}: drawn at {x}, {y}, the location is at {expected_x}, {expected_y}"),
                );
            }
        }
    }

    /// Units and people of the placements that `keep` picks.
    fn used(&self, keep: impl Fn(&Placement) -> bool) -> (u64, u64) {
        let kept = self.plan.placements.iter().filter(|placement| keep(placement));
        kept.fold((0, 0), |(units, people), placement| {
            let count = u64::from(placement.count);
            (units + count, people + count * self.kind(placement).headcount)
        })
    }

    fn limits(&mut self) {
        let scenario = self.scenario;
        let mut offered = BTreeMap::<(usize, usize), u64>::new();
        for offer in &scenario.offers {
            *offered.entry((offer.contributor, offer.unit_type)).or_default() += u64::from(offer.count);
        }
        for (contributor, entry) in scenario.contributors.iter().enumerate() {
            for (unit_type, kind) in scenario.unit_types.iter().enumerate() {
                let (units, _) = self.used(|one| one.contributor == contributor && one.unit_type == unit_type);
                let most = offered.get(&(contributor, unit_type)).copied().unwrap_or_default();
                if units > most {
                    self.add("offer-exceeded", format!("{} gives {units} {}, offered {most}", entry.id, kind.id));
                }
            }
            let (units, people) = self.used(|one| one.contributor == contributor);
            if let Some(most) = entry.max_units.filter(|most| units > u64::from(*most)) {
                self.add("contributor-units-exceeded", format!("{} gives {units} units, max_units {most}", entry.id));
            }
            if let Some(most) = entry.max_headcount.filter(|most| people > *most) {
                let text = format!("{} gives {people} people, max_headcount {most}", entry.id);
                self.add("contributor-headcount-exceeded", text);
            }
        }
        for place in self.plan.placements.iter().map(|placement| placement.location).collect::<BTreeSet<_>>() {
            let entry = &scenario.locations[place];
            let (units, people) = self.used(|one| one.location == place);
            if let Some(most) = entry.max_units.filter(|most| units > u64::from(*most)) {
                self.add("location-units-exceeded", format!("{} holds {units} units, max_units {most}", entry.id));
            }
            if let Some(most) = entry.max_headcount.filter(|most| people > *most) {
                let text = format!("{} holds {people} people, max_headcount {most}", entry.id);
                self.add("location-headcount-exceeded", text);
            }
        }
    }

    fn musts(&mut self) {
        let scenario = self.scenario;
        let occupied: BTreeSet<usize> = self
            .plan
            .placements
            .iter()
            .filter(|placement| placement.count > 0)
            .map(|placement| placement.location)
            .collect();
        for (place, location) in scenario.locations.iter().enumerate() {
            if location.status == LocationStatus::Required && !occupied.contains(&place) {
                self.add("required-location-empty", format!("{}: no unit stands there", location.id));
            }
        }
        let mut fixed = BTreeMap::<(usize, usize, usize), u64>::new();
        for entry in &scenario.fixed {
            *fixed.entry((entry.contributor, entry.unit_type, entry.location)).or_default() += u64::from(entry.count);
        }
        for ((contributor, unit_type, location), expected) in fixed {
            let (units, _) =
                self.used(|one| (one.contributor, one.unit_type, one.location) == (contributor, unit_type, location));
            if units < expected {
                let text = format!(
                    "{} {} of {} at {}, fixed {expected}",
                    units,
                    scenario.unit_types[unit_type].id,
                    scenario.contributors[contributor].id,
                    scenario.locations[location].id
                );
                self.add("fixed-missing", text);
            }
        }
    }

    /// Recomputes what each requirement earns and compares it with the plan.
    fn requirements(&mut self, cover: &[Vec<u32>]) -> Vec<RequirementResult> {
        let mut results = Vec::new();
        for (requirement, claimed) in self.scenario.requirements.iter().zip(&self.plan.requirements) {
            let mut units = vec![0_u64; self.scenario.sites.positions.len()];
            for (placement, sites) in self.plan.placements.iter().zip(cover) {
                if requirement.unit_types.contains(&placement.unit_type) {
                    sites.iter().for_each(|site| units[*site as usize] += u64::from(placement.count));
                }
            }
            let below: Vec<u32> = requirement
                .sites
                .iter()
                .copied()
                .filter(|site| units[*site as usize] < u64::from(requirement.minimum))
                .collect();
            if let Some(first) = below.first() {
                let site = self.scenario.sites.ids.cell(*first as usize).unwrap_or_default();
                let text = format!(
                    "requirement {}: {} sites below minimum {}, the first {site}",
                    requirement.id,
                    below.len(),
                    requirement.minimum
                );
                self.violations.push(Violation { code: "minimum-missed", text });
            }
            let result = earned(requirement, &units);
            self.compare(requirement, &result, claimed);
            results.push(result);
        }
        results
    }

    fn compare(&mut self, requirement: &Requirement, found: &RequirementResult, claimed: &RequirementResult) {
        let id = &requirement.id;
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

    /// Recomputes the objective and compares value, bound and gap.
    fn value(&mut self, results: &[RequirementResult]) -> f64 {
        let goal = self.scenario.objective;
        let shares: Vec<f64> = results.iter().map(|result| result.share).collect();
        let share = weighted_share(&self.scenario.requirements, &shares);
        let cost_of = |kind: &UnitType| match goal.kind {
            ObjectiveKind::MinCost => kind.cost,
            #[expect(clippy::cast_precision_loss, reason = "people per unit are limited to a billion")]
            ObjectiveKind::MinHeadcount => kind.headcount as f64,
            ObjectiveKind::MinUnits | ObjectiveKind::MaxCoverage => 1.0,
        };
        let cost: f64 = self.plan.placements.iter().map(|one| f64::from(one.count) * cost_of(self.kind(one))).sum();
        let is_max = goal.kind == ObjectiveKind::MaxCoverage;
        let value = if is_max { share } else { cost };
        if !is_max && share < goal.coverage - ROUNDING {
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
        let is_beaten = if is_max { value > objective.bound + slack } else { value < objective.bound - slack };
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

    fn status(&mut self) {
        let plan = self.plan;
        let has_plan = plan.objective.value.is_some();
        let gap = plan.objective.gap.unwrap_or(f64::INFINITY);
        let fault = match plan.status {
            Status::Optimal if !has_plan => Some("optimal without a plan"),
            Status::Optimal if gap > OPTIMAL_GAP => Some("optimal with a gap"),
            Status::Feasible if !has_plan => Some("feasible without a plan"),
            Status::Infeasible | Status::Unknown if has_plan || !plan.placements.is_empty() => {
                Some("a plan where there is said to be none")
            }
            Status::Infeasible if plan.conflict.is_empty() => Some("infeasible without a conflict"),
            _ => None,
        };
        if let Some(fault) = fault {
            self.add("status-contradiction", fault.to_owned());
        }
    }
}

/// What units on the sites earn.
fn earned(requirement: &Requirement, units: &[u64]) -> RequirementResult {
    let mut result = RequirementResult {
        share: 0.0,
        covered_weight: 0.0,
        total_weight: 0.0,
        sites: requirement.sites.len(),
        sites_covered: 0,
        by_level: vec![0.0; requirement.levels.len()],
    };
    let mut value = 0.0;
    for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
        let count = usize::try_from(units[*site as usize]).unwrap_or(usize::MAX).min(requirement.levels.len());
        result.total_weight += weight;
        value += weight * requirement.levels[..count].iter().sum::<f64>();
        result.by_level[..count].iter_mut().for_each(|level| *level += weight);
        if units[*site as usize] > 0 {
            result.covered_weight += weight;
            result.sites_covered += 1;
        }
    }
    result.share = value / (requirement.possible * result.total_weight);
    result
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs().max(b.abs()).max(1.0)
}
