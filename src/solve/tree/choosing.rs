//! An answer in parts turned into the item to branch on.

use super::Tree;
use crate::solve::branching::Gains;
use crate::solve::master::{Answer, Place};
use crate::solve::question::Within;

/// Items of which nothing is known yet that are tried for a question, and for the first one with rows on neighbouring sets.
pub(super) const TRIALS: usize = 4;
pub(super) const FIRST: usize = 40;

/// Trials after the best so far that end them.
const IDLE: usize = 8;

/// A value this close to a whole number is one; a set that earns this nearly all it can, or so little more than without that, as a
/// part, does: cuts and HiGHS leave as much to rounding.
const WHOLE: f64 = 1e-6;
const NEARLY: f64 = 1e-3;

impl Tree<'_> {
    /// The item to branch on and what the answer has of it; `None` where all variables are whole.
    ///
    /// Items are variables, and after them the sets whose levels rise: such a set earns all that it can, or less. What branching
    /// gains is tried by a few steps from the answer's `place`.
    pub(super) fn choice(
        &mut self,
        (answer, place): (&Answer, Option<&Place>),
        within: &Within,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Option<(u32, f64)> {
        let mut choices = variables_in_parts(answer, within);
        if choices.is_empty() {
            return None;
        }
        choices.extend(self.sets_in_parts(answer, within));
        let by_score = |gains: &Gains, choices: &mut Vec<(u32, f64)>| {
            choices.sort_by(|a, b| gains.score(b.0, b.1).total_cmp(&gains.score(a.0, a.1)).then(a.0.cmp(&b.0)));
        };
        by_score(&self.gains, &mut choices);
        let height = self.asking.height_of(answer);
        let trials = std::mem::replace(&mut self.trials, TRIALS);
        let is_unknown = |choice: &&(u32, f64)| !self.gains.is_known(choice.0);
        let unknown: Vec<(u32, f64)> = choices.iter().take(trials).filter(is_unknown).copied().collect();
        let (mut best, mut idle) = (0.0, 0);
        for some in unknown.chunks(self.masters.count()) {
            if idle >= IDLE || is_over() {
                break;
            }
            let (asking, steps) = (&self.asking, self.habits.steps);
            let tried = self.masters.ask(some, |master, (item, level)| {
                [false, true].map(|is_up| {
                    let (half, distance) = within.half((*item, *level), is_up, &asking.order);
                    asking.put(&half, master);
                    place.into_iter().for_each(|place| master.start_at(place));
                    (master.glimpse(steps, is_over), distance)
                })
            });
            for ((item, level), tried) in some.iter().zip(tried) {
                for (is_up, (objective, distance)) in [false, true].into_iter().zip(tried) {
                    // Beyond the best plan nothing is gained any more.
                    let reached = self.asking.height_at(objective).max(self.goal.best()).min(height);
                    self.gains.learn(*item, is_up, (height - reached) / distance);
                }
                let score = self.gains.score(*item, *level);
                (best, idle) = if score > best { (score, 0) } else { (best, idle + 1) };
            }
        }
        by_score(&self.gains, &mut choices);
        choices.first().copied()
    }

    /// Sets whose levels rise and that earn neither all they can nor what they can without it, as items, and their part of it.
    fn sets_in_parts(&self, answer: &Answer, within: &Within) -> Vec<(u32, f64)> {
        let first = u32::try_from(within.ranges.len()).unwrap_or(u32::MAX);
        let open = self.asking.ends.iter().filter(|(set, _)| !within.decided.contains_key(set));
        let part = |(set, (less, all)): (&u32, &(f64, f64))| {
            (first + set, (answer.earned(self.asking.bin_of(*set)) - less) / (all - less))
        };
        open.map(part).filter(|(_, part)| (NEARLY..=1.0 - NEARLY).contains(part)).collect()
    }
}

/// Variables that are not whole, and their values.
fn variables_in_parts(answer: &Answer, within: &Within) -> Vec<(u32, f64)> {
    let open = (0_u32..)
        .zip(&answer.items)
        .zip(&within.ranges)
        .filter(|((_, value), (least, most))| least < most && (*value - value.round()).abs() > WHOLE);
    open.map(|((variable, value), _)| (variable, *value)).collect()
}
