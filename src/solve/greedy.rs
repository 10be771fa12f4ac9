//! A program turned into a plan that keeps every rule, quickly and without proof.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::layout::Layout;
use super::state::State;
use crate::model::{Aim, Row};

/// Values that keep every rule, grown unit by unit where each adds most; `None` where this finds none.
///
/// For value: the classic greedy, within 1 - 1/e of the best when a single limit counts units
/// (Nemhauser, Wolsey and Fisher 1978). For cost: most value per cost until the coverage is reached. Where there are
/// switches, once with all of them on and once with all off, and the better of the two.
///
/// # Cost
/// O(items of the sets x log posts), lazily (Minoux 1978).
pub(super) fn values(layout: &Layout<'_>, is_over: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let program = layout.program;
    let off = grown(layout, 0, is_over);
    if !program.variables.iter().any(|variable| variable.is_switch()) {
        return off;
    }
    match (grown(layout, 1, is_over), off) {
        (Some(on), Some(off)) if program.is_better(&on, &off) => Some(on),
        (on, off) => off.or(on),
    }
}

/// Values grown with all switches at one setting.
fn grown(layout: &Layout<'_>, switch: u32, is_over: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let program = layout.program;
    let start = program.variables.iter().map(|variable| if variable.is_switch() { switch } else { 0 });
    let mut state = State::resume(layout, start.collect());
    repair(&mut state, is_over)?;
    grow(&mut state, is_over);
    program.broken_rule(&state.values).is_none().then_some(state.values)
}

/// A variable and what one more unit of it adds, for a queue that gives the largest first, then the lowest variable.
struct Candidate {
    gain: f64,
    variable: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.variable.cmp(&self.variable))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// Raises every row that asks for a least sum, first those that name one pledge or post, as fixed units do.
fn repair(state: &mut State<'_>, is_over: &dyn Fn() -> bool) -> Option<()> {
    let layout = state.layout;
    let asking = |row: &&(usize, &Row)| !row.1.is_balance() && row.1.least > f64::NEG_INFINITY;
    let rows: Vec<(usize, &Row)> = layout.program.rows.iter().enumerate().collect();
    let mut asking: Vec<(usize, &Row)> = rows.iter().filter(asking).copied().collect();
    asking.sort_by_key(|(place, row)| (row.terms.len() != 1, *place));
    for (place, row) in asking {
        while state.sums[place] < row.least {
            if is_over() {
                return None;
            }
            let best = row
                .terms
                .iter()
                .filter(|(_, factor)| *factor > 0.0)
                .map(|(variable, _)| *variable)
                .filter(|variable| state.has_room(*variable))
                .max_by(|a, b| need(state, *a).total_cmp(&need(state, *b)).then(b.cmp(a)))?;
            let done = if layout.is_post(best) { state.place(best) } else { supply(state, best) };
            if !done {
                return None;
            }
        }
    }
    Some(())
}

/// How much a variable helps rows that still ask for more, then what it adds.
fn need(state: &State<'_>, variable: u32) -> f64 {
    let rows = &state.layout.program.rows;
    let open = state.layout.rows_of(variable).iter();
    let open =
        open.filter(|(place, factor)| *factor > 0.0 && state.sums[*place as usize] < rows[*place as usize].least);
    f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX)) * 1e6 + state.hope(variable)
}

/// Uses one more unit of a pledge, at the post of its type where it helps most.
fn supply(state: &mut State<'_>, pledge: u32) -> bool {
    let lots = state.layout.lot_members.iter().filter(|lot| lot.pledges.contains(&pledge));
    let best = lots
        .flat_map(|lot| lot.posts.iter().copied())
        .filter(|post| state.has_room(*post))
        .max_by(|a, b| need(state, *a).total_cmp(&need(state, *b)).then(b.cmp(a)));
    if let Some(post) = best {
        state.add(post);
        state.add(pledge);
    }
    best.is_some()
}

/// Adds units where they add most until nothing adds or the coverage is reached.
///
/// Units that found no room are tried again as long as others were placed: a protected unit may now be allowed.
pub(super) fn grow(state: &mut State<'_>, is_over: &dyn Fn() -> bool) {
    while grow_once(state, is_over) {}
}

/// Says whether it placed a unit and left another aside.
fn grow_once(state: &mut State<'_>, is_over: &dyn Fn() -> bool) -> bool {
    let layout = state.layout;
    let posts = (0_u32..).take(state.values.len()).filter(|variable| layout.is_post(*variable));
    let mut queue: BinaryHeap<Candidate> =
        posts.map(|variable| Candidate { gain: merit(state, variable), variable }).collect();
    let (mut has_placed, mut has_left) = (false, false);
    while let Some(Candidate { gain, variable }) = queue.pop() {
        if gain <= 0.0 || state.is_enough() {
            break;
        }
        if is_over() {
            return false;
        }
        let fresh = merit(state, variable);
        let is_still_best = queue.peek().is_none_or(|next| fresh >= next.gain);
        if fresh < gain && !is_still_best {
            queue.push(Candidate { gain: fresh, variable });
        } else if state.place(variable) {
            has_placed = true;
            queue.push(Candidate { gain: merit(state, variable), variable });
        } else {
            has_left = true;
        }
    }
    has_placed && has_left
}

/// Promised gain, per cost where cost is what counts.
fn merit(state: &State<'_>, variable: u32) -> f64 {
    match state.layout.program.aim {
        Aim::MostValue => state.hope(variable),
        Aim::LeastCost { .. } => {
            let pledges = state.layout.suppliers(variable).iter();
            let cost = pledges.map(|pledge| state.cost(*pledge)).fold(f64::INFINITY, f64::min);
            state.hope(variable) / cost.max(1e-9)
        }
    }
}

/// Takes away, from the last post to the first, units that earn nothing and that no rule asks for, so that a plan
/// deploys none in vain.
pub(super) fn without_idle_units(layout: &Layout<'_>, values: Vec<u32>) -> Vec<u32> {
    let mut state = State::resume(layout, values);
    let posts: Vec<u32> = (0_u32..).take(state.values.len()).filter(|variable| layout.is_post(*variable)).collect();
    for post in posts.into_iter().rev() {
        while state.is_spare(post) && state.loss(post) <= 0.0 {
            let spare = layout.suppliers(post).iter().rev().copied().find(|pledge| state.is_spare(*pledge));
            let Some(pledge) = spare else { break };
            state.take(post);
            state.take(pledge);
        }
    }
    state.values
}
