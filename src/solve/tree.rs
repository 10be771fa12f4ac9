//! A program turned into a tree of smaller and smaller questions, each with a bound from prices of its own.

mod asking;
mod choosing;
mod neighbours;
mod rounding;

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use self::asking::{Asking, Found, Rounds};
use super::bins::Partition;
use super::branching::Gains;
use super::bundles::Bundles;
use super::cuts;
use super::gathering::Gathering;
use super::goal::Goal;
use super::layout::Layout;
use super::local::Memory;
use super::master::{Answer, Master, Masters, Place};
use super::multipliers::Proof;
use super::question::{Branch, Node, Within};
use crate::model::{Aim, Program, Term, TermGroup};

/// What a stage of growth tells.
#[derive(Default)]
pub(super) struct News {
    /// No values are better than this, or than the best that the tree was told of.
    pub(super) bound: f64,
    /// Values that keep every rule, where the tree came upon better ones.
    pub(super) values: Option<Vec<u32>>,
    /// Values that keep every rule and lie near an answer of the stage: a place to search from.
    pub(super) hint: Option<Vec<u32>>,
    /// Questions asked so far.
    pub(super) nodes: u64,
    /// How much work they were so far; see [`Master::work`].
    pub(super) work: u64,
    /// True when no question is open.
    pub(super) is_closed: bool,
    /// True when the tree ends although questions are open: rows on neighbouring sets brought too little.
    pub(super) is_given_up: bool,
}

/// True where whole answers of the cuts' model earn what they seem to earn, so that branching on variables ends somewhere:
/// levels that never rise, or two levels of which units that may not be stacked earn the second together.
pub(super) fn suits(program: &Program, most: &[u32]) -> bool {
    let is_single =
        |term: &Term| program.sets.row(term.set as usize).iter().all(|variable| most[*variable as usize] <= 1);
    let is_exact =
        |group: &TermGroup| group.is_concave() || (group.full_at() <= 2 && group.terms.iter().all(is_single));
    program.groups.iter().all(is_exact)
}

/// How a tree grows.
pub(super) struct Habits {
    /// Sums and number of bins of the cuts' model.
    shape: (Bundles, usize),
    /// Rounds of cuts for a question.
    rounds: u32,
    /// Answers in which a cut did not bind, after which it may go.
    patience: u32,
    /// New cuts after which some have to go, at least.
    room: usize,
    /// Questions side by side: a number of its own, so that answers do not depend on cores.
    side_by_side: usize,
    /// One of a question's halves is asked next where it has so much of what the weakest that is open has over the best plan.
    near: f64,
    /// Steps of the simplex method by which it is tried what branching gains.
    steps: i32,
    /// Part of the gap that the first question has to close: else its rounds of cuts end early.
    pub(super) least: f64,
    /// Questions of the first stage.
    pub(super) first: u64,
    /// Questions before rows on neighbouring sets are looked for, and where these closed a good part of the gap: small trees end
    /// without any.
    pub(super) gathers_at: u64,
    gathers_late: u64,
}

/// Questions of a stage.
const STAGE: u64 = 64;

/// Rounds of cuts for the first question.
const ROOT: u32 = 40;

impl Habits {
    /// Those that were found to suit programs like this.
    pub(super) fn new(program: &Program) -> Self {
        // Where no level rises, rows on three sets do much of it.
        let gathers_late = if program.is_rising() { 8 } else { 40 };
        let gathers_at = gathers_late;
        let shape = cuts::shape(program);
        // Where levels rise, trees are far from their end for long, and the weakest questions are what counts; elsewhere, halves
        // of halves lead to better plans and soon to the end.
        let (side_by_side, near, steps) = if program.is_rising() { (2, f64::INFINITY, 50) } else { (1, 0.6, 100) };
        let (first, rounds, patience, room) = (STAGE, 6, 30, 200);
        Self { shape, rounds, least: 0.0, patience, room, side_by_side, near, steps, first, gathers_at, gathers_late }
    }
}

/// Grows the tree stage by stage; `tell` hears of each and answers with the best objective known by then, or `None` to end.
///
/// A question is the program with narrower ranges of its variables and, where levels rise, with sets of which it is decided
/// whether they earn all that they can. Its linear relaxation is the cuts' model of [`cuts::prices`] with all cuts learnt so far;
/// its bound is computed from the prices in whole numbers, as everywhere. Where each set of one level has a bin of its own, rows on
/// three sets that whole units keep bring it nearer. That a question has no values at all is HiGHS's word, asked for twice. The
/// questions with the weakest bounds come next, where levels rise two side by side.
///
/// # Source
/// Land and Doig 1960; branch and Benders cut for covering: Cordeau, Furini and Ljubic 2019; zero-half cuts: Caprara and
/// Fischetti 1996.
pub(super) fn grow(
    layout: &Layout<'_>,
    most: &[u32],
    habits: &Habits,
    (start, value): (&[u32], f64),
    tell: &mut dyn FnMut(News) -> Option<f64>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Option<()> {
    let program = layout.program;
    let (bundles, bins) = &habits.shape;
    let bins = Partition::new(layout, bundles, most, *bins);
    let mut master = Master::new(program, bundles, &bins, most)?;
    let mut goal = Goal::new(program, value);
    let mut is_ended = false;
    let mut wait = |master: &Master, _: &Answer, _: f64| {
        // Nothing is known yet, but who searches meanwhile need not wait.
        let nothing = News { bound: goal.turned(f64::INFINITY), work: master.work, ..News::default() };
        match tell(nothing) {
            Some(better) => goal.value = better,
            None => is_ended = true,
        }
        !is_ended
    };
    cuts::converge(program, &bins, &mut master, &mut bundles.with_sums(start), &mut wait, is_over)?;
    if is_ended {
        return None;
    }
    // Where cost counts, what sets of one level earn is hardly ever in parts.
    let has_singles = program.is_rising() || matches!(program.aim, Aim::MostValue);
    let singles = if has_singles { bins.single() } else { BTreeMap::new() };
    let mut gathers_at = (!singles.is_empty()).then_some(habits.gathers_at);
    let asking = Asking::new(layout, bins, singles, is_over);
    let mut tree = Tree {
        kept_cuts: master.cuts(),
        masters: Masters::new(master),
        goal,
        gains: Gains::new(asking.items()),
        asking,
        trials: choosing::TRIALS,
        better: None,
        hint: None,
        open: BinaryHeap::new(),
        next: None,
        nodes: 0,
        halved: 0,
        begun: f64::INFINITY,
        habits,
        limits: most,
        root: most.iter().map(|most| (0, *most)).collect(),
        closed: f64::NEG_INFINITY,
        failures: 0,
        is_broken: false,
        is_given_up: false,
        gathering: None,
        memory: Memory::default(),
        calm: None,
    };
    tree.open.push(Node::root());
    loop {
        let end = match tree.gathering {
            Some(_) => tree.nodes + 1,
            None if tree.nodes == 0 => gathers_at.unwrap_or(u64::MAX).min(habits.first),
            None => gathers_at.unwrap_or(tree.nodes + STAGE),
        };
        while tree.nodes < end && !tree.is_done() && !tree.is_broken && !tree.is_given_up && !is_over() {
            tree.advance(is_over);
        }
        tree.open.extend(tree.next.take());
        let is_closed = tree.open.is_empty() && !tree.is_broken;
        let bound = tree.goal.turned(tree.top().max(tree.goal.best()));
        tree.goal.value = tell(News {
            bound,
            values: tree.better.take(),
            hint: tree.hint.take().map(|hint| hint.0),
            nodes: tree.nodes,
            work: tree.masters.work(),
            is_closed,
            is_given_up: tree.is_given_up,
        })?;
        if is_closed || tree.is_broken || tree.is_given_up || is_over() {
            return Some(());
        }
        if gathers_at.take_if(|at| tree.nodes >= *at).is_some() {
            if tree.nodes < habits.gathers_late && tree.is_quick() {
                gathers_at = Some(habits.gathers_late);
            } else {
                tree.gather();
            }
        }
    }
}

struct Tree<'a> {
    asking: Asking<'a>,
    masters: Masters,
    /// Cuts that are left when those that rarely bind go.
    kept_cuts: usize,
    goal: Goal<'a>,
    gains: Gains,
    /// So many of the best items are tried for the next question where nothing is known of them.
    trials: usize,
    /// Values that beat it, found here and not told yet.
    better: Option<Vec<u32>>,
    /// The best values near an answer since the last stage, and their objective.
    hint: Option<(Vec<u32>, f64)>,
    open: BinaryHeap<Node>,
    /// The half to ask next, if that is not the weakest question.
    next: Option<Node>,
    nodes: u64,
    /// Questions with halves so far.
    halved: u64,
    /// The bound of the first question.
    begun: f64,
    habits: &'a Habits,
    /// The most that each variable can be, and what it can be in a better plan.
    limits: &'a [u32],
    root: Vec<(u32, u32)>,
    /// The weakest bound of the questions that were closed although something better than the best plan is within it: rounding
    /// in HiGHS left nothing to branch on.
    closed: f64,
    /// How often HiGHS failed.
    failures: u32,
    is_broken: bool,
    is_given_up: bool,
    /// While rows on neighbouring sets are looked for at the root.
    gathering: Option<Gathering>,
    /// What was learnt in that, and where rows were asked for before.
    memory: Memory,
    calm: Option<Answer>,
}

impl Tree<'_> {
    /// Asks the weakest questions that are open, side by side; closes each, or asks two in its place.
    fn advance(&mut self, is_over: &(dyn Fn() -> bool + Sync)) {
        let questions = self.weakest();
        if questions.len() > self.masters.count() {
            let Some(other) = fresh(&self.asking, self.habits, self.limits) else {
                self.is_broken = true;
                self.open.extend(questions.into_iter().map(|(node, _)| node));
                return;
            };
            self.masters.widen(other);
        }
        // All questions after the first have what that has learnt.
        let rounds = match self.nodes {
            0 => Rounds { most: ROOT, least: self.habits.least },
            _ => Rounds { most: self.habits.rounds, least: 0.0 },
        };
        self.nodes += questions.len() as u64;
        let (asking, goal) = (&self.asking, &self.goal);
        let found = self.masters.ask(&questions, |master, (node, within)| {
            node.place.iter().for_each(|place| master.start_at(place));
            asking.found(within, rounds, goal, master, is_over)
        });
        let places = self.masters.places(questions.len());
        let mut is_failed = false;
        for (((node, within), found), place) in questions.into_iter().zip(found).zip(places) {
            match found {
                Found::Answer(found) => self.settle(node, within, *found, place, is_over),
                Found::Nothing => {}
                Found::Failed => {
                    is_failed = true;
                    self.open.push(Node { place: None, ..node });
                }
            }
        }
        if is_failed && (is_over() || !self.is_mended()) {
            self.is_broken = true;
            return;
        }
        // The rows of the first rounds are of use in later ones.
        if self.gathering.is_none() {
            self.tidy();
        }
    }

    /// True when no question is open.
    fn is_done(&self) -> bool {
        self.open.is_empty() && self.next.is_none()
    }

    /// The open questions with the weakest bounds: one as long as there is but the whole program, a few where they are halves.
    fn weakest(&mut self) -> Vec<(Node, Within)> {
        let count = if self.gathering.is_some() || self.nodes == 0 { 1 } else { self.habits.side_by_side };
        let mut weakest = Vec::new();
        while weakest.len() < count
            && let Some(node) = self.next.take().or_else(|| self.open.pop())
        {
            let mut within = Within { ranges: self.root.clone(), decided: node.decided.clone() };
            node.narrowed
                .iter()
                .for_each(|(variable, least, most)| within.ranges[*variable as usize] = (*least, *most));
            if !self.goal.is_hopeless(node.height) && within.is_possible(self.asking.layout) {
                weakest.push((node, within));
            }
        }
        weakest
    }

    /// Takes what a question led to: closes it, or asks two in its place, which begin at a place.
    fn settle(
        &mut self,
        node: Node,
        mut within: Within,
        (answer, proof): (Answer, Proof),
        place: Option<Place>,
        is_over: &(dyn Fn() -> bool + Sync),
    ) {
        let proven = self.goal.turned(proof.bound);
        let height = proven.min(node.height);
        if self.begun.is_infinite() {
            self.begun = height;
        }
        if let Some(Branch { item, is_up, distance, height: before }) = node.branch {
            self.gains.learn(item, is_up, (before - height).max(0.0) / distance);
        }
        if self.goal.is_hopeless(height) {
            return;
        }
        // What a unit costs is known of this proof alone, not of the bound that was there before.
        self.goal.narrow(&mut within.ranges, proven, &proof.loss);
        within.keep_order(&self.asking.order);
        let open = proof.full.into_iter().filter(|(set, _)| self.asking.ends.contains_key(set));
        self.goal.decide(&mut within.decided, proven, open);
        self.round(&answer, is_over);
        if self.goal.is_hopeless(height) {
            return;
        }
        if self.gathering.is_some() {
            self.root.clone_from(&within.ranges);
            // The bound that is known, which may be that of halves, says nothing of what rows bring.
            if self.gathered(&answer, proven, is_over) || self.is_given_up {
                self.open.push(Node { height, decided: within.decided, ..node });
                return;
            }
        }
        let Some(choice) = self.choice((&answer, place.as_ref()), &within, is_over) else {
            self.offer(&answer);
            self.reconsider(Node { height, branch: None, place: place.map(Arc::new), ..node }, &answer);
            return;
        };
        self.halved += 1;
        let place = place.map(Arc::new);
        let [down, up] = [false, true].map(|is_up| {
            let half = self.asked(&within, choice, is_up, height);
            Node { place: place.clone(), ..half }
        });
        let (first, second) = if choice.1 - choice.1.floor() > 0.5 { (up, down) } else { (down, up) };
        self.open.push(second);
        if self.is_near_the_top(height) {
            // Where no item was tried, HiGHS is quickest from where it is.
            self.next = Some(Node { place: None, ..first });
        } else {
            self.open.push(first);
        }
    }

    /// True for a question not much stronger than the weakest that is open.
    fn is_near_the_top(&self, height: f64) -> bool {
        let best = self.goal.best();
        self.open.peek().is_none_or(|top| height - best >= self.habits.near * (top.height - best))
    }

    /// Opens a question with a whole answer once more, where the answer breaks cuts; else it is closed.
    fn reconsider(&mut self, node: Node, answer: &Answer) {
        /// After so many times what is broken is rounding.
        const TRIES: u32 = 8;
        if self.goal.is_hopeless(node.height) {
            return;
        }
        let broken = self.asking.bins.broken(answer, 1e-9);
        if broken.is_empty() || node.tries == TRIES {
            self.closed = self.closed.max(node.height);
            return;
        }
        broken.into_iter().for_each(|cut| self.masters.add(cut));
        self.open.push(Node { tries: node.tries + 1, ..node });
    }

    /// The question with an item below or above what it has in an answer.
    fn asked(&self, within: &Within, (item, level): (u32, f64), is_up: bool, height: f64) -> Node {
        let (half, distance) = within.half((item, level), is_up, &self.asking.order);
        let both = half.ranges.iter().zip(&self.root);
        let changed = (0_u32..).zip(both).filter(|(_, (range, root))| range != root);
        let narrowed = changed.map(|(variable, ((least, most), _))| (variable, *least, *most)).collect();
        Node::half_of(self.halved, Branch { item, is_up, distance, height }, narrowed, half.decided)
    }

    /// Makes models anew in which HiGHS failed, as long as it does so rarely.
    fn is_mended(&mut self) -> bool {
        /// So many times.
        const MOST: u32 = 4;
        self.failures += 1;
        let (asking, habits, limits) = (&self.asking, self.habits, self.limits);
        self.failures <= MOST && self.masters.mend(|| fresh(asking, habits, limits)).is_some()
    }

    /// The bound of the weakest question that is open, so turned that more is weaker.
    fn top(&self) -> f64 {
        self.open.peek().map_or(f64::NEG_INFINITY, |node| node.height).max(self.closed)
    }

    /// Lets go of cuts that rarely bind when there are many.
    fn tidy(&mut self) {
        if self.masters.cuts() > self.kept_cuts * 3 / 2 + self.habits.room {
            self.masters.forget(self.habits.patience);
            self.kept_cuts = self.masters.cuts();
        }
    }
}

/// A model that has learnt nothing yet.
fn fresh(asking: &Asking<'_>, habits: &Habits, limits: &[u32]) -> Option<Master> {
    Master::new(asking.program, &habits.shape.0, &asking.bins, limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::faults;
    use crate::solve::trials::{Numbers, POSTS, best, plain, program, rising};

    /// The best value and the last news of a tree that grows from a poor plan, without any search beside it; no bound on the way
    /// is below the best plan.
    fn grown(program: &Program, best: f64, habits: &Habits, (start, mut value): (&[u32], f64)) -> (f64, News) {
        let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
        let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
        let (begun, mut last) = (value, News::default());
        let mut tell = |news: News| {
            assert!(sign * news.bound >= sign * best - 1e-9, "{} and {best}: {program:?}", news.bound);
            if let Some(values) = &news.values {
                assert_eq!(program.broken_rule(values), None, "{values:?}: {program:?}");
                value = program.objective(values);
            }
            last = news;
            Some(value)
        };
        grow(&Layout::new(program), &most, habits, (start, begun), &mut tell, &|| false).expect("HiGHS works");
        (value, last)
    }

    /// The same for a tree with the usual habits that grows from no units.
    fn usual(program: &Program, best: f64) -> (f64, News) {
        grown(program, best, &Habits::new(program), (&[0; POSTS as usize], 0.0))
    }

    fn is_close(number: f64, best: f64) -> bool {
        (number - best).abs() <= 1e-9 * best.abs().max(1.0)
    }

    /// The tree ends at the best of all plans and says so.
    #[test]
    fn a_tree_ends_at_the_best_plan() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut trees, mut branched) = (0, 0);
        for _ in 0..600 {
            let program = program(&mut numbers);
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let Some(best) = best(&program).filter(|_| suits(&program, &most)) else { continue };
            let (start, value) = match &program.aim {
                Aim::MostValue => (vec![0; POSTS as usize], program.objective(&[0; POSTS as usize])),
                Aim::LeastCost { costs, .. } => (most, costs.iter().sum::<f64>() * 2.0),
            };
            // Now with the habits of large programs, now of one who forgets what did not bind last and has to ask again, now with rows at once.
            let usual = Habits::new(&program);
            let habits = match trees % 3 {
                0 => usual,
                1 => Habits { shape: (Bundles::new(&program), 3), rounds: 1, patience: 1, room: 0, first: 1, ..usual },
                _ => Habits { first: 1, gathers_at: 1, gathers_late: 1, ..usual },
            };
            let (value, News { bound, is_closed, nodes, .. }) = grown(&program, best, &habits, (&start, value));
            let is_best = is_close(value, best) && is_close(bound, best);
            assert!(is_closed && is_best, "{value} {bound} {best}: {program:?}");
            (trees, branched) = (trees + 1, branched + u32::from(nodes > 1));
        }
        assert!(trees >= 150 && branched >= 30, "{trees} trees, {branched} with more than a root");
    }

    /// Where more is asked of the first question than it can close its rounds end early: its bound is sound, and no nearer.
    #[test]
    fn rounds_that_lead_nowhere_end() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let mut weaker = 0;
        for _ in 0..250 {
            let program = plain(&mut numbers);
            let best = best(&program).expect("no units keep the rules");
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let first = |least: f64| {
                let habits = Habits { first: 1, least, ..Habits::new(&program) };
                let mut bound = f64::INFINITY;
                let mut tell = |news: News| {
                    bound = news.bound;
                    Some(best).filter(|_| news.nodes == 0)
                };
                let start = (&[0; POSTS as usize][..], best);
                let _ended = grow(&Layout::new(&program), &most, &habits, start, &mut tell, &|| false);
                bound
            };
            let [whole, cut_short] = [0.0, 2.0].map(first);
            assert!(best - 1e-9 <= whole && whole <= cut_short + 1e-9, "{best} {whole} {cut_short}: {program:?}");
            weaker += u32::from(whole < cut_short - 1e-6);
        }
        assert!(weaker >= 5, "{weaker} weaker");
    }

    /// A model in which HiGHS fails is made anew: the tree ends where it would have, whichever run it is.
    #[test]
    fn a_failure_costs_no_proof() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let mut failed = 0;
        for number in 0..60 {
            let program = rising(&mut numbers);
            let best = best(&program).expect("no units keep the rules");
            let grow = || usual(&program, best);
            let (_, sound) = grow();
            // Not in the first cuts, without which there is no tree.
            let ((value, news), is_failed) = faults::failing_once(14 + number % 16, grow);
            assert_eq!(news.is_closed || news.is_given_up, sound.is_closed || sound.is_given_up, "{program:?}");
            assert!(!news.is_closed || is_close(value, best) && is_close(news.bound, best), "{program:?}");
            failed += u32::from(is_failed);
        }
        assert!(failed >= 20, "{failed} failures");
    }

    /// It grows the same whatever the threads.
    #[test]
    fn a_tree_does_not_depend_on_threads() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut branched = 0;
        for _ in 0..30 {
            let program = rising(&mut numbers);
            let best = best(&program).expect("no units keep the rules");
            let [one, three] = [1, 3].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                pool.install(|| usual(&program, best))
            });
            let said =
                |(value, news): &(f64, News)| (value.to_bits(), news.bound.to_bits(), news.nodes, news.is_closed);
            assert_eq!(said(&one), said(&three), "{program:?}");
            branched += u32::from(one.1.nodes > 2);
        }
        assert!(branched >= 15, "{branched} trees with questions side by side");
    }

    /// So it does where sites count when they are covered twice and it branches on whether they are; but where rows bring little.
    #[test]
    fn a_tree_that_branches_on_sets_ends_at_the_best_plan() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let (mut branched, mut closed) = (0, 0);
        for number in 0..120 {
            let program = rising(&mut numbers);
            let best = best(&program).expect("no units keep the rules");
            let usual = Habits::new(&program);
            let rows_at_once = Habits { first: 1, gathers_at: 1, gathers_late: 1, ..Habits::new(&program) };
            let habits = if number % 2 == 0 { usual } else { rows_at_once };
            let (value, news) = grown(&program, best, &habits, (&[0; POSTS as usize], 0.0));
            let is_best = is_close(value, best) && is_close(news.bound, best);
            assert!(news.is_given_up || news.is_closed && is_best, "{value} {} {best}: {program:?}", news.bound);
            branched += u32::from(news.nodes > 1);
            closed += u32::from(news.is_closed);
        }
        assert!(branched >= 80 && closed >= 40, "{branched} trees with more than a root, {closed} closed");
    }
}
