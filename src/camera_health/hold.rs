//! A cause in time: it begins when it has held for long enough, and ends when it has not for long enough.

use std::time::Duration;

use crate::clock::Stamp;

/// One cause's beginning and end.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    begins_after: Duration,
    ends_after: Duration,
    since: Option<Stamp>,
    /// Since when it does not hold any more, while it is on.
    not_since: Option<Stamp>,
    on: bool,
}

impl Hold {
    pub(super) fn new(begins_after: Duration, ends_after: Duration) -> Self {
        Self { begins_after, ends_after, since: None, not_since: None, on: false }
    }

    /// Takes in a look at which the cause holds since that moment, or does not.
    pub(super) fn step(&mut self, holds_since: Option<Stamp>, at: Stamp) {
        match (holds_since, self.on) {
            (Some(since), false) => {
                let since = *self.since.get_or_insert(since);
                self.on = at.mono.since(since.mono) >= self.begins_after;
            }
            (Some(_), true) => self.not_since = None,
            (None, false) => self.since = None,
            (None, true) => {
                let over = at.mono.since(self.not_since.get_or_insert(at).mono);
                if over >= self.ends_after {
                    (self.since, self.not_since, self.on) = (None, None, false);
                }
            }
        }
    }

    /// Since when it holds, once it has for long enough and until it has not for long enough.
    pub(super) fn on(&self) -> Option<Stamp> {
        self.since.filter(|_| self.on)
    }

    /// Nothing could be told for a while: what has not begun must hold anew, and what has does not end by it.
    pub(super) fn interrupt(&mut self) {
        if !self.on {
            self.since = None;
        }
        self.not_since = None;
    }
}
