//! The writer's counters, for metrics and the health page.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Counters of the writer. They only grow, except those marked as gauges.
#[derive(Debug, Default)]
pub struct WriterStats {
    /// Entries committed.
    pub entries: AtomicU64,
    /// Detections committed.
    pub detections: AtomicU64,
    /// Alerts committed to the outbox.
    pub alerts: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Time spent in commits, in microseconds.
    pub commit_micros: AtomicU64,
    /// The longest commit, in microseconds.
    pub longest_commit_micros: AtomicU64,
    /// Transactions that failed; the same entries were tried again.
    pub failed_commits: AtomicU64,
    /// Entries that can never be written, which is an error of the module that sent them; each is logged.
    pub rejected: AtomicU64,
    /// Detections that were dropped because the logbook could not be written for long.
    pub unwritten_detections: AtomicU64,
    /// Gauge: entries handed over and not yet committed.
    pub waiting: AtomicU64,
    /// Gauge: bytes in the write-ahead log.
    pub wal_bytes: AtomicU64,
    /// Detection passes removed: too old, or more than there is room for.
    pub removed_passes: AtomicU64,
    /// Events removed: too old, or more than there is room for.
    pub removed_events: AtomicU64,
    /// The longest time that one step of removal delayed commits, in microseconds. Not counted: room made on a full disk,
    /// when nothing could be committed.
    pub longest_removal_micros: AtomicU64,
    /// Gauge: a program holds the logbook open for reading, so that no checkpoint is possible.
    pub wal_held: AtomicBool,
    /// Gauge: rows cannot be written now, for example because the disk is full. Events wait; detections may be dropped.
    pub degraded: AtomicBool,
    last_error: Mutex<Option<String>>,
    damage: Mutex<Option<String>>,
}

impl WriterStats {
    /// The last error.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What staff and technicians must know, in sentences; empty when there is no problem. Damage that was found at the
    /// start stays in the list until the next start.
    pub fn problems(&self) -> Vec<String> {
        let damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let full = self.degraded.load(Ordering::Relaxed).then(|| {
            let why = self.last_error().unwrap_or_default();
            format!("the logbook cannot be written ({why}); events wait in memory")
        });
        let held = self.wal_held.load(Ordering::Relaxed).then(|| {
            "a program holds the logbook open for reading; the write-ahead log grows, and no old rows are removed"
                .to_owned()
        });
        damage.into_iter().chain(full).chain(held).collect()
    }

    pub(in crate::logbook) fn set_damage(&self, text: String) {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    pub(super) fn set_error(&self, text: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    pub(super) fn committed(&self, entries: u64, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(&self.entries, entries);
        add(&self.commits, 1);
        add(&self.commit_micros, micros);
        self.longest_commit_micros.fetch_max(micros, Ordering::Relaxed);
        self.degraded.store(false, Ordering::Relaxed);
    }
}

/// Adds to a counter.
pub(in crate::logbook) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
