//! A question turned into an answer of the cuts' model, with cuts that it learns, and a bound.

use std::collections::BTreeMap;

use crate::model::{Program, TermGroup};
use crate::reduce::{self, Precedence};
use crate::solve::bins::Partition;
use crate::solve::frame::{Frame, TOTAL};
use crate::solve::goal::Goal;
use crate::solve::joint::Joint;
use crate::solve::layout::Layout;
use crate::solve::master::{Answer, Master, Solved};
use crate::solve::multipliers::Proof;
use crate::solve::odd;
use crate::solve::question::Within;

/// What all questions of a tree have in common.
pub(super) struct Asking<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout<'a>,
    pub(super) bins: Partition<'a>,
    /// Bin of each set, where each has one for itself.
    pub(super) singles: BTreeMap<u32, usize>,
    /// What sets whose levels rise earn with less than all of their levels, and with all, in [`TOTAL`].
    pub(super) ends: BTreeMap<u32, (f64, f64)>,
    /// Variables that have units only where others are full.
    pub(super) order: Vec<Precedence>,
    /// True where a further unit may earn more than the one before it.
    pub(super) is_rising: bool,
}

/// How long a question is asked.
#[derive(Clone, Copy)]
pub(super) struct Rounds {
    /// Rounds of cuts and rows.
    pub(super) most: u32,
    /// Part of the gap that they have to close in the end: they stop where that is not to be hoped for.
    pub(super) least: f64,
}

/// How a question ended.
pub(super) enum Found {
    /// With an answer and what it proves.
    Answer(Box<(Answer, Proof)>),
    /// No values keep the rows and the ranges of the variables.
    Nothing,
    /// HiGHS failed or had to stop.
    Failed,
}

impl<'a> Asking<'a> {
    /// `singles` are the bins of sets that have one each for themselves, or none where they are of no use.
    pub(super) fn new(
        layout: &'a Layout<'a>,
        bins: Partition<'a>,
        singles: BTreeMap<u32, usize>,
        is_over: &dyn Fn() -> bool,
    ) -> Self {
        let program = layout.program;
        let order = reduce::precedences(program, is_over);
        let rising = program.groups.iter().filter(|group: &&TermGroup| !group.is_concave());
        let single = |set: u32| singles.get(&set).map(|bin| (set, bins.ends(program, *bin)));
        let ends = rising.flat_map(|group| &group.terms).filter_map(|term| single(term.set)).collect();
        Self { program, layout, order, is_rising: program.is_rising(), singles, ends, bins }
    }

    /// How many items there are to branch on: variables, and after them sets.
    pub(super) fn items(&self) -> usize {
        self.program.variables.len() + self.program.sets.len()
    }

    /// Makes a cuts' model that of these values.
    pub(super) fn put(&self, within: &Within, master: &mut Master) {
        let held = |(set, is_full): (&u32, &bool)| {
            let (less, all) = self.ends[set];
            (self.singles[set], if *is_full { (all, all) } else { (0.0, less) })
        };
        master.hold(within.decided.iter().map(held).collect(), &self.bins);
        master.set_ranges(&within.ranges);
    }

    /// The answer of a cuts' model for these values, after rounds of cuts, and what it proves.
    pub(super) fn found(
        &self,
        within: &Within,
        rounds: Rounds,
        goal: &Goal<'_>,
        master: &mut Master,
        is_over: &dyn Fn() -> bool,
    ) -> Found {
        if is_over() {
            return Found::Failed;
        }
        self.put(within, master);
        match self.relaxed(rounds, goal, master, is_over) {
            Solved::Optimal(answer) => {
                let values = (within.ranges.as_slice(), Some(&within.decided));
                let proof = master.proof(self.program, &self.bins, &answer, values);
                Found::Answer(Box::new((answer, proof)))
            }
            Solved::Infeasible if !is_over() => Found::Nothing,
            Solved::Infeasible | Solved::Failed => Found::Failed,
        }
    }

    fn relaxed(&self, rounds: Rounds, goal: &Goal<'_>, master: &mut Master, is_over: &dyn Fn() -> bool) -> Solved {
        /// A cut has to be broken by so much, relative to what its bin is worth.
        const BROKEN: f64 = 1e-6;
        /// Rounds, and the part of what is left open that so many of them have to close. Rows on three sets bring most of what they
        /// can at once.
        const RISING: (usize, f64) = (8, 0.02);
        const PLAIN: (usize, f64) = (3, 0.01);
        /// All later rounds together close at most so many times what the last one did.
        const AHEAD: f64 = 3.0;
        let (patience, least) = if self.is_rising { RISING } else { PLAIN };
        let mut solved = master.solve(is_over);
        let mut heights: Vec<f64> = Vec::new();
        for _ in 0..rounds.most {
            let Solved::Optimal(answer) = &solved else { break };
            let height = self.height_of(answer);
            let before = heights.len().checked_sub(patience).map(|place| heights[place]);
            let is_stuck = before.is_some_and(|before| before - height < least * (height - goal.best()));
            let is_in_vain = heights.first().zip(heights.last()).is_some_and(|(first, last)| {
                rounds.least > 0.0 && first - height + AHEAD * (last - height) < rounds.least * (first - goal.best())
            });
            if is_stuck || is_in_vain || goal.is_hopeless(height) {
                break;
            }
            heights.push(height);
            let broken = self.bins.broken(answer, BROKEN);
            let odd = self.odd(answer);
            if broken.is_empty() && odd.is_empty() {
                break;
            }
            broken.into_iter().for_each(|cut| master.add(cut));
            odd.into_iter().for_each(|joint| master.add_joint(joint, |set| self.bin_of(set)));
            solved = master.solve(is_over);
        }
        solved
    }

    /// Rows on three sets that an answer breaks.
    fn odd(&self, answer: &Answer) -> Vec<Joint> {
        odd::broken(self.layout, &self.earned(answer), &answer.items)
    }

    /// What each set earns that has a bin for itself, in the objective's units.
    pub(super) fn earned(&self, answer: &Answer) -> Vec<(u32, f64)> {
        self.singles.iter().map(|(set, bin)| (*set, answer.earned(*bin) / TOTAL)).collect()
    }

    /// The bin that a set has for itself.
    pub(super) fn bin_of(&self, set: u32) -> usize {
        self.singles[&set]
    }

    /// The objective of an answer, so turned that more is weaker.
    pub(super) fn height_of(&self, answer: &Answer) -> f64 {
        self.height_at(answer.objective)
    }

    /// An objective of the cuts' model, so turned that more is weaker.
    pub(super) fn height_at(&self, objective: f64) -> f64 {
        -objective / Frame::scale(self.program)
    }
}
