//! How much nearer rounds of rows on neighbouring sets bring a bound, turned into how large neighbourhoods are, and when to end.

/// How far the search for rows on neighbouring sets is. Heights are bounds, so turned that more is weaker.
pub(super) struct Gathering {
    sizes: &'static [usize],
    /// Part of what is left open that a round has to close, and one with the last of the sizes.
    least: (f64, f64),
    /// Which of the sizes a neighbourhood has, and rounds with it.
    place: usize,
    rounds: u32,
    /// Height to begin with.
    begun: f64,
    /// Height of the round before.
    before: f64,
}

/// Sets of a neighbourhood where levels rise, step by step.
const SIZES: [usize; 3] = [6, 10, 14];

/// Variables whose sets are a neighbourhood where none rises, step by step.
const WIDTHS: [usize; 2] = [2, 3];

/// Bins of a patch where sets share bins, step by step; rounds are many and short.
const PATCHES: [usize; 5] = [2, 4, 6, 9, 13];

impl Gathering {
    /// Nothing is gathered yet.
    pub(super) fn new(begun: f64, is_rising: bool) -> Self {
        let (sizes, last): (&[usize], f64) = if is_rising { (&SIZES, 0.02) } else { (&WIDTHS, 0.03) };
        Self { sizes, least: (0.03, last), place: 0, rounds: 0, begun, before: f64::INFINITY }
    }

    /// As [`Self::new`], of rows on patches of bins.
    pub(super) fn of_patches(begun: f64) -> Self {
        Self { sizes: &PATCHES, least: (0.005, 0.005), ..Self::new(begun, false) }
    }

    /// The size of a neighbourhood for the next round, where the last ended at a height and the best plan is at another: the next
    /// as soon as a round brings little. `None` where its first round brought little, too, or there is no next.
    pub(super) fn next(&mut self, height: f64, best: f64) -> Option<usize> {
        let least = if self.place + 1 < self.sizes.len() { self.least.0 } else { self.least.1 };
        let is_stuck = self.before - height < least * (height - best);
        if is_stuck && self.rounds < 2 {
            return None;
        }
        if is_stuck {
            (self.place, self.rounds) = (self.place + 1, 0);
        }
        (self.before, self.rounds) = (height, self.rounds + 1);
        self.sizes.get(self.place).copied()
    }

    /// True where all rounds together closed little of what was open.
    pub(super) fn is_in_vain(&self, height: f64, best: f64) -> bool {
        /// Part of it that they have to close.
        const LEAST: f64 = 0.125;
        self.begun - height < LEAST * (self.begun - best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbourhoods grow where a round brings less than three in a hundred of what is open, and not after a first such round.
    #[test]
    fn neighbourhoods_grow_while_that_helps() {
        let mut gathering = Gathering::new(10.0, true);
        let heights = [10.0, 8.0, 6.0, 5.9, 5.0, 4.99, 4.5, 4.39, 4.38];
        let sizes: Vec<Option<usize>> = heights.iter().map(|height| gathering.next(*height, 0.0)).collect();
        assert_eq!(sizes, [6, 6, 6, 10, 10, 14, 14, 14, 0].map(|size| (size > 0).then_some(size)));
        assert!(!gathering.is_in_vain(4.49, 0.0));
        let mut plain = Gathering::new(10.0, false);
        assert_eq!([10.0, 8.0, 7.99, 7.0].map(|height| plain.next(height, 0.0)), [2, 2, 3, 3].map(Some));
    }

    #[test]
    fn who_finds_little_at_once_ends() {
        let mut gathering = Gathering::new(10.0, true);
        assert_eq!([gathering.next(10.0, 0.0), gathering.next(9.9, 0.0)], [Some(6), None]);
        assert!(gathering.is_in_vain(9.9, 0.0));
    }
}
