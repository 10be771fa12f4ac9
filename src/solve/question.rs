//! Ranges of variables, and what sets earn, turned into an open question of a tree, in the order of how weak its bound is.

use std::cmp::Ordering;
use std::sync::Arc;

use super::layout::Layout;
use super::master::Place;
use super::multipliers::Decided;
use crate::model::Row;
use crate::reduce::Precedence;

/// A question that is open.
pub(super) struct Node {
    /// Its bound, so turned that more is weaker.
    pub(super) height: f64,
    pub(super) number: u64,
    /// Variable, least and most, where they are not those of the root.
    pub(super) narrowed: Vec<(u32, u32, u32)>,
    /// Sets of which it is decided whether they earn all that they can.
    pub(super) decided: Decided,
    pub(super) branch: Option<Branch>,
    /// How often its answer was whole and still broke cuts.
    pub(super) tries: u32,
    /// Where the search for its answer begins; where the last one ended, if unknown.
    pub(super) place: Option<Arc<Place>>,
}

/// The values that a question is about.
#[derive(Clone, Debug)]
pub(super) struct Within {
    /// Least and most of each variable.
    pub(super) ranges: Vec<(u32, u32)>,
    /// Sets of which it is decided whether they earn all that they can.
    pub(super) decided: Decided,
}

impl Within {
    /// The half of these values above or below what an answer has of an item, as far as it keeps the order, and how far the answer
    /// is from it. An item is a variable, or the number of variables plus a set: above, the set earns all that it can, below, less;
    /// of that the answer has a part between 0 and 1.
    pub(super) fn half(&self, (item, level): (u32, f64), is_up: bool, order: &[Precedence]) -> (Self, f64) {
        let mut half = self.clone();
        let Some(range) = half.ranges.get_mut(item as usize) else {
            half.decided.insert(self.set(item), is_up);
            return (half, if is_up { 1.0 - level } else { level });
        };
        let (narrowed, distance) = self::half(*range, level, is_up);
        *range = narrowed;
        half.keep_order(order);
        (half, distance)
    }

    /// Narrows ranges to values that fill variables in order.
    pub(super) fn keep_order(&mut self, precedences: &[Precedence]) {
        for Precedence { first, room, then } in precedences {
            let (first, then) = (*first as usize, *then as usize);
            if self.ranges[then].0 > 0 {
                self.ranges[first].0 = self.ranges[first].1.min(*room).max(self.ranges[first].0);
            } else if self.ranges[first].1 < *room {
                self.ranges[then].1 = 0;
            }
        }
    }

    /// False where the ranges alone break a rule, or what is decided of a set.
    pub(super) fn is_possible(&self, layout: &Layout<'_>) -> bool {
        let units = |set: u32, is_most: bool| {
            let of = |(least, most): (u32, u32)| u64::from(if is_most { most } else { least });
            let variables = layout.program.sets.row(set as usize).iter();
            variables.map(|variable| of(self.ranges[*variable as usize])).sum::<u64>()
        };
        let can_be = |(set, is_full): (&u32, &bool)| {
            let full = u64::from(layout.terms[*set as usize].full());
            if *is_full { units(*set, true) >= full } else { units(*set, false) < full }
        };
        self.decided.iter().all(can_be) && self.keeps_rows(&layout.program.rows)
    }

    fn keeps_rows(&self, rows: &[Row]) -> bool {
        rows.iter().all(|row| {
            let (least, largest) = row.ends(|variable| self.ranges[variable as usize]);
            least <= row.most && largest >= row.least
        })
    }

    /// The set that an item stands for.
    fn set(&self, item: u32) -> u32 {
        item - u32::try_from(self.ranges.len()).unwrap_or(u32::MAX)
    }
}

/// How a question came from another.
#[derive(Clone, Copy)]
pub(super) struct Branch {
    /// A variable or, in [`super::tree`], the number of variables plus a set.
    pub(super) item: u32,
    pub(super) is_up: bool,
    /// How far the answer was from the half.
    pub(super) distance: f64,
    /// Bound of the other.
    pub(super) height: f64,
}

impl Node {
    /// The whole program, of which nothing is known.
    pub(super) fn root() -> Self {
        Self {
            height: f64::INFINITY,
            number: 0,
            narrowed: Vec::new(),
            decided: Decided::new(),
            branch: None,
            tries: 0,
            place: None,
        }
    }

    /// One half of the question with this number, not looked at yet.
    pub(super) fn half_of(question: u64, branch: Branch, narrowed: Vec<(u32, u32, u32)>, decided: Decided) -> Self {
        let number = 2 * question + u64::from(branch.is_up);
        Self { height: branch.height, number, narrowed, decided, branch: Some(branch), tries: 0, place: None }
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.height.total_cmp(&other.height).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

/// The half of a range below or above a value between its ends, and how far the value is from it.
pub(super) fn half((least, most): (u32, u32), value: f64, is_up: bool) -> ((u32, u32), f64) {
    const NEAREST: f64 = 1e-6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the ends of a range")]
    let below = (value.floor() as u32).clamp(least, most.saturating_sub(1).max(least));
    let (half, distance) = if is_up {
        ((below + 1, most), f64::from(below + 1) - value)
    } else {
        ((least, below), value - f64::from(below))
    };
    (half, distance.max(NEAREST))
}
