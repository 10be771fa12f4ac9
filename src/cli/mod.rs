//! Arguments turned into one verb and its exit code.

mod arguments;
mod check;
mod init;
mod progress;
mod shelter;
mod signals;
mod solve;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use coverplan::problem::{InputError, OutputError, SolveError};

use self::arguments::{Arguments, Verb};

/// How the command ended; the numbers are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success,
    /// A fault of ours or of the machine.
    Fault,
    /// Bad usage or bad input.
    BadInput,
    /// No plan obeys the rules.
    Infeasible,
    /// Stopped by a limit before any plan was found.
    NoPlan,
    /// Stopped by a signal with this number.
    Interrupted(u8),
    /// A worker fell over; the process that watches it hears of it, no one else.
    Panicked,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Fault => 1,
            Self::BadInput => 2,
            Self::Infeasible => 3,
            Self::NoPlan => 4,
            Self::Interrupted(signal) => 128 + signal,
            Self::Panicked => 101,
        }
    }

    /// What the number means.
    pub(crate) fn of(code: i32) -> Self {
        match code {
            0 => Self::Success,
            2 => Self::BadInput,
            3 => Self::Infeasible,
            4 => Self::NoPlan,
            101 => Self::Panicked,
            129..=255 => Self::Interrupted(u8::try_from(code - 128).unwrap_or_default()),
            _ => Self::Fault,
        }
    }
}

/// What ended a verb before its answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Mend the input.
    Input(InputError),
    /// The solver.
    Solve(SolveError),
    /// The disk, or a place that is taken.
    Output(OutputError),
    /// Standard output is closed.
    Stdout(std::io::Error),
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<SolveError> for Failure {
    fn from(error: SolveError) -> Self {
        Self::Solve(error)
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Stdout(error)
    }
}

/// Reads the arguments, does what they ask and says how it ended.
pub(crate) fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help) => {
            let exit = if help.use_stderr() { Exit::BadInput } else { Exit::Success };
            let _closed = help.print();
            return exit;
        }
    };
    let is_quiet = arguments.quiet;
    let outcome = match &arguments.verb {
        Verb::Solve(options) => match &arguments.shelter {
            Some(folder) => shelter::work(options, is_quiet, folder),
            None => shelter::run(options, is_quiet),
        },
        Verb::Check(options) => check::run(options, is_quiet),
        Verb::Verify(options) => verify::run(options, is_quiet),
        Verb::Init(options) => init::run(options, is_quiet),
        Verb::Schema => print(&coverplan::scenario::json_schema()),
        Verb::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "coverplan", &mut text);
            write_out(&text)
        }
        Verb::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Arguments::command())
                .render(&mut text)
                .map_err(Failure::from)
                .and_then(|()| write_out(&text))
        }
    };
    outcome.unwrap_or_else(|failure| explain(&failure))
}

/// Says on stderr what went wrong, and with which code the command ends.
fn explain(failure: &Failure) -> Exit {
    match failure {
        Failure::Input(error) => {
            say(&error.to_string());
            Exit::BadInput
        }
        Failure::Solve(error) => {
            say(&format!("error: {error}"));
            Exit::Fault
        }
        Failure::Output(error) => {
            say(&format!("error: {error}"));
            if error.is_taken { Exit::BadInput } else { Exit::Fault }
        }
        // The reader of our output went away: nothing to say and no one to hear it.
        Failure::Stdout(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Failure::Stdout(error) => {
            say(&format!("error: cannot write to standard output: {error}"));
            Exit::Fault
        }
    }
}

/// A line of words on stderr.
pub(crate) fn say(text: &str) {
    // Without a stderr there is no one to tell.
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// Data on stdout.
pub(crate) fn print(text: &str) -> Result<Exit, Failure> {
    write_out(format!("{text}\n").as_bytes())
}

fn write_out(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(Exit::Success)
}
