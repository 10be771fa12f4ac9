//! The program itself: plain numbers that know nothing of sites, units or countries.

use crate::cover::Rows;

/// Whole variables, rows between them, and covering terms: all that solving needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Bounds of the variables, all whole.
    pub variables: Vec<Variable>,
    /// Linear rules.
    pub rows: Vec<Row>,
    /// Cover sets, each a list of variables, ascending.
    pub sets: Rows,
    /// Covering terms by requirement, phase and band.
    pub groups: Vec<TermGroup>,
    /// How many parts the value has: it is the smallest of their sums.
    pub parts: usize,
    /// What to aim for.
    pub aim: Aim,
    /// Cost of each variable that decides among equally good values: the first list first, then the second.
    pub ties: [Vec<f64>; 2],
}

/// A whole variable from 0 to `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Largest value.
    pub most: u32,
}

impl Variable {
    /// True for a yes or no, which counts no units.
    #[must_use]
    pub fn is_switch(self) -> bool {
        self.most == 1
    }
}

/// `least <= sum of coefficient x variable <= most`; all coefficients are whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The rule it stands for, in the analyst's words; empty for bookkeeping that no one can lift.
    pub rule: String,
    /// Variable and coefficient.
    pub terms: Vec<(u32, f64)>,
    /// Smallest sum.
    pub least: f64,
    /// Largest sum.
    pub most: f64,
}

/// Covering terms that share levels and scale.
#[derive(Clone, Debug, PartialEq)]
pub struct TermGroup {
    /// The part of the value that it adds to.
    pub part: usize,
    /// Value of the first, second ... unit.
    pub levels: Vec<f64>,
    /// Turns weight x level into a part of the objective.
    pub scale: f64,
    /// Its terms, without those that nothing covers.
    pub terms: Vec<Term>,
}

/// A weight that is earned level by level as the variables of a set grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Row of [`Program::sets`].
    pub set: u32,
    /// Weight.
    pub weight: f64,
}

/// What a program makes as large or as small as possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Aim {
    /// The value of the covering terms.
    MostValue,
    /// The cost of the variables, with covering terms worth at least `coverage`.
    LeastCost {
        /// One per variable.
        costs: Vec<f64>,
        /// A share from 0 to 1.
        coverage: f64,
    },
}

impl Row {
    /// True for rows that tie units to other units, such as conditions and protection.
    #[must_use]
    pub fn is_tie(&self) -> bool {
        !self.is_balance() && self.terms.iter().any(|(_, factor)| *factor < 0.0)
    }

    /// True for the rows that say that units standing are units pledged: posts count 1, pledges -1.
    #[must_use]
    pub fn is_balance(&self) -> bool {
        self.rule.is_empty() && self.least.to_bits() == self.most.to_bits()
    }

    /// The smallest and the largest sum where each variable is within a range, least and most.
    pub(crate) fn ends(&self, range: impl Fn(u32) -> (u32, u32)) -> (f64, f64) {
        let term = |(low, high): (f64, f64), (variable, factor): &(u32, f64)| {
            let (least, most) = range(*variable);
            let (least, most) = (factor * f64::from(least), factor * f64::from(most));
            (low + least.min(most), high + least.max(most))
        };
        self.terms.iter().fold((0.0, 0.0), term)
    }
}

impl TermGroup {
    /// True where a further unit never adds more than the one before it.
    #[must_use]
    pub fn is_concave(&self) -> bool {
        self.levels.windows(2).all(|pair| pair[0] >= pair[1])
    }

    /// Value, before scaling, of a term of weight 1 that `count` units cover.
    #[must_use]
    pub fn value_of(&self, count: u64) -> f64 {
        let levels = usize::try_from(count).unwrap_or(usize::MAX).min(self.levels.len());
        self.levels[..levels].iter().sum()
    }

    /// The levels that are worth something: the units at which each is earned, and its value.
    #[must_use]
    pub fn rungs(&self) -> Vec<(usize, f64)> {
        let levels = self.levels.iter().enumerate().filter(|(_, level)| **level > 0.0);
        levels.map(|(before, level)| (before + 1, *level)).collect()
    }

    /// Units at which a term earns all it can.
    #[must_use]
    pub fn full_at(&self) -> usize {
        self.levels.iter().rposition(|level| *level > 0.0).map_or(0, |last| last + 1)
    }
}

impl Program {
    /// A program without rows and terms.
    #[must_use]
    pub fn new(aim: Aim, variables: Vec<Variable>) -> Self {
        Self {
            variables,
            rows: Vec::new(),
            sets: Rows::default(),
            groups: Vec::new(),
            parts: 1,
            aim,
            ties: [Vec::new(), Vec::new()],
        }
    }

    /// True where some row ties units to other units.
    #[must_use]
    pub fn has_ties(&self) -> bool {
        self.rows.iter().any(Row::is_tie)
    }

    /// True where a further unit on a site may earn more than the one before it.
    #[must_use]
    pub fn is_rising(&self) -> bool {
        !self.groups.iter().all(TermGroup::is_concave)
    }

    /// Adds a row.
    pub fn add_row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a group with its terms, given as set and weight; empty sets and zero weights are left out.
    pub fn add_group<'a>(&mut self, mut group: TermGroup, terms: impl Iterator<Item = (&'a [u32], &'a f64)>) {
        for (set, weight) in terms.filter(|(set, weight)| !set.is_empty() && **weight > 0.0) {
            let place = u32::try_from(self.sets.len()).expect("cover sets are counted in 32 bits");
            self.sets.push(set);
            group.terms.push(Term { set: place, weight: *weight });
        }
        self.groups.push(group);
    }

    /// Units on the sets of the covering terms.
    #[must_use]
    pub fn count(&self, set: u32, values: &[u32]) -> u64 {
        self.sets.row(set as usize).iter().map(|variable| u64::from(values[*variable as usize])).sum()
    }

    /// Share from 0 to 1 that the values earn in the worst part.
    ///
    /// # Cost
    /// Linear in the items of the sets.
    #[must_use]
    pub fn value(&self, values: &[u32]) -> f64 {
        let parts = self.by_part(|group| {
            group.terms.iter().map(|term| term.weight * group.value_of(self.count(term.set, values))).sum()
        });
        parts.into_iter().fold(f64::INFINITY, f64::min)
    }

    /// Share that would be earned with units everywhere.
    #[must_use]
    pub fn value_everywhere(&self) -> f64 {
        self.parts_everywhere().into_iter().fold(f64::INFINITY, f64::min)
    }

    /// As [`Self::value_everywhere`], for each part.
    #[must_use]
    pub fn parts_everywhere(&self) -> Vec<f64> {
        self.by_part(|group| {
            let weight: f64 = group.terms.iter().map(|term| term.weight).sum();
            weight * group.levels.iter().sum::<f64>()
        })
    }

    /// Each part when each group earns what `earned` says, before scaling.
    fn by_part(&self, earned: impl Fn(&TermGroup) -> f64) -> Vec<f64> {
        let mut parts = vec![0.0; self.parts];
        self.groups.iter().for_each(|group| parts[group.part] += group.scale * earned(group));
        parts
    }

    /// Cost of the values under the aim; 0 when the aim is value.
    #[must_use]
    pub fn cost(&self, values: &[u32]) -> f64 {
        match &self.aim {
            Aim::MostValue => 0.0,
            Aim::LeastCost { costs, .. } => {
                costs.iter().zip(values).map(|(cost, value)| cost * f64::from(*value)).sum()
            }
        }
    }

    /// The aim's quantity: value or cost.
    #[must_use]
    pub fn objective(&self, values: &[u32]) -> f64 {
        match self.aim {
            Aim::MostValue => self.value(values),
            Aim::LeastCost { .. } => self.cost(values),
        }
    }

    /// True where the first values serve the aim better than the second.
    #[must_use]
    pub fn is_better(&self, first: &[u32], second: &[u32]) -> bool {
        match self.aim {
            Aim::MostValue => self.objective(first) > self.objective(second),
            Aim::LeastCost { .. } => self.objective(first) < self.objective(second),
        }
    }

    /// The first rule that the values break, in words; `None` when they keep all.
    #[must_use]
    pub fn broken_rule(&self, values: &[u32]) -> Option<&str> {
        let sum = |row: &Row| -> f64 {
            row.terms.iter().map(|(variable, factor)| factor * f64::from(values[*variable as usize])).sum()
        };
        let is_broken = |row: &&Row| {
            let sum = sum(row);
            sum < row.least || sum > row.most
        };
        if let Some(row) = self.rows.iter().find(is_broken) {
            return Some(if row.rule.is_empty() { "units that stand are units that are pledged" } else { &row.rule });
        }
        match self.aim {
            Aim::LeastCost { coverage, .. } if self.value(values) < coverage - 1e-9 => Some("coverage to reach"),
            _ => None,
        }
    }
}

/// A whole number as a float; exact up to 2^53, far beyond any headcount.
#[expect(clippy::cast_precision_loss, reason = "whole numbers below 2^53 are exact")]
pub(super) fn exact(number: u64) -> f64 {
    number as f64
}
