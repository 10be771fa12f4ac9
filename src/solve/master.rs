//! The model that learns: variables, rows, and a number for what each bin earns, bounded by the cuts so far.

mod sharing;

use std::collections::BTreeMap;
use std::sync::Arc;

use highs::{Col, HighsModelStatus};

use super::bins::{Cut, Partition};
use super::bundles::Bundles;
use super::frame::{self, Frame, FrameRows, TOTAL};
use super::highs_ffi::{self, Basis, Ended, Live};
use super::joint::{Joint, PricedJoint};
use super::multipliers::{Decided, Multipliers, Proof};
use crate::model::Program;

pub(super) use self::sharing::Masters;

/// The model that learns.
pub(super) struct Master {
    model: Option<Live>,
    items: Vec<Col>,
    bins: Vec<Col>,
    /// Rows that are no cuts.
    frame_rows: FrameRows,
    cuts: Vec<Kept>,
    /// Least and most of each variable.
    ranges: Vec<(u32, u32)>,
    /// Bins that are held between two numbers.
    held: BTreeMap<usize, (f64, f64)>,
    /// How often cuts were taken away.
    forgotten: u32,
    /// Steps of the simplex method so far, each times the rows and columns that it looked at.
    pub(super) work: u64,
}

/// A cut that the master has.
struct Kept {
    learnt: Arc<Learnt>,
    /// Its number: masters that share what they learn have the same cuts with the same numbers, each in an order of its own.
    number: usize,
    /// How many answers ago it last bound.
    idle: u32,
}

/// What a row of the master says.
enum Learnt {
    /// What a bin earns at most.
    Plane(Cut),
    /// What several sets earn together at most; their bins with the factors of these, and how many times the row stands in the
    /// model.
    Joint(Joint, Vec<(usize, f64)>, f64),
}

impl Learnt {
    fn joint(joint: Joint, bin_of: impl Fn(u32) -> usize) -> Self {
        let largest = joint.sets.iter().fold(f64::MIN_POSITIVE, |largest, (_, factor)| largest.max(*factor));
        let times = TOTAL / largest;
        let bin = |(set, factor): &(u32, f64)| (bin_of(*set), times * factor / TOTAL);
        let mut bins: Vec<(usize, f64)> = joint.sets.iter().map(bin).collect();
        bins.sort_unstable_by_key(|(bin, _)| *bin);
        bins.dedup_by_key(|(bin, _)| *bin);
        Self::Joint(joint, bins, times)
    }
}

/// A basis with its cuts by number, good as long as no cut is taken away.
pub(super) struct Place {
    basis: Basis,
    forgotten: u32,
}

/// What the master says.
#[derive(Clone)]
pub(super) struct Answer {
    /// To be minimised.
    pub(super) objective: f64,
    pub(super) items: Vec<f64>,
    earned: Vec<f64>,
    duals: Vec<f64>,
}

impl Answer {
    /// True where the answer earns more than a cut allows, by more than `slack`.
    pub(super) fn breaks(&self, cut: &Cut, slack: f64) -> bool {
        self.earned[cut.bin] > cut.at(&self.items) + slack
    }

    /// A point on the way to the answer from where rows were asked for before: rows that are broken there, are broken by the
    /// answer, too, and it takes fewer of them until none is.
    ///
    /// # Source
    /// Smoothing of points in cutting planes: Neame 2000.
    fn calmed(&self, before: Option<&Self>) -> Self {
        /// Part of the way.
        const PART: f64 = 0.3;
        let Some(before) = before else {
            return self.clone();
        };
        let near = |from: &[f64], to: &[f64]| from.iter().zip(to).map(|(from, to)| from + PART * (to - from)).collect();
        Self {
            objective: before.objective + PART * (self.objective - before.objective),
            items: near(&before.items, &self.items),
            earned: near(&before.earned, &self.earned),
            duals: Vec::new(),
        }
    }

    /// Rows that are broken on the way from where rows were asked for before; where none is, those that the answer itself breaks.
    /// `calm` becomes where they were asked for.
    pub(super) fn rows_on_the_way(
        &self,
        calm: &mut Option<Self>,
        mut broken: impl FnMut(&Self) -> Vec<Joint>,
    ) -> Vec<Joint> {
        let mut point = self.calmed(calm.as_ref());
        let mut rows = broken(&point);
        if rows.is_empty() && calm.is_some() {
            point.clone_from(self);
            rows = broken(&point);
        }
        *calm = Some(point);
        rows
    }

    /// What a bin earns.
    pub(super) fn earned(&self, bin: usize) -> f64 {
        self.earned[bin]
    }
}

/// How the master's linear program ended.
pub(super) enum Solved {
    Optimal(Answer),
    /// No values keep the rows and the ranges of the variables.
    Infeasible,
    /// HiGHS failed or had to stop.
    Failed,
}

impl Master {
    /// Without cuts; `most` says how large each variable can be.
    pub(super) fn new(program: &Program, bundles: &Bundles, bins: &Partition<'_>, most: &[u32]) -> Option<Self> {
        let mut frame = Frame::new(program, bundles, most);
        let cost = if frame.is_single() { -1.0 } else { 0.0 };
        let columns: Vec<Col> = bins.bins.iter().map(|bin| frame.problem.add_column(cost, 0.0..=bin.worth)).collect();
        let mut parts = vec![Vec::new(); program.parts];
        bins.bins.iter().zip(&columns).for_each(|(bin, column)| parts[bin.part].push((*column, 1.0)));
        frame.add_parts(parts);
        let items = frame.items.clone();
        let (problem, frame_rows) = frame.finished();
        let model = highs_ffi::linear(problem, &[("solver", "simplex"), ("presolve", "off")])?;
        let ranges = most.iter().map(|most| (0, *most)).collect();
        Some(Self {
            model: Some(model),
            items,
            bins: columns,
            frame_rows,
            cuts: Vec::new(),
            ranges,
            held: BTreeMap::new(),
            forgotten: 0,
            work: 0,
        })
    }

    /// Adds a cut; the basis of the last answer stays.
    pub(super) fn add(&mut self, cut: Cut) {
        self.learn(Arc::new(Learnt::Plane(cut)), self.cuts.len());
    }

    /// Adds a row on several sets, all those of some bins; the factors of those that share one are alike.
    pub(super) fn add_joint(&mut self, joint: Joint, bin_of: impl Fn(u32) -> usize) {
        self.learn(Arc::new(Learnt::joint(joint, bin_of)), self.cuts.len());
    }

    /// Adds what was learnt, here or elsewhere.
    fn learn(&mut self, learnt: Arc<Learnt>, number: usize) {
        let (most, row) = self.row(&learnt);
        // A row that HiGHS does not take leaves the bound as true as it was, but the duals would be out of step.
        if self.model.as_mut().is_none_or(|model| model.try_add_row(..=most, row).is_err()) {
            self.model = None;
        }
        self.cuts.push(Kept { learnt, number, idle: 0 });
    }

    /// Learns all that another has learnt, as the first it learns.
    fn follow(&mut self, other: &Self) {
        other.cuts.iter().for_each(|cut| self.learn(Arc::clone(&cut.learnt), cut.number));
        self.forgotten = other.forgotten;
    }

    /// The row of the model that says so.
    fn row(&self, learnt: &Learnt) -> (f64, Vec<(Col, f64)>) {
        match learnt {
            Learnt::Plane(cut) => {
                let factors = cut.factors.iter().map(|(item, factor)| (self.items[*item as usize], -factor));
                (cut.constant, factors.chain([(self.bins[cut.bin], 1.0)]).collect())
            }
            Learnt::Joint(joint, bins, times) => {
                let factors = joint.factors.iter();
                let factors = factors.map(|(variable, factor)| (self.items[*variable as usize], -times * factor));
                let bins = bins.iter().map(|(bin, factor)| (self.bins[*bin], *factor));
                (times * joint.most, factors.chain(bins).collect())
            }
        }
    }

    /// Holds each variable between two numbers.
    pub(super) fn set_ranges(&mut self, ranges: &[(u32, u32)]) {
        let Some(model) = &mut self.model else { return };
        for ((column, range), before) in self.items.iter().zip(ranges).zip(&mut self.ranges) {
            if range != before {
                model.change_column_bounds(*column, f64::from(range.0)..=f64::from(range.1));
                *before = *range;
            }
        }
    }

    /// Holds what some bins earn between two numbers each, and no others.
    pub(super) fn hold(&mut self, held: BTreeMap<usize, (f64, f64)>, bins: &Partition<'_>) {
        let Some(model) = &mut self.model else { return };
        let changed = self.held.keys().chain(held.keys()).filter(|bin| self.held.get(bin) != held.get(bin));
        for bin in changed {
            let (least, most) = held.get(bin).copied().unwrap_or((0.0, bins.bins[*bin].worth));
            model.change_column_bounds(self.bins[*bin], least..=most);
        }
        self.held = held;
    }

    /// Number of cuts.
    pub(super) fn cuts(&self) -> usize {
        self.cuts.len()
    }

    /// Takes away cuts that did not bind in the last `patience` answers; `answer`, if it is still of use, forgets them, too.
    pub(super) fn forget(&mut self, patience: u32, answer: Option<&mut Answer>) {
        let is_gone: Vec<bool> = self.cuts.iter().map(|cut| cut.idle >= patience).collect();
        if let Some(answer) = answer {
            let mut gone = std::iter::repeat_n(&false, self.frame_rows.count).chain(&is_gone);
            answer.duals.retain(|_| gone.next() != Some(&true));
        }
        self.take_away(&is_gone);
    }

    /// Takes away cuts.
    fn take_away(&mut self, is_gone: &[bool]) {
        self.forgotten += 1;
        let first = self.frame_rows.count;
        if !self.model.as_mut().is_some_and(|model| highs_ffi::delete_rows(model, first, is_gone)) {
            self.model = None;
        }
        let mut gone = is_gone.iter();
        self.cuts.retain(|_| gone.next() != Some(&true));
        // Numbers without gaps, in the order that they had: the same in all masters with the same cuts.
        let mut left: Vec<&mut usize> = self.cuts.iter_mut().map(|cut| &mut cut.number).collect();
        left.sort_unstable();
        (0..).zip(left).for_each(|(number, left)| *left = number);
    }

    /// Where the last answer was found.
    pub(super) fn place(&mut self) -> Option<Place> {
        let mut basis = highs_ffi::basis(self.model.as_mut()?)?;
        let (_, of_cuts) = basis.rows.split_at_mut_checked(self.frame_rows.count)?;
        let in_order = of_cuts.to_vec();
        self.cuts.iter().zip(in_order).for_each(|(cut, of_cut)| of_cuts[cut.number] = of_cut);
        Some(Place { basis, forgotten: self.forgotten })
    }

    /// Begins the next search for an answer there; where that is not possible, where the last one ended.
    pub(super) fn start_at(&mut self, place: &Place) {
        if let Some(model) = self.model.as_mut().filter(|_| place.forgotten == self.forgotten) {
            let Basis { columns, rows } = &place.basis;
            let (of_frame, of_cuts) = rows.split_at(self.frame_rows.count);
            // Cuts that came since do not bind there.
            let of_cut = |cut: &Kept| of_cuts.get(cut.number).copied().unwrap_or(highs_ffi::BASIC);
            let rows: Vec<u8> = of_frame.iter().copied().chain(self.cuts.iter().map(of_cut)).collect();
            // Any basis will do.
            let _refused = highs_ffi::set_basis(model, columns, &rows);
        }
    }

    /// The prices that an answer amounts to.
    pub(super) fn prices(&self, program: &Program, bins: &Partition<'_>, answer: &Answer) -> Multipliers {
        let planes = self.priced(answer).filter_map(|(learnt, dual)| match learnt {
            Learnt::Plane(cut) => Some((cut, dual)),
            Learnt::Joint(..) => None,
        });
        frame::multipliers(program, &answer.duals, &self.frame_rows, bins.prices(program, planes))
    }

    /// The bound that an answer amounts to for values within these ranges with which sets earn what is decided; and what it says of
    /// each variable and set.
    pub(super) fn proof(
        &self,
        program: &Program,
        bins: &Partition<'_>,
        answer: &Answer,
        (ranges, decided): (&[(u32, u32)], Option<&Decided>),
    ) -> Proof {
        let joints = self.joints(program, answer);
        self.prices(program, bins, answer).ledger(program, ranges, &joints, decided).proof(program, ranges)
    }

    /// What was learnt, with its duals in an answer.
    fn priced<'a>(&'a self, answer: &'a Answer) -> impl Iterator<Item = (&'a Learnt, f64)> {
        let duals = &answer.duals[self.frame_rows.count..];
        self.cuts.iter().zip(duals).map(|(cut, dual)| (&*cut.learnt, *dual))
    }

    /// The prices on rows of several sets.
    fn joints(&self, program: &Program, answer: &Answer) -> Vec<PricedJoint> {
        let scale = Frame::scale(program);
        let priced = self.priced(answer).filter_map(|(learnt, dual)| match learnt {
            Learnt::Joint(joint, _, times) if dual < 0.0 => {
                Some(PricedJoint { joint: joint.clone(), price: -dual * times / scale })
            }
            _ => None,
        });
        priced.collect()
    }

    /// Solves the linear program from its last basis; once more from none where that leads to no answer, or to the word that
    /// there is none.
    pub(super) fn solve(&mut self, is_over: &dyn Fn() -> bool) -> Solved {
        match self.attempt(is_over) {
            Solved::Optimal(answer) => Solved::Optimal(answer),
            doubtful => {
                let is_cleared = !is_over() && self.model.as_mut().is_some_and(|model| highs_ffi::clear_basis(model));
                if is_cleared { self.attempt(is_over) } else { doubtful }
            }
        }
    }

    /// As [`Self::solve`], by the interior-point method with crossover to a basis: where there is no basis yet, quicker.
    pub(super) fn solve_anew(&mut self, is_over: &dyn Fn() -> bool) -> Solved {
        self.set_options(&[("solver", "ipm"), ("run_crossover", "on"), ("presolve", "on")]);
        let solved = self.attempt(is_over);
        self.set_options(&[("solver", "simplex"), ("presolve", "off")]);
        match solved {
            Solved::Optimal(answer) => Solved::Optimal(answer),
            _ => self.solve(is_over),
        }
    }

    fn set_options(&mut self, options: &[(&str, &str)]) {
        let Some(model) = &mut self.model else { return };
        if options.iter().any(|(option, value)| model.try_set_option(*option, *value).is_err()) {
            self.model = None;
        }
    }

    /// The objective within so many steps of the simplex method on the way to an answer, about; infinite where there is no answer,
    /// and minus infinity where HiGHS failed or had to stop.
    pub(super) fn glimpse(&mut self, steps: i32, is_over: &dyn Fn() -> bool) -> f64 {
        self.limit_steps(steps);
        let ended = self.rerun(is_over);
        self.limit_steps(i32::MAX);
        match ended.map(|ended| (ended.status, ended.objective)) {
            Some((HighsModelStatus::Infeasible, _)) => f64::INFINITY,
            Some((HighsModelStatus::Optimal | HighsModelStatus::ReachedIterationLimit, objective)) => objective,
            _ => f64::NEG_INFINITY,
        }
    }

    fn limit_steps(&mut self, steps: i32) {
        let Some(model) = &mut self.model else { return };
        if model.try_set_option("simplex_iteration_limit", steps).is_err() {
            self.model = None;
        }
    }

    /// Runs the model once more, and counts the work.
    fn rerun(&mut self, is_over: &dyn Fn() -> bool) -> Option<Ended> {
        let ended = highs_ffi::rerun(&mut self.model, is_over)?;
        let size = self.items.len() + self.bins.len() + self.frame_rows.count + self.cuts.len();
        self.work += ended.steps * size as u64;
        Some(ended)
    }

    /// Solves the linear program from its last basis.
    fn attempt(&mut self, is_over: &dyn Fn() -> bool) -> Solved {
        let Some(Ended { status, objective, columns, duals, .. }) = self.rerun(is_over) else {
            return Solved::Failed;
        };
        if status == HighsModelStatus::Infeasible {
            return Solved::Infeasible;
        }
        if status != HighsModelStatus::Optimal || duals.len() != self.frame_rows.count + self.cuts.len() {
            return Solved::Failed;
        }
        for (cut, dual) in self.cuts.iter_mut().zip(&duals[self.frame_rows.count..]) {
            cut.idle = if *dual < 0.0 { 0 } else { cut.idle + 1 };
        }
        let (items, others) = columns.split_at(self.items.len());
        let (items, earned) = (items.to_vec(), others[..self.bins.len()].to_vec());
        Solved::Optimal(Answer { objective, items, earned, duals })
    }
}
