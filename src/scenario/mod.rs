//! A scenario file and its layers turned into a scenario: the question, with every rule of the input already checked.

mod demand;
mod grammar;
mod layers;
mod matrix;
mod rules;
mod settings;
mod supply;
mod text;

use std::path::{Path, PathBuf};

use crate::load::Column;
use crate::problem::{InputError, Problem};

pub use self::settings::{Distance, ObjectiveKind, json_schema};
pub use self::text::{relative_path, resolved_text};

/// One planning question that cannot be broken: every index is in range, every number finite and not negative.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// For people; the name where none is given.
    pub title: String,
    /// How far two positions are apart.
    pub distance: Distance,
    /// The demand.
    pub sites: Sites,
    /// The candidates.
    pub locations: Vec<Location>,
    /// Kinds of unit.
    pub unit_types: Vec<UnitType>,
    /// Who gives units.
    pub contributors: Vec<Contributor>,
    /// What each gives.
    pub offers: Vec<Offer>,
    /// What cover means; at least one.
    pub requirements: Vec<Requirement>,
    /// Units that stand already and stay.
    pub fixed: Vec<Fixed>,
    /// What to aim for.
    pub objective: Goal,
    /// Limits of the search.
    pub options: Options,
    /// Files that scenario.toml names, with their hashes, in order of reading.
    pub inputs: Vec<Input>,
    /// Findings that do not stop a plan.
    pub warnings: Vec<Problem>,
    settings: settings::Settings,
}

/// Sites as columns, so that a million of them stay small.
///
/// # Shape
/// All have one entry per site.
///
/// # Units
/// Positions are longitude and latitude in degrees on WGS 84, or metres where the distance is planar.
#[derive(Clone, Debug)]
pub struct Sites {
    /// Unique.
    pub ids: Column,
    /// For people.
    pub names: Column,
    /// Such as `port`.
    pub kinds: Column,
    /// Such as a region's code.
    pub groups: Column,
    /// Where they are.
    pub positions: Vec<[f64; 2]>,
}

/// A place where units may stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Unique.
    pub id: String,
    /// Longitude and latitude in degrees on WGS 84, or metres where the distance is planar.
    pub position: [f64; 2],
    /// Units it can hold.
    pub max_units: Option<u32>,
    /// People it can hold.
    pub max_headcount: Option<u64>,
    /// Domains it serves; `None` for all.
    pub domains: Option<Vec<String>>,
    /// Whether units may or must stand there.
    pub status: LocationStatus,
}

/// Whether units may or must stand at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationStatus {
    /// May.
    Candidate,
    /// At least one unit.
    Required,
    /// None.
    Forbidden,
}

/// A kind of unit.
#[derive(Clone, Debug)]
pub struct UnitType {
    /// Unique.
    pub id: String,
    /// For people; the id where none is given.
    pub name: String,
    /// Where it moves; `None` stands anywhere.
    pub domain: Option<String>,
    /// People per unit.
    pub headcount: u64,
    /// Cost per unit.
    pub cost: f64,
    /// Which sites it covers.
    pub reach: Reach,
}

impl UnitType {
    /// True where the location's domains include this type's and the location is not forbidden.
    #[must_use]
    pub fn may_stand_at(&self, location: &Location) -> bool {
        location.status != LocationStatus::Forbidden
            && match (&self.domain, &location.domains) {
                (Some(domain), Some(domains)) => domains.contains(domain),
                _ => true,
            }
    }
}

/// Which sites a unit covers from a location.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// Within a distance in metres, both ends included.
    Range {
        /// Nearest distance covered.
        min_m: f64,
        /// Farthest distance covered.
        max_m: f64,
    },
    /// By a table of location and site.
    Matrix(Matrix),
    /// Never.
    None,
}

/// Sites covered from each location, from a table.
///
/// # Shape
/// `starts` has one entry per location and one more; the sites of location `l` are
/// `sites[starts[l]..starts[l + 1]]`, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    /// Where each location's sites start.
    pub starts: Vec<usize>,
    /// Indices of sites.
    pub sites: Vec<u32>,
}

impl Matrix {
    /// Sites covered from a location, ascending.
    #[must_use]
    pub fn sites_of(&self, location: usize) -> &[u32] {
        &self.sites[self.starts[location]..self.starts[location + 1]]
    }
}

/// An owner of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributor {
    /// Unique.
    pub id: String,
    /// For people; the id where none is given.
    pub name: String,
    /// Units it gives at most, over all types.
    pub max_units: Option<u32>,
    /// People it gives at most.
    pub max_headcount: Option<u64>,
}

/// Units of one type that one contributor gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Index of the contributor.
    pub contributor: usize,
    /// Index of the unit type.
    pub unit_type: usize,
    /// How many at most.
    pub count: u32,
}

/// What cover means: which units count for which sites, and for how much.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Unique.
    pub id: String,
    /// Indices of the unit types that count, ascending.
    pub unit_types: Vec<usize>,
    /// Indices of its sites, ascending.
    pub sites: Vec<u32>,
    /// Weight of each of its sites, in the order of `sites`.
    pub weights: Vec<f64>,
    /// Its part in the objective.
    pub importance: f64,
    /// Value of the first, second ... unit that covers a site.
    pub levels: Vec<f64>,
    /// Value of a site that cannot be covered better: what shares are relative to.
    pub possible: f64,
    /// Every site is covered at least so many times.
    pub minimum: u32,
}

impl Requirement {
    /// Value of a site of weight 1 that `count` units cover.
    #[must_use]
    pub fn value_of(&self, count: u32) -> f64 {
        self.levels.iter().take(count as usize).sum()
    }

    /// Weight of all its sites.
    #[must_use]
    pub fn total_weight(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// True where a further unit never adds more than the one before it.
    #[must_use]
    pub fn is_concave(&self) -> bool {
        self.levels.windows(2).all(|pair| pair[0] >= pair[1])
    }
}

/// Units that stand already and stay; they use up offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Index of the contributor.
    pub contributor: usize,
    /// Index of the unit type.
    pub unit_type: usize,
    /// Index of the location.
    pub location: usize,
    /// How many.
    pub count: u32,
}

/// What to aim for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Which quantity.
    pub kind: ObjectiveKind,
    /// The share to reach with the least, for the `min-` objectives.
    pub coverage: f64,
}

/// Limits of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Seconds.
    pub time_limit_s: f64,
    /// Fraction at which to stop.
    pub gap: f64,
    /// Starts every random choice.
    pub seed: u64,
    /// 0 for all cores.
    pub threads: usize,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// As opened.
    pub path: PathBuf,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
}

/// Where one objective counts more for a plan than another: the mean of the requirements' shares by importance.
#[must_use]
pub fn weighted_share(requirements: &[Requirement], shares: &[f64]) -> f64 {
    let total: f64 = requirements.iter().map(|requirement| requirement.importance).sum();
    let earned: f64 = requirements.iter().zip(shares).map(|(requirement, share)| requirement.importance * share).sum();
    earned / total
}

/// Reads a scenario file, the layers it names and the overrides of the command line.
///
/// `overrides` are `key=value` pairs such as `solve.seed=7` or `contributors.FRA.max_units=3`.
///
/// # Errors
/// [`InputError`] with every problem of the scenario and of all its files.
///
/// # Cost
/// Time and memory in proportion to the files.
pub fn read(path: &Path, overrides: &[(String, String)]) -> Result<Scenario, InputError> {
    let settings = grammar::settings(path, overrides)?;
    rules::scenario(path, settings)
}
