//! A plan's certificate turned into a judgement of its bound, without any solver.

use crate::cover;
use crate::model::{self, Attribution};
use crate::plan::Plan;
use crate::reduce;
use crate::scenario::Scenario;
use crate::verify::Violation;

/// Bounds may differ by so much, relatively: sums of the same numbers in another order.
const SAME: f64 = 1e-9;

/// What is wrong with the bound of a plan that brings a certificate; `None` when its prices prove the bound, or when there
/// is no certificate.
///
/// The program is written anew from the scenario, so the proof rests on `cover`, `model` and a sum of prices, not on the
/// search or a solver.
///
/// # Cost
/// As finding who covers what, and linear in the items of the cover sets.
#[must_use]
pub fn unproven(scenario: &Scenario, plan: &Plan) -> Option<Violation> {
    let prices = plan.certificate.as_ref()?;
    let violation = |text: String| Some(Violation { code: "bound-unproven", text });
    let (program, _) = model::build(scenario, &cover::build(scenario), Attribution::Counts);
    let sizes = (prices.parts.len(), prices.rows.len(), prices.sets.len());
    if sizes != (program.parts, program.rows.len(), program.sets.len()) {
        return violation("certificate.json: prices of another question".to_owned());
    }
    let proven = prices.clone().mended(&program).bound(&program, &reduce::limits(&program));
    let claimed = plan.objective.bound;
    let slack = SAME * claimed.abs().max(SAME);
    let is_proven = if scenario.objective.kind.is_minimum() {
        claimed <= proven + slack
    } else {
        let trivial = program.value_everywhere();
        claimed >= proven.min(trivial) - slack
    };
    if is_proven {
        return None;
    }
    violation(format!("bound {claimed}: the prices of certificate.json prove {proven}"))
}
