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
/// About 36 ns a cell on one core (`cargo bench --bench sight`).
///
/// # Source
/// R2 of Franklin and Ray 1994, as many rays as the window's edge has cells; here with the crossings of both axes, and
/// between the nearest rays of both sides. The rays of a side go forward together, a line of the grid at a time, so
/// that none waits for its own last crossing and the two next to a cell are found by its place.
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
        squares_by_row: (top..=bottom).map(|row| scale.at_row(row).map(|metres| metres * metres)).collect(),
        seen: Seen { left, top, width, height, heights: vec![f32::INFINITY; width * height] },
    };
    for (axis, sign) in [(0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)] {
        rays.side(axis, sign);
    }
    let mut seen = rays.seen;
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
    /// Squares of the metres of a step to the east and to the south, on the way to each row of the window.
    squares_by_row: Vec<[f64; 2]>,
    seen: Seen,
}

impl Rays<'_> {
    /// Answers for the quarter of the window that is farther along an axis than across it, on one side.
    fn side(&mut self, axis: usize, sign: f64) {
        let Seen { left, top, width, height, .. } = self.seen;
        let (first, last) = ([left, top], [left + width - 1, top + height - 1]);
        let ([low, high], eye) = ([first[1 - axis], last[1 - axis]], [self.eye[axis], self.eye[1 - axis]]);
        let (mut line, end) = if sign > 0.0 {
            (real(whole(eye[0])) + 1.0, real(last[axis]))
        } else {
            (eye[0].ceil() - 1.0, real(first[axis]))
        };
        if sign * line > sign * end {
            return;
        }
        // Slopes from -1 to 1, on the last line a cell apart at most.
        let half = (end - eye[0]).abs().ceil();
        let mut rays: Vec<Ray> =
            (0..=2 * whole(half)).map(|ray| Ray::new(real(ray) / half - 1.0, whole(eye[1]))).collect();
        while sign * line <= sign * end {
            let away = (line - eye[0]).abs();
            let ray_at = |across: f64| ((across - eye[1]) / away + 1.0) * half;
            let inside = [whole(ray_at(real(low)).ceil().max(0.0)), whole(ray_at(real(high)).min(2.0 * half))];
            self.note(axis, whole(line), away, &rays, inside, half);
            self.advance(axis, line, sign, &mut rays[inside[0]..=inside[1]]);
            line += sign;
        }
    }

    /// Writes what the rays saw before a line for the cells of that line.
    fn note(&mut self, axis: usize, line: usize, away: f64, rays: &[Ray], inside: [usize; 2], half: f64) {
        let Seen { left, top, width, height, .. } = self.seen;
        let (first, count) = ([left, top][1 - axis], [width, height][1 - axis]);
        let (eye, per_cell) = (self.eye[1 - axis], half / away);
        let from = whole((eye - away).ceil().max(real(first)));
        let to = whole((eye + away).min(real(first + count - 1)));
        let terrain = &*self.sight.terrain;
        let most = self.sight.max_m * self.sight.max_m;
        for middle in from..=to {
            let place = ((real(middle) - eye) * per_cell + half).clamp(real(inside[0]), real(inside[1]));
            let before = whole(place);
            let (share, one) = (place - real(before), rays[before].horizon);
            let other = rays[(before + 1).min(inside[1])].horizon;
            let horizon = if (other - one).is_finite() {
                one + share * (other - one)
            } else if share < 0.5 {
                one
            } else {
                other
            };
            let [column, row] = if axis == 0 { [line, middle] } else { [middle, line] };
            let far = self.squared_m(axis, row, away, real(middle) - eye);
            let ground = f64::from(terrain.heights[row * terrain.width + column]);
            let least = self.eye_m + horizon * far.sqrt() + self.fall * far - ground;
            #[expect(clippy::cast_possible_truncation, reason = "maps need no more digits")]
            let least = least.max(0.0) as f32;
            // Nothing is seen that is not known.
            if far <= most && !ground.is_nan() {
                self.seen.heights[(row - top) * width + column - left] = least;
            }
        }
    }

    /// Takes rays from the line before over a line.
    fn advance(&self, axis: usize, line: f64, sign: f64, rays: &mut [Ray]) {
        let Seen { left, top, width, height, .. } = self.seen;
        let (low, count) = ([left, top][1 - axis], [width, height][1 - axis]);
        let high = low + count - 1;
        let (terrain, eye) = (&*self.sight.terrain, self.eye[1 - axis]);
        let away = (line - self.eye[axis]).abs();
        let stride = [terrain.width, 1][axis];
        let along = [1, terrain.width][axis];
        let here = whole(line) * along;
        let before = whole(line - sign) * along;
        let line = whole(line);
        let between = |one: usize, other: usize, share: f64| {
            let height = f64::from(terrain.heights[one]);
            if share > 0.0 { height + share * (f64::from(terrain.heights[other]) - height) } else { height }
        };
        for ray in rays {
            let at = eye + ray.slope * away;
            let cell = whole(at).clamp(low, high);
            if cell != ray.cell {
                // Between two lines a ray crosses one of the other axis at most.
                let across = cell.max(ray.cell);
                let off = real(across) - eye;
                let reached = (off * ray.inverse).max(away - 1.0).max(0.0).min(away);
                let row = if axis == 0 { across } else { line };
                let ground = between(here + across * stride, before + across * stride, away - reached);
                ray.rise(self.squared_m(axis, row, reached, off), ground, self.eye_m, self.fall);
                ray.cell = cell;
            }
            let row = if axis == 0 { cell } else { line };
            let place = here + cell * stride;
            let ground = between(place, here + (cell + 1).min(high) * stride, at - real(cell));
            ray.rise(self.squared_m(axis, row, away, at - eye), ground, self.eye_m, self.fall);
        }
    }

    /// Square of the metres from the location to a point on a row, so many cells along an axis and across it.
    fn squared_m(&self, axis: usize, row: usize, along: f64, across: f64) -> f64 {
        let squares = self.squares_by_row[row - self.seen.top];
        along * along * squares[axis] + across * across * squares[1 - axis]
    }
}

/// One ray of a side.
struct Ray {
    /// Cells across a step along.
    slope: f64,
    inverse: f64,
    /// Below the last crossing, across.
    cell: usize,
    /// Steepest rise to anything nearer; infinite behind ground that is not known.
    horizon: f64,
}

impl Ray {
    fn new(slope: f64, cell: usize) -> Self {
        Self { slope, inverse: slope.recip(), cell, horizon: f64::NEG_INFINITY }
    }

    /// One more point of the ground.
    fn rise(&mut self, squared: f64, ground: f64, eye_m: f64, fall: f64) {
        let rise = (ground - fall * squared - eye_m) / squared.sqrt();
        if rise.is_nan() {
            self.horizon = f64::INFINITY;
        } else if rise > self.horizon {
            self.horizon = rise;
        }
    }
}
