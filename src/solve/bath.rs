//! What one more unit would earn at every post, kept up to date as units come and go, turned into draws of posts.

use fastrand::Rng;

use super::layout::Layout;
use super::state::State;
use crate::model::Program;

/// A heat bath: a post is drawn with a probability that goes with e to the power of its merit over the temperature.
///
/// # Cost
/// A unit that comes or goes changes one gain for each item of the sets whose next step it changes; a draw looks at all gains.
///
/// # Source
/// Geman and Geman 1984.
pub(super) struct Bath {
    /// What one more unit earns, part by part and variable by variable; in the first part nothing that counts where there is no
    /// post.
    gains: Vec<Vec<f64>>,
    /// The gains before the last unit was taken, where a copy is quicker than the way back.
    before: Vec<Vec<f64>>,
    /// What a plan is worth with one more unit, by variable, where the value is the smallest of several parts.
    merits: Vec<f64>,
    /// Posts that may be drawn, with their chances.
    chances: Vec<(f64, u32)>,
}

/// Chances below this part of the best are none.
const LEAST: f64 = 1e-5;

impl Bath {
    /// Of no state yet.
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let program = layout.program;
        let zeros = vec![0.0; program.variables.len()];
        let gains = vec![zeros.clone(); program.parts];
        let before = if touched(program) > zeros.len() / 2 { gains.clone() } else { Vec::new() };
        let merits = if program.parts > 1 { zeros } else { Vec::new() };
        Self { gains, before, merits, chances: Vec::new() }
    }

    /// Sums all gains anew, with what steps are worth by ladder.
    pub(super) fn refresh(&mut self, state: &State<'_>, worth: &[f64]) {
        let layout = state.layout;
        self.gains.iter_mut().for_each(|gains| gains.fill(0.0));
        let is_no_post = |(variable, _): &(u32, &mut f64)| !layout.is_post(*variable);
        (0_u32..).zip(&mut self.gains[0]).filter(is_no_post).for_each(|(_, gain)| *gain = f64::NEG_INFINITY);
        for (set, (term, count)) in layout.terms.iter().zip(&state.counts).enumerate() {
            let gains = &mut self.gains[term.part as usize];
            shift(gains, layout.program.sets.row(set), term.weight * worth[term.step(*count)]);
        }
    }

    /// One more unit at a post.
    pub(super) fn add(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        self.follow(state, worth, post, |count| count + 1);
        state.add_to_sets(post);
    }

    /// One unit less at a post.
    pub(super) fn take(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        self.before.iter_mut().zip(&self.gains).for_each(|(before, gains)| before.copy_from_slice(gains));
        self.follow(state, worth, post, |count| count - 1);
        state.take_from_sets(post);
    }

    /// Puts the unit that was just taken back.
    pub(super) fn put_back(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        if self.before.is_empty() {
            self.add(state, worth, post);
        } else {
            std::mem::swap(&mut self.gains, &mut self.before);
            state.add_to_sets(post);
        }
    }

    /// Changes the gains of all posts of the sets of a post, on which the count of units is to change.
    fn follow(&mut self, state: &State<'_>, worth: &[f64], post: u32, next: impl Fn(u32) -> u32) {
        let layout = state.layout;
        for set in layout.sets_of.row(post as usize) {
            let (term, count) = (&layout.terms[*set as usize], state.counts[*set as usize]);
            let more = worth[term.step(next(count))] - worth[term.step(count)];
            if more != 0.0 {
                shift(&mut self.gains[term.part as usize], layout.program.sets.row(*set as usize), term.weight * more);
            }
        }
    }

    /// Gets ready to draw posts at a temperature; `earned` is the value of each part without the unit that is to come.
    pub(super) fn heat(&mut self, earned: &[f64], temperature: f64) {
        /// Merits that are looked at together.
        const LANES: u32 = 8;
        let Self { gains, merits, chances, .. } = self;
        for (variable, merit) in merits.iter_mut().enumerate() {
            *merit = self::merit(|| earned.iter().zip(&*gains).map(|(earned, gains)| earned + gains[variable]));
        }
        let merits = if merits.is_empty() { &gains[0] } else { &*merits };
        let mut lanes = [f64::NEG_INFINITY; LANES as usize];
        let (chunks, rest) = merits.as_chunks::<{ LANES as usize }>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(most, merit)| *most = if merit > most { *merit } else { *most });
        }
        let most = lanes.iter().chain(rest).copied().fold(f64::NEG_INFINITY, f64::max);
        let least = most + temperature * LEAST.ln();
        chances.clear();
        let mut take = |first: u32, merits: &[f64]| {
            let likely = (first..).zip(merits).filter(|(_, merit)| **merit > least);
            chances.extend(likely.map(|(post, merit)| (((merit - most) / temperature).exp(), post)));
        };
        let mut first = 0;
        for chunk in chunks {
            if chunk.iter().filter(|merit| **merit > least).count() > 0 {
                take(first, chunk);
            }
            first += LANES;
        }
        take(first, rest);
    }

    /// Draws a post, once each; `None` when none is left.
    pub(super) fn draw(&mut self, rng: &mut Rng) -> Option<u32> {
        let mut left = rng.f64() * self.chances.iter().map(|(chance, _)| chance).sum::<f64>();
        let place = self.chances.iter().position(|(chance, _)| {
            left -= chance;
            left < 0.0
        });
        let last = self.chances.len().checked_sub(1)?;
        Some(self.chances.swap_remove(place.unwrap_or(last)).1)
    }
}

/// Gains that change as a unit comes or goes, about, where every set sees it.
pub(super) fn touched(program: &Program) -> usize {
    let items = program.sets.items();
    (items / program.variables.len().max(1) + 1) * (items / program.sets.len().max(1) + 1)
}

/// Adds to the gains at posts.
fn shift(gains: &mut [f64], posts: &[u32], by: f64) {
    posts.iter().for_each(|post| gains[*post as usize] += by);
}

/// The smallest of several parts, to which the others count a little, the small ones above all.
fn merit<I: ExactSizeIterator<Item = f64>>(parts: impl Fn() -> I) -> f64 {
    /// Weight of the mean of all parts, of each so much above the smallest at most.
    const OTHERS: f64 = 0.05;
    const ABOVE: f64 = 0.1;
    let worst = parts().fold(f64::INFINITY, f64::min);
    let count = u32::try_from(parts().len()).unwrap_or(u32::MAX);
    worst + OTHERS * parts().map(|part| part.min(worst + ABOVE)).sum::<f64>() / f64::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{self, Numbers};

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn gains_follow_units() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..200 {
            let program = trials::tied(&mut numbers);
            let layout = Layout::new(&program);
            let mut state = State::resume(&layout, vec![0; program.variables.len()]);
            let mut bath = Bath::new(&layout);
            bath.refresh(&state, &layout.hopes);
            let posts = || (0_u32..).take(program.variables.len()).filter(|variable| layout.is_post(*variable));
            let all: Vec<u32> = posts().collect();
            assert_eq!(all.len(), 6, "three places, two lots");
            for _ in 0..30 {
                let post = all[numbers.below(6) as usize];
                match numbers.below(3) {
                    0 => bath.add(&mut state, &layout.hopes, post),
                    _ if state.values[post as usize] == 0 => {}
                    1 => bath.take(&mut state, &layout.hopes, post),
                    _ => {
                        bath.take(&mut state, &layout.hopes, post);
                        bath.put_back(&mut state, &layout.hopes, post);
                    }
                }
                let again = State::resume(&layout, state.values.clone());
                assert_eq!(state.counts, again.counts);
                assert!(state.earned.iter().zip(&again.earned).all(|(a, b)| is_near(*a, *b)));
                let hope = |post: u32| bath.gains.iter().map(|gains| gains[post as usize]).sum::<f64>();
                assert!(posts().all(|post| is_near(hope(post), state.hope(post))));
            }
        }
    }

    #[test]
    fn posts_are_drawn_as_often_as_their_gains_say() {
        const DRAWS: u32 = 20_000;
        let mut bath = Bath {
            gains: vec![vec![0.3, 0.1, -5.0, 0.3, 0.2, f64::NEG_INFINITY, 0.0, 0.3, 0.1, 0.2]],
            before: Vec::new(),
            merits: Vec::new(),
            chances: Vec::new(),
        };
        let mut rng = Rng::with_seed(1);
        let mut counts = [0_u32; 10];
        for _ in 0..DRAWS {
            bath.heat(&[0.0], 0.1);
            counts[bath.draw(&mut rng).expect("some have a chance") as usize] += 1;
        }
        let chances: Vec<f64> = bath.gains[0].iter().map(|gain| (gain / 0.1).exp()).collect();
        let all: f64 = chances.iter().sum();
        for (count, chance) in counts.iter().zip(&chances) {
            let share = f64::from(*count) / f64::from(DRAWS);
            assert!((share - chance / all).abs() < 0.02, "{share} instead of {}", chance / all);
        }
        assert_eq!([counts[2], counts[5]], [0, 0], "no chance worth the name, and no post");
        bath.heat(&[0.0], 0.1);
        let mut drawn: Vec<u32> = std::iter::from_fn(|| bath.draw(&mut rng)).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 3, 4, 6, 7, 8, 9], "each once");
    }

    #[test]
    fn of_several_parts_the_smallest_counts_most() {
        let mut bath = Bath {
            gains: vec![vec![0.2, 0.0, 0.1], vec![0.0, 0.3, 0.0]],
            before: Vec::new(),
            merits: vec![0.0; 3],
            chances: Vec::new(),
        };
        bath.heat(&[0.4, 0.5], 1e-4);
        assert_eq!(bath.chances.len(), 1);
        assert_eq!(bath.draw(&mut Rng::with_seed(1)), Some(0), "0.6 and 0.5, rather than 0.4 and 0.8, or twice 0.5");
        let merits = [0.5 + 0.05 * 0.55, 0.4 + 0.05 * 0.45, 0.5 + 0.05 * 0.5];
        assert!(bath.merits.iter().zip(merits).all(|(merit, expected)| is_near(*merit, expected)));
    }
}
