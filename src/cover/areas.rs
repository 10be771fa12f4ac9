//! Polygons by location turned into the sites that lie in them.

use rayon::prelude::*;
use robust::{Coord, orient2d};

use super::Rows;
use crate::load::Rings;
use crate::scenario::{Areas, Sites};

/// Sites all of whose vertices lie in some polygon of a location, by location, ascending.
///
/// # Cost
/// A comparison for each site, polygon and location; for sites within a polygon's extent a handful of edges more,
/// whatever the polygon's size. Over all cores.
pub(super) fn sites_by_location(sites: &Sites, areas: &Areas) -> Rows {
    let of_location = |polygons: &Vec<Rings>| -> Vec<u32> {
        let polygons: Vec<Shape> = polygons.iter().map(Shape::new).collect();
        let is_held = |vertex: &[f64; 2]| polygons.iter().any(|polygon| polygon.holds(*vertex));
        let count = u32::try_from(sites.positions.len()).expect("sites are counted in 32 bits");
        (0..count).filter(|site| sites.vertices(*site as usize).iter().all(is_held)).collect()
    };
    let lists: Vec<Vec<u32>> = areas.by_location.par_iter().map(of_location).collect();
    let mut rows = Rows::default();
    lists.iter().for_each(|list| rows.push(list));
    rows
}

/// An edge of a ring.
type Edge = [[f64; 2]; 2];

/// The edges of a polygon by horizontal slabs, so that a position is compared with those at its height only.
struct Shape {
    least: [f64; 2],
    most: [f64; 2],
    edges: Vec<Edge>,
    edges_by_slab: Rows,
}

impl Shape {
    /// # Cost
    /// Linear in the edges: there are so many slabs that an edge lies in two of them on average.
    fn new(polygon: &Rings) -> Self {
        let edges: Vec<Edge> = polygon.iter().flat_map(|ring| ring.windows(2).map(|pair| [pair[0], pair[1]])).collect();
        let ordinates = |axis: usize| edges.iter().flatten().map(move |vertex| vertex[axis]);
        let least = [0, 1].map(|axis| ordinates(axis).fold(f64::INFINITY, f64::min));
        let most = [0, 1].map(|axis| ordinates(axis).fold(f64::NEG_INFINITY, f64::max));
        let rise: f64 = edges.iter().map(|[a, b]| (a[1] - b[1]).abs()).sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of slabs, at most that of edges"
        )]
        let count = if rise > 0.0 { (edges.len() as f64 * (most[1] - least[1]) / rise) as usize } else { 1 };
        let mut shape = Self { least, most, edges, edges_by_slab: Rows::new(vec![0; count.max(1) + 1], Vec::new()) };
        let mut pairs: Vec<(usize, u32)> = Vec::new();
        for (edge, [a, b]) in (0u32..).zip(&shape.edges) {
            let (low, high) = (shape.slab(a[1].min(b[1])), shape.slab(a[1].max(b[1])));
            pairs.extend((low..=high).map(|slab| (slab, edge)));
        }
        pairs.sort_unstable();
        let mut starts = vec![0; shape.edges_by_slab.len() + 1];
        pairs.iter().for_each(|(slab, _)| starts[slab + 1] += 1);
        (1..starts.len()).for_each(|slab| starts[slab] += starts[slab - 1]);
        shape.edges_by_slab = Rows::new(starts, pairs.into_iter().map(|(_, edge)| edge).collect());
        shape
    }

    /// The slab of a height; never falls as heights rise, so that an edge's slabs hold those of all its points.
    fn slab(&self, y: f64) -> usize {
        let count = self.edges_by_slab.len();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a slab, cut off at both ends"
        )]
        let slab = ((y - self.least[1]) / (self.most[1] - self.least[1]) * count as f64) as usize;
        slab.min(count - 1)
    }

    /// True where a position lies inside or on an edge.
    ///
    /// # Source
    /// Crossings of a ray to the right, counted with the exact predicate of Shewchuk 1997.
    fn holds(&self, at: [f64; 2]) -> bool {
        if (0..2).any(|axis| at[axis] < self.least[axis] || at[axis] > self.most[axis]) {
            return false;
        }
        let mut is_inside = false;
        for edge in self.edges_by_slab.row(self.slab(at[1])) {
            let [a, b] = self.edges[*edge as usize];
            let (low, high) = if a[1] <= b[1] { (a, b) } else { (b, a) };
            if at[1] < low[1] || at[1] > high[1] {
                continue;
            }
            let side = orient2d(coord(low), coord(high), coord(at));
            let spans = a[0].min(b[0]) <= at[0] && at[0] <= a[0].max(b[0]);
            if side == 0.0 && spans {
                return true;
            }
            // The lower end belongs to the edge, the upper one to the next.
            is_inside ^= at[1] < high[1] && side > 0.0;
        }
        is_inside
    }
}

fn coord([x, y]: [f64; 2]) -> Coord<f64> {
    Coord { x, y }
}
