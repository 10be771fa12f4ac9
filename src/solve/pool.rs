//! Plans as a search comes by them turned into a population of good ones that differ, and into the next when it has settled.

use fastrand::Rng;

use crate::model::Program;

/// Good plans that differ from each other, the best first.
#[derive(Debug, Default)]
pub(super) struct Pool {
    plans: Vec<Vec<u32>>,
    /// The best of each earlier population.
    earlier: Vec<Vec<u32>>,
    /// The best plan at the last round, and how many rounds it has been the best.
    leader: (Option<Vec<u32>>, u32),
}

impl Pool {
    /// Most plans.
    const SIZE: usize = 16;

    /// Part of the units in which two plans have to differ, at least, for both to stay.
    const APART: f64 = 0.05;

    /// Rounds without a better plan after which the best of earlier populations come in; after as many again a new one begins.
    const PATIENCE: u32 = 10;

    /// True before the first plan of a population.
    pub(super) fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Takes values in if they are good enough; of plans that are alike the better stays.
    pub(super) fn offer(&mut self, program: &Program, values: &[u32]) {
        let is_beside = |plan: &Vec<u32>| is_alike(plan, values);
        if self.plans.iter().any(|plan| is_beside(plan) && !program.is_better(values, plan)) {
            return;
        }
        self.plans.retain(|plan| !is_beside(plan));
        let place = self.plans.partition_point(|plan| !program.is_better(values, plan));
        self.plans.insert(place, values.to_vec());
        self.plans.truncate(Self::SIZE);
    }

    /// Counts a round; a population that has settled meets the best of earlier ones, then makes room for another.
    pub(super) fn age(&mut self, program: &Program) {
        let leader = self.plans.first();
        let rounds = if self.leader.0.as_ref() == leader { self.leader.1 + 1 } else { 0 };
        self.leader = (leader.cloned(), rounds);
        if rounds == Self::PATIENCE {
            for plan in self.earlier.clone() {
                self.offer(program, &plan);
            }
        } else if rounds == 2 * Self::PATIENCE {
            let leader = self.plans.drain(..).next();
            self.earlier.extend(leader.filter(|leader| !self.earlier.contains(leader)));
            self.leader = (None, 0);
        }
    }

    /// So many plans, or all, drawn at random.
    pub(super) fn drawn(&self, count: usize, rng: &mut Rng) -> Vec<&Vec<u32>> {
        let mut plans: Vec<&Vec<u32>> = self.plans.iter().collect();
        rng.shuffle(&mut plans);
        plans.truncate(count);
        plans
    }
}

/// True where few units stand elsewhere.
fn is_alike(first: &[u32], second: &[u32]) -> bool {
    let (mut apart, mut all) = (0_u64, 0_u64);
    for (a, b) in first.iter().zip(second) {
        apart += u64::from(a.abs_diff(*b));
        all += u64::from(*a) + u64::from(*b);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of units are far below 2^53")]
    let (apart, all) = (apart as f64, all as f64);
    apart <= Pool::APART * all
}
