//! What the relay has done, for metrics and the health page.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The relay's counters. All but gauges (marked) only grow.
#[derive(Debug, Default)]
pub struct RelayStats {
    /// Gauge: there is a session with the broker.
    pub connected: AtomicBool,
    /// Sessions that the broker accepted.
    pub sessions: AtomicU64,
    /// Sessions, begun or not, that ended in an error.
    pub failures: AtomicU64,
    /// Alerts sent, repeats included.
    pub attempts: AtomicU64,
    /// Alerts that the broker confirmed.
    pub delivered: AtomicU64,
    /// Alerts that were too old to be sent.
    pub expired: AtomicU64,
    /// Alerts that cannot be sent as they are; they stay in the outbox until they expire.
    pub unsendable: AtomicU64,
    /// Gauge: alerts that wait for the broker's confirmation, or for the broker.
    pub undelivered: AtomicU64,
    /// Gauge: age of the oldest of them, in seconds.
    pub oldest_seconds: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl RelayStats {
    /// Why there is no session; `None` while there is one.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whether this is news.
    pub(super) fn set_error(&self, error: Option<String>) -> bool {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *last != error;
        *last = error;
        news
    }

    pub(super) fn add(&self, counter: impl Fn(&Self) -> &AtomicU64, by: u64) {
        counter(self).fetch_add(by, Ordering::Relaxed);
    }
}
