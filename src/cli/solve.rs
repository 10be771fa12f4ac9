//! `coverplan solve`: a scenario file turned into a plan folder.

use std::path::{Path, PathBuf};

use coverplan::export::{self, Report};
use coverplan::plan::Listed;
use coverplan::problem::{OutputError, Problem};
use coverplan::scenario::{self, Scenario};
use coverplan::solve::{Progress, Rescue, Status, Watch};
use coverplan::{Outcome, cover, optimize_again};

use super::arguments::Solve;
use super::progress::Display;
use super::shelter::Shelter;
use super::signals::Signals;
use super::{Exit, Failure, print, say};

/// Reads, solves, judges, writes and sums up, keeping on the way what is known.
pub(super) fn run(options: &Solve, is_quiet: bool, shelter: &Shelter, signals: &Signals) -> Result<Exit, Failure> {
    let display = Display::new(options.progress, is_quiet);
    display.show(Progress { stage: "read", ..Progress::default() });
    let scenario = scenario::read(&options.scenario, &overrides(options))?;
    let target = Target::new(options, &scenario)?;
    set_threads(scenario.options.threads);
    let watch = Watch { stop: signals.stop(), report: &|progress| display.show(progress) };
    let earlier = shelter.state();
    let rescue = Rescue {
        keep: &|kept| shelter.keep(kept),
        attempt: earlier.attempt,
        values: shelter.values(),
        prices: shelter.prices(),
        spent_s: earlier.spent_s,
        faults: earlier.faults,
    };
    let mut outcome = optimize_again(&scenario, &watch, &rescue)?;
    outcome.plan.listed = listed(options);
    display.show(Progress { stage: "write", ..Progress::default() });
    let report = Report {
        scenario: &scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: env!("CARGO_PKG_VERSION"),
    };
    let written = target.write(options, &report);
    display.finish();
    let folder = written?;
    if is_quiet && !report.verdict.accepted {
        say(&export::summary(&report, folder.as_deref()));
    }
    if !is_quiet {
        let unreachable = cover::unreachable_sites(&scenario, &outcome.reachable);
        let faults: Vec<Problem> = outcome.plan.search.faults.iter().map(|fault| solver_fault(fault)).collect();
        for warning in scenario.warnings.iter().chain(&unreachable).chain(&faults) {
            say(&format!("warning {warning}\n"));
        }
        say(&export::summary(&report, folder.as_deref()));
    }
    Ok(exit(&outcome, signals))
}

fn solver_fault(fault: &str) -> Problem {
    let expected = "an answer that holds";
    let advice =
        "the plan keeps the rules and its bound is true; for a proof solve again, with more memory or another --method";
    Problem::new("solver-fault", "solver", fault, expected, advice)
}

/// Which sites the files list.
fn listed(options: &Solve) -> Listed {
    match options.sites.as_str() {
        "none" => Listed::None,
        "uncovered" => Listed::Uncovered,
        _ => Listed::All,
    }
}

/// Flags that override keys of the scenario, after those of `--set`.
fn overrides(options: &Solve) -> Vec<(String, String)> {
    let flags = [
        ("solve.time_limit_s", options.time_limit.map(|number| format!("{number:?}"))),
        ("solve.gap", options.gap.map(|number| format!("{number:?}"))),
        ("solve.seed", options.seed.map(|number| number.to_string())),
        ("solve.threads", options.threads.map(|number| number.to_string())),
        ("solve.method", options.method.as_ref().map(|word| format!("\"{word}\""))),
    ];
    let flags = flags.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)));
    options.overrides.iter().cloned().chain(flags).collect()
}

/// Where the answer goes.
enum Target {
    Folder(PathBuf),
    Stdout,
}

impl Target {
    /// Checks before the long work that the folder can be written.
    fn new(options: &Solve, scenario: &Scenario) -> Result<Self, Failure> {
        if options.output.as_deref() == Some(Path::new("-")) {
            if options.json {
                let detail = "--output - and --json both want standard output; give one of them".to_owned();
                return Err(OutputError { path: PathBuf::from("-"), detail, is_taken: true }.into());
            }
            return Ok(Self::Stdout);
        }
        let folder = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.plan", scenario.name)));
        export::check_target(&folder, options.overwrite)?;
        Ok(Self::Folder(folder))
    }

    /// Writes the plan; one that our own judge rejects goes aside, so that it cannot be mistaken for a good one.
    fn write(&self, options: &Solve, report: &Report<'_>) -> Result<Option<PathBuf>, Failure> {
        let folder = match self {
            Self::Stdout => {
                print(export::placements_geojson(report).trim_end())?;
                None
            }
            Self::Folder(folder) if report.verdict.accepted => {
                export::write(folder, options.overwrite, report)?;
                Some(folder.clone())
            }
            Self::Folder(folder) => {
                let mut aside = folder.clone().into_os_string();
                aside.push(".rejected");
                let aside = PathBuf::from(aside);
                export::write(&aside, true, report)?;
                Some(aside)
            }
        };
        if options.json {
            print(export::plan_json(report, folder.as_deref()).trim_end())?;
        }
        Ok(folder)
    }
}

/// Cores for the wide loops; a pool that exists already stays as it is.
fn set_threads(threads: usize) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.min(cores);
    let _exists_already = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}

fn exit(outcome: &Outcome, signals: &Signals) -> Exit {
    if !outcome.verdict.accepted {
        return Exit::Fault;
    }
    if let Some(signal) = signals.received() {
        return Exit::Interrupted(signal);
    }
    match outcome.plan.status {
        Status::Optimal | Status::Feasible => Exit::Success,
        Status::Infeasible => Exit::Infeasible,
        Status::Unknown => Exit::NoPlan,
    }
}
