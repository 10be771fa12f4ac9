//! What counting units together saves: data/ukraine solved in counts and contributor by contributor, and with every site
//! as a location; run by `scripts/bench`, and on a small question as a test.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use coverplan::cover;
use coverplan::model::{self, Attribution};
use coverplan::scenario::{self, Options, Scenario};
use coverplan::solve::{self, Watch};

/// A question of the data folder with keys of the scenario set.
fn question(name: &str, overrides: &[(&str, &str)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).join("scenario.toml");
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    scenario::read(&path, &overrides).expect("a sound scenario")
}

/// Seconds to an answer, its value and gap.
fn timed(scenario: &Scenario, attribution: Attribution) -> (f64, f64, f64) {
    let begun = Instant::now();
    let program = model::build(scenario, &cover::build(scenario), attribution).0;
    let stop = AtomicBool::new(false);
    let watch = Watch { stop: &stop, report: &|_| {} };
    let options = Options { time_limit_s: 300.0, ..scenario.options };
    let solution = solve::solve(&program, &options, &watch, &solve::Rescue::none()).expect("the solver works");
    let value = program.objective(&solution.values.expect("a plan"));
    (begun.elapsed().as_secs_f64(), value, solve::gap(value, solution.bound))
}

fn row(name: &str, scenario: &Scenario, attribution: Attribution) -> f64 {
    let (seconds, value, gap) = timed(scenario, attribution);
    writeln!(std::io::stdout(), "{name:<44} {seconds:8.2} s   value {value:.6}   gap {gap:.5}")
        .expect("stdout is open");
    seconds
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let name = if is_bench { "ukraine" } else { "rule-requires" };
    let scenario = question(name, &[]);
    let counts = row(&format!("{name}, in counts"), &scenario, Attribution::Counts);
    let apart = row(&format!("{name}, by contributor"), &scenario, Attribution::ByContributor);
    writeln!(std::io::stdout(), "by contributor takes {:.1} times as long", apart / counts).expect("stdout is open");
    if is_bench {
        let everywhere =
            [("locations", "{ generate = \"sites\", max_units = 4, max_headcount = 2500 }"), ("solve.gap", "0.001")];
        let fixed = [("fixed.0.location", "oa-UKLL"), ("fixed.1.location", "oa-UKLL")];
        let scenario = question(name, &[&everywhere[..], &fixed[..]].concat());
        row("ukraine, 781 locations, within 0.1 %", &scenario, Attribution::Counts);
    }
}
