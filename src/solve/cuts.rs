//! A program too large for one model turned into a small one that learns by cuts what units are worth, and into prices.

use std::collections::BinaryHeap;

use highs::{Col, HighsModelStatus, Model, Sense};

use super::bundles::Bundles;
use super::frame::{self, Frame, TOTAL};
use super::highs_ffi::{self, Run};
use super::layout::Layout;
use super::multipliers::{LeftOut, Multipliers};
use super::planes::{Plane, Planes};
use crate::cover::Rows;
use crate::model::{Aim, Program, TermGroup};

/// Bins that the terms are shared out among, about; a cut speaks of one of them.
const BINS: usize = 100;

/// Rounds of cuts between two times that prices are told.
const STAGE: usize = 20;

/// Most rounds of cuts.
const ROUNDS: usize = 500;

/// A bound this close to a value of the relaxation, relative to both, is as good as that value.
const CLOSE: f64 = 1e-9;

/// A cut has to be broken by so much, relative to what its bin is worth.
const BROKEN: f64 = 1e-9;

/// Where the next cut is asked for: this far from the best inner point towards the master's answer.
const INWARD: f64 = 0.5;

/// Prices from cuts on what each bin of terms can earn; `None` where HiGHS fails before there are any.
///
/// The master knows variables, rows and one number for each bin: what it earns. A cut bounds that number by a plane that
/// touches what the bin earns at a point, and the master's answer moves until the planes and the truth agree. Cuts are asked for
/// between the best point known and the master's answer, which takes several times fewer of them. At the end every set has
/// the price that it has in the cuts that bind, weighted by their duals. Prices on the way, good for bounds that are not as
/// near, are told now and then.
///
/// # Cost
/// A few dozen rounds, each linear in the items of the sets, besides the master's: thousands of rows at most, whatever the
/// number of sets.
///
/// # Source
/// Benders 1962; cuts from cover sets: Cordeau, Furini and Ljubic 2019; the point between: Ben-Ameur and Neto 2007.
pub(super) fn prices(
    layout: &Layout<'_>,
    most: &[u32],
    start: &[u32],
    tell: &mut dyn FnMut(Multipliers),
    is_over: &dyn Fn() -> bool,
) -> Option<Multipliers> {
    let program = layout.program;
    let bundles = Bundles::new(program);
    let bins = Partition::new(layout, &bundles, most);
    let mut master = Master::new(program, &bundles, &bins, most)?;
    let mut inner = with_sums(start, &bundles);
    let mut reached = bins.objective(program, &inner, &bins.cuts(&inner));
    let mut answer = None;
    let mut inward = INWARD;
    for round in 1..=ROUNDS {
        if is_over() {
            break;
        }
        let Some(next) = master.solve(is_over) else { break };
        let last = answer.insert(next);
        if reached.is_finite() && reached - last.objective <= CLOSE * last.objective.abs().max(reached.abs()) {
            break;
        }
        let between = |(inner, outer): (&f64, &f64)| outer + inward * (inner - outer);
        let point: Vec<f64> = inner.iter().zip(&last.items).map(between).collect();
        let cuts = bins.cuts(&point);
        let objective = bins.objective(program, &point, &cuts);
        if objective < reached {
            (inner, reached) = (point, objective);
        }
        let is_broken = |cut: &Cut| last.earned[cut.bin] > cut.at(&last.items) + BROKEN * bins.bins[cut.bin].worth;
        let added = cuts.into_iter().filter(is_broken).map(|cut| master.add(cut)).count();
        // Where no cut was news, the answer itself is asked next; where even that was none, it is right.
        match (added, inward > 0.0) {
            (0, true) => inward = 0.0,
            (0, false) => break,
            _ => inward = INWARD,
        }
        if round % STAGE == 0 {
            tell(master.prices(program, &bins, last));
        }
    }
    answer.map(|answer| master.prices(program, &bins, &answer))
}

/// Terms that share a number in the master.
struct Bin {
    part: usize,
    terms: Vec<BinTerm>,
    /// What it can earn, in [`TOTAL`].
    worth: f64,
}

struct BinTerm {
    set: u32,
    ladder: u32,
    /// What a level of 1 is worth, in [`TOTAL`].
    worth: f64,
}

/// A plane above what a bin earns.
struct Cut {
    bin: usize,
    constant: f64,
    factors: Vec<(u32, f64)>,
    /// The plain plane of each of the bin's terms; the last there is room for where there are more, which makes prices worse
    /// and no bound wrong.
    planes: Vec<u8>,
    /// The terms that leave a variable out instead: their plain plane is the last, which has no price.
    left_out: Vec<Without>,
    /// What the bin earns where the plane touches.
    value: f64,
}

impl Cut {
    fn at(&self, items: &[f64]) -> f64 {
        self.factors.iter().fold(self.constant, |sum, (item, factor)| sum + factor * items[*item as usize])
    }
}

/// A term's part of a cut that leaves a variable out, with its prices in [`TOTAL`].
struct Without {
    set: u32,
    variable: u32,
    unit: f64,
    others: f64,
}

struct Partition<'a> {
    bins: Vec<Bin>,
    planes: Vec<Planes>,
    /// Cover sets of the items of the master, and of the variables.
    sets: &'a Rows,
    variables: &'a Rows,
    most: &'a [u32],
}

impl<'a> Partition<'a> {
    /// Shares the terms of each group out among bins: those that one variable covers, the most at a time, share one.
    fn new(layout: &'a Layout<'_>, bundles: &'a Bundles, most: &'a [u32]) -> Self {
        let program = layout.program;
        let all: usize = program.groups.iter().map(|group| group.terms.len()).sum();
        let mut bins = Vec::new();
        for (ladder, group) in (0_u32..).zip(&program.groups) {
            let share = (BINS * group.terms.len()).div_ceil(all.max(1));
            for places in gathered(layout, group, share) {
                let term = |place: usize| {
                    let term = group.terms[place];
                    BinTerm { set: term.set, ladder, worth: term.weight * group.scale * TOTAL }
                };
                let terms: Vec<BinTerm> = places.into_iter().map(term).collect();
                let worth = terms.iter().map(|term| term.worth).sum::<f64>() * group.value_of(u64::MAX);
                bins.push(Bin { part: group.part, terms, worth });
            }
        }
        let planes = program.groups.iter().map(|group| Planes::new(group, most)).collect();
        Self { bins, planes, sets: &bundles.sets, variables: &program.sets, most }
    }

    /// The plane that touches what a bin earns at a point.
    fn cut(&self, bin: usize, point: &[f64]) -> Cut {
        let terms = &self.bins[bin].terms;
        let mut dense = vec![0.0; point.len()];
        let mut cut = Cut {
            bin,
            constant: 0.0,
            factors: Vec::new(),
            planes: Vec::with_capacity(terms.len()),
            left_out: Vec::new(),
            value: 0.0,
        };
        for term in terms {
            let items = self.sets.row(term.set as usize);
            let units: f64 = items.iter().map(|item| point[*item as usize]).sum();
            let planes = &self.planes[term.ladder as usize];
            let (mut lowest, height) = planes.lowest_plain(units);
            let mut plane = planes.plain[lowest];
            let without = self.without(term, planes, units, height, point);
            cut.value += term.worth * without.map_or(height, |(_, _, height)| height);
            if let Some((variable, without, _)) = without {
                (plane, lowest) = (without, planes.plain.len() - 1);
                let (unit, others) = (term.worth * plane.unit, term.worth * plane.others);
                cut.left_out.push(Without { set: term.set, variable, unit, others });
                dense[variable as usize] -= others;
            }
            cut.constant += term.worth * plane.constant;
            cut.planes.push(u8::try_from(lowest).unwrap_or(u8::MAX));
            let slope = term.worth * (plane.unit + plane.others);
            if slope > 0.0 {
                items.iter().for_each(|item| dense[*item as usize] += slope);
            }
        }
        let factors = (0_u32..).zip(&dense).filter(|(_, factor)| **factor != 0.0);
        cut.factors = factors.map(|(item, factor)| (item, *factor)).collect();
        cut
    }

    /// The variable to leave out and the plane, where that is lower than `height`; with its height.
    fn without(
        &self,
        term: &BinTerm,
        planes: &Planes,
        units: f64,
        height: f64,
        point: &[f64],
    ) -> Option<(u32, Plane, f64)> {
        /// A plane has to be lower by so much, for a term of weight 1.
        const LOWER: f64 = 1e-7;
        let mut best: Option<(u32, Plane, f64)> = None;
        for (limit, planes) in &planes.leaving_out {
            let variables =
                self.variables.row(term.set as usize).iter().filter(|place| self.most[**place as usize] == *limit);
            let largest = variables.max_by(|a, b| point[**a as usize].total_cmp(&point[**b as usize]).then(b.cmp(a)));
            let Some(variable) = largest else { continue };
            let others = units - point[*variable as usize];
            for plane in planes {
                let low = plane.constant + plane.unit * units + plane.others * others;
                if low < best.map_or(height - LOWER, |(_, _, height)| height) {
                    best = Some((*variable, *plane, low));
                }
            }
        }
        best
    }

    fn cuts(&self, point: &[f64]) -> Vec<Cut> {
        (0..self.bins.len()).map(|bin| self.cut(bin, point)).collect()
    }

    /// The objective of the relaxation, to be minimised, at a point where the cuts touch; infinite below the coverage asked
    /// for.
    fn objective(&self, program: &Program, point: &[f64], cuts: &[Cut]) -> f64 {
        let mut parts = vec![0.0; program.parts];
        cuts.iter().for_each(|cut| parts[self.bins[cut.bin].part] += cut.value);
        let worst = parts.into_iter().fold(f64::INFINITY, f64::min);
        match &program.aim {
            Aim::MostValue => -worst,
            Aim::LeastCost { coverage, .. } if worst < coverage * TOTAL => f64::INFINITY,
            Aim::LeastCost { costs, .. } => costs.iter().zip(point).map(|(cost, value)| cost * value).sum(),
        }
    }

    /// The price of every set in the cuts, and those of sets without a variable, weighted by the cuts' duals.
    fn prices(&self, program: &Program, cuts: &[Cut], duals: &[f64]) -> (Vec<f64>, Vec<LeftOut>) {
        let scale = Frame::scale(program);
        let mut prices = vec![0.0; program.sets.len()];
        let mut left_out = Vec::new();
        for (cut, dual) in cuts.iter().zip(duals).filter(|(_, dual)| **dual < 0.0) {
            for (term, plane) in self.bins[cut.bin].terms.iter().zip(&cut.planes) {
                let plane = self.planes[term.ladder as usize].plain[usize::from(*plane)];
                prices[term.set as usize] -= dual * term.worth * plane.unit / scale;
            }
            for without in &cut.left_out {
                prices[without.set as usize] -= dual * without.unit / scale;
                let price = -dual * without.others / scale;
                left_out.push(LeftOut { set: without.set, variable: without.variable, price });
            }
        }
        (prices, left_out)
    }
}

/// Values of the variables with the sums behind them.
fn with_sums(values: &[u32], bundles: &Bundles) -> Vec<f64> {
    let of = |variable: &u32| f64::from(values[*variable as usize]);
    let sums = bundles.members.iter().map(|members| members.iter().map(of).sum());
    values.iter().map(|value| f64::from(*value)).chain(sums).collect()
}

/// Places of a group's terms, in at most `share` lists: first those of the variable that covers most terms, then those of
/// the variable that covers most of what is left, and so on; the rest is the last.
fn gathered(layout: &Layout<'_>, group: &TermGroup, share: usize) -> Vec<Vec<usize>> {
    let Some(first) = group.terms.first().map(|term| term.set) else { return Vec::new() };
    let mut is_free = vec![true; group.terms.len()];
    let of = |variable: u32, is_free: &[bool]| -> Vec<usize> {
        let places = layout.sets_of.row(variable as usize).iter().filter_map(|set| set.checked_sub(first));
        places.map(|place| place as usize).filter(|place| is_free.get(*place) == Some(&true)).collect()
    };
    let variables = 0..u32::try_from(layout.program.variables.len()).unwrap_or(u32::MAX);
    let mut heap: BinaryHeap<(usize, u32)> =
        variables.map(|variable| (of(variable, &is_free).len(), variable)).filter(|(count, _)| *count > 0).collect();
    let mut lists = Vec::new();
    while lists.len() + 1 < share
        && let Some((count, variable)) = heap.pop()
    {
        let places = of(variable, &is_free);
        if places.len() == count {
            places.iter().for_each(|place| is_free[*place] = false);
            lists.push(places);
        } else if !places.is_empty() {
            heap.push((places.len(), variable));
        }
    }
    let rest: Vec<usize> = (0..is_free.len()).filter(|place| is_free[*place]).collect();
    lists.extend((!rest.is_empty()).then_some(rest));
    lists
}

/// The model that learns.
struct Master {
    model: Option<Model>,
    items: Vec<Col>,
    bins: Vec<Col>,
    /// Rows that are no cuts.
    frame_rows: usize,
    first_part: Option<usize>,
    cuts: Vec<Cut>,
}

/// What the master says.
struct Answer {
    objective: f64,
    items: Vec<f64>,
    earned: Vec<f64>,
    duals: Vec<f64>,
}

impl Master {
    fn new(program: &Program, bundles: &Bundles, bins: &Partition<'_>, most: &[u32]) -> Option<Self> {
        let mut frame = Frame::new(program, bundles, most);
        let cost = if frame.is_single() { -1.0 } else { 0.0 };
        let columns: Vec<Col> = bins.bins.iter().map(|bin| frame.problem.add_column(cost, 0.0..=bin.worth)).collect();
        let mut parts = vec![Vec::new(); program.parts];
        bins.bins.iter().zip(&columns).for_each(|(bin, column)| parts[bin.part].push((*column, 1.0)));
        frame.add_parts(parts);
        let items = frame.items.clone();
        let (problem, frame_rows, first_part) = frame.finished();
        let mut model = Model::try_new(problem).ok()?;
        model.set_sense(Sense::Minimise);
        model.make_quiet();
        for (option, value) in [("solver", "simplex"), ("presolve", "off"), ("parallel", "off")] {
            model.try_set_option(option, value).ok()?;
        }
        model.try_set_option("threads", 1).ok()?;
        Some(Self { model: Some(model), items, bins: columns, frame_rows, first_part, cuts: Vec::new() })
    }

    /// Adds a cut; the basis of the last answer stays.
    fn add(&mut self, cut: Cut) {
        if let Some(model) = &mut self.model {
            let factors = cut.factors.iter().map(|(item, factor)| (self.items[*item as usize], -factor));
            // A cut that HiGHS does not take leaves the bound as true as it was, but the duals would be out of step.
            if model.try_add_row(..=cut.constant, factors.chain([(self.bins[cut.bin], 1.0)])).is_ok() {
                self.cuts.push(cut);
            } else {
                self.model = None;
            }
        }
    }

    /// The prices that an answer amounts to.
    fn prices(&self, program: &Program, bins: &Partition<'_>, answer: &Answer) -> Multipliers {
        let (sets, left_out) = bins.prices(program, &self.cuts, &answer.duals[self.frame_rows..]);
        let prices = frame::multipliers(program, &answer.duals, self.first_part, sets);
        Multipliers { left_out, ..prices }.mended(program)
    }

    /// `None` where HiGHS fails or has to stop.
    fn solve(&mut self, is_over: &dyn Fn() -> bool) -> Option<Answer> {
        let Run::Solved(solved) = highs_ffi::run(self.model.take()?, &mut |_| {}, is_over) else { return None };
        let objective = solved.objective_value();
        let solution = solved.get_solution();
        let (columns, duals) = (solution.columns(), solution.dual_rows().to_vec());
        let (items, others) = columns.split_at(self.items.len());
        let (items, earned) = (items.to_vec(), others[..self.bins.len()].to_vec());
        let is_optimal = solved.status() == HighsModelStatus::Optimal;
        self.model = Some(Model::from(*solved));
        let is_whole = duals.len() == self.frame_rows + self.cuts.len();
        (is_optimal && is_whole).then_some(Answer { objective, items, earned, duals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Row, Variable};
    use crate::solve::relax;

    const POSTS: u32 = 7;

    /// Numbers without pattern, the same each time (Marsaglia 2003).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u32) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            u32::try_from((self.0 >> 33) % u64::from(end)).unwrap_or_default()
        }
    }

    /// Posts for up to two units each, some of them in all, and sites with levels that fall, rise or do both.
    fn program(numbers: &mut Numbers) -> Program {
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
    fn best(program: &Program) -> Option<f64> {
        let value = |place: u32, plan: u32| plan / 3_u32.pow(place) % 3;
        let plans = (0..3_u32.pow(POSTS)).map(|plan| (0..POSTS).map(|place| value(place, plan)).collect::<Vec<_>>());
        let fits = |values: &Vec<u32>| values.iter().zip(&program.variables).all(|(value, entry)| *value <= entry.most);
        let kept = plans.filter(|values| fits(values) && program.broken_rule(values).is_none());
        let is_least = matches!(program.aim, Aim::LeastCost { .. });
        kept.map(|values| program.objective(&values)).reduce(if is_least { f64::min } else { f64::max })
    }

    /// Cuts end where the whole relaxation ends, or nearer where levels rise, and no plan is beyond the bound of either.
    #[test]
    fn cuts_find_the_bound_of_the_whole_relaxation() {
        let mut numbers = Numbers(88_172_645_463_325_252);
        let (mut compared, mut closer) = (0, 0);
        for _ in 0..300 {
            let program = program(&mut numbers);
            let Some(best) = best(&program) else { continue };
            let most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
            let whole = relax::prices(&program, &most, &|| false).expect("HiGHS works");
            let cut = prices(&Layout::new(&program), &most, &[0; POSTS as usize], &mut |_| {}, &|| false)
                .expect("HiGHS works");
            let (whole, cut) = (whole.bound(&program, &most), cut.bound(&program, &most));
            let sign = if matches!(program.aim, Aim::MostValue) { 1.0 } else { -1.0 };
            assert!(
                sign * (whole - best) >= -1e-9 && sign * (cut - best) >= -1e-9,
                "{best} {whole} {cut}: {program:?}"
            );
            let nearer = sign * (whole - cut);
            let is_rising = !program.groups.iter().all(TermGroup::is_concave);
            let slack = 1e-6 * whole.abs().max(1.0);
            assert!(nearer >= -slack && (is_rising || nearer <= slack), "{whole} {cut}: {program:?}");
            (compared, closer) = (compared + 1, closer + u32::from(nearer > 10.0 * slack));
        }
        assert!(compared >= 200, "only {compared} programs have a plan");
        assert!(closer >= 50, "only {closer} bounds are nearer for variables left out");
    }
}
