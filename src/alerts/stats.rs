//! The relay's counters, for the metrics and the health page.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::refusal::Refusal;

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
    /// Alerts that the broker accepted.
    pub delivered: AtomicU64,
    /// Alerts too old to send.
    pub expired: AtomicU64,
    /// Alerts whose row in the outbox is damaged; they stay there until they expire.
    pub unsendable: AtomicU64,
    /// Gauge: alerts that the broker has not accepted.
    pub undelivered: AtomicU64,
    /// Gauge: age of the oldest such alert, in seconds.
    pub oldest_seconds: AtomicU64,
    last_error: Mutex<Option<String>>,
    held_back: Mutex<Option<String>>,
    acknowledgements: Mutex<Option<String>>,
    refusals: Mutex<BTreeMap<(&'static str, Refusal), u64>>,
}

impl RelayStats {
    /// Why there is no session; `None` during one.
    pub fn last_error(&self) -> Option<String> {
        lock(&self.last_error).clone()
    }

    /// What the broker does not accept although it is connected, in sentences; empty when there is nothing.
    pub fn problems(&self) -> Vec<String> {
        let held_back = lock(&self.held_back).clone();
        held_back.into_iter().chain(lock(&self.acknowledgements).clone()).collect()
    }

    /// Messages that the broker refused: what they were (`alert`, `picture`, `presence`), why, how many.
    pub fn refusals(&self) -> Vec<(&'static str, Refusal, u64)> {
        lock(&self.refusals).iter().map(|(&(what, reason), &count)| (what, reason, count)).collect()
    }

    /// True when the error differs from the last one.
    pub(super) fn set_error(&self, error: Option<String>) -> bool {
        let mut last = lock(&self.last_error);
        let changed = *last != error;
        *last = error;
        changed
    }

    pub(super) fn set_held_back(&self, problem: Option<String>) {
        *lock(&self.held_back) = problem;
    }

    pub(super) fn set_acknowledgements(&self, error: Option<String>) {
        *lock(&self.acknowledgements) = error;
    }

    pub(super) fn add(&self, counter: impl Fn(&Self) -> &AtomicU64, by: u64) {
        counter(self).fetch_add(by, Ordering::Relaxed);
    }

    pub(super) fn add_refusal(&self, what: &'static str, reason: Refusal) {
        *lock(&self.refusals).entry((what, reason)).or_default() += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
