//! A question of who covers which sites turned into a plan, a proven bound and a verdict.
//!
//! coverplan places units of many contributors so that sensitive sites are covered as well as possible within what each
//! can give. The modules are listed in the order in which the data travels; none imports from one below it.
//! [`optimize_again`] is that way in ten lines.

pub mod problem;
pub mod load;
pub mod reproject;
pub mod scenario;
pub mod index;
pub mod cover;
pub mod model;
pub mod reduce;
pub mod solve;
pub mod plan;
pub mod verify;
pub mod certify;
pub mod export;

use std::time::Instant;

use problem::SolveError;
use scenario::Scenario;

/// A plan, the judge's verdict on it, and which sites could be covered at all.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub plan: plan::Plan,
    /// What the judge, who recomputes everything, says of it.
    pub verdict: verify::Verdict,
    /// Per requirement and its sites, in order: whether some post covers the site.
    pub reachable: Vec<Vec<bool>>,
}

/// Answers a scenario: the best plan, how good it is proven to be, and the judge's verdict.
///
/// The solver works in this process: where it crashes or runs out of memory, all ends. The command survives that by
/// [`optimize_again`].
///
/// # Errors
/// [`SolveError`] when the solver fails and no plan is known without it. Infeasible questions, time limits and
/// interruptions are not errors: they are told by the plan's status.
pub fn optimize(scenario: &Scenario, watch: &solve::Watch<'_>) -> Result<Outcome, SolveError> {
    optimize_again(scenario, watch, &solve::Rescue::none())
}

/// As [`optimize`], from what an earlier attempt kept, and keeping what this one finds.
///
/// # Errors
/// Those of [`optimize`].
pub fn optimize_again(
    scenario: &Scenario,
    watch: &solve::Watch<'_>,
    rescue: &solve::Rescue<'_>,
) -> Result<Outcome, SolveError> {
    let begun = Instant::now();
    watch.begin("cover");
    let coverage = cover::build(scenario);
    watch.begin("model");
    let (program, origin) = model::build(scenario, &coverage, model::Attribution::Counts);
    watch.begin("solve");
    let solution = solve::solve(&program, &scenario.options, watch, rescue)?;
    let mut plan = plan::build(scenario, &coverage, &program, &origin, &solution);
    plan.search.seconds = rescue.spent_s + begun.elapsed().as_secs_f64();
    watch.begin("judge");
    let verdict = verify::judge(scenario, &plan);
    Ok(Outcome { plan, verdict, reachable: cover::reachable(scenario, &coverage) })
}

/// Runs the code of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
