//! `logbook recover`: what can be read of a damaged logbook.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;

use super::check::{exit_code, failed, write_report};
use crate::clock::{Clock as _, SystemClock};
use crate::logbook::{self, Recovery};

/// What is read, and where the readable rows go.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// The damaged logbook. It is not changed.
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// The new logbook: a file that does not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
}

/// Recovers; exit status 65 when something could not be read.
pub(super) fn recover(args: &RecoverArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let progress = ProgressBar::new_spinner();
    let now = SystemClock::default().now().wall;
    let recovered =
        logbook::recover(&args.from, &args.to, now, |table| progress.set_message(table.to_owned()));
    progress.finish_and_clear();
    match recovered {
        Ok(recovery) => {
            write_recovery(&recovery, out)?;
            write_report(&args.to, &recovery.report, out)?;
            Ok(exit_code(recovery.is_whole() && recovery.report.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}

fn write_recovery(recovery: &Recovery, out: &mut impl Write) -> std::io::Result<()> {
    for table in &recovery.tables {
        write!(out, "{:>15}  {} rows", table.table, table.rows)?;
        if let Some(why) = &table.lost {
            write!(out, "; nothing could be read: {why}")?;
        }
        if !table.unread.is_empty() {
            write!(out, "; not readable: {}", table.unread)?;
        }
        if table.unfit > 0 {
            write!(out, "; {} did not fit the schema", table.unfit)?;
        }
        if !table.stand_ins.is_empty() {
            write!(out, "; refer to lost rows: {}", table.stand_ins.join(", "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
