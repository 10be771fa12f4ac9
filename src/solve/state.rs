//! Values of a program with everything that follows from them, kept up to date as units come and go.

use super::layout::Layout;
use crate::model::Aim;

/// A plan under construction.
#[derive(Clone)]
pub(super) struct State<'a> {
    pub(super) layout: &'a Layout<'a>,
    pub(super) values: Vec<u32>,
    /// Units on each set of the program.
    pub(super) counts: Vec<u32>,
    /// Value of each part.
    pub(super) earned: Vec<f64>,
    /// Sum of each row.
    pub(super) sums: Vec<f64>,
}

impl<'a> State<'a> {
    /// Goes on from given values.
    pub(super) fn resume(layout: &'a Layout<'a>, values: Vec<u32>) -> Self {
        let program = layout.program;
        let counts: Vec<u32> = (0_u32..)
            .take(program.sets.len())
            .map(|set| u32::try_from(program.count(set, &values)).unwrap_or(u32::MAX))
            .collect();
        let mut earned = vec![0.0; program.parts];
        for group in &program.groups {
            for term in &group.terms {
                let value = group.value_of(u64::from(counts[term.set as usize]));
                earned[group.part] += term.weight * group.scale * value;
            }
        }
        let mut sums = vec![0.0; program.rows.len()];
        for (sum, row) in sums.iter_mut().zip(&program.rows) {
            *sum = row.terms.iter().map(|(variable, factor)| factor * f64::from(values[*variable as usize])).sum();
        }
        Self { layout, values, counts, earned, sums }
    }

    /// What one more unit at a post adds to the value.
    pub(super) fn gain(&self, variable: u32) -> f64 {
        self.summed(variable, &self.layout.steps, 0)
    }

    /// What one more unit at a post promises, where a second unit may be needed to earn anything.
    pub(super) fn hope(&self, variable: u32) -> f64 {
        self.summed(variable, &self.layout.hopes, 0)
    }

    /// Value lost with one unit less at a post.
    pub(super) fn loss(&self, variable: u32) -> f64 {
        self.summed(variable, &self.layout.steps, 1)
    }

    /// Weighted steps of the sets of a variable, with so many units fewer on them.
    fn summed(&self, variable: u32, steps: &[f64], fewer: u32) -> f64 {
        let of_set = |set: &u32| {
            let term = &self.layout.terms[*set as usize];
            term.weight * steps[term.step(self.counts[*set as usize] - fewer)]
        };
        self.layout.sets_of.row(variable as usize).iter().map(of_set).sum()
    }

    /// One more of a variable, whatever the rules say.
    pub(super) fn add(&mut self, variable: u32) {
        self.add_to_sets(variable);
        self.add_to_rows(variable, 1.0);
    }

    /// One less of a variable that is not zero, whatever the rules say.
    pub(super) fn take(&mut self, variable: u32) {
        self.take_from_sets(variable);
        self.add_to_rows(variable, -1.0);
    }

    /// Value, counts and earnings of one more.
    pub(super) fn add_to_sets(&mut self, variable: u32) {
        self.values[variable as usize] += 1;
        for set in self.layout.sets_of.row(variable as usize) {
            let (term, count) = (&self.layout.terms[*set as usize], &mut self.counts[*set as usize]);
            self.earned[term.part as usize] += term.weight * self.layout.steps[term.step(*count)];
            *count += 1;
        }
    }

    /// Value, counts and earnings of one less.
    pub(super) fn take_from_sets(&mut self, variable: u32) {
        self.values[variable as usize] -= 1;
        for set in self.layout.sets_of.row(variable as usize) {
            let (term, count) = (&self.layout.terms[*set as usize], &mut self.counts[*set as usize]);
            *count -= 1;
            self.earned[term.part as usize] -= term.weight * self.layout.steps[term.step(*count)];
        }
    }

    /// Sums of the rows after so many more of a variable.
    pub(super) fn add_to_rows(&mut self, variable: u32, more: f64) {
        for (row, factor) in self.layout.rows_of(variable) {
            self.sums[*row as usize] += factor * more;
        }
    }

    /// True where all rows of a variable are kept.
    pub(super) fn keeps_rows(&self, variable: u32) -> bool {
        self.layout.rows_of(variable).iter().all(|(place, _)| {
            let (row, sum) = (&self.layout.program.rows[*place as usize], self.sums[*place as usize]);
            row.least <= sum && sum <= row.most
        })
    }

    /// True where one more keeps every upper limit; balance rows are kept by changing post and pledge together.
    pub(super) fn has_room(&self, variable: u32) -> bool {
        self.layout.rows_of(variable).iter().all(|(place, factor)| {
            let row = &self.layout.program.rows[*place as usize];
            row.is_balance() || *factor <= 0.0 || self.sums[*place as usize] + factor <= row.most
        })
    }

    /// True where taking one away breaks no rule.
    pub(super) fn is_spare(&self, variable: u32) -> bool {
        self.values[variable as usize] > 0
            && self.layout.rows_of(variable).iter().all(|(place, factor)| {
                let row = &self.layout.program.rows[*place as usize];
                let sum = self.sums[*place as usize] - factor;
                row.is_balance() || (row.least <= sum && sum <= row.most)
            })
    }

    /// A pledge with room for a post, the cheapest first, then the one with most units left.
    pub(super) fn supplier(&self, post: u32) -> Option<u32> {
        let program = self.layout.program;
        let left = |pledge: u32| {
            let rows = self.layout.rows_of(pledge).iter();
            rows.filter(|(place, factor)| *factor > 0.0 && !program.rows[*place as usize].is_balance())
                .map(|(place, factor)| (program.rows[*place as usize].most - self.sums[*place as usize]) / factor)
                .fold(f64::INFINITY, f64::min)
        };
        let pledges = self.layout.suppliers(post).iter().copied().filter(|pledge| self.has_room(*pledge));
        pledges
            .min_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)).then(left(*b).total_cmp(&left(*a))).then(a.cmp(b)))
    }

    /// A pledge that a unit at a post can go back to, the costliest first.
    pub(super) fn returned(&self, post: u32) -> Option<u32> {
        let spare = self.layout.suppliers(post).iter().copied().filter(|pledge| self.is_spare(*pledge));
        spare.max_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)).then(b.cmp(a)))
    }

    /// What a unit of a variable costs; 0 when the aim is value.
    pub(super) fn cost(&self, variable: u32) -> f64 {
        match &self.layout.program.aim {
            Aim::MostValue => 0.0,
            Aim::LeastCost { costs, .. } => costs[variable as usize],
        }
    }

    /// Puts one more unit at a post when some contributor can give it; says whether it could.
    pub(super) fn place(&mut self, post: u32) -> bool {
        let pledge = if self.has_room(post) { self.supplier(post) } else { None };
        if let Some(pledge) = pledge {
            self.add(post);
            self.add(pledge);
        }
        pledge.is_some()
    }

    /// Takes a unit off a post, and what it costs with it, where neither rules nor the coverage asked for need it; says whether
    /// it did.
    pub(super) fn spares(&mut self, post: u32) -> bool {
        let Some(pledge) = self.returned(post).filter(|_| self.is_spare(post)) else { return false };
        self.take(post);
        self.take(pledge);
        let is_spared = self.is_enough();
        if !is_spared {
            self.add(post);
            self.add(pledge);
        }
        is_spared
    }

    /// The smallest part.
    pub(super) fn worst(&self) -> f64 {
        self.earned.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// True where the coverage asked for is reached; never where the aim is value.
    pub(super) fn is_enough(&self) -> bool {
        /// Sums that are kept up to date are rounded; what a plan may fall short by is ten times as much.
        const ROUNDED: f64 = 1e-10;
        match self.layout.program.aim {
            Aim::MostValue => false,
            Aim::LeastCost { coverage, .. } => self.earned.iter().all(|earned| *earned >= coverage - ROUNDED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Program, TermGroup, Variable};
    use crate::solve::greedy;
    use crate::solve::trials::{Numbers, tied};

    /// Ten tenths are a little less than one.
    #[test]
    fn coverage_is_reached_whatever_rounding_does() {
        const POSTS: u32 = 10;
        let aim = Aim::LeastCost { costs: vec![1.0; POSTS as usize], coverage: 1.0 };
        let mut program = Program::new(aim, vec![Variable { most: 1 }; POSTS as usize]);
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 0.1, terms: Vec::new() };
        let sets: Vec<[u32; 1]> = (0..POSTS).map(|post| [post]).collect();
        let weights = vec![1.0; POSTS as usize];
        program.add_group(group, sets.iter().map(<[u32; 1]>::as_slice).zip(&weights));
        let layout = Layout::new(&program);
        let mut state = State::resume(&layout, vec![1; POSTS as usize]);
        assert!(state.worst() < 1.0 && program.broken_rule(&state.values).is_none(), "{}", state.worst());
        assert!(state.is_enough());
        state.take(3);
        assert!(!state.is_enough());
    }

    /// What is spared leaves a plan that keeps every rule and can do without no other unit.
    #[test]
    fn no_more_units_stay_than_are_needed() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut plans, mut spared) = (0, 0_u32);
        for _ in 0..400 {
            let program = tied(&mut numbers);
            let layout = Layout::new(&program);
            let Some(values) = greedy::values(&layout, &|| false) else { continue };
            if !matches!(program.aim, Aim::LeastCost { .. }) {
                continue;
            }
            let mut state = State::resume(&layout, values);
            let posts = || (0_u32..).take(program.variables.len()).filter(|post| layout.is_post(*post));
            // More than needed, where there is room.
            posts().for_each(|post| while state.place(post) {});
            let before = program.cost(&state.values);
            posts().for_each(|post| while state.spares(post) {});
            assert_eq!(program.broken_rule(&state.values), None, "{:?}: {program:?}", state.values);
            spared += u32::from(program.cost(&state.values) < before);
            for post in posts() {
                assert!(!state.clone().spares(post), "{:?} without {post}: {program:?}", state.values);
            }
            plans += 1;
        }
        assert!(plans >= 40 && spared >= 20, "{plans} plans, {spared} with units to spare");
    }
}
