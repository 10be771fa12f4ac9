//! Offers, contributors, locations and fixed units turned into the rows that limit them.

use super::Origin;
use super::program::{Program, Row, Variable, exact};
use crate::scenario::{LocationStatus, Scenario};

/// No count is ever larger; rows hold the real limits, so that each of them can be lifted alone.
const MOST: u32 = 1_000_000;

/// Variables for the posts, the pledges and the switches.
pub(super) fn variables(origin: &Origin) -> Vec<Variable> {
    let counted = vec![Variable { most: MOST }; origin.posts.len() + origin.pledges.len()];
    counted.into_iter().chain(origin.switches.iter().map(|_| Variable { most: 1 })).collect()
}

/// Adds every row on numbers of units and people.
pub(super) fn add_rows(program: &mut Program, scenario: &Scenario, origin: &Origin) {
    let supply = Supply { scenario, origin };
    supply.balance(program);
    supply.offers(program);
    supply.contributors(program);
    supply.locations(program);
    supply.fixed(program);
}

/// The words that name a phase in a rule; none where there is only one.
pub(super) fn when(scenario: &Scenario, phase: usize) -> String {
    if scenario.phases.len() == 1 { String::new() } else { format!(", phase {}", scenario.phases[phase].id) }
}

impl Origin {
    /// Post variables with location and lot.
    pub(super) fn post_variables(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        (0u32..).zip(&self.posts).map(|(variable, (location, lot))| (variable, *location, *lot))
    }

    /// Pledge variables with pool and lot.
    pub(super) fn pledge_variables(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        let first = u32::try_from(self.posts.len()).expect("posts are counted in 32 bits");
        (first..).zip(&self.pledges).map(|(variable, (pool, lot))| (variable, *pool, *lot))
    }
}

/// The pledge and the post that each fixed unit uses: offers of the first phase, those first that stay longest.
pub(super) fn fixed_pledges(scenario: &Scenario, origin: &Origin) -> Vec<(usize, usize, u32)> {
    let mut left: Vec<u64> = origin.pools.iter().map(|pool| pool.count).collect();
    let mut fixed = Vec::new();
    for entry in &scenario.fixed {
        let Some(first) = scenario.first_phase(entry.contributor, entry.unit_type) else { continue };
        let mut pools: Vec<usize> = (0..origin.pools.len())
            .filter(|pool| {
                let pool = &origin.pools[*pool];
                (pool.contributor, pool.unit_type, pool.first) == (entry.contributor, entry.unit_type, first)
            })
            .collect();
        pools.sort_by_key(|pool| std::cmp::Reverse(origin.pools[*pool].last));
        let mut wanted = u64::from(entry.count);
        for pool in pools {
            let given = wanted.min(left[pool]);
            let pledge = origin.pledges.iter().position(|(of, lot)| *of == pool && origin.lots[*lot].arrival == first);
            let Some(pledge) = pledge else { continue };
            let lot = origin.pledges[pledge].1;
            let post = origin.posts.iter().position(|post| *post == (entry.location, lot));
            let (Some(post), Ok(count)) = (post, u32::try_from(given)) else { continue };
            if count > 0 {
                fixed.push((pledge, post, count));
            }
            left[pool] -= given;
            wanted -= given;
        }
    }
    fixed
}

struct Supply<'a> {
    scenario: &'a Scenario,
    origin: &'a Origin,
}

impl Supply<'_> {
    fn headcount(&self, lot: usize) -> f64 {
        exact(self.scenario.unit_types[self.origin.lots[lot].unit_type].headcount)
    }

    /// Units that stand are units that are pledged, lot by lot.
    fn balance(&self, program: &mut Program) {
        let mut terms: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.origin.lots.len()];
        self.origin.post_variables().for_each(|(variable, _, lot)| terms[lot].push((variable, 1.0)));
        self.origin.pledge_variables().for_each(|(variable, _, lot)| terms[lot].push((variable, -1.0)));
        for terms in terms {
            program.add_row(Row { rule: String::new(), terms, least: 0.0, most: 0.0 });
        }
    }

    /// No more than a contributor offers.
    fn offers(&self, program: &mut Program) {
        for (place, pool) in self.origin.pools.iter().enumerate() {
            let pledges = self.origin.pledge_variables().filter(|pledge| pledge.1 == place);
            let names =
                (&self.scenario.contributors[pool.contributor].id, &self.scenario.unit_types[pool.unit_type].id);
            let span = if self.scenario.phases.len() == 1 {
                String::new()
            } else {
                let phases = &self.scenario.phases;
                format!(", phases {} to {}", phases[pool.first].id, phases[pool.last].id)
            };
            let rule = format!("offer {} {} count {}{span}", names.0, names.1, pool.count);
            program.add_row(at_most(rule, pledges.map(|pledge| (pledge.0, 1.0)).collect(), pool.count));
        }
    }

    /// No more units and people than a contributor gives over all types, in every phase.
    fn contributors(&self, program: &mut Program) {
        for (place, contributor) in self.scenario.contributors.iter().enumerate() {
            for phase in self.telling_phases() {
                let pledges = || {
                    self.origin.pledge_variables().filter(move |(_, pool, lot)| {
                        self.origin.pools[*pool].contributor == place && self.origin.lots[*lot].stands_in(phase)
                    })
                };
                let when = when(self.scenario, phase);
                if let Some(most) = contributor.max_units {
                    let units = pledges().map(|pledge| (pledge.0, 1.0)).collect();
                    let rule = format!("contributor {} max_units {most}{when}", contributor.id);
                    program.add_row(at_most(rule, units, u64::from(most)));
                }
                if let Some(most) = contributor.max_headcount {
                    let people = pledges().map(|pledge| (pledge.0, self.headcount(pledge.2))).collect();
                    let rule = format!("contributor {} max_headcount {most}{when}", contributor.id);
                    program.add_row(at_most(rule, people, most));
                }
            }
        }
    }

    /// Phases in which units stand that do not all stand in the next, too: limits need to be kept only there.
    fn telling_phases(&self) -> Vec<usize> {
        let lots = &self.origin.lots;
        let standing = |phase: usize| lots.iter().map(move |lot| lot.stands_in(phase));
        let is_told_by_next = |phase: usize| standing(phase).zip(standing(phase + 1)).all(|(now, next)| !now || next);
        let last = self.scenario.phases.len() - 1;
        (0..=last).filter(|phase| *phase == last || !is_told_by_next(*phase)).collect()
    }

    /// No more units and people than a location holds in every phase, and some where some must stand.
    fn locations(&self, program: &mut Program) {
        let mut posts: Vec<Vec<(u32, usize)>> = vec![Vec::new(); self.scenario.locations.len()];
        self.origin.post_variables().for_each(|(variable, location, lot)| posts[location].push((variable, lot)));
        let phases = self.telling_phases();
        for (location, posts) in self.scenario.locations.iter().zip(&posts) {
            if location.status == LocationStatus::Required {
                let rule = format!("location {} required", location.id);
                let terms = posts.iter().map(|(variable, _)| (*variable, 1.0)).collect();
                program.add_row(Row { rule, terms, least: 1.0, most: f64::INFINITY });
            }
            for phase in &phases {
                let standing = || posts.iter().filter(|(_, lot)| self.origin.lots[*lot].stands_in(*phase));
                if standing().next().is_none() {
                    continue;
                }
                let when = when(self.scenario, *phase);
                if let Some(most) = location.max_units {
                    let units = standing().map(|(variable, _)| (*variable, 1.0)).collect();
                    let rule = format!("location {} max_units {most}{when}", location.id);
                    program.add_row(at_most(rule, units, u64::from(most)));
                }
                if let Some(most) = location.max_headcount {
                    let people = standing().map(|(variable, lot)| (*variable, self.headcount(*lot))).collect();
                    let rule = format!("location {} max_headcount {most}{when}", location.id);
                    program.add_row(at_most(rule, people, most));
                }
            }
        }
    }

    /// Units that stand already stay, at their post and from their contributor.
    fn fixed(&self, program: &mut Program) {
        let origin = self.origin;
        let first_pledge = origin.posts.len();
        let mut least = std::collections::BTreeMap::<usize, u32>::new();
        for (pledge, post, count) in &origin.fixed {
            *least.entry(*post).or_default() += count;
            *least.entry(first_pledge + pledge).or_default() += count;
        }
        for (variable, count) in least {
            let what = if variable < first_pledge {
                let (location, lot) = origin.posts[variable];
                let unit_type = &self.scenario.unit_types[origin.lots[lot].unit_type].id;
                format!("{unit_type} at {}", self.scenario.locations[location].id)
            } else {
                let pool = &origin.pools[origin.pledges[variable - first_pledge].0];
                let unit_type = &self.scenario.unit_types[pool.unit_type].id;
                format!("{unit_type} of {}", self.scenario.contributors[pool.contributor].id)
            };
            let variable = u32::try_from(variable).expect("variables are counted in 32 bits");
            let rule = format!("fixed {count} {what}");
            let terms = vec![(variable, 1.0)];
            program.add_row(Row { rule, terms, least: f64::from(count), most: f64::INFINITY });
        }
    }
}

fn at_most(rule: String, terms: Vec<(u32, f64)>, most: u64) -> Row {
    Row { rule, terms, least: f64::NEG_INFINITY, most: exact(most) }
}
