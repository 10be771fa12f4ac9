//! The contributors of a scenario file turned into limits, mandates, caveats and conditions, every rule checked.

use super::place::Fences;
use super::rules::{Rules, unknown};
use super::settings::{self, Settings};
use super::{Condition, Contributor, Location, UnitType};
use crate::problem::Problem;

impl Rules {
    pub(super) fn contributors(
        &mut self,
        settings: &Settings,
        types: &[UnitType],
        locations: Option<&[Location]>,
    ) -> Vec<Contributor> {
        self.ids("contributors", settings.contributors.iter().map(|contributor| contributor.id.as_str()));
        let positions: Vec<[f64; 2]> = locations.unwrap_or_default().iter().map(|location| location.position).collect();
        let mut contributors = Vec::new();
        for entry in &settings.contributors {
            let table = format!("[[contributors]] \"{}\"", entry.id);
            let fences = Fences {
                table: table.clone(),
                within: entry.within.as_deref().map(|path| (path, entry.within_sha256.as_deref())),
                outside: entry.outside.as_deref().map(|path| (path, entry.outside_sha256.as_deref())),
            };
            let caveat = self.fenced(&fences, settings.distance, &positions);
            if caveat.as_ref().is_some_and(|caveat| !caveat.is_empty() && !caveat.contains(&true)) {
                self.warnings.push(Problem::new(
                    "caveat-everywhere",
                    format!("contributor \"{}\"", entry.id),
                    "no location where its units may stand",
                    "at least one location that its caveats allow",
                    "mend within or outside, or add locations there",
                ));
            }
            contributors.push(Contributor {
                id: entry.id.clone(),
                name: entry.name.clone().unwrap_or_else(|| entry.id.clone()),
                max_units: entry.max_units,
                max_headcount: entry.max_headcount,
                min_units: entry.min_units.filter(|least| *least > 0),
                mandate: entry.mandate.as_ref().map(|ids| self.mandate(settings, &table, ids)),
                caveat,
                requires: self.conditions(settings, types, entry, &table),
            });
        }
        contributors
    }

    /// Indices of the requirements that a mandate names.
    fn mandate(&mut self, settings: &Settings, table: &str, ids: &[String]) -> Vec<usize> {
        let mut mandate = Vec::new();
        for id in ids {
            let known = settings.requirements.iter().map(|requirement| requirement.id.as_str());
            let Some(requirement) = settings.requirements.iter().position(|requirement| requirement.id == *id) else {
                let place = format!("{}, {table}, key \"mandate\"", self.file);
                self.findings.push(unknown("unknown-requirement", &place, "requirement", id, known));
                continue;
            };
            mandate.push(requirement);
        }
        mandate.sort_unstable();
        mandate.dedup();
        mandate
    }

    fn conditions(
        &mut self,
        settings: &Settings,
        types: &[UnitType],
        entry: &settings::Contributor,
        table: &str,
    ) -> Vec<Condition> {
        let place = format!("{}, {table}, key \"requires\"", self.file);
        let mut conditions = Vec::new();
        for condition in &entry.requires {
            let contributors = || settings.contributors.iter().map(|contributor| contributor.id.as_str());
            let contributor = contributors().position(|id| id == condition.contributor);
            if contributor.is_none() {
                let id = &condition.contributor;
                self.findings.push(unknown("unknown-contributor", &place, "contributor", id, contributors()));
            }
            let unit_type = types.iter().position(|unit_type| unit_type.id == condition.unit_type);
            if unit_type.is_none() {
                let ids = types.iter().map(|unit_type| unit_type.id.as_str());
                self.findings.push(unknown("unknown-unit-type", &place, "unit type", &condition.unit_type, ids));
            }
            if condition.contributor == entry.id {
                let expected = "units of another contributor";
                let advice = "name another contributor, or use min_units";
                self.findings.push(Problem::new("bad-condition", &place, "itself", expected, advice));
            }
            if condition.count == 0 {
                let advice = "remove the condition, or give a count";
                self.findings.push(Problem::new("bad-count", &place, "0", "1 or more", advice));
            }
            if let (Some(contributor), Some(unit_type)) = (contributor, unit_type) {
                conditions.push(Condition { contributor, unit_type, count: condition.count });
            }
        }
        conditions
    }
}
