//! A program turned into a smaller one with the same best values: variables that are of no use are taken away.

use super::{Dominated, Reduced, dominated, limits, restricted};
use crate::model::Program;

/// An exact reduction that can be left out, to show that it changes no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Variables that the rows hold at zero.
    Zero,
    /// Variables that others can stand in for.
    Dominated,
}

/// All reductions.
pub const REDUCTIONS: [Reduction; 2] = [Reduction::Zero, Reduction::Dominated];

/// A smaller program, the way back, and what was taken away.
#[derive(Clone, Debug, PartialEq)]
pub struct Presolved {
    /// The smaller program and the way back.
    pub reduced: Reduced,
    /// Variables of the larger program that others stand in for, in the order in which they were taken away.
    pub dominated: Vec<Dominated>,
    /// What was taken away: name and count.
    pub report: Vec<(&'static str, usize)>,
}

/// Less than one variable in so many is not worth a copy of the program.
pub(super) const WORTH: usize = 100;

/// The program without variables that are of no use; `None` where all, or nearly all, are of use, or where it is over first.
///
/// Some best values of the smaller program, with the fewest units and people among equals, are so in the larger one, too;
/// it has values where the larger one has, and the prices that prove its bound can be lifted to the larger.
///
/// # Cost
/// Linear in the items of sets and rows, times [`dominated`]'s bound.
#[must_use]
pub fn presolve(program: &Program, reductions: &[Reduction], is_over: &dyn Fn() -> bool) -> Option<Presolved> {
    let mut is_kept = vec![true; program.variables.len()];
    let mut zero = 0;
    if reductions.contains(&Reduction::Zero) {
        for (is_kept, most) in is_kept.iter_mut().zip(limits(program)) {
            *is_kept = most > 0;
            zero += usize::from(most == 0);
        }
    }
    let mut gone = Vec::new();
    if reductions.contains(&Reduction::Dominated) {
        gone = dominated(program, &is_kept, is_over);
        gone.iter().for_each(|dominated| is_kept[dominated.variable as usize] = false);
    }
    if WORTH * (zero + gone.len()) <= program.variables.len() || is_over() {
        return None;
    }
    let reduced = restricted(program, &is_kept);
    let merged = program.sets.len() - reduced.program.sets.len();
    let report = vec![
        ("variables that rows hold at zero", zero),
        ("variables that others dominate", gone.len()),
        ("cover sets merged or dropped after that", merged),
    ];
    Some(Presolved { reduced, dominated: gone, report })
}
