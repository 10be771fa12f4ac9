//! A program whose variables are partly known to be zero turned into one without them.

use std::collections::HashMap;

use crate::cover::Rows;
use crate::model::{Aim, Program, Row, TermGroup, Variable};

/// A smaller program and where its variables come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// The smaller program.
    pub program: Program,
    /// For each of its variables, the variable of the larger program.
    pub kept: Vec<u32>,
    /// For each set of the larger program, the set that it became; `None` for one that nothing is left to cover.
    pub set_of: Vec<Option<u32>>,
    /// For each row of the smaller program, the row of the larger.
    pub row_of: Vec<u32>,
    /// Variables of the larger program.
    all: usize,
}

impl Reduced {
    /// Values of the larger program: zero for what is not kept.
    #[must_use]
    pub fn back(&self, values: &[u32]) -> Vec<u32> {
        let mut all = vec![0; self.all];
        self.kept.iter().zip(values).for_each(|(variable, value)| all[*variable as usize] = *value);
        all
    }

    /// Values of the smaller program.
    #[must_use]
    pub fn forth<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.kept.iter().map(|variable| values[*variable as usize]).collect()
    }
}

/// The program with only the variables to keep; sets that become equal are merged, empty ones dropped.
///
/// # Cost
/// Linear in the items of sets and rows.
#[must_use]
pub fn restricted(program: &Program, is_kept: &[bool]) -> Reduced {
    const GONE: u32 = u32::MAX;
    let mut place = vec![GONE; program.variables.len()];
    let mut kept = Vec::new();
    for (variable, _) in (0_u32..).zip(is_kept).filter(|(_, is_kept)| **is_kept) {
        place[variable as usize] = u32::try_from(kept.len()).expect("fewer than before");
        kept.push(variable);
    }
    let costs = |costs: &[f64]| kept.iter().filter_map(|variable| costs.get(*variable as usize).copied()).collect();
    let aim = match &program.aim {
        Aim::MostValue => Aim::MostValue,
        Aim::LeastCost { costs: all, coverage } => Aim::LeastCost { costs: costs(all), coverage: *coverage },
    };
    let variables: Vec<Variable> = kept.iter().map(|variable| program.variables[*variable as usize]).collect();
    let mut smaller = Program::new(aim, variables);
    smaller.parts = program.parts;
    smaller.ties = [costs(&program.ties[0]), costs(&program.ties[1])];
    let renamed = |variable: u32| Some(place[variable as usize]).filter(|place| *place != GONE);
    let mut row_of = Vec::new();
    for (number, row) in (0_u32..).zip(&program.rows) {
        let terms: Vec<(u32, f64)> =
            row.terms.iter().filter_map(|(variable, factor)| Some((renamed(*variable)?, *factor))).collect();
        let is_idle = terms.is_empty() && row.least <= 0.0 && row.most >= 0.0;
        if !is_idle {
            row_of.push(number);
            smaller.add_row(Row { rule: row.rule.clone(), terms, least: row.least, most: row.most });
        }
    }
    let mut set_of = vec![None; program.sets.len()];
    for group in &program.groups {
        let (sets, weights) = merged(program, group, renamed, smaller.sets.len(), &mut set_of);
        smaller.add_group(TermGroup { terms: Vec::new(), ..group.clone() }, sets.iter().zip(&weights));
    }
    Reduced { program: smaller, kept, set_of, row_of, all: program.variables.len() }
}

/// The sets of a group in other names, equal ones merged in order of first sight, empty ones dropped; `first` is the
/// number of the first.
fn merged(
    program: &Program,
    group: &TermGroup,
    renamed: impl Fn(u32) -> Option<u32>,
    first: usize,
    set_of: &mut [Option<u32>],
) -> (Rows, Vec<f64>) {
    let (mut sets, mut weights) = (Rows::default(), Vec::new());
    let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
    for term in &group.terms {
        let set: Vec<u32> =
            program.sets.row(term.set as usize).iter().filter_map(|variable| renamed(*variable)).collect();
        if set.is_empty() {
            continue;
        }
        let place = *known.entry(set).or_insert_with_key(|set| {
            sets.push(set);
            weights.push(0.0);
            weights.len() - 1
        });
        weights[place] += term.weight;
        set_of[term.set as usize] = Some(u32::try_from(first + place).expect("fewer than before"));
    }
    (sets, weights)
}
