//! Several plans turned into one that is better than each, by solving the program of their posts alone.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use fastrand::Rng;

use super::layout::Layout;
use super::pool::Pool;
use super::record::Record;
use super::search::Walked;
use super::{compact, search, tempering};
use crate::model::Program;
use crate::reduce::{self, Reduced};
use crate::scenario::Options;

/// Further searches after which HiGHS has its try at a program four times as large.
pub(super) const SEARCHES: u32 = 3;

/// How much work a search may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Number of the first round; rounds of other numbers draw other random numbers.
    pub(super) first: u64,
    /// Moves of each walk in each round.
    pub(super) moves: u64,
    /// Rounds of walks and merging.
    pub(super) rounds: u64,
    /// True where rounds end with merging.
    pub(super) is_merged: bool,
    /// True for walks and mergings among many plans, not about the best alone.
    pub(super) is_wide: bool,
}

impl Effort {
    /// How much searching suits a program; `more` is how often it has been searched before.
    pub(super) fn suited(program: &Program, more: u32) -> Self {
        /// Further searches after which one plan and what is near it give little more.
        const WIDE: u32 = 2;
        if more < WIDE {
            return Self::near(program, more);
        }
        // In a wide search more walks find more than longer ones.
        Self { first: u64::from(more) * 1000, is_wide: true, ..Self::near(program, 1) }
    }

    /// As [`Self::suited`], about the best plan, for a few times.
    pub(super) fn near(program: &Program, more: u32) -> Self {
        /// How many looks a walk may take at an item of the cover sets, on average; and how many that may be at most.
        const LOOKS: usize = 800;
        const MOST: usize = 250_000_000;
        let moves = (program.sets.items() * LOOKS).min(MOST) / search::looks(program);
        Self {
            first: u64::from(more) * 1000,
            moves: (moves as u64) << more,
            rounds: 2,
            is_merged: true,
            is_wide: false,
        }
    }

    /// Moves of a round.
    fn all_moves(self) -> u64 {
        self.moves * search::WALKS
    }
}

/// Where a round's walks begin and what is merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// All begins at the best plan, and what the walks came by is merged.
    Near,
    /// A population gathers plans; nothing is merged.
    Young,
    /// Walks begin at plans of the population, of which a few at a time are merged.
    Grown,
    /// Plans exchange their temperatures, and what comes of them is merged a few at a time.
    Tempered,
}

impl Stage {
    fn new(layout: &Layout<'_>, effort: Effort, best: &[u32], pool: &Pool) -> Self {
        match (effort.is_wide, pool.is_young()) {
            (false, _) => Self::Near,
            (true, _) if pool.has_settled() && tempering::suits(layout, best, effort.all_moves()) => Self::Tempered,
            (true, true) => Self::Young,
            (true, false) => Self::Grown,
        }
    }
}

/// Rounds without a better plan after which the search ends.
const PATIENCE: u32 = 2;

/// Betters the best plan in rounds of walks, each followed by merging: the program of the posts of several plans alone,
/// solved by itself. What single moves cannot do, the small program does at once; what it does not see, posts that nobody used
/// yet, the walks find.
///
/// At first all begins at the best plan, and what the walks of a round came by is merged. A wide search has a population of
/// plans instead, where walks begin and of which a few at a time are merged; the best of all has no part in that, so that the
/// population does not settle too soon. When it has, plans of all kinds come from eight that begin at the best of all and exchange
/// their temperatures; where cost counts, or units are too many for that, another population begins.
///
/// # Source
/// Construct, merge, solve and adapt: Blum, Pinacho, López-Ibáñez and Lozano 2016; the best of all that two plans make
/// together: Aggarwal, Orlin and Tai 1997; populations: Moscato 1989.
pub(super) fn search(layout: &Layout<'_>, effort: Effort, options: &Options, record: &mut Record<'_>) {
    /// Plans of the population that walks of a round begin at.
    const STARTS: usize = 2;
    /// Seconds that merging may take, at least and at most.
    const LEAST_S: f64 = 0.5;
    const MOST_S: f64 = 2.0;
    /// Part of the value by which the plan of a merging may be below the best; plans of a population differ by little more.
    const GAP: f64 = 1e-5;
    let is_over = record.clock();
    let mut idle = 0;
    for round in 0..effort.rounds {
        let Some(best) = record.best.clone() else { return };
        let random = options.seed.wrapping_mul(1 << 20).wrapping_add(effort.first + round);
        let mut rng = Rng::with_seed(random);
        let stage = Stage::new(layout, effort, &best, &record.pool);
        let begun = Instant::now();
        let walk = |starts: &[&Vec<u32>], heats| search::walks(layout, starts, heats, random, effort.moves, &is_over);
        let walks = match stage {
            Stage::Near => walk(&[&best], search::MIXED),
            Stage::Young => walk(&[&best], search::AFAR),
            Stage::Grown => walk(&record.pool.drawn(STARTS, &mut rng), search::NEAR),
            Stage::Tempered => {
                let moves = effort.all_moves();
                tempering::temper(layout, (&mut record.pool.tempered, &best), random, moves, &is_over)
            }
        };
        walks.iter().for_each(|walk| record.offer_walk(walk));
        if effort.is_merged && !is_over() {
            // Merging that takes longer than walks rarely brings more than they would.
            let limit_s = begun.elapsed().as_secs_f64().clamp(LEAST_S, MOST_S);
            let options = Options { time_limit_s: limit_s, gap: options.gap.max(GAP), ..*options };
            mixed(layout, &walks, stage, &mut rng, &options, record);
        }
        idle = if record.best.as_ref() == Some(&best) { idle + 1 } else { 0 };
        if is_over() || record.is_done() || idle == PATIENCE {
            break;
        }
    }
}

/// Takes what walks came by into the population, and merges that, or plans of a grown population; takes all into the record.
fn mixed(
    layout: &Layout<'_>,
    walks: &[Walked],
    stage: Stage,
    rng: &mut Rng,
    options: &Options,
    record: &mut Record<'_>,
) {
    /// Plans of the population that are merged: few, so that HiGHS is soon done.
    const DRAWN: usize = 3;
    /// Pairs of such mergings, side by side, in a round: all of them take a tenth of the time of its walks.
    const PAIRS: u32 = 4;
    let program = layout.program;
    let ends: Vec<&Vec<u32>> = walks.iter().map(|walk| walk.end(program)).collect();
    ends.iter().for_each(|values| record.pool.offer(program, values));
    let stop = record.watch.stop;
    let merge = |plans: &[&Vec<u32>], options: &Options| {
        let whole = plans.iter().filter(|plan| program.broken_rule(plan).is_none());
        let best = whole.reduce(|best, plan| if program.is_better(plan, best) { plan } else { best })?;
        let reduced = reduce::restricted(program, &worth_keeping(layout, plans));
        merged(&reduced, best, options, stop)
    };
    let pairs = match stage {
        Stage::Near | Stage::Tempered => 1,
        Stage::Young => 0,
        Stage::Grown => PAIRS,
    };
    for _ in 0..pairs {
        let options = Options { time_limit_s: options.time_limit_s.min(record.left_s()), ..*options };
        let (first, second) = {
            let (first, second) = if stage == Stage::Near {
                let bests = walks.iter().map(|walk| &walk.best).chain(&record.best);
                (bests.chain(ends.iter().copied()).collect(), Vec::new())
            } else {
                let (first, mut second) = (record.pool.drawn(DRAWN, rng), record.pool.drawn(DRAWN, rng));
                if second.iter().all(|plan| first.contains(plan)) {
                    // The same program once more would bring nothing.
                    second.clear();
                }
                (first, second)
            };
            rayon::join(|| merge(&first, &options), || merge(&second, &options))
        };
        for values in [first, second].into_iter().flatten() {
            record.offer("search", &values);
            record.pool.offer(program, &values);
        }
        if record.is_over() {
            break;
        }
    }
    if matches!(stage, Stage::Young | Stage::Grown) {
        record.pool.age(program);
    }
}

/// For every variable, whether some plan uses it, or it could stand in for one that is used.
fn worth_keeping(layout: &Layout<'_>, plans: &[&Vec<u32>]) -> Vec<bool> {
    let mut is_used = vec![false; layout.program.variables.len()];
    for values in plans {
        values.iter().zip(&mut is_used).for_each(|(value, is_used)| *is_used |= *value > 0);
    }
    let mut is_kept: Vec<bool> =
        (0_u32..).zip(&is_used).map(|(variable, is_used)| *is_used || !layout.is_post(variable)).collect();
    // Units of other lots that would cover the same.
    for members in layout.bundles().members.iter() {
        if members.iter().any(|variable| is_used[*variable as usize]) {
            members.iter().for_each(|variable| is_kept[*variable as usize] = true);
        }
    }
    // A lot that nobody used gets a post, too: a condition may ask for its units.
    for lot in &layout.lot_members {
        if let Some(first) = lot.posts.first().filter(|_| !lot.posts.iter().any(|post| is_kept[*post as usize])) {
            is_kept[*first as usize] = true;
        }
    }
    is_kept
}

/// The best values of the smaller program within the limits, as values of the whole.
pub(super) fn merged(reduced: &Reduced, best: &[u32], options: &Options, stop: &AtomicBool) -> Option<Vec<u32>> {
    let start = reduced.forth(best);
    let ending = compact::solve(&reduced.program, options, stop, Instant::now(), Some(&start), &mut |_| {}).ok()?;
    ending.values.map(|values| reduced.back(&values))
}
