//! A solution turned into a plan: who stands where, what that is worth, and how good it is proven to be.

mod build;
mod certificate;
mod folder;

use serde::{Deserialize, Serialize};

pub use self::build::build;
pub use self::certificate::{certificate_file, certificate_text, read_certificate};
pub use self::folder::{Recorded, SiteClaim, read};
use crate::scenario::ObjectiveKind;
pub use crate::solve::{LeftOut, Moment, Multipliers, Status, StopReason};

/// The answer to a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whether a plan was found and proven best.
    pub status: Status,
    /// Why the search ended.
    pub stop_reason: StopReason,
    /// Value, bound and gap; value is `None` without a plan.
    pub objective: Objective,
    /// Who stands where and when, ordered by contributor, unit type, location and phases of the scenario.
    pub placements: Vec<Placement>,
    /// One per requirement and phase of the scenario, in its order, phases of a requirement together; empty without a
    /// plan.
    pub requirements: Vec<RequirementResult>,
    /// Rules that clash, in the analyst's words, when infeasible.
    pub conflict: Vec<String>,
    /// True when each of them is shown to be needed for the clash.
    pub is_conflict_smallest: bool,
    /// Prices that prove the bound without any solver; `None` where the bound is the solver's word.
    pub certificate: Option<Multipliers>,
    /// How the answer was found.
    pub search: Search,
    /// Which sites its files list.
    pub listed: Listed,
}

/// Which sites the files of a plan list: rows of `sites` that are kept; `links` come with all of them only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listed {
    /// No site
    None,
    /// Sites that nothing covers, for each requirement and phase
    Uncovered,
    /// Every site
    #[default]
    All,
}

impl Listed {
    /// True where a site is listed that so many units cover.
    #[must_use]
    pub fn holds(self, cover_count: u64) -> bool {
        match self {
            Self::None => false,
            Self::Uncovered => cover_count == 0,
            Self::All => true,
        }
    }
}

/// Value, bound and gap of the objective.
///
/// # Units
/// Shares from 0 to 1 for `max-coverage`, `max-min` and `withstand-loss`; units, people or cost for the `min-` objectives.
/// The gap is a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// What was aimed for.
    pub kind: ObjectiveKind,
    /// What the plan reaches.
    pub value: Option<f64>,
    /// No plan can be better (maximum) or cheaper (minimum) than this.
    pub bound: f64,
    /// |bound - value| relative to the larger of the two; `None` without a plan.
    pub gap: Option<f64>,
}

/// Units of one type of one contributor at one location.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Index into the scenario's contributors.
    pub contributor: usize,
    /// Index into the scenario's unit types.
    pub unit_type: usize,
    /// Index into the scenario's locations.
    pub location: usize,
    /// How many units, at least one.
    pub count: u32,
    /// First phase in which they stand.
    pub arrival: usize,
    /// Last phase in which they stand.
    pub last: usize,
    /// Where the plan says they stand; the judge compares it with the location.
    pub position: [f64; 2],
}

impl Placement {
    /// True in the phases from arrival to the last.
    #[must_use]
    pub fn stands_in(&self, phase: usize) -> bool {
        self.arrival <= phase && phase <= self.last
    }
}

/// What a plan earns for one requirement in one phase.
///
/// # Units
/// Weights in the unit of the requirement's weight; `share` from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct RequirementResult {
    /// Index into the scenario's requirements.
    pub requirement: usize,
    /// Index into the scenario's phases.
    pub phase: usize,
    /// Value earned over value possible.
    pub share: f64,
    /// Weight of the sites covered at least once.
    pub covered_weight: f64,
    /// Weight of all its sites.
    pub total_weight: f64,
    /// Number of its sites.
    pub sites: usize,
    /// Number of its sites covered at least once.
    pub sites_covered: usize,
    /// Weight of the sites covered at least 1, 2, ... times, one entry per level.
    pub by_level: Vec<f64>,
}

/// How an answer was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// Wall time of reading, building and solving.
    pub seconds: f64,
    /// Name of the method, such as `compact`.
    pub method: &'static str,
    /// Nodes of the search tree.
    pub nodes: u64,
    /// Variables handed to the solver.
    pub variables: usize,
    /// Rows handed to the solver.
    pub rows: usize,
    /// What exact reductions took away: name and count.
    pub reductions: Vec<(&'static str, usize)>,
    /// Value, bound and method over time.
    pub trace: Vec<Moment>,
    /// What went wrong in the solver, in words.
    pub faults: Vec<String>,
}
