//! Every plan of a tiny question tried, one unit after the other: written from docs/formats.md alone.

use coverplan::scenario::{LocationStatus, ObjectiveKind, Reach, Scenario};
use geographiclib_rs::{Geodesic, InverseGeodesic};

/// Units of one offer at one location from one phase on.
#[derive(Clone, Copy)]
struct Column {
    offer: usize,
    contributor: usize,
    unit_type: usize,
    location: usize,
    arrival: usize,
    last: usize,
}

/// The search through all plans.
struct Enumeration<'a> {
    scenario: &'a Scenario,
    columns: Vec<Column>,
    /// Share that each column's units give each site.
    shares: Vec<Vec<f64>>,
    best: Option<f64>,
}

/// The best objective of all plans that keep the rules; `None` where there is no such plan.
pub(crate) fn best(scenario: &Scenario) -> Option<f64> {
    let mut columns = Vec::new();
    for (place, offer) in scenario.offers.iter().enumerate() {
        let Some((first, last)) = offer.phases else { continue };
        for location in 0..scenario.locations.len() {
            for arrival in first..=last {
                let (contributor, unit_type) = (offer.contributor, offer.unit_type);
                columns.push(Column { offer: place, contributor, unit_type, location, arrival, last });
            }
        }
    }
    let shares = columns.iter().map(|column| {
        let sites = 0..scenario.sites.positions.len();
        sites.map(|site| share(scenario, column.unit_type, column.location, scenario.sites.positions[site])).collect()
    });
    let shares = shares.collect();
    let mut search = Enumeration { scenario, columns, shares, best: None };
    let mut counts = vec![0; search.columns.len()];
    search.visit(0, &mut counts);
    search.best
}

fn metres(scenario: &Scenario, location: usize, to: [f64; 2]) -> f64 {
    let from = scenario.locations[location].position;
    Geodesic::wgs84().inverse(from[1], from[0], to[1], to[0])
}

/// What a unit of a type at a location gives a position.
fn share(scenario: &Scenario, unit_type: usize, location: usize, to: [f64; 2]) -> f64 {
    let metres = metres(scenario, location, to);
    match &scenario.unit_types[unit_type].reach {
        Reach::Range { min_m, max_m } => f64::from(u8::from(*min_m <= metres && metres <= *max_m)),
        Reach::Bands(bands) => bands.iter().find(|band| metres <= band.max_m).map_or(0.0, |band| band.share),
        Reach::Matrix(_) | Reach::Areas(_) | Reach::Roads(_) | Reach::LineOfSight(_) | Reach::None => 0.0,
    }
}

impl Enumeration<'_> {
    fn visit(&mut self, column: usize, counts: &mut Vec<u32>) {
        if column == counts.len() {
            if self.keeps_rules(counts) {
                self.judge(counts);
            }
            return;
        }
        let Column { offer, contributor, unit_type, location, .. } = self.columns[column];
        let used: u32 =
            (0..column).filter(|other| self.columns[*other].offer == offer).map(|other| counts[other]).sum();
        let place = &self.scenario.locations[location];
        let kind = &self.scenario.unit_types[unit_type];
        let serves = match (&kind.domain, &place.domains) {
            (Some(domain), Some(domains)) => domains.contains(domain),
            _ => true,
        };
        let suits = self.scenario.contributors[contributor].caveat.as_ref().is_none_or(|caveat| caveat[location]);
        let is_open = place.status != LocationStatus::Forbidden;
        let most = if serves && suits && is_open { self.scenario.offers[offer].count - used } else { 0 };
        for count in 0..=most {
            counts[column] = count;
            self.visit(column + 1, counts);
        }
        counts[column] = 0;
    }

    /// Sum over the columns that `keep` picks of their units, each worth so much.
    fn sum(&self, counts: &[u32], keep: impl Fn(&Column) -> bool, worth: impl Fn(usize) -> u64) -> u64 {
        let chosen = self.columns.iter().zip(counts).filter(|(column, count)| **count > 0 && keep(column));
        chosen.map(|(column, count)| u64::from(*count) * worth(column.unit_type)).sum()
    }

    fn keeps_rules(&self, counts: &[u32]) -> bool {
        let scenario = self.scenario;
        let people = |unit_type: usize| scenario.unit_types[unit_type].headcount;
        let units = |keep: &dyn Fn(&Column) -> bool| self.sum(counts, keep, |_| 1);
        for phase in 0..scenario.phases.len() {
            let stands = |column: &Column| column.arrival <= phase && phase <= column.last;
            for (place, entry) in scenario.contributors.iter().enumerate() {
                let own = |column: &Column| column.contributor == place && stands(column);
                let is_over = entry.max_units.is_some_and(|most| units(&own) > u64::from(most))
                    || entry.max_headcount.is_some_and(|most| self.sum(counts, own, people) > most);
                let lacks = units(&own) > 0
                    && entry.requires.iter().any(|condition| {
                        let beside = |column: &Column| {
                            (column.contributor, column.unit_type) == (condition.contributor, condition.unit_type)
                                && stands(column)
                        };
                        units(&beside) < u64::from(condition.count)
                    });
                if is_over || lacks {
                    return false;
                }
            }
            for (place, entry) in scenario.locations.iter().enumerate() {
                let here = |column: &Column| column.location == place && stands(column);
                let is_over = entry.max_units.is_some_and(|most| units(&here) > u64::from(most))
                    || entry.max_headcount.is_some_and(|most| self.sum(counts, here, people) > most);
                if is_over {
                    return false;
                }
            }
            let standing: Vec<&Column> = self
                .columns
                .iter()
                .zip(counts)
                .filter(|(column, count)| **count > 0 && stands(column))
                .map(|(column, _)| column)
                .collect();
            let is_open = |column: &&&Column| {
                let protectors = &scenario.unit_types[column.unit_type].protected_by;
                let at = scenario.locations[column.location].position;
                !protectors.is_empty()
                    && !standing.iter().any(|other| {
                        protectors.contains(&other.unit_type)
                            && share(scenario, other.unit_type, other.location, at) > 0.0
                    })
            };
            if standing.iter().any(|column| is_open(&column)) {
                return false;
            }
        }
        for (place, entry) in scenario.contributors.iter().enumerate() {
            let given = units(&|column| column.contributor == place);
            if entry.min_units.is_some_and(|least| given > 0 && given < u64::from(least)) {
                return false;
            }
        }
        for (place, entry) in scenario.locations.iter().enumerate() {
            if entry.status == LocationStatus::Required && units(&|column| column.location == place) == 0 {
                return false;
            }
        }
        self.holds_fixed(counts)
    }

    /// Fixed units stand from the first phase of their contributor and type, and use the offers that stay longest.
    fn holds_fixed(&self, counts: &[u32]) -> bool {
        let scenario = self.scenario;
        let mut left: Vec<u32> = scenario.offers.iter().map(|offer| offer.count).collect();
        let mut taken = vec![0; counts.len()];
        for fixed in &scenario.fixed {
            let first = scenario.first_phase(fixed.contributor, fixed.unit_type).unwrap_or_default();
            let is_there = |column: &Column| {
                (column.contributor, column.unit_type, column.location, column.arrival)
                    == (fixed.contributor, fixed.unit_type, fixed.location, first)
            };
            let mut there: Vec<usize> = (0..counts.len()).filter(|column| is_there(&self.columns[*column])).collect();
            there.sort_by_key(|column| std::cmp::Reverse(self.columns[*column].last));
            let mut wanted = fixed.count;
            for column in there {
                let offer = self.columns[column].offer;
                let given = wanted.min(left[offer]);
                left[offer] -= given;
                taken[column] += given;
                wanted -= given;
            }
            if wanted > 0 {
                return false;
            }
        }
        counts.iter().zip(&taken).all(|(count, taken)| count >= taken)
    }

    /// Units on a site that count for a requirement in a phase, by the share they give.
    fn on_site(
        &self,
        counts: &[u32],
        requirement: usize,
        phase: usize,
        site: u32,
        lost: Option<usize>,
    ) -> Vec<(f64, u32)> {
        let entry = &self.scenario.requirements[requirement];
        let mut units = Vec::new();
        for ((column, count), shares) in self.columns.iter().zip(counts).zip(&self.shares) {
            let mandate = &self.scenario.contributors[column.contributor].mandate;
            let is_counted = *count > 0
                && column.arrival <= phase
                && phase <= column.last
                && entry.unit_types.contains(&column.unit_type)
                && mandate.as_ref().is_none_or(|mandate| mandate.contains(&requirement))
                && Some(column.contributor) != lost
                && shares[site as usize] > 0.0;
            if is_counted {
                units.push((shares[site as usize], *count));
            }
        }
        units
    }

    /// Value of a site of weight 1: unit by unit for plain reach; by definition of the bands for gradual reach.
    fn worth(&self, requirement: usize, units: &[(f64, u32)]) -> f64 {
        let levels = &self.scenario.requirements[requirement].levels;
        // The integral over all shares of what the units that give at least that share are worth.
        let mut edges: Vec<f64> = units.iter().map(|(share, _)| *share).chain([0.0]).collect();
        edges.sort_by(f64::total_cmp);
        let slice = |pair: &[f64]| {
            let count: u32 = units.iter().filter(|(share, _)| *share >= pair[1]).map(|(_, count)| count).sum();
            (pair[1] - pair[0]) * levels.iter().take(count as usize).sum::<f64>()
        };
        edges.windows(2).map(slice).sum()
    }

    /// The weighted mean of the shares over some of the sites; `None` where no weight is among them.
    fn mean(&self, counts: &[u32], lost: Option<usize>, keep: impl Fn(u32) -> bool) -> Option<f64> {
        let scenario = self.scenario;
        let (mut value, mut total) = (0.0, 0.0);
        for (place, requirement) in scenario.requirements.iter().enumerate() {
            let sites = || requirement.sites.iter().zip(&requirement.weights).filter(|(site, _)| keep(**site));
            let weight: f64 = sites().map(|(_, weight)| weight).sum();
            if weight <= 0.0 {
                continue;
            }
            for (phase, entry) in scenario.phases.iter().enumerate() {
                let earned: f64 = sites()
                    .map(|(site, weight)| weight * self.worth(place, &self.on_site(counts, place, phase, *site, lost)))
                    .sum();
                value += requirement.importance * entry.weight * earned / (requirement.possible * weight);
                total += requirement.importance * entry.weight;
            }
        }
        (total > 0.0).then(|| value / total)
    }

    fn judge(&mut self, counts: &[u32]) {
        let scenario = self.scenario;
        for (place, requirement) in scenario.requirements.iter().enumerate() {
            for phase in 0..scenario.phases.len() {
                let is_short = |site: &u32| {
                    let units = self.on_site(counts, place, phase, *site, None);
                    units.iter().map(|(_, count)| count).sum::<u32>() < requirement.minimum
                };
                if requirement.sites.iter().any(is_short) {
                    return;
                }
            }
        }
        let goal = scenario.objective;
        let share = self.mean(counts, None, |_| true).expect("every requirement has weight");
        let value = match goal.kind {
            ObjectiveKind::MaxCoverage => share,
            ObjectiveKind::MaxMin => {
                let group = |site: u32| scenario.sites.groups.cell(site as usize).unwrap_or_default();
                let shares = scenario
                    .groups()
                    .into_iter()
                    .filter_map(|name| self.mean(counts, None, |site| group(site) == name));
                shares.fold(f64::INFINITY, f64::min)
            }
            ObjectiveKind::WithstandLoss => {
                let gives =
                    |place: &usize| scenario.offers.iter().any(|one| one.contributor == *place && one.phases.is_some());
                let losses = (0..scenario.contributors.len()).filter(gives);
                let left = losses.filter_map(|lost| self.mean(counts, Some(lost), |_| true));
                left.fold(f64::INFINITY, f64::min).min(share)
            }
            kind => {
                if share < goal.coverage - 1e-9 {
                    return;
                }
                let cost = |column: &Column| {
                    let kind_of = &scenario.unit_types[column.unit_type];
                    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                    match kind {
                        ObjectiveKind::MinCost => kind_of.cost,
                        ObjectiveKind::MinHeadcount => kind_of.headcount as f64,
                        _ => 1.0,
                    }
                };
                self.columns.iter().zip(counts).map(|(column, count)| f64::from(*count) * cost(column)).sum()
            }
        };
        let is_better = |best: f64| if goal.kind.is_minimum() { value < best } else { value > best };
        if self.best.is_none_or(is_better) {
            self.best = Some(value);
        }
    }
}
