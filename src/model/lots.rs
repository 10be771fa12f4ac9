//! Offers turned into lots: units that are alike to the program, whoever gives them.

use std::collections::HashMap;

use crate::scenario::{ObjectiveKind, Scenario};

/// Whether units of several contributors may be counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribution {
    /// Units alike to the program are counted together and handed out afterwards.
    Counts,
    /// Every contributor's units are variables of their own; slower, for comparison.
    ByContributor,
}

/// Units that are alike: of one type, allowed at the same locations, counting for the same requirements, and standing
/// from the same phase to the same phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Index of the unit type.
    pub unit_type: usize,
    /// For every location, whether they may stand there.
    pub may_stand: Vec<bool>,
    /// For every requirement, whether they count.
    pub counts: Vec<bool>,
    /// The contributor, where units of several must be told apart.
    pub owner: Option<usize>,
    /// First phase in which they stand.
    pub arrival: usize,
    /// Last phase.
    pub last: usize,
}

impl Lot {
    /// True in the phases from arrival to the end of the offer.
    #[must_use]
    pub fn stands_in(&self, phase: usize) -> bool {
        self.arrival <= phase && phase <= self.last
    }
}

/// What a contributor gives of a type over the same span of phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Index of the contributor.
    pub contributor: usize,
    /// Index of the unit type.
    pub unit_type: usize,
    /// First phase.
    pub first: usize,
    /// Last phase.
    pub last: usize,
    /// Units offered.
    pub count: u64,
}

/// Offers added up, ordered by contributor, type and phases.
pub(super) fn pools(scenario: &Scenario) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for offer in &scenario.offers {
        let Some((first, last)) = offer.phases else { continue };
        let key = (offer.contributor, offer.unit_type, first, last);
        let known = pools.iter_mut().find(|pool| (pool.contributor, pool.unit_type, pool.first, pool.last) == key);
        match known {
            Some(pool) => pool.count += u64::from(offer.count),
            None => pools.push(Pool {
                contributor: offer.contributor,
                unit_type: offer.unit_type,
                first,
                last,
                count: u64::from(offer.count),
            }),
        }
    }
    pools.sort_by_key(|pool| (pool.contributor, pool.unit_type, pool.first, pool.last));
    pools
}

/// What units of a lot have in common: type, where they may stand, what they count for, owner, first and last phase.
type Kind = (usize, Vec<bool>, Vec<bool>, Option<usize>, usize, usize);

/// The lots, and for every pool and arrival the lot that its units are in.
pub(super) fn lots(scenario: &Scenario, pools: &[Pool], attribution: Attribution) -> (Vec<Lot>, Vec<(usize, usize)>) {
    let is_told_apart =
        attribution == Attribution::ByContributor || scenario.objective.kind == ObjectiveKind::WithstandLoss;
    let mut lots: Vec<Lot> = Vec::new();
    let mut known: HashMap<Kind, usize> = HashMap::new();
    let mut pledges = Vec::new();
    for (place, pool) in pools.iter().enumerate() {
        let may_stand: Vec<bool> = (0..scenario.locations.len())
            .map(|location| scenario.may_stand(pool.contributor, pool.unit_type, location))
            .collect();
        let counts: Vec<bool> = (0..scenario.requirements.len())
            .map(|requirement| scenario.counts(pool.contributor, pool.unit_type, requirement))
            .collect();
        let owner = is_told_apart.then_some(pool.contributor);
        for arrival in pool.first..=pool.last {
            let key = (pool.unit_type, may_stand.clone(), counts.clone(), owner, arrival, pool.last);
            let lot = *known.entry(key).or_insert_with_key(|key| {
                lots.push(Lot {
                    unit_type: key.0,
                    may_stand: key.1.clone(),
                    counts: key.2.clone(),
                    owner: key.3,
                    arrival: key.4,
                    last: key.5,
                });
                lots.len() - 1
            });
            pledges.push((place, lot));
        }
    }
    (lots, pledges)
}
