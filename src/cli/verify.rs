//! `coverplan verify`: a plan folder turned into the judge's verdict.

use std::path::Path;

use coverplan::certify;
use coverplan::cover;
use coverplan::export::{self, Report};
use coverplan::plan;
use coverplan::verify::{Verdict, Violation, judge, judge_sites};
use serde_json::json;

use super::arguments::Verify;
use super::{Exit, Failure, print, say};

/// Reads the plan and the inputs it names, and judges them from scratch.
pub(super) fn run(options: &Verify, is_quiet: bool) -> Result<Exit, Failure> {
    let recorded = plan::read(&options.plan)?;
    let verdict = judge(&recorded.scenario, &recorded.plan);
    let mut violations = verdict.violations.clone();
    violations.extend(judge_sites(&recorded.scenario, &recorded.plan, &recorded.claims));
    violations.extend(certify::unproven(&recorded.scenario, &recorded.plan));
    let changed = violations.is_empty().then(|| changed_files(&recorded, &verdict, &options.plan)).flatten();
    let is_compared = changed.is_some();
    violations.extend(changed.into_iter().flatten());
    if options.json {
        let listed: Vec<_> =
            violations.iter().map(|violation| json!({"code": violation.code, "text": violation.text})).collect();
        let is_accepted = violations.is_empty();
        print(&json!({"accepted": is_accepted, "files_compared": is_compared, "violations": listed}).to_string())?;
    }
    if violations.is_empty() {
        if !is_quiet && verdict.value.is_none() {
            say("no plan to judge: that there is none was not proven anew, only the form of the files was checked");
        } else if !is_quiet {
            let value = verdict.value.map(|value| format!(", objective {value:.6} as claimed")).unwrap_or_default();
            let placements = recorded.plan.placements.len();
            let proof = recorded.plan.certificate.as_ref().map(|_| ", bound proven by its certificate");
            say(&format!("accepted: {placements} placements keep every rule{value}{}", proof.unwrap_or_default()));
        }
        if !is_quiet && !is_compared {
            say("another version wrote the plan: what is derived from it (reach, links, map, names) was not compared");
        }
        return Ok(Exit::Success);
    }
    for violation in &violations {
        say(&format!("[{}] {}", violation.code, violation.text));
    }
    say(&format!("rejected: {}", count(violations.len(), "violation")));
    Ok(Exit::Fault)
}

/// Files that are not as this version writes them for the plan: what is derived was changed; `None` where another version wrote
/// them.
fn changed_files(recorded: &plan::Recorded, verdict: &Verdict, folder: &Path) -> Option<Vec<Violation>> {
    let coverage = cover::build(&recorded.scenario);
    let reachable = cover::reachable(&recorded.scenario, &coverage);
    let report = Report {
        scenario: &recorded.scenario,
        plan: &recorded.plan,
        verdict,
        reachable: &reachable,
        version: env!("CARGO_PKG_VERSION"),
    };
    export::differences(folder, &report)
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
