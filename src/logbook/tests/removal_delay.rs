//! Tests of how long removal delays commits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::fresh;
use super::retention::sample_logbook;
use crate::clock::{Clock, MonoTime, Stamp};
use crate::logbook::maintain::retention::{LONGEST_DELAY, Removal};
use crate::logbook::testing::*;
use crate::logbook::write::store::Store;
use crate::logbook::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Each reading of this clock takes time: the test does not depend on the load of the machine.
pub(super) struct SlowClock {
    each: Duration,
    asked: AtomicU64,
}

impl SlowClock {
    pub(super) fn new(each: Duration) -> Self {
        Self { each, asked: AtomicU64::new(0) }
    }
}

impl Clock for SlowClock {
    fn mono(&self) -> MonoTime {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        MonoTime::from_boot(Duration::from_secs(10) + self.each * u32::try_from(asked).unwrap())
    }

    fn now(&self) -> Stamp {
        let wall: Timestamp = at(0.0).wall + 30 * DAY;
        Stamp { mono: self.mono(), wall }
    }
}

#[test]
fn removal_stops_before_it_delays_commits_too_long() {
    for each_ms in [1, 2, 3, 20] {
        let (_folder, path) = fresh();
        sample_logbook(&path, 3000);
        let clock = SlowClock::new(Duration::from_millis(each_ms));
        let mut store = Store::open(&path, &StartEntry { at: at(0.0), ..start() }, None).unwrap();
        let mut removal = Removal::new(retention(DAY, DAY), MonoTime::from_boot(Duration::ZERO));
        let (mut calls, mut longest) = (0, Duration::ZERO);
        while column(&path, "SELECT count(*) FROM signal") == ["2"] {
            let begun = clock.mono();
            removal.step(&mut store, &clock).unwrap();
            longest = longest.max(clock.mono().since(begun));
            calls += 1;
            // Beyond the pause.
            clock.asked.fetch_add(1 + 1500 / each_ms, Ordering::Relaxed);
            assert!(calls < 2000);
        }
        // A step reads the clock at most five times, and the call twice more. At 20 ms each call is one step.
        let bound = LONGEST_DELAY.max(5 * clock.each) + 2 * clock.each;
        assert!(longest <= bound, "{longest:?} with {:?} for each reading", clock.each);
        assert!(calls > 1);
    }
}

/// The figure that the documentation states, on this machine.
#[test]
#[expect(clippy::print_stderr, reason = "the figure is for the reader of the test run")]
fn commits_are_delayed_no_longer_than_stated() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 40_000);
    let (mut options, clock) = options_at(BEGIN);
    options.clock = std::sync::Arc::new(crate::clock::SystemClock::starting_at(clock.now().wall + 20 * DAY));
    options.retention = Some(retention(DAY, 10 * DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    for number in 0..400 {
        // Entries keep coming during removal.
        sender.send(pass(2_000_000.0 + f64::from(number), vec![vessel_at(1.0, None)], vec![])).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        if stats.removed_passes.load(Ordering::Relaxed) >= 40_000 {
            break;
        }
    }
    writer.flush(SOON).unwrap();
    let removed = stats.removed_passes.load(Ordering::Relaxed);
    let longest = Duration::from_micros(stats.longest_removal_micros.load(Ordering::Relaxed));
    eprintln!("{removed} passes removed; the longest delay of a commit was {longest:?}");
    assert!(removed > 1000, "{removed}");
    // The test machine may be busy; the test above holds the exact limit.
    assert!(longest < 4 * LONGEST_DELAY, "{longest:?}");
}
