//! Time for which something is so, through the moments in which it seems not to be.

use std::time::Duration;

use super::Held;
use crate::clock::Stamp;

/// How long something has been so for one subject. A lapse shorter than the grace does not end it: boxes jitter at borders.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stay {
    current: Option<Current>,
    /// It was seen not to be so before.
    was_not: bool,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    since: Stamp,
    entered: bool,
    last: Stamp,
}

impl Stay {
    /// Takes in whether it `is` so now. Time counts while `live`; it was entered only when it was seen not to be so
    /// before: who is inside when the shift begins, or when the camera first sees it, has not entered.
    pub(super) fn step(&mut self, is: bool, at: Stamp, live: bool, grace: Duration) -> Held {
        if is && live {
            let begins = Current { since: at, entered: self.was_not, last: at };
            let current = self.current.get_or_insert(begins);
            current.last = at;
            return Held::Since { since: current.since, entered: current.entered };
        }
        let over = |current: Current| !live || at.mono.since(current.last.mono) >= grace;
        if self.current.is_none_or(over) {
            self.current = None;
            self.was_not = !is;
        }
        Held::No
    }
}

/// Seconds from `since` to `at`, to the millisecond: frames are no nearer in time than that.
pub(super) fn seconds(since: Stamp, at: Stamp) -> f64 {
    at.mono.since(since.mono).as_millis() as f64 / 1000.0
}
