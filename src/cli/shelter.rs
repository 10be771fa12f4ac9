//! A solve turned into a process of its own that this one outlives: where it crashes, another goes on from what it kept.
//!
//! HiGHS ends the process when memory runs out, and any C++ library may crash. What the worker knows so far lies in a
//! temporary folder; see docs/architecture.md, "When the solver breaks".

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use coverplan::plan::{self, Multipliers};
use coverplan::problem::SolveError;
use coverplan::solve::{Attempt, Kept};
use serde::{Deserialize, Serialize};

use super::arguments::Solve;
use super::signals::Signals;
use super::{Exit, Failure, say, solve};

/// How often the wish to stop is handed on.
const PAUSE: Duration = Duration::from_millis(20);

const STATE: &str = "state.json";
const VALUES: &str = "values.json";
const PRICES: &str = "certificate.json";
const EXIT: &str = "exit.json";

/// What earlier attempts tell the next.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) attempt: Attempt,
    pub(super) spent_s: f64,
    pub(super) faults: Vec<String>,
}

/// Runs the command that this process was called with in workers, until one ends in order; where there is no place for a
/// worker, does the work itself.
pub(super) fn run(options: &Solve, is_quiet: bool) -> Result<Exit, Failure> {
    let signals = Signals::listen();
    let Ok(folder) = tempfile::Builder::new().prefix("coverplan-").tempdir() else {
        return solve::run(options, is_quiet, &Shelter { folder: None }, &signals);
    };
    let begun = Instant::now();
    let mut state = State::default();
    for attempt in [Attempt::Whole, Attempt::WithoutTree, Attempt::WithoutSolver] {
        let knows_nothing = !folder.path().join(VALUES).exists();
        if attempt == Attempt::WithoutTree && knows_nothing {
            continue;
        }
        state = State { attempt, spent_s: begun.elapsed().as_secs_f64(), ..state };
        let told = write(folder.path(), STATE, &serde_json::to_string(&state).unwrap_or_default());
        let Ok(worker) = told.and_then(|()| worker(folder.path())) else {
            return solve::run(options, is_quiet, &Shelter { folder: None }, &signals);
        };
        let status = watched(worker, &signals)?;
        if let Some(exit) = ended(folder.path(), status) {
            return Ok(exit);
        }
        let fault =
            format!("the solver's process ended by {} after {:.1} s", words(status), begun.elapsed().as_secs_f64());
        if !is_quiet {
            say(&format!("{fault}; going on with what is known"));
        }
        state.faults.push(fault);
    }
    Err(SolveError { detail: state.faults.join("; ") }.into())
}

/// This program once more, with the same arguments and a place to keep what it finds.
fn worker(folder: &Path) -> std::io::Result<Child> {
    let program = std::env::current_exe()?;
    let arguments = std::env::args_os().skip(1);
    Command::new(program).arg("--shelter").arg(folder).args(arguments).stdin(Stdio::piped()).spawn()
}

/// Hands signals on until the worker ends.
fn watched(mut worker: Child, signals: &Signals) -> Result<ExitStatus, SolveError> {
    let lost = |error: std::io::Error| SolveError { detail: format!("no word of the worker: {error}") };
    let mut is_told = false;
    let mut line = worker.stdin.take();
    let (teller, ending) = channel();
    std::thread::spawn(move || teller.send(worker.wait()));
    loop {
        match ending.recv_timeout(PAUSE) {
            Ok(status) => return status.map_err(lost),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(lost(std::io::ErrorKind::BrokenPipe.into())),
        }
        // Told once; the line stays open, since the worker ends when it closes.
        if !is_told && let (Some(signal), Some(line)) = (signals.received(), line.as_mut()) {
            // A worker that is gone needs no word.
            let _gone = line.write_all(&[signal]);
            is_told = true;
        }
    }
}

/// How a worker that ended in order did so; one that wrote its plan and then crashed did so, too.
fn ended(folder: &Path, status: ExitStatus) -> Option<Exit> {
    let told = std::fs::read_to_string(folder.join(EXIT)).ok().and_then(|text| text.trim().parse().ok());
    told.or(status.code()).map(Exit::of).filter(|exit| *exit != Exit::Panicked)
}

fn words(status: ExitStatus) -> String {
    let name = |signal: i32| signal_hook::low_level::signal_name(signal).unwrap_or("unknown");
    match status.signal() {
        Some(signal) => format!("signal {signal} ({})", name(signal)),
        None => "a fault of this program".to_owned(),
    }
}

/// Does the work of a worker, which keeps what it finds in a folder.
pub(super) fn work(options: &Solve, is_quiet: bool, folder: &Path) -> Result<Exit, Failure> {
    let signals = Signals::told();
    let shelter = Shelter::new(folder, &signals);
    // A bug of ours costs no more than one of the solver.
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| solve::run(options, is_quiet, &shelter, &signals)));
    let exit = ended.unwrap_or(Ok(Exit::Panicked))?;
    shelter.close(exit);
    Ok(exit)
}

/// The worker's side of the folder; without one nothing is kept.
pub(super) struct Shelter {
    folder: Option<PathBuf>,
}

impl Shelter {
    /// Opens the folder, and follows the process that waits for this one.
    fn new(folder: &Path, signals: &Signals) -> Self {
        let (gone, stop) = (folder.to_owned(), signals.clone());
        std::thread::spawn(move || {
            let mut signal = [0];
            while std::io::stdin().read_exact(&mut signal).is_ok() {
                stop.raise(signal[0]);
            }
            leave(&gone);
        });
        Self { folder: Some(folder.to_owned()) }
    }

    /// What earlier attempts tell.
    pub(super) fn state(&self) -> State {
        self.read(STATE).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The values that an earlier attempt kept.
    pub(super) fn values(&self) -> Option<Vec<u32>> {
        serde_json::from_str(&self.read(VALUES)?).ok()
    }

    /// The prices that an earlier attempt kept.
    pub(super) fn prices(&self) -> Option<Multipliers> {
        plan::read_certificate(&self.folder.as_ref()?.join(PRICES)).ok()
    }

    /// Keeps news; where the disk is full the search goes on all the same.
    pub(super) fn keep(&self, kept: Kept<'_>) {
        let Some(folder) = &self.folder else { return };
        let _full = match kept {
            Kept::Values(values) => write(folder, VALUES, &serde_json::to_string(values).unwrap_or_default()),
            Kept::Prices(prices) => write(folder, PRICES, &plan::certificate_text(prices)),
        };
    }

    /// Says that all is done and written.
    fn close(&self, exit: Exit) {
        if let Some(folder) = &self.folder {
            let _full = write(folder, EXIT, &exit.code().to_string());
        }
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.as_ref()?.join(name)).ok()
    }
}

/// Writes a file that is whole or not there.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, text)?;
    std::fs::rename(new, folder.join(name))
}

/// Ends this process: the one that waited for it is gone.
#[expect(clippy::exit, reason = "no one is left to hear of it")]
fn leave(folder: &Path) {
    let _gone = std::fs::remove_dir_all(folder);
    std::process::exit(Exit::Interrupted(15).code().into());
}
