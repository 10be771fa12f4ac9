//! A question of who covers which sites turned into a plan, a proven bound and a verdict.
//!
//! coverplan places units of many contributors so that sensitive sites are covered as well as possible within what each
//! can give. The modules are listed in the order in which the data travels; none imports from one below it.
//! [`optimize`] is that way in ten lines.

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
/// # Errors
/// [`SolveError`] when the solver fails and no plan is known without it. Infeasible questions, time limits and
/// interruptions are not errors: they are told by the plan's status.
pub fn optimize(scenario: &Scenario, watch: &solve::Watch<'_>) -> Result<Outcome, SolveError> {
    let begun = Instant::now();
    watch.begin("cover");
    let coverage = cover::build(scenario);
    watch.begin("model");
    let (program, origin) = model::build(scenario, &coverage, model::Attribution::Counts);
    watch.begin("solve");
    let solution = solve::solve(&program, &scenario.options, watch)?;
    let mut plan = plan::build(scenario, &coverage, &program, &origin, &solution);
    plan.search.seconds = begun.elapsed().as_secs_f64();
    watch.begin("judge");
    let verdict = verify::judge(scenario, &plan);
    Ok(Outcome { plan, verdict, reachable: cover::reachable(scenario, &coverage) })
}

/// Runs the code of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
