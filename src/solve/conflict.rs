//! A program without solution turned into a smallest list of rules that clash.

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
pub(super) fn smallest(program: &Program, watch: &Watch<'_>) -> Vec<String> {
    let (rules, fixed): (Vec<Row>, Vec<Row>) = rows(program).into_iter().partition(|row| !row.rule.is_empty());
    let search = Search { program, watch, deadline: Instant::now() + Duration::from_secs_f64(LIMIT_S) };
    search.needed(fixed, false, rules).into_iter().map(|row| row.rule).collect()
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
}

impl Search<'_> {
    /// True where these rows clash; also when it cannot be told in time, so that no needed rule is lost.
    fn clash(&self, rows: &[Row]) -> bool {
        let left_s = self.deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        if left_s <= 0.0 {
            return false;
        }
        let mut program = self.program.clone();
        program.rows = rows.to_vec();
        let asks_for_coverage = rows.iter().any(|row| row.rule.starts_with("objective coverage"));
        if !asks_for_coverage {
            program.aim = Aim::MostValue;
            program.groups.clear();
        }
        compact::is_infeasible(&program, left_s, self.watch).unwrap_or(false)
    }

    /// The rules among `candidates` that are needed for a clash with `background`.
    fn needed(&self, background: Vec<Row>, has_grown: bool, mut candidates: Vec<Row>) -> Vec<Row> {
        if has_grown && self.clash(&background) {
            return Vec::new();
        }
        if candidates.len() <= 1 {
            return candidates;
        }
        let second = candidates.split_off(candidates.len() / 2);
        let first = candidates;
        let with_first: Vec<Row> = background.iter().chain(&first).cloned().collect();
        let from_second = self.needed(with_first, !first.is_empty(), second);
        let with_second: Vec<Row> = background.iter().chain(&from_second).cloned().collect();
        let mut needed = self.needed(with_second, !from_second.is_empty(), first);
        needed.extend(from_second);
        needed
    }
}
