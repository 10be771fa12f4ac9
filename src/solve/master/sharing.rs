//! Questions turned into what models that learn say of them, side by side, each model with all that the others learnt.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Learnt, Master, Place};
use crate::solve::bins::Cut;
use crate::solve::joint::Joint;

/// Masters of one program that share what they learn, so that questions are asked side by side: the same cuts, each in an order of
/// its own.
pub(in crate::solve) struct Masters(Vec<Master>);

impl Masters {
    /// One, which is asked where there is one question.
    pub(in crate::solve) fn new(first: Master) -> Self {
        Self(vec![first])
    }

    /// One more, of the same program, which has learnt nothing yet.
    pub(in crate::solve) fn widen(&mut self, mut other: Master) {
        other.follow(&self.0[0]);
        self.0.push(other);
    }

    /// Puts others, which have learnt nothing yet, in the place of those in which HiGHS failed; `None` where there are none.
    pub(in crate::solve) fn mend(&mut self, other: impl Fn() -> Option<Master>) -> Option<()> {
        for broken in self.0.iter_mut().filter(|master| master.model.is_none()) {
            let mut other = other()?;
            other.follow(broken);
            *broken = other;
        }
        Some(())
    }

    /// How many there are.
    pub(in crate::solve) fn count(&self) -> usize {
        self.0.len()
    }

    /// How much work it was so far for the first to find answers.
    pub(in crate::solve) fn work(&self) -> u64 {
        self.0[0].work
    }

    /// Number of cuts.
    pub(in crate::solve) fn cuts(&self) -> usize {
        self.0[0].cuts()
    }

    /// Adds a cut to all.
    pub(in crate::solve) fn add(&mut self, cut: Cut) {
        self.learn(&Arc::new(Learnt::Plane(cut)));
    }

    /// Adds a row on several sets to all.
    pub(in crate::solve) fn add_joint(&mut self, joint: Joint, bin_of: impl Fn(u32) -> usize) {
        self.learn(&Arc::new(Learnt::joint(joint, bin_of)));
    }

    fn learn(&mut self, learnt: &Arc<Learnt>) {
        let number = self.cuts();
        self.0.iter_mut().for_each(|master| master.learn(Arc::clone(learnt), number));
    }

    /// What asking each of them one question leads to, side by side; all learn what each learnt. There are as many questions as
    /// masters at most.
    pub(in crate::solve) fn ask<Question: Sync, Found: Send>(
        &mut self,
        questions: &[Question],
        ask: impl Fn(&mut Master, &Question) -> Found + Sync,
    ) -> Vec<Found> {
        let shared = self.cuts();
        let found = if let [question] = questions {
            vec![ask(&mut self.0[0], question)]
        } else {
            self.0.par_iter_mut().zip(questions).map(|(master, question)| ask(master, question)).collect()
        };
        self.share(shared, questions.len());
        found
    }

    /// Where each of so many of them found its last answer.
    pub(in crate::solve) fn places(&mut self, count: usize) -> Vec<Option<Place>> {
        self.0.iter_mut().take(count).map(Master::place).collect()
    }

    /// Makes all know what each of the first, which were asked, has learnt since they shared so many cuts.
    fn share(&mut self, shared: usize, asked: usize) {
        if self.count() == 1 {
            return;
        }
        let learnt = |master: &Master| master.cuts[shared..].iter().map(|cut| Arc::clone(&cut.learnt)).collect();
        let news: Vec<Vec<Arc<Learnt>>> = self.0.iter().map(learnt).collect();
        for (own, master) in self.0.iter_mut().enumerate() {
            let mut next = shared;
            for (other, news) in news.iter().enumerate() {
                let numbers = next..next + news.len();
                next = numbers.end;
                if other == own {
                    let own_cuts = master.cuts[shared..].iter_mut().zip(numbers);
                    own_cuts.for_each(|(cut, number)| cut.number = number);
                } else {
                    news.iter().zip(numbers).for_each(|(learnt, number)| master.learn(Arc::clone(learnt), number));
                }
            }
        }
        // Who was not asked does not know what binds.
        let mut idle = vec![0; self.cuts()];
        self.0[0].cuts.iter().for_each(|cut| idle[cut.number] = cut.idle);
        let others = self.0.iter_mut().skip(asked.max(1)).flat_map(|master| &mut master.cuts);
        others.for_each(|cut| cut.idle = idle[cut.number]);
    }

    /// Takes away cuts that did not bind in the last answers of each, `patience` of all of them together.
    pub(in crate::solve) fn forget(&mut self, patience: u32) {
        let each = patience.div_ceil(u32::try_from(self.count()).unwrap_or(u32::MAX));
        let mut is_idle = vec![true; self.cuts()];
        for cut in self.0.iter().flat_map(|master| &master.cuts) {
            is_idle[cut.number] &= cut.idle >= each;
        }
        for master in &mut self.0 {
            let is_gone: Vec<bool> = master.cuts.iter().map(|cut| is_idle[cut.number]).collect();
            master.take_away(&is_gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::bins::Partition;
    use crate::solve::bundles::Bundles;
    use crate::solve::layout::Layout;
    use crate::solve::master::{Answer, Solved};
    use crate::solve::trials::{Numbers, program};

    /// What a cut says.
    fn said(learnt: &Learnt) -> String {
        match learnt {
            Learnt::Plane(cut) => format!("{} {} {:?}", cut.bin, cut.constant, cut.factors),
            Learnt::Joint(joint, ..) => format!("{joint:?}"),
        }
    }

    /// Cuts in the order of their numbers.
    fn in_order(master: &Master) -> Vec<String> {
        let mut cuts: Vec<(usize, String)> = master.cuts.iter().map(|cut| (cut.number, said(&cut.learnt))).collect();
        cuts.sort();
        assert!(cuts.iter().enumerate().all(|(place, (number, _))| place == *number), "{cuts:?}");
        cuts.into_iter().map(|(_, cut)| cut).collect()
    }

    /// The answer within ranges after as many cuts as it takes.
    fn answer(bins: &Partition<'_>, master: &mut Master, ranges: &[(u32, u32)]) -> Option<Answer> {
        master.set_ranges(ranges);
        loop {
            let Solved::Optimal(answer) = master.solve(&|| false) else { return None };
            let broken = bins.broken(&answer, 1e-7);
            if broken.is_empty() {
                return Some(answer);
            }
            broken.into_iter().for_each(|cut| master.add(cut));
        }
    }

    /// Those that learn apart know the same in the end, forget the same, and where one is the other can begin.
    #[test]
    fn what_one_learns_all_know() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut apart, mut forgotten, mut continued) = (0, 0, 0);
        for _ in 0..200 {
            let program = program(&mut numbers);
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let (layout, bundles) = (Layout::new(&program), Bundles::new(&program).with_set_sums(most.len()));
            let bins = Partition::new(&layout, &bundles, &most, program.sets.len());
            let master = || Master::new(&program, &bundles, &bins, &most).expect("HiGHS takes small models");
            let mut masters = Masters::new(master());
            let whole: Vec<(u32, u32)> = most.iter().map(|most| (0, *most)).collect();
            masters.ask(&[whole], |master, ranges| answer(&bins, master, ranges));
            masters.widen(master());
            let every = Joint { sets: vec![(0, 1.0)], most: 1.0, factors: vec![(0, 1.0)] };
            masters.add_joint(every.clone(), |_| 0);
            let half = |numbers: &mut Numbers| -> Vec<(u32, u32)> {
                most.iter().map(|most| if numbers.below(3) == 0 { (0, 0) } else { (0, *most) }).collect()
            };
            for _ in 0..3 {
                let halves = [half(&mut numbers), half(&mut numbers)];
                let before = masters.cuts();
                let found = masters.ask(&halves, |master, ranges| {
                    let other = Joint { most: f64::from(ranges[0].1), ..every.clone() };
                    master.add_joint(Joint { most: other.most + 1.0, ..other }, |_| 0);
                    answer(&bins, master, ranges)
                });
                assert_eq!(in_order(&masters.0[0]), in_order(&masters.0[1]), "{program:?}");
                apart += usize::from(masters.cuts() > before);
                // The other way round, from where the other was: nothing is left to do but what rounding leaves.
                let places = masters.places(2);
                let there = halves.iter().zip(found.iter().zip(&places)).rev();
                for (master, (ranges, (known, place))) in masters.0.iter_mut().zip(there) {
                    let (Some(known), Some(place)) = (known, place) else { continue };
                    master.set_ranges(ranges);
                    master.start_at(place);
                    let reached = master.glimpse(50, &|| false);
                    let slack = 1e-6 * known.objective.abs().max(1.0);
                    assert!((reached - known.objective).abs() <= slack, "{reached} {}: {program:?}", known.objective);
                    continued += 1;
                }
                let before = masters.cuts();
                masters.forget(2);
                assert_eq!(in_order(&masters.0[0]), in_order(&masters.0[1]), "{program:?}");
                forgotten += usize::from(masters.cuts() < before);
            }
        }
        assert!(apart >= 50 && forgotten >= 50 && continued >= 200, "{apart} {forgotten} {continued}");
    }
}
