//! The work of a tree's stages turned into how long search beside the next one is.

use super::tree::News;

/// How a tree has grown so far.
#[derive(Default)]
pub(super) struct Pace {
    /// Stages with questions.
    asked: u32,
    /// Work so far; see [`News::work`].
    work: u64,
    /// Work of the last two stages.
    last: [u64; 2],
    /// True when the longer search was called for.
    is_searched: bool,
}

/// Work of a stage that takes as long as walks do.
const EVEN: u64 = 1_500_000;

/// How much more or less of them there is at most beside other stages.
const LEAST: u64 = EVEN / 16;
const MOST: u64 = EVEN * 4;

impl Pace {
    /// Takes in what a stage tells.
    pub(super) fn hear(&mut self, news: &News) {
        self.last = [self.last[1], news.work.saturating_sub(self.work)];
        self.work = news.work;
        self.asked += u32::from(news.nodes > 0);
    }

    /// Moves of walks that take about as long as the next stage, instead of so many: the two wait for each other.
    pub(super) fn moves(&self, even: u64) -> u64 {
        even * self.last[0].min(self.last[1]).clamp(LEAST, MOST) / EVEN
    }

    /// True once, when the tree will take a while: small trees end without the longer search.
    pub(super) fn is_search_due(&mut self) -> bool {
        /// Stages with questions, and work, after which it comes.
        const LONGER: (u32, u64) = (4, 15_000_000);
        let is_due = !self.is_searched && self.asked >= LONGER.0 && self.work >= LONGER.1;
        self.is_searched |= is_due;
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After stages with so much work each, with questions: moves of walks that had 1,600, and whether the longer search comes.
    fn paced(works: &[u64]) -> Vec<(u64, bool)> {
        let (mut pace, mut work) = (Pace::default(), 0);
        let mut heard = |stage: &u64| {
            work += stage;
            pace.hear(&News { work, nodes: 1, ..News::default() });
            (pace.moves(1_600), pace.is_search_due())
        };
        works.iter().map(&mut heard).collect()
    }

    #[test]
    fn walks_follow_the_shorter_of_two_stages() {
        let moves = |works: &[u64]| paced(works).into_iter().map(|(moves, _)| moves).collect::<Vec<u64>>();
        assert_eq!(Pace::default().moves(1_600), 100);
        assert_eq!(moves(&[EVEN, EVEN, 2 * EVEN, EVEN / 4, 9 * EVEN, 9 * EVEN]), [100, 1_600, 1_600, 400, 400, 6_400]);
    }

    #[test]
    fn the_longer_search_comes_once_and_not_beside_small_trees() {
        let due = |works: &[u64]| paced(works).iter().position(|(_, is_due)| *is_due);
        assert_eq!(due(&[1_000; 50]), None);
        assert_eq!(due(&[10 * EVEN; 50]), Some(3));
        assert_eq!(due(&[EVEN; 50]), Some(9));
        assert_eq!(paced(&[EVEN; 50]).iter().filter(|(_, is_due)| *is_due).count(), 1);
    }
}
