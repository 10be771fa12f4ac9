//! A program turned into the columns and rows that each of its linear relaxations has, and their duals into prices.

use highs::{Col, RowProblem};

use super::bundles::Bundles;
use super::multipliers::{LeftOut, Multipliers};
use crate::model::{Aim, Program, Row, TermGroup};

/// Sum of the weights, or of the costs, in the units handed to HiGHS.
pub(super) const TOTAL: f64 = 1e6;

/// A relaxation under construction, to be minimised: a column per variable and per sum of them that cover together; first those
/// rows of the program that the variables' limits alone do not keep.
pub(super) struct Frame<'a> {
    program: &'a Program,
    pub(super) problem: RowProblem,
    /// The program's variables, then the sums.
    pub(super) items: Vec<Col>,
    /// Rows so far.
    pub(super) rows: usize,
    /// First of the rows of the parts, where there are such rows.
    first_part: Option<usize>,
    /// For each row of the program whether the model has it.
    has_row: Vec<bool>,
}

/// Which rows of a relaxation are which.
pub(super) struct FrameRows {
    /// How many it has.
    pub(super) count: usize,
    /// First of the rows of the parts, where there are such rows.
    first_part: Option<usize>,
    /// For each row of the program whether the model has it; those that it has are the first.
    has_row: Vec<bool>,
}

impl<'a> Frame<'a> {
    /// Variables up to `most`, the rows that these limits alone do not keep, and the sums.
    pub(super) fn new(program: &'a Program, bundles: &Bundles, most: &[u32]) -> Self {
        let mut problem = RowProblem::default();
        let scale = Self::scale(program);
        let cost = |variable: usize| match &program.aim {
            Aim::MostValue => 0.0,
            Aim::LeastCost { costs, .. } => costs[variable] * scale,
        };
        let column = |(variable, most): (usize, &u32)| problem.add_column(cost(variable), 0.0..=f64::from(*most));
        let mut items: Vec<Col> = most.iter().enumerate().map(column).collect();
        let has_row: Vec<bool> = program.rows.iter().map(|row| !is_idle(row, most)).collect();
        for (row, _) in program.rows.iter().zip(&has_row).filter(|(_, has_row)| **has_row) {
            let terms = row.terms.iter().map(|(variable, factor)| (items[*variable as usize], *factor));
            problem.add_row(row.least..=row.most, terms);
        }
        for members in bundles.members.iter() {
            let sum = problem.add_column(0.0, 0.0..);
            let members = members.iter().map(|variable| (items[*variable as usize], -1.0));
            problem.add_row(..=0.0, members.chain([(sum, 1.0)]));
            items.push(sum);
        }
        let rows = has_row.iter().filter(|has_row| **has_row).count() + bundles.members.len();
        Self { program, problem, items, rows, first_part: None, has_row }
    }

    /// True where the value is a sum that the objective can hold itself.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.program.aim, Aim::MostValue) && self.program.parts == 1
    }

    /// Adds a row.
    pub(super) fn add_row(&mut self, most: f64, terms: impl IntoIterator<Item = (Col, f64)>) {
        self.problem.add_row(..=most, terms);
        self.rows += 1;
    }

    /// Adds a row for what each part earns, as columns and their worth in [`TOTAL`], unless the value is a single sum.
    pub(super) fn add_parts(&mut self, parts: Vec<Vec<(Col, f64)>>) {
        if self.is_single() {
            return;
        }
        self.first_part = Some(self.rows);
        let is_value = matches!(self.program.aim, Aim::MostValue);
        let worst = is_value.then(|| self.problem.add_column(-1.0, 0.0..));
        for mut terms in parts {
            if let Aim::LeastCost { coverage, .. } = self.program.aim {
                self.problem.add_row(coverage * TOTAL.., terms);
            } else {
                terms.iter_mut().for_each(|(_, factor)| *factor = -*factor);
                terms.extend(worst.map(|worst| (worst, 1.0)));
                self.problem.add_row(..=0.0, terms);
            }
            self.rows += 1;
        }
    }

    /// The problem, and which of its rows are which.
    pub(super) fn finished(self) -> (RowProblem, FrameRows) {
        (self.problem, FrameRows { count: self.rows, first_part: self.first_part, has_row: self.has_row })
    }

    /// The objective in the units of the relaxation: the program's times this. Costs are brought to the size of values, or HiGHS
    /// would take prices of values for nought.
    pub(super) fn scale(program: &Program) -> f64 {
        let sum = match &program.aim {
            Aim::MostValue => 1.0,
            Aim::LeastCost { costs, .. } => costs.iter().sum(),
        };
        if sum > 0.0 { TOTAL / sum } else { 1.0 }
    }
}

/// True where variables keep a row as long as each is at most so large.
fn is_idle(row: &Row, most: &[u32]) -> bool {
    let (least, largest) = row.ends(|variable| (0, most[variable as usize]));
    row.least <= least && largest <= row.most
}

/// Prices from the duals of a relaxation's rows; those of sets, whole and with a variable left out, are known.
pub(super) fn multipliers(
    program: &Program,
    duals: &[f64],
    rows: &FrameRows,
    (sets, left_out): (Vec<f64>, Vec<LeftOut>),
) -> Multipliers {
    let scale = Frame::scale(program);
    let mut of_rows = duals.iter().map(|dual| -dual / scale);
    let prices =
        rows.has_row.iter().map(|has_row| if *has_row { of_rows.next().unwrap_or(0.0) } else { 0.0 }).collect();
    let parts = match (&program.aim, rows.first_part) {
        (Aim::MostValue, None) => vec![1.0],
        (Aim::MostValue, Some(first)) => duals[first..first + program.parts].iter().map(|dual| -dual).collect(),
        (Aim::LeastCost { .. }, first) => {
            let first = first.unwrap_or_default();
            duals[first..first + program.parts].iter().map(|dual| dual * TOTAL / scale).collect()
        }
    };
    Multipliers { parts, rows: prices, sets, left_out }.mended(program)
}

/// The smallest concave ladder above that of a group: slopes that fall, each with its number of units.
pub(super) fn envelope(group: &TermGroup) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for level in &group.levels[..group.full_at()] {
        let (mut slope, mut width) = (*level, 1.0);
        while let Some((before, units)) = steps.last().copied().filter(|(before, _)| *before <= slope) {
            slope = (slope * width + before * units) / (width + units);
            width += units;
            steps.pop();
        }
        steps.push((slope, width));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::relax;
    use crate::solve::trials::{Numbers, program};

    /// Rows that cannot bind change no bound, wherever they stand: prices go to the rows that they belong to.
    #[test]
    fn rows_that_limits_keep_change_no_bound() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let mut held = 0;
        for _ in 0..100 {
            let program = program(&mut numbers);
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let bound = |program: &Program| relax::prices(program, &most, &|| false).map(|of| of.bound(program, &most));
            let Some(without) = bound(&program) else { continue };
            let mut with = program.clone();
            let idle = Row { rule: "idle".to_owned(), terms: vec![(0, 1.0), (1, -1.0)], least: -2.0, most: 2.0 };
            with.rows.insert(0, idle.clone());
            with.rows.push(idle);
            let bound = bound(&with).expect("as without");
            assert!((bound - without).abs() <= 1e-6 * without.abs().max(1.0), "{bound} {without}: {program:?}");
            held += usize::from(!is_idle(&program.rows[0], &most));
        }
        assert!(held >= 60, "{held} programs with a row that may bind");
    }
}
