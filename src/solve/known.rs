//! What is known of a program turned into what a model of it need not look at.

use super::joint::Joint;
use super::question::Within;
use crate::model::{Program, TermGroup};

/// What is known of a program before HiGHS looks at it.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    /// Values that keep the rules.
    pub(super) start: Option<&'a [u32]>,
    /// Rows on several sets that all whole values keep.
    pub(super) joints: &'a [Joint],
    /// What all values keep to that are better than the start; of use with one only.
    pub(super) within: Option<&'a Within>,
}

impl<'a> Known<'a> {
    /// Values that keep the rules, where there are some, and no more.
    pub(super) fn from_start(start: Option<&'a [u32]>) -> Self {
        Self { start, ..Self::default() }
    }

    /// Least and most of a variable in the start and in what is better, where not from 0 to `most`.
    pub(super) fn range(&self, variable: usize, most: u32) -> (u32, u32) {
        let known = self.start.zip(self.within);
        known.map_or((0, most), |(start, within)| {
            let (value, (least, most)) = (start[variable], within.ranges[variable]);
            (least.min(value), most.max(value))
        })
    }

    /// Whether a set earns all that it can, in the start and in what is better, where that is decided.
    pub(super) fn is_full(&self, program: &Program, group: &TermGroup, set: u32) -> Option<bool> {
        let (start, within) = self.start.zip(self.within)?;
        let is_full = program.count(set, start) >= u64::try_from(group.full_at()).unwrap_or(u64::MAX);
        within.decided.get(&set).copied().filter(|decided| *decided == is_full)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    use super::*;
    use crate::model::Aim;
    use crate::scenario::{Method, Options};
    use crate::solve::compact;
    use crate::solve::greedy;
    use crate::solve::layout::Layout;
    use crate::solve::multipliers::Decided;
    use crate::solve::trials::{Numbers, POSTS, best, program, units_within};

    /// Ranges and sets that better values keep to are no more than that: the best values are found, or the start where none are
    /// better, although it keeps to nothing then.
    #[test]
    fn what_better_values_keep_to_loses_none_of_them() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let (mut none, mut narrow) = (0, 0);
        for _ in 0..200 {
            let program = program(&mut numbers);
            let Some(start) = greedy::values(&Layout::new(&program), &|| false) else { continue };
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            let fits = |plan: &Vec<u32>| {
                let most = program.variables.iter().map(|variable| variable.most);
                plan.iter().zip(most).all(|(value, most)| *value <= most) && program.broken_rule(plan).is_none()
            };
            let mut better = units_within(&[2; POSTS as usize]);
            better
                .retain(|plan| fits(plan) && sign * program.objective(plan) > sign * program.objective(&start) + 1e-9);
            let ends = |variable: usize| {
                let values = better.iter().map(|plan| plan[variable]);
                (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
            };
            let ranges: Vec<(u32, u32)> = (0..POSTS as usize).map(ends).collect();
            let mut decided = Decided::new();
            for group in program.groups.iter().filter(|group| !group.is_concave()) {
                for term in &group.terms {
                    let mut full = better.iter().map(|plan| program.count(term.set, plan) >= group.full_at() as u64);
                    let first = full.next().unwrap_or(true);
                    decided.extend(full.all(|full| full == first).then_some((term.set, first)));
                }
            }
            narrow += decided.len();
            let within = Within { ranges, decided };
            let known = Known { start: Some(&start), within: Some(&within), ..Known::default() };
            let options = Options { time_limit_s: 60.0, gap: 0.0, seed: 1, threads: 1, method: Method::Compact };
            let ending =
                compact::solve(&program, &options, &AtomicBool::new(false), Instant::now(), &known, &mut |_| {});
            let ending = ending.expect("HiGHS takes small models");
            let best = best(&program).expect("a start is known");
            let found = program.objective(&ending.values.expect("no worse than the start"));
            let slack = 1e-9 * best.abs().max(1.0);
            assert!((found - best).abs() <= slack, "{found} {best} {within:?}: {program:?}");
            assert!(sign * ending.bound.expect("a proof") >= sign * best - slack, "{program:?}");
            none += usize::from(better.is_empty());
        }
        assert!(none >= 10 && narrow >= 100, "{none} starts that are best, {narrow} sets decided");
    }
}
