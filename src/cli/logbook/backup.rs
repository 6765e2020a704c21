//! `logbook backup`: a checked copy.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::check::{exit_code, failed, write_report};
use super::source::Source;
use crate::logbook;

/// What is copied, and where to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
    /// The copy: a file that does not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
}

/// Copies and checks; exit status 65 when the copy, and so the logbook, is damaged.
pub(super) fn backup(args: &BackupArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let path = args.source.path()?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{bar:30} {percent} % copied")?);
    let copied = logbook::backup(&path, &args.to, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    match copied {
        Ok(report) => {
            write_report(&args.to, &report, out)?;
            Ok(exit_code(report.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}
