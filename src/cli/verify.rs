//! `coverplan verify`: a plan folder turned into the judge's verdict.

use coverplan::plan;
use coverplan::verify::{judge, judge_sites};
use serde_json::json;

use super::arguments::Verify;
use super::{Exit, Failure, print, say};

/// Reads the plan and the inputs it names, and judges them from scratch.
pub(super) fn run(options: &Verify, is_quiet: bool) -> Result<Exit, Failure> {
    let recorded = plan::read(&options.plan)?;
    let verdict = judge(&recorded.scenario, &recorded.plan);
    let mut violations = verdict.violations;
    violations.extend(judge_sites(&recorded.scenario, &recorded.plan, &recorded.claims));
    if options.json {
        let listed: Vec<_> =
            violations.iter().map(|violation| json!({"code": violation.code, "text": violation.text})).collect();
        print(&json!({"accepted": violations.is_empty(), "violations": listed}).to_string())?;
    }
    if violations.is_empty() {
        if !is_quiet {
            let value = verdict.value.map(|value| format!(", objective {value:.6} as claimed")).unwrap_or_default();
            let placements = recorded.plan.placements.len();
            say(&format!("accepted: {placements} placements keep every rule{value}"));
        }
        return Ok(Exit::Success);
    }
    for violation in &violations {
        say(&format!("[{}] {}", violation.code, violation.text));
    }
    say(&format!("rejected: {}", count(violations.len(), "violation")));
    Ok(Exit::Fault)
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
