//! What a unit covers from a location, with whatever was read for it: tables, areas, networks, terrain.

use std::sync::Arc;

use crate::load::Rings;

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
    /// Within the distances of bands, for their shares.
    Bands(Vec<Band>),
    /// By a table of location and site.
    Matrix(Matrix),
    /// In the polygons of the location.
    Areas(Areas),
    /// Over a road network.
    Roads(Roads),
    /// In range and not hidden by the terrain.
    LineOfSight(Sight),
    /// Never.
    None,
}

impl Reach {
    /// Nearest and farthest distance covered, metres; `None` where it is no distance that decides.
    #[must_use]
    pub fn span_m(&self) -> Option<(f64, f64)> {
        match self {
            Self::Range { min_m, max_m } => Some((*min_m, *max_m)),
            Self::Bands(bands) => Some((0.0, bands.last().map_or(0.0, |band| band.max_m))),
            Self::Matrix(_) | Self::Areas(_) | Self::Roads(_) | Self::LineOfSight(_) | Self::None => None,
        }
    }
}

/// A distance and what a site within it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Metres, included.
    pub max_m: f64,
    /// Above 0, at most 1; less than that of any nearer band.
    pub share: f64,
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

/// What units at each location cover, drawn as polygons.
///
/// # Shape
/// One list of polygons per location; one without any covers nothing.
///
/// # Units
/// As positions of sites: degrees, or metres where the distance is planar. Edges are straight in these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Areas {
    /// Polygons by location, each a list of rings, the exterior first.
    pub by_location: Vec<Vec<Rings>>,
}

/// What a drive over a road network reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roads {
    /// The network; types that agree in it share it in memory, too.
    pub graph: Arc<RoadGraph>,
    /// Most that a drive may cost.
    pub limit: u32,
    /// True where costs are times; else they are lengths.
    pub is_timed: bool,
    /// The node beside each location; `None` off the road.
    pub location_nodes: Vec<Option<u32>>,
    /// The node beside each vertex of the sites, in the order of all vertices; `None` off the road.
    pub vertex_nodes: Vec<Option<u32>>,
}

/// A road network with whole costs, so that sums do not depend on their order.
///
/// # Shape
/// The arcs that leave node `n` are `arcs[starts[n]..starts[n + 1]]`, by their heads, one for a head.
///
/// # Units
/// Costs are milliseconds or centimetres, at most [`RoadGraph::MOST_COST`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoadGraph {
    /// Where nodes are, as positions of sites.
    pub positions: Vec<[f64; 2]>,
    /// Where each node's arcs start.
    pub starts: Vec<usize>,
    /// Head and cost.
    pub arcs: Vec<(u32, u32)>,
}

impl RoadGraph {
    /// No arc and no limit is larger, so that the sum of two fits in 31 bits.
    pub const MOST_COST: u32 = 1_000_000_000;

    /// Heads and costs of the arcs that leave a node.
    #[must_use]
    pub fn arcs_of(&self, node: u32) -> &[(u32, u32)] {
        &self.arcs[self.starts[node as usize]..self.starts[node as usize + 1]]
    }
}

/// What is seen from a location.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// The ground; types that name the same files share it in memory.
    pub terrain: Arc<Terrain>,
    /// Farthest distance covered, metres.
    pub max_m: f64,
    /// Height of the sensor over the ground, metres.
    pub sensor_m: f64,
    /// Height over the ground that must be seen, metres.
    pub target_m: f64,
    /// How much of the earth's curvature the air leaves.
    pub curvature: f64,
    /// Column and row of each location.
    pub location_points: Vec<[f64; 2]>,
    /// Column and row of each vertex of the sites, in the order of all vertices.
    pub vertex_points: Vec<[f64; 2]>,
}

impl Sight {
    /// # Source
    /// Mean radius of the earth (IUGG 1980), metres.
    pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

    /// How far the earth falls away under a level line of sight of a length, metres.
    #[must_use]
    pub fn drop_m(&self, distance_m: f64) -> f64 {
        self.curvature * distance_m * distance_m / (2.0 * Self::EARTH_RADIUS_M)
    }

    /// True where the height that must be seen is all that may differ.
    #[must_use]
    pub fn differs_in_target_alone(&self, other: &Self) -> bool {
        let heights = |sight: &Self| [sight.max_m, sight.sensor_m, sight.curvature].map(f64::to_bits);
        Arc::ptr_eq(&self.terrain, &other.terrain) && heights(self) == heights(other)
    }
}

/// Heights of the ground on a grid.
///
/// # Shape
/// `heights` has `width` entries for each of `height` rows, the northernmost first. Points are column and row; whole
/// numbers are the middles of cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terrain {
    /// The system of the grid, such as `EPSG:25831`; `None` for that of the sites, where the distance is planar.
    pub crs: Option<String>,
    /// The middle of the first cell.
    pub origin: [f64; 2],
    /// From a cell to the next: to the east, and to the south.
    pub step: [f64; 2],
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Metres; NaN where nothing is known.
    pub heights: Vec<f32>,
}

impl Terrain {
    /// Column and row of a position of the grid's system.
    #[must_use]
    pub fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [(x - self.origin[0]) / self.step[0], (self.origin[1] - y) / self.step[1]]
    }

    /// The position of a column and row in the grid's system.
    #[must_use]
    pub fn position(&self, [column, row]: [f64; 2]) -> [f64; 2] {
        [self.origin[0] + column * self.step[0], self.origin[1] - row * self.step[1]]
    }

    /// Height at a point, linear between cells along each axis; `None` beyond the grid or where a cell that counts is
    /// not known.
    #[must_use]
    pub fn height(&self, [column, row]: [f64; 2]) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "grids have fewer than 2^53 cells")]
        let is_on_grid =
            column >= 0.0 && row >= 0.0 && column <= self.width as f64 - 1.0 && row <= self.height as f64 - 1.0;
        if !is_on_grid {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just tested")]
        let (left, top) = (column as usize, row as usize);
        let at = |top: usize| {
            let cell = |left: usize| f64::from(self.heights[top * self.width + left]);
            let share = column.fract();
            if share > 0.0 { cell(left) + share * (cell(left + 1) - cell(left)) } else { cell(left) }
        };
        let share = row.fract();
        let height = if share > 0.0 { at(top) + share * (at(top + 1) - at(top)) } else { at(top) };
        (!height.is_nan()).then_some(height)
    }
}
