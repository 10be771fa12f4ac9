//! A scenario turned into coverage: which posts cover which site, as distinct cover sets.

mod rows;

use std::collections::HashMap;

use rayon::prelude::*;

pub use self::rows::Rows;
use crate::index::{Index, Ring};
use crate::problem::Problem;
use crate::scenario::{Reach, Requirement, Scenario};

/// Sites looked at together by one thread; large enough that most equal cover sets meet within a chunk.
const CHUNK: usize = 1 << 16;

/// Who covers whom. A **post** is a unit type at a location, numbered `location * unit types + unit type`.
///
/// # Shape
/// `sets` has one row per distinct cover set, its posts ascending; `set_of_site` has one entry per site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Distinct sets of posts.
    pub sets: Rows,
    /// The cover set of each site.
    pub set_of_site: Vec<u32>,
}

/// Finds for every site the posts that cover it, and merges sites whose cover sets are identical.
///
/// Only posts where a unit may stand count: offered types, at locations of their domain that are not forbidden.
///
/// # Cost
/// About a microsecond a site plus 40 ns a pair in reach, over all cores. Memory grows with distinct cover sets
/// and sites, never with pairs.
#[must_use]
pub fn build(scenario: &Scenario) -> Coverage {
    let reachability = Reachability::new(scenario);
    let sites = scenario.sites.positions.len();
    let chunks: Vec<Coverage> = (0..sites.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| reachability.chunk(scenario, chunk * CHUNK..sites.min((chunk + 1) * CHUNK)))
        .collect();
    merged(chunks)
}

/// What is needed to find the posts that cover one site.
struct Reachability {
    index: Index,
    rings: Vec<Ring>,
    ring_types: Vec<usize>,
    tables: Vec<(usize, Rows)>,
    is_usable: Vec<bool>,
}

impl Reachability {
    fn new(scenario: &Scenario) -> Self {
        let positions: Vec<[f64; 2]> = scenario.locations.iter().map(|location| location.position).collect();
        let mut reachability = Self {
            index: Index::new(scenario.distance, &positions),
            rings: Vec::new(),
            ring_types: Vec::new(),
            tables: Vec::new(),
            is_usable: usable_posts(scenario),
        };
        for (unit_type, entry) in scenario.unit_types.iter().enumerate() {
            match &entry.reach {
                Reach::Range { min_m, max_m } => {
                    reachability.rings.push(Ring { min_m: *min_m, max_m: *max_m });
                    reachability.ring_types.push(unit_type);
                }
                Reach::Matrix(matrix) => {
                    let by_location = Rows::new(matrix.starts.clone(), matrix.sites.clone());
                    reachability.tables.push((unit_type, by_location.transposed(scenario.sites.positions.len())));
                }
                Reach::None => {}
            }
        }
        reachability
    }

    /// Posts that cover a site, ascending, into `posts`.
    fn posts_of(&self, scenario: &Scenario, site: usize, posts: &mut Vec<u32>) {
        let unit_types = scenario.unit_types.len();
        posts.clear();
        let mut keep = |location: usize, unit_type: usize| {
            let post = location * unit_types + unit_type;
            if self.is_usable[post] {
                posts.push(u32::try_from(post).expect("posts are counted in 32 bits"));
            }
        };
        if !self.rings.is_empty() {
            self.index.within(scenario.sites.positions[site], &self.rings, |location, ring| {
                keep(location as usize, self.ring_types[ring]);
            });
        }
        for (unit_type, locations_by_site) in &self.tables {
            locations_by_site.row(site).iter().for_each(|location| keep(*location as usize, *unit_type));
        }
        posts.sort_unstable();
    }

    fn chunk(&self, scenario: &Scenario, sites: std::ops::Range<usize>) -> Coverage {
        let mut merger = Merger::default();
        let mut posts = Vec::new();
        for site in sites {
            self.posts_of(scenario, site, &mut posts);
            merger.add(&posts);
        }
        merger.coverage
    }
}

/// For every post, whether a unit may stand there.
fn usable_posts(scenario: &Scenario) -> Vec<bool> {
    let mut is_offered = vec![false; scenario.unit_types.len()];
    for offer in scenario.offers.iter().filter(|offer| offer.count > 0) {
        is_offered[offer.unit_type] = true;
    }
    let types = || scenario.unit_types.iter().zip(&is_offered);
    scenario
        .locations
        .iter()
        .flat_map(|location| types().map(|(entry, is_offered)| *is_offered && entry.may_stand_at(location)))
        .collect()
}

/// Gives equal cover sets one number, in order of first sight.
struct Merger {
    coverage: Coverage,
    known: HashMap<Box<[u32]>, u32>,
}

impl Default for Merger {
    fn default() -> Self {
        Self { coverage: Coverage { sets: Rows::default(), set_of_site: Vec::new() }, known: HashMap::new() }
    }
}

impl Merger {
    fn set(&mut self, posts: &[u32]) -> u32 {
        if let Some(set) = self.known.get(posts) {
            return *set;
        }
        let set = u32::try_from(self.coverage.sets.len()).expect("cover sets are counted in 32 bits");
        self.coverage.sets.push(posts);
        self.known.insert(posts.into(), set);
        set
    }

    fn add(&mut self, posts: &[u32]) {
        let set = self.set(posts);
        self.coverage.set_of_site.push(set);
    }
}

/// Joins chunks in their order, so that the numbering does not depend on threads.
fn merged(chunks: Vec<Coverage>) -> Coverage {
    let mut merger = Merger::default();
    for chunk in chunks {
        let renumbered: Vec<u32> = chunk.sets.iter().map(|posts| merger.set(posts)).collect();
        merger.coverage.set_of_site.extend(chunk.set_of_site.iter().map(|set| renumbered[*set as usize]));
    }
    merger.coverage
}

/// Per requirement and its sites, in order: whether some post of a type that counts covers the site.
#[must_use]
pub fn reachable(scenario: &Scenario, coverage: &Coverage) -> Vec<Vec<bool>> {
    let unit_types = scenario.unit_types.len();
    let of_requirement = |requirement: &Requirement| {
        let is_covered: Vec<bool> = coverage
            .sets
            .iter()
            .map(|posts| posts.iter().any(|post| requirement.unit_types.contains(&(*post as usize % unit_types))))
            .collect();
        requirement.sites.iter().map(|site| is_covered[coverage.set_of_site[*site as usize] as usize]).collect()
    };
    scenario.requirements.iter().map(of_requirement).collect()
}

/// One warning per requirement with sites that no post can ever cover, naming the first few.
#[must_use]
pub fn unreachable_sites(scenario: &Scenario, reachable: &[Vec<bool>]) -> Vec<Problem> {
    const NAMED: usize = 3;
    let warning = |(requirement, reachable): (&Requirement, &Vec<bool>)| {
        let sites: Vec<&str> = (requirement.sites.iter().zip(reachable))
            .filter(|(_, is_reachable)| !**is_reachable)
            .map(|(site, _)| scenario.sites.ids.cell(*site as usize).unwrap_or_default())
            .collect();
        let more = if sites.len() > NAMED { ", ..." } else { "" };
        let named = sites[..sites.len().min(NAMED)].join(", ");
        (!sites.is_empty()).then(|| {
            Problem::new(
                "site-unreachable",
                format!("requirement \"{}\"", requirement.id),
                format!("{} of {} sites that no location can ever cover: {named}{more}", sites.len(), reachable.len()),
                "every site within reach of some location where a unit that counts may stand",
                "add locations nearby, or accept that these sites stay uncovered",
            )
        })
    };
    scenario.requirements.iter().zip(reachable).filter_map(warning).collect()
}
