//! The writer's chores between commits: old rows out, a long write-ahead log in, room on a full disk.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::retention::Removed;
use super::stats::add;
use super::writer::Turns;
use super::{beside, open};
use crate::clock::MonoTime;

/// A write-ahead log above this is folded into the logbook when nothing else is to do, and above twice this in any case.
const WAL_TIDY: u64 = 4 << 20;

/// A write-ahead log above this is held by a reader that does not let go: nothing more is removed, and it is told.
pub(super) const WAL_LONG: u64 = 64 << 20;

/// Folding in is tried this often, and waits for readers no longer than this.
const FOLD_EVERY: Duration = Duration::from_secs(10);
const FOLD_WAIT: Duration = Duration::from_millis(20);

/// The reserve is looked after this often.
const RESERVE_EVERY: Duration = Duration::from_secs(10);

impl Turns {
    /// Whether this failed for want of room. On some file systems it is the shared memory file that does not fit.
    pub(super) fn is_full(&self, cause: &rusqlite::Error) -> bool {
        let starved = || self.reserve.free().is_some_and(|free| free < 256 << 10);
        open::is_full(cause) || (open::code(cause) == Some(ErrorCode::SystemIoFailure) && starved())
    }

    /// Lets the oldest rows go on a full disk, as far as retention permits. True when some went.
    pub(super) fn make_room(&mut self) -> bool {
        let Some(removal) = &mut self.removal else { return false };
        let fold = |connection: &Connection| {
            if let Err(cause) = fold(connection) {
                tracing::debug!(%cause, "the write-ahead log could not be folded in on a full disk");
            }
        };
        // Folding in may let the logbook grow, by no more than the log is long: that is what the reserve is for.
        self.reserve.give_up();
        fold(&self.store.connection);
        let reserve = self.reserve.bytes();
        let made =
            removal.make_room(&mut self.store, &*self.options.clock, [4 * reserve, reserve], |connection| {
                fold(connection);
                (self.options.beat)();
            });
        // Before anything else is written: the disk may be full again soon.
        self.reserve.build();
        match made {
            Ok(removed) => {
                self.count(removed);
                let some = removed != Removed::default();
                if some {
                    tracing::warn!(
                        looks = removed.looks,
                        events = removed.events,
                        "the disk is full: {} looks and {} events, the oldest, made room",
                        removed.looks,
                        removed.events
                    );
                }
                some
            }
            Err(cause) => {
                tracing::debug!(%cause, "no room could be made on the full disk now");
                false
            }
        }
    }

    fn count(&self, removed: Removed) {
        add(&self.stats.removed_looks, removed.looks);
        add(&self.stats.removed_events, removed.events);
    }

    /// Small chores between commits: old rows out, a long write-ahead log in, the reserve kept.
    pub(super) fn tend(&mut self, idle: bool) {
        let now = self.options.clock.mono();
        // What is removed while a reader holds the log only makes it longer.
        if let Some(removal) = &mut self.removal
            && !self.stats.wal_held.load(Ordering::Relaxed)
        {
            let removed = removal.step(&mut self.store, &*self.options.clock);
            let took = u64::try_from(self.options.clock.mono().since(now).as_micros()).unwrap_or(u64::MAX);
            self.stats.longest_removal_micros.fetch_max(took, Ordering::Relaxed);
            match removed {
                Ok(removed) => self.count(removed),
                Err(cause) => tracing::warn!(%cause, "old rows could not be removed now: {cause}"),
            }
        }
        if self.removal.is_some() && now >= self.reserve_due {
            self.reserve_due = now + RESERVE_EVERY;
            self.reserve.build();
        }
        self.tidy(idle, now);
    }

    /// Folds a long write-ahead log in, and notices when a reader does not let it.
    fn tidy(&mut self, idle: bool, now: MonoTime) {
        self.measure_wal();
        let bytes = self.stats.wal_bytes.load(Ordering::Relaxed);
        let long = bytes > if idle { WAL_TIDY } else { 2 * WAL_TIDY };
        if long && now.since(self.tidied) > FOLD_EVERY {
            self.tidied = now;
            if let Err(cause) = fold(&self.store.connection) {
                tracing::debug!(%cause, "the write-ahead log could not be folded in now");
            }
            self.measure_wal();
        }
        let bytes = self.stats.wal_bytes.load(Ordering::Relaxed);
        let held = bytes > WAL_LONG;
        if held != self.stats.wal_held.swap(held, Ordering::Relaxed) {
            match held {
                true => tracing::error!(
                    bytes,
                    "some program reads the logbook and does not let go (`fuser` names it): its write-ahead log grows, \
                     and nothing is removed meanwhile"
                ),
                false => tracing::info!(bytes, "the write-ahead log is folded in again"),
            }
        }
    }

    pub(super) fn measure_wal(&self) {
        let bytes = std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len());
        self.stats.wal_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// Folds the write-ahead log in; readers are not waited for long.
fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(FOLD_WAIT)?;
    let folded = open::fold(connection);
    connection.busy_timeout(open::BUSY)?;
    folded
}
