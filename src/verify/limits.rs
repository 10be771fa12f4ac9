//! Numbers of units and people in a plan turned into violations of limits, and of what must stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bench, when};
use crate::plan::Placement;
use crate::scenario::LocationStatus;

impl Bench<'_> {
    /// Units and people of the placements that `keep` picks.
    pub(super) fn used(&self, keep: impl Fn(&Placement) -> bool) -> (u64, u64) {
        let kept = self.plan.placements.iter().filter(|placement| keep(placement));
        kept.fold((0, 0), |(units, people), placement| {
            let count = u64::from(placement.count);
            let headcount = count.saturating_mul(self.kind(placement).headcount);
            (units.saturating_add(count), people.saturating_add(headcount))
        })
    }

    pub(super) fn limits(&mut self) {
        self.offers();
        for phase in 0..self.scenario.phases.len() {
            self.limits_of_contributors(phase);
            self.limits_of_locations(phase);
        }
    }

    /// Every unit comes from an offer that ends with it and does not begin after it.
    ///
    /// Units that leave after one phase can only come from offers that end there; of those, units that arrive early
    /// only from offers that begin early. So units fit the offers when, for every such end, those that arrive up to
    /// any phase are no more than the offers that begin up to it.
    fn offers(&mut self) {
        let scenario = self.scenario;
        let phases = scenario.phases.len();
        for (contributor, entry) in scenario.contributors.iter().enumerate() {
            for (unit_type, kind) in scenario.unit_types.iter().enumerate() {
                let is_same = |other: (usize, usize)| other == (contributor, unit_type);
                for last in 0..phases {
                    let excess = (0..=last).find_map(|arrival| {
                        let (used, _) = self.used(|one| {
                            is_same((one.contributor, one.unit_type)) && one.last == last && one.arrival <= arrival
                        });
                        let offers = scenario.offers.iter().filter(|offer| {
                            is_same((offer.contributor, offer.unit_type))
                                && offer.phases.is_some_and(|(first, end)| end == last && first <= arrival)
                        });
                        let offered: u64 = offers.map(|offer| u64::from(offer.count)).sum();
                        (used > offered).then_some((arrival, used, offered))
                    });
                    if let Some((arrival, used, offered)) = excess {
                        let span = if phases == 1 {
                            String::new()
                        } else {
                            let (from, to) = (&scenario.phases[arrival].id, &scenario.phases[last].id);
                            format!(" up to phase {from} until phase {to}")
                        };
                        let text = format!("{} gives {used} {}, offered {offered}{span}", entry.id, kind.id);
                        self.add("offer-exceeded", text);
                    }
                }
            }
        }
    }

    fn limits_of_contributors(&mut self, phase: usize) {
        let scenario = self.scenario;
        let when = when(scenario, phase);
        for (contributor, entry) in scenario.contributors.iter().enumerate() {
            let (units, people) = self.used(|one| one.contributor == contributor && one.stands_in(phase));
            if let Some(most) = entry.max_units.filter(|most| units > u64::from(*most)) {
                let text = format!("{} gives {units} units{when}, max_units {most}", entry.id);
                self.add("contributor-units-exceeded", text);
            }
            if let Some(most) = entry.max_headcount.filter(|most| people > *most) {
                let text = format!("{} gives {people} people{when}, max_headcount {most}", entry.id);
                self.add("contributor-headcount-exceeded", text);
            }
        }
    }

    fn limits_of_locations(&mut self, phase: usize) {
        let scenario = self.scenario;
        let when = when(scenario, phase);
        for place in self.plan.placements.iter().map(|placement| placement.location).collect::<BTreeSet<_>>() {
            let entry = &scenario.locations[place];
            let (units, people) = self.used(|one| one.location == place && one.stands_in(phase));
            if let Some(most) = entry.max_units.filter(|most| units > u64::from(*most)) {
                let text = format!("{} holds {units} units{when}, max_units {most}", entry.id);
                self.add("location-units-exceeded", text);
            }
            if let Some(most) = entry.max_headcount.filter(|most| people > *most) {
                let text = format!("{} holds {people} people{when}, max_headcount {most}", entry.id);
                self.add("location-headcount-exceeded", text);
            }
        }
    }

    /// Required locations are used, and fixed units stand from their first phase.
    pub(super) fn musts(&mut self) {
        let scenario = self.scenario;
        let standing = self.plan.placements.iter().filter(|placement| placement.count > 0);
        let occupied: BTreeSet<usize> = standing.map(|placement| placement.location).collect();
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
            let first = scenario.first_phase(contributor, unit_type).unwrap_or_default();
            let is_same =
                |one: &Placement| (one.contributor, one.unit_type, one.location) == (contributor, unit_type, location);
            let (units, _) = self.used(|one| is_same(one) && one.stands_in(first));
            if units < expected {
                let text = format!(
                    "{} {} of {} at {}{}, fixed {expected}",
                    units,
                    scenario.unit_types[unit_type].id,
                    scenario.contributors[contributor].id,
                    scenario.locations[location].id,
                    when(scenario, first)
                );
                self.add("fixed-missing", text);
            }
        }
    }
}
