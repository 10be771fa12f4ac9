//! What branching gained so far, turned into an estimate of what it will gain.

/// Mean gain of the bound for each unit of distance, by item, downwards and upwards.
///
/// # Source
/// Pseudo-costs: Benichou and others 1971; first values by trial: Achterberg, Koch and Martin 2005.
pub(super) struct Gains {
    sums: Vec<[f64; 2]>,
    counts: Vec<[u32; 2]>,
    all: f64,
    learnt: u32,
}

impl Gains {
    /// Nothing is known.
    pub(super) fn new(items: usize) -> Self {
        Self { sums: vec![[0.0; 2]; items], counts: vec![[0; 2]; items], all: 0.0, learnt: 0 }
    }

    /// Takes a gain for a unit of distance.
    pub(super) fn learn(&mut self, item: u32, is_up: bool, gain: f64) {
        self.sums[item as usize][usize::from(is_up)] += gain;
        self.counts[item as usize][usize::from(is_up)] += 1;
        self.all += gain;
        self.learnt += 1;
    }

    /// True where both directions were tried.
    pub(super) fn is_known(&self, item: u32) -> bool {
        self.counts[item as usize].iter().all(|count| *count > 0)
    }

    /// How much branching at a value promises: the product of both gains, so that both questions become easier.
    pub(super) fn score(&self, item: u32, value: f64) -> f64 {
        const LEAST: f64 = 1e-9;
        let mean = if self.learnt == 0 { 1.0 } else { self.all / f64::from(self.learnt) };
        let of = |direction: usize, distance: f64| {
            let count = self.counts[item as usize][direction];
            let gain = if count == 0 { mean } else { self.sums[item as usize][direction] / f64::from(count) };
            (gain * distance).max(LEAST)
        };
        let above = value - value.floor();
        of(0, above) * of(1, 1.0 - above)
    }
}
