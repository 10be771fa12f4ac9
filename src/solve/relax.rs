//! A program turned into its linear relaxation, and the answer of an interior-point solver into prices.

use highs::{Col, Model, RowProblem, Sense};

use super::bundles::Bundles;
use super::highs_ffi::{self, Run};
use super::multipliers::Multipliers;
use crate::model::{Aim, Program, TermGroup};

/// Sum of the weights in the units handed to HiGHS.
const TOTAL: f64 = 1e6;

/// The prices at the end of the interior-point method; `None` where HiGHS fails or has to stop first.
///
/// Without crossover to a vertex the prices come many times sooner, and whether HiGHS calls them optimal does not matter:
/// the bound is computed from them, not taken from it.
///
/// # Cost
/// Seconds up to about a million items of the sets.
pub(super) fn prices(program: &Program, most: &[u32], is_over: &dyn Fn() -> bool) -> Option<Multipliers> {
    let relaxation = Relaxation::new(program, most);
    let mut model = Model::try_new(relaxation.problem).ok()?;
    model.set_sense(Sense::Minimise);
    model.make_quiet();
    for (option, value) in [("solver", "ipm"), ("run_crossover", "off"), ("parallel", "off")] {
        model.try_set_option(option, value).ok()?;
    }
    model.try_set_option("threads", 1).ok()?;
    let Run::Solved(solved) = highs_ffi::run(model, &mut |_| {}, is_over) else { return None };
    let solution = solved.get_solution();
    let duals = solution.dual_rows();
    if duals.len() != relaxation.rows {
        return None;
    }
    let price = |row: usize| -duals[row] / relaxation.scale;
    let rows = relaxation.row_of_rule.iter().map(|row| price(*row)).collect();
    let sets = relaxation.row_of_set.iter().map(|row| row.map_or(0.0, price)).collect();
    let parts = match (&program.aim, relaxation.first_part) {
        (Aim::MostValue, None) => vec![1.0],
        (Aim::MostValue, Some(first)) => (0..program.parts).map(|part| -duals[first + part]).collect(),
        (Aim::LeastCost { .. }, first) => {
            let first = first.unwrap_or_default();
            (0..program.parts).map(|part| -price(first + part) * relaxation.scale_of_parts).collect()
        }
    };
    Some(Multipliers { parts, rows, sets }.mended(program))
}

/// The relaxation as HiGHS takes it, and which of its rows is what.
struct Relaxation {
    problem: RowProblem,
    rows: usize,
    row_of_rule: Vec<usize>,
    row_of_set: Vec<Option<usize>>,
    /// First of the rows of the parts, where there are such rows.
    first_part: Option<usize>,
    /// Objective in model units: the program's times this.
    scale: f64,
    /// The left side of the rows of parts: shares times this.
    scale_of_parts: f64,
}

impl Relaxation {
    fn new(program: &Program, most: &[u32]) -> Self {
        let mut problem = RowProblem::default();
        let costs: &[f64] = match &program.aim {
            Aim::MostValue => &[],
            Aim::LeastCost { costs, .. } => costs,
        };
        let values: Vec<Col> = (0..program.variables.len())
            .map(|variable| {
                let cost = costs.get(variable).copied().unwrap_or(0.0);
                problem.add_column(cost, 0.0..=f64::from(most[variable]))
            })
            .collect();
        let bundles = Bundles::new(program);
        let sums = bundles.members.iter().map(|_| problem.add_column(0.0, 0.0..));
        let items: Vec<Col> = values.iter().copied().chain(sums.collect::<Vec<_>>()).collect();
        let is_single = costs.is_empty() && program.parts == 1;
        let scale = if costs.is_empty() { TOTAL } else { 1.0 };
        let mut parts: Vec<Vec<(Col, f64)>> = vec![Vec::new(); program.parts];
        let mut row_of_set = vec![None; program.sets.len()];
        let mut rows = 0;
        for group in &program.groups {
            let ladder = envelope(group);
            for term in &group.terms {
                let worth = term.weight * group.scale * TOTAL;
                let mut link: Vec<(Col, f64)> = Vec::with_capacity(ladder.len() + 8);
                for (slope, width) in &ladder {
                    let cost = if is_single { -worth * slope } else { 0.0 };
                    let column = problem.add_column(cost, 0.0..=*width);
                    link.push((column, 1.0));
                    if !is_single {
                        parts[group.part].push((column, worth * slope));
                    }
                }
                let units = bundles.sets.row(term.set as usize).iter();
                link.extend(units.map(|item| (items[*item as usize], -1.0)));
                problem.add_row(..=0.0, link);
                row_of_set[term.set as usize] = Some(rows);
                rows += 1;
            }
        }
        for (sum, members) in items[values.len()..].iter().zip(bundles.members.iter()) {
            let members = members.iter().map(|variable| (values[*variable as usize], -1.0));
            problem.add_row(..=0.0, members.chain([(*sum, 1.0)]));
            rows += 1;
        }
        let mut row_of_rule = Vec::with_capacity(program.rows.len());
        for row in &program.rows {
            let terms = row.terms.iter().map(|(variable, factor)| (values[*variable as usize], *factor));
            problem.add_row(row.least..=row.most, terms);
            row_of_rule.push(rows);
            rows += 1;
        }
        let first_part = (!is_single).then_some(rows);
        if !is_single {
            let worst = costs.is_empty().then(|| problem.add_column(-1.0, 0.0..));
            for mut terms in parts {
                if let Aim::LeastCost { coverage, .. } = program.aim {
                    problem.add_row(coverage * TOTAL.., terms);
                } else {
                    terms.iter_mut().for_each(|(_, factor)| *factor = -*factor);
                    terms.extend(worst.map(|worst| (worst, 1.0)));
                    problem.add_row(..=0.0, terms);
                }
                rows += 1;
            }
        }
        Self { problem, rows, row_of_rule, row_of_set, first_part, scale, scale_of_parts: TOTAL }
    }
}

/// The smallest concave ladder above that of a group: slopes that fall, each with its number of units.
fn envelope(group: &TermGroup) -> Vec<(f64, f64)> {
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
