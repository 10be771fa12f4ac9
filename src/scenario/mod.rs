//! A scenario file and its layers turned into a scenario: the question, with every rule of the input already checked.

mod areas;
mod coalition;
mod demand;
mod generate;
mod goal_keys;
mod grammar;
mod layers;
mod matrix;
mod place;
mod reach;
mod reach_keys;
mod roads;
mod rules;
mod settings;
mod shape;
mod snap;
mod space;
mod supply;
mod terrain;
mod text;
mod time;
mod units;

use std::path::{Path, PathBuf};

use crate::load::{Column, Outlines};
use crate::problem::{InputError, Problem};

pub use self::reach::{Areas, Band, Matrix, Reach, RoadGraph, Roads, Sight, Terrain};
pub use self::settings::{Distance, Method, ObjectiveKind, json_schema};
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
    /// The system of all positions, such as `EPSG:4326`; `None` where the distance is planar and no source states one.
    pub crs: Option<String>,
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
    /// Polygons to draw beneath the map, as rings, the first of each its exterior; they decide nothing.
    pub outlines: Vec<Vec<Vec<[f64; 2]>>>,
    /// Spans of time, in order; one without a date where the scenario has none.
    pub phases: Vec<Phase>,
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
    /// Where they are; for lines and polygons the mean of their vertices.
    pub positions: Vec<[f64; 2]>,
    /// Vertices of lines and polygons, by site; `None` where all sites are points.
    pub outlines: Option<Outlines>,
}

impl Sites {
    /// The positions that a unit must reach to cover a site: all vertices, or the one of a point.
    #[must_use]
    pub fn vertices(&self, site: usize) -> &[[f64; 2]] {
        match &self.outlines {
            Some(outlines) => &outlines.vertices[outlines.starts[site]..outlines.starts[site + 1]],
            None => std::slice::from_ref(&self.positions[site]),
        }
    }

    /// Where the vertices of a site are among those of all.
    #[must_use]
    pub fn vertex_range(&self, site: usize) -> std::ops::Range<usize> {
        match &self.outlines {
            Some(outlines) => outlines.starts[site]..outlines.starts[site + 1],
            None => site..site + 1,
        }
    }
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
    /// Indices of unit types; where there are some, it stands only within reach of a deployed unit of one of them.
    pub protected_by: Vec<usize>,
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

/// An owner of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributor {
    /// Unique.
    pub id: String,
    /// For people; the id where none is given.
    pub name: String,
    /// Units it gives at most, over all types, in every phase.
    pub max_units: Option<u32>,
    /// People it gives at most, in every phase.
    pub max_headcount: Option<u64>,
    /// Units it gives at least over the whole plan, if any.
    pub min_units: Option<u32>,
    /// Indices of the requirements its units count for, ascending; `None` for all.
    pub mandate: Option<Vec<usize>>,
    /// For every location, whether its units may stand there; `None` for everywhere.
    pub caveat: Option<Vec<bool>>,
    /// Units of others that stand in every phase in which one of its units does.
    pub requires: Vec<Condition>,
}

impl Contributor {
    /// True where its units count for a requirement.
    #[must_use]
    pub fn counts_for(&self, requirement: usize) -> bool {
        self.mandate.as_ref().is_none_or(|mandate| mandate.contains(&requirement))
    }

    /// True where its caveats let its units stand at a location.
    #[must_use]
    pub fn accepts(&self, location: usize) -> bool {
        self.caveat.as_ref().is_none_or(|caveat| caveat[location])
    }
}

/// Units without which a contributor takes no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Index of the other contributor.
    pub contributor: usize,
    /// Index of the unit type.
    pub unit_type: usize,
    /// How many, at least one.
    pub count: u32,
}

/// A span of time from its start to the start of the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Unique; `all` where the scenario has no phases.
    pub id: String,
    /// First day as YYYY-MM-DD; `None` where the scenario has no phases.
    pub starts: Option<String>,
    /// Its part in the objective.
    pub weight: f64,
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
    /// First day as YYYY-MM-DD.
    pub from: Option<String>,
    /// Last day as YYYY-MM-DD.
    pub until: Option<String>,
    /// First and last phase in which it is there from start to end; `None` where it never is.
    pub phases: Option<(usize, usize)>,
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

    /// Value of a site of weight 1 from the units on it, given as share and count, shares falling: band by band the
    /// levels of the units within it, times what its share adds to the next.
    #[must_use]
    pub fn gradual_value(&self, by_share: &[(f64, u32)]) -> f64 {
        let (mut value, mut units) = (0.0, 0);
        for (place, (share, count)) in by_share.iter().enumerate() {
            units += count;
            let next = by_share.get(place + 1).map_or(0.0, |(share, _)| *share);
            value += (share - next) * self.value_of(units);
        }
        value
    }

    /// Weight of all its sites.
    #[must_use]
    pub fn total_weight(&self) -> f64 {
        self.weights.iter().sum()
    }
}

/// Units that stand already and stay; they use up offers.
///
/// They stand from the first phase in which their contributor has units of that type, and use those offers of that
/// phase that stay longest.
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
    /// 0 for all cores. The command makes a pool of so many; a caller of the library brings its own.
    pub threads: usize,
    /// How to solve.
    pub method: Method,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// As opened.
    pub path: PathBuf,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
}

impl Scenario {
    /// True where units of a contributor and type may stand at a location.
    #[must_use]
    pub fn may_stand(&self, contributor: usize, unit_type: usize, location: usize) -> bool {
        self.unit_types[unit_type].may_stand_at(&self.locations[location])
            && self.contributors[contributor].accepts(location)
    }

    /// True where units of a contributor and type count for a requirement.
    #[must_use]
    pub fn counts(&self, contributor: usize, unit_type: usize, requirement: usize) -> bool {
        self.requirements[requirement].unit_types.contains(&unit_type)
            && self.contributors[contributor].counts_for(requirement)
    }

    /// The first phase in which a contributor has units of a type: that in which its fixed ones stand.
    #[must_use]
    pub fn first_phase(&self, contributor: usize, unit_type: usize) -> Option<usize> {
        let offers = self.offers.iter().filter(|one| (one.contributor, one.unit_type) == (contributor, unit_type));
        offers.filter(|offer| offer.count > 0).filter_map(|offer| offer.phases).map(|(first, _)| first).min()
    }

    /// Ids of the groups of the sites, in order of first sight; empty text for sites without one.
    #[must_use]
    pub fn groups(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        let groups = (0..self.sites.positions.len()).map(|site| self.sites.groups.cell(site).unwrap_or_default());
        groups.filter(|group| seen.insert(*group)).collect()
    }
}

/// The mean of shares by requirement and phase, weighted by importance and by phase weight.
///
/// # Shape
/// `shares` has one entry per requirement and phase, phases of a requirement together.
#[must_use]
pub fn weighted_share(scenario: &Scenario, shares: &[f64]) -> f64 {
    let phases = scenario.phases.len();
    let weight =
        |place: usize| scenario.requirements[place / phases].importance * scenario.phases[place % phases].weight;
    let total: f64 = (0..shares.len()).map(weight).sum();
    shares.iter().enumerate().map(|(place, share)| weight(place) * share).sum::<f64>() / total
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
