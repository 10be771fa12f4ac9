//! A scenario turned into coverage: which posts cover which site, as distinct cover sets.

mod areas;
mod drive;
mod hierarchy;
mod line_of_sight;
mod roads;
mod rows;
mod sweep;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

pub use self::roads::{drive, drives};
pub use self::rows::Rows;
pub use self::sweep::{Seen, sweep};
use crate::index::{Index, Ring, Tiles};
use crate::problem::Problem;
use crate::scenario::{LocationStatus, Reach, Requirement, Scenario};

/// Sites looked at together by one thread; large enough that most equal cover sets meet within a chunk.
const CHUNK: usize = 1 << 16;

/// Who covers whom.
///
/// A **strand** is a unit type, or one band of a unit type whose reach has several. A **post** is a strand at a location,
/// numbered `location * strands + strand`; a site is covered from a location by the nearest band that holds it.
///
/// # Shape
/// `sets` has one row per distinct cover set, its posts ascending; `set_of_site` has one entry per site.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Unit type and share of every strand, by unit type and from near to far.
    pub strands: Vec<Strand>,
    /// Distinct sets of posts.
    pub sets: Rows,
    /// The cover set of each site.
    pub set_of_site: Vec<u32>,
}

/// A unit type, or one band of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strand {
    /// Index of the unit type.
    pub unit_type: usize,
    /// What a covered site gets: 1 but for bands.
    pub share: f64,
}

impl Coverage {
    /// Location and strand of a post.
    #[must_use]
    pub fn split(&self, post: u32) -> (usize, Strand) {
        let strands = self.strands.len();
        (post as usize / strands, self.strands[post as usize % strands])
    }
}

/// Finds for every site the posts that cover it, and merges sites whose cover sets are identical.
///
/// Only posts where a unit may stand count: types that some contributor offers in some phase, at locations of their
/// domain that are not forbidden and that its caveats allow. Lines and polygons are covered when all their vertices are.
///
/// # Cost
/// About a microsecond a vertex plus 40 ns a pair in reach, over all cores. Memory grows with distinct cover sets
/// and sites, never with pairs.
#[must_use]
pub fn build(scenario: &Scenario) -> Coverage {
    let reachability = Reachability::new(scenario);
    let sites = scenario.sites.positions.len();
    let chunks: Vec<Merger> = (0..sites.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| reachability.chunk(scenario, chunk * CHUNK..sites.min((chunk + 1) * CHUNK)))
        .collect();
    merged(reachability.strands, chunks)
}

/// What is needed to find the posts that cover one site.
struct Reachability {
    tiles: Tiles,
    strands: Vec<Strand>,
    /// The strand of each ring.
    ring_strands: Vec<usize>,
    /// Strand, and its locations by site.
    tables: Vec<(usize, Rows)>,
    is_usable: Vec<bool>,
}

impl Reachability {
    fn new(scenario: &Scenario) -> Self {
        let mut rings = Vec::new();
        let (mut strands, mut ring_strands, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        let mut sights = Vec::new();
        for (unit_type, entry) in scenario.unit_types.iter().enumerate() {
            let strand = strands.len();
            let shares: Vec<f64> = match &entry.reach {
                Reach::Bands(bands) => bands.iter().map(|band| band.share).collect(),
                _ => vec![1.0],
            };
            strands.extend(shares.into_iter().map(|share| Strand { unit_type, share }));
            match &entry.reach {
                Reach::Range { min_m, max_m } => {
                    rings.push(Ring { min_m: *min_m, max_m: *max_m });
                    ring_strands.push(strand);
                }
                Reach::Bands(bands) => {
                    rings.extend(bands.iter().map(|band| Ring { min_m: 0.0, max_m: band.max_m }));
                    ring_strands.extend((0..bands.len()).map(|place| strand + place));
                }
                Reach::Matrix(matrix) => {
                    let by_location = Rows::new(matrix.starts.clone(), matrix.sites.clone());
                    tables.push((strand, by_location.transposed(scenario.sites.positions.len())));
                }
                Reach::Areas(areas) => {
                    let by_location = areas::sites_by_location(&scenario.sites, areas);
                    tables.push((strand, by_location.transposed(scenario.sites.positions.len())));
                }
                Reach::Roads(roads) => {
                    let by_location = roads::sites_by_location(&scenario.sites, roads);
                    tables.push((strand, by_location.transposed(scenario.sites.positions.len())));
                }
                Reach::LineOfSight(sight) => {
                    sights.push((strand, sight));
                }
                Reach::None => {}
            }
        }
        for (strand, by_location) in line_of_sight::tables(scenario, sights) {
            tables.push((strand, by_location.transposed(scenario.sites.positions.len())));
        }
        let positions: Vec<[f64; 2]> = scenario.locations.iter().map(|location| location.position).collect();
        let index = Index::new(scenario.distance, &positions);
        let vertices =
            scenario.sites.outlines.as_ref().map_or(&scenario.sites.positions, |outlines| &outlines.vertices);
        let tiles = Tiles::new(index, rings, vertices);
        Self { tiles, strands, ring_strands, tables, is_usable: usable_places(scenario) }
    }

    fn post(&self, location: usize, strand: usize) -> u32 {
        u32::try_from(location * self.strands.len() + strand).expect("posts are counted in 32 bits")
    }

    /// Posts whose rings hold a position, ascending, of each location and type only the nearest band.
    fn posts_around(&self, scenario: &Scenario, position: [f64; 2], posts: &mut Vec<u32>) {
        let unit_types = scenario.unit_types.len();
        posts.clear();
        if self.ring_strands.is_empty() {
            return;
        }
        self.tiles.within(position, |location, ring| {
            let strand = self.ring_strands[ring];
            if self.is_usable[location as usize * unit_types + self.strands[strand].unit_type] {
                posts.push(self.post(location as usize, strand));
            }
        });
        posts.sort_unstable();
        posts.dedup_by_key(|post| self.place(*post));
    }

    /// What bands of one type at one location have in common.
    fn place(&self, post: u32) -> (usize, usize) {
        let strands = self.strands.len();
        (post as usize / strands, self.strands[post as usize % strands].unit_type)
    }

    /// Posts that cover a site, ascending, into `posts`.
    fn posts_of(&self, scenario: &Scenario, site: usize, posts: &mut Vec<u32>, others: &mut Vec<u32>) {
        let vertices = scenario.sites.vertices(site);
        self.posts_around(scenario, vertices[0], posts);
        for vertex in &vertices[1..] {
            self.posts_around(scenario, *vertex, others);
            // The farthest vertex decides which band a line or polygon is in.
            let shared = posts.iter().filter_map(|post| {
                let found = others.binary_search_by_key(&self.place(*post), |other| self.place(*other)).ok()?;
                Some((*post).max(others[found]))
            });
            *posts = shared.collect();
        }
        let unit_types = scenario.unit_types.len();
        for (strand, locations_by_site) in &self.tables {
            let unit_type = self.strands[*strand].unit_type;
            let locations = locations_by_site.row(site).iter().map(|location| *location as usize);
            let usable = locations.filter(|location| self.is_usable[location * unit_types + unit_type]);
            posts.extend(usable.map(|location| self.post(location, *strand)));
        }
        posts.sort_unstable();
    }

    fn chunk(&self, scenario: &Scenario, sites: std::ops::Range<usize>) -> Merger {
        let mut merger = Merger::default();
        let (mut posts, mut others) = (Vec::new(), Vec::new());
        for site in sites {
            self.posts_of(scenario, site, &mut posts, &mut others);
            merger.add(&posts);
        }
        merger
    }
}

/// For every location and unit type, whether some contributor's unit may stand there.
fn usable_places(scenario: &Scenario) -> Vec<bool> {
    let unit_types = scenario.unit_types.len();
    let mut is_usable = vec![false; scenario.locations.len() * unit_types];
    for offer in scenario.offers.iter().filter(|offer| offer.count > 0 && offer.phases.is_some()) {
        for location in 0..scenario.locations.len() {
            is_usable[location * unit_types + offer.unit_type] |=
                scenario.may_stand(offer.contributor, offer.unit_type, location);
        }
    }
    is_usable
}

/// Gives equal cover sets one number, in order of first sight.
#[derive(Default)]
struct Merger {
    sets: Rows,
    set_of_site: Vec<u32>,
    /// By a hash of its posts, or the next number that is free, the set.
    known: HashMap<u64, u32>,
}

impl Merger {
    /// The number of a set; equal sets have the same.
    fn set(&mut self, posts: &[u32]) -> u32 {
        let mut hasher = DefaultHasher::new();
        posts.hash(&mut hasher);
        let mut key = hasher.finish();
        // A hash that two sets share is settled by comparing them.
        while let Some(set) = self.known.get(&key) {
            if self.sets.row(*set as usize) == posts {
                return *set;
            }
            key = key.wrapping_add(1);
        }
        let set = u32::try_from(self.sets.len()).expect("cover sets are counted in 32 bits");
        self.sets.push(posts);
        self.known.insert(key, set);
        set
    }

    fn add(&mut self, posts: &[u32]) {
        let set = self.set(posts);
        self.set_of_site.push(set);
    }
}

/// Joins chunks in their order, so that the numbering does not depend on threads.
fn merged(strands: Vec<Strand>, chunks: Vec<Merger>) -> Coverage {
    let mut merger = Merger::default();
    for chunk in chunks {
        let renumbered: Vec<u32> = chunk.sets.iter().map(|posts| merger.set(posts)).collect();
        merger.set_of_site.extend(chunk.set_of_site.iter().map(|set| renumbered[*set as usize]));
    }
    Coverage { strands, sets: merger.sets, set_of_site: merger.set_of_site }
}

/// Per requirement and its sites, in order: whether some unit that counts could cover the site in some phase.
#[must_use]
pub fn reachable(scenario: &Scenario, coverage: &Coverage) -> Vec<Vec<bool>> {
    let of_requirement = |(place, requirement): (usize, &Requirement)| {
        let suppliers: Vec<Vec<usize>> =
            (0..scenario.unit_types.len()).map(|unit_type| suppliers(scenario, place, unit_type)).collect();
        let counts = |post: &u32| {
            let (location, strand) = coverage.split(*post);
            suppliers[strand.unit_type].iter().any(|contributor| scenario.contributors[*contributor].accepts(location))
        };
        let is_covered: Vec<bool> = coverage.sets.iter().map(|posts| posts.iter().any(counts)).collect();
        requirement.sites.iter().map(|site| is_covered[coverage.set_of_site[*site as usize] as usize]).collect()
    };
    scenario.requirements.iter().enumerate().map(of_requirement).collect()
}

/// Contributors whose units of a type count for a requirement.
fn suppliers(scenario: &Scenario, requirement: usize, unit_type: usize) -> Vec<usize> {
    let offers = scenario.offers.iter().filter(|offer| offer.unit_type == unit_type && offer.count > 0);
    let mut suppliers: Vec<usize> = offers
        .filter(|offer| offer.phases.is_some() && scenario.counts(offer.contributor, unit_type, requirement))
        .map(|offer| offer.contributor)
        .collect();
    suppliers.sort_unstable();
    suppliers.dedup();
    suppliers
}

/// Rules that cannot be kept whatever is placed, found without solving: hard cover of sites that nothing reaches, and
/// required locations where nothing may stand.
#[must_use]
pub fn hopeless_rules(scenario: &Scenario, reachable: &[Vec<bool>]) -> Vec<String> {
    let mut rules = Vec::new();
    for (requirement, reachable) in scenario.requirements.iter().zip(reachable).filter(|(one, _)| one.minimum > 0) {
        for (site, _) in requirement.sites.iter().zip(reachable).filter(|(_, is_reachable)| !**is_reachable) {
            let site = scenario.sites.ids.cell(*site as usize).unwrap_or_default();
            let (id, minimum) = (&requirement.id, requirement.minimum);
            rules.push(format!("requirement {id} minimum {minimum}, site {site}: no allowed location reaches it"));
        }
    }
    let is_usable = usable_places(scenario);
    for (location, usable) in scenario.locations.iter().zip(is_usable.chunks(scenario.unit_types.len())) {
        if location.status == LocationStatus::Required && !usable.contains(&true) {
            rules.push(format!("location {} required: no offered unit may stand there", location.id));
        }
    }
    rules
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
