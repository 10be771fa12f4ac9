//! A plan that keeps every rule turned into a better one, by annealing over moves of single units.

use fastrand::Rng;
use rayon::prelude::*;

use super::bath::{self, Bath};
use super::ground::BLOCK;
use super::layout::Layout;
use super::state::State;
use crate::model::{Aim, Program};

/// Walks of a round, each with other random numbers; a fixed number, so that answers do not depend on cores.
pub(super) const WALKS: u64 = 4;

/// First and last temperatures as parts of the value of a mean unit, walk by walk in turn.
pub(super) type Heats = [(f64, f64); 2];

/// Of walks that are to better a plan.
pub(super) const NEAR: Heats = [(0.02, 0.003), (0.0075, 0.002)];

/// Of walks before anything but one plan is known: every second is so hot that it can leave that for a better kind.
pub(super) const MIXED: Heats = [(0.02, 0.003), (0.05, 0.002)];

/// Of walks that are to end at plans of other kinds: so hot that little of the start is left.
pub(super) const AFAR: Heats = [(0.03, 0.002), (0.03, 0.002)];

/// Moves between two looks at the clock.
const PATIENCE: u64 = 1 << 6;

/// Posts that are drawn for a unit, at most.
const TRIALS: usize = 16;

/// Parts of a walk after which its beliefs and sums are renewed, and most moves of such a part.
const STAGES: u64 = 64;
const LONGEST: u64 = 1 << 12;

/// Looks at items of the cover sets, or at variables, that a move takes, where items are looked at one by one: a measure of how
/// large a program is, by which moves are counted out.
pub(super) fn looks(program: &Program) -> usize {
    /// Variables that are looked at, one after another, in the time of a look at an item; where there is one part, the best of
    /// each block is looked at.
    const AT_ONCE: usize = 4;
    let looked_at =
        if program.parts > 1 { program.parts * program.variables.len() } else { program.variables.len() / BLOCK };
    2 * bath::touched(program) + looked_at / AT_ONCE
}

/// What each of several walks of so many moves from these starts, at least one, comes by.
///
/// A move takes one unit from its post and draws another post for it, or for one of another lot, of all that there are: the
/// more the plan would be worth with it there, the likelier, and the colder the walk, the surer the best. Rules that would break
/// forbid a post; then another is drawn.
///
/// # Cost
/// A move changes the gains of all posts that cover what it covers: [`looks`]; four hundred thousand moves a second at five
/// thousand posts with sixty sets each.
///
/// # Source
/// Kirkpatrick, Gelatt and Vecchi 1983; Murray and Church 1996 for covering problems; the draw: Geman and Geman 1984.
pub(super) fn walks(
    layout: &Layout<'_>,
    starts: &[&Vec<u32>],
    heats: Heats,
    seed: u64,
    moves: u64,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Vec<Walked> {
    let walk = |number: u64| {
        let rng = Rng::with_seed(seed.wrapping_mul(WALKS).wrapping_add(number));
        let place = usize::try_from(number).unwrap_or(0);
        // Every second pair of walks believes in units that earn nothing alone.
        let walk = Walk::new(layout, starts[place % starts.len()], rng, number % 4 >= 2);
        walk.run(moves, heats[place % heats.len()], is_over)
    };
    (0..WALKS).into_par_iter().map(walk).collect()
}

/// What a walk came by.
pub(super) struct Walked {
    /// The values at its end; on the way to less cost they may fall short of the coverage.
    pub(super) last: Vec<u32>,
    pub(super) best: Vec<u32>,
}

impl Walked {
    /// The values at its end, or the best where those break a rule.
    pub(super) fn end(&self, program: &Program) -> &Vec<u32> {
        if program.broken_rule(&self.last).is_none() { &self.last } else { &self.best }
    }
}

/// One walk.
pub(super) struct Walk<'a> {
    state: State<'a>,
    rng: Rng,
    /// Posts that hold units, one entry a unit.
    standing: Vec<u32>,
    best: Vec<u32>,
    best_value: f64,
    /// Cost that the plan may have; infinite when the aim is value.
    budget: f64,
    cost: f64,
    /// What steps are worth to the walk, by ladder.
    worth: Vec<f64>,
    /// True for a walk that believes at first in units that earn nothing alone, and less and less.
    is_hopeful: bool,
    bath: Bath<'a>,
}

impl<'a> Walk<'a> {
    /// At its start; a hopeful one is that for its first moves of a run.
    pub(super) fn new(layout: &'a Layout<'a>, start: &[u32], rng: Rng, is_hopeful: bool) -> Self {
        let state = State::resume(layout, start.to_vec());
        let standing = (0_u32..)
            .zip(start)
            .filter(|(variable, _)| layout.is_post(*variable))
            .flat_map(|(variable, units)| std::iter::repeat_n(variable, *units as usize))
            .collect();
        let cost = layout.program.cost(start);
        let mut walk = Self {
            best_value: state.worst(),
            best: start.to_vec(),
            worth: layout.steps.clone(),
            is_hopeful,
            bath: Bath::new(layout.ground(), layout.program.parts),
            budget: f64::INFINITY,
            cost,
            state,
            rng,
            standing,
        };
        if matches!(layout.program.aim, Aim::LeastCost { .. }) {
            walk.tighten();
        }
        walk
    }

    /// So many moves, from the one temperature to the other, as parts of the value of a mean unit.
    pub(super) fn run(mut self, moves: u64, (hot, cold): (f64, f64), is_over: &(dyn Fn() -> bool + Sync)) -> Walked {
        #[expect(clippy::cast_precision_loss, reason = "counts of moves are far below 2^53")]
        let cooling = (cold / hot).powf(1.0 / moves.max(1) as f64);
        let mut temperature = hot * self.mean_unit();
        let renewal = (moves / STAGES).clamp(1, LONGEST);
        for number in 0..moves {
            if number % PATIENCE == 0 && is_over() {
                break;
            }
            if number % renewal == 0 {
                self.fade(number, moves);
                self.renew();
            }
            temperature *= cooling;
            if self.standing.is_empty() {
                break;
            }
            self.step(temperature);
        }
        Walked { last: self.state.values, best: self.best }
    }

    /// So many moves at a temperature.
    pub(super) fn stay(&mut self, moves: u64, temperature: f64, is_over: &(dyn Fn() -> bool + Sync)) {
        self.renew();
        for number in 0..moves {
            if self.standing.is_empty() || (number % PATIENCE == 0 && is_over()) {
                break;
            }
            self.step(temperature);
        }
    }

    /// What a unit is worth on average.
    pub(super) fn mean_unit(&self) -> f64 {
        let earned = self.state.earned.iter().sum::<f64>();
        let value = if earned > 0.0 { earned } else { self.state.layout.program.value_everywhere() };
        #[expect(clippy::cast_precision_loss, reason = "counts of units are far below 2^53")]
        let units = self.units().max(1) as f64;
        value / units
    }

    /// Number of units that stand somewhere.
    pub(super) fn units(&self) -> u64 {
        self.standing.len() as u64
    }

    /// The smallest part of the value as it is now.
    pub(super) fn value(&self) -> f64 {
        self.state.worst()
    }

    /// The values as they are now.
    pub(super) fn values(self) -> Vec<u32> {
        self.state.values
    }

    /// Sums the gains at all posts anew.
    fn renew(&mut self) {
        self.bath.refresh(&self.state, &self.worth);
    }

    /// Believes in units that earn nothing alone by as much as suits a walk that has made so many of its moves.
    fn fade(&mut self, made: u64, moves: u64) {
        /// Part of the walk by which it believes in what is earned alone.
        const END: f64 = 0.8;
        if !self.is_hopeful {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of moves are far below 2^53")]
        let hope = (1.0 - made as f64 / (END * moves.max(1) as f64)).max(0.0);
        let layout = self.state.layout;
        let between = |(step, hope_step): (&f64, &f64)| step + hope * (hope_step - step);
        self.worth = layout.steps.iter().zip(&layout.hopes).map(between).collect();
    }

    /// Takes a unit off its post and puts it where the temperature likes it and the rules allow it.
    fn step(&mut self, temperature: f64) {
        let place = self.rng.usize(..self.standing.len());
        let from = self.standing[place];
        self.bath.take(&mut self.state, &self.worth, from);
        self.bath.heat(&self.state.earned, temperature);
        let mut found = None;
        for _ in 0..TRIALS {
            let Some(to) = self.bath.draw(&mut self.rng).filter(|to| *to != from) else { break };
            found = self.exchange_rows(from, to).map(|pledges| (to, pledges));
            if found.is_some() {
                break;
            }
        }
        let Some((to, (back, taken))) = found else {
            self.bath.put_back(&mut self.state, from);
            return;
        };
        self.bath.add(&mut self.state, &self.worth, to);
        if back != taken {
            self.state.values[back as usize] -= 1;
            self.state.values[taken as usize] += 1;
        }
        self.standing[place] = to;
        self.cost += self.state.cost(taken) - self.state.cost(back);
        self.fill(temperature);
        self.remember();
    }

    /// Takes a unit off the rows of one post and adds one to those of another, each with its pledge; `None`, and nothing
    /// changed, where a rule forbids it.
    fn exchange_rows(&mut self, from: u32, to: u32) -> Option<(u32, u32)> {
        self.move_rows(from, to);
        let pledges = self.exchange_pledges(from, to);
        if pledges.is_none() {
            self.move_rows(to, from);
        }
        pledges
    }

    /// The pledge that a unit at `from` goes back to and the one that a unit at `to` is taken from.
    fn exchange_pledges(&mut self, from: u32, to: u32) -> Option<(u32, u32)> {
        let layout = self.state.layout;
        let suppliers = layout.suppliers(from);
        if layout.lot_of(from) == layout.lot_of(to) {
            let is_kept = self.state.keeps_rows(from) && self.state.keeps_rows(to);
            return is_kept.then(|| (suppliers[0], suppliers[0]));
        }
        let first = self.rng.usize(..suppliers.len());
        let mut given = (0..suppliers.len()).map(|step| suppliers[(first + step) % suppliers.len()]);
        let back = given.find(|pledge| self.state.values[*pledge as usize] > 0)?;
        self.state.add_to_rows(back, -1.0);
        let Some(taken) = self.state.supplier(to) else {
            self.state.add_to_rows(back, 1.0);
            return None;
        };
        self.state.add_to_rows(taken, 1.0);
        let is_affordable = self.cost + self.state.cost(taken) - self.state.cost(back) <= self.budget;
        if is_affordable && [from, to, back, taken].iter().all(|variable| self.state.keeps_rows(*variable)) {
            return Some((back, taken));
        }
        self.move_rows(taken, back);
        None
    }

    /// One less of a variable and one more of another, in the rows alone.
    fn move_rows(&mut self, from: u32, to: u32) {
        self.state.add_to_rows(from, -1.0);
        self.state.add_to_rows(to, 1.0);
    }

    /// Now and then uses supply that has come free for one more unit, where that is not a matter of cost.
    fn fill(&mut self, temperature: f64) {
        if self.budget.is_finite() || self.rng.u8(..) > 8 {
            return;
        }
        self.bath.heat(&self.state.earned, temperature);
        for _ in 0..TRIALS {
            let Some(post) = self.bath.draw(&mut self.rng) else { return };
            if self.state.has_room(post) && self.state.gain(post) > 0.0 && self.state.place(post) {
                self.standing.push(post);
                self.renew();
                return;
            }
        }
    }

    /// Keeps the plan when it is the best so far.
    fn remember(&mut self) {
        if self.budget.is_finite() {
            if self.state.is_enough() {
                self.best.clone_from(&self.state.values);
                self.tighten();
                self.renew();
            }
        } else if self.state.worst() > self.best_value {
            self.best_value = self.state.worst();
            self.best.clone_from(&self.state.values);
        }
    }

    /// Asks for a cheaper plan: takes units away, those first that lose least for what they cost, until one costs less
    /// than the best.
    fn tighten(&mut self) {
        let target = self.cost * (1.0 - 1e-9);
        self.budget = target;
        while self.cost >= target {
            let merit = |post: u32| {
                let pledge = self.state.returned(post)?;
                let cost = self.state.cost(pledge);
                (cost > 0.0 && self.state.is_spare(post)).then(|| (self.state.loss(post) / cost, pledge))
            };
            let choices = self.standing.iter().enumerate().filter_map(|(place, post)| {
                let (merit, pledge) = merit(*post)?;
                Some((merit, place, pledge))
            });
            let Some((_, place, pledge)) = choices.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) else {
                break;
            };
            let post = self.standing.swap_remove(place);
            self.state.take(post);
            self.state.take(pledge);
            self.cost -= self.state.cost(pledge);
        }
    }
}
