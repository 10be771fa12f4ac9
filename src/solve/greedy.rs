//! A program turned into a plan that keeps every rule, quickly and without proof.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::cover::Rows;
use crate::model::{Aim, Program, Row};

/// Values that keep every rule, grown unit by unit where each adds most; `None` where this finds none.
///
/// For value: the classic greedy, within 1 - 1/e of the best when a single limit counts units
/// (Nemhauser, Wolsey and Fisher 1978). For cost: most value per cost until the coverage is reached. Where there are
/// switches, once with all of them on and once with all off, and the better of the two.
///
/// # Cost
/// O(items of the sets x log posts), lazily (Minoux 1978).
pub(super) fn values(program: &Program, is_over: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let off = grown(program, 0, is_over);
    if !program.variables.iter().any(|variable| variable.is_switch()) {
        return off;
    }
    match (grown(program, 1, is_over), off) {
        (Some(on), Some(off)) if program.is_better(&on, &off) => Some(on),
        (on, off) => off.or(on),
    }
}

/// Values grown with all switches at one setting.
fn grown(program: &Program, switch: u32, is_over: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let start = program.variables.iter().map(|variable| if variable.is_switch() { switch } else { 0 });
    let mut build = Build::resume(program, start.collect());
    build.repair(is_over)?;
    build.grow(is_over);
    program.broken_rule(&build.values).is_none().then_some(build.values)
}

/// A plan under construction with what is needed to change it quickly.
pub(super) struct Build<'a> {
    program: &'a Program,
    values: Vec<u32>,
    /// Units on each set of the program.
    counts: Vec<u64>,
    /// Value of each part.
    earned: Vec<f64>,
    /// Group and weight of the term on each set.
    terms: Vec<(usize, f64)>,
    /// Sets that hold each variable.
    sets_of: Rows,
    /// Rows that hold each variable, with its coefficient.
    rows_of: Vec<Vec<(usize, f64)>>,
    /// Sum of each row.
    sums: Vec<f64>,
    /// For every variable of the first kind in a balance row, the variables that supply it.
    suppliers: Vec<Vec<u32>>,
    /// Value per level used to choose; levels that rise are spread evenly, else the first unit would seem worthless.
    potentials: Vec<Vec<f64>>,
}

/// A variable and what one more unit of it adds, for a queue that gives the largest first, then the lowest variable.
struct Candidate {
    gain: f64,
    variable: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.variable.cmp(&self.variable))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

impl<'a> Build<'a> {
    /// Goes on from given values.
    pub(super) fn resume(program: &'a Program, values: Vec<u32>) -> Self {
        let mut terms = vec![(0, 0.0); program.sets.len()];
        for (group, entry) in program.groups.iter().enumerate() {
            entry.terms.iter().for_each(|term| terms[term.set as usize] = (group, term.weight * entry.scale));
        }
        let mut rows_of = vec![Vec::new(); program.variables.len()];
        let mut suppliers = vec![Vec::new(); program.variables.len()];
        for (place, row) in program.rows.iter().enumerate() {
            row.terms.iter().for_each(|(variable, factor)| rows_of[*variable as usize].push((place, *factor)));
            if row.is_balance() {
                let pledges: Vec<u32> =
                    row.terms.iter().filter(|term| term.1 < 0.0).map(|(variable, _)| *variable).collect();
                row.terms
                    .iter()
                    .filter(|term| term.1 > 0.0)
                    .for_each(|(post, _)| suppliers[*post as usize].clone_from(&pledges));
            }
        }
        let potentials = program.groups.iter().map(|group| {
            let full = group.full_at();
            let even = group.levels.iter().sum::<f64>() / f64::from(u32::try_from(full.max(1)).unwrap_or(u32::MAX));
            if group.is_concave() { group.levels.clone() } else { vec![even; full] }
        });
        let mut build = Self {
            program,
            earned: vec![0.0; program.parts],
            counts: (0u32..).take(program.sets.len()).map(|set| program.count(set, &values)).collect(),
            terms,
            sets_of: program.sets.transposed(program.variables.len()),
            sums: vec![0.0; program.rows.len()],
            potentials: potentials.collect(),
            rows_of,
            suppliers,
            values,
        };
        for (count, (group, weight)) in build.counts.iter().zip(&build.terms) {
            if let Some(entry) = program.groups.get(*group) {
                build.earned[entry.part] += weight * entry.value_of(*count);
            }
        }
        for variable in 0..build.values.len() {
            for (row, factor) in &build.rows_of[variable] {
                build.sums[*row] += factor * f64::from(build.values[variable]);
            }
        }
        build
    }

    /// What one more unit at a post adds, by `potentials`.
    fn gain(&self, variable: u32) -> f64 {
        let of_set = |set: &u32| {
            let (group, weight) = self.terms[*set as usize];
            let level = usize::try_from(self.counts[*set as usize]).unwrap_or(usize::MAX);
            weight * self.potentials[group].get(level).copied().unwrap_or(0.0)
        };
        self.sets_of.row(variable as usize).iter().map(of_set).sum()
    }

    /// Adds `step` to a variable, keeping sums and counts.
    fn change(&mut self, variable: u32, step: i64) {
        let value = i64::from(self.values[variable as usize]) + step;
        self.values[variable as usize] = u32::try_from(value).expect("no variable falls below zero");
        for set in self.sets_of.row(variable as usize) {
            let count = &mut self.counts[*set as usize];
            let before = *count;
            *count = before.checked_add_signed(step).expect("no count falls below zero");
            let (group, weight) = self.terms[*set as usize];
            let group = &self.program.groups[group];
            self.earned[group.part] += weight * (group.value_of(*count) - group.value_of(before));
        }
        #[expect(clippy::cast_precision_loss, reason = "steps are 1 and -1")]
        let step = step as f64;
        for (row, factor) in &self.rows_of[variable as usize] {
            self.sums[*row] += factor * step;
        }
    }

    /// True where one more keeps every upper limit; balance rows are kept by changing post and pledge together.
    fn has_room(&self, variable: u32) -> bool {
        self.rows_of[variable as usize].iter().all(|(place, factor)| {
            let row = &self.program.rows[*place];
            row.is_balance() || *factor <= 0.0 || self.sums[*place] + factor <= row.most
        })
    }

    /// A pledge with room for a post, the cheapest first, then the one with most units left.
    fn supplier(&self, post: u32) -> Option<u32> {
        let left = |pledge: u32| {
            let rows = self.rows_of[pledge as usize].iter();
            rows.filter(|(place, factor)| *factor > 0.0 && !self.program.rows[*place].is_balance())
                .map(|(place, factor)| (self.program.rows[*place].most - self.sums[*place]) / factor)
                .fold(f64::INFINITY, f64::min)
        };
        let pledges = self.suppliers[post as usize].iter().copied().filter(|pledge| self.has_room(*pledge));
        pledges
            .min_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)).then(left(*b).total_cmp(&left(*a))).then(a.cmp(b)))
    }

    fn cost(&self, variable: u32) -> f64 {
        match &self.program.aim {
            Aim::MostValue => 0.0,
            Aim::LeastCost { costs, .. } => costs[variable as usize],
        }
    }

    /// Puts one more unit at a post when some contributor can give it; says whether it could.
    fn place(&mut self, post: u32) -> bool {
        let pledge = if self.has_room(post) { self.supplier(post) } else { None };
        if let Some(pledge) = pledge {
            self.change(post, 1);
            self.change(pledge, 1);
        }
        pledge.is_some()
    }

    fn is_post(&self, variable: u32) -> bool {
        !self.suppliers[variable as usize].is_empty()
    }

    /// Raises every row that asks for a least sum, first those that name one pledge or post, as fixed units do.
    fn repair(&mut self, is_over: &dyn Fn() -> bool) -> Option<()> {
        let program = self.program;
        let asking = |row: &&(usize, &Row)| !row.1.is_balance() && row.1.least > f64::NEG_INFINITY;
        let rows: Vec<(usize, &Row)> = program.rows.iter().enumerate().collect();
        let mut asking: Vec<(usize, &Row)> = rows.iter().filter(asking).copied().collect();
        asking.sort_by_key(|(place, row)| (row.terms.len() != 1, *place));
        for (place, row) in asking {
            while self.sums[place] < row.least {
                if is_over() {
                    return None;
                }
                let best = row
                    .terms
                    .iter()
                    .filter(|(_, factor)| *factor > 0.0)
                    .map(|(variable, _)| *variable)
                    .filter(|variable| self.has_room(*variable))
                    .max_by(|a, b| self.need(*a).total_cmp(&self.need(*b)).then(b.cmp(a)))?;
                let done = if self.is_post(best) { self.place(best) } else { self.supply(best) };
                if !done {
                    return None;
                }
            }
        }
        Some(())
    }

    /// How much a variable helps rows that still ask for more, then what it adds.
    fn need(&self, variable: u32) -> f64 {
        let open = self.rows_of[variable as usize].iter();
        let open = open.filter(|(place, factor)| *factor > 0.0 && self.sums[*place] < self.program.rows[*place].least);
        f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX)) * 1e6 + self.gain(variable)
    }

    /// Uses one more unit of a pledge, at the post of its type where it helps most.
    fn supply(&mut self, pledge: u32) -> bool {
        let posts = (0u32..).zip(&self.suppliers).filter(|(_, pledges)| pledges.contains(&pledge));
        let best = posts
            .map(|(post, _)| post)
            .filter(|post| self.has_room(*post))
            .max_by(|a, b| self.need(*a).total_cmp(&self.need(*b)).then(b.cmp(a)));
        if let Some(post) = best {
            self.change(post, 1);
            self.change(pledge, 1);
        }
        best.is_some()
    }

    /// Adds units where they add most until nothing adds or the coverage is reached.
    ///
    /// Units that found no room are tried again as long as others were placed: a protected unit may now be allowed.
    fn grow(&mut self, is_over: &dyn Fn() -> bool) {
        while self.grow_once(is_over) {}
    }

    /// Says whether it placed a unit and left another aside.
    fn grow_once(&mut self, is_over: &dyn Fn() -> bool) -> bool {
        let posts = (0u32..).take(self.values.len()).filter(|variable| self.is_post(*variable));
        let mut queue: BinaryHeap<Candidate> =
            posts.map(|variable| Candidate { gain: self.merit(variable), variable }).collect();
        let (mut has_placed, mut has_left) = (false, false);
        while let Some(Candidate { gain, variable }) = queue.pop() {
            if gain <= 0.0 || self.is_enough() {
                break;
            }
            if is_over() {
                return false;
            }
            let fresh = self.merit(variable);
            let is_still_best = queue.peek().is_none_or(|next| fresh >= next.gain);
            if fresh < gain && !is_still_best {
                queue.push(Candidate { gain: fresh, variable });
            } else if self.place(variable) {
                has_placed = true;
                queue.push(Candidate { gain: self.merit(variable), variable });
            } else {
                has_left = true;
            }
        }
        has_placed && has_left
    }

    /// Gain, per cost where cost is what counts.
    fn merit(&self, variable: u32) -> f64 {
        match self.program.aim {
            Aim::MostValue => self.gain(variable),
            Aim::LeastCost { .. } => {
                let pledges = self.suppliers[variable as usize].iter();
                let cost = pledges.map(|pledge| self.cost(*pledge)).fold(f64::INFINITY, f64::min);
                self.gain(variable) / cost.max(1e-9)
            }
        }
    }

    fn is_enough(&self) -> bool {
        match self.program.aim {
            Aim::MostValue => false,
            Aim::LeastCost { coverage, .. } => self.earned.iter().all(|earned| *earned >= coverage),
        }
    }

    /// True where taking one away breaks no rule.
    fn is_spare(&self, variable: u32) -> bool {
        self.values[variable as usize] > 0
            && self.rows_of[variable as usize].iter().all(|(place, factor)| {
                let row = &self.program.rows[*place];
                let sum = self.sums[*place] - factor;
                row.is_balance() || (row.least <= sum && sum <= row.most)
            })
    }

    /// Value lost with one unit less at a post.
    fn loss(&self, variable: u32) -> f64 {
        let of_set = |set: &u32| {
            let (group, weight) = self.terms[*set as usize];
            let level = usize::try_from(self.counts[*set as usize] - 1).unwrap_or(usize::MAX);
            weight * self.program.groups[group].levels.get(level).copied().unwrap_or(0.0)
        };
        self.sets_of.row(variable as usize).iter().map(of_set).sum()
    }

    /// Takes away, from the last post to the first, units that earn nothing and that no rule asks for.
    pub(super) fn without_idle_units(mut self) -> Vec<u32> {
        let posts: Vec<u32> = (0u32..).take(self.values.len()).filter(|variable| self.is_post(*variable)).collect();
        for post in posts.into_iter().rev() {
            while self.is_spare(post) && self.loss(post) <= 0.0 {
                let spare = self.suppliers[post as usize].iter().rev().copied().find(|pledge| self.is_spare(*pledge));
                let Some(pledge) = spare else { break };
                self.change(post, -1);
                self.change(pledge, -1);
            }
        }
        self.values
    }
}
