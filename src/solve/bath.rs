//! What one more unit would earn at every post, kept up to date as units come and go, turned into draws of posts.

use fastrand::Rng;

use super::layout::Layout;
use super::state::State;

/// A heat bath: a post is drawn with a probability that goes with e to the power of its gain over the temperature.
///
/// # Cost
/// A unit that comes or goes changes one gain for each item of the sets whose next step it changes; a draw looks at all gains.
///
/// # Source
/// Geman and Geman 1984.
pub(super) struct Bath {
    /// What one more unit earns, by variable; nothing that counts for those that are no posts.
    gains: Vec<f64>,
    /// The gains before the last unit was taken, where a copy is quicker than the way back.
    before: Vec<f64>,
    /// Posts that may be drawn, with their chances.
    chances: Vec<(f64, u32)>,
}

/// Chances below this part of the best are none.
const LEAST: f64 = 1e-5;

impl Bath {
    /// Of no state yet.
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let program = layout.program;
        let (items, variables, sets) = (program.sets.items(), program.variables.len(), program.sets.len());
        let touched = (items / variables.max(1)) * (items / sets.max(1));
        let before = if touched > variables / 2 { vec![0.0; variables] } else { Vec::new() };
        Self { gains: vec![0.0; variables], before, chances: Vec::new() }
    }

    /// Sums all gains anew, with what steps are worth by ladder.
    pub(super) fn refresh(&mut self, state: &State<'_>, worth: &[f64]) {
        let layout = state.layout;
        for (variable, gain) in (0_u32..).zip(&mut self.gains) {
            *gain = if layout.is_post(variable) { 0.0 } else { f64::NEG_INFINITY };
        }
        for (set, count) in state.counts.iter().enumerate() {
            let term = &layout.terms[set];
            self.shift(layout.program.sets.row(set), term.weight * worth[term.step(*count)]);
        }
    }

    /// One more unit at a post.
    pub(super) fn add(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        let layout = state.layout;
        state.values[post as usize] += 1;
        for set in layout.sets_of.row(post as usize) {
            let (term, count) = (&layout.terms[*set as usize], &mut state.counts[*set as usize]);
            let step = term.step(*count);
            *count += 1;
            state.earned[term.part as usize] += term.weight * layout.steps[step];
            let more = worth[term.step(*count)] - worth[step];
            if more != 0.0 {
                self.shift(layout.program.sets.row(*set as usize), term.weight * more);
            }
        }
    }

    /// One unit less at a post.
    pub(super) fn take(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        let layout = state.layout;
        if !self.before.is_empty() {
            self.before.copy_from_slice(&self.gains);
        }
        state.values[post as usize] -= 1;
        for set in layout.sets_of.row(post as usize) {
            let (term, count) = (&layout.terms[*set as usize], &mut state.counts[*set as usize]);
            let step = term.step(*count);
            *count -= 1;
            let fewer = term.step(*count);
            state.earned[term.part as usize] -= term.weight * layout.steps[fewer];
            let more = worth[fewer] - worth[step];
            if more != 0.0 {
                self.shift(layout.program.sets.row(*set as usize), term.weight * more);
            }
        }
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

    fn shift(&mut self, posts: &[u32], by: f64) {
        posts.iter().for_each(|post| self.gains[*post as usize] += by);
    }

    /// Gets ready to draw posts at a temperature.
    pub(super) fn heat(&mut self, temperature: f64) {
        /// Gains that are looked at together.
        const LANES: u32 = 8;
        let mut lanes = [f64::NEG_INFINITY; LANES as usize];
        let (chunks, rest) = self.gains.as_chunks::<{ LANES as usize }>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(most, gain)| *most = if gain > most { *gain } else { *most });
        }
        let most = lanes.iter().chain(rest).copied().fold(f64::NEG_INFINITY, f64::max);
        let least = most + temperature * LEAST.ln();
        self.chances.clear();
        let mut take = |first: u32, gains: &[f64]| {
            let likely = (first..).zip(gains).filter(|(_, gain)| **gain > least);
            self.chances.extend(likely.map(|(post, gain)| (((gain - most) / temperature).exp(), post)));
        };
        let mut first = 0;
        for chunk in chunks {
            if chunk.iter().filter(|gain| **gain > least).count() > 0 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::trials::{self, Numbers, POSTS};

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
                assert!(posts().all(|post| is_near(bath.gains[post as usize], state.hope(post))));
            }
        }
    }

    #[test]
    fn posts_are_drawn_as_often_as_their_gains_say() {
        const DRAWS: u32 = 20_000;
        let program = trials::tied(&mut Numbers(7));
        let layout = Layout::new(&program);
        let mut bath = Bath::new(&layout);
        bath.gains.fill(f64::NEG_INFINITY);
        bath.gains[..POSTS as usize].copy_from_slice(&[0.3, 0.1, -5.0, 0.3, 0.2, 0.0, 0.3]);
        let mut rng = Rng::with_seed(1);
        let mut counts = vec![0_u32; bath.gains.len()];
        for _ in 0..DRAWS {
            bath.heat(0.1);
            counts[bath.draw(&mut rng).expect("some have a chance") as usize] += 1;
        }
        let chances: Vec<f64> = bath.gains.iter().map(|gain| (gain / 0.1).exp()).collect();
        let all: f64 = chances.iter().sum();
        for (count, chance) in counts.iter().zip(&chances) {
            let share = f64::from(*count) / f64::from(DRAWS);
            assert!((share - chance / all).abs() < 0.02, "{share} instead of {}", chance / all);
        }
        assert_eq!(counts[2], 0, "no chance worth the name");
        bath.heat(0.1);
        let mut drawn: Vec<u32> = std::iter::from_fn(|| bath.draw(&mut rng)).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 3, 4, 5, 6], "each once");
    }
}
