//! Backups, also while the daemon writes.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::logbook::error::{LogbookError, sql};
use crate::logbook::files::{beside, sync_folder};
use crate::logbook::integrity::integrity_check::{IntegrityReport, check_integrity};
use crate::logbook::open;

/// Pages that are copied between two reports of progress.
const PAGES: i32 = 2048;

/// Copies the logbook at `from`, as it is at one moment, to a file `to` that must not exist, and checks the copy. The file
/// gets its name only when it is complete and on disk. `progress` gets the number of copied pages and of all pages.
///
/// The daemon can write meanwhile; no checkpoint is possible.
pub fn backup(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<IntegrityReport, LogbookError> {
    if to.exists() {
        return Err(LogbookError::Exists { path: to.into() });
    }
    let part = beside(to, ".part");
    let done = copy(from, &part, &mut progress).and_then(|()| check_integrity(&part, |_part| ()));
    let report = match done {
        Ok(report) => report,
        Err(cause) => {
            remove(&part);
            return Err(cause);
        }
    };
    let failed = |cause| LogbookError::Io { doing: "write", path: to.into(), cause };
    File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    // A hard link never replaces another file, even one that was created meanwhile.
    std::fs::hard_link(&part, to)
        .or_else(|_no_links| {
            if to.exists() {
                Err(std::io::ErrorKind::AlreadyExists.into())
            } else {
                std::fs::rename(&part, to)
            }
        })
        .map_err(failed)?;
    remove(&part);
    sync_folder(to).map_err(failed)?;
    Ok(report)
}

fn copy(from: &Path, part: &Path, progress: &mut impl FnMut(u64, u64)) -> Result<(), LogbookError> {
    remove(part);
    let source = open::for_reading(from)?;
    let copying = sql("copy the logbook");
    // One snapshot for the whole copy: otherwise SQLite restarts the copy whenever a row is written.
    let snapshot = source.unchecked_transaction().map_err(&copying)?;
    snapshot.query_row("SELECT count(*) FROM start", [], |_row| Ok(())).map_err(&copying)?;
    let mut copy = Connection::open(part).map_err(&copying)?;
    {
        let backup = Backup::new(&snapshot, &mut copy).map_err(&copying)?;
        loop {
            let step = backup.step(PAGES).map_err(&copying)?;
            let reached = backup.progress();
            let [left, all] = [reached.remaining, reached.pagecount].map(|n| u64::from(n.unsigned_abs()));
            progress(all - left.min(all), all);
            if step == StepResult::Done {
                break;
            }
        }
    }
    // One file, without a write-ahead log.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(&copying)?;
    Ok(())
}

fn remove(part: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let _absent = std::fs::remove_file(beside(part, end));
    }
}
