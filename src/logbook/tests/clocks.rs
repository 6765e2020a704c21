//! Tests with wrong clocks: they remove no rows, and make no alert too old.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, ClockReading, ClockWatch, SimulatedClock};
use crate::logbook::testing::*;
use crate::logbook::*;

const DAY: Duration = Duration::from_secs(86_400);

/// A machine with a simulated clock that can be switched off and on.
struct Machine {
    _folder: tempfile::TempDir,
    path: PathBuf,
    clock: Arc<SimulatedClock>,
    boot: u32,
    clocks: ClockWatch,
    on: Option<(Writer, LogbookSender)>,
    second: u32,
}

impl Machine {
    fn begin(wall: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let clock = Arc::new(SimulatedClock::new(wall.parse().unwrap()));
        let clocks = ClockWatch::begin(clock.now(), String::new(), None).0;
        let mut machine = Self { _folder: folder, path, clock, boot: 0, clocks, on: None, second: 0 };
        machine.switch_on();
        machine
    }

    fn switch_on(&mut self) {
        self.boot += 1;
        let mut options = WriterOptions::new(self.clock.clone() as Arc<dyn Clock>);
        options.retention = Some(retention(90 * DAY, 730 * DAY));
        let begun = StartEntry { at: self.clock.now(), ..start() };
        self.on = Some(Writer::open(&self.path, &begun, options).unwrap());
        let first;
        (self.clocks, first) = ClockWatch::begin(self.clock.now(), self.boot.to_string(), None);
        self.write(first);
    }

    /// The machine is off.
    fn switch_off(&mut self) {
        let (writer, _sender) = self.on.take().unwrap();
        writer.close(self.clock.now().wall, SOON).unwrap();
    }

    fn write(&self, reading: ClockReading) {
        self.on.as_ref().unwrap().1.send(Entry::Clock(reading)).unwrap();
    }

    fn step(&mut self, by: SignedDuration) {
        self.clock.step(by);
        for reading in self.clocks.check(self.clock.now(), None) {
            self.write(reading);
        }
    }

    /// A vessel is detected, and an alert raised.
    fn detect(&mut self) {
        let (writer, sender) = self.on.as_ref().unwrap();
        self.second += 1;
        let Entry::Pass(mut seen) = pass(1.0, vec![vessel_at(1.0, Some(7))], vec![]) else { unreachable!() };
        seen.at = self.clock.now();
        sender.send(Entry::Pass(seen)).unwrap();
        let Entry::Signal(mut raised) = notified_signal(self.second.into(), 1.0) else { unreachable!() };
        raised.event.at = self.clock.now();
        sender.send(Entry::Signal(raised)).unwrap();
        writer.flush(SOON).unwrap();
    }

    /// Runs removal, and returns the number of passes that are left.
    fn passes_after(&self, passed: Duration) -> usize {
        let (writer, _) = self.on.as_ref().unwrap();
        let stats = writer.stats();
        for _ in 0..4 {
            self.clock.advance(passed / 4);
            // A turn of the idle writer takes half a second.
            let before = stats.removed_passes.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(600));
            writer.flush(SOON).unwrap();
            if stats.removed_passes.load(Ordering::Relaxed) > before {
                break;
            }
        }
        passes(&self.path)
    }

    fn ages(&self) -> Vec<Option<i64>> {
        let outbox = Outbox::open(&self.path).unwrap();
        let start = self.on.as_ref().unwrap().0.start();
        let rows = outbox.undelivered(0, 100).unwrap();
        rows.iter()
            .map(|row| row.age(&outbox, start, self.clock.now()).unwrap().map(|age| age.as_secs()))
            .collect()
    }
}

fn passes(path: &Path) -> usize {
    column(path, "SELECT id FROM pass").len()
}

const YEARS_10: SignedDuration = SignedDuration::from_hours(24 * 3653);

#[test]
fn a_clock_ten_years_ahead_removes_nothing() {
    let mut machine = Machine::begin("2026-06-01T20:00:00Z");
    machine.detect();
    machine.step(YEARS_10);
    assert_eq!(machine.passes_after(2 * DAY), 1, "the clock has just jumped");
    machine.step(-YEARS_10);
    // The next reading of the clocks has not come yet.
    machine.clock.step(YEARS_10);
    assert_eq!(machine.passes_after(2 * DAY), 1, "before a reading");
    machine.step(SignedDuration::ZERO);
    machine.switch_off();
    machine.switch_on();
    assert_eq!(machine.passes_after(2 * DAY), 1, "after a restart");
    machine.step(-YEARS_10);
    assert_eq!(machine.passes_after(10 * DAY), 1, "the clock was corrected");
    assert_eq!(machine.passes_after(100 * DAY), 0, "old rows are removed in the end");
}

#[test]
fn a_boot_far_in_the_future_removes_nothing() {
    let mut machine = Machine::begin("2026-06-01T20:00:00Z");
    machine.detect();
    machine.switch_off();
    machine.clock.step(YEARS_10);
    machine.switch_on();
    assert_eq!(machine.passes_after(2 * DAY), 1);
    assert_eq!(machine.ages(), [None], "the age of the alert is unknown");
    assert_eq!(machine.passes_after(6 * DAY), 0, "somebody would have noticed within a week");
}

#[test]
fn rows_from_before_the_clock_was_set_are_kept_as_long() {
    let mut machine = Machine::begin("1970-01-01T00:00:20Z");
    machine.detect();
    assert_eq!(machine.passes_after(100 * DAY), 1, "the clock is not set");
    let today: Timestamp = "2026-06-01T20:00:00Z".parse().unwrap();
    machine.step(today.duration_since(machine.clock.now().wall));
    machine.detect();
    assert_eq!(machine.passes_after(80 * DAY), 2);
    assert_eq!(machine.passes_after(20 * DAY), 0);
}

#[test]
fn the_age_of_an_alert_follows_the_time_since_boot() {
    let mut machine = Machine::begin("1970-01-01T00:00:20Z");
    machine.detect();
    for (hours, step) in [(1, 56 * 365 * 24), (2, 1), (3, -1), (4, 10 * 365 * 24), (5, -10 * 365 * 24)] {
        machine.clock.advance(Duration::from_secs(3600));
        machine.step(SignedDuration::from_hours(step));
        // A time in an hour that the clock showed twice may be of the second one: an age is never too high.
        for (age, expected) in machine.ages().into_iter().zip((1..=hours).rev().map(|hour| hour * 3600)) {
            let age = age.unwrap();
            assert!(age == expected || age == expected - 3600, "after {hours} h: {age} s for {expected} s");
        }
        machine.detect();
    }
}
