//! A program turned into the steps in which its objective moves, and bounds into objectives that plans can have.

use crate::model::{Aim, Program, TermGroup};

/// A bound this close above an attainable value, as a part of a step, is rounded down to it.
pub(super) const TOLERANCE: f64 = 1e-4;

/// Smallest sum of all coefficients of the objective that is handed to HiGHS.
const LEAST_TOTAL: f64 = 1e4;

/// The step of which all objectives of whole plans are multiples, where one is known.
///
/// # Cost
/// Linear in the terms.
pub(super) fn step(program: &Program) -> Option<f64> {
    match &program.aim {
        Aim::MostValue if program.parts > 1 => None,
        Aim::MostValue => {
            let scale = value_scale(program);
            let values = program.groups.iter().flat_map(|group| {
                let factor = group.scale * scale;
                let weights = group.terms.iter().map(move |term| term.weight * factor);
                weights.flat_map(|weight| group.levels.iter().map(move |level| weight * level))
            });
            common_step(values).map(|step| step / scale)
        }
        Aim::LeastCost { costs, .. } => common_step(costs.iter().copied()),
    }
}

/// As [`step`], where `most` says how large each variable can be: what must be zero costs nothing.
pub(super) fn step_within(program: &Program, most: &[u32]) -> Option<f64> {
    match &program.aim {
        Aim::MostValue => step(program),
        Aim::LeastCost { costs, .. } => {
            common_step(costs.iter().zip(most).filter(|(_, most)| **most > 0).map(|(cost, _)| *cost))
        }
    }
}

/// A bound moved to the nearest objective that whole values can have.
pub(super) fn attainable(program: &Program, bound: f64) -> f64 {
    step(program).map_or(bound, |step| attainable_by(program, bound, step))
}

/// As [`attainable`] with a step that is known.
pub(super) fn attainable_by(program: &Program, bound: f64, step: f64) -> f64 {
    match program.aim {
        Aim::MostValue => (bound / step + TOLERANCE).floor() * step,
        Aim::LeastCost { .. } => (bound / step - TOLERANCE).ceil() * step,
    }
}

/// Makes the largest group's coefficients its weights times levels, the others' at least that; with several parts,
/// shares become per ten thousand.
pub(super) fn value_scale(program: &Program) -> f64 {
    if program.parts > 1 {
        return 1e4;
    }
    let inverse = |group: &TermGroup| 1.0 / group.scale;
    let scale = program.groups.iter().filter(|group| group.scale > 0.0).map(inverse).fold(1.0, f64::max);
    // Small weights would drown in the solver's tolerances; a power of ten keeps whole steps whole.
    let total = program.value_everywhere() * scale;
    if total > 0.0 && total < LEAST_TOTAL { scale * 10.0_f64.powf((LEAST_TOTAL / total).log10().ceil()) } else { scale }
}

/// The largest step of which all numbers are multiples, when they have up to three decimals and are not enormous.
fn common_step(numbers: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    const LARGEST: f64 = 1e12;
    [1.0, 10.0, 100.0, 1000.0].into_iter().find_map(|factor| {
        let mut divisor = 0_u64;
        for number in numbers.clone() {
            let scaled = number * factor;
            let whole = scaled.round();
            // A number that rounds to nothing would be lost to the bound, however small.
            let is_lost = scaled != 0.0 && whole == 0.0;
            if is_lost || (scaled - whole).abs() > 1e-9_f64.max(scaled.abs() * 1e-12) || whole.abs() > LARGEST {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: 0 to 1e12")]
            let whole = whole.abs() as u64;
            divisor = greatest_common_divisor(divisor, whole);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 1e12")]
        let divisor = divisor as f64;
        (divisor > 0.0).then_some(divisor / factor)
    })
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
