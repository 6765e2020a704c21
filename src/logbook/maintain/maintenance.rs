//! Maintenance between commits: removal of old rows, checkpoints, room on a full disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::reserve::Reserve;
use super::retention::{Removal, Removed};
use crate::clock::{Clock, MonoTime};
use crate::logbook::error::{self, code};
use crate::logbook::files::wal_bytes;
use crate::logbook::open;
use crate::logbook::write::options::WriterOptions;
use crate::logbook::write::stats::{WriterStats, add};
use crate::logbook::write::store::Store;

/// A longer write-ahead log gets a checkpoint when the writer is idle; one of twice this length at any time.
const WAL_CHECKPOINT: u64 = 4 << 20;

/// A longer write-ahead log is held by a reader. Nothing is removed meanwhile, and the problem is reported.
pub(in crate::logbook) const WAL_HELD: u64 = 64 << 20;

/// How often a checkpoint is tried, and how long it waits for readers.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
const CHECKPOINT_WAIT: Duration = Duration::from_millis(20);

/// How often the reserve is checked.
const RESERVE_EVERY: Duration = Duration::from_secs(10);

/// With less free space than this, an I/O error means that the disk is full.
const NO_SPACE: u64 = 256 << 10;

/// What the writer does beside commits.
pub(in crate::logbook) struct Maintenance {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    stats: Arc<WriterStats>,
    /// `None`: all rows are kept.
    removal: Option<Removal>,
    reserve: Reserve,
    reserve_due: MonoTime,
    last_checkpoint: MonoTime,
}

impl Maintenance {
    pub(in crate::logbook) fn new(logbook: &Path, options: &WriterOptions, stats: Arc<WriterStats>) -> Self {
        let (clock, now) = (options.clock.clone(), options.clock.mono());
        let removal = options.retention.map(|retention| Removal::new(retention, now));
        let reserve = Reserve::of(logbook);
        Self { path: logbook.into(), clock, stats, removal, reserve, reserve_due: now, last_checkpoint: now }
    }

    /// The size of the reserve.
    pub(in crate::logbook) fn reserve_bytes(&self) -> u64 {
        self.reserve.bytes()
    }

    /// Whether this failed because the disk is full. On some file systems only the shared memory file does not fit.
    pub(in crate::logbook) fn is_full(&self, cause: &rusqlite::Error) -> bool {
        let no_space = || self.reserve.free().is_some_and(|free| free < NO_SPACE);
        error::is_full(cause) || (code(cause) == Some(ErrorCode::SystemIoFailure) && no_space())
    }

    /// Removes the oldest rows of a full disk, as far as retention permits. Returns whether any were removed.
    pub(in crate::logbook) fn make_room(&mut self, store: &mut Store, heartbeat: &dyn Fn()) -> bool {
        let Some(removal) = &mut self.removal else { return false };
        let checkpoint = |connection: &Connection| {
            if let Err(cause) = checkpoint(connection) {
                tracing::debug!(%cause, "no checkpoint on a full disk");
            }
        };
        // A checkpoint may let the logbook grow by the length of the log: the reserve is for that.
        self.reserve.give_up();
        checkpoint(&store.connection);
        let reserve = self.reserve.bytes();
        let made = removal.make_room(store, &*self.clock, [4 * reserve, reserve], |connection| {
            checkpoint(connection);
            heartbeat();
        });
        // Before any other write: the disk may be full again soon.
        self.reserve.build();
        match made {
            Ok(removed) => {
                self.count(removed);
                let any = removed != Removed::default();
                if any {
                    tracing::warn!(
                        passes = removed.passes,
                        events = removed.events,
                        "the disk is full: the oldest rows were removed"
                    );
                }
                any
            }
            Err(cause) => {
                tracing::debug!(%cause, "no room could be made on the full disk");
                false
            }
        }
    }

    /// One short step: old rows, the reserve, the write-ahead log. `idle`: no entry came.
    pub(in crate::logbook) fn between_commits(&mut self, store: &mut Store, idle: bool) {
        let now = self.clock.mono();
        // While a reader holds the log, removal only makes it longer.
        if let Some(removal) = &mut self.removal
            && !self.stats.wal_held.load(Ordering::Relaxed)
        {
            let removed = removal.step(store, &*self.clock);
            let took = u64::try_from(self.clock.mono().since(now).as_micros()).unwrap_or(u64::MAX);
            self.stats.longest_removal_micros.fetch_max(took, Ordering::Relaxed);
            match removed {
                Ok(removed) => self.count(removed),
                Err(cause) => tracing::warn!(%cause, "old rows cannot be removed now"),
            }
        }
        if self.removal.is_some() && now >= self.reserve_due {
            self.reserve_due = now + RESERVE_EVERY;
            self.reserve.build();
        }
        self.checkpoint_if_long(&store.connection, idle, now);
    }

    /// Runs a checkpoint when the write-ahead log is long, and reports a reader that prevents it.
    fn checkpoint_if_long(&mut self, connection: &Connection, idle: bool, now: MonoTime) {
        let mut bytes = self.measure_wal();
        let long = bytes > if idle { WAL_CHECKPOINT } else { 2 * WAL_CHECKPOINT };
        if long && now.since(self.last_checkpoint) > CHECKPOINT_EVERY {
            self.last_checkpoint = now;
            if let Err(cause) = checkpoint(connection) {
                tracing::debug!(%cause, "no checkpoint now");
            }
            bytes = self.measure_wal();
        }
        let held = bytes > WAL_HELD;
        if held != self.stats.wal_held.swap(held, Ordering::Relaxed) {
            match held {
                true => tracing::error!(
                    bytes,
                    "a program holds the logbook open for reading (`fuser` names it): the write-ahead log grows, and \
                     no old rows are removed meanwhile"
                ),
                false => tracing::info!(bytes, "the write-ahead log is short again"),
            }
        }
    }

    /// Measures the write-ahead log, for the metrics too.
    pub(in crate::logbook) fn measure_wal(&self) -> u64 {
        let bytes = wal_bytes(&self.path);
        self.stats.wal_bytes.store(bytes, Ordering::Relaxed);
        bytes
    }

    fn count(&self, removed: Removed) {
        add(&self.stats.removed_passes, removed.passes);
        add(&self.stats.removed_events, removed.events);
    }
}

/// A checkpoint that does not wait long for readers.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(CHECKPOINT_WAIT)?;
    let done = open::checkpoint(connection);
    connection.busy_timeout(open::BUSY)?;
    done
}
