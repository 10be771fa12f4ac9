//! How much nearer rounds of rows on neighbouring sets bring a bound, turned into how large neighbourhoods are, and when to end.

/// How far the search for rows on neighbouring sets is. Heights are bounds, so turned that more is weaker.
pub(super) struct Gathering {
    /// Which number of [`SIZES`] a neighbourhood has, and rounds with it.
    place: usize,
    rounds: u32,
    /// Height without such rows.
    begun: f64,
    /// Height of the round before.
    before: f64,
}

/// Sets of a neighbourhood, step by step.
const SIZES: [usize; 3] = [6, 10, 14];

impl Gathering {
    /// Nothing is gathered yet.
    pub(super) fn new(begun: f64) -> Self {
        Self { place: 0, rounds: 0, begun, before: f64::INFINITY }
    }

    /// Sets of a neighbourhood for the next round, where the last ended at a height and the best plan is at another: more as soon
    /// as a round brings little. `None` where the first round with more brought little, too.
    pub(super) fn next(&mut self, height: f64, best: f64) -> Option<usize> {
        /// Part of what is left open that a round has to close.
        const LEAST: f64 = 0.03;
        let is_stuck = self.before - height < LEAST * (height - best);
        if is_stuck && self.rounds < 2 {
            return None;
        }
        if is_stuck {
            (self.place, self.rounds) = (self.place + 1, 0);
        }
        (self.before, self.rounds) = (height, self.rounds + 1);
        SIZES.get(self.place).copied()
    }

    /// True where all rounds together closed little of what was open.
    pub(super) fn is_in_vain(&self, height: f64, best: f64) -> bool {
        /// Part of it that they have to close.
        const LEAST: f64 = 0.25;
        self.begun - height < LEAST * (self.begun - best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbourhoods grow where a round brings less than three in a hundred of what is open, and not after a first such round.
    #[test]
    fn neighbourhoods_grow_while_that_helps() {
        let mut gathering = Gathering::new(10.0);
        let heights = [10.0, 8.0, 6.0, 5.9, 5.0, 4.99, 4.5, 4.49];
        let sizes: Vec<Option<usize>> = heights.iter().map(|height| gathering.next(*height, 0.0)).collect();
        assert_eq!(sizes, [6, 6, 6, 10, 10, 14, 14, 0].map(|size| (size > 0).then_some(size)));
        assert!(!gathering.is_in_vain(4.49, 0.0));
    }

    #[test]
    fn who_finds_little_at_once_ends() {
        let mut gathering = Gathering::new(10.0);
        assert_eq!([gathering.next(10.0, 0.0), gathering.next(9.9, 0.0)], [Some(6), None]);
        assert!(gathering.is_in_vain(9.9, 0.0));
    }
}
