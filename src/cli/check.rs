//! `coverplan check`: a scenario file turned into what it looks like, nothing solved.

use coverplan::cover;
use coverplan::export;
use coverplan::scenario;

use super::arguments::Check;
use super::{Exit, Failure, say};

/// So many hopeless rules are named.
const SHOWN: usize = 10;

/// Reads the scenario and everything it names; problems end the command before anything is printed.
pub(super) fn run(options: &Check, is_quiet: bool) -> Result<Exit, Failure> {
    let scenario = scenario::read(&options.scenario, &options.overrides)?;
    let coverage = cover::build(&scenario);
    let reachable = cover::reachable(&scenario, &coverage);
    let hopeless = cover::hopeless_rules(&scenario, &reachable);
    for rule in hopeless.iter().take(SHOWN) {
        say(&format!("infeasible: {rule}"));
    }
    if hopeless.len() > SHOWN {
        say(&format!("infeasible: and {} more rules that nothing can keep", hopeless.len() - SHOWN));
    }
    let exit = if hopeless.is_empty() { Exit::Success } else { Exit::Infeasible };
    if is_quiet {
        return Ok(exit);
    }
    for warning in scenario.warnings.iter().chain(&cover::unreachable_sites(&scenario, &reachable)) {
        say(&format!("warning {warning}\n"));
    }
    say(export::question(&scenario, &reachable, coverage.sets.len()).trim_end());
    Ok(exit)
}
