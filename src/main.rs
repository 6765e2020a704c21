//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use havenwacht::cli;

fn main() -> ExitCode {
    match cli::execute(cli::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => cli::report(&error),
    }
}
