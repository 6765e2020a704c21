//! Quarantine: a damaged logbook is kept under another name, and what must not wait is copied into a new one.
//!
//! The damaged logbook stays whole: its files get their second names before they lose their first.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::reserve::Reserve;
use super::table_recovery::{RecoveredRows, copy, copy_sequences, numbers};
use crate::logbook::entry::StartEntry;
use crate::logbook::error::{LogbookError, is_full, sql};
use crate::logbook::files::{COMPANIONS, beside, remove_damage_note, sync_folder, write_damage_note};
use crate::logbook::integrity::chain;
use crate::logbook::integrity::deletion_receipts::{self, Receipt, RemovalCause};
use crate::logbook::integrity::key::SigningKey;
use crate::logbook::ranges::Ranges;
use crate::logbook::write::stats::WriterStats;
use crate::logbook::write::store::Store;
use crate::logbook::{open, schema};

/// When their index cannot be read, undelivered alerts are searched among this many of the newest; older ones have expired.
const NEWEST_ALERTS: i64 = 5_000;

/// A logbook in quarantine.
struct Quarantined {
    /// Its new name.
    path: PathBuf,
    /// The damage that was found.
    report: String,
}

/// What was copied into the new logbook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Carried {
    alerts: u64,
    visits: u64,
    /// Something could not be read.
    incomplete: bool,
}

/// As [`Store::open`], but a damaged logbook is put in quarantine, and a new one is begun with what must not wait. The
/// problem is noted in `stats`.
pub(in crate::logbook) fn open_or_replace(
    path: &Path,
    start: &StartEntry,
    key: Option<SigningKey>,
    stats: &WriterStats,
) -> Result<Store, LogbookError> {
    let report = match Store::open(path, start, key.clone()) {
        Err(LogbookError::Damaged { report, .. }) => report,
        Err(LogbookError::Sql { cause, .. }) if is_full(&cause) => {
            // Even a start is a row.
            Reserve::of(path).give_up();
            return Store::open(path, start, key);
        }
        opened => return opened,
    };
    let quarantined = quarantine(path, &report, start.at.wall)?;
    let carried = replace(path, &quarantined)?;
    let mut store = Store::open(path, start, key)?;
    let text = write_receipt(&mut store, &quarantined, carried, start.at.wall)
        .map_err(sql("record what happened to the logbook"))?;
    stats.set_damage(text);
    Ok(store)
}

/// The new logbook records why it is new. Returns the text.
fn write_receipt(
    store: &mut Store,
    quarantined: &Quarantined,
    carried: Carried,
    at: Timestamp,
) -> rusqlite::Result<String> {
    let Carried { alerts, visits, incomplete } = carried;
    let text = format!(
        "the logbook was damaged ({}) and is kept as {}; copied into the new one: {alerts} undelivered alerts, {visits} open \
         visits{}",
        quarantined.report,
        quarantined.path.display(),
        if incomplete { ", and there may have been more" } else { "" }
    );
    tracing::error!("{text}; `havenwacht logbook recover` reads the rest");
    let ids = Ranges::default();
    let receipt = Receipt { cause: RemovalCause::Damaged, kind: "logbook", ids: &ids, why: &text };
    store.write_events(|context, _seals| {
        let id = deletion_receipts::write(context, at, &receipt)?;
        deletion_receipts::set_done(context.connection, id, at)
    })?;
    Ok(text)
}

/// Gives each file of a damaged logbook a second name.
fn quarantine(logbook: &Path, report: &str, at: Timestamp) -> Result<Quarantined, LogbookError> {
    // If the process is killed before the new logbook has its name, the next start begins again here.
    write_damage_note(logbook, report);
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
            // A file system without hard links gets a copy.
            std::fs::hard_link(&from, &to)
                .or_else(|_no_links| std::fs::copy(&from, &to).map(|_bytes| ()))
                .map_err(failed)?;
        }
    }
    sync_folder(logbook).map_err(failed)?;
    tracing::error!(
        logbook = %logbook.display(), kept = %path.display(), report,
        "THE LOGBOOK IS DAMAGED; it is kept, and a new one is begun"
    );
    Ok(Quarantined { path, report: report.to_owned() })
}

/// Replaces the damaged logbook by a new one with what must not wait.
fn replace(logbook: &Path, quarantined: &Quarantined) -> Result<Carried, LogbookError> {
    let new = beside(logbook, ".new");
    for end in COMPANIONS.iter().chain(&[""]) {
        let _absent = std::fs::remove_file(beside(&new, end));
    }
    let (carried, version) = carry_over(quarantined, &new)?;
    let to = open::update_new(&new)?;
    // The chain of the new logbook begins with what was copied. The update of an old schema has linked it already.
    if version >= schema::FIRST_WITH_CHAIN {
        chain::link_all(&to).map_err(sql("link what was copied"))?;
    }
    open::checkpoint(&to).map_err(sql("write the new logbook"))?;
    drop(to);
    let failed = |cause| LogbookError::Io { doing: "replace the damaged", path: logbook.into(), cause };
    for end in COMPANIONS {
        match std::fs::remove_file(beside(logbook, end)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(failed(cause)),
            _ => {}
        }
    }
    std::fs::rename(&new, logbook).and_then(|()| sync_folder(logbook)).map_err(failed)?;
    remove_damage_note(logbook);
    Ok(carried)
}

/// Copies into a new logbook `new`, of the same schema, what must not be lost: alerts that wait for the broker, with their
/// signals; open visits; and where numbers continue. What cannot be read is left out. Also returns the schema version.
fn carry_over(quarantined: &Quarantined, new: &Path) -> Result<(Carried, usize), LogbookError> {
    let damaged = open::damaged(&quarantined.path).and_then(|from| {
        let version = open::version_of_damaged(&from, &quarantined.path)?;
        Ok((from, version))
    });
    let (from, version) = match damaged {
        Ok(opened) => opened,
        Err(cause) => {
            tracing::error!(%cause, "nothing can be copied from the damaged logbook");
            drop(open::new_of_version(new, schema::VERSION)?);
            return Ok((Carried { incomplete: true, ..Carried::default() }, schema::VERSION));
        }
    };
    let mut to = open::new_of_version(new, version)?;
    let done = to.transaction().and_then(|transaction| {
        let carried = carry(&from, &transaction, version);
        transaction.commit().map(|()| carried)
    });
    let carried = done.unwrap_or_else(|cause| {
        tracing::error!(%cause, "nothing could be copied from the damaged logbook");
        Carried { incomplete: true, ..Carried::default() }
    });
    Ok((carried, version))
}

fn carry(from: &Connection, to: &Connection, version: usize) -> Carried {
    let mut carried = Carried::default();
    let mut take = |table, which: &str| {
        let copied = copy(from, to, table, which).unwrap_or_else(|cause| {
            tracing::error!(%cause, table, "a table cannot be copied");
            RecoveredRows { unread: vec![(0, 0)], ..RecoveredRows::default() }
        });
        carried.incomplete |= !copied.is_whole();
        copied.rows
    };
    take("start", "");
    take("camera", "");
    // So that no vessel gets the number of another.
    take("track", "vessel = (SELECT max(vessel) FROM track)");
    let (waiting, signals) = undelivered(from);
    // Signals first, because alerts refer to them.
    take("signal", &format!("seq IN ({})", list(&signals)));
    take("signal_step", &format!("signal IN ({})", list(&signals)));
    let alerts = take("alert", &format!("seq IN ({})", list(&waiting)));
    let open_visits = numbers(from, "visit", "seq", "ended IS NULL").unwrap_or_default();
    let visits = take("visit", &format!("seq IN ({})", list(&open_visits)));
    take("visit_step", &format!("visit IN ({})", list(&open_visits)));
    if let Err(cause) = copy_sequences(from, to, "name <> 'link'") {
        tracing::warn!(%cause, "numbers of the damaged logbook may be used again");
        carried.incomplete = true;
    }
    if version >= schema::FIRST_WITH_CHAIN {
        carried.incomplete |= !matches!(chain::drop_altered_pictures(to), Ok(0));
    }
    Carried { alerts, visits, ..carried }
}

/// The numbers of undelivered alerts, and of their signals.
fn undelivered(from: &Connection) -> (Vec<i64>, Vec<i64>) {
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
