//! An index turned into tiles of the ground, for positions by the million: those of a tile share most of what is near.

use std::sync::OnceLock;

use super::{Index, Ring, SLACK_M, squared_distance};
use crate::scenario::Distance;

/// Positions for each tile, on average; fewer would not pay for it.
const SHARING: usize = 16;

/// Most tiles along each axis.
const MOST: usize = 256;

/// Longest degree of a great circle or meridian of WGS 84, metres: its largest radius of curvature, `a^2 / b`, by a degree.
const LONGEST_DEGREE_M: f64 = 111_694.0;

/// Indexed positions that are near the positions of an area, found tile by tile when first asked for.
///
/// # Shape
/// Up to 256 x 256 tiles of equal size in the coordinates of the positions.
#[derive(Debug)]
pub struct Tiles {
    index: Index,
    rings: Vec<Ring>,
    /// The least corner of the area.
    corner: [f64; 2],
    /// Width and height of a tile; none where tiles do not pay.
    size: [f64; 2],
    /// Tiles along each axis; 0 where tiles do not pay.
    across: usize,
    found: Vec<OnceLock<Vec<Near>>>,
}

/// A ring that holds all positions of a tile, or some of them.
#[derive(Clone, Copy, Debug)]
struct Near {
    id: u32,
    ring: u32,
    is_sure: bool,
}

impl Tiles {
    /// Prepares to be asked about `positions`; any other may be asked about, too.
    ///
    /// # Cost
    /// Linear in the positions.
    #[must_use]
    pub fn new(index: Index, rings: Vec<Ring>, positions: &[[f64; 2]]) -> Self {
        let across = (positions.len() / SHARING).isqrt().min(MOST);
        let ends = |axis: usize| {
            let ordinates = || positions.iter().map(|position| position[axis]);
            (ordinates().fold(f64::INFINITY, f64::min), ordinates().fold(f64::NEG_INFINITY, f64::max))
        };
        let (x, y) = (ends(0), ends(1));
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        let size = [(x.1 - x.0) / across.max(1) as f64, (y.1 - y.0) / across.max(1) as f64];
        let mut tiles = Self { index, rings, corner: [x.0, y.0], size, across, found: Vec::new() };
        let is_worth = across > 1 && !tiles.rings.is_empty() && size.iter().all(|length| length.is_normal());
        if is_worth && tiles.radius_m(0, 0).min(tiles.radius_m(across - 1, across - 1)) < tiles.far_m() {
            tiles.found = (0..across * across).map(|_| OnceLock::new()).collect();
        }
        tiles
    }

    /// As [`Index::within`], with the rings given before.
    ///
    /// # Cost
    /// A few nanoseconds a hit, and 40 ns where a ring ends within the tile.
    pub fn within(&self, position: [f64; 2], mut visit: impl FnMut(u32, usize)) {
        let Some((column, row)) = self.tile_of(position) else {
            return self.index.within(position, &self.rings, visit);
        };
        let near = self.found[row * self.across + column].get_or_init(|| self.near(column, row));
        let mut point = None;
        for near in near {
            let is_held = near.is_sure || {
                let point = *point.get_or_insert_with(|| self.index.distance.to_space(position));
                let chord_m = squared_distance(self.index.points[near.id as usize], point).sqrt();
                self.index.is_held(near.id, position, chord_m, self.rings[near.ring as usize])
            };
            if is_held {
                visit(near.id, near.ring as usize);
            }
        }
    }

    /// Column and row of the tile that a position is in; `None` where it is in none.
    fn tile_of(&self, position: [f64; 2]) -> Option<(usize, usize)> {
        if self.found.is_empty() {
            return None;
        }
        let place = |axis: usize| {
            let place = (position[axis] - self.corner[axis]) / self.size[axis];
            // The last tile holds the far edge.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just tested; small")]
            (place >= 0.0).then(|| (place as usize).min(self.across - 1))
        };
        let is_inside = |axis: usize| position[axis] <= self.edge(axis, self.across);
        (is_inside(0) && is_inside(1)).then_some(())?;
        Some((place(0)?, place(1)?))
    }

    /// Where the tiles of a number begin along an axis.
    fn edge(&self, axis: usize, number: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        let number = number as f64;
        self.corner[axis] + number * self.size[axis]
    }

    fn middle(&self, column: usize, row: usize) -> [f64; 2] {
        [self.edge(0, column) + self.size[0] / 2.0, self.edge(1, row) + self.size[1] / 2.0]
    }

    /// No position of a tile is farther from its middle, metres.
    ///
    /// Along a parallel and then along a meridian is no shorter than the chord, and half a tile each is the farthest.
    fn radius_m(&self, column: usize, row: usize) -> f64 {
        let [width, height] = self.size;
        let [x, y] = self.middle(column, row);
        let size_m = match self.index.distance {
            Distance::Planar => width.hypot(height),
            Distance::Geodesic => {
                let (low, high) = (self.edge(1, row), self.edge(1, row + 1));
                // The parallel nearest to the equator is the longest.
                let widest = if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) };
                LONGEST_DEGREE_M * (height + width * widest.to_radians().cos())
            }
        };
        // Rounding of coordinates may put a position just beyond an edge.
        size_m / 2.0 * (1.0 + 1e-9) + 1e-9 * (x.abs() + y.abs()) + SLACK_M
    }

    fn far_m(&self) -> f64 {
        self.rings.iter().map(|ring| ring.max_m).fold(0.0, f64::max)
    }

    /// The rings that hold a position of a tile, or may do so.
    fn near(&self, column: usize, row: usize) -> Vec<Near> {
        let (index, radius_m) = (&self.index, self.radius_m(column, row));
        let middle = index.distance.to_space(self.middle(column, row));
        let far_m = self.far_m() + radius_m + SLACK_M;
        let mut near = Vec::new();
        for hit in index.tree.locate_within_distance(middle, far_m * far_m) {
            let chord_m = squared_distance(*hit.geom(), middle).sqrt();
            let (least_m, most_m) = (chord_m - radius_m, chord_m + radius_m);
            for (ring, entry) in (0_u32..).zip(&self.rings).filter(|(_, ring)| least_m <= ring.max_m + SLACK_M) {
                let is_sure = index.is_surely_within(most_m, entry.max_m)
                    && (entry.min_m <= 0.0 || least_m > entry.min_m + SLACK_M);
                near.push(Near { id: hit.data, ring, is_sure });
            }
        }
        near.sort_unstable_by_key(|near| (near.id, near.ring));
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tile says the same as the index, for rings with and without an inner edge, in the plane, at home, at a pole and
    /// on both sides of the antimeridian.
    #[test]
    fn tiles_hold_what_the_index_holds() {
        // A multiplicative congruential generator (Lehmer; Park and Miller 1988).
        let mut state = 7_u64;
        let mut random = || {
            state = state * 48_271 % 2_147_483_647;
            f64::from(u32::try_from(state).expect("below 2^31")) / 2_147_483_647.0
        };
        let areas = [
            (Distance::Planar, [-30_000.0, 500.0], [40_000.0, 30_000.0]),
            (Distance::Geodesic, [25.0, 46.0], [0.6, 0.4]),
            (Distance::Geodesic, [-180.0, 89.0], [360.0, 1.0]),
            (Distance::Geodesic, [179.0, -0.3], [1.0, 0.7]),
        ];
        for (distance, corner, size) in areas {
            let mut place = |margin: f64| {
                let mut ordinate = |axis: usize| corner[axis] + size[axis] * (random() * (1.0 + margin) - margin / 2.0);
                let [x, y] = [ordinate(0), ordinate(1)];
                if distance == Distance::Planar { [x, y] } else { [x.clamp(-180.0, 180.0), y.clamp(-90.0, 90.0)] }
            };
            let locations: Vec<[f64; 2]> = (0..60).map(|_| place(0.2)).collect();
            let positions: Vec<[f64; 2]> = (0..20_000).map(|_| place(0.0)).collect();
            let others: Vec<[f64; 2]> = (0..200).map(|_| place(0.5)).collect();
            let ring = |min_m: f64, max_m: f64| Ring { min_m, max_m };
            let rings = vec![ring(0.0, 9_000.0), ring(3_000.0, 12_000.0), ring(0.0, 700.0), ring(0.0, 0.0)];
            let index = Index::new(distance, &locations);
            let tiles = Tiles::new(Index::new(distance, &locations), rings.clone(), &positions);
            assert!(!tiles.found.is_empty(), "{distance:?} {corner:?}: nothing to test");
            let mut sure = 0;
            for position in positions.iter().chain(&others) {
                let (mut expected, mut found) = (Vec::new(), Vec::new());
                index.within(*position, &rings, |id, ring| expected.push((id, ring)));
                tiles.within(*position, |id, ring| found.push((id, ring)));
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, expected, "{distance:?} {position:?}");
            }
            for tile in &tiles.found {
                sure += tile.get().into_iter().flatten().filter(|near| near.is_sure).count();
            }
            assert!(sure > 0, "{distance:?} {corner:?}: no ring holds a whole tile");
        }
    }
}
