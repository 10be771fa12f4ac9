//! What is known to go wrong in HiGHS releases, held against the one that is pinned.

use good_lp::{Expression, ProblemVariables, Solution, SolverModel, constraint, variable};

/// HiGHS 1.14.0 answers 15 and says optimal: a continuous singleton column beside an integer one.
///
/// Source: `HiGHS` issue 2961.
#[test]
fn continuous_singleton_beside_integer() {
    let mut variables = ProblemVariables::new();
    let x = variables.add(variable().min(0.0).max(100.0));
    let z = variables.add(variable().integer().min(0.0).max(100.0));
    let cost: Expression = 2.0 * x + 3.0 * z;
    let solution = variables
        .minimise(cost.clone())
        .using(good_lp::highs)
        .with(constraint!(x + z >= 4.5))
        .solve()
        .expect("the model has a solution");
    assert!((solution.eval(&cost) - 9.0).abs() < 1e-6, "{}", solution.eval(&cost));
}
