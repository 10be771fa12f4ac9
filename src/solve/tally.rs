//! What units are worth at each post turned into the units that the contributors would best give, and the prices of that.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use highs::{Col, HighsModelStatus, RowProblem};

use super::branching::Gains;
use super::frame::TOTAL;
use super::highs_ffi::{self, Live};
use super::layout::Layout;
use super::multipliers::Decided;
use super::question::{Branch, Node, half};
use crate::model::Row;

/// A value this close to a whole number is one.
const WHOLE: f64 = 1e-6;

/// A linear program of the rows between pledges and switches alone: of the posts it knows, lot by lot, only the best.
///
/// Rows of posts, such as limits of locations and protection, are not in it: they have prices, which are in the worths.
pub(super) struct Tally<'a> {
    model: Option<Live>,
    /// Variables that have a column of their own, in the order of the columns: those that are no posts, then posts that must
    /// hold units.
    singles: Vec<Single>,
    /// How many of them are no posts.
    others: usize,
    lots: Vec<LotPart>,
    /// Posts that must hold units.
    pub(super) forced: Vec<Forced>,
    /// Rows of the program, in the order of the model's.
    pub(super) rows: Vec<u32>,
    /// For each row of the program, whether it is in the model.
    pub(super) is_in: Vec<bool>,
    most: &'a [u32],
    gains: Gains,
    /// Room to choose in.
    order: Vec<u32>,
    /// The posts whose worths the columns of the lots have.
    chosen: Vec<u32>,
}

/// A variable with a column of its own, and its range there.
struct Single {
    variable: u32,
    column: Col,
    range: (u32, u32),
    now: (u32, u32),
}

/// A lot's posts, and the columns for the best of them.
struct LotPart {
    posts: Vec<u32>,
    columns: Vec<Col>,
}

/// A post that must hold units.
pub(super) struct Forced {
    pub(super) variable: u32,
    /// The row that says so, and its factor.
    pub(super) row: u32,
    pub(super) factor: f64,
    /// Row of the model that balances the post's lot.
    pub(super) balance: usize,
}

/// The best values where fractions are allowed.
pub(super) struct Answer {
    /// Values that are not zero.
    pub(super) values: Vec<(u32, f64)>,
    pub(super) worth: f64,
    /// What one more on the right side of each of the model's rows is worth.
    pub(super) duals: Arc<Vec<f64>>,
}

/// Variables with their least and most, where narrower than everywhere, and prices of the model's rows.
pub(super) struct Leaf {
    pub(super) narrowed: Vec<(u32, u32, u32)>,
    pub(super) duals: Arc<Vec<f64>>,
}

enum Solved {
    Optimal(Answer),
    Infeasible,
    Failed,
}

impl<'a> Tally<'a> {
    /// The model, without worths; `most` says how large each variable can be.
    pub(super) fn new(layout: &Layout<'_>, most: &'a [u32]) -> Option<Self> {
        let program = layout.program;
        let is_alone = |row: &Row| row.terms.iter().all(|(variable, _)| !layout.is_post(*variable));
        let is_in: Vec<bool> = program.rows.iter().map(|row| row.is_balance() || is_alone(row)).collect();
        let mut problem = RowProblem::default();
        let mut column_of: Vec<Option<Col>> = vec![None; program.variables.len()];
        let mut singles = Vec::new();
        let mut single = |problem: &mut RowProblem, variable: u32, least: u32| {
            let range = (least, most[variable as usize]);
            let column = problem.add_column(0.0, f64::from(range.0)..=f64::from(range.1));
            column_of[variable as usize] = Some(column);
            singles.push(Single { variable, column, range, now: range });
        };
        let variables = 0..u32::try_from(program.variables.len()).ok()?;
        variables.filter(|variable| !layout.is_post(*variable)).for_each(|other| single(&mut problem, other, 0));
        // Of rows that force the same post the one that asks for most has a column; the others say nothing beside it.
        let mut forcing: BTreeMap<u32, (u32, u32, f64)> = BTreeMap::new();
        for (number, row) in (0_u32..).zip(&program.rows) {
            if let Some((variable, factor, least)) = least_of_one(row).filter(|(post, ..)| layout.is_post(*post)) {
                let known = forcing.entry(variable).or_insert((least, number, factor));
                if known.0 < least {
                    *known = (least, number, factor);
                }
            }
        }
        for (variable, (least, ..)) in &forcing {
            single(&mut problem, *variable, (*least).min(most[*variable as usize]));
        }
        let mut lots = Vec::new();
        for lot in &layout.lot_members {
            let units: u64 = lot.pledges.iter().map(|pledge| u64::from(most[*pledge as usize])).sum();
            let is_open = |post: &u32| column_of[*post as usize].is_none() && most[*post as usize] > 0;
            let posts: Vec<u32> = lot.posts.iter().copied().filter(is_open).collect();
            // One more than can be used: the best that is left over says what a place is worth.
            let count = posts.len().min(usize::try_from(units).unwrap_or(usize::MAX).saturating_add(1));
            let columns = (0..count).map(|_| problem.add_column(0.0, 0.0..=0.0)).collect();
            lots.push(LotPart { posts, columns });
        }
        let (mut rows, mut forced, mut balances) = (Vec::new(), Vec::new(), 0);
        for ((number, row), _) in (0_u32..).zip(&program.rows).zip(&is_in).filter(|(_, is_in)| **is_in) {
            let known = |(variable, factor): &(u32, f64)| Some((column_of[*variable as usize]?, *factor));
            let mut terms: Vec<(Col, f64)> = row.terms.iter().filter_map(known).collect();
            if row.is_balance() {
                let lot: &LotPart = &lots[balances];
                terms.extend(lot.columns.iter().map(|column| (*column, 1.0)));
                let of_lot = forcing.iter().filter(|(variable, _)| layout.lot_of(**variable) == Some(balances));
                forced.extend(of_lot.map(|(variable, (_, row, factor))| Forced {
                    variable: *variable,
                    row: *row,
                    factor: *factor,
                    balance: rows.len(),
                }));
                balances += 1;
            }
            problem.add_row(row.least..=row.most, terms);
            rows.push(number);
        }
        let model = highs_ffi::linear(problem, &[("solver", "simplex"), ("presolve", "off")])?;
        let others = singles.len() - forcing.len();
        let (gains, order, chosen) = (Gains::new(others), Vec::new(), Vec::new());
        Some(Self { model: Some(model), singles, others, lots, forced, rows, is_in, most, gains, order, chosen })
    }

    /// Says what one unit of each variable is worth from now on.
    pub(super) fn set(&mut self, worth: &[f64]) {
        let Some(model) = &mut self.model else { return };
        for single in &self.singles {
            model.change_column_cost(single.column, -TOTAL * worth[single.variable as usize]);
        }
        self.chosen.clear();
        for lot in &self.lots {
            let count = lot.columns.len();
            self.order.clear();
            self.order.extend(&lot.posts);
            let by_worth = |a: &u32, b: &u32| worth[*b as usize].total_cmp(&worth[*a as usize]).then(a.cmp(b));
            if count < self.order.len() {
                self.order.select_nth_unstable_by(count, by_worth);
                self.order.truncate(count);
            }
            self.order.sort_unstable_by(by_worth);
            for (post, column) in self.order.iter().zip(&lot.columns) {
                model.change_column_cost(*column, -TOTAL * worth[*post as usize]);
                model.change_column_bounds(*column, 0.0..=f64::from(self.most[*post as usize]));
            }
            self.chosen.extend(&self.order);
        }
    }

    /// The best values; `None` where HiGHS fails, has to stop, or says that there are none.
    pub(super) fn best(&mut self, worth: &[f64], is_over: &dyn Fn() -> bool) -> Option<Answer> {
        self.set(worth);
        match self.relaxed(&[], worth, is_over) {
            Solved::Optimal(answer) => Some(answer),
            Solved::Infeasible | Solved::Failed => None,
        }
    }

    /// The best whole values by HiGHS, nearly, without a proof that is not its word.
    pub(super) fn guessed_whole(&mut self, worth: &[f64], is_over: &dyn Fn() -> bool) -> Option<Answer> {
        self.set(worth);
        self.become_whole(true)?;
        self.narrow(&[]);
        let solved = self.attempt(worth, is_over);
        self.become_whole(false)?;
        match solved {
            Solved::Optimal(answer) => Some(answer),
            Solved::Infeasible | Solved::Failed => None,
        }
    }

    /// Says of all columns whether they are whole, and who is to solve such a model.
    fn become_whole(&mut self, is_whole: bool) -> Option<()> {
        let model = self.model.as_mut()?;
        let (solver, presolve) = if is_whole { ("choose", "on") } else { ("simplex", "off") };
        model.try_set_option("solver", solver).ok()?;
        model.try_set_option("presolve", presolve).ok()?;
        highs_ffi::set_whole(model, is_whole).then_some(())
    }

    /// Ranges that together hold all whole values, each with prices that prove how much they are worth there at most: as
    /// little as the best are worth, and `slack`. They come of branching on what is no post: then posts are whole by
    /// themselves, the best first. Ends early after many questions.
    ///
    /// # Source
    /// Land and Doig 1960.
    pub(super) fn leaves(&mut self, worth: &[f64], slack: f64, is_over: &dyn Fn() -> bool) -> Option<Vec<Leaf>> {
        /// Most questions.
        const NODES: u64 = 2_000;
        self.set(worth);
        let mut open = BinaryHeap::new();
        // Prices of each question, by the number of which those of its halves are made.
        let mut prices: Vec<Arc<Vec<f64>>> = vec![Arc::new(vec![0.0; self.rows.len()])];
        open.push(Node::root());
        let (mut leaves, mut nodes) = (Vec::new(), 0_u64);
        let mut best = f64::NEG_INFINITY;
        while let Some(node) = open.pop() {
            if node.height <= best + slack || nodes >= NODES {
                open.push(node);
                break;
            }
            let answer = match self.relaxed(&node.narrowed, worth, is_over) {
                Solved::Optimal(answer) => answer,
                Solved::Infeasible if !is_over() => continue,
                // What is over was asked once only.
                Solved::Infeasible | Solved::Failed => return None,
            };
            nodes += 1;
            prices.push(Arc::clone(&answer.duals));
            let height = answer.worth.min(node.height);
            if let Some(Branch { item, is_up, distance, height: before }) = node.branch {
                self.gains.learn(item, is_up, (before - height).max(0.0) / distance);
            }
            let Some((single, value)) = self.branching(&answer) else {
                leaves.push(Leaf { narrowed: self.by_variable(&node.narrowed), duals: answer.duals });
                best = best.max(height);
                continue;
            };
            for is_up in [false, true] {
                let before = node.narrowed.iter().find(|(place, ..)| *place == single);
                let range = before.map_or(self.singles[single as usize].range, |(_, least, most)| (*least, *most));
                let ((least, most), distance) = half(range, value, is_up);
                let mut narrowed = node.narrowed.clone();
                narrowed.retain(|(place, ..)| *place != single);
                narrowed.push((single, least, most));
                open.push(Node::half_of(
                    nodes,
                    Branch { item: single, is_up, distance, height },
                    narrowed,
                    Decided::new(),
                ));
            }
        }
        for node in open {
            let place = usize::try_from(node.number / 2).ok()?;
            leaves.push(Leaf { narrowed: self.by_variable(&node.narrowed), duals: Arc::clone(&prices[place]) });
        }
        (!leaves.is_empty()).then_some(leaves)
    }

    /// Ranges by variable instead of by place among those with columns of their own.
    fn by_variable(&self, narrowed: &[(u32, u32, u32)]) -> Vec<(u32, u32, u32)> {
        let named = |(place, least, most): &(u32, u32, u32)| (self.singles[*place as usize].variable, *least, *most);
        narrowed.iter().map(named).collect()
    }

    /// The place of the variable to branch on and its value; `None` where all that are no posts are whole.
    fn branching(&self, answer: &Answer) -> Option<(u32, f64)> {
        let mut best: Option<(u32, f64, f64)> = None;
        let mut values = answer.values.iter().peekable();
        for (place, single) in (0_u32..).zip(&self.singles[..self.others]) {
            let Some((_, value)) = values.next_if(|(variable, _)| *variable == single.variable) else { continue };
            if (value - value.round()).abs() <= WHOLE {
                continue;
            }
            let score = self.gains.score(place, *value);
            if best.is_none_or(|(_, _, before)| score > before) {
                best = Some((place, *value, score));
            }
        }
        best.map(|(place, value, _)| (place, value))
    }

    /// Solves the linear program within ranges; once more from no basis where that is said to have no values.
    fn relaxed(&mut self, narrowed: &[(u32, u32, u32)], worth: &[f64], is_over: &dyn Fn() -> bool) -> Solved {
        self.narrow(narrowed);
        match self.attempt(worth, is_over) {
            Solved::Optimal(answer) => Solved::Optimal(answer),
            doubtful => {
                let is_cleared = !is_over() && self.model.as_mut().is_some_and(|model| highs_ffi::clear_basis(model));
                if is_cleared { self.attempt(worth, is_over) } else { doubtful }
            }
        }
    }

    /// Holds the variables with columns of their own within ranges.
    fn narrow(&mut self, narrowed: &[(u32, u32, u32)]) {
        let Some(model) = &mut self.model else { return };
        for (place, single) in (0_u32..).zip(&mut self.singles) {
            let wanted = narrowed.iter().find(|(narrowed, ..)| *narrowed == place);
            let wanted = wanted.map_or(single.range, |(_, least, most)| (*least, *most));
            if wanted != single.now {
                single.now = wanted;
                model.change_column_bounds(single.column, f64::from(wanted.0)..=f64::from(wanted.1));
            }
        }
    }

    fn attempt(&mut self, worth: &[f64], is_over: &dyn Fn() -> bool) -> Solved {
        let Some(ended) = highs_ffi::rerun(&mut self.model, is_over) else { return Solved::Failed };
        let duals: Vec<f64> = ended.duals.iter().map(|dual| -dual / TOTAL).collect();
        let singles = self.singles.iter().map(|single| single.variable);
        let variables = singles.chain(self.chosen.iter().copied());
        let values: Vec<(u32, f64)> = variables.zip(ended.columns).filter(|(_, value)| *value != 0.0).collect();
        match ended.status {
            HighsModelStatus::Infeasible => Solved::Infeasible,
            HighsModelStatus::Optimal => {
                let worth = values.iter().map(|(variable, value)| worth[*variable as usize] * value).sum();
                Solved::Optimal(Answer { values, worth, duals: Arc::new(duals) })
            }
            _ => Solved::Failed,
        }
    }
}

/// The variable, factor and least value of a row that asks for units of one variable and does no more.
fn least_of_one(row: &Row) -> Option<(u32, f64, u32)> {
    let [(variable, factor)] = row.terms[..] else { return None };
    let is_least = row.least > 0.0 && factor > 0.0 && row.most.is_infinite();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of units are small")]
    is_least.then(|| (variable, factor, (row.least / factor).ceil() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Program, Variable};

    /// Two rules that ask for units at the same post are one, the stronger.
    #[test]
    fn a_post_that_is_forced_twice_has_one_column() {
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 3 }; 3]);
        let mut row = |rule: &str, terms: Vec<(u32, f64)>, least, most| {
            program.add_row(Row { rule: rule.to_owned(), terms, least, most });
        };
        row("", vec![(0, 1.0), (1, 1.0), (2, -1.0)], 0.0, 0.0);
        row("three units", vec![(2, 1.0)], f64::NEG_INFINITY, 3.0);
        row("one", vec![(0, 1.0)], 1.0, f64::INFINITY);
        row("two", vec![(0, 1.0)], 2.0, f64::INFINITY);
        row("one again", vec![(0, 1.0)], 1.0, f64::INFINITY);
        let layout = Layout::new(&program);
        let tally = Tally::new(&layout, &[3, 3, 3]).expect("HiGHS works");
        let ranges: Vec<(u32, (u32, u32))> =
            tally.singles.iter().map(|single| (single.variable, single.range)).collect();
        assert_eq!(ranges, [(2, (0, 3)), (0, (2, 3))]);
        let forced: Vec<(u32, u32)> = tally.forced.iter().map(|forced| (forced.variable, forced.row)).collect();
        assert_eq!(forced, [(0, 3)], "priced by the row that asks for most");
        assert_eq!(tally.lots[0].posts, [1]);
    }
}
