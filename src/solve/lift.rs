//! A solution of a smaller program turned into one of the larger, prices of its certificate included.

use super::multipliers::{LeftOut, Multipliers};
use super::{SAME, Solution};
use crate::model::{Aim, Program, TermGroup};
use crate::reduce::{self, Dominated, Presolved};

/// The solution as one of the larger program.
///
/// The certificate stays where its prices, lifted, prove the bound of the larger program, too; that they do follows from
/// the exchange behind each reduction, and is computed here all the same.
pub(super) fn lifted(program: &Program, presolved: &Presolved, solution: Solution) -> Solution {
    let reductions = presolved.report.iter().copied().chain(solution.reductions).collect();
    let Some(values) = solution.values.map(|values| presolved.reduced.back(&values)) else {
        return Solution { values: None, reductions, ..solution };
    };
    let value = program.objective(&values);
    let is_same = |one: f64, other: f64| (one - other).abs() <= SAME * one.abs().max(other.abs());
    let bound = if is_same(solution.bound, value) { value } else { solution.bound };
    let certificate = solution.certificate.map(|prices| lifted_prices(program, presolved, &prices)).filter(|prices| {
        let proven = prices.bound(program, &reduce::limits(program));
        is_same(proven, bound)
            || match program.aim {
                Aim::MostValue => proven <= bound,
                Aim::LeastCost { .. } => proven >= bound,
            }
    });
    Solution { values: Some(values), bound, certificate, reductions, ..solution }
}

/// Prices that prove for the larger program what `prices` prove for the smaller.
///
/// Sets that were merged share the price by their weights.
fn lifted_prices(program: &Program, presolved: &Presolved, prices: &Multipliers) -> Multipliers {
    let reduced = &presolved.reduced;
    let mut rows = vec![0.0; program.rows.len()];
    reduced.row_of.iter().zip(&prices.rows).for_each(|(row, price)| rows[*row as usize] = *price);
    let mut weights = vec![0.0; prices.sets.len()];
    let terms = || program.groups.iter().flat_map(|group| group.terms.iter().map(move |term| (group, term)));
    for (_, term) in terms() {
        if let Some(set) = reduced.set_of[term.set as usize] {
            weights[set as usize] += term.weight;
        }
    }
    let mut sets = vec![0.0; program.sets.len()];
    let mut left_out = Vec::new();
    for (group, term) in terms() {
        sets[term.set as usize] = match reduced.set_of[term.set as usize] {
            Some(set) => {
                let share = term.weight / weights[set as usize];
                left_out.extend(prices.left_out_of(set).iter().map(|left_out| LeftOut {
                    set: term.set,
                    variable: reduced.kept[left_out.variable as usize],
                    price: left_out.price * share,
                }));
                prices.sets[set as usize] * share
            }
            // Only variables that must be zero are left: at this price nothing is worth earning.
            None => term.weight * group.scale * prices.parts[group.part] * steepest(group),
        };
    }
    let mut lifted = Multipliers { parts: prices.parts.clone(), rows, sets, left_out };
    leave_nothing(program, &presolved.dominated, &mut lifted);
    lifted.mended(program)
}

/// Changes prices until no dominated variable seems to earn anything beside those that stand in for it.
///
/// Where these can hold as many units as any of the sets asks for, the prices of the sets are lowered: what that adds to the
/// terms is taken from the worth of each, which is at least as large. Where they cannot, for lack of units, the price of a unit
/// is raised: what that adds to the pledges is taken from their worth, too.
fn leave_nothing(program: &Program, dominated: &[Dominated], prices: &mut Multipliers) {
    let most = reduce::limits(program);
    let mut paid = vec![0.0; program.variables.len()];
    if let Aim::LeastCost { costs, .. } = &program.aim {
        paid.clone_from(costs);
    }
    for (row, price) in program.rows.iter().zip(&prices.rows).filter(|(_, price)| **price != 0.0) {
        row.terms.iter().for_each(|(variable, factor)| paid[*variable as usize] += price * factor);
    }
    let balance_of = balances(program);
    let mut full_at = vec![0; program.sets.len()];
    for group in &program.groups {
        let full = u32::try_from(group.full_at()).unwrap_or(u32::MAX);
        group.terms.iter().for_each(|term| full_at[term.set as usize] = full);
    }
    let sets_of = program.sets.transposed(program.variables.len());
    for Dominated { variable, others } in dominated.iter().rev() {
        let sets = sets_of.row(*variable as usize);
        let earned: f64 = sets.iter().map(|set| prices.worth(*set, *variable)).sum();
        let over = earned - paid[*variable as usize];
        if over <= 0.0 || earned <= 0.0 {
            continue;
        }
        let room = others.iter().fold(0_u32, |room, other| room.saturating_add(most[*other as usize]));
        let is_full = sets.iter().all(|set| full_at[*set as usize] <= room);
        match balance_of[*variable as usize] {
            Some(balance) if !is_full => {
                prices.rows[balance] += over;
                let terms = program.rows[balance].terms.iter();
                terms.for_each(|(variable, factor)| paid[*variable as usize] += over * factor);
            }
            _ => {
                let factor = (1.0 - over / earned).max(0.0);
                sets.iter().for_each(|set| prices.scale(*set, factor));
            }
        }
    }
}

/// For each variable, the row that says that its units are pledged.
fn balances(program: &Program) -> Vec<Option<usize>> {
    let mut balance_of = vec![None; program.variables.len()];
    for (place, row) in program.rows.iter().enumerate().filter(|(_, row)| row.is_balance()) {
        row.terms.iter().for_each(|(variable, _)| balance_of[*variable as usize] = Some(place));
    }
    balance_of
}

/// The most that a unit earns on average of a term of weight 1.
fn steepest(group: &TermGroup) -> f64 {
    let mut value = 0.0;
    let averages = group.levels.iter().zip(1_u32..).map(|(level, count)| {
        value += level;
        value / f64::from(count)
    });
    averages.fold(0.0, f64::max)
}
