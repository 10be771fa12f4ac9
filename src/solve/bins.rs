//! The covering terms of a program shared out among bins, and a point turned into planes above what each bin earns.

use std::collections::BTreeMap;

use super::bundles::Bundles;
use super::clusters::clusters;
use super::frame::{Frame, TOTAL};
use super::layout::Layout;
use super::master::Answer;
use super::multipliers::LeftOut;
use super::planes::{Plane, Planes};
use crate::cover::Rows;
use crate::model::{Aim, Program};

/// Terms that share a number in the master.
pub(super) struct Bin {
    pub(super) part: usize,
    terms: Vec<BinTerm>,
    /// What it can earn, in [`TOTAL`].
    pub(super) worth: f64,
}

struct BinTerm {
    set: u32,
    ladder: u32,
    /// What a level of 1 is worth, in [`TOTAL`].
    worth: f64,
}

/// A plane above what a bin earns.
pub(super) struct Cut {
    pub(super) bin: usize,
    pub(super) constant: f64,
    pub(super) factors: Vec<(u32, f64)>,
    /// The plain plane of each of the bin's terms; the last there is room for where there are more, which makes prices worse
    /// and no bound wrong.
    planes: Vec<u8>,
    /// The terms that leave a variable out instead: their plain plane is the last, which has no price.
    left_out: Vec<Without>,
    /// What the bin earns where the plane touches.
    value: f64,
}

impl Cut {
    pub(super) fn at(&self, items: &[f64]) -> f64 {
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

pub(super) struct Partition<'a> {
    pub(super) bins: Vec<Bin>,
    planes: Vec<Planes>,
    /// Cover sets of the items of the master, and of the variables.
    sets: &'a Rows,
    variables: &'a Rows,
    most: &'a [u32],
}

impl<'a> Partition<'a> {
    /// Shares the terms of each group out among about `count` bins, of which each cut speaks of one: those that lie together share
    /// one. With as many bins as terms each has its own.
    pub(super) fn new(layout: &'a Layout<'_>, bundles: &'a Bundles, most: &'a [u32], count: usize) -> Self {
        let program = layout.program;
        let all: usize = program.groups.iter().map(|group| group.terms.len()).sum();
        let mut bins = Vec::new();
        for (ladder, group) in (0_u32..).zip(&program.groups) {
            let share = (count * group.terms.len()).div_ceil(all.max(1));
            let places = if share >= group.terms.len() {
                (0..group.terms.len()).map(|place| vec![place]).collect()
            } else {
                clusters(layout, group, share)
            };
            for places in places {
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

    /// The sets of a bin.
    pub(super) fn sets_of(&self, bin: usize) -> impl Iterator<Item = u32> {
        self.bins[bin].terms.iter().map(|term| term.set)
    }

    /// The bin of each of so many sets.
    pub(super) fn of_sets(&self, count: usize) -> Vec<usize> {
        let mut bin_of = vec![0; count];
        for bin in 0..self.bins.len() {
            self.sets_of(bin).for_each(|set| bin_of[set as usize] = bin);
        }
        bin_of
    }

    /// Set and bin of each term, where each has a bin for itself; none where a bin has several terms.
    pub(super) fn single(&self) -> BTreeMap<u32, usize> {
        if self.bins.iter().any(|bin| bin.terms.len() != 1) {
            return BTreeMap::new();
        }
        let bins = self.bins.iter().enumerate().filter(|(_, bin)| bin.worth > 0.0);
        bins.map(|(place, bin)| (bin.terms[0].set, place)).collect()
    }

    /// What a bin of one term earns at most with less than all of its levels, and with all.
    pub(super) fn ends(&self, program: &Program, bin: usize) -> (f64, f64) {
        let Bin { terms, worth, .. } = &self.bins[bin];
        let group = &program.groups[terms[0].ladder as usize];
        let less = u64::try_from(group.full_at()).unwrap_or(u64::MAX).saturating_sub(1);
        (terms[0].worth * group.value_of(less), *worth)
    }

    /// The plane that touches what a bin earns at a point.
    fn cut(&self, bin: usize, point: &[f64]) -> Cut {
        let terms = &self.bins[bin].terms;
        // One term has few factors; those of many terms are added up item by item.
        let mut dense = vec![0.0; if terms.len() > 1 { point.len() } else { 0 }];
        let mut sparse: Vec<(u32, f64)> = Vec::new();
        let mut add = |item: u32, factor: f64| match dense.get_mut(item as usize) {
            Some(sum) => *sum += factor,
            None => sparse.push((item, factor)),
        };
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
                add(variable, -others);
            }
            cut.constant += term.worth * plane.constant;
            cut.planes.push(u8::try_from(lowest).unwrap_or(u8::MAX));
            let slope = term.worth * (plane.unit + plane.others);
            if slope > 0.0 {
                items.iter().for_each(|item| add(*item, slope));
            }
        }
        let dense = (0_u32..).zip(dense).filter(|(_, factor)| *factor != 0.0);
        cut.factors = dense.chain(summed(sparse)).collect();
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

    pub(super) fn cuts(&self, point: &[f64]) -> Vec<Cut> {
        (0..self.bins.len()).map(|bin| self.cut(bin, point)).collect()
    }

    /// Cuts that an answer breaks by more than `slack`, relative to what their bins are worth.
    pub(super) fn broken(&self, answer: &Answer, slack: f64) -> Vec<Cut> {
        let is_broken = |cut: &Cut| answer.breaks(cut, slack * self.bins[cut.bin].worth);
        self.cuts(&answer.items).into_iter().filter(is_broken).collect()
    }

    /// The objective of the relaxation, to be minimised, at a point where the cuts touch; infinite below the coverage asked
    /// for.
    pub(super) fn objective(&self, program: &Program, point: &[f64], cuts: &[Cut]) -> f64 {
        let mut parts = vec![0.0; program.parts];
        cuts.iter().for_each(|cut| parts[self.bins[cut.bin].part] += cut.value);
        let worst = parts.into_iter().fold(f64::INFINITY, f64::min);
        match &program.aim {
            Aim::MostValue => -worst,
            Aim::LeastCost { coverage, .. } if worst < coverage * TOTAL => f64::INFINITY,
            Aim::LeastCost { costs, .. } => {
                costs.iter().zip(point).map(|(cost, value)| cost * value).sum::<f64>() * Frame::scale(program)
            }
        }
    }

    /// The price of every set in the cuts, and those of sets without a variable, weighted by the cuts' duals.
    pub(super) fn prices<'b>(
        &self,
        program: &Program,
        cuts: impl Iterator<Item = (&'b Cut, f64)>,
    ) -> (Vec<f64>, Vec<LeftOut>) {
        let scale = Frame::scale(program);
        let mut prices = vec![0.0; program.sets.len()];
        let mut left_out = Vec::new();
        for (cut, dual) in cuts.filter(|(_, dual)| *dual < 0.0) {
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

/// Factors with those of the same item added up; in order.
fn summed(mut factors: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    factors.sort_unstable_by_key(|factor| factor.0);
    factors.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        first.1 += if is_same { later.1 } else { 0.0 };
        is_same
    });
    factors
}
