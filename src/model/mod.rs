//! A scenario and its coverage turned into a program: whole variables, linear rows and covering terms.

mod program;
mod supply;

use std::collections::HashMap;

pub use self::program::{Aim, Program, Row, Term, TermGroup, Variable};
use crate::cover::{Coverage, Rows};
use crate::scenario::{LocationStatus, ObjectiveKind, Requirement, Scenario};

/// Where the variables of a program come from.
///
/// # Shape
/// The program's variables are first the posts, then the pledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Location and unit type of each post variable: how many units of that type stand there.
    pub posts: Vec<(usize, usize)>,
    /// Contributor and unit type of each pledge variable: how many units of its offers are used.
    pub pledges: Vec<(usize, usize)>,
}

/// Writes the program of a scenario.
///
/// Units of one type are alike wherever they come from, so posts are counted by location and type and pledges by
/// contributor and type; who stands where is settled afterwards. That keeps equal solutions from multiplying.
///
/// # Cost
/// Linear in the cover sets' items, times the requirements.
///
/// # Source
/// Church and ReVelle 1974 (maximal covering), Hogan and ReVelle 1986 (backup), Daskin 1983 (expected cover);
/// docs/model.md shows each row.
#[must_use]
pub fn build(scenario: &Scenario, coverage: &Coverage) -> (Program, Origin) {
    let origin = origin(scenario, coverage);
    let mut program = Program::new(aim(scenario, &origin), supply::variables(&origin));
    supply::add_rows(&mut program, scenario, &origin);
    let variable_of_post = variable_of_post(scenario, &origin);
    let importance: f64 = scenario.requirements.iter().map(|requirement| requirement.importance).sum();
    for requirement in &scenario.requirements {
        let merged = merged_sets(scenario, coverage, requirement, &variable_of_post);
        add_minimum(&mut program, scenario, requirement, &merged);
        let possible = requirement.possible * requirement.total_weight();
        program.add_group(
            TermGroup {
                levels: requirement.levels.clone(),
                scale: requirement.importance / (importance * possible),
                terms: Vec::new(),
            },
            merged.sets.iter().zip(&merged.weights),
        );
    }
    (program, origin)
}

/// What the program makes as large or as small as possible; costs fall on pledges.
fn aim(scenario: &Scenario, origin: &Origin) -> Aim {
    let cost_of = |unit_type: usize| match scenario.objective.kind {
        ObjectiveKind::MaxCoverage | ObjectiveKind::MinUnits => 1.0,
        ObjectiveKind::MinHeadcount => crate::model::program::exact(scenario.unit_types[unit_type].headcount),
        ObjectiveKind::MinCost => scenario.unit_types[unit_type].cost,
    };
    match scenario.objective.kind {
        ObjectiveKind::MaxCoverage => Aim::MostValue,
        _ => Aim::LeastCost {
            costs: origin
                .posts
                .iter()
                .map(|_| 0.0)
                .chain(origin.pledges.iter().map(|(_, unit_type)| cost_of(*unit_type)))
                .collect(),
            coverage: scenario.objective.coverage,
        },
    }
}

/// Posts that cover some site, must be used or are fixed; pledges of every contributor and type with an offer.
fn origin(scenario: &Scenario, coverage: &Coverage) -> Origin {
    let unit_types = scenario.unit_types.len();
    let mut is_used = vec![false; scenario.locations.len() * unit_types];
    coverage.sets.iter().flatten().for_each(|post| is_used[*post as usize] = true);
    for fixed in &scenario.fixed {
        is_used[fixed.location * unit_types + fixed.unit_type] = true;
    }
    let mut pledges: Vec<(usize, usize)> =
        scenario.offers.iter().map(|offer| (offer.contributor, offer.unit_type)).collect();
    pledges.sort_unstable();
    pledges.dedup();
    let is_offered =
        |unit_type: usize| scenario.offers.iter().any(|offer| offer.unit_type == unit_type && offer.count > 0);
    for (location, entry) in scenario.locations.iter().enumerate() {
        if entry.status == LocationStatus::Required {
            for (unit_type, kind) in scenario.unit_types.iter().enumerate() {
                is_used[location * unit_types + unit_type] |= is_offered(unit_type) && kind.may_stand_at(entry);
            }
        }
    }
    let posts = (0..is_used.len()).filter(|post| is_used[*post]).map(|post| (post / unit_types, post % unit_types));
    Origin { posts: posts.collect(), pledges }
}

/// The variable of each post, `None` for posts that have none.
fn variable_of_post(scenario: &Scenario, origin: &Origin) -> Vec<Option<u32>> {
    let unit_types = scenario.unit_types.len();
    let mut variables = vec![None; scenario.locations.len() * unit_types];
    for (variable, (location, unit_type)) in (0u32..).zip(&origin.posts) {
        variables[location * unit_types + unit_type] = Some(variable);
    }
    variables
}

/// The cover sets of one requirement, in variables, identical ones merged.
struct MergedSets {
    sets: Rows,
    /// Weight of all sites of a set.
    weights: Vec<f64>,
    /// The first site of a set, to name it.
    first_site: Vec<u32>,
    /// How many sites of a set.
    sites: Vec<usize>,
}

/// Restricts cover sets to the types that count for a requirement and merges those that become identical.
fn merged_sets(
    scenario: &Scenario,
    coverage: &Coverage,
    requirement: &Requirement,
    variable_of_post: &[Option<u32>],
) -> MergedSets {
    const UNSEEN: u32 = u32::MAX;
    let unit_types = scenario.unit_types.len();
    let mut counts = vec![false; unit_types];
    requirement.unit_types.iter().for_each(|unit_type| counts[*unit_type] = true);
    let mut merged_of_set = vec![UNSEEN; coverage.sets.len()];
    let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
    let mut merged =
        MergedSets { sets: Rows::default(), weights: Vec::new(), first_site: Vec::new(), sites: Vec::new() };
    for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
        let set = coverage.set_of_site[*site as usize] as usize;
        if merged_of_set[set] == UNSEEN {
            let posts = coverage.sets.row(set).iter().filter(|post| counts[**post as usize % unit_types]);
            let variables: Vec<u32> = posts.filter_map(|post| variable_of_post[*post as usize]).collect();
            let next = u32::try_from(merged.sets.len()).expect("no more merged sets than cover sets");
            merged_of_set[set] = *known.entry(variables).or_insert_with_key(|variables| {
                merged.sets.push(variables);
                merged.weights.push(0.0);
                merged.first_site.push(*site);
                merged.sites.push(0);
                next
            });
        }
        let place = merged_of_set[set] as usize;
        merged.weights[place] += weight;
        merged.sites[place] += 1;
    }
    merged
}

/// Hard cover: one row per distinct cover set.
fn add_minimum(program: &mut Program, scenario: &Scenario, requirement: &Requirement, merged: &MergedSets) {
    if requirement.minimum == 0 {
        return;
    }
    for (place, set) in merged.sets.iter().enumerate() {
        let site = scenario.sites.ids.cell(merged.first_site[place] as usize).unwrap_or_default();
        let others = match merged.sites[place] - 1 {
            0 => String::new(),
            more => format!(" and {more} sites with the same cover"),
        };
        let why = if set.is_empty() { ": no allowed location reaches it" } else { "" };
        program.add_row(Row {
            rule: format!("requirement {} minimum {}, site {site}{others}{why}", requirement.id, requirement.minimum),
            terms: set.iter().map(|variable| (*variable, 1.0)).collect(),
            least: f64::from(requirement.minimum),
            most: f64::INFINITY,
        });
    }
}
