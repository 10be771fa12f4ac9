//! A terrain and two points turned into whether one sees the other, crossing by crossing.

use crate::scenario::{Sight, Terrain};

/// What stands no higher over a line of sight is no obstacle, metres: rounding moves no mountain.
const SLACK_M: f64 = 1e-6;

/// True where nothing on the terrain hides a vertex from a location, `distance_m` away.
pub(super) fn sees(sight: &Sight, location: usize, vertex: usize, distance_m: f64) -> bool {
    let terrain = &*sight.terrain;
    let (from, to) = (sight.location_points[location], sight.vertex_points[vertex]);
    let (Some(a), Some(b)) = (ground(terrain, from), ground(terrain, to)) else { return false };
    let (eye, target) = (a + sight.sensor_m, b + sight.target_m);
    let rise = sight.curvature * distance_m * distance_m / (2.0 * Sight::EARTH_RADIUS_M);
    let is_clear = |share: f64, axis: usize, line: f64| {
        let mut at = [0, 1].map(|axis: usize| from[axis] + share * (to[axis] - from[axis]));
        at[axis] = line;
        ground(terrain, at)
            .is_some_and(|ground| ground + rise * share * (1.0 - share) <= eye + share * (target - eye) + SLACK_M)
    };
    (0..2).all(|axis| {
        let way = to[axis] - from[axis];
        let mut line = from[axis].min(to[axis]).ceil();
        while way != 0.0 && line <= from[axis].max(to[axis]) {
            if !is_clear((line - from[axis]) / way, axis, line) {
                return false;
            }
            line += 1.0;
        }
        true
    })
}

/// The height of the ground between its four cells; `None` where one of those that count is not known.
fn ground(terrain: &Terrain, [column, row]: [f64; 2]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "grids have fewer than 2^53 cells")]
    let last = [terrain.width as f64 - 1.0, terrain.height as f64 - 1.0];
    if !(0.0..=last[0]).contains(&column) || !(0.0..=last[1]).contains(&row) {
        return None;
    }
    let mut sum = 0.0;
    for (x, part_x) in [(column.floor(), 1.0 - column.fract()), (column.floor() + 1.0, column.fract())] {
        for (y, part_y) in [(row.floor(), 1.0 - row.fract()), (row.floor() + 1.0, row.fract())] {
            if part_x * part_y > 0.0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just tested")]
                let cell = y as usize * terrain.width + x as usize;
                sum += part_x * part_y * f64::from(terrain.heights[cell]);
            }
        }
    }
    Some(sum).filter(|sum| !sum.is_nan())
}
