//! Random numbers turned into small programs, and all their plans into the best: what tests hold answers against.

use crate::model::{Aim, Program, Row, TermGroup, Variable};

pub(super) const POSTS: u32 = 7;

/// Numbers without pattern, the same each time (Marsaglia 2003).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap_or_default()
    }
}

/// Posts for up to two units each, some of them in all, and sites with levels that fall, rise or do both.
pub(super) fn program(numbers: &mut Numbers) -> Program {
    let parts = 1 + numbers.below(2) as usize;
    let aim = if numbers.below(3) == 0 {
        let costs = (0..POSTS).map(|_| f64::from(1 + numbers.below(5))).collect();
        Aim::LeastCost { costs, coverage: 0.1 * f64::from(numbers.below(6)) }
    } else {
        Aim::MostValue
    };
    let variables = (0..POSTS).map(|_| Variable { most: 1 + numbers.below(2) }).collect();
    let mut program = Program { parts, ..Program::new(aim, variables) };
    let all = (0..POSTS).map(|post| (post, 1.0)).collect();
    let most = f64::from(3 + numbers.below(8));
    program.add_row(Row { rule: "units".to_owned(), terms: all, least: f64::NEG_INFINITY, most });
    for part in 0..parts {
        let levels = [vec![1.0], vec![0.7, 0.3], vec![0.0, 1.0], vec![0.2, 0.1, 0.7]];
        let levels = levels[numbers.below(4) as usize].clone();
        let sets: Vec<Vec<u32>> = (0..6).map(|_| (0..POSTS).filter(|_| numbers.below(3) == 0).collect()).collect();
        let weights: Vec<f64> = sets.iter().map(|_| f64::from(1 + numbers.below(9))).collect();
        let scale = 1.0 / weights.iter().sum::<f64>();
        let group = TermGroup { part, levels, scale, terms: Vec::new() };
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
    }
    program
}

/// The best objective of all plans, by trying each.
pub(super) fn best(program: &Program) -> Option<f64> {
    let value = |place: u32, plan: u32| plan / 3_u32.pow(place) % 3;
    let plans = (0..3_u32.pow(POSTS)).map(|plan| (0..POSTS).map(|place| value(place, plan)).collect::<Vec<_>>());
    let fits = |values: &Vec<u32>| values.iter().zip(&program.variables).all(|(value, entry)| *value <= entry.most);
    let kept = plans.filter(|values| fits(values) && program.broken_rule(values).is_none());
    let is_least = matches!(program.aim, Aim::LeastCost { .. });
    kept.map(|values| program.objective(&values)).reduce(if is_least { f64::min } else { f64::max })
}
