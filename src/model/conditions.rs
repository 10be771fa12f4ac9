//! Participation, conditions and protection turned into rows.

use super::program::{Program, Row, exact};
use super::supply::when;
use super::{Origin, Switch};
use crate::index::{Index, Ring};
use crate::scenario::Scenario;

/// One switch for every contributor that gives many or none, and one per phase for every contributor with conditions.
pub(super) fn switches(scenario: &Scenario) -> Vec<Switch> {
    let mut switches = Vec::new();
    for (contributor, entry) in scenario.contributors.iter().enumerate() {
        if entry.min_units.is_some() {
            switches.push(Switch { contributor, phase: None });
        }
        if !entry.requires.is_empty() {
            switches.extend((0..scenario.phases.len()).map(|phase| Switch { contributor, phase: Some(phase) }));
        }
    }
    switches
}

/// Adds the rows of participation, conditions and protection.
pub(super) fn add_rows(program: &mut Program, scenario: &Scenario, origin: &Origin) {
    let conditions = Conditions { scenario, origin };
    let first = u32::try_from(origin.posts.len() + origin.pledges.len()).expect("variables are counted in 32 bits");
    for (variable, switch) in (first..).zip(&origin.switches) {
        match switch.phase {
            None => conditions.participation(program, variable, switch.contributor),
            Some(phase) => conditions.requires(program, variable, switch.contributor, phase),
        }
    }
    conditions.protection(program);
}

struct Conditions<'a> {
    scenario: &'a Scenario,
    origin: &'a Origin,
}

impl Conditions<'_> {
    /// Pledge variables of a contributor that stand in a phase, or at all, of one type or of all.
    fn pledges(&self, contributor: usize, unit_type: Option<usize>, phase: Option<usize>) -> Vec<(u32, f64)> {
        let pledges = self.origin.pledge_variables().filter(|(_, pool, lot)| {
            let (pool, lot) = (&self.origin.pools[*pool], &self.origin.lots[*lot]);
            pool.contributor == contributor
                && unit_type.is_none_or(|unit_type| pool.unit_type == unit_type)
                && phase.is_none_or(|phase| lot.stands_in(phase))
        });
        pledges.map(|pledge| (pledge.0, 1.0)).collect()
    }

    /// Units that a contributor can have at once.
    fn most(&self, contributor: usize) -> f64 {
        let pools = self.origin.pools.iter().filter(|pool| pool.contributor == contributor);
        exact(pools.map(|pool| pool.count).sum())
    }

    /// Nothing without the switch, at least so many with it.
    fn participation(&self, program: &mut Program, switch: u32, contributor: usize) {
        let entry = &self.scenario.contributors[contributor];
        let least = entry.min_units.unwrap_or_default();
        let rule = format!("contributor {} min_units {least}", entry.id);
        let units = self.pledges(contributor, None, None);
        program.add_row(none_without(&rule, units.clone(), switch, self.most(contributor)));
        program.add_row(enough_with(&rule, units, switch, f64::from(least)));
    }

    /// Nothing without the switch, and every unit that is required with it.
    fn requires(&self, program: &mut Program, switch: u32, contributor: usize, phase: usize) {
        let entry = &self.scenario.contributors[contributor];
        let when = when(self.scenario, phase);
        for condition in &entry.requires {
            let other = &self.scenario.contributors[condition.contributor].id;
            let unit_type = &self.scenario.unit_types[condition.unit_type].id;
            let rule = format!("contributor {} requires {} {unit_type} of {other}{when}", entry.id, condition.count);
            let required = self.pledges(condition.contributor, Some(condition.unit_type), Some(phase));
            program.add_row(enough_with(&rule, required, switch, f64::from(condition.count)));
        }
        let units = self.pledges(contributor, None, Some(phase));
        // Bookkeeping for all the conditions: without them the switch is free and says nothing.
        program.add_row(none_without("", units, switch, self.most(contributor)));
    }

    /// Protected units stand only where a protecting unit reaches.
    fn protection(&self, program: &mut Program) {
        let positions: Vec<[f64; 2]> = self.scenario.locations.iter().map(|location| location.position).collect();
        let index = Index::new(self.scenario.distance, &positions);
        let mut posts_at: Vec<Vec<(u32, usize)>> = vec![Vec::new(); positions.len()];
        self.origin.post_variables().for_each(|(variable, location, lot)| posts_at[location].push((variable, lot)));
        for unit_type in 0..self.scenario.unit_types.len() {
            if !self.scenario.unit_types[unit_type].protected_by.is_empty() {
                self.protected(program, unit_type, &index, &posts_at);
            }
        }
    }

    /// One row for each location and phase in which units of a protected type may stand there.
    fn protected(&self, program: &mut Program, unit_type: usize, index: &Index, posts_at: &[Vec<(u32, usize)>]) {
        let kind = &self.scenario.unit_types[unit_type];
        let pools = self.origin.pools.iter().filter(|pool| pool.unit_type == unit_type);
        let offered: u64 = pools.map(|pool| pool.count).sum();
        let of_type = |place: usize, wanted: usize| {
            posts_at[place].iter().filter(move |(_, lot)| self.origin.lots[*lot].unit_type == wanted)
        };
        for (place, location) in self.scenario.locations.iter().enumerate() {
            let most = exact(location.max_units.map_or(u64::MAX, u64::from).min(offered));
            let mut terms: Vec<(u32, usize, f64)> =
                of_type(place, unit_type).map(|(variable, lot)| (*variable, *lot, 1.0)).collect();
            if terms.is_empty() {
                continue;
            }
            for protector in &kind.protected_by {
                for from in reaching(index, self.scenario, *protector, location.position) {
                    terms.extend(of_type(from as usize, *protector).map(|(variable, lot)| (*variable, *lot, -most)));
                }
            }
            terms.sort_unstable_by_key(|(variable, ..)| *variable);
            for phase in 0..self.scenario.phases.len() {
                let standing = terms.iter().filter(|(_, lot, _)| self.origin.lots[*lot].stands_in(phase));
                let terms: Vec<(u32, f64)> = standing.map(|(variable, _, factor)| (*variable, *factor)).collect();
                if terms.iter().all(|(_, factor)| *factor < 0.0) {
                    continue;
                }
                let (names, when) = (self.names(&kind.protected_by), when(self.scenario, phase));
                let rule = format!("unit type {} at {} protected_by {names}{when}", kind.id, location.id);
                program.add_row(Row { rule, terms, least: f64::NEG_INFINITY, most: 0.0 });
            }
        }
    }

    fn names(&self, unit_types: &[usize]) -> String {
        let ids: Vec<&str> = unit_types.iter().map(|place| self.scenario.unit_types[*place].id.as_str()).collect();
        ids.join(" or ")
    }
}

/// Locations from which a unit type reaches a position, ascending.
fn reaching(index: &Index, scenario: &Scenario, unit_type: usize, position: [f64; 2]) -> Vec<u32> {
    let Some((min_m, max_m)) = scenario.unit_types[unit_type].reach.span_m() else { return Vec::new() };
    let mut locations = Vec::new();
    index.within(position, &[Ring { min_m, max_m }], |location, _| locations.push(location));
    locations.sort_unstable();
    locations
}

fn none_without(rule: &str, units: Vec<(u32, f64)>, switch: u32, most: f64) -> Row {
    let terms = units.into_iter().chain([(switch, -most)]).collect();
    Row { rule: rule.to_owned(), terms, least: f64::NEG_INFINITY, most: 0.0 }
}

fn enough_with(rule: &str, units: Vec<(u32, f64)>, switch: u32, least: f64) -> Row {
    let terms = units.into_iter().chain([(switch, -least)]).collect();
    Row { rule: rule.to_owned(), terms, least: 0.0, most: f64::INFINITY }
}
