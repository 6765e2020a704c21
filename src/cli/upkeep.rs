//! `havenwacht logbook check|backup|salvage`: is it in order, a copy of it, what is left of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::logbook::Source;
use crate::clock::{Clock as _, SystemClock};
use crate::logbook::{self, Checkup, LogbookError, Salvaged};

/// Exit status: the logbook is damaged, or is none of this version (`EX_DATAERR`).
const DAMAGED: u8 = 65;

/// Exit status: it could not be done (`EX_SOFTWARE`).
const NOT_DONE: u8 = 70;

/// What is checked.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Which logbook.
    #[command(flatten)]
    source: Source,
}

/// What is copied, and where to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Which logbook.
    #[command(flatten)]
    source: Source,
    /// The copy, a file that does not exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// What is read, and where what can be read goes.
#[derive(Debug, Args)]
pub struct SalvageArgs {
    /// The damaged logbook; it stays as it is.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The new logbook, a file that does not exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Checks; 65 when something is wrong.
pub(super) fn check(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let path = args.source.path()?;
    let told = spinner();
    let checked = logbook::check(&path, |part| told.set_message(part.to_owned()));
    told.finish_and_clear();
    match checked {
        Ok(checkup) => {
            write_checkup(&path, &checkup, out)?;
            Ok(verdict(checkup.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}

/// Copies and checks; 65 when the copy, and so the logbook, is damaged.
pub(super) fn backup(args: &BackupArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let path = args.source.path()?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{bar:30} {percent} % copied")?);
    let copied = logbook::backup(&path, &args.to, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    match copied {
        Ok(checkup) => {
            write_checkup(&args.to, &checkup, out)?;
            Ok(verdict(checkup.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}

/// Salvages; 65 when something could not be read.
pub(super) fn salvage(args: &SalvageArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let told = spinner();
    let now = SystemClock::default().now().wall;
    let saved = logbook::salvage(&args.from, &args.to, now, |table| told.set_message(table.to_owned()));
    told.finish_and_clear();
    match saved {
        Ok(saved) => {
            write_salvaged(&saved, out)?;
            write_checkup(&args.to, &saved.checkup, out)?;
            Ok(verdict(saved.is_whole() && saved.checkup.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}

fn verdict(sound: bool) -> ExitCode {
    if sound { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) }
}

fn failed(cause: &LogbookError) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stderr(), "havenwacht: {cause}")?;
    Ok(ExitCode::from(match cause {
        LogbookError::Damaged { .. }
        | LogbookError::Foreign { .. }
        | LogbookError::Newer { .. }
        | LogbookError::Older { .. } => DAMAGED,
        _ => NOT_DONE,
    }))
}

fn spinner() -> ProgressBar {
    ProgressBar::new_spinner()
}

fn write_checkup(path: &Path, checkup: &Checkup, out: &mut impl Write) -> std::io::Result<()> {
    let held: Vec<String> = checkup
        .counts
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(table, rows)| format!("{rows} {table}"))
        .collect();
    writeln!(out, "{}: {}", path.display(), held.join(", "))?;
    checkup.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))?;
    checkup.faults.iter().try_for_each(|fault| writeln!(out, "fault: {fault}"))?;
    match checkup.faults.len() {
        0 => writeln!(out, "in order"),
        faults => writeln!(
            out,
            "not in order: {faults} faults; `havenwacht logbook salvage` reads what can be read"
        ),
    }
}

fn write_salvaged(saved: &Salvaged, out: &mut impl Write) -> std::io::Result<()> {
    for kind in &saved.kinds {
        write!(out, "{:>15}  {} rows", kind.table, kind.rows)?;
        if let Some(why) = &kind.lost {
            write!(out, "; nothing could be read: {why}")?;
        }
        if !kind.unread.is_empty() {
            write!(out, "; not readable: {}", kind.unread)?;
        }
        if kind.unfit > 0 {
            write!(out, "; {} did not fit", kind.unfit)?;
        }
        if !kind.stand_ins.is_empty() {
            write!(out, "; refer to what is lost: {}", kind.stand_ins.join(", "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logbook::tests::written;

    fn source(path: &Path) -> Source {
        Source { logbook: Some(path.to_owned()), config: None }
    }

    /// What a command says, and whether it ends well, with 65 or with 70.
    fn said(done: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<ExitCode>) -> (String, u8) {
        let mut out = Vec::new();
        let code = done(&mut out).unwrap();
        let number = [0, DAMAGED, NOT_DONE].into_iter().find(|&n| ExitCode::from(n) == code).unwrap();
        (String::from_utf8(out).unwrap(), number)
    }

    #[test]
    fn check_backup_and_salvage_say_what_they_found_and_end_with_65_or_70() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path()).logbook.unwrap();
        let check = |path: &Path| said(|out| super::check(&CheckArgs { source: source(path) }, out));
        let backup = |from: &Path, to: &Path| {
            said(|out| super::backup(&BackupArgs { source: source(from), to: to.to_owned() }, out))
        };
        let salvage = |from: &Path, to: &Path| {
            said(|out| super::salvage(&SalvageArgs { from: from.to_owned(), to: to.to_owned() }, out))
        };
        let (text, code) = check(&path);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 look, 2 detection") && text.ends_with("in order\n"), "{text}");
        let copy = folder.path().join("copy.sqlite");
        let (text, code) = backup(&path, &copy);
        assert_eq!(code, 0, "{text}");
        assert_eq!(backup(&path, &copy).1, NOT_DONE, "never over a file");
        assert_eq!(check(&folder.path().join("nowhere.sqlite")).1, NOT_DONE);
        // A page of the copy breaks: the one after the first, so that it can still be opened.
        let mut bytes = std::fs::read(&copy).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..].fill(0xA5);
        std::fs::write(&copy, bytes).unwrap();
        let (text, code) = check(&copy);
        assert_eq!(code, DAMAGED, "{text}");
        assert!(text.is_empty() || text.contains("fault: "), "{text}");
        let saved = folder.path().join("saved.sqlite");
        let (text, code) = salvage(&copy, &saved);
        assert_eq!(code, DAMAGED, "{text}");
        if saved.exists() {
            assert!(text.contains("in order\n"), "{text}");
        }
        let whole = folder.path().join("whole.sqlite");
        let (text, code) = salvage(&path, &whole);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("detection  2 rows\n"), "{text}");
        let notes = folder.path().join("notes.txt");
        std::fs::write(&notes, "buy milk\n".repeat(500)).unwrap();
        assert_eq!(check(&notes).1, DAMAGED);
    }
}
