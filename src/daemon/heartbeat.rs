//! Proof that every loop runs. The watchdog is fed only while all of them do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// A loop that did not beat for this long hangs. A loop that waits for a camera or a broker beats.
pub(super) const LOOP_LIMIT: Duration = Duration::from_secs(15);
/// A commit may wait for a slow disk; a writer that takes longer hangs.
pub(super) const LOGBOOK_LIMIT: Duration = Duration::from_secs(60);

/// The loops that must run.
#[derive(Clone)]
pub struct Heartbeats {
    clock: Arc<dyn Clock>,
    loops: Arc<Mutex<Vec<MonitoredLoop>>>,
}

struct MonitoredLoop {
    name: String,
    limit: Duration,
    last_ms: Arc<AtomicU64>,
}

/// One loop's heartbeat: call [`Heartbeat::beat`] in every iteration.
#[derive(Clone)]
pub struct Heartbeat {
    clock: Arc<dyn Clock>,
    last_ms: Arc<AtomicU64>,
}

impl Heartbeat {
    /// The loop runs.
    pub fn beat(&self) {
        self.last_ms.store(now_ms(&*self.clock), Ordering::Relaxed);
    }
}

impl Heartbeats {
    /// No loops yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, loops: Arc::default() }
    }

    /// Expects `name` to beat at least every `limit` from now on.
    pub fn expect(&self, name: impl Into<String>, limit: Duration) -> Heartbeat {
        let last_ms = Arc::new(AtomicU64::new(now_ms(&*self.clock)));
        let expected = MonitoredLoop { name: name.into(), limit, last_ms: last_ms.clone() };
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).push(expected);
        Heartbeat { clock: self.clock.clone(), last_ms }
    }

    /// The loops that have not beaten within their limits, and for how long.
    pub fn late(&self) -> Vec<(String, Duration)> {
        let now = now_ms(&*self.clock);
        let since_last =
            |l: &MonitoredLoop| Duration::from_millis(now.saturating_sub(l.last_ms.load(Ordering::Relaxed)));
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.iter().filter(|l| since_last(l) > l.limit).map(|l| (l.name.clone(), since_last(l))).collect()
    }
}

fn now_ms(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.mono().since_boot().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimulatedClock;

    #[test]
    fn a_loop_that_stops_beating_is_late() {
        let clock = Arc::new(SimulatedClock::new("2026-06-01T20:13:00Z".parse().unwrap()));
        let heartbeats = Heartbeats::new(clock.clone());
        let detector = heartbeats.expect("detector", Duration::from_secs(10));
        let writer = heartbeats.expect("logbook", Duration::from_secs(10));
        clock.advance(Duration::from_secs(9));
        assert_eq!(heartbeats.late(), []);
        writer.beat();
        clock.advance(Duration::from_secs(2));
        assert_eq!(heartbeats.late(), [("detector".to_owned(), Duration::from_secs(11))]);
        detector.beat();
        assert_eq!(heartbeats.late(), []);
    }
}
