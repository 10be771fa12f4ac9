//! An answer in parts turned into values near it that keep the rules.

use super::Tree;
use crate::model::Aim;
use crate::solve::greedy;
use crate::solve::master::Answer;
use crate::solve::state::State;

impl Tree<'_> {
    /// Values near an answer: units go first where it has most of them, as far as the rules allow; where cost counts, no more
    /// than are needed.
    pub(super) fn round(&mut self, answer: &Answer, is_over: &dyn Fn() -> bool) {
        let mut posts: Vec<(u32, f64)> = (0_u32..)
            .zip(answer.items[..self.asking.program.variables.len()].iter().copied())
            .filter(|(variable, value)| *value > 0.0 && self.asking.layout.is_post(*variable))
            .collect();
        posts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut state = State::resume(self.asking.layout, vec![0; self.asking.program.variables.len()]);
        for (post, value) in &posts {
            let mut left = value.ceil();
            while left >= 1.0 && !state.is_enough() && state.place(*post) {
                left -= 1.0;
            }
        }
        if matches!(self.asking.program.aim, Aim::LeastCost { .. }) {
            greedy::grow(&mut state, is_over);
            posts.iter().rev().for_each(|(post, _)| while state.spares(*post) {});
        }
        let objective = self.asking.program.objective(&state.values);
        if self.asking.program.broken_rule(&state.values).is_some() {
            return;
        }
        self.keep(&state.values, objective);
        let is_nearer = |before: f64| self.goal.turned(objective) > self.goal.turned(before);
        if self.hint.as_ref().is_none_or(|(_, before)| is_nearer(*before)) {
            self.hint = Some((state.values, objective));
        }
    }

    /// Keeps the values of a whole answer when they beat the best.
    pub(super) fn offer(&mut self, answer: &Answer) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
        let whole = |value: &f64| value.round().clamp(0.0, 4e9) as u32;
        let values: Vec<u32> = answer.items[..self.asking.program.variables.len()].iter().map(whole).collect();
        if self.asking.program.broken_rule(&values).is_none() {
            self.keep(&values, self.asking.program.objective(&values));
        }
    }

    /// Keeps values that keep the rules when they beat the best.
    fn keep(&mut self, values: &[u32], objective: f64) {
        if self.goal.turned(objective) > self.goal.best() {
            self.goal.value = objective;
            self.better = Some(values.to_vec());
        }
    }
}
