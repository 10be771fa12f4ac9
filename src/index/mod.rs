//! Positions turned into an R-tree that answers exactly which of them lie within a distance.

mod tiles;

use geographiclib_rs::{Geodesic, InverseGeodesic};
use rstar::RTree;
use rstar::primitives::GeomWithData;

pub use self::tiles::Tiles;
use crate::scenario::Distance;

/// Largest chord or geodesic error that rounding can cause, metres; pairs this close to a limit are measured exactly.
const SLACK_M: f64 = 1e-6;

/// Smallest radius of curvature of the WGS 84 ellipsoid, b^2 / a, metres.
///
/// # Source
/// WGS 84: a = 6 378 137 m, 1/f = 298.257 223 563 (NGA.STND.0036).
const LEAST_CURVATURE_RADIUS_M: f64 = 6_335_439.327_292_82;

/// Beyond this the bound of [`Index::is_within`] is of no use and every pair is measured, metres.
const CHORD_BOUND_LIMIT_M: f64 = 9_000_000.0;

/// An R-tree over positions, as points in space, so that poles and the antimeridian are places like any other.
#[derive(Debug)]
pub struct Index {
    tree: RTree<GeomWithData<[f64; 3], u32>>,
    positions: Vec<[f64; 2]>,
    /// The positions in space.
    points: Vec<[f64; 3]>,
    distance: Distance,
    ellipsoid: Geodesic,
}

/// A ring around a position: distances from `min_m` to `max_m`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    /// Metres.
    pub min_m: f64,
    /// Metres.
    pub max_m: f64,
}

impl Index {
    /// Indexes positions.
    ///
    /// # Units
    /// Degrees longitude and latitude for [`Distance::Geodesic`], metres for [`Distance::Planar`].
    ///
    /// # Cost
    /// O(n log n) time, about 90 bytes a position.
    #[must_use]
    pub fn new(distance: Distance, positions: &[[f64; 2]]) -> Self {
        let points: Vec<[f64; 3]> = positions.iter().map(|position| distance.to_space(*position)).collect();
        let leaves = (0u32..).zip(&points).map(|(id, point)| GeomWithData::new(*point, id));
        Self {
            tree: RTree::bulk_load(leaves.collect()),
            positions: positions.to_vec(),
            points,
            distance,
            ellipsoid: Geodesic::wgs84(),
        }
    }

    /// Calls `visit(id, ring)` for every indexed position and every ring (by its place in `rings`) that holds
    /// the distance from the indexed position to `position`, in no particular order.
    ///
    /// # Cost
    /// O(log n + hits); about 40 ns a hit, since all but a thin band of pairs is decided by the chord alone.
    ///
    /// # Source
    /// On the ellipsoid a geodesic of length s has a chord c with c <= s <= 2 R asin(c / 2 R), R the least radius of
    /// curvature: the left side because a straight line is shortest, the right by Schur's comparison theorem.
    /// Pairs between the two are measured with Karney's algorithm (J. Geodesy 87, 43-55, 2013).
    pub fn within(&self, position: [f64; 2], rings: &[Ring], mut visit: impl FnMut(u32, usize)) {
        let far_m = rings.iter().map(|ring| ring.max_m).fold(0.0, f64::max) + SLACK_M;
        let point = self.distance.to_space(position);
        for hit in self.tree.locate_within_distance(point, far_m * far_m) {
            let chord_m = squared_distance(*hit.geom(), point).sqrt();
            for (place, ring) in rings.iter().enumerate() {
                if self.is_held(hit.data, position, chord_m, *ring) {
                    visit(hit.data, place);
                }
            }
        }
    }

    /// True where a ring around an indexed position holds another, at the end of a chord.
    fn is_held(&self, id: u32, position: [f64; 2], chord_m: f64, ring: Ring) -> bool {
        self.is_within(id, position, chord_m, ring.max_m)
            && (ring.min_m <= 0.0 || !self.is_nearer(id, position, chord_m, ring.min_m))
    }

    /// True where the distance is at most `limit_m`.
    fn is_within(&self, id: u32, position: [f64; 2], chord_m: f64, limit_m: f64) -> bool {
        match self.sure(chord_m, limit_m) {
            Some(answer) => answer,
            None => self.distance_m(id, position) <= limit_m,
        }
    }

    /// True where the distance is less than `limit_m`.
    fn is_nearer(&self, id: u32, position: [f64; 2], chord_m: f64, limit_m: f64) -> bool {
        match self.sure(chord_m, limit_m) {
            Some(answer) => answer,
            None => self.distance_m(id, position) < limit_m,
        }
    }

    /// Whether a pair with this chord is nearer than the limit, where the chord alone can tell.
    fn sure(&self, chord_m: f64, limit_m: f64) -> Option<bool> {
        if self.distance == Distance::Planar {
            return None;
        }
        if chord_m > limit_m + SLACK_M {
            return Some(false);
        }
        let diameter_m = 2.0 * LEAST_CURVATURE_RADIUS_M;
        (limit_m < CHORD_BOUND_LIMIT_M && chord_m <= diameter_m * (limit_m / diameter_m).sin() - SLACK_M)
            .then_some(true)
    }

    /// True where every pair with a chord up to this is nearer than the limit.
    fn is_surely_within(&self, chord_m: f64, limit_m: f64) -> bool {
        match self.distance {
            Distance::Planar => chord_m <= limit_m - SLACK_M,
            Distance::Geodesic => self.sure(chord_m, limit_m) == Some(true),
        }
    }

    /// Distance in metres from an indexed position.
    #[must_use]
    pub fn distance_m(&self, id: u32, to: [f64; 2]) -> f64 {
        let from = self.positions[id as usize];
        match self.distance {
            Distance::Planar => squared_distance([from[0], from[1], 0.0], [to[0], to[1], 0.0]).sqrt(),
            Distance::Geodesic => self.ellipsoid.inverse(from[1], from[0], to[1], to[0]),
        }
    }
}

fn squared_distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)
}
