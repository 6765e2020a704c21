//! `logbook check`: whether the file is sound.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;

use super::source::Source;
use crate::logbook::{IntegrityReport, LogbookError, check_integrity};

/// Exit status: the logbook is damaged, or is not a logbook of this version (`EX_DATAERR`).
pub(super) const DAMAGED: u8 = 65;

/// Exit status: the check or the copy failed (`EX_SOFTWARE`).
pub(super) const NOT_DONE: u8 = 70;

/// What is checked.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
}

/// Checks; [`DAMAGED`] when there is a fault.
pub(super) fn check(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let path = args.source.path()?;
    let progress = ProgressBar::new_spinner();
    let checked = check_integrity(&path, |part| progress.set_message(part.to_owned()));
    progress.finish_and_clear();
    match checked {
        Ok(report) => {
            write_report(&path, &report, out)?;
            Ok(exit_code(report.is_sound()))
        }
        Err(cause) => failed(&cause),
    }
}

pub(super) fn exit_code(sound: bool) -> ExitCode {
    if sound { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) }
}

pub(super) fn failed(cause: &LogbookError) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stderr(), "havenwacht: {cause}")?;
    Ok(ExitCode::from(match cause {
        LogbookError::Damaged { .. }
        | LogbookError::Foreign { .. }
        | LogbookError::Newer { .. }
        | LogbookError::Older { .. } => DAMAGED,
        _ => NOT_DONE,
    }))
}

pub(super) fn write_report(
    path: &Path,
    report: &IntegrityReport,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let counts = report.counts.iter().filter(|(_, rows)| *rows > 0);
    let counts: Vec<String> = counts.map(|(table, rows)| format!("{rows} {table}")).collect();
    writeln!(out, "{}: {}", path.display(), counts.join(", "))?;
    report.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))?;
    report.faults.iter().try_for_each(|fault| writeln!(out, "fault: {fault}"))?;
    match report.faults.len() {
        0 => writeln!(out, "sound"),
        1 => writeln!(out, "1 fault; `havenwacht logbook recover` copies what can be read"),
        faults => writeln!(out, "{faults} faults; `havenwacht logbook recover` copies what can be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logbook::backup::{self, BackupArgs};
    use crate::cli::logbook::recover::{self, RecoverArgs};
    use crate::cli::logbook::tests::sample_logbook;

    fn source(path: &Path) -> Source {
        Source { logbook: Some(path.to_owned()), config: None }
    }

    /// A command's output, and its exit status: 0, 65 or 70.
    fn said(done: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<ExitCode>) -> (String, u8) {
        let mut out = Vec::new();
        let code = done(&mut out).unwrap();
        let number = [0, DAMAGED, NOT_DONE].into_iter().find(|&n| ExitCode::from(n) == code).unwrap();
        (String::from_utf8(out).unwrap(), number)
    }

    #[test]
    fn check_backup_and_recover_set_the_exit_status() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample_logbook(folder.path()).logbook.unwrap();
        let check = |path: &Path| said(|out| super::check(&CheckArgs { source: source(path) }, out));
        let backup = |from: &Path, to: &Path| {
            said(|out| backup::backup(&BackupArgs { source: source(from), to: to.to_owned() }, out))
        };
        let recover = |from: &Path, to: &Path| {
            said(|out| recover::recover(&RecoverArgs { from: from.to_owned(), to: to.to_owned() }, out))
        };
        let (text, code) = check(&path);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 pass, 2 detection") && text.ends_with("sound\n"), "{text}");
        let copy = folder.path().join("copy.sqlite");
        let (text, code) = backup(&path, &copy);
        assert_eq!(code, 0, "{text}");
        assert_eq!(backup(&path, &copy).1, NOT_DONE, "never over a file");
        assert_eq!(check(&folder.path().join("nowhere.sqlite")).1, NOT_DONE);
        // Damages the second half of the copy. The first page stays, so that the file can be opened.
        let mut bytes = std::fs::read(&copy).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..].fill(0xA5);
        std::fs::write(&copy, bytes).unwrap();
        let (text, code) = check(&copy);
        assert_eq!(code, DAMAGED, "{text}");
        assert!(text.is_empty() || text.contains("fault: "), "{text}");
        let saved = folder.path().join("saved.sqlite");
        let (text, code) = recover(&copy, &saved);
        assert_eq!(code, DAMAGED, "{text}");
        if saved.exists() {
            assert!(text.contains("sound\n"), "{text}");
        }
        let whole = folder.path().join("whole.sqlite");
        let (text, code) = recover(&path, &whole);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("detection  2 rows\n"), "{text}");
        let notes = folder.path().join("notes.txt");
        std::fs::write(&notes, "buy milk\n".repeat(500)).unwrap();
        assert_eq!(check(&notes).1, DAMAGED);
    }
}
