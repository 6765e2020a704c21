//! What the writer has done, for metrics and the health page.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The writer's counters. All but gauges (marked) only grow.
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
    /// Time spent in them, in microseconds.
    pub commit_micros: AtomicU64,
    /// The longest, in microseconds.
    pub longest_commit_micros: AtomicU64,
    /// Transactions that failed and were tried again with the same entries.
    pub failed_commits: AtomicU64,
    /// Entries that can never be written (a broken promise between rooms); logged as errors.
    pub refused: AtomicU64,
    /// Detections that were given up because the logbook could not be written for long.
    pub unwritten_detections: AtomicU64,
    /// Gauge: entries handed over and not yet committed.
    pub waiting: AtomicU64,
    /// Gauge: bytes in the write-ahead log.
    pub wal_bytes: AtomicU64,
    /// Looks removed: too old, or more than there is room for.
    pub removed_looks: AtomicU64,
    /// Events removed: too old, or more than there is room for.
    pub removed_events: AtomicU64,
    /// The longest that removal kept commits waiting in one go, in microseconds. Not counted: room made on a full disk,
    /// when nothing could be committed.
    pub longest_removal_micros: AtomicU64,
    /// Gauge: some program reads the logbook and does not let go, so that the write-ahead log cannot be folded in.
    pub wal_held: AtomicBool,
    /// Gauge: rows cannot be written now (disk full, say). They wait; of detections no more than there is room for.
    pub degraded: AtomicBool,
    last_error: Mutex<Option<String>>,
    damage: Mutex<Option<String>>,
}

impl WriterStats {
    /// The last thing that went wrong.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What staff and technicians should know, in sentences; empty when all is well. Damage that was met at the start is
    /// told for the whole run.
    pub fn problems(&self) -> Vec<String> {
        let damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let full = self.degraded.load(Ordering::Relaxed).then(|| {
            let why = self.last_error().unwrap_or_default();
            format!("the logbook cannot be written ({why}); what happens waits in memory")
        });
        let held = self.wal_held.load(Ordering::Relaxed).then(|| {
            "a program reads the logbook and does not let go; its write-ahead log grows, and nothing is removed"
                .to_owned()
        });
        damage.into_iter().chain(full).chain(held).collect()
    }

    pub(super) fn set_damage(&self, text: String) {
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

/// Counts.
pub(super) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
