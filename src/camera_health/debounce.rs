//! Debounce: a condition is on when it held for long enough, and off when it did not hold for long enough.

use std::time::Duration;

use crate::clock::Stamp;

/// The debounced state of one condition.
#[derive(Clone, Debug)]
pub(super) struct Debounce {
    on_after: Duration,
    off_after: Duration,
    since: Option<Stamp>,
    /// While it is on: since when it does not hold any more.
    not_since: Option<Stamp>,
    on: bool,
}

impl Debounce {
    pub(super) fn new(on_after: Duration, off_after: Duration) -> Self {
        Self { on_after, off_after, since: None, not_since: None, on: false }
    }

    /// Takes in a picture of time `at` in which the condition holds since that moment, or does not hold.
    pub(super) fn update(&mut self, holds_since: Option<Stamp>, at: Stamp) {
        match (holds_since, self.on) {
            (Some(since), false) => {
                let since = *self.since.get_or_insert(since);
                self.on = at.mono.since(since.mono) >= self.on_after;
            }
            (Some(_), true) => self.not_since = None,
            (None, false) => self.since = None,
            (None, true) => {
                let over = at.mono.since(self.not_since.get_or_insert(at).mono);
                if over >= self.off_after {
                    (self.since, self.not_since, self.on) = (None, None, false);
                }
            }
        }
    }

    /// Since when it holds, while it is on.
    pub(super) fn on(&self) -> Option<Stamp> {
        self.since.filter(|_| self.on)
    }

    /// The condition could not be measured for a while: a condition that is off starts again, and one that is on stays on.
    pub(super) fn interrupt(&mut self) {
        if !self.on {
            self.since = None;
        }
        self.not_since = None;
    }
}
