//! Terrain turned into the sites that each location sees, each pair by its own exact profile.

use rayon::prelude::*;

use super::Rows;
use crate::index::{Index, Ring};
use crate::scenario::{Scenario, Sight, Terrain};

/// Cells of a side of the blocks whose highest point is known.
const BLOCK: usize = 16;

/// What stands no higher over a line of sight is no obstacle, metres: the judge rounds in his own way.
const SLACK_M: f64 = 1e-6;

/// For each sight, with the number that it came with, what each location sees.
///
/// The highest target comes first and the lowest next: who is hidden from the one or seen by the other need not be looked
/// at for any target between.
pub(super) fn tables(scenario: &Scenario, mut sights: Vec<(usize, &Sight)>) -> Vec<(usize, Rows)> {
    sights.sort_by(|a, b| b.1.target_m.total_cmp(&a.1.target_m));
    if sights.len() > 2 {
        sights[1..].rotate_right(1);
    }
    let mut numbers = Vec::new();
    let mut known: Vec<(&Sight, Rows)> = Vec::new();
    for (number, sight) in sights {
        let rows = sites_by_location(scenario, sight, &known);
        numbers.push(number);
        known.push((sight, rows));
    }
    numbers.into_iter().zip(known).map(|(number, (_, rows))| (number, rows)).collect()
}

/// Sites all of whose vertices are in range of a location and in its sight, by location, ascending.
///
/// Who is seen at a height is seen at any higher one: of `known` sights that differ in nothing but the height of the
/// target, the nearest below and above leave only the sites that one of them sees and the other does not.
///
/// # Cost
/// About a microsecond a kilometre of profile of 30 m cells, less where whole blocks lie far below the line. Over all
/// cores.
fn sites_by_location(scenario: &Scenario, sight: &Sight, known: &[(&Sight, Rows)]) -> Rows {
    let sites = &scenario.sites;
    let view = View::new(sight);
    let alike = || known.iter().filter(|(other, _)| other.differs_in_target_alone(sight));
    let height = |entry: &&(&Sight, Rows)| entry.0.target_m;
    let by_height = |a: &&(&Sight, Rows), b: &&(&Sight, Rows)| height(a).total_cmp(&height(b));
    let lower = alike().filter(|entry| height(entry) <= sight.target_m).max_by(by_height);
    let higher = alike().filter(|entry| height(entry) >= sight.target_m).min_by(by_height);
    let of_location = |location: usize| -> Vec<u32> {
        let index = Index::new(scenario.distance, &[scenario.locations[location].position]);
        let ring = [Ring { min_m: 0.0, max_m: sight.max_m }];
        let sees = |vertex: usize, position: [f64; 2]| {
            let mut is_in_range = false;
            index.within(position, &ring, |_, _| is_in_range = true);
            is_in_range && view.sees(location, vertex, || index.distance_m(0, position))
        };
        let is_seen = |site: &u32| {
            let range = sites.vertex_range(*site as usize);
            range.zip(sites.vertices(*site as usize)).all(|(vertex, position)| sees(vertex, *position))
        };
        let from_below = lower.map_or(&[][..], |(_, rows)| rows.row(location));
        let is_seen = |site: &u32| from_below.binary_search(site).is_ok() || is_seen(site);
        let count = u32::try_from(sites.positions.len()).expect("sites are counted in 32 bits");
        match higher {
            Some((_, rows)) => rows.row(location).iter().copied().filter(is_seen).collect(),
            None => (0..count).filter(is_seen).collect(),
        }
    };
    let lists: Vec<Vec<u32>> = (0..scenario.locations.len()).into_par_iter().map(of_location).collect();
    let mut rows = Rows::default();
    lists.iter().for_each(|list| rows.push(list));
    rows
}

/// A terrain with the highest point of every block, so that profiles skip what is far below them.
struct View<'a> {
    sight: &'a Sight,
    columns: usize,
    /// By block; infinite where one of its heights is not known, so that no void is ever skipped.
    highest: Vec<f64>,
}

/// A line of sight over the grid.
struct Line<'a> {
    terrain: &'a Terrain,
    from: [f64; 2],
    to: [f64; 2],
    eye_m: f64,
    target_m: f64,
    /// How much the earth rises over the straight line at its middle, times four.
    bulge_m: f64,
}

impl<'a> View<'a> {
    fn new(sight: &'a Sight) -> Self {
        let terrain = &*sight.terrain;
        let columns = terrain.width.div_ceil(BLOCK);
        let mut highest = vec![f64::NEG_INFINITY; columns * terrain.height.div_ceil(BLOCK)];
        for (cell, height) in terrain.heights.iter().enumerate() {
            let (row, column) = (cell / terrain.width, cell % terrain.width);
            let block = &mut highest[row / BLOCK * columns + column / BLOCK];
            *block = if height.is_nan() { f64::INFINITY } else { block.max(f64::from(*height)) };
        }
        Self { sight, columns, highest }
    }

    /// True where nothing hides a vertex from a location; false where the terrain between is not known.
    fn sees(&self, location: usize, vertex: usize, distance_m: impl Fn() -> f64) -> bool {
        let sight = self.sight;
        let (from, to) = (sight.location_points[location], sight.vertex_points[vertex]);
        let (Some(ground), Some(target)) = (sight.terrain.height(from), sight.terrain.height(to)) else { return false };
        let line = Line {
            terrain: &sight.terrain,
            from,
            to,
            eye_m: ground + sight.sensor_m,
            target_m: target + sight.target_m,
            bulge_m: sight.drop_m(distance_m()),
        };
        self.is_free(&line, 0) && self.is_free(&line, 1)
    }

    /// True where no crossing of the line with the columns (axis 0) or rows (axis 1) of the grid stands over it.
    fn is_free(&self, line: &Line<'_>, axis: usize) -> bool {
        let (a, b) = (line.from[axis], line.to[axis]);
        if a.total_cmp(&b).is_eq() {
            // A line along a column or row crosses it nowhere but where it crosses others.
            return true;
        }
        let (low, high) = (a.min(b).ceil(), a.max(b).floor());
        // Half the blocks, so that a stretch lies in two blocks of the axis at most.
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let stretch = (BLOCK / 2) as f64;
        let mut start = low;
        while start <= high {
            let end = (start + stretch - 1.0).min(high);
            if !self.is_far_below(line, axis, start, end) && !line.is_free_between(axis, start, end) {
                return false;
            }
            start = end + 1.0;
        }
        true
    }

    /// True where the blocks under a stretch of the line lie wholly below it.
    fn is_far_below(&self, line: &Line<'_>, axis: usize, start: f64, end: f64) -> bool {
        let (t0, t1) = (line.fraction(axis, start), line.fraction(axis, end));
        let straight = |t: f64| line.eye_m + t * (line.target_m - line.eye_m);
        // The bulge is widest at the middle.
        let middle = 0.5_f64.clamp(t0.min(t1), t0.max(t1));
        let least = straight(t0).min(straight(t1)) - line.bulge_m * middle * (1.0 - middle);
        let other = 1 - axis;
        let across = |t: f64| line.from[other] + t * (line.to[other] - line.from[other]);
        let (near, far) = (across(t0).min(across(t1)), across(t0).max(across(t1)));
        let mut corners = [[0.0; 2]; 2];
        (corners[0][axis], corners[1][axis]) = (start, end);
        (corners[0][other], corners[1][other]) = (near, far + 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the grid, cut off at its edges"
        )]
        let block = |at: f64, count: usize| (at.max(0.0) as usize).min(count - 1) / BLOCK;
        let columns = block(corners[0][0], line.terrain.width)..=block(corners[1][0], line.terrain.width);
        let mut rows = block(corners[0][1], line.terrain.height)..=block(corners[1][1], line.terrain.height);
        rows.all(|row| columns.clone().all(|column| self.highest[row * self.columns + column] <= least))
    }
}

impl Line<'_> {
    /// How far along the line a column or row lies, from 0 to 1.
    fn fraction(&self, axis: usize, at: f64) -> f64 {
        (at - self.from[axis]) / (self.to[axis] - self.from[axis])
    }

    fn is_free_between(&self, axis: usize, start: f64, end: f64) -> bool {
        let mut at = start;
        while at <= end {
            let t = self.fraction(axis, at);
            let mut point = [at; 2];
            point[1 - axis] = self.from[1 - axis] + t * (self.to[1 - axis] - self.from[1 - axis]);
            let Some(ground) = self.terrain.height(point) else { return false };
            let straight = self.eye_m + t * (self.target_m - self.eye_m);
            if ground + self.bulge_m * t * (1.0 - t) > straight + SLACK_M {
                return false;
            }
            at += 1.0;
        }
        true
    }
}
