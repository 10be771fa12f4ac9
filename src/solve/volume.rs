//! A program whose rules tie units to other units turned into prices, moved step by step to where they prove most.

use super::layout::Layout;
use super::market::{Market, Numbers, Told};
use super::multipliers::{Multipliers, Proof};
use crate::model::Aim;

/// Most steps while contributors may give parts of units.
const STEPS: usize = 400;

/// Steps between two proofs when they give whole units.
const STAGE: usize = 100;

/// Most of such stages.
const STAGES: usize = 12;

/// What is known after a stage.
pub(super) enum News {
    /// Prices that prove a bound by themselves.
    Prices(Multipliers),
    /// A closer bound, which needs whole units to be proven.
    Proof(Proof),
}

/// Tells prices and bounds as they come nearer, and ends where they hardly do any more; `tell` hears of each and answers with
/// the best objective known by then, or `None` to end. `None` where HiGHS fails before there is anything to tell.
///
/// With a price on each set and on each row of posts the program falls apart: each set takes the units that it would buy, and
/// the contributors give the units that earn most, which is a small program whatever the number of locations. Where units
/// are short of what sets buy, prices rise, and they fall where there are too many. Single answers jump from post to post;
/// their mean over steps does not, and is what the prices follow. First contributors may give parts of units, which
/// is quick; then they give whole ones, which is closer: what a headcount or a condition does to whole units, no linear
/// relaxation sees.
///
/// # Cost
/// A few hundred steps, each linear in the items of the sets, besides the small program.
///
/// # Source
/// Volume algorithm: Barahona and Anbil 2000; decomposition by prices: Geoffrion 1974.
pub(super) fn prices(
    layout: &Layout<'_>,
    most: &[u32],
    (start, value): (&[u32], f64),
    tell: &mut dyn FnMut(News) -> Option<f64>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Option<()> {
    /// A stage has to bring the bound nearer to the best plan by so much of what is between them.
    const NEARER: f64 = 0.02;
    if is_over() {
        return Some(());
    }
    let (market, first) = Market::new(layout, most, (start, value))?;
    let sign = if matches!(layout.program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
    let mut course = Course::new(market, first, is_over)?;
    for _ in 0..STEPS {
        if is_over() || !course.step(sign * value, is_over) || course.pace.is_at_rest() {
            break;
        }
    }
    let Some(mut value) = tell(News::Prices(course.market.multipliers(&course.centre, &course.told))) else {
        return Some(());
    };
    course.market.is_whole = true;
    course.told = course.market.asked(&course.centre, is_over)?;
    course.pace = Pace { length: 0.02, weight: 0.05, idle: 0, steps: 0, before: f64::INFINITY };
    let mut before = f64::INFINITY;
    for _ in 0..STAGES {
        for _ in 0..STAGE {
            if is_over() || !course.step(sign * value, is_over) {
                break;
            }
        }
        let between = (course.told.height - sign * value).max(0.0);
        let Some(proof) = course.market.proof(&course.centre, &course.told, 0.05 * between, is_over) else { break };
        let height = sign * proof.bound;
        let is_near = before - height < NEARER * (height - sign * value);
        before = height;
        match tell(News::Proof(proof)) {
            Some(better) if !is_over() && !is_near => value = better,
            _ => break,
        }
    }
    Some(())
}

/// Prices on their way.
struct Course<'a> {
    market: Market<'a>,
    /// The best prices so far, and what they lead to.
    centre: Numbers,
    told: Told,
    mean: Numbers,
    pace: Pace,
}

impl<'a> Course<'a> {
    fn new(mut market: Market<'a>, centre: Numbers, is_over: &(dyn Fn() -> bool + Sync)) -> Option<Self> {
        let told = market.asked(&centre, is_over)?;
        let mean = told.slope.clone();
        let pace = Pace { length: 0.1, weight: 0.1, idle: 0, steps: 0, before: f64::INFINITY };
        Some(Self { market, centre, told, mean, pace })
    }

    /// One step towards `floor`, the height of the best plan; false where there is nowhere to go.
    fn step(&mut self, floor: f64, is_over: &(dyn Fn() -> bool + Sync)) -> bool {
        let way = (self.told.height - floor).max(0.0);
        let length = self.pace.length * way / self.market.square(&self.centre, &self.mean);
        if !length.is_finite() || length == 0.0 {
            return false;
        }
        let next = self.market.moved(&self.centre, &self.mean, length);
        let Some(told) = self.market.asked(&next, is_over) else { return false };
        let agrees = self.market.product(&told.slope, &self.mean) > 0.0;
        self.mean.move_towards(&told.slope, self.pace.weight);
        self.pace.heard(self.told.height, told.height, agrees);
        if told.height < self.told.height {
            (self.centre, self.told) = (next, told);
        }
        true
    }
}

/// How far prices move, and how much the last answer counts in the mean.
struct Pace {
    /// As a part of the way that would lead to the best plan, were it as far down as it seems.
    length: f64,
    weight: f64,
    /// Answers in a row that were no better.
    idle: u32,
    steps: u32,
    /// Height when the weight was last looked at.
    before: f64,
}

impl Pace {
    /// Takes in how high the last answer was, and whether the way that led to it would lead on.
    fn heard(&mut self, best: f64, height: f64, agrees: bool) {
        /// Answers that are no better until the way becomes shorter.
        const PATIENCE: u32 = 10;
        const LONGEST: f64 = 2.0;
        /// Steps between two looks at the weight, what they have to bring so that it stays, and the least weight.
        const LOOK: u32 = 100;
        const ENOUGH: f64 = 0.01;
        const LIGHTEST: f64 = 0.005;
        self.steps += 1;
        if height < best {
            self.idle = 0;
            self.length = (self.length * if agrees { 1.1 } else { 1.02 }).min(LONGEST);
        } else {
            self.idle += 1;
            if self.idle == PATIENCE {
                self.idle = 0;
                self.length *= 0.7;
            }
        }
        if self.steps.is_multiple_of(LOOK) {
            if self.before - best < ENOUGH * best.abs() {
                self.weight = (self.weight * 0.7).max(LIGHTEST);
            }
            self.before = best;
        }
    }

    /// True where the way has become too short to lead anywhere.
    fn is_at_rest(&self) -> bool {
        const SHORTEST: f64 = 1e-3;
        self.length < SHORTEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{Numbers, best_tied, tied};

    /// No plan is beyond any bound that is told, of parts of units or of whole ones, and no variable is called hopeless
    /// that the best plan uses; most bounds come near.
    #[test]
    fn no_plan_is_beyond_the_bounds_of_ties() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut bounded, mut closer, mut near) = (0, 0, 0);
        for _ in 0..40 {
            let program = tied(&mut numbers);
            let Some((best, objective)) = best_tied(&program) else { continue };
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            let (mut by_parts, mut by_units) = (f64::INFINITY, f64::INFINITY);
            let mut tell = |news: News| {
                let proof = match news {
                    News::Prices(prices) => {
                        let proof = prices.proof(&program, &most);
                        by_parts = sign * proof.bound;
                        proof
                    }
                    News::Proof(proof) => {
                        by_units = by_units.min(sign * proof.bound);
                        proof
                    }
                };
                assert!(sign * (proof.bound - objective) >= -1e-9, "{} and {objective}: {program:?}", proof.bound);
                for (loss, _) in proof.loss.iter().zip(&best).filter(|(_, units)| **units > 0) {
                    let with = sign * proof.bound - loss;
                    assert!(with >= sign * objective - 1e-9, "{with} and {objective}: {program:?}");
                }
                Some(objective)
            };
            let layout = Layout::new(&program);
            prices(&layout, &most, (&best, objective), &mut tell, &|| false).expect("HiGHS works");
            bounded += 1;
            closer += u32::from(by_units < by_parts - 1e-6);
            near += u32::from(by_units - sign * objective <= 0.05 * objective.abs().max(0.1));
        }
        assert!(bounded >= 25, "only {bounded} programs have a plan");
        assert!(closer >= 3, "whole units bring only {closer} bounds nearer");
        assert!(near * 2 >= bounded, "only {near} of {bounded} bounds are near");
    }
}
