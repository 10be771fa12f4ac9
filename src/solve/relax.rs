//! A program turned into its linear relaxation, and the answer of an interior-point solver into prices.

use highs::Col;

use super::bundles::Bundles;
use super::frame::{self, Frame, TOTAL};
use super::highs_ffi::{self, Ended};
use super::multipliers::Multipliers;
use crate::model::Program;

/// The prices at the end of the interior-point method; `None` where HiGHS fails or has to stop first.
///
/// Without crossover to a vertex the prices come many times sooner, and whether HiGHS calls them optimal does not matter:
/// the bound is computed from them, not taken from it.
///
/// # Cost
/// Seconds up to about a million items of the sets.
pub(super) fn prices(program: &Program, most: &[u32], is_over: &dyn Fn() -> bool) -> Option<Multipliers> {
    let bundles = Bundles::new(program);
    let mut frame = Frame::new(program, &bundles, most);
    let row_of_set = add_links(&mut frame, program, &bundles);
    let (problem, rows) = frame.finished();
    let mut model = highs_ffi::linear(problem, &[("solver", "ipm"), ("run_crossover", "off")]);
    let Ended { duals, .. } = highs_ffi::rerun(&mut model, is_over)?;
    if duals.len() != rows.count {
        return None;
    }
    let scale = Frame::scale(program);
    let sets = row_of_set.iter().map(|row| row.map_or(0.0, |row| -duals[row] / scale)).collect();
    Some(frame::multipliers(program, &duals, &rows, (sets, Vec::new())))
}

/// Adds the levels that are earned and their links to units; gives the row of the link of each set.
fn add_links(frame: &mut Frame<'_>, program: &Program, bundles: &Bundles) -> Vec<Option<usize>> {
    let mut parts: Vec<Vec<(Col, f64)>> = vec![Vec::new(); program.parts];
    let mut row_of_set = vec![None; program.sets.len()];
    let is_single = frame.is_single();
    for group in &program.groups {
        let ladder = frame::envelope(group);
        for term in &group.terms {
            let worth = term.weight * group.scale * TOTAL;
            let mut link: Vec<(Col, f64)> = Vec::with_capacity(ladder.len() + 8);
            for (slope, width) in &ladder {
                let cost = if is_single { -worth * slope } else { 0.0 };
                let column = frame.problem.add_column(cost, 0.0..=*width);
                link.push((column, 1.0));
                if !is_single {
                    parts[group.part].push((column, worth * slope));
                }
            }
            let units = bundles.sets.row(term.set as usize).iter();
            link.extend(units.map(|item| (frame.items[*item as usize], -1.0)));
            row_of_set[term.set as usize] = Some(frame.rows);
            frame.add_row(0.0, link);
        }
    }
    frame.add_parts(parts);
    row_of_set
}
