//! A program too large for a bin for each set turned into rows on patches of bins that lie together, and a nearer bound.

use std::collections::BTreeMap;

use super::bins::Partition;
use super::bundles::Bundles;
use super::cuts;
use super::frame::TOTAL;
use super::gathering::Gathering;
use super::goal::Goal;
use super::joint::Joint;
use super::layout::Layout;
use super::local::{self, Memory};
use super::master::{Answer, Master, Solved};
use super::spots::Spot;

/// Bins of sets that were found to suit programs for which a bin for each set would be too many.
pub(super) const BINS: usize = 200;

/// Brings the bound of a program without levels that rise nearer, round by round; `tell` hears of it and answers with the best
/// objective known by then, or `None` to end.
///
/// The cuts' model knows what each of so many `bins` of sets earns at most where units come in parts. To that come rows on what
/// whole units can earn there: first on two bins that lie side by side, then on more of them, each as long as rounds
/// bring something. Units that cannot be in a better plan are not asked for. `start` is a point to begin at, `value` what the best
/// plan is worth.
///
/// # Cost
/// A round solves the model, of about a thousand rows, and for each patch a small one dozens of times, on all threads.
///
/// # Source
/// As for [`local::broken`].
pub(super) fn lay(
    layout: &Layout<'_>,
    (most, bins): (&[u32], usize),
    (start, value): (&[f64], f64),
    tell: &mut dyn FnMut(f64) -> Option<f64>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Option<()> {
    let program = layout.program;
    let bundles = Bundles::new(program);
    let bins = Partition::new(layout, &bundles, most, bins);
    let mut master = Master::new(program, &bundles, &bins, most)?;
    let mut goal = Goal::new(program, value);
    let mut is_ended = false;
    // The last of it is not worth the time: rows on whole units bring more.
    let mut wait = |_: &Master, _: &Answer, _: f64| {
        is_ended = tell(goal.turned(f64::INFINITY)).is_none();
        false
    };
    let mut answer = cuts::converge(program, &bins, &mut master, &mut bundles.with_sums(start), &mut wait, is_over)?;
    if is_ended {
        return None;
    }
    let mut mosaic = Mosaic {
        layout,
        near: nearness(layout, &bins),
        bin_of: bins.of_sets(program.sets.len()),
        bins,
        master,
        limits: most,
        ranges: most.iter().map(|most| (0, *most)).collect(),
        memory: Memory::default(),
        calm: None,
    };
    let (mut gathering, mut patches, mut size) = (None, Vec::new(), 0);
    loop {
        let proof = mosaic.master.proof(program, &mosaic.bins, &answer, (&mosaic.ranges, None));
        goal.value = tell(proof.bound)?;
        let height = goal.turned(proof.bound);
        if goal.is_hopeless(height) || is_over() {
            return Some(());
        }
        goal.narrow(&mut mosaic.ranges, height, &proof.loss);
        let gathering = gathering.get_or_insert_with(|| Gathering::of_patches(height));
        let Some(next) = gathering.next(height, goal.best()) else { return Some(()) };
        if next != size {
            size = next;
            patches = mosaic.patches(size);
        }
        answer = match mosaic.round(&patches, &answer, is_over) {
            Solved::Optimal(answer) => answer,
            // No values are left that could be better.
            Solved::Infeasible if !is_over() => return tell(goal.value).map(|_| ()),
            Solved::Infeasible | Solved::Failed => return None,
        };
    }
}

/// A model of bins, and rows on patches of them.
struct Mosaic<'a> {
    layout: &'a Layout<'a>,
    bins: Partition<'a>,
    /// Bin of each set.
    bin_of: Vec<usize>,
    master: Master,
    /// How much two bins are covered by the same variables.
    near: Vec<Vec<f64>>,
    /// The most that each variable can be, and what it can be in a better plan.
    limits: &'a [u32],
    ranges: Vec<(u32, u32)>,
    /// What was learnt in the round before.
    memory: Memory,
    /// Where rows were asked for then.
    calm: Option<Answer>,
}

impl Mosaic<'_> {
    /// Adds the rows on patches, and the cuts, that an answer breaks; the next answer.
    fn round(&mut self, patches: &[Vec<usize>], answer: &Answer, is_over: &(dyn Fn() -> bool + Sync)) -> Solved {
        /// Answers in which a cut did not bind, after which it goes.
        const PATIENCE: u32 = 6;
        /// A cut has to be broken by so much, relative to what its bin is worth.
        const BROKEN: f64 = 1e-5;
        let mut calm = self.calm.take();
        let rows = answer.rows_on_the_way(&mut calm, |point| self.broken(patches, point, is_over));
        self.calm = calm;
        self.master.forget(PATIENCE, None);
        rows.into_iter().for_each(|joint| self.master.add_joint(joint, |set| self.bin_of[set as usize]));
        let broken = self.calm.as_ref().map_or_else(Vec::new, |point| self.bins.broken(point, BROKEN));
        broken.into_iter().for_each(|cut| self.master.add(cut));
        self.master.set_ranges(&self.ranges);
        let solved = self.master.solve(is_over);
        let Solved::Optimal(answer) = &solved else { return solved };
        let broken = self.bins.broken(answer, BROKEN);
        if broken.is_empty() {
            return solved;
        }
        broken.into_iter().for_each(|cut| self.master.add(cut));
        match self.master.solve(is_over) {
            Solved::Failed => solved,
            next => next,
        }
    }

    /// The rows on patches that a point breaks.
    fn broken(&mut self, patches: &[Vec<usize>], point: &Answer, is_over: &(dyn Fn() -> bool + Sync)) -> Vec<Joint> {
        let spot = |patch: &Vec<usize>| Spot {
            sets: self.sets(patch),
            reached: patch.iter().map(|bin| point.earned(*bin) / TOTAL).sum(),
        };
        let (spots, limits) = (patches.iter().map(spot).collect(), (self.limits, &self.ranges[..]));
        local::broken(self.layout, limits, spots, &point.items, &mut self.memory, is_over)
    }

    /// The sets of some bins.
    fn sets(&self, patch: &[usize]) -> Vec<u32> {
        let mut sets: Vec<u32> = patch.iter().flat_map(|bin| self.bins.sets_of(*bin)).collect();
        sets.sort_unstable();
        sets
    }

    /// Patches of so many bins that lie together, as many as it takes until each bin is in two.
    fn patches(&self, size: usize) -> Vec<Vec<usize>> {
        /// Patches that a bin is in.
        const EACH: u32 = 2;
        /// How much a bin that is in a patch has to be nearer than one in none.
        const MORE: f64 = 0.05;
        let mut taken = vec![0_u32; self.near.len()];
        let mut patches = Vec::new();
        for centre in 0..self.near.len() {
            if taken[centre] >= EACH {
                continue;
            }
            let mut patch = vec![centre];
            while patch.len() < size {
                let score = |bin: &usize| {
                    patch.iter().map(|of| self.near[*of][*bin]).sum::<f64>() - MORE * f64::from(taken[*bin])
                };
                let others = (0..self.near.len()).filter(|bin| !patch.contains(bin));
                let Some(next) = others.max_by(|a, b| score(a).total_cmp(&score(b))) else { break };
                patch.push(next);
            }
            patch.iter().for_each(|bin| taken[*bin] += 1);
            patches.push(patch);
        }
        patches
    }
}

/// For each two bins, how much of what covers the second covers the first, too.
fn nearness(layout: &Layout<'_>, bins: &Partition<'_>) -> Vec<Vec<f64>> {
    let covers = |bin: usize| {
        let mut covers: BTreeMap<u32, f64> = BTreeMap::new();
        for set in bins.sets_of(bin) {
            let row = layout.program.sets.row(set as usize);
            row.iter().for_each(|variable| {
                *covers.entry(*variable).or_default() += layout.terms[set as usize].weight;
            });
        }
        covers
    };
    let all: Vec<BTreeMap<u32, f64>> = (0..bins.bins.len()).map(covers).collect();
    let near = |a: &BTreeMap<u32, f64>, b: &BTreeMap<u32, f64>| {
        let shared = a.iter().filter_map(|(variable, weight)| b.get(variable).map(|other| weight.min(*other)));
        shared.sum::<f64>() / b.values().sum::<f64>().max(f64::MIN_POSITIVE)
    };
    all.iter().map(|a| all.iter().map(|b| near(a, b)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Aim;
    use crate::solve::trials::{Numbers, POSTS, best, plain, program};

    /// Whatever the bins and the plan to begin with, none that beats it is beyond a bound, and rows bring bounds nearer.
    #[test]
    fn no_plan_is_beyond_the_bounds() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut laid, mut nearer, mut closed) = (0, 0, 0);
        for round in 0..400 {
            let program = if round % 2 == 0 { plain(&mut numbers) } else { program(&mut numbers) };
            let Some(best) = best(&program).filter(|_| !program.is_rising()) else {
                continue;
            };
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let (sign, start, value) = match &program.aim {
                Aim::MostValue => (1.0, vec![0.0; POSTS as usize], 0.0),
                Aim::LeastCost { costs, .. } => {
                    (-1.0, most.iter().copied().map(f64::from).collect(), costs.iter().sum::<f64>() * 2.0)
                }
            };
            // Near the best plan much is taken out of the ranges.
            let value = if round % 4 < 2 { value } else { best - sign * 0.03 * best.abs() };
            let mut heights = Vec::new();
            let mut tell = |bound: f64| {
                assert!(sign * bound >= sign * best - 1e-9, "{bound} and {best}: {program:?}");
                heights.push(sign * bound);
                Some(value)
            };
            let bins = 1 + numbers.below(6) as usize;
            lay(&Layout::new(&program), (&most, bins), (&start, value), &mut tell, &|| false).expect("HiGHS works");
            let (first, last) = (heights.first().expect("it tells"), heights.last().expect("it tells"));
            laid += 1;
            nearer += u32::from(first - last > 1e-6);
            closed += u32::from(last - sign * best <= 1e-6 && first - sign * best > 1e-6);
        }
        assert!(laid >= 40 && nearer >= 10 && closed >= 3, "{laid} programs, {nearer} bounds nearer, {closed} reached");
    }
}
