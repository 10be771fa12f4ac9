//! The best objective known turned into which bounds and which values of variables are still worth looking at.

use super::multipliers::Decided;
use super::steps;
use crate::model::{Aim, Program};

/// What a better plan has to beat. Heights are bounds and objectives, so turned that more is more to hope for.
pub(super) struct Goal<'a> {
    program: &'a Program,
    sign: f64,
    step: Option<f64>,
    /// Best objective known.
    pub(super) value: f64,
}

impl<'a> Goal<'a> {
    pub(super) fn new(program: &'a Program, value: f64) -> Self {
        let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
        Self { program, sign, step: steps::step(program), value }
    }

    /// An objective as a height, and back.
    pub(super) fn turned(&self, objective: f64) -> f64 {
        self.sign * objective
    }

    /// The height of the best objective known.
    pub(super) fn best(&self) -> f64 {
        self.turned(self.value)
    }

    /// True where nothing better than the best plan is within a bound.
    pub(super) fn is_hopeless(&self, height: f64) -> bool {
        let bound = self.turned(height);
        let attainable = self.step.map_or(bound, |step| {
            if bound.is_finite() { steps::attainable_by(self.program, bound, step) } else { bound }
        });
        self.turned(attainable) <= self.best()
    }

    /// Decides whether sets earn all that they can where nothing better than the best plan is within the bound otherwise, by what
    /// it costs the bound that they do (positive), or that they do not (negative).
    pub(super) fn decide(&self, decided: &mut Decided, height: f64, full: impl Iterator<Item = (u32, f64)>) {
        let known = full.filter(|(_, loss)| self.is_hopeless(height - loss.abs()));
        decided.extend(known.map(|(set, loss)| (set, loss < 0.0)));
    }

    /// Takes values out of the ranges that cannot be in a better plan, by what a unit more or less costs the bound.
    pub(super) fn narrow(&self, ranges: &mut [(u32, u32)], height: f64, loss: &[f64]) {
        for ((least, most), loss) in ranges.iter_mut().zip(loss) {
            if *least < *most && self.is_hopeless(height - loss.abs()) {
                if *loss > 0.0 {
                    *most = *least;
                } else {
                    *least = *most;
                }
            }
        }
    }
}
