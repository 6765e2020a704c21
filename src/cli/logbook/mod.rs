//! `havenwacht logbook`: one file for each subcommand.

mod backup;
mod check;
mod erase;
mod export;
mod list;
mod recover;
mod show;
mod source;
mod table;
mod tail;
#[cfg(test)]
mod tests;
mod verify;
mod why;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Subcommand;

use super::coco_export::{self, CocoArgs};

pub use export::ExportArgs;
pub use list::{KindArg, ListArgs};
pub use show::ShowArgs;
pub use source::{Rows, Source};

/// What to do with the logbook.
#[derive(Debug, Subcommand)]
pub enum LogbookCommand {
    /// Show what is new, in plain words, until Ctrl-C.
    Tail(tail::TailArgs),
    /// Show the newest rows of one kind as a table.
    List(list::ListArgs),
    /// Show all about one signal (number or id) or one vessel (`vessel:7`).
    Show(show::ShowArgs),
    /// Write all rows of one kind as CSV (RFC 4180).
    Export(export::ExportArgs),
    /// Explain why a rule sent an alert, or why it did not.
    Why(why::WhyArgs),
    /// Check every page, every reference and the chain. Havenwacht may run meanwhile.
    Check(check::CheckArgs),
    /// Copy the logbook as it is at this moment, and check the copy. Havenwacht may run meanwhile.
    Backup(backup::BackupArgs),
    /// Copy what can be read of a damaged logbook into a new one, and report what could not be read.
    Recover(recover::RecoverArgs),
    /// Verify that nothing was altered, removed, added or reordered since it was written.
    Verify(verify::VerifyArgs),
    /// Print the present end of the chain, to be written down or stored elsewhere.
    Head {
        /// Which logbook.
        #[command(flatten)]
        source: Source,
    },
    /// Make a key that signs the links of the chain.
    Keygen(verify::KeygenArgs),
    /// Erase personal data: the contents are deleted, a receipt stays, the chain still verifies. Havenwacht must be stopped.
    Erase(erase::EraseArgs),
    /// Write pictures of a replayed recording with its detections as proposed boxes, to correct and to train on (COCO).
    Coco(CocoArgs),
}

/// Runs one command; its output goes to `out`. A closed pipe (`| head`) is not an error.
pub fn logbook(command: &LogbookCommand, out: impl Write) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(out);
    let done = run(command, &mut out);
    match done.and_then(|code| out.flush().map(|()| code).map_err(Into::into)) {
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(is_closed_pipe) => {
            Ok(ExitCode::SUCCESS)
        }
        done => done,
    }
}

fn is_closed_pipe(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

fn run(command: &LogbookCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    match command {
        LogbookCommand::Check(args) => return check::check(args, out),
        LogbookCommand::Backup(args) => return backup::backup(args, out),
        LogbookCommand::Recover(args) => return recover::recover(args, out),
        LogbookCommand::Verify(args) => return verify::verify(args, out),
        LogbookCommand::Tail(args) => tail::tail(args, out)?,
        LogbookCommand::List(args) => list::list(args, out)?,
        LogbookCommand::Show(args) => show::show(args, out)?,
        LogbookCommand::Export(args) => export::export(args, out)?,
        LogbookCommand::Why(args) => why::why(args, out)?,
        LogbookCommand::Head { source } => verify::head(source, out)?,
        LogbookCommand::Keygen(args) => verify::keygen(args, out)?,
        LogbookCommand::Erase(args) => erase::erase(args, out)?,
        LogbookCommand::Coco(args) => coco_export::coco(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}
