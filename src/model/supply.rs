//! Offers, contributors, locations and fixed units turned into the rows that limit them.

use super::Origin;
use super::program::{Program, Row, Variable, exact};
use crate::scenario::{LocationStatus, Scenario};

/// No count is ever larger; rows hold the real limits, so that each of them can be lifted alone.
const MOST: u32 = 1_000_000;

/// Variables for the posts and the pledges.
pub(super) fn variables(origin: &Origin) -> Vec<Variable> {
    vec![Variable { most: MOST }; origin.posts.len() + origin.pledges.len()]
}

/// Adds every row that is not about cover.
pub(super) fn add_rows(program: &mut Program, scenario: &Scenario, origin: &Origin) {
    let supply = Supply { scenario, origin };
    supply.balance(program);
    supply.pledges(program);
    supply.contributors(program);
    supply.locations(program);
    supply.fixed(program);
}

struct Supply<'a> {
    scenario: &'a Scenario,
    origin: &'a Origin,
}

impl Supply<'_> {
    /// Post variables with location and unit type.
    fn posts(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        (0u32..).zip(&self.origin.posts).map(|(variable, (location, unit_type))| (variable, *location, *unit_type))
    }

    /// Pledge variables with contributor and unit type.
    fn pledge_variables(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        let first = u32::try_from(self.origin.posts.len()).expect("posts are counted in 32 bits");
        (first..)
            .zip(&self.origin.pledges)
            .map(|(variable, (contributor, unit_type))| (variable, *contributor, *unit_type))
    }

    fn headcount(&self, unit_type: usize) -> f64 {
        exact(self.scenario.unit_types[unit_type].headcount)
    }

    /// Units that stand are units that are pledged, type by type.
    fn balance(&self, program: &mut Program) {
        for unit_type in 0..self.scenario.unit_types.len() {
            let standing = self.posts().filter(|post| post.2 == unit_type).map(|post| (post.0, 1.0));
            let pledged = self.pledge_variables().filter(|pledge| pledge.2 == unit_type).map(|pledge| (pledge.0, -1.0));
            let terms: Vec<(u32, f64)> = standing.chain(pledged).collect();
            if !terms.is_empty() {
                program.add_row(Row { rule: String::new(), terms, least: 0.0, most: 0.0 });
            }
        }
    }

    /// No more of a type than a contributor offers.
    fn pledges(&self, program: &mut Program) {
        for (variable, contributor, unit_type) in self.pledge_variables() {
            let offers = self.scenario.offers.iter();
            let count: u64 = offers
                .filter(|offer| offer.contributor == contributor && offer.unit_type == unit_type)
                .map(|offer| u64::from(offer.count))
                .sum();
            let names = (&self.scenario.contributors[contributor].id, &self.scenario.unit_types[unit_type].id);
            program.add_row(at_most(
                format!("offer {} {} count {count}", names.0, names.1),
                vec![(variable, 1.0)],
                Some(count),
            ));
        }
    }

    /// No more units and people than a contributor gives over all types.
    fn contributors(&self, program: &mut Program) {
        for (place, contributor) in self.scenario.contributors.iter().enumerate() {
            let pledges = || self.pledge_variables().filter(move |pledge| pledge.1 == place);
            let units: Vec<(u32, f64)> = pledges().map(|pledge| (pledge.0, 1.0)).collect();
            let people: Vec<(u32, f64)> = pledges().map(|pledge| (pledge.0, self.headcount(pledge.2))).collect();
            if let Some(most) = contributor.max_units {
                let rule = format!("contributor {} max_units {most}", contributor.id);
                program.add_row(at_most(rule, units, Some(u64::from(most))));
            }
            if let Some(most) = contributor.max_headcount {
                let rule = format!("contributor {} max_headcount {most}", contributor.id);
                program.add_row(at_most(rule, people, Some(most)));
            }
        }
    }

    /// No more units and people than a location holds, and some where some must stand.
    fn locations(&self, program: &mut Program) {
        let mut posts: Vec<Vec<(u32, usize)>> = vec![Vec::new(); self.scenario.locations.len()];
        self.posts().for_each(|(variable, location, unit_type)| posts[location].push((variable, unit_type)));
        for (location, posts) in self.scenario.locations.iter().zip(&posts) {
            let units = || posts.iter().map(|(variable, _)| (*variable, 1.0)).collect::<Vec<_>>();
            if location.status == LocationStatus::Required {
                let rule = format!("location {} required", location.id);
                program.add_row(Row { rule, terms: units(), least: 1.0, most: f64::INFINITY });
            }
            if posts.is_empty() {
                continue;
            }
            if let Some(most) = location.max_units {
                let rule = format!("location {} max_units {most}", location.id);
                program.add_row(at_most(rule, units(), Some(u64::from(most))));
            }
            if let Some(most) = location.max_headcount {
                let people = posts.iter().map(|(variable, unit_type)| (*variable, self.headcount(*unit_type)));
                let rule = format!("location {} max_headcount {most}", location.id);
                program.add_row(at_most(rule, people.collect(), Some(most)));
            }
        }
    }

    /// Units that stand already stay, at their post and from their contributor.
    fn fixed(&self, program: &mut Program) {
        let fixed = &self.scenario.fixed;
        for (variable, location, unit_type) in self.posts() {
            let here = fixed.iter().filter(|entry| entry.location == location && entry.unit_type == unit_type);
            let names = (&self.scenario.unit_types[unit_type].id, &self.scenario.locations[location].id);
            add_fixed(program, variable, here.map(|entry| entry.count).sum(), &format!("{} at {}", names.0, names.1));
        }
        for (variable, contributor, unit_type) in self.pledge_variables() {
            let given = fixed.iter().filter(|entry| entry.contributor == contributor && entry.unit_type == unit_type);
            let names = (&self.scenario.contributors[contributor].id, &self.scenario.unit_types[unit_type].id);
            add_fixed(program, variable, given.map(|entry| entry.count).sum(), &format!("{} of {}", names.1, names.0));
        }
    }
}

fn add_fixed(program: &mut Program, variable: u32, count: u32, what: &str) {
    if count > 0 {
        let rule = format!("fixed {count} {what}");
        let terms = vec![(variable, 1.0)];
        program.add_row(Row { rule, terms, least: f64::from(count), most: f64::INFINITY });
    }
}

fn at_most(rule: String, terms: Vec<(u32, f64)>, most: Option<u64>) -> Row {
    Row { rule, terms, least: f64::NEG_INFINITY, most: most.map_or(f64::INFINITY, exact) }
}
