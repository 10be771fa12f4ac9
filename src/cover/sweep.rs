//! Terrain around a location turned into how high over the ground one must be at each cell to be seen.

use crate::index::Index;
use crate::reproject::to_wgs84;
use crate::scenario::{Distance, Sight, Terrain};

/// The least height over the ground that is seen, for every cell of a window of the terrain.
///
/// # Shape
/// `heights` has `width` entries for each of `height` rows; the first is that of column `left` and row `top` of the
/// terrain.
///
/// # Units
/// Metres; 0 where the ground itself is seen, infinite where the terrain between is not known or out of range.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// One entry a cell.
    pub heights: Vec<f32>,
}

/// Sweeps the terrain around a location; `None` where the ground there is not known.
///
/// For maps: a cell takes the answer between those of the two rays that pass nearest to its middle, so a few in ten
/// thousand differ from their exact profile. What is covered is decided by exact profiles.
///
/// # Cost
/// About 100 ns a cell on one core.
///
/// # Source
/// R2 of Franklin and Ray 1994, a ray to every cell of the window's edge; here with the crossings of both axes, and
/// between the nearest rays of both sides.
#[must_use]
pub fn sweep(distance: Distance, sight: &Sight, location: usize) -> Option<Seen> {
    let terrain = &*sight.terrain;
    let eye = sight.location_points[location];
    let eye_m = terrain.height(eye)? + sight.sensor_m;
    let scale = Scale::new(distance, terrain, eye);
    let reach = |axis: usize| (1.05 * sight.max_m / scale.metres[axis]).ceil() + 1.0;
    let first = |axis: usize| whole((eye[axis] - reach(axis)).ceil().max(0.0));
    let last = |axis: usize, count: usize| whole((eye[axis] + reach(axis)).floor()).min(count - 1);
    let (left, top) = (first(0), first(1));
    let (right, bottom) = (last(0, terrain.width), last(1, terrain.height));
    let (width, height) = (right - left + 1, bottom - top + 1);
    let mut rays = Rays {
        sight,
        eye,
        eye_m,
        fall: sight.drop_m(1.0),
        metres_by_row: (top..=bottom).map(|row| scale.at_row(row)).collect(),
        seen: Seen { left, top, width, height, heights: vec![f32::INFINITY; width * height] },
        off: vec![[1.0; 2]; width * height],
        least: vec![[f32::NAN; 2]; width * height],
    };
    for column in left..=right {
        rays.cast([column, top]);
        rays.cast([column, bottom]);
    }
    for row in top..=bottom {
        rays.cast([left, row]);
        rays.cast([right, row]);
    }
    let mut seen = rays.answer();
    // The cell under the sensor lies before the first crossing of every ray.
    let under = eye.map(|at| whole(at.round()));
    if (left..=right).contains(&under[0]) && (top..=bottom).contains(&under[1]) {
        seen.heights[(under[1] - top) * width + under[0] - left] = 0.0;
    }
    Some(seen)
}

/// The cell below a place on the grid, which is at least 0; by way of 32 bits, for which processors have instructions.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a grid has fewer than 2^31 cells")]
fn whole(at: f64) -> usize {
    at as i32 as usize
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a grid has fewer than 2^31 cells")]
fn real(at: usize) -> f64 {
    f64::from(at as i32)
}

/// How long steps on the grid are.
struct Scale<'a> {
    terrain: &'a Terrain,
    eye: [f64; 2],
    distance: Distance,
    /// Metres of a step to the east and to the south at the location.
    metres: [f64; 2],
}

impl<'a> Scale<'a> {
    fn new(distance: Distance, terrain: &'a Terrain, eye: [f64; 2]) -> Self {
        let mut scale = Self { terrain, eye, distance, metres: [1.0, 1.0] };
        scale.metres = [scale.span([1.0, 0.0], 0.0), scale.span([0.0, 1.0], 0.0)];
        scale
    }

    /// Metres from a point in the location's column, so many rows away, over a way on the grid.
    fn span(&self, way: [f64; 2], rows: f64) -> f64 {
        let from = [self.eye[0], self.eye[1] + rows];
        let mut ends = [from, [from[0] + way[0], from[1] + way[1]]].map(|point| self.terrain.position(point));
        if let (Some(crs), Distance::Geodesic) = (&self.terrain.crs, self.distance) {
            // The terrain's system was known when it was read.
            let _known = to_wgs84(&mut ends, crs, "");
        }
        Index::new(self.distance, &ends[..1]).distance_m(0, ends[1])
    }

    /// Metres of a step to the east and to the south on the way to a row: halfway, where the mean is.
    fn at_row(&self, row: usize) -> [f64; 2] {
        let rows = (real(row) - self.eye[1]) / 2.0;
        [self.span([1.0, 0.0], rows), self.span([0.0, 1.0], rows)]
    }
}

/// Rays from a location over a window of the terrain.
struct Rays<'a> {
    sight: &'a Sight,
    eye: [f64; 2],
    eye_m: f64,
    /// How far the earth falls away over a metre; it grows with the square.
    fall: f64,
    metres_by_row: Vec<[f64; 2]>,
    seen: Seen,
    /// How far the nearest rays on either side pass from the middle of each cell.
    off: Vec<[f32; 2]>,
    /// What they say of it; NaN for nothing.
    least: Vec<[f32; 2]>,
}

impl Rays<'_> {
    /// Follows a ray to a cell over the lines of the axis along which it is longer.
    fn cast(&mut self, cell: [usize; 2]) {
        let terrain = &*self.sight.terrain;
        let way = [real(cell[0]) - self.eye[0], real(cell[1]) - self.eye[1]];
        let axis = usize::from(way[1].abs() > way[0].abs());
        if way[axis].abs() < 1e-9 {
            return;
        }
        let (sign, slope) = (way[axis].signum(), way[1 - axis] / way[axis]);
        let strides = [1, terrain.width];
        // Between two cells along an axis; casts, since rounding functions are calls on older processors.
        let ground = |along: usize, at: f64, across: usize| {
            let low = whole(at);
            let cell = low * strides[along] + across * strides[1 - along];
            let (share, height) = (at - real(low), f64::from(terrain.heights[cell]));
            let next = if share > 0.0 { f64::from(terrain.heights[cell + strides[along]]) } else { height };
            height + share * (next - height)
        };
        let mut line = if sign > 0.0 { real(whole(self.eye[axis])) + 1.0 } else { self.eye[axis].ceil() - 1.0 };
        let end = real(cell[axis]);
        // Steepest rise to anything nearer.
        let mut horizon = f64::NEG_INFINITY;
        let mut before = whole(self.eye[1 - axis]);
        while sign * line <= sign * end {
            let mut at = [line; 2];
            at[1 - axis] = self.eye[1 - axis] + slope * (line - self.eye[axis]);
            let low = whole(at[1 - axis]);
            if low != before {
                // Between two lines a ray crosses one of the other axis at most.
                let across = low.max(before);
                let mut crossing = [real(across); 2];
                crossing[axis] = (self.eye[axis] + (real(across) - self.eye[1 - axis]) / slope)
                    .clamp(line.min(line - sign), line.max(line - sign));
                horizon = self.risen(horizon, crossing, ground(axis, crossing[axis], across));
                before = low;
            }
            self.note(axis, whole(line), at[1 - axis], horizon);
            horizon = self.risen(horizon, at, ground(1 - axis, at[1 - axis], whole(line)));
            line += sign;
        }
    }

    /// The horizon with one more point of the ground; where it is not known, nothing behind it is.
    fn risen(&self, horizon: f64, at: [f64; 2], ground: f64) -> f64 {
        let squared = self.squared_m(at);
        let far_m = squared.sqrt();
        let over_m = ground - self.fall_m(squared) - self.eye_m;
        if over_m <= horizon * far_m || far_m <= 0.0 {
            return horizon;
        }
        if over_m.is_nan() { f64::INFINITY } else { over_m / far_m }
    }

    /// Gives what a ray saw before a line to the cells on both sides of it.
    fn note(&mut self, axis: usize, line: usize, at: f64, horizon: f64) {
        let Seen { left, top, width, height, .. } = self.seen;
        let low = whole(at);
        for (side, middle) in [low, low + 1].into_iter().enumerate() {
            let cell = if axis == 0 { [line, middle] } else { [middle, line] };
            if cell[0] < left || cell[0] >= left + width || cell[1] < top || cell[1] >= top + height {
                continue;
            }
            let place = (cell[1] - top) * width + cell[0] - left;
            #[expect(clippy::cast_possible_truncation, reason = "maps need no more digits")]
            let off = (at - real(middle)).abs() as f32;
            if off < self.off[place][side] {
                let terrain = &self.sight.terrain;
                let ground = f64::from(terrain.heights[cell[1] * terrain.width + cell[0]]);
                let far = self.squared_m([real(cell[0]), real(cell[1])]);
                let least = self.eye_m + horizon * far.sqrt() + self.fall_m(far) - ground;
                #[expect(clippy::cast_possible_truncation, reason = "maps need no more digits")]
                let least = if far <= self.sight.max_m * self.sight.max_m { least as f32 } else { f32::NAN };
                (self.off[place][side], self.least[place][side]) = (off, least);
            }
        }
    }

    /// The least height that is seen at every cell, between those of the rays that pass nearest on either side.
    fn answer(mut self) -> Seen {
        for ((height, off), least) in self.seen.heights.iter_mut().zip(&self.off).zip(&self.least) {
            let is_nearer = usize::from(off[1] < off[0]);
            let share = off[is_nearer] / (off[0] + off[1]);
            let mut between = least[is_nearer];
            if share > 0.0 && off[1 - is_nearer] < 1.0 && least[1 - is_nearer].is_finite() {
                between += share * (least[1 - is_nearer] - between);
            }
            // Nothing is seen that is not known.
            *height = if between.is_nan() { f32::INFINITY } else { between.max(0.0) };
        }
        self.seen
    }

    /// Square of the metres from the location to a point.
    fn squared_m(&self, at: [f64; 2]) -> f64 {
        let row = whole(at[1].max(0.0)).clamp(self.seen.top, self.seen.top + self.seen.height - 1);
        let metres = self.metres_by_row[row - self.seen.top];
        let (x, y) = ((at[0] - self.eye[0]) * metres[0], (at[1] - self.eye[1]) * metres[1]);
        x * x + y * y
    }

    /// How far the earth falls away over the square of a distance.
    fn fall_m(&self, squared: f64) -> f64 {
        self.fall * squared
    }
}
