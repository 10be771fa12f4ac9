//! The first question of a tree asked again and again, each time with more rows on neighbouring sets.

use super::asking::Asking;
use super::{Tree, choosing};
use crate::solve::branching::Gains;
use crate::solve::gathering::Gathering;
use crate::solve::joint::Joint;
use crate::solve::master::Answer;
use crate::solve::question::Node;
use crate::solve::{local, spots};

impl Tree<'_> {
    /// True where the questions after the first have closed a good part of the gap.
    pub(super) fn is_quick(&self) -> bool {
        /// Part of the gap.
        const LEAST: f64 = 0.125;
        self.begun - self.top() >= LEAST * (self.begun - self.goal.best())
    }

    /// Begins anew, with rows on neighbouring sets.
    pub(super) fn gather(&mut self) {
        let height = self.top();
        self.open.clear();
        self.open.push(Node { height, ..Node::root() });
        self.gathering = Some(Gathering::new(self.begun, self.asking.is_rising));
    }

    /// A round of rows on neighbouring sets for the root; true as long as there are new ones.
    pub(super) fn gathered(&mut self, answer: &Answer, height: f64, is_over: &(dyn Fn() -> bool + Sync)) -> bool {
        let Some(mut gathering) = self.gathering.take() else { return false };
        let best = self.goal.best();
        let rows = gathering.next(height, best).map_or_else(Vec::new, |size| {
            if self.asking.is_rising {
                return self.broken(answer, size, is_over);
            }
            let mut calm = self.calm.take();
            let rows = answer.rows_on_the_way(&mut calm, |point| self.broken(point, size, is_over));
            self.calm = calm;
            rows
        });
        if rows.is_empty() {
            self.is_given_up = self.asking.is_rising && gathering.is_in_vain(height, best);
            // What branching gained without these rows says little.
            self.gains = Gains::new(self.asking.items());
            self.trials = choosing::FIRST;
            return false;
        }
        rows.into_iter().for_each(|joint| self.masters.add_joint(joint, |set| self.asking.bin_of(set)));
        self.gathering = Some(gathering);
        true
    }

    /// Rows on neighbouring sets that a point breaks.
    fn broken(&mut self, point: &Answer, size: usize, is_over: &(dyn Fn() -> bool + Sync)) -> Vec<Joint> {
        let Asking { layout, is_rising, .. } = self.asking;
        let (earned, values) = (self.asking.earned(point), &point.items);
        let spots = if is_rising {
            spots::neighbourhoods(layout, &earned, values, size)
        } else {
            spots::patches(layout, &earned, values, size)
        };
        local::broken(layout, (self.limits, &self.root), spots, values, &mut self.memory, is_over)
    }
}
