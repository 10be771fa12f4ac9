//! The words of the command line as types.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Places units of many contributors so that sensitive sites are covered as well as possible, and proves how good the
/// plan is.
#[derive(Debug, Parser)]
#[command(name = "coverplan", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Say nothing but errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Where a solve that is watched by another process keeps what it finds; set by that process.
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) shelter: Option<PathBuf>,
}

const EXIT_CODES: &str = "Exit codes:
  0    a plan is written and judged good, or the input is sound
  1    a fault of the program or of the machine; verify: the plan is rejected
  2    bad usage or bad input; nothing is written
  3    infeasible: proven, plan.json names the conflict
  4    stopped by a limit before any plan was found
  130  interrupted (143 for SIGTERM); the best plan so far is written";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find the best plan and write it as a folder
    Solve(Solve),
    /// Report every problem of a scenario at once, and what the question looks like
    Check(Check),
    /// Judge a plan from its files and the inputs they name, recomputing everything
    Verify(Verify),
    /// Write a commented scenario to start from
    Init(Init),
    /// Print the JSON Schema of scenario.toml
    Schema,
    /// Print shell completions
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Find the best plan.
#[derive(Debug, Args)]
pub(crate) struct Solve {
    /// The planning question.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Folder to write; "-" prints placements.geojson instead [default: <name>.plan].
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Replace a plan that is already there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Stop after so many seconds with the best plan so far.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) time_limit: Option<f64>,
    /// Stop when proven within this fraction, for example 0.01.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub(crate) gap: Option<f64>,
    /// Start of every random choice.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u32>,
    /// Cores to use; 0 for all.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<u32>,
    /// How to solve: auto suits the method to the question [default: auto].
    #[arg(long, value_parser = ["auto", "compact", "decompose", "search"], value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// Sites to list in sites.geojson and plan.gpkg; links come with all only.
    #[arg(long, value_parser = ["none", "uncovered", "all"], default_value = "all", value_name = "WHICH")]
    pub(crate) sites: String,
    /// How to show progress on stderr.
    #[arg(long, value_enum, default_value_t = ProgressStyle::Auto, value_name = "STYLE")]
    pub(crate) progress: ProgressStyle,
    /// Set a key of the scenario, for example `contributors.FRA.max_units=3`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
    /// Print plan.json on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressStyle {
    /// A line that moves on a terminal, nothing elsewhere
    Auto,
    /// One JSON object a line
    Json,
    /// Nothing
    None,
}

/// Report every problem of a scenario.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The planning question.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Set a key of the scenario; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
}

/// Judge a plan.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Folder of the plan.
    #[arg(value_name = "PLAN_DIR")]
    pub(crate) plan: PathBuf,
    /// Print the verdict as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write a scenario to start from.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder to write scenario.toml into; made when absent.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Your sites (GeoJSON or CSV): their columns, counts and extent are filled in.
    #[arg(long, value_name = "FILE")]
    pub(crate) sites: Option<PathBuf>,
    /// Your locations (GeoJSON or CSV).
    #[arg(long, value_name = "FILE")]
    pub(crate) locations: Option<PathBuf>,
    /// Replace a scenario that is already there.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("no \"=\" in \"{text}\"; write key=value"))?;
    if key.trim().is_empty() {
        return Err(format!("no key before \"=\" in \"{text}\""));
    }
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
