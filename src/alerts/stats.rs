//! The relay's counters, for the metrics and the health page.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The relay's counters, and gauges where a field says so.
#[derive(Debug, Default)]
pub struct RelayStats {
    /// Gauge: true during a session.
    pub connected: AtomicBool,
    /// Sessions that the broker accepted.
    pub sessions: AtomicU64,
    /// Sessions, begun or not, that ended in an error.
    pub failures: AtomicU64,
    /// Alerts sent, repeats included.
    pub attempts: AtomicU64,
    /// Alerts that the broker acknowledged.
    pub delivered: AtomicU64,
    /// Alerts too old to send.
    pub expired: AtomicU64,
    /// Alerts whose row in the outbox is damaged; they stay there until they expire.
    pub unsendable: AtomicU64,
    /// Gauge: alerts that the broker has not acknowledged.
    pub undelivered: AtomicU64,
    /// Gauge: age of the oldest such alert, in seconds.
    pub oldest_seconds: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl RelayStats {
    /// Why there is no session; `None` during one.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when the error differs from the last one.
    pub(super) fn set_error(&self, error: Option<String>) -> bool {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *last != error;
        *last = error;
        changed
    }

    pub(super) fn add(&self, counter: impl Fn(&Self) -> &AtomicU64, by: u64) {
        counter(self).fetch_add(by, Ordering::Relaxed);
    }
}
