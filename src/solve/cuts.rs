//! A program too large for one model turned into a small one that learns by cuts what units are worth, and into prices.

use super::bins::{Cut, Partition};
use super::bundles::Bundles;
use super::frame::Frame;
use super::layout::Layout;
use super::master::{Answer, Master, Solved};
use super::multipliers::Multipliers;
use crate::model::Program;

/// Items of the cover sets up to which each set has a number of its own in the master: then cuts are short.
pub(super) const SPARSE: usize = 400_000;

/// Numbers for what is earned beyond that, about.
const BINS: usize = 100;

/// Bins beyond which the first answer is found by an interior-point method.
const LARGE: usize = 1_000;

/// Rounds of cuts between two times that prices are told.
const STAGE: u32 = 20;

/// Answers in which a cut did not bind, after which it goes where sets share bins: such cuts are long.
const IDLE: u32 = 5;

/// Most rounds of cuts.
const ROUNDS: u32 = 500;

/// A bound this close to a value of the relaxation, relative to both, is as good as that value.
const CLOSE: f64 = 1e-9;

/// A cut has to be broken by so much, relative to what its bin is worth.
const BROKEN: f64 = 1e-9;

/// Where the next cut is asked for: this far from the best inner point towards the master's answer.
const INWARD: f64 = 0.5;

/// Prices from cuts on what each bin of terms can earn; `None` where HiGHS fails before there are any.
///
/// The master knows variables, rows and one number for each bin: what it earns. A cut bounds that number by a plane that
/// touches what the bin earns at a point, and the master's answer moves until the planes and the truth agree. Cuts are asked for
/// between the best point known and the master's answer, which takes several times fewer of them. At the end every set has
/// the price that it has in the cuts that bind, weighted by their duals. Prices on the way, good for bounds that are not as
/// near, are told now and then, with how high no bound of this kind will be below; who listens says whether to go on. `point`
/// are values of the variables to begin at; it becomes the best point known.
///
/// # Cost
/// A few dozen rounds, each linear in the items of the sets, besides the master's: thousands of rows at most, whatever the
/// number of sets.
///
/// # Source
/// Benders 1962; cuts from cover sets: Cordeau, Furini and Ljubic 2019; the point between: Ben-Ameur and Neto 2007.
pub(super) fn prices(
    layout: &Layout<'_>,
    most: &[u32],
    (bundles, bins): &(Bundles, usize),
    point: &mut Vec<f64>,
    tell: &mut dyn FnMut(Multipliers, f64) -> bool,
    is_over: &dyn Fn() -> bool,
) -> Option<Multipliers> {
    let program = layout.program;
    let bins = Partition::new(layout, bundles, most, *bins);
    let mut master = Master::new(program, bundles, &bins, most)?;
    let mut stage = |master: &Master, answer: &Answer, reached: f64| {
        tell(master.prices(program, &bins, answer), -reached / Frame::scale(program))
    };
    let mut inner = bundles.with_sums(point);
    let answer = converge(program, &bins, &mut master, &mut inner, &mut stage, is_over);
    inner.truncate(point.len());
    *point = inner;
    answer.map(|answer| master.prices(program, &bins, &answer))
}

/// The sums and the number of bins that suit a program.
pub(super) fn shape(program: &Program) -> (Bundles, usize) {
    let bundles = Bundles::new(program);
    if program.sets.items() <= SPARSE { fine(program, bundles) } else { (bundles, BINS) }
}

/// A bin for each set.
fn fine(program: &Program, bundles: Bundles) -> (Bundles, usize) {
    (bundles.with_set_sums(program.variables.len()), program.sets.len())
}

/// Adds cuts until planes and truth agree, or until it is over; the last answer. `inner` becomes the best point known.
pub(super) fn converge(
    program: &Program,
    bins: &Partition<'_>,
    master: &mut Master,
    inner: &mut Vec<f64>,
    stage: &mut dyn FnMut(&Master, &Answer, f64) -> bool,
    is_over: &dyn Fn() -> bool,
) -> Option<Answer> {
    let mut reached = bins.objective(program, inner, &bins.cuts(inner));
    // What the first units earn: where sets have numbers of their own, this is most of what there is to learn.
    bins.cuts(&vec![0.0; inner.len()]).into_iter().for_each(|cut| master.add(cut));
    let (is_large, is_shared) = (bins.bins.len() > LARGE, bins.bins.len() < program.sets.len());
    let mut answer = None;
    let mut inward = INWARD;
    for round in 1..=ROUNDS {
        if is_over() {
            break;
        }
        if is_shared && round % IDLE == 0 {
            master.forget(IDLE, answer.as_mut());
        }
        let solved = if round == 1 && is_large { master.solve_anew(is_over) } else { master.solve(is_over) };
        let Solved::Optimal(next) = solved else { break };
        let last = answer.insert(next);
        if reached.is_finite() && reached - last.objective <= CLOSE * last.objective.abs().max(reached.abs()) {
            break;
        }
        let between = |(inner, outer): (&f64, &f64)| outer + inward * (inner - outer);
        let point: Vec<f64> = inner.iter().zip(&last.items).map(between).collect();
        let cuts = bins.cuts(&point);
        let objective = bins.objective(program, &point, &cuts);
        if objective < reached {
            (*inner, reached) = (point, objective);
        }
        let is_broken = |cut: &Cut| last.breaks(cut, BROKEN * bins.bins[cut.bin].worth);
        let added = cuts.into_iter().filter(is_broken).map(|cut| master.add(cut)).count();
        // Where no cut was news, the answer itself is asked next; where even that was none, it is right.
        match (added, inward > 0.0) {
            (0, true) => inward = 0.0,
            (0, false) => break,
            _ => inward = INWARD,
        }
        if round % STAGE == 0 && !stage(master, last, reached) {
            break;
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Aim;
    use crate::solve::relax;
    use crate::solve::trials::{Numbers, POSTS, best, program};

    /// Cuts end where the whole relaxation ends, or nearer where levels rise, and no plan is beyond the bound of either.
    #[test]
    fn cuts_find_the_bound_of_the_whole_relaxation() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut compared, mut closer) = (0, 0);
        for _ in 0..300 {
            let program = program(&mut numbers);
            let Some(best) = best(&program) else { continue };
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let whole = relax::prices(&program, &most, &|| false).expect("HiGHS works");
            let by = |shape: (Bundles, usize)| {
                prices(&Layout::new(&program), &most, &shape, &mut vec![0.0; POSTS as usize], &mut |_, _| true, &|| {
                    false
                })
                .expect("HiGHS works")
                .bound(&program, &most)
            };
            let (whole, cut) = (whole.bound(&program, &most), by((Bundles::new(&program), 3)));
            let each = by(fine(&program, Bundles::new(&program)));
            assert!((cut - each).abs() <= 1e-6 * cut.abs().max(1.0), "{cut} {each}: {program:?}");
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            assert!(
                sign * (whole - best) >= -1e-9 && sign * (cut - best) >= -1e-9,
                "{best} {whole} {cut}: {program:?}"
            );
            let nearer = sign * (whole - cut);
            let is_rising = program.is_rising();
            let slack = 1e-6 * whole.abs().max(1.0);
            assert!(nearer >= -slack && (is_rising || nearer <= slack), "{whole} {cut}: {program:?}");
            (compared, closer) = (compared + 1, closer + u32::from(nearer > 10.0 * slack));
        }
        assert!(compared >= 200, "only {compared} programs have a plan");
        assert!(closer >= 50, "only {closer} bounds are nearer for variables left out");
    }
}
