//! A program turned into the list of variables that others can stand in for, unit by unit.

use std::cmp::Reverse;

use super::limits;
use super::presolve::WORTH;
use crate::cover::Rows;
use crate::model::{Aim, Entries, Program, Row};

/// A variable that others, all of them still there when it was taken away, can stand in for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dominated {
    /// The variable that some best values do without.
    pub variable: u32,
    /// Those that stand in for it; there is room for all the units in them that its sets ask for.
    pub others: Vec<u32>,
}

/// Variables, of those that `is_kept` keeps, that some best values of the program, those with the fewest units among them, do
/// without; in the order in which they were taken away. When it is over, those that were found until then.
///
/// A unit of `v` may move to `w` where that loses nothing: `w` is in every set of `v`, no row minds, no cost rises. Where all
/// such `w` are full the unit is dropped instead, so that together they have to earn all that `v` could earn, and rows with a
/// lower side must not miss the unit: where sites are to be covered twice by posts with one unit each, two of them do. Rows that
/// `w` shares with others but not with `v`, such as the room at a location that holds several types, forbid the move: the room
/// may be taken.
///
/// # Cost
/// A sweep over the smallest set of each variable with a subset test for each candidate; no more than a hundred looks per
/// item of the sets, and a few where less than one in a hundred variables goes.
///
/// # Source
/// Column domination for a single cover: Chen et al. 2023; for backup and limits the exchange above.
#[must_use]
pub fn dominated(program: &Program, is_kept: &[bool], is_over: &dyn Fn() -> bool) -> Vec<Dominated> {
    let columns = Columns::new(program);
    let mut is_kept = is_kept.to_vec();
    let mut gone = Vec::new();
    let mut looks = LOOKS.saturating_mul(program.sets.items());
    let part = looks / PARTS;
    let mut next = looks - part;
    // From the last to the first, so that the first of equals stays.
    for variable in (0..u32::try_from(program.variables.len()).unwrap_or(u32::MAX)).rev() {
        if !is_kept[variable as usize] {
            continue;
        }
        let candidates = columns.beside(variable).filter(|other| is_kept[*other as usize]);
        if let Some(others) = columns.standing_in(variable, candidates, &mut looks) {
            is_kept[variable as usize] = false;
            gone.push(Dominated { variable, others });
        }
        if looks <= next {
            let tried = program.variables.len() - variable as usize;
            if looks == 0 || is_over() || WORTH * gone.len() <= tried {
                break;
            }
            next = looks.saturating_sub(part);
        }
    }
    gone
}

/// A variable that has units only where another is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precedence {
    /// The variable that is filled first.
    pub first: u32,
    /// Units that fill it.
    pub room: u32,
    /// The variable that has units only then.
    pub then: u32,
}

/// What some best values keep to: a unit of `v` moves to `w` by the exchange of [`dominated`] as long as that has room, where `w`
/// is in more sets than `v` or comes first of equals. Values that keep to all of it are as good as any with those reductions.
///
/// # Cost
/// As [`dominated`].
#[must_use]
pub fn precedences(program: &Program, is_over: &dyn Fn() -> bool) -> Vec<Precedence> {
    let columns = Columns::new(program);
    let mut looks = LOOKS.saturating_mul(program.sets.items());
    let mut found = Vec::new();
    for then in 0..u32::try_from(program.variables.len()).unwrap_or(u32::MAX) {
        let rank = |variable: u32| (columns.sets_of.row(variable as usize).len(), Reverse(variable));
        for first in columns.beside(then).filter(|other| rank(*other) > rank(then)) {
            looks = looks.saturating_sub(1);
            if looks > 0 && columns.stands_in(first, then, &mut looks) {
                found.push(Precedence { first, room: columns.room[first as usize], then });
            }
        }
        if looks == 0 || is_over() {
            break;
        }
    }
    found
}

/// Looks at items per item of the sets: the reduction must cost less than what comes after it.
const LOOKS: usize = 100;

/// Parts of these looks after each of which it ends where it has hardly found anything.
const PARTS: usize = 32;

/// Sets and rows of each variable.
struct Columns<'a> {
    program: &'a Program,
    sets_of: Rows,
    /// Bits of the sets of each variable: those of a subset are a subset.
    marks: Vec<u64>,
    /// Rows of each variable.
    entries: Entries,
    /// Largest value of each variable that no other variable has a say in.
    room: Vec<u32>,
    /// Largest value of each variable at all.
    most: Vec<u32>,
    /// For each set, the units after which it earns no more.
    full_at: Vec<u32>,
    /// For each row, whether it is a balance whose units may be fewer: each pledge can be lowered.
    may_drop: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn new(program: &'a Program) -> Self {
        let count = program.variables.len();
        let (sets_of, entries) = (program.sets.transposed(count), Entries::new(program));
        let mark =
            |sets: &[u32]| sets.iter().fold(0, |marks, set| marks | 1_u64 << (set.wrapping_mul(0x9e37_79b1) >> 26));
        let marks = (0..count).map(|variable| mark(sets_of.row(variable))).collect();
        let mut room: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
        for row in &program.rows {
            if let [(variable, factor)] = row.terms[..]
                && factor > 0.0
                && row.most.is_finite()
            {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to u32")]
                let most = (row.most / factor).floor().clamp(0.0, f64::from(u32::MAX)) as u32;
                room[variable as usize] = most.min(room[variable as usize]);
            }
        }
        let mut full_at = vec![0; program.sets.len()];
        for group in &program.groups {
            let full = u32::try_from(group.full_at()).unwrap_or(u32::MAX);
            group.terms.iter().for_each(|term| full_at[term.set as usize] = full);
        }
        let can_fall = |variable: u32| {
            entries.of(variable).iter().all(|(place, factor)| {
                let row = &program.rows[*place as usize];
                row.is_balance() || !(*factor > 0.0 && row.least.is_finite() || *factor < 0.0 && row.most.is_finite())
            })
        };
        let may_drop = program.rows.iter().map(|row| {
            let pledges = row.terms.iter().filter(|(_, factor)| *factor < 0.0);
            row.is_balance() && pledges.map(|(variable, _)| *variable).all(can_fall)
        });
        let may_drop = may_drop.collect();
        Self { program, sets_of, marks, entries, room, most: limits(program), full_at, may_drop }
    }

    /// The other variables of the smallest set of one.
    fn beside(&self, variable: u32) -> impl Iterator<Item = u32> {
        let sets = self.sets_of.row(variable as usize).iter().map(|set| self.program.sets.row(*set as usize));
        let smallest = sets.min_by_key(|set| set.len()).unwrap_or_default();
        smallest.iter().copied().filter(move |other| *other != variable)
    }

    /// The first of some variables that, once they are full, earn all that `variable` could, and can stand in for it.
    fn standing_in(&self, variable: u32, candidates: impl Iterator<Item = u32>, looks: &mut usize) -> Option<Vec<u32>> {
        let sets = self.sets_of.row(variable as usize);
        let wanted = sets.iter().map(|set| self.full_at[*set as usize]).max()?;
        let (mut others, mut room) = (Vec::new(), 0_u32);
        for other in candidates {
            *looks = looks.saturating_sub(1);
            if *looks == 0 {
                break;
            }
            if self.room[other as usize] > 0 && self.stands_in(other, variable, looks) {
                others.push(other);
                room = room.saturating_add(self.room[other as usize]);
            }
            if room >= wanted {
                return Some(others);
            }
        }
        None
    }

    /// True where units of `variable` may move to `other` as long as that has room.
    fn stands_in(&self, other: u32, variable: u32, looks: &mut usize) -> bool {
        let (v, w) = (variable as usize, other as usize);
        if self.marks[v] & !self.marks[w] != 0 || !self.costs_no_more(w, v) {
            return false;
        }
        *looks = looks.saturating_sub(self.entries.of(variable).len() + self.entries.of(other).len());
        if !self.rows_allow(other, variable) {
            return false;
        }
        let (sets, of_other) = (self.sets_of.row(v), self.sets_of.row(w));
        *looks = looks.saturating_sub(sets.len() + of_other.len());
        is_subset(sets, of_other)
    }

    fn costs_no_more(&self, other: usize, variable: usize) -> bool {
        let lists = match &self.program.aim {
            Aim::MostValue => [&[][..], &self.program.ties[0], &self.program.ties[1]],
            Aim::LeastCost { costs, .. } => [&costs[..], &self.program.ties[0], &self.program.ties[1]],
        };
        // A list is empty where nothing costs anything.
        lists.into_iter().all(|costs| costs.is_empty() || costs[other] <= costs[variable])
    }

    /// True where no row minds a unit that moves, or that is dropped where the other is full.
    fn rows_allow(&self, other: u32, variable: u32) -> bool {
        let (mine, theirs) = (self.entries.of(variable), self.entries.of(other));
        let factor_in = |rows: &[(u32, f64)], row: u32| {
            rows.binary_search_by_key(&row, |(place, _)| *place).map_or(0.0, |place| rows[place].1)
        };
        let moves = |row: u32, change: f64| {
            let rule = &self.program.rows[row as usize];
            // Room that is the other's own is looked at as such.
            let is_own = matches!(rule.terms[..], [(only, _)] if only == other);
            (change <= 0.0 || rule.most.is_infinite() || is_own) && (change >= 0.0 || rule.least.is_infinite())
        };
        let is_moved = theirs.iter().all(|(row, factor)| moves(*row, factor - factor_in(mine, *row)))
            && mine.iter().all(|(row, factor)| moves(*row, factor_in(theirs, *row) - factor));
        is_moved
            && mine.iter().all(|(row, factor)| self.may_fall(*row, *factor, other as usize, factor_in(theirs, *row)))
    }

    /// True where a row that holds a variable with `factor` does without a unit of it once the other is full.
    fn may_fall(&self, row: u32, factor: f64, other: usize, of_other: f64) -> bool {
        let rule = &self.program.rows[row as usize];
        if rule.is_balance() {
            return self.may_drop[row as usize];
        }
        let full = of_other * f64::from(self.room[other]);
        let is_kept_below =
            factor >= 0.0 || rule.most.is_infinite() || self.reach(rule, other, 1.0) + full <= rule.most;
        let is_kept_above =
            factor <= 0.0 || rule.least.is_infinite() || full - self.reach(rule, other, -1.0) >= rule.least;
        is_kept_below && is_kept_above
    }

    /// The largest sum, times a sign, of a row without one of its variables.
    fn reach(&self, row: &Row, without: usize, sign: f64) -> f64 {
        let rest = row.terms.iter().filter(|(variable, factor)| *variable as usize != without && sign * factor > 0.0);
        rest.map(|(variable, factor)| sign * factor * f64::from(self.most[*variable as usize])).sum()
    }
}

/// True where the first of two ascending lists is part of the second.
fn is_subset(first: &[u32], second: &[u32]) -> bool {
    let mut rest = second.iter();
    first.len() <= second.len() && first.iter().all(|item| rest.by_ref().find(|other| *other >= item) == Some(item))
}
