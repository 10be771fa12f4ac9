//! Plans as a search comes by them turned into a population of good ones that differ, followed by others when it has settled.

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
    /// Rounds until it is grown.
    youth: u32,
    /// Plans that are at a temperature each, the coldest first, once [`super::tempering`] has begun.
    pub(super) tempered: Vec<Vec<u32>>,
}

impl Pool {
    /// Most plans.
    const SIZE: usize = 16;

    /// Part of the units in which two plans have to differ, at least, for both to stay.
    const APART: f64 = 0.05;

    /// Rounds without a better plan after which the best of earlier populations come in, and after as many again a new one begins;
    /// the first, which has none before it, ends at once.
    const PATIENCE: u32 = 6;

    /// Rounds in which a new population gathers plans of all kinds, before these are merged.
    const YOUTH: u32 = 3;

    /// True while a population gathers its first plans.
    pub(super) fn is_young(&self) -> bool {
        self.plans.is_empty() || self.youth > 0
    }

    /// True after the first population.
    pub(super) fn has_settled(&self) -> bool {
        !self.earlier.is_empty()
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
        self.youth = self.youth.saturating_sub(1);
        let leader = self.plans.first();
        let rounds = if self.leader.0.as_ref() == leader { self.leader.1 + 1 } else { 0 };
        self.leader = (leader.cloned(), rounds);
        // The first population has nobody to meet.
        let settled = if self.has_settled() { 2 * Self::PATIENCE } else { Self::PATIENCE };
        if rounds == settled {
            let leader = self.plans.drain(..).next();
            self.earlier.extend(leader.filter(|leader| !self.earlier.contains(leader)));
            self.leader = (None, 0);
            self.youth = Self::YOUTH;
        } else if rounds == Self::PATIENCE {
            for plan in self.earlier.clone() {
                self.offer(program, &plan);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Variable};

    const POSTS: u32 = 120;

    /// A program whose later posts cost more.
    fn program() -> Program {
        let costs = (0..POSTS).map(f64::from).collect();
        Program::new(Aim::LeastCost { costs, coverage: 0.0 }, vec![Variable { most: 1 }; POSTS as usize])
    }

    /// Forty units side by side from a post on: alike where the first is no more than two posts apart.
    fn plan(first: u32) -> Vec<u32> {
        (0..POSTS).map(|post| u32::from((first..first + 40).contains(&post))).collect()
    }

    #[test]
    fn of_plans_that_are_alike_the_better_stays() {
        let (program, mut pool) = (program(), Pool::default());
        [12, 9, 20, 9, 22].iter().for_each(|first| pool.offer(&program, &plan(*first)));
        assert_eq!(pool.plans, [9, 12, 20].map(plan), "each once, the best first, and 22 is like 20 and worse");
        pool.offer(&program, &plan(18));
        assert_eq!(pool.plans, [9, 12, 18].map(plan), "18 is like 20 and better");
        (0..26).for_each(|step| pool.offer(&program, &plan(3 * step)));
        assert_eq!(pool.plans.len(), Pool::SIZE);
        assert_eq!(pool.plans[..2], [0, 3].map(plan));
    }

    #[test]
    fn a_settled_population_meets_earlier_ones_and_makes_room() {
        let (program, mut pool) = (program(), Pool::default());
        let settle = |pool: &mut Pool, rounds: u32| (0..rounds).for_each(|_| pool.age(&program));
        pool.offer(&program, &plan(5));
        pool.offer(&program, &plan(15));
        settle(&mut pool, Pool::PATIENCE);
        assert!(!pool.is_young() && !pool.has_settled(), "the first round only sees who is best");
        settle(&mut pool, 1);
        assert!(pool.plans.is_empty() && pool.is_young() && pool.has_settled(), "a new population begins");
        pool.offer(&program, &plan(25));
        settle(&mut pool, Pool::YOUTH - 1);
        assert!(pool.is_young(), "and gathers plans");
        settle(&mut pool, 1);
        assert!(!pool.is_young(), "until it is grown");
        settle(&mut pool, Pool::PATIENCE - Pool::YOUTH);
        assert_eq!(pool.plans, [plan(25)], "still by itself");
        settle(&mut pool, 1);
        assert_eq!(pool.plans, [5, 25].map(plan), "the best of the first population comes in");
        settle(&mut pool, 2 * Pool::PATIENCE + 1);
        assert!(
            pool.plans.is_empty() && pool.earlier == [5].map(plan),
            "a third begins; the first had led this one, too"
        );
    }
}
