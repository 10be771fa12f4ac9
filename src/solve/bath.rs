//! What one more unit would earn at every post, kept up to date as units come and go, turned into draws of posts.

use fastrand::Rng;

use super::ground::{BLOCK, Ground};
use super::state::State;
use crate::model::Program;

/// A heat bath: a post is drawn with a probability that goes with e to the power of its merit over the temperature.
///
/// # Cost
/// A unit that comes or goes changes one gain for each item of the sets whose next step it changes, those of a block at once; a
/// draw looks at the gains of the blocks in which one has changed, at the best of each block, and at the blocks of the likely
/// posts. Where the value is the smallest of several parts, a draw looks at all gains.
///
/// # Source
/// Geman and Geman 1984.
pub(super) struct Bath<'a> {
    ground: &'a Ground,
    /// What one more unit earns, part by part and place by place; in the first part nothing that counts where there is no post.
    gains: Vec<Vec<[f32; BLOCK]>>,
    /// The gains before the last unit was taken, in the blocks where that changed them, and these blocks.
    before: Vec<Vec<[f32; BLOCK]>>,
    changed: Vec<usize>,
    is_taking: bool,
    /// Counts units that were taken and draws that were made ready; for each block the count at its last change.
    count: u64,
    changed_at: Vec<u64>,
    /// What one more unit adds to what a plan is worth, by place, where the value is the smallest of several parts.
    merits: Vec<[f32; BLOCK]>,
    /// The best merit of each block, and the blocks of which it is not known any more.
    tops: Vec<f32>,
    stale: Vec<usize>,
    is_stale: Vec<bool>,
    /// Posts that may be drawn, with their chances.
    chances: Vec<(f32, u32)>,
}

/// Chances below this part of the best are none.
const LEAST: f32 = 1e-5;

impl<'a> Bath<'a> {
    /// Of no state yet.
    pub(super) fn new(ground: &'a Ground, parts: usize) -> Self {
        let blocks = ground.len() / BLOCK;
        let zeros = vec![[0.0; BLOCK]; blocks];
        Self {
            ground,
            gains: vec![zeros.clone(); parts],
            before: vec![zeros.clone(); parts],
            changed: Vec::new(),
            is_taking: false,
            count: 1,
            changed_at: vec![0; blocks],
            merits: if parts > 1 { zeros } else { Vec::new() },
            tops: vec![f32::NEG_INFINITY; blocks],
            stale: (0..blocks).collect(),
            is_stale: vec![true; blocks],
            chances: Vec::new(),
        }
    }

    /// Sums all gains anew, with what steps are worth by ladder.
    pub(super) fn refresh(&mut self, state: &State<'_>, worth: &[f64]) {
        self.gains.iter_mut().for_each(|gains| gains.fill([0.0; BLOCK]));
        for (place, gain) in self.gains[0].as_flattened_mut().iter_mut().enumerate() {
            *gain = if self.ground.is_taken(place) { 0.0 } else { f32::NEG_INFINITY };
        }
        for (set, (term, count)) in state.layout.terms.iter().zip(&state.counts).enumerate() {
            let gains = &mut self.gains[term.part as usize];
            let by = single(term.weight * worth[term.step(*count)]);
            if by == 0.0 {
                continue;
            }
            for (block, places) in self.ground.blocks_of(set) {
                shift(&mut gains[block], places, by);
            }
        }
        (0..self.tops.len()).for_each(|block| self.doubt(block));
    }

    /// One more unit at a post.
    pub(super) fn add(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        self.follow(state, worth, post, |count| count + 1);
        state.add_to_sets(post);
    }

    /// One unit less at a post.
    pub(super) fn take(&mut self, state: &mut State<'_>, worth: &[f64], post: u32) {
        self.count += 1;
        self.changed.clear();
        self.is_taking = true;
        self.follow(state, worth, post, |count| count - 1);
        self.is_taking = false;
        state.take_from_sets(post);
    }

    /// Puts the unit that was just taken back.
    pub(super) fn put_back(&mut self, state: &mut State<'_>, post: u32) {
        for block in std::mem::take(&mut self.changed) {
            for (gains, before) in self.gains.iter_mut().zip(&self.before) {
                gains[block] = before[block];
            }
            self.doubt(block);
        }
        state.add_to_sets(post);
    }

    /// Changes the gains of all posts of the sets of a post, on which the count of units is to change.
    fn follow(&mut self, state: &State<'_>, worth: &[f64], post: u32, next: impl Fn(u32) -> u32) {
        let (layout, ground) = (state.layout, self.ground);
        for set in layout.sets_of.row(post as usize) {
            let (term, count) = (&layout.terms[*set as usize], state.counts[*set as usize]);
            let more = worth[term.step(next(count))] - worth[term.step(count)];
            if more != 0.0 {
                let by = single(term.weight * more);
                for (block, places) in ground.blocks_of(*set as usize) {
                    if self.changed_at[block] != self.count {
                        self.touch(block);
                    }
                    shift(&mut self.gains[term.part as usize][block], places, by);
                }
            }
        }
    }

    /// Gets ready for the first change of gains in a block.
    fn touch(&mut self, block: usize) {
        self.changed_at[block] = self.count;
        if self.is_taking {
            self.changed.push(block);
            for (before, gains) in self.before.iter_mut().zip(&self.gains) {
                before[block] = gains[block];
            }
        }
        self.doubt(block);
    }

    /// Takes in that the best merit of a block may have changed.
    fn doubt(&mut self, block: usize) {
        if !self.is_stale[block] {
            self.is_stale[block] = true;
            self.stale.push(block);
        }
    }

    /// Gets ready to draw posts at a temperature; `earned` is the value of each part without the unit that is to come.
    pub(super) fn heat(&mut self, earned: &[f64], temperature: f64) {
        self.count += 1;
        let is_single = self.merits.is_empty();
        // Draws see differences alone, which small numbers tell apart.
        let without = if is_single { 0.0 } else { merit(|| earned.iter().copied()) };
        for (place, merit) in self.merits.as_flattened_mut().iter_mut().enumerate() {
            let gain = |gains: &Vec<[f32; BLOCK]>| f64::from(gains.as_flattened()[place]);
            let with = self::merit(|| earned.iter().zip(&self.gains).map(|(earned, gains)| earned + gain(gains)));
            *merit = single(with - without);
        }
        let blocks = if is_single { &self.gains[0] } else { &self.merits };
        if is_single {
            self.stale.iter().for_each(|block| self.tops[*block] = largest(&blocks[*block]));
        } else {
            self.tops.iter_mut().zip(blocks).for_each(|(most, block)| *most = largest(block));
        }
        self.stale.drain(..).for_each(|block| self.is_stale[block] = false);
        let temperature = single(temperature);
        let most = largest(&self.tops);
        let least = most + temperature * LEAST.ln();
        self.chances.clear();
        for (number, block) in blocks.iter().enumerate().filter(|(number, _)| self.tops[*number] > least) {
            let likely = (number * BLOCK..).zip(block).filter(|(_, merit)| **merit > least);
            let chance =
                |(place, merit): (usize, &f32)| (((merit - most) / temperature).exp(), self.ground.post(place));
            self.chances.extend(likely.map(chance));
        }
    }

    /// Draws a post, once each; `None` when none is left.
    pub(super) fn draw(&mut self, rng: &mut Rng) -> Option<u32> {
        let mut left = rng.f32() * self.chances.iter().map(|(chance, _)| chance).sum::<f32>();
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

/// For all places of a block that a byte can stand for, a one at each and a zero elsewhere.
static ONES: [[f32; BLOCK]; 256] = {
    let mut ones = [[0.0; BLOCK]; 256];
    let mut places = 0;
    while places < 256 {
        let mut place = 0;
        while place < BLOCK {
            if places >> place & 1 == 1 {
                ones[places][place] = 1.0;
            }
            place += 1;
        }
        places += 1;
    }
    ones
};

/// Adds to the gains at places of a block.
fn shift(gains: &mut [f32; BLOCK], places: u8, by: f32) {
    gains.iter_mut().zip(&ONES[usize::from(places)]).for_each(|(gain, one)| *gain += by * one);
}

/// Gains need no more digits: draws do not tell such from each other.
fn single(gain: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "meant")]
    let gain = gain as f32;
    gain
}

/// The largest of all.
fn largest(merits: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; BLOCK];
    let (blocks, rest) = merits.as_chunks::<BLOCK>();
    let larger = |most: &mut f32, merit: &f32| *most = if merit > most { *merit } else { *most };
    blocks.iter().for_each(|block| most.iter_mut().zip(block).for_each(|(most, merit)| larger(most, merit)));
    most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
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
    use crate::solve::layout::Layout;
    use crate::solve::trials::{self, Numbers};

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// A bath with these gains, part by part.
    fn of_gains<'a>(ground: &'a Ground, gains: &[&[f32]]) -> Bath<'a> {
        let mut bath = Bath::new(ground, gains.len());
        for (own, gains) in bath.gains.iter_mut().zip(gains) {
            own.fill([f32::NEG_INFINITY; BLOCK]);
            own.as_flattened_mut()[..gains.len()].copy_from_slice(gains);
        }
        bath
    }

    #[test]
    fn gains_follow_units() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..200 {
            let program = trials::tied(&mut numbers);
            let layout = Layout::new(&program);
            let mut state = State::resume(&layout, vec![0; program.variables.len()]);
            let mut bath = Bath::new(layout.ground(), program.parts);
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
                        bath.put_back(&mut state, post);
                    }
                }
                let again = State::resume(&layout, state.values.clone());
                assert_eq!(state.counts, again.counts);
                assert!(state.earned.iter().zip(&again.earned).all(|(a, b)| is_near(*a, *b)));
                let ground = layout.ground();
                let of_part = |gains: &Vec<[f32; BLOCK]>, place: usize| f64::from(gains.as_flattened()[place]);
                let hope = |place: usize| bath.gains.iter().map(|gains| of_part(gains, place)).sum::<f64>();
                let mut taken = (0..ground.len()).filter(|place| ground.is_taken(*place));
                assert!(taken.all(|place| (hope(place) - state.hope(ground.post(place))).abs() < 1e-5));
                // What is known of blocks from earlier draws is what is found anew.
                bath.heat(&state.earned, 0.1);
                let chances = bath.chances.clone();
                let mut anew = Bath::new(ground, program.parts);
                anew.gains.clone_from(&bath.gains);
                anew.heat(&state.earned, 0.1);
                assert_eq!(chances, anew.chances);
            }
        }
    }

    #[test]
    fn posts_are_drawn_as_often_as_their_gains_say() {
        const DRAWS: u32 = 20_000;
        let ground = Ground::of_posts(10);
        let mut bath = of_gains(&ground, &[&[0.3, 0.1, -5.0, 0.3, 0.2, f32::NEG_INFINITY, 0.0, 0.3, 0.1, 0.2]]);
        let mut rng = Rng::with_seed(1);
        let mut counts = [0_u32; 10];
        for _ in 0..DRAWS {
            bath.heat(&[0.0], 0.1);
            counts[bath.draw(&mut rng).expect("some have a chance") as usize] += 1;
        }
        let gains = &bath.gains[0].as_flattened()[..10];
        let chances: Vec<f64> = gains.iter().map(|gain| (f64::from(*gain) / 0.1).exp()).collect();
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
        let ground = Ground::of_posts(3);
        let mut bath = of_gains(&ground, &[&[0.2, 0.0, 0.1], &[0.0, 0.3, 0.0]]);
        bath.heat(&[0.4, 0.5], 1e-4);
        assert_eq!(bath.chances.len(), 1);
        assert_eq!(bath.draw(&mut Rng::with_seed(1)), Some(0), "0.6 and 0.5, rather than 0.4 and 0.8, or twice 0.5");
        let merits = [0.5 + 0.05 * 0.55, 0.4 + 0.05 * 0.45, 0.5 + 0.05 * 0.5];
        let without = 0.4 + 0.05 * 0.45;
        let is_expected = |(merit, expected): (&f32, f64)| (f64::from(*merit) + without - expected).abs() < 1e-6;
        assert!(bath.merits.as_flattened().iter().zip(merits).all(is_expected));
    }
}
