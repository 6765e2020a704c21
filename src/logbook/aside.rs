//! A damaged logbook makes way: it is kept under another name, and what must not wait is carried over.
//!
//! It stays whole whatever happens meanwhile: its files get their second names before they lose their first.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::copying::{Copied, copy, copy_sequences, numbers};
use super::error::{LogbookError, sql};
use super::{beside, chain, open};

/// The files of a logbook beside the logbook itself.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Undelivered alerts are looked for among so many of the newest when their index cannot be read; the others have expired.
const NEWEST_ALERTS: i64 = 5_000;

/// A logbook that was moved aside.
pub(super) struct Aside {
    /// Where it is now.
    pub(super) path: PathBuf,
    /// What was found.
    pub(super) report: String,
}

/// What was carried over into the new logbook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) alerts: u64,
    pub(super) visits: u64,
    /// Something could not be read.
    pub(super) incomplete: bool,
}

/// Notes that damage was met while the logbook was written, so that the next start need not find it anew.
pub(super) fn mark(logbook: &Path, report: &str) {
    let path = marker(logbook);
    if let Err(cause) = std::fs::write(&path, report) {
        tracing::error!(path = %path.display(), %cause, "the damage cannot be noted: {cause}");
    }
}

/// What [`mark`] noted.
pub(super) fn marked(logbook: &Path) -> Option<String> {
    std::fs::read_to_string(marker(logbook)).ok()
}

/// Takes the note back: the damaged file is out of the way.
pub(super) fn unmark(logbook: &Path) {
    let _absent = std::fs::remove_file(marker(logbook));
}

fn marker(logbook: &Path) -> PathBuf {
    beside(logbook, ".damaged")
}

/// Gives the files of a damaged logbook a second name each, beside the first.
pub(super) fn keep(logbook: &Path, report: &str, at: Timestamp) -> Result<Aside, LogbookError> {
    // Until the new logbook is in its place, a start after a crash begins again here.
    mark(logbook, report);
    let stamp = at.strftime("%Y%m%dT%H%M%SZ");
    let names = (0..1000).map(|again| match again {
        0 => beside(logbook, &format!(".damaged-{stamp}")),
        _ => beside(logbook, &format!(".damaged-{stamp}-{again}")),
    });
    let path =
        names.into_iter().find(|path| !path.exists()).unwrap_or_else(|| beside(logbook, ".damaged-last"));
    let failed = |cause| LogbookError::Io { doing: "keep the damaged", path: logbook.into(), cause };
    for end in COMPANIONS.iter().chain(&[""]) {
        let (from, to) = (beside(logbook, end), beside(&path, end));
        if from.exists() {
            // A disk without hard links keeps a copy.
            std::fs::hard_link(&from, &to)
                .or_else(|_no_links| std::fs::copy(&from, &to).map(|_bytes| ()))
                .map_err(failed)?;
        }
    }
    sync_folder(logbook).map_err(failed)?;
    tracing::error!(
        logbook = %logbook.display(), kept = %path.display(), report,
        "THE LOGBOOK IS DAMAGED ({report}); it is kept as {}, and the watch goes on with a new one",
        path.display()
    );
    Ok(Aside { path, report: report.to_owned() })
}

/// Puts a new logbook, with what was carried over, in the place of the damaged one.
pub(super) fn replace(logbook: &Path, aside: &Aside) -> Result<Carried, LogbookError> {
    let new = beside(logbook, ".new");
    for end in COMPANIONS.iter().chain(&[""]) {
        let _absent = std::fs::remove_file(beside(&new, end));
    }
    let mut to = open::of_this_version(&new)?;
    let carried = carry_over(aside, &mut to);
    // The chain of the new logbook begins with what was carried over.
    chain::adopt(&to).map_err(sql("link what was carried over"))?;
    open::fold(&to).map_err(sql("write the new logbook"))?;
    drop(to);
    let failed = |cause| LogbookError::Io { doing: "replace the damaged", path: logbook.into(), cause };
    for end in COMPANIONS {
        match std::fs::remove_file(beside(logbook, end)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(failed(cause)),
            _ => {}
        }
    }
    std::fs::rename(&new, logbook).and_then(|()| sync_folder(logbook)).map_err(failed)?;
    unmark(logbook);
    Ok(carried)
}

pub(super) fn sync_folder(file: &Path) -> std::io::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Copies into the new and empty logbook what must not be lost: alerts that wait for the broker, with their signals,
/// visits that last, and where numbers go on. Never fails: what cannot be read stays behind.
fn carry_over(aside: &Aside, to: &mut Connection) -> Carried {
    let done = to.transaction().and_then(|transaction| {
        let carried = carry(aside, &transaction);
        transaction.commit().map(|()| carried)
    });
    done.unwrap_or_else(|cause| {
        tracing::error!(%cause, "nothing could be carried over from the damaged logbook: {cause}");
        Carried { incomplete: true, ..Carried::default() }
    })
}

fn carry(aside: &Aside, to: &Connection) -> Carried {
    let from = match open::damaged(&aside.path) {
        Ok(from) => from,
        Err(cause) => {
            tracing::error!(%cause, "nothing can be carried over from the damaged logbook: {cause}");
            return Carried { incomplete: true, ..Carried::default() };
        }
    };
    let mut carried = Carried::default();
    let mut take = |table, which: &str| {
        let copied = copy(&from, to, table, which).unwrap_or_else(|cause| {
            tracing::error!(%cause, table, "cannot be carried over: {cause}");
            Copied { unread: vec![(0, 0)], ..Copied::default() }
        });
        carried.incomplete |= !copied.is_whole();
        copied.rows
    };
    take("start", "");
    take("camera", "");
    // So that no vessel is given the number of another.
    take("track", "vessel = (SELECT max(vessel) FROM track)");
    let (waiting, signals) = waiting(&from);
    // Signals first: an alert without its signal has no place.
    take("signal", &format!("seq IN ({})", list(&signals)));
    take("signal_step", &format!("signal IN ({})", list(&signals)));
    let alerts = take("alert", &format!("seq IN ({})", list(&waiting)));
    let lasting = numbers(&from, "visit", "seq", "ended IS NULL").unwrap_or_default();
    let visits = take("visit", &format!("seq IN ({})", list(&lasting)));
    take("visit_step", &format!("visit IN ({})", list(&lasting)));
    if let Err(cause) = copy_sequences(&from, to, "name <> 'link'") {
        tracing::warn!(%cause, "numbers of the damaged logbook may be given again: {cause}");
        carried.incomplete = true;
    }
    carried.incomplete |= !matches!(chain::drop_altered_pictures(to), Ok(0));
    Carried { alerts, visits, ..carried }
}

/// Numbers of the undelivered alerts, and of their signals.
fn waiting(from: &Connection) -> (Vec<i64>, Vec<i64>) {
    let by_index = |column: &str| {
        from.prepare(&format!("SELECT {column} FROM alert WHERE delivered IS NULL AND expired IS NULL"))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()
    };
    if let (Ok(alerts), Ok(signals)) = (by_index("seq"), by_index("signal")) {
        return (alerts, signals);
    }
    let newest = from
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'alert'", [], |row| row.get(0))
        .unwrap_or(NEWEST_ALERTS);
    let which =
        format!("+delivered IS NULL AND +expired IS NULL AND seq > {}", newest.saturating_sub(NEWEST_ALERTS));
    let read = |column| numbers(from, "alert", column, &which).unwrap_or_default();
    (read("seq"), read("signal"))
}

fn list(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}
