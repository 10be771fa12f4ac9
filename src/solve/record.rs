//! News of values and bounds turned into the best of each, with the time at which they came.

use std::time::Instant;

use super::multipliers::Multipliers;
use super::pool::Pool;
use super::rescue::{Kept, Rescue};
use super::search::Walked;
use super::{BOUND_SLACK, Progress, StopReason, Watch, gap, steps};
use crate::model::{Aim, Program};
use crate::scenario::Options;

/// What was known at a moment of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Since the search began.
    pub seconds: f64,
    /// The method that brought the news.
    pub method: &'static str,
    /// Objective of the best plan.
    pub value: Option<f64>,
    /// Proven bound.
    pub bound: Option<f64>,
}

/// How the work ended; plan and bound are in the record.
pub(super) struct Ending {
    pub(super) is_infeasible: bool,
    /// `None` when all was done that was to do.
    pub(super) stop_reason: Option<StopReason>,
    pub(super) nodes: u64,
    pub(super) variables: usize,
    pub(super) rows: usize,
    pub(super) method: &'static str,
    pub(super) reductions: Vec<(&'static str, usize)>,
}

impl Ending {
    /// That of a solver that gave no answer.
    pub(super) fn failed(program: &Program) -> Self {
        Self {
            is_infeasible: false,
            stop_reason: Some(StopReason::Error),
            nodes: 0,
            variables: program.variables.len(),
            rows: program.rows.len(),
            method: "search",
            reductions: Vec::new(),
        }
    }
}

/// The best plan and bound so far.
pub(super) struct Record<'a> {
    pub(super) program: &'a Program,
    options: Options,
    pub(super) watch: &'a Watch<'a>,
    rescue: &'a Rescue<'a>,
    pub(super) begun: Instant,
    pub(super) best: Option<Vec<u32>>,
    pub(super) value: Option<f64>,
    pub(super) bound: Option<f64>,
    /// The prices behind the bound, and the bound that they prove.
    pub(super) certificate: Option<(Multipliers, f64)>,
    /// What merging draws from.
    pub(super) pool: Pool,
    pub(super) trace: Vec<Moment>,
    /// What went wrong in the solver, in words.
    pub(super) faults: Vec<String>,
}

impl<'a> Record<'a> {
    pub(super) fn new(
        program: &'a Program,
        options: &Options,
        watch: &'a Watch<'a>,
        rescue: &'a Rescue<'a>,
        begun: Instant,
    ) -> Self {
        Self {
            program,
            options: *options,
            watch,
            rescue,
            begun,
            best: None,
            value: None,
            bound: None,
            certificate: None,
            pool: Pool::default(),
            trace: Vec::new(),
            faults: rescue.faults.clone(),
        }
    }

    /// Keeps values that keep every rule and beat the best.
    pub(super) fn offer(&mut self, method: &'static str, values: &[u32]) {
        let is_better = self.best.as_ref().is_none_or(|best| self.program.is_better(values, best));
        if is_better && self.program.broken_rule(values).is_none() {
            self.best = Some(values.to_vec());
            self.value = Some(self.program.objective(values));
            (self.rescue.keep)(Kept::Values(values));
            self.tell(method, 0);
            self.note(method);
        }
    }

    /// Keeps the best that a walk came by.
    pub(super) fn offer_walk(&mut self, walk: &Walked) {
        self.offer("search", &walk.best);
        self.offer("search", &walk.last);
    }

    /// Keeps a bound that is closer than the one before, with the prices that prove it.
    pub(super) fn prove(&mut self, method: &'static str, bound: f64, prices: Option<Multipliers>) {
        let is_closer = self.bound.is_none_or(|before| match self.program.aim {
            Aim::MostValue => bound < before,
            Aim::LeastCost { .. } => bound > before,
        });
        if is_closer {
            self.bound = Some(bound);
            if let Some(prices) = prices {
                (self.rescue.keep)(Kept::Prices(&prices));
                self.certificate = Some((prices, bound));
            }
            self.tell(method, 0);
            self.note(method);
        }
    }

    /// Takes in a bound on the plans that are better than the best, after so many questions.
    pub(super) fn hear_of_better(&mut self, method: &'static str, bound: f64, nodes: u64) {
        self.prove(method, self.at_best(steps::attainable(self.program, bound)), None);
        self.tell(method, nodes);
    }

    /// True after Ctrl-C or the time limit.
    pub(super) fn is_over(&self) -> bool {
        self.clock()()
    }

    /// Says the same to other threads, and while the record is written to.
    pub(super) fn clock(&self) -> impl Fn() -> bool + Copy + Sync + use<'a> {
        self.watch.clock(self.begun, self.options.time_limit_s)
    }

    /// True when the gap asked for is reached, or nothing is left to prove.
    pub(super) fn is_done(&self) -> bool {
        let (Some(value), Some(bound)) = (self.value, self.bound) else { return false };
        let is_passed = match self.program.aim {
            Aim::MostValue => bound <= value,
            Aim::LeastCost { .. } => bound >= value,
        };
        is_passed || gap(value, bound) <= self.options.gap.max(super::OPTIMAL_GAP)
    }

    /// Takes news of one model for HiGHS in, of the whole program or of what may hold better plans.
    pub(super) fn hear(&mut self, values: Option<&[u32]>, bound: Option<f64>, nodes: u64) {
        if let Some(values) = values {
            self.offer("compact", values);
        }
        match bound {
            Some(bound) if self.contradicts(bound) => {
                self.blame(format!(
                    "HiGHS says that nothing is better than {bound}, but a plan is: its bound is not used"
                ));
            }
            Some(bound) => self.prove("compact", self.at_best(bound), None),
            None => {}
        }
        self.tell("compact", nodes);
    }

    /// Why the search ended before all was done that was to do; `None` where it was.
    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        if self.is_done() || !self.is_over() {
            return None;
        }
        Some(if self.watch.is_stopped() { StopReason::Interrupted } else { StopReason::TimeLimit })
    }

    /// Notes what went wrong in the solver.
    pub(super) fn blame(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// True where the best plan is better, by more than rounding explains, than a bound allows.
    pub(super) fn contradicts(&self, bound: f64) -> bool {
        self.value.is_some_and(|value| {
            let slack = BOUND_SLACK * value.abs().max(1.0);
            match self.program.aim {
                Aim::MostValue => bound < value - slack,
                Aim::LeastCost { .. } => bound > value + slack,
            }
        })
    }

    /// A bound on part of the plans, made one on all: those left out are no better than the best.
    pub(super) fn at_best(&self, bound: f64) -> f64 {
        match (&self.program.aim, self.value) {
            (Aim::MostValue, Some(value)) => bound.max(value),
            (Aim::LeastCost { .. }, Some(value)) => bound.min(value),
            (_, None) => bound,
        }
    }

    /// Seconds until the time limit.
    pub(super) fn left_s(&self) -> f64 {
        self.options.time_limit_s - self.elapsed_s()
    }

    pub(super) fn elapsed_s(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Hands the state on to who watches.
    pub(super) fn tell(&self, method: &'static str, nodes: u64) {
        (self.watch.report)(Progress {
            stage: "solve",
            seconds: self.elapsed_s(),
            value: self.value,
            bound: self.bound,
            nodes,
            method,
        });
    }

    fn note(&mut self, method: &'static str) {
        let seconds = self.elapsed_s();
        self.trace.push(Moment { seconds, method, value: self.value, bound: self.bound });
    }
}
