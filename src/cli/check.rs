//! `coverplan check`: a scenario file turned into what it looks like, nothing solved.

use coverplan::cover;
use coverplan::export;
use coverplan::scenario;

use super::arguments::Check;
use super::{Exit, Failure, say};

/// Reads the scenario and everything it names; problems end the command before anything is printed.
pub(super) fn run(options: &Check, is_quiet: bool) -> Result<Exit, Failure> {
    let scenario = scenario::read(&options.scenario, &options.overrides)?;
    let coverage = cover::build(&scenario);
    let reachable = cover::reachable(&scenario, &coverage);
    if is_quiet {
        return Ok(Exit::Success);
    }
    for warning in scenario.warnings.iter().chain(&cover::unreachable_sites(&scenario, &reachable)) {
        say(&format!("warning {warning}"));
    }
    say(export::question(&scenario, &reachable, coverage.sets.len()).trim_end());
    Ok(Exit::Success)
}
