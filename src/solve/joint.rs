//! What a row says of several sets together, and its price.

/// What some sets earn together: the sum of what each earns, in the objective's units and times its factor, is at most `most`
/// and, of each variable, its units times its factor. Whole units keep it whatever the ranges of the variables.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Joint {
    /// Sets and their factors, which are positive.
    pub(super) sets: Vec<(u32, f64)>,
    pub(super) most: f64,
    /// Variables and their factors, which are not negative.
    pub(super) factors: Vec<(u32, f64)>,
}

/// A price on a row of several sets; not negative.
#[derive(Clone, Debug)]
pub(super) struct PricedJoint {
    pub(super) joint: Joint,
    pub(super) price: f64,
}

impl Joint {
    /// The most that its sets may earn, each times its factor, where variables have these values.
    pub(super) fn most_at(&self, values: &[f64]) -> f64 {
        self.factors.iter().fold(self.most, |sum, (variable, factor)| sum + factor * values[*variable as usize])
    }

    /// By how much what sets earn, and the values of variables, break it; negative where they keep it.
    #[cfg(test)]
    pub(super) fn excess(&self, earned: impl Fn(u32) -> f64, values: &[f64]) -> f64 {
        self.sets.iter().map(|(set, factor)| factor * earned(*set)).sum::<f64>() - self.most_at(values)
    }
}
