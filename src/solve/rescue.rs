//! What is known in the midst of a search turned into the start of another, where a fault of the solver ended the first.

use serde::{Deserialize, Serialize};

use super::multipliers::Multipliers;

/// Which means an attempt may use; the next one takes what could have broken the one before away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attempt {
    /// All.
    #[default]
    Whole,
    /// Search and prices, without a tree.
    WithoutTree,
    /// Nothing of HiGHS: walks from what is known already.
    WithoutSolver,
}

/// News worth keeping: with it a plan and its bound survive the process that found them.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// Values of the best plan so far.
    Values(&'a [u32]),
    /// Prices that prove the bound so far.
    Prices(&'a Multipliers),
}

/// How a caller keeps what is known, and what an earlier attempt at the same question left.
#[derive(Clone)]
pub struct Rescue<'a> {
    /// Called with each better plan and each closer proof; a caller that is to survive a crash writes it down.
    pub keep: &'a dyn Fn(Kept<'_>),
    /// The means of this attempt.
    pub attempt: Attempt,
    /// Values of the best plan of earlier attempts.
    pub values: Option<Vec<u32>>,
    /// Prices that proved their bound.
    pub prices: Option<Multipliers>,
    /// Time that they took, seconds: part of the time limit.
    pub spent_s: f64,
    /// How they ended, in words.
    pub faults: Vec<String>,
}

impl Rescue<'_> {
    /// A first attempt that keeps nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { keep: &|_| {}, attempt: Attempt::Whole, values: None, prices: None, spent_s: 0.0, faults: Vec::new() }
    }
}
