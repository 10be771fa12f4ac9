//! A program without solution turned into a smallest list of rules that clash.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::{Watch, compact};
use crate::model::{Aim, Program, Row};

/// No more time than this goes into making the list small, seconds.
const LIMIT_S: f64 = 10.0;

/// Rules that clash, each needed for the clash: dropping any one of them leaves rules that can be kept.
/// When time runs out the list still clashes but may hold rules that are not needed.
///
/// # Cost
/// k log n models without objective, k rules in the list and n in the program.
///
/// # Source
/// Junker 2004, QuickXplain: preferred explanations and relaxations for over-constrained problems.
pub(super) fn smallest(program: &Program, watch: &Watch<'_>) -> (Vec<String>, bool) {
    let (named, fixed): (Vec<Row>, Vec<Row>) = rows(program).into_iter().partition(|row| !row.rule.is_empty());
    // Rows of one rule stand or fall together.
    let mut rules: Vec<Vec<Row>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for row in named {
        let next = rules.len();
        let place = *known.entry(row.rule.clone()).or_insert(next);
        if place == next {
            rules.push(Vec::new());
        }
        rules[place].push(row);
    }
    let search = Search {
        program,
        watch,
        deadline: Instant::now() + Duration::from_secs_f64(LIMIT_S),
        is_cut_short: Cell::new(false),
    };
    let needed = search.needed(fixed, false, rules);
    let conflict = needed.into_iter().filter_map(|rows| rows.into_iter().next()).map(|row| row.rule).collect();
    (conflict, !search.is_cut_short.get())
}

/// The rules as rows, the coverage to reach among them.
fn rows(program: &Program) -> Vec<Row> {
    let mut rows = program.rows.clone();
    if let Aim::LeastCost { coverage, .. } = program.aim {
        rows.push(Row {
            rule: format!("objective coverage {coverage}"),
            terms: Vec::new(),
            least: f64::NEG_INFINITY,
            most: f64::INFINITY,
        });
    }
    rows
}

struct Search<'a> {
    program: &'a Program,
    watch: &'a Watch<'a>,
    deadline: Instant,
    /// True once time ran out before an answer.
    is_cut_short: Cell<bool>,
}

impl Search<'_> {
    /// True where these rows are shown to clash; false where they do not, or where it cannot be told in time, so that
    /// no needed rule is lost.
    fn clash(&self, rows: &[Row]) -> bool {
        let left_s = self.deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        if left_s <= 0.0 || self.watch.is_stopped() {
            self.is_cut_short.set(true);
            return false;
        }
        let mut program = self.program.clone();
        program.rows = rows.to_vec();
        let asks_for_coverage = rows.iter().any(|row| row.rule.starts_with("objective coverage"));
        if !asks_for_coverage {
            program.aim = Aim::MostValue;
            program.groups.clear();
        }
        let answer = compact::is_infeasible(&program, left_s, self.watch.stop);
        self.is_cut_short.set(self.is_cut_short.get() || answer.is_none());
        answer.unwrap_or(false)
    }

    /// The rules among `candidates` that are needed for a clash with `background`.
    fn needed(&self, background: Vec<Row>, has_grown: bool, mut candidates: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
        if has_grown && self.clash(&background) {
            return Vec::new();
        }
        if candidates.len() <= 1 {
            return candidates;
        }
        let second = candidates.split_off(candidates.len() / 2);
        let first = candidates;
        let with_first: Vec<Row> = background.iter().chain(first.iter().flatten()).cloned().collect();
        let from_second = self.needed(with_first, !first.is_empty(), second);
        let with_second: Vec<Row> = background.iter().chain(from_second.iter().flatten()).cloned().collect();
        let mut needed = self.needed(with_second, !from_second.is_empty(), first);
        needed.extend(from_second);
        needed
    }
}
