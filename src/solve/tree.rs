//! A program turned into a tree of smaller and smaller questions, each with a bound from prices of its own.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::bins::Partition;
use super::branching::Gains;
use super::cuts;
use super::layout::Layout;
use super::master::{Answer, Master, Solved};
use super::state::State;
use super::steps;
use crate::model::{Aim, Program, TermGroup};

/// What a stage of growth tells.
pub(super) struct News {
    /// No values are better than this, or than the best that the tree was told of.
    pub(super) bound: f64,
    /// Values that keep every rule, where the tree came upon better ones.
    pub(super) values: Option<Vec<u32>>,
    /// Values that keep every rule and lie near an answer of the stage: a place to search from.
    pub(super) hint: Option<Vec<u32>>,
    /// Questions asked so far.
    pub(super) nodes: u64,
    /// True when no question is open.
    pub(super) is_closed: bool,
}

/// True where whole answers of the cuts' model earn what they seem to earn, so that branching on variables ends somewhere:
/// levels that never rise, or two levels of which units that may not be stacked earn the second together.
pub(super) fn suits(program: &Program, most: &[u32]) -> bool {
    let is_single = |term: &crate::model::Term| {
        program.sets.row(term.set as usize).iter().all(|variable| most[*variable as usize] <= 1)
    };
    let is_exact =
        |group: &TermGroup| group.is_concave() || (group.full_at() <= 2 && group.terms.iter().all(is_single));
    program.groups.iter().all(is_exact)
}

/// Grows the tree stage by stage; `tell` hears of each and answers with the best objective known by then, or `None` to end.
///
/// A question is the program with narrower ranges of its variables. Its linear relaxation is the cuts' model of
/// [`cuts::prices`], which all questions share with the cuts learnt so far; its bound is computed from the prices in whole
/// numbers, as everywhere, never taken from HiGHS. The question with the weakest bound comes next.
///
/// # Source
/// Land and Doig 1960; branch and Benders cut for covering: Cordeau, Furini and Ljubic 2019.
pub(super) fn grow(
    layout: &Layout<'_>,
    most: &[u32],
    start: &[u32],
    value: f64,
    tell: &mut dyn FnMut(News) -> Option<f64>,
    is_over: &dyn Fn() -> bool,
) -> Option<()> {
    /// Questions of a stage.
    const STAGE: u64 = 64;
    let program = layout.program;
    let (bundles, bins) = cuts::shape(program);
    let bins = Partition::new(layout, &bundles, most, bins);
    let mut master = Master::new(program, &bundles, &bins, most)?;
    let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
    let (mut value, mut is_ended) = (value, false);
    let mut wait = |_: &Master, _: &Answer| {
        // Nothing is known yet, but who searches meanwhile need not wait.
        let nothing = News { bound: sign * f64::INFINITY, values: None, hint: None, nodes: 0, is_closed: false };
        match tell(nothing) {
            Some(better) => value = better,
            None => is_ended = true,
        }
    };
    cuts::converge(program, &bins, &mut master, bundles.with_sums(start), &mut wait, is_over)?;
    if is_ended {
        return None;
    }
    let mut tree = Tree {
        program,
        layout,
        bins,
        kept_cuts: master.cuts(),
        master,
        sign,
        step: steps::step(program),
        gains: Gains::new(program.variables.len()),
        value,
        better: None,
        hint: None,
        open: BinaryHeap::new(),
        nodes: 0,
        is_broken: false,
    };
    let root = most.iter().map(|most| (0, *most)).collect();
    tree.open.push(Node { height: f64::INFINITY, number: 0, ranges: root, branch: None });
    let mut next = None;
    loop {
        let end = tree.nodes + STAGE;
        while tree.nodes < end
            && !tree.is_broken
            && !is_over()
            && let Some(node) = next.take().or_else(|| tree.open.pop())
        {
            next = tree.visit(node, is_over);
        }
        tree.open.extend(next.take());
        let is_closed = tree.open.is_empty() && !tree.is_broken;
        let bound = sign * tree.open.peek().map_or(sign * tree.value, |node| node.height.max(sign * tree.value));
        tree.value = tell(News {
            bound,
            values: tree.better.take(),
            hint: tree.hint.take().map(|hint| hint.0),
            nodes: tree.nodes,
            is_closed,
        })?;
        if is_closed || tree.is_broken || is_over() {
            return Some(());
        }
    }
}

/// A question that is open.
struct Node {
    /// Its bound, so turned that more is weaker.
    height: f64,
    number: u64,
    /// Least and most of each variable.
    ranges: Vec<(u32, u32)>,
    branch: Option<Branch>,
}

/// How a question came from another.
#[derive(Clone, Copy)]
struct Branch {
    variable: u32,
    is_up: bool,
    /// How far the variable was from the range.
    distance: f64,
    /// Bound of the other.
    height: f64,
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.height.total_cmp(&other.height).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

struct Tree<'a> {
    program: &'a Program,
    layout: &'a Layout<'a>,
    bins: Partition<'a>,
    master: Master,
    /// Cuts that are left when those that rarely bind go.
    kept_cuts: usize,
    sign: f64,
    step: Option<f64>,
    gains: Gains,
    /// Best objective known.
    value: f64,
    /// Values that beat it, found here and not told yet.
    better: Option<Vec<u32>>,
    /// The best values near an answer since the last stage, and their objective.
    hint: Option<(Vec<u32>, f64)>,
    open: BinaryHeap<Node>,
    nodes: u64,
    is_broken: bool,
}

impl Tree<'_> {
    /// Bounds a question; closes it, or asks two in its place, one of which may be worth looking at next.
    fn visit(&mut self, node: Node, is_over: &dyn Fn() -> bool) -> Option<Node> {
        if self.is_hopeless(node.height) || !self.keeps_rows(&node.ranges) {
            return None;
        }
        self.nodes += 1;
        let answer = match self.relaxed(&node.ranges, is_over) {
            Solved::Optimal(answer) => answer,
            Solved::Infeasible => return None,
            Solved::Failed => {
                self.is_broken = true;
                return Some(node);
            }
        };
        let prices = self.master.prices(self.program, &self.bins, &answer);
        let proof = prices.proof_within(self.program, &node.ranges);
        let height = (self.sign * proof.bound).min(node.height);
        if let Some(Branch { variable, is_up, distance, height: before }) = node.branch {
            self.gains.learn(variable, is_up, (before - height).max(0.0) / distance);
        }
        if self.is_hopeless(height) {
            return None;
        }
        let mut ranges = node.ranges;
        self.narrow(&mut ranges, height, &proof.loss);
        self.round(&answer);
        let Some((variable, level)) = self.branching(&answer, &ranges, is_over) else {
            self.offer(&answer);
            // Where the model is right about whole answers, nothing is left to ask.
            if self.is_settled(&answer) {
                return None;
            }
            self.is_broken = true;
            return Some(Node { height, number: self.nodes, ranges, branch: None });
        };
        self.tidy();
        let asked = [false, true].map(|is_up| self.asked(&ranges, (variable, level), is_up, height));
        // The more a direction gains, the sooner it is done with: the other goes on from the basis that is there.
        let [down, up] = asked;
        let (first, second) = if level - level.floor() > 0.5 { (up, down) } else { (down, up) };
        self.open.push(second);
        if self.is_near_the_top(height) {
            return Some(first);
        }
        self.open.push(first);
        None
    }

    /// The question with a variable below or above a value that is not whole.
    fn asked(&self, ranges: &[(u32, u32)], (variable, level): (u32, f64), is_up: bool, height: f64) -> Node {
        let mut ranges = ranges.to_vec();
        let range = &mut ranges[variable as usize];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the ends of a range")]
        let whole = (level.floor() as u32).clamp(range.0, range.1.saturating_sub(1));
        *range = if is_up { (whole + 1, range.1) } else { (range.0, whole) };
        let distance = (if is_up { f64::from(whole) + 1.0 - level } else { level - f64::from(whole) }).max(1e-6);
        let branch = Some(Branch { variable, is_up, distance, height });
        Node { height, number: 2 * self.nodes + u64::from(is_up), ranges, branch }
    }

    /// True for a question not much stronger than the weakest that is open.
    fn is_near_the_top(&self, height: f64) -> bool {
        /// As a part of what the weakest has over the best plan.
        const NEAR: f64 = 0.6;
        let best = self.sign * self.value;
        self.open.peek().is_none_or(|top| height - best >= NEAR * (top.height - best))
    }

    /// The answer of the cuts' model within the ranges, after a few rounds of cuts.
    fn relaxed(&mut self, ranges: &[(u32, u32)], is_over: &dyn Fn() -> bool) -> Solved {
        /// Rounds of cuts.
        const ROUNDS: u32 = 6;
        /// A cut has to be broken by so much, relative to what its bin is worth.
        const BROKEN: f64 = 1e-6;
        self.master.set_ranges(ranges);
        let mut solved = self.master.solve(is_over);
        for _ in 0..ROUNDS {
            let Solved::Optimal(answer) = &solved else { break };
            if self.is_hopeless(self.height_of(answer)) {
                break;
            }
            let cuts = self.bins.cuts(&answer.items).into_iter();
            let broken: Vec<_> =
                cuts.filter(|cut| answer.breaks(cut, BROKEN * self.bins.bins[cut.bin].worth)).collect();
            if broken.is_empty() {
                break;
            }
            broken.into_iter().for_each(|cut| self.master.add(cut));
            solved = self.master.solve(is_over);
        }
        solved
    }

    /// The objective of an answer, so turned that more is weaker.
    fn height_of(&self, answer: &Answer) -> f64 {
        -answer.objective / super::frame::Frame::scale(self.program)
    }

    /// The variable to branch on and its value; `None` where all are whole.
    fn branching(&mut self, answer: &Answer, ranges: &[(u32, u32)], is_over: &dyn Fn() -> bool) -> Option<(u32, f64)> {
        /// A value this close to a whole number is one.
        const WHOLE: f64 = 1e-6;
        /// Variables of which nothing is known yet that are tried at most.
        const TRIALS: usize = 8;
        let open = (0_u32..)
            .zip(&answer.items)
            .zip(ranges)
            .filter(|((_, value), (least, most))| least < most && (*value - value.round()).abs() > WHOLE);
        let mut choices: Vec<(u32, f64)> = open.map(|((variable, value), _)| (variable, *value)).collect();
        let by_score = |gains: &Gains, choices: &mut Vec<(u32, f64)>| {
            choices.sort_by(|a, b| gains.score(b.0, b.1).total_cmp(&gains.score(a.0, a.1)).then(a.0.cmp(&b.0)));
        };
        by_score(&self.gains, &mut choices);
        let height = self.height_of(answer);
        let unknown: Vec<(u32, f64)> =
            choices.iter().take(TRIALS).filter(|(variable, _)| !self.gains.is_known(*variable)).copied().collect();
        for (variable, value) in unknown {
            for is_up in [false, true] {
                let mut tried = ranges.to_vec();
                let range = &mut tried[variable as usize];
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a range")]
                let below = value.floor() as u32;
                if is_up {
                    range.0 = below + 1;
                } else {
                    range.1 = below;
                }
                let distance = if is_up { value.ceil() - value } else { value - value.floor() };
                self.master.set_ranges(&tried);
                if let Solved::Optimal(tried) = self.master.solve(is_over) {
                    self.gains.learn(variable, is_up, (height - self.height_of(&tried)).max(0.0) / distance);
                }
            }
        }
        by_score(&self.gains, &mut choices);
        choices.first().copied()
    }

    /// Values near an answer: units go first where it has most of them, as far as the rules allow.
    fn round(&mut self, answer: &Answer) {
        if !matches!(self.program.aim, Aim::MostValue) {
            return;
        }
        let mut posts: Vec<(u32, f64)> = (0_u32..)
            .zip(answer.items[..self.program.variables.len()].iter().copied())
            .filter(|(variable, value)| *value > 0.0 && self.layout.is_post(*variable))
            .collect();
        posts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut state = State::resume(self.layout, vec![0; self.program.variables.len()]);
        for (post, value) in posts {
            let mut left = value.ceil();
            while left >= 1.0 && state.place(post) {
                left -= 1.0;
            }
        }
        let objective = self.program.objective(&state.values);
        if self.program.broken_rule(&state.values).is_some() {
            return;
        }
        if objective > self.value {
            self.value = objective;
            self.better = Some(state.values.clone());
        }
        if self.hint.as_ref().is_none_or(|(_, before)| objective > *before) {
            self.hint = Some((state.values, objective));
        }
    }

    /// Keeps the values of a whole answer when they beat the best.
    fn offer(&mut self, answer: &Answer) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
        let whole = |value: &f64| value.round().clamp(0.0, 4e9) as u32;
        let values: Vec<u32> = answer.items[..self.program.variables.len()].iter().map(whole).collect();
        let objective = self.program.objective(&values);
        if self.sign * objective > self.sign * self.value && self.program.broken_rule(&values).is_none() {
            self.value = objective;
            self.better = Some(values);
        }
    }

    /// True where an answer of whole values earns no less than the model believes.
    fn is_settled(&self, answer: &Answer) -> bool {
        const SLACK: f64 = 1e-6;
        let height = self.height_of(answer);
        self.sign * self.value >= height - SLACK * height.abs().max(1e-9)
    }

    /// Takes values out of the ranges that cannot be in a better plan, by what a unit more or less costs the bound.
    fn narrow(&self, ranges: &mut [(u32, u32)], height: f64, loss: &[f64]) {
        for ((least, most), loss) in ranges.iter_mut().zip(loss) {
            if *least < *most && self.is_hopeless(height - loss.abs()) {
                if *loss > 0.0 {
                    *most = *least;
                } else {
                    *least = *most;
                }
            }
        }
    }

    /// True where nothing better than the best plan is within a bound.
    fn is_hopeless(&self, height: f64) -> bool {
        let bound = self.sign * height;
        let attainable = self.step.map_or(bound, |step| {
            if bound.is_finite() { steps::attainable_by(self.program, bound, step) } else { bound }
        });
        self.sign * attainable <= self.sign * self.value
    }

    /// False where the ranges alone break a rule.
    fn keeps_rows(&self, ranges: &[(u32, u32)]) -> bool {
        self.program.rows.iter().all(|row| {
            let ends = |is_least: bool| -> f64 {
                let end = |(variable, factor): &(u32, f64)| {
                    let (least, most) = ranges[*variable as usize];
                    factor * f64::from(if (*factor > 0.0) == is_least { least } else { most })
                };
                row.terms.iter().map(end).sum()
            };
            ends(true) <= row.most && ends(false) >= row.least
        })
    }

    /// Lets go of cuts that rarely bind when there are many.
    fn tidy(&mut self) {
        /// Answers in which a cut did not bind.
        const PATIENCE: u32 = 30;
        if self.master.cuts() > self.kept_cuts * 3 / 2 + 200 {
            self.master.forget(PATIENCE);
            self.kept_cuts = self.master.cuts();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{Numbers, POSTS, best, program};

    /// From a poor plan, without any search beside it, the tree ends at the best of all plans and says so.
    #[test]
    fn a_tree_ends_at_the_best_plan() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut grown, mut branched) = (0, 0);
        for _ in 0..600 {
            let program = program(&mut numbers);
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let Some(best) = best(&program).filter(|_| suits(&program, &most)) else { continue };
            let (start, start_value) = match &program.aim {
                Aim::MostValue => (vec![0; POSTS as usize], program.objective(&[0; POSTS as usize])),
                Aim::LeastCost { costs, .. } => (most.clone(), costs.iter().sum::<f64>() * 2.0),
            };
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            let (mut value, mut last) = (start_value, None);
            let mut tell = |news: News| {
                assert!(sign * news.bound >= sign * best - 1e-9, "{} and {best}: {program:?}", news.bound);
                if let Some(values) = &news.values {
                    assert_eq!(program.broken_rule(values), None, "{values:?}: {program:?}");
                    value = program.objective(values);
                }
                last = Some((news.bound, news.is_closed, news.nodes));
                Some(value)
            };
            grow(&Layout::new(&program), &most, &start, start_value, &mut tell, &|| false).expect("HiGHS works");
            let (bound, is_closed, nodes) = last.expect("a tree tells");
            let is_best = |number: f64| (number - best).abs() <= 1e-9 * best.abs().max(1.0);
            assert!(is_closed && is_best(value) && is_best(bound), "{value} {bound} {best}: {program:?}");
            (grown, branched) = (grown + 1, branched + u32::from(nodes > 1));
        }
        assert!(grown >= 150 && branched >= 30, "{grown} trees, {branched} with more than a root");
    }
}
