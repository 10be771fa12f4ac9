//! Variables that always cover together turned into sums of their own, so that cover sets become short.

use rustc_hash::FxHashMap;

use crate::cover::Rows;
use crate::model::Program;

/// Cover sets written with sums of variables.
///
/// Units of many lots at one location cover the same sites: in the sets of one requirement and phase they stand or fall
/// together. One column for their sum makes the model several times sparser and changes no answer.
pub(super) struct Bundles {
    /// Variables of each sum, or sums before it; two or more.
    pub(super) members: Rows,
    /// For each set of the program, its items: a variable, or the number of variables plus a sum.
    pub(super) sets: Rows,
}

impl Bundles {
    /// Finds variables that are in exactly the same sets of a group.
    ///
    /// # Cost
    /// Linear in the items of the sets.
    pub(super) fn new(program: &Program) -> Self {
        Self::of(program, &program.sets.transposed(program.variables.len()))
    }

    /// As [`Bundles::new`], where the sets of each variable are known.
    pub(super) fn of(program: &Program, sets_of: &Rows) -> Self {
        let variables = u32::try_from(program.variables.len()).expect("variables are counted in 32 bits");
        let mut bundles = Self { members: Rows::default(), sets: Rows::default() };
        let mut item_of: Vec<u32> = Vec::new();
        for group in &program.groups {
            let (Some(first), Some(last)) = (group.terms.first(), group.terms.last()) else { continue };
            let mut alike: FxHashMap<&[u32], Vec<u32>> = FxHashMap::default();
            let mut order: Vec<&[u32]> = Vec::new();
            for variable in 0..variables {
                let sets = sets_of.row(variable as usize);
                let begin = sets.partition_point(|set| *set < first.set);
                let end = sets.partition_point(|set| *set <= last.set);
                if begin < end {
                    let members = alike.entry(&sets[begin..end]).or_default();
                    if members.is_empty() {
                        order.push(&sets[begin..end]);
                    }
                    members.push(variable);
                }
            }
            item_of.clear();
            item_of.extend(0..variables);
            for sets in order {
                let members = &alike[sets];
                if members.len() < 2 {
                    continue;
                }
                let sum = variables + u32::try_from(bundles.members.len()).expect("sums are counted in 32 bits");
                members.iter().for_each(|variable| item_of[*variable as usize] = sum);
                bundles.members.push(members);
            }
            let mut items = Vec::new();
            for term in &group.terms {
                items.clear();
                items.extend(program.sets.row(term.set as usize).iter().map(|variable| item_of[*variable as usize]));
                items.sort_unstable();
                items.dedup();
                bundles.sets.push(&items);
            }
        }
        bundles
    }

    /// As they are, with a sum for each set besides: cuts that speak of one set then have few factors.
    pub(super) fn with_set_sums(mut self, variables: usize) -> Self {
        let mut sets = Rows::default();
        for items in self.sets.iter() {
            if items.len() < 3 {
                sets.push(items);
                continue;
            }
            let sum = variables + self.members.len();
            self.members.push(items);
            sets.push(&[u32::try_from(sum).expect("sums are counted in 32 bits")]);
        }
        Self { members: self.members, sets }
    }

    /// Values of the variables with those of the sums behind them.
    pub(super) fn with_sums<T: Copy + Into<f64>>(&self, values: &[T]) -> Vec<f64> {
        let mut items: Vec<f64> = values.iter().map(|value| (*value).into()).collect();
        for members in self.members.iter() {
            items.push(members.iter().map(|item| items[*item as usize]).sum());
        }
        items
    }
}
