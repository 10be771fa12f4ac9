//! A scenario and its coverage turned into a program: whole variables, linear rows and covering terms.

mod conditions;
mod entries;
mod lots;
mod program;
mod supply;
mod value;

pub use self::entries::Entries;
pub use self::lots::{Attribution, Lot, Pool};
pub use self::program::{Aim, Program, Row, Term, TermGroup, Variable};
use crate::cover::Coverage;
use crate::scenario::{LocationStatus, ObjectiveKind, Scenario};

/// Where the variables of a program come from.
///
/// # Shape
/// The program's variables are first the posts, then the pledges, then the switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Units that are alike.
    pub lots: Vec<Lot>,
    /// Offers added up.
    pub pools: Vec<Pool>,
    /// Location and lot of each post variable: how many units of that lot stand there.
    pub posts: Vec<(usize, usize)>,
    /// Pool and lot of each pledge variable: how many units of the pool are in that lot.
    pub pledges: Vec<(usize, usize)>,
    /// What each switch variable (0 or 1) says.
    pub switches: Vec<Switch>,
    /// Fixed units: pledge, post (both counted from the first of their kind) and count.
    pub fixed: Vec<(usize, usize, u32)>,
}

/// A yes or no of a contributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Index of the contributor that takes part.
    pub contributor: usize,
    /// In this phase; `None` for in the plan at all.
    pub phase: Option<usize>,
}

/// Writes the program of a scenario.
///
/// Units of one lot are alike wherever they come from, so posts are counted by location and lot and pledges by pool and
/// lot; who stands where is settled afterwards. That keeps equal solutions from multiplying.
///
/// # Cost
/// Linear in the cover sets' items, times requirements, phases and bands.
///
/// # Source
/// Church and ReVelle 1974 (maximal covering), Hogan and ReVelle 1986 (backup), Daskin 1983 (expected cover), Church and
/// Roberts 1983 (gradual cover); docs/model.md shows each row.
#[must_use]
pub fn build(scenario: &Scenario, coverage: &Coverage, attribution: Attribution) -> (Program, Origin) {
    let mut origin = origin(scenario, coverage, attribution);
    origin.switches = conditions::switches(scenario);
    origin.fixed = supply::fixed_pledges(scenario, &origin);
    let mut program = Program::new(aim(scenario, &origin), supply::variables(&origin));
    supply::add_rows(&mut program, scenario, &origin);
    conditions::add_rows(&mut program, scenario, &origin);
    value::add_terms(&mut program, scenario, coverage, &origin);
    program.ties = ties(scenario, &origin);
    (program, origin)
}

/// What the program makes as large or as small as possible; costs fall on pledges.
fn aim(scenario: &Scenario, origin: &Origin) -> Aim {
    if !scenario.objective.kind.is_minimum() {
        return Aim::MostValue;
    }
    let cost_of = |unit_type: usize| match scenario.objective.kind {
        ObjectiveKind::MinHeadcount => program::exact(scenario.unit_types[unit_type].headcount),
        ObjectiveKind::MinCost => scenario.unit_types[unit_type].cost,
        _ => 1.0,
    };
    let pledges = origin.pledges.iter().map(|(pool, _)| cost_of(origin.pools[*pool].unit_type));
    Aim::LeastCost {
        costs: origin.posts.iter().map(|_| 0.0).chain(pledges).chain(origin.switches.iter().map(|_| 0.0)).collect(),
        coverage: scenario.objective.coverage,
    }
}

/// Among equally good plans one with fewer units, then with fewer people.
fn ties(scenario: &Scenario, origin: &Origin) -> [Vec<f64>; 2] {
    let of_pledges = |cost: &dyn Fn(usize) -> f64| {
        let pledges = origin.pledges.iter().map(|(pool, _)| cost(origin.pools[*pool].unit_type));
        let posts = origin.posts.iter().map(|_| 0.0);
        posts.chain(pledges).chain(origin.switches.iter().map(|_| 0.0)).collect()
    };
    let headcount = |unit_type: usize| program::exact(scenario.unit_types[unit_type].headcount);
    [of_pledges(&|_| 1.0), of_pledges(&headcount)]
}

/// Lots, pools, and the posts that can be of use.
fn origin(scenario: &Scenario, coverage: &Coverage, attribution: Attribution) -> Origin {
    let pools: Vec<Pool> = lots::pools(scenario);
    let (lots, pledges) = lots::lots(scenario, &pools, attribution);
    let is_useful = useful_places(scenario, coverage);
    let unit_types = scenario.unit_types.len();
    let mut posts = Vec::new();
    for location in 0..scenario.locations.len() {
        for (place, lot) in lots.iter().enumerate() {
            if lot.may_stand[location] && is_useful[location * unit_types + lot.unit_type] {
                posts.push((location, place));
            }
        }
    }
    Origin { lots, pools, posts, pledges, switches: Vec::new(), fixed: Vec::new() }
}

/// For every location and unit type, whether a unit there covers some site, or may be asked for by a rule.
fn useful_places(scenario: &Scenario, coverage: &Coverage) -> Vec<bool> {
    let unit_types = scenario.unit_types.len();
    let mut is_useful = vec![false; scenario.locations.len() * unit_types];
    for post in coverage.sets.iter().flatten() {
        let (location, strand) = coverage.split(*post);
        is_useful[location * unit_types + strand.unit_type] = true;
    }
    for fixed in &scenario.fixed {
        is_useful[fixed.location * unit_types + fixed.unit_type] = true;
    }
    let mut is_asked_for = vec![false; unit_types];
    for contributor in &scenario.contributors {
        contributor.requires.iter().for_each(|condition| is_asked_for[condition.unit_type] = true);
    }
    for unit_type in &scenario.unit_types {
        unit_type.protected_by.iter().for_each(|protector| is_asked_for[*protector] = true);
    }
    // A contributor that must give many or none may give some that cover nothing.
    for offer in scenario.offers.iter().filter(|offer| scenario.contributors[offer.contributor].min_units.is_some()) {
        is_asked_for[offer.unit_type] = true;
    }
    for (location, entry) in scenario.locations.iter().enumerate() {
        for unit_type in 0..unit_types {
            is_useful[location * unit_types + unit_type] |=
                entry.status == LocationStatus::Required || is_asked_for[unit_type];
        }
    }
    is_useful
}
