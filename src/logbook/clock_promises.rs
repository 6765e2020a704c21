//! What a wrong clock must not do to the logbook: throw it away, or call alerts too old.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::testing::*;
use super::*;
use crate::clock::{Clock, ClockReading, ClockWatch, SimulatedClock};

const DAY: Duration = Duration::from_secs(86_400);

/// A watch with a simulated clock, which may be switched off and on.
struct Watch {
    _folder: tempfile::TempDir,
    path: PathBuf,
    clock: Arc<SimulatedClock>,
    boot: u32,
    clocks: ClockWatch,
    on: Option<(Writer, LogbookSender)>,
    second: u32,
}

impl Watch {
    fn begin(wall: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let clock = Arc::new(SimulatedClock::new(wall.parse().unwrap()));
        let clocks = ClockWatch::begin(clock.now(), String::new(), None).0;
        let mut watch = Self { _folder: folder, path, clock, boot: 0, clocks, on: None, second: 0 };
        watch.switch_on();
        watch
    }

    fn switch_on(&mut self) {
        self.boot += 1;
        let mut options = WriterOptions::new(self.clock.clone() as Arc<dyn Clock>);
        options.retention = Some(kept(90 * DAY, 730 * DAY));
        let begun = StartEntry { at: self.clock.now(), ..start() };
        self.on = Some(Writer::open(&self.path, &begun, options).unwrap());
        let first;
        (self.clocks, first) = ClockWatch::begin(self.clock.now(), self.boot.to_string(), None);
        self.write(first);
    }

    /// The machine is off, or restarts.
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

    /// A vessel is seen, and an alert raised about it.
    fn see(&mut self) {
        let (writer, sender) = self.on.as_ref().unwrap();
        self.second += 1;
        let Entry::Look(mut seen) = look(1.0, vec![vessel_at(1.0, Some(7))], vec![]) else { unreachable!() };
        seen.at = self.clock.now();
        sender.send(Entry::Look(seen)).unwrap();
        let Entry::Signal(mut raised) = told(self.second.into(), 1.0) else { unreachable!() };
        raised.event.at = self.clock.now();
        sender.send(Entry::Signal(raised)).unwrap();
        writer.flush(SOON).unwrap();
    }

    /// Lets removal have its turns; what is left.
    fn looks_after(&self, passed: Duration) -> usize {
        let (writer, _) = self.on.as_ref().unwrap();
        let stats = writer.stats();
        for _ in 0..4 {
            self.clock.advance(passed / 4);
            // A turn of the writer, which takes half a second when nothing comes.
            let before = stats.removed_looks.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(600));
            writer.flush(SOON).unwrap();
            if stats.removed_looks.load(Ordering::Relaxed) > before {
                break;
            }
        }
        looks(&self.path)
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

fn looks(path: &Path) -> usize {
    column(path, "SELECT id FROM look").len()
}

const YEARS_10: SignedDuration = SignedDuration::from_hours(24 * 3653);

#[test]
fn a_clock_that_jumps_ten_years_ahead_throws_nothing_away() {
    let mut watch = Watch::begin("2026-06-01T20:00:00Z");
    watch.see();
    watch.step(YEARS_10);
    assert_eq!(watch.looks_after(2 * DAY), 1, "on the word of a clock that has just jumped");
    watch.step(-YEARS_10);
    // The watch looks at its clocks every now and then: it has not yet seen this one.
    watch.clock.step(YEARS_10);
    assert_eq!(watch.looks_after(2 * DAY), 1, "before anybody found it");
    watch.step(SignedDuration::ZERO);
    watch.switch_off();
    watch.switch_on();
    assert_eq!(watch.looks_after(2 * DAY), 1, "nor after a restart");
    watch.step(-YEARS_10);
    assert_eq!(watch.looks_after(10 * DAY), 1, "and then it was put right");
    assert_eq!(watch.looks_after(100 * DAY), 0, "what is old goes in the end");
}

#[test]
fn a_machine_that_comes_up_far_in_the_future_throws_nothing_away() {
    let mut watch = Watch::begin("2026-06-01T20:00:00Z");
    watch.see();
    watch.switch_off();
    watch.clock.step(YEARS_10);
    watch.switch_on();
    assert_eq!(watch.looks_after(2 * DAY), 1);
    assert_eq!(watch.ages(), [None], "nobody can tell how old the alert is, so it is sent");
    assert_eq!(watch.looks_after(6 * DAY), 0, "a week in which somebody would have noticed");
}

#[test]
fn what_was_seen_before_the_clock_was_set_is_kept_as_long_as_what_was_seen_after() {
    let mut watch = Watch::begin("1970-01-01T00:00:20Z");
    watch.see();
    assert_eq!(watch.looks_after(100 * DAY), 1, "a clock that is not set tells no age");
    let today: Timestamp = "2026-06-01T20:00:00Z".parse().unwrap();
    watch.step(today.duration_since(watch.clock.now().wall));
    watch.see();
    assert_eq!(watch.looks_after(80 * DAY), 2);
    assert_eq!(watch.looks_after(20 * DAY), 0);
}

#[test]
fn an_alert_is_as_old_as_the_time_since_boot_says_whatever_the_wall_clock_does() {
    let mut watch = Watch::begin("1970-01-01T00:00:20Z");
    watch.see();
    for (hours, step) in [(1, 56 * 365 * 24), (2, 1), (3, -1), (4, 10 * 365 * 24), (5, -10 * 365 * 24)] {
        watch.clock.advance(Duration::from_secs(3600));
        watch.step(SignedDuration::from_hours(step));
        // What happened in an hour that the clock showed twice may be of the second time: never called older than it is.
        for (told, so_old) in watch.ages().into_iter().zip((1..=hours).rev().map(|hour| hour * 3600)) {
            let told = told.unwrap();
            assert!(told == so_old || told == so_old - 3600, "after {hours} h: {told} s for {so_old} s");
        }
        watch.see();
    }
}
