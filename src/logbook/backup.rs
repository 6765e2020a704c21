//! A copy of the logbook while the watch runs.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::aside::sync_folder;
use super::checkup::{self, Checkup};
use super::error::{LogbookError, sql};
use super::{beside, open};

/// Pages copied between two words of progress.
const PAGES: i32 = 2048;

/// Copies the logbook at `from` as it is at this moment to a file `to`, which must not exist, and checks the copy. It comes
/// under its name only when it is whole and on disk. `progress` hears pages copied and pages in all.
///
/// The watch goes on writing; its write-ahead log is not folded in meanwhile.
pub fn backup(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Checkup, LogbookError> {
    if to.exists() {
        return Err(LogbookError::Exists { path: to.into() });
    }
    let part = beside(to, ".part");
    let done = copy(from, &part, &mut progress).and_then(|()| checkup::check(&part, |_part| ()));
    let checkup = match done {
        Ok(checkup) => checkup,
        Err(cause) => {
            remove(&part);
            return Err(cause);
        }
    };
    let failed = |cause| LogbookError::Io { doing: "write", path: to.into(), cause };
    File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    // Never over another file, also when that came meanwhile.
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
    Ok(checkup)
}

fn copy(from: &Path, part: &Path, progress: &mut impl FnMut(u64, u64)) -> Result<(), LogbookError> {
    remove(part);
    let source = open::for_reading(from)?;
    let copying = sql("copy the logbook");
    // One moment for the whole copy: without this it would begin anew with every row that the watch writes.
    let moment = source.unchecked_transaction().map_err(&copying)?;
    moment.query_row("SELECT count(*) FROM start", [], |_row| Ok(())).map_err(&copying)?;
    let mut copy = Connection::open(part).map_err(&copying)?;
    {
        let backup = Backup::new(&moment, &mut copy).map_err(&copying)?;
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
    // One file, without companions.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(&copying)?;
    Ok(())
}

fn remove(part: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let _absent = std::fs::remove_file(beside(part, end));
    }
}
