//! Questions turned into what models that learn say of them, side by side, each model with all that the others learnt.

use std::ops::Range;

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
    pub(in crate::solve) fn widen(&mut self, mut other: Master, bin_of: &dyn Fn(u32) -> usize) {
        let first = &self.0[0];
        other.take_in(&first.cuts, bin_of);
        (other.numbers, other.idle) = (first.numbers.clone(), first.idle.clone());
        other.forgotten = first.forgotten;
        self.0.push(other);
    }

    /// How many there are.
    pub(in crate::solve) fn count(&self) -> usize {
        self.0.len()
    }

    /// Number of cuts.
    pub(in crate::solve) fn cuts(&self) -> usize {
        self.0[0].cuts()
    }

    /// Adds a cut to all.
    pub(in crate::solve) fn add(&mut self, cut: &Cut) {
        self.0.iter_mut().for_each(|master| master.add(cut.clone()));
    }

    /// Adds a row on several sets to all.
    pub(in crate::solve) fn add_joint(&mut self, joint: &Joint, bin_of: &dyn Fn(u32) -> usize) {
        self.0.iter_mut().for_each(|master| master.add_joint(joint.clone(), bin_of));
    }

    /// What asking each of them one question leads to, side by side, and where each then is; all learn what each learnt. There are
    /// as many questions as masters at most.
    pub(in crate::solve) fn ask<Question: Sync, Found: Send>(
        &mut self,
        questions: &[Question],
        bin_of: &dyn Fn(u32) -> usize,
        ask: impl Fn(&mut Master, &Question) -> Found + Sync,
    ) -> Vec<(Found, Option<Place>)> {
        let shared = self.cuts();
        let found: Vec<Found> = if let [question] = questions {
            vec![ask(&mut self.0[0], question)]
        } else {
            self.0.par_iter_mut().zip(questions).map(|(master, question)| ask(master, question)).collect()
        };
        self.share(shared, bin_of);
        found.into_iter().zip(&mut self.0).map(|(found, master)| (found, master.place())).collect()
    }

    /// Makes all know what each has learnt since they shared so many cuts.
    fn share(&mut self, shared: usize, bin_of: &dyn Fn(u32) -> usize) {
        let news: Vec<Vec<Learnt>> = self.0.iter().map(|master| master.cuts[shared..].to_vec()).collect();
        let ends = news.iter().scan(shared, |end, news| {
            *end += news.len();
            Some(*end)
        });
        let numbers: Vec<Range<usize>> = ends.zip(&news).map(|(end, news)| end - news.len()..end).collect();
        for (own, master) in self.0.iter_mut().enumerate() {
            master.numbers.truncate(shared);
            master.numbers.extend(numbers[own].clone());
            for other in (0..news.len()).filter(|other| *other != own) {
                master.take_in(&news[other], bin_of);
                master.numbers.truncate(master.cuts.len() - news[other].len());
                master.numbers.extend(numbers[other].clone());
            }
        }
    }

    /// Takes away cuts that did not bind in the last answers of any, about `patience` of all of them together.
    pub(in crate::solve) fn forget(&mut self, patience: u32) {
        let each = patience.div_ceil(u32::try_from(self.count()).unwrap_or(u32::MAX));
        let mut is_idle = vec![true; self.cuts()];
        for master in &self.0 {
            master.numbers.iter().zip(&master.idle).for_each(|(number, idle)| is_idle[*number] &= *idle >= each);
        }
        for master in &mut self.0 {
            let is_gone: Vec<bool> = master.numbers.iter().map(|number| is_idle[*number]).collect();
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
            Learnt::Joint(joint, _) => format!("{joint:?}"),
        }
    }

    /// Cuts in the order of their numbers.
    fn in_order(master: &Master) -> Vec<String> {
        let mut cuts: Vec<(usize, String)> = master.numbers.iter().copied().zip(master.cuts.iter().map(said)).collect();
        cuts.sort();
        assert!(cuts.iter().enumerate().all(|(place, (number, _))| place == *number), "{:?}", master.numbers);
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
            masters.ask(&[()], &|_| 0, |master, ()| {
                answer(&bins, master, &most.iter().map(|most| (0, *most)).collect::<Vec<_>>())
            });
            masters.widen(master(), &|_| 0);
            let half = |numbers: &mut Numbers| -> Vec<(u32, u32)> {
                most.iter().map(|most| if numbers.below(3) == 0 { (0, 0) } else { (0, *most) }).collect()
            };
            for _ in 0..3 {
                let halves = [half(&mut numbers), half(&mut numbers)];
                let before = masters.cuts();
                let found = masters.ask(&halves, &|_| 0, |master, ranges| answer(&bins, master, ranges));
                assert_eq!(in_order(&masters.0[0]), in_order(&masters.0[1]), "{program:?}");
                apart += usize::from(masters.cuts() > before);
                // The other way round, from where the other was: nothing is left to do but what rounding leaves.
                let places: Vec<&Option<Place>> = found.iter().map(|(_, place)| place).collect();
                for (place, ((master, ranges), found)) in
                    masters.0.iter_mut().zip(halves.iter().rev()).zip(found.iter().rev()).enumerate()
                {
                    let (Some(known), Some(there)) = (&found.0, places[1 - place]) else { continue };
                    master.set_ranges(ranges);
                    master.start_at(there);
                    let reached = master.glimpse(&|| false);
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
