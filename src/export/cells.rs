//! Cells of a grid turned into the area that they make up together.

use std::collections::BTreeSet;

use geo::{Coord, MapCoords, MultiPolygon, Polygon, Rect, unary_union};

/// A grid of equal cells over degrees or metres.
///
/// # Shape
/// Cell (column, row) spans one step from `origin + (column, row) * step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) origin: [f64; 2],
    pub(super) step: [f64; 2],
}

impl Grid {
    /// The cell that holds a position.
    pub(super) fn cell(&self, at: [f64; 2]) -> (i32, i32) {
        #[expect(clippy::cast_possible_truncation, reason = "a grid has few cells; what is beyond is cut off")]
        let place = |axis: usize| ((at[axis] - self.origin[axis]) / self.step[axis]).floor() as i32;
        (place(0), place(1))
    }

    /// The cells that a straight line runs through, as samples half a cell apart find them.
    pub(super) fn line(&self, from: [f64; 2], to: [f64; 2], cells: &mut BTreeSet<(i32, i32)>) {
        const MOST_SAMPLES: f64 = 10_000.0;
        let steps = |axis: usize| ((to[axis] - from[axis]) / self.step[axis]).abs();
        let samples = (2.0 * steps(0).max(steps(1))).ceil().clamp(1.0, MOST_SAMPLES);
        let mut sample = 0.0;
        while sample <= samples {
            let at = [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * sample / samples);
            cells.insert(self.cell(at));
            sample += 1.0;
        }
    }

    /// The area of cells.
    ///
    /// # Cost
    /// O(n log n) in the cells.
    pub(super) fn area(&self, cells: &BTreeSet<(i32, i32)>) -> MultiPolygon {
        // Runs along a column first: fewer pieces to join. Whole numbers make joining exact.
        let mut runs: Vec<Polygon> = Vec::new();
        let mut cells = cells.iter().copied().peekable();
        while let Some((column, first)) = cells.next() {
            let mut last = first;
            while cells.next_if_eq(&(column, last + 1)).is_some() {
                last += 1;
            }
            let corner = |column: i32, row: i32| Coord { x: f64::from(column), y: f64::from(row) };
            runs.push(Rect::new(corner(column, first), corner(column + 1, last + 1)).to_polygon());
        }
        let place =
            |at: Coord| Coord { x: self.origin[0] + at.x * self.step[0], y: self.origin[1] + at.y * self.step[1] };
        unary_union(&runs).map_coords(place)
    }
}

#[cfg(test)]
mod tests {
    use geo::{Area, Intersects, Point, Validation};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The area is valid, as large as its cells, and holds their middles and no others.
        #[test]
        fn an_area_is_its_cells(cells in proptest::collection::btree_set((-6_i32..6, -6_i32..6), 1..60)) {
            let grid = Grid { origin: [0.0, 0.0], step: [1.0, 1.0] };
            let area = grid.area(&cells);
            prop_assert!(area.is_valid(), "{:?}", area.check_validation());
            let count = u32::try_from(cells.len()).expect("few");
            prop_assert!((area.unsigned_area() - f64::from(count)).abs() < 1e-6);
            for column in -7..7 {
                for row in -7..7 {
                    let middle = Point::new(f64::from(column) + 0.5, f64::from(row) + 0.5);
                    prop_assert_eq!(area.intersects(&middle), cells.contains(&(column, row)));
                }
            }
        }
    }
}
