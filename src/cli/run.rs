//! `havenwacht run`: the daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::ZonedDateTime;

use super::PermanentError;
use crate::clock::SystemClock;
use crate::daemon::{self, RunError};
use crate::logbook::LogbookError;
use crate::telemetry;

/// Run the daemon: watch the cameras of a site file until stopped.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// For demonstrations: start the wall clock at this time, such as 2026-06-01T22:13:00[Europe/Amsterdam].
    #[arg(long, value_name = "TIME")]
    wall_clock: Option<ZonedDateTime>,
}

/// Runs the daemon.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    telemetry::start_logging();
    let site = super::load_site(&args.config)?;
    let clock = args
        .wall_clock
        .as_ref()
        .map_or_else(SystemClock::default, |at| SystemClock::starting_at(at.timestamp()));
    match daemon::run(site, clock) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // A restart does not help: the model is unusable, or the file is of a later version or of another program.
        Err(
            cause @ (RunError::Model(_)
            | RunError::Logbook {
                cause: LogbookError::Newer { .. } | LogbookError::Foreign { .. },
                ..
            }),
        ) => Err(PermanentError(cause.to_string()).into()),
        Err(cause) => Err(cause.into()),
    }
}
