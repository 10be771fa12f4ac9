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

/// Two or three units for posts of one each, and sites of one level that two or three posts cover: parts of units cover more of
/// them than whole units can.
pub(super) fn plain(numbers: &mut Numbers) -> Program {
    let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; POSTS as usize]);
    let all = (0..POSTS).map(|post| (post, 1.0)).collect();
    let most = f64::from(2 + numbers.below(2));
    program.add_row(Row { rule: "units".to_owned(), terms: all, least: f64::NEG_INFINITY, most });
    let set = |numbers: &mut Numbers| -> Vec<u32> {
        let (first, second) = (numbers.below(POSTS), 1 + numbers.below(POSTS - 1));
        let mut set = vec![first, (first + second) % POSTS, numbers.below(POSTS)];
        set.sort_unstable();
        set.dedup();
        set
    };
    let sets: Vec<Vec<u32>> = (0..14).map(|_| set(numbers)).collect();
    let weights: Vec<f64> = sets.iter().map(|_| f64::from(1 + numbers.below(9))).collect();
    let scale = 1.0 / weights.iter().sum::<f64>();
    let group = TermGroup { part: 0, levels: vec![1.0], scale, terms: Vec::new() };
    program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
    program
}

/// As [`plain`], and sites that earn nothing, or little, before the second unit.
pub(super) fn rising(numbers: &mut Numbers) -> Program {
    let mut program = plain(numbers);
    for group in &mut program.groups {
        group.levels = [vec![0.0, 1.0], vec![0.2, 0.8]][numbers.below(2) as usize].clone();
    }
    let more = 2.0 + f64::from(numbers.below(3));
    program.rows[0].most = more;
    program
}

/// All units there can be within these limits.
pub(super) fn units_within(limits: &[u32]) -> Vec<Vec<u32>> {
    limits.iter().fold(vec![Vec::new()], |begun, limit| {
        let longer = |units: &Vec<u32>| {
            let units = units.clone();
            (0..=*limit).map(move |more| units.iter().copied().chain([more]).collect()).collect::<Vec<_>>()
        };
        begun.iter().flat_map(longer).collect()
    })
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

/// Places of two lots each, pledges of three contributors, one of which comes only with another, units of the second lot only
/// where one of the first stands near, and sites over both.
pub(super) fn tied(numbers: &mut Numbers) -> Program {
    let (places, most) = (3_u32, 2);
    let lots = [0..places, places..2 * places];
    let (first, switch) = (2 * places, 2 * places + 3);
    let mut variables = vec![Variable { most }; first as usize];
    variables.extend((0..3).map(|_| Variable { most: 1 + numbers.below(2) }));
    variables.push(Variable { most: 1 });
    let parts = 1 + numbers.below(2) as usize;
    let aim = if numbers.below(3) == 0 {
        let costs = (0..=switch)
            .map(|variable| if (first..switch).contains(&variable) { f64::from(1 + numbers.below(5)) } else { 0.0 });
        Aim::LeastCost { costs: costs.collect(), coverage: 0.1 * f64::from(numbers.below(4)) }
    } else {
        Aim::MostValue
    };
    let mut program = Program { parts, ..Program::new(aim, variables) };
    let row =
        |rule: &str, terms: Vec<(u32, f64)>, least: f64, most: f64| Row { rule: rule.to_owned(), terms, least, most };
    for (lot, pledges) in lots.iter().zip([vec![first], vec![first + 1, first + 2]]) {
        let terms = lot.clone().map(|post| (post, 1.0)).chain(pledges.into_iter().map(|pledge| (pledge, -1.0)));
        program.add_row(row("", terms.collect(), 0.0, 0.0));
    }
    let heads = f64::from(3 + numbers.below(6));
    program.add_row(row("people", vec![(first, 2.0), (first + 1, 3.0)], f64::NEG_INFINITY, heads));
    program.add_row(row("only with", vec![(first + 2, 1.0), (switch, -2.0)], f64::NEG_INFINITY, 0.0));
    program.add_row(row("another", vec![(first, 1.0), (switch, -2.0)], 0.0, f64::INFINITY));
    for place in 0..places {
        let near = (0..places).filter(|other| *other == place || numbers.below(3) == 0).map(|other| (other, -2.0));
        let terms = near.chain([(places + place, 1.0)]).collect();
        program.add_row(row("protected", terms, f64::NEG_INFINITY, 0.0));
        let room = f64::from(1 + numbers.below(3));
        program.add_row(row("room", vec![(place, 1.0), (places + place, 1.0)], f64::NEG_INFINITY, room));
    }
    if numbers.below(3) == 0 {
        program.add_row(row("fixed", vec![(numbers.below(places), 1.0)], 1.0, f64::INFINITY));
    }
    for part in 0..parts {
        for levels in [vec![1.0, 0.4], vec![1.0]] {
            let sets: Vec<Vec<u32>> = (0..4).map(|_| (0..first).filter(|_| numbers.below(3) == 0).collect()).collect();
            let weights: Vec<f64> = sets.iter().map(|_| f64::from(1 + numbers.below(9))).collect();
            let scale = 0.4 / weights.iter().sum::<f64>();
            let group = TermGroup { part, levels, scale, terms: Vec::new() };
            program.add_group(group, sets.iter().map(Vec::as_slice).zip(&weights));
        }
    }
    program
}

/// The best values of all plans of [`tied`], by trying each; the pledges of a lot are shared out in each way, too.
pub(super) fn best_tied(program: &Program) -> Option<(Vec<u32>, f64)> {
    let mut values = vec![0; program.variables.len()];
    let mut best: Option<(Vec<u32>, f64)> = None;
    loop {
        if program.broken_rule(&values).is_none() {
            let is_better = best.as_ref().is_none_or(|(before, _)| program.is_better(&values, before));
            if is_better {
                best = Some((values.clone(), program.objective(&values)));
            }
        }
        // The next values, as a number is counted up.
        let mut place = 0;
        while place < values.len() && values[place] == program.variables[place].most {
            values[place] = 0;
            place += 1;
        }
        if place == values.len() {
            return best;
        }
        values[place] += 1;
    }
}
