//! Plans at temperatures that stay turned into plans of other kinds, as they exchange their temperatures.

use fastrand::Rng;
use rayon::prelude::*;

use super::layout::Layout;
use super::search::{Walk, Walked};
use crate::model::Aim;

/// Plans that are at a temperature each; a fixed number, so that answers do not depend on cores.
const PLANS: u8 = 8;

/// The lowest temperature and the highest, as parts of the value of a mean unit: with the one, plans are of some kind, with the
/// other, kinds melt.
const COLD: f64 = 0.0055;
const HOT: f64 = 0.016;

/// Moves of each unit between two exchanges, on average.
const SWEEP: u64 = 11;

/// Plans that are cooled down in the end, and part of all moves that each of them takes.
const COOLED: usize = 2;
const SHARE: u64 = 12;

/// What cooling down leaves of the lowest temperature.
const COOLER: f64 = 0.2;

/// True where a round of so many moves is enough for exchanges and value is what counts: of plans that are on their way to less
/// cost none is better than another.
pub(super) fn suits(layout: &Layout<'_>, best: &[u32], moves: u64) -> bool {
    /// Exchanges of a round, at least.
    const LEAST: u64 = 8;
    let posts = (0_u32..).zip(best).filter(|(variable, _)| layout.is_post(*variable));
    let units: u64 = posts.map(|(_, units)| u64::from(*units)).sum();
    let sweep = SWEEP * units * u64::from(PLANS);
    matches!(layout.program.aim, Aim::MostValue) && sweep > 0 && moves >= LEAST * sweep
}

/// So many moves, at least a sweep, of plans at their temperatures, the coldest first; without plans all begin at `start`. Now and
/// then a plan is exchanged for that of the next temperature: surely where the hotter is the better, else the likelier the less
/// they differ. So what is stuck melts again. Copies of some of the colder half are cooled down, and what these come by is given;
/// nothing without units.
///
/// # Cost
/// That of the moves ([`super::search::walks`]) and for each plan, once in a sweep, a look at all items.
///
/// # Source
/// Swendsen and Wang 1986; Geyer 1991.
pub(super) fn temper(
    layout: &Layout<'_>,
    (plans, start): (&mut Vec<Vec<u32>>, &[u32]),
    seed: u64,
    moves: u64,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Vec<Walked> {
    let mut rng = Rng::with_seed(seed);
    if plans.is_empty() {
        *plans = vec![start.to_vec(); usize::from(PLANS)];
    }
    let seeded: Vec<(&Vec<u32>, u64)> = plans.iter().map(|plan| (plan, rng.u64(..))).collect();
    let begun = |(plan, seed): (&Vec<u32>, u64)| Walk::new(layout, plan, Rng::with_seed(seed), false);
    let mut walks: Vec<Walk<'_>> = seeded.into_par_iter().map(begun).collect();
    let sweep = SWEEP * walks[0].units();
    if sweep == 0 {
        return Vec::new();
    }
    let mean = walks[0].mean_unit();
    let rise = |place: u8| f64::from(place) / f64::from(PLANS - 1);
    let temperatures: Vec<f64> = (0..PLANS).map(|place| mean * COLD * (HOT / COLD).powf(rise(place))).collect();
    let cooling = moves / SHARE;
    let sweeps = moves.saturating_sub(cooling * COOLED as u64) / (sweep * u64::from(PLANS));
    for _ in 0..sweeps.max(1) {
        walks.par_iter_mut().zip(&temperatures).for_each(|(walk, heat)| walk.stay(sweep, *heat, is_over));
        if is_over() {
            break;
        }
        for hotter in (1..walks.len()).rev() {
            let more = walks[hotter].value() - walks[hotter - 1].value();
            let pull = 1.0 / temperatures[hotter - 1] - 1.0 / temperatures[hotter];
            if rng.f64() < (more * pull).exp() {
                walks.swap(hotter - 1, hotter);
            }
        }
    }
    *plans = walks.into_iter().map(Walk::values).collect();
    let mut colder: Vec<&Vec<u32>> = plans[..plans.len() / 2].iter().collect();
    rng.shuffle(&mut colder);
    let cooled: Vec<(&Vec<u32>, u64)> = colder.into_iter().take(COOLED).map(|plan| (plan, rng.u64(..))).collect();
    cooled.into_par_iter().map(|cooled| begun(cooled).run(cooling, (COLD, COLD * COOLER), is_over)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Program, Row, TermGroup, Variable};
    use crate::solve::greedy;
    use crate::solve::trials::{Numbers, best_tied, tied};

    /// The plans, and what came of those cooled down, after so many rounds, on so many threads.
    fn tempered(layout: &Layout<'_>, start: &[u32], rounds: u64, threads: usize) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
        let (mut plans, mut bests) = (Vec::new(), Vec::new());
        pool.install(|| {
            for round in 0..rounds {
                let cooled = temper(layout, (&mut plans, start), round, 20_000, &|| false);
                bests.extend(cooled.into_iter().map(|walk| walk.best));
            }
        });
        (plans, bests)
    }

    #[test]
    fn plans_keep_every_rule_whatever_the_threads() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut tried, mut reached) = (0, 0);
        for _ in 0..200 {
            let program = tied(&mut numbers);
            let layout = Layout::new(&program);
            let start = greedy::values(&layout, &|| false).filter(|_| matches!(program.aim, Aim::MostValue));
            let Some(start) = start else { continue };
            let (plans, bests) = tempered(&layout, &start, 1, 1);
            assert!(plans.iter().chain(&bests).all(|plan| program.broken_rule(plan).is_none()), "{program:?}");
            assert!((plans, bests.clone()) == tempered(&layout, &start, 1, 2), "{program:?}");
            let (_, most) = best_tied(&program).expect("there is a plan");
            if program.objective(&start) > most - 1e-9 {
                continue;
            }
            tried += 1;
            reached += u32::from(bests.iter().any(|best| program.objective(best) > most - 1e-9));
        }
        assert!(tried >= 30 && reached >= 10, "the best in {reached} of {tried}");
    }

    /// Homes around a ring, each with one post before and one behind; what lies between two posts is worth a little, and as
    /// long as it is covered all units stand on the same side. Behind is a trifle better, and no single move leads there.
    #[test]
    fn what_is_stuck_melts() {
        const HOMES: u32 = 16;
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; 2 * HOMES as usize]);
        program.variables.push(Variable { most: HOMES });
        let terms = (0..2 * HOMES).map(|post| (post, 1.0)).chain([(2 * HOMES, -1.0)]).collect();
        program.add_row(Row { rule: String::new(), terms, least: 0.0, most: 0.0 });
        let units = vec![(2 * HOMES, 1.0)];
        program.add_row(Row { rule: String::new(), terms: units, least: 0.0, most: f64::from(HOMES) });
        let homes = (0..HOMES).map(|home| (vec![2 * home, 2 * home + 1], 1.0));
        let between = (0..2 * HOMES).map(|post| (vec![post, (post + 1) % (2 * HOMES)], 0.08));
        let behind = (0..HOMES).map(|home| (vec![2 * home + 1], 0.002));
        let all: Vec<(Vec<u32>, f64)> = homes.chain(between).chain(behind).collect();
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        let (sets, weights): (Vec<Vec<u32>>, Vec<f64>) = all.into_iter().map(sorted).unzip();
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
        let layout = Layout::new(&program);
        let side = |behind: u32| {
            (0..=2 * HOMES).map(move |post| if post == 2 * HOMES { HOMES } else { u32::from(post % 2 == behind) })
        };
        let (start, best): (Vec<u32>, Vec<u32>) = (side(0).collect(), side(1).collect());
        let walk = Walk::new(&layout, &start, Rng::with_seed(1), false);
        let stuck = walk.run(100_000, (COLD, COLD * COOLER), &|| false);
        assert_eq!(stuck.best, start, "cold as it is it stays");
        let (_, bests) = tempered(&layout, &start, 5, 2);
        assert!(bests.contains(&best));
    }

    fn sorted((mut set, weight): (Vec<u32>, f64)) -> (Vec<u32>, f64) {
        set.sort_unstable();
        (set, weight)
    }
}
