//! The command line turned into calls of the library, and their outcome into an exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A bug of ours ends with the code of a fault, after its own message.
    std::panic::catch_unwind(cli::run).map_or(ExitCode::from(1), Into::into)
}
