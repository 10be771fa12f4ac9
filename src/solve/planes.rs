//! A ladder of levels turned into the planes that touch what a term can earn, one of its variables left out or not.

use super::frame;
use crate::model::TermGroup;

/// A plane above what a term of weight 1 earns: `constant` + `unit` x units + `others` x units of all variables but one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plane {
    pub(super) constant: f64,
    pub(super) unit: f64,
    pub(super) others: f64,
}

/// The planes of a group.
pub(super) struct Planes {
    /// Those that leave no variable out, by falling slope: the concave envelope of the ladder; the last is level.
    pub(super) plain: Vec<Plane>,
    /// Those that leave a variable of so many units out, for each number of units at which that says more.
    pub(super) leaving_out: Vec<(u32, Vec<Plane>)>,
}

impl Planes {
    /// More levels than this are left to the concave envelope.
    const MOST_LEVELS: usize = 8;

    /// The planes of a ladder for variables with these limits.
    pub(super) fn new(group: &TermGroup, limits: &[u32]) -> Self {
        let (mut begin, mut earned) = (0.0, 0.0);
        let mut plain = Vec::new();
        for (slope, width) in frame::envelope(group) {
            plain.push(Plane { constant: earned - slope * begin, unit: slope, others: 0.0 });
            begin += width;
            earned += slope * width;
        }
        plain.push(Plane { constant: earned, unit: 0.0, others: 0.0 });
        let full = group.full_at();
        let is_open = !group.is_concave() && full <= Self::MOST_LEVELS;
        let mut limits: Vec<u32> = limits.iter().copied().filter(|limit| is_open && *limit > 0).collect();
        limits.sort_unstable();
        limits.dedup();
        let leaving_out = limits.into_iter().filter(|limit| (*limit as usize) < full);
        let leaving_out = leaving_out.map(|limit| (limit, vertices(group, limit))).collect();
        Self { plain, leaving_out }
    }

    /// The lowest plane without a variable left out, by number, and its height.
    pub(super) fn lowest_plain(&self, units: f64) -> (usize, f64) {
        let heights = self.plain.iter().map(|plane| plane.constant + plane.unit * units).enumerate();
        // Where two meet, the one that is less steep: it is the next to bind.
        heights.fold((0, f64::INFINITY), |lowest, height| if height.1 <= lowest.1 { height } else { lowest })
    }
}

/// The planes with a price on the others, where a variable of at most `limit` units is left out: the vertices of all
/// `constant + unit x m + others x max(0, m - limit) >= value of m units`, with prices that are not negative.
///
/// # Cost
/// Cubic in the levels.
fn vertices(group: &TermGroup, limit: u32) -> Vec<Plane> {
    const SLACK: f64 = 1e-9;
    let rows: Vec<[f64; 4]> = (0..=u32::try_from(group.full_at()).unwrap_or(0))
        .map(|count| {
            let others = count.saturating_sub(limit);
            [1.0, f64::from(count), f64::from(others), group.value_of(u64::from(count))]
        })
        .chain([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
        .collect();
    let mut planes: Vec<Plane> = Vec::new();
    for (first, a) in rows.iter().enumerate() {
        for (second, b) in rows.iter().enumerate().skip(first + 1) {
            for c in &rows[second + 1..] {
                let Some(plane) = meeting([a, b, c]) else { continue };
                let height = |row: &[f64; 4]| row[0] * plane.constant + row[1] * plane.unit + row[2] * plane.others;
                let is_above = rows.iter().all(|row| height(row) >= row[3] - SLACK);
                if is_above && plane.others > SLACK && !planes.contains(&plane) {
                    planes.push(plane);
                }
            }
        }
    }
    planes
}

/// Where three planes meet, by Cramer's rule; `None` where they do not meet in one point.
fn meeting(rows: [&[f64; 4]; 3]) -> Option<Plane> {
    let determinant = |columns: [usize; 3]| {
        let [a, b, c] = rows.map(|row| columns.map(|column| row[column]));
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    };
    let whole = determinant([0, 1, 2]);
    (whole.abs() > 1e-9).then(|| Plane {
        constant: determinant([3, 1, 2]) / whole,
        unit: determinant([0, 3, 2]) / whole,
        others: determinant([0, 1, 3]) / whole,
    })
}
