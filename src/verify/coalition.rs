//! What contributors made conditions of, and what units need beside them, turned into violations.

use super::reach::reaches;
use super::{Bench, when};
use crate::plan::Placement;

impl Bench<'_> {
    /// Participation, conditions and protection.
    pub(super) fn coalition(&mut self) {
        let scenario = self.scenario;
        for (contributor, entry) in scenario.contributors.iter().enumerate() {
            let (units, _) = self.used(|one| one.contributor == contributor);
            if let Some(least) = entry.min_units.filter(|least| units > 0 && units < u64::from(*least)) {
                self.add("min-units-missed", format!("{} gives {units} units, min_units {least} or none", entry.id));
            }
        }
        for phase in 0..scenario.phases.len() {
            self.conditions(phase);
            self.protection(phase);
        }
    }

    fn conditions(&mut self, phase: usize) {
        let scenario = self.scenario;
        for (contributor, entry) in scenario.contributors.iter().enumerate() {
            let (units, _) = self.used(|one| one.contributor == contributor && one.stands_in(phase));
            if units == 0 {
                continue;
            }
            for condition in &entry.requires {
                let (beside, _) = self.used(|one| {
                    (one.contributor, one.unit_type) == (condition.contributor, condition.unit_type)
                        && one.stands_in(phase)
                });
                if beside < u64::from(condition.count) {
                    let text = format!(
                        "{} takes part{} beside {beside} {} of {}, requires {}",
                        entry.id,
                        when(scenario, phase),
                        scenario.unit_types[condition.unit_type].id,
                        scenario.contributors[condition.contributor].id,
                        condition.count
                    );
                    self.add("condition-missed", text);
                }
            }
        }
    }

    fn protection(&mut self, phase: usize) {
        let scenario = self.scenario;
        let standing: Vec<&Placement> =
            self.plan.placements.iter().filter(|one| one.count > 0 && one.stands_in(phase)).collect();
        let mut open = Vec::new();
        for placement in &standing {
            let protectors = &self.kind(placement).protected_by;
            let at = scenario.locations[placement.location].position;
            let is_protected = protectors.is_empty()
                || standing.iter().any(|other| {
                    protectors.contains(&other.unit_type) && reaches(scenario, other.unit_type, other.location, at)
                });
            if !is_protected {
                open.push(format!("{}: no protecting unit reaches it{}", self.name(placement), when(scenario, phase)));
            }
        }
        open.into_iter().for_each(|text| self.add("unprotected", text));
    }
}
