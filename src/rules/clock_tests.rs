//! Steps of the wall clock: they do not change durations, and schedules follow the local time.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::engine::Engine;
use super::event::RuleEvent;
use super::kinds::*;
use super::signal::Phase;
use super::simulation::{HarbourSimulation, Script, basin, berth, boat, named, opened, seconds};
use super::testing::{camera_rules, night_rule, track};
use super::visits::ResumeState;
use crate::clock::{MonoTime, Stamp};
use crate::geometry::FrameSize;

const HOUR: i64 = 3600;
/// From 2026 back to 1970.
const LEAP: i64 = -1_780_000_000;

/// The seconds by which the wall clock is ahead at a second.
type ClockError<T> = fn(T) -> i64;

/// Errors of the clock while a vessel is there.
const CLOCK_ERRORS: [(&str, ClockError<f64>); 5] = [
    ("an hour forward", |t| if t < 60.0 { 0 } else { HOUR }),
    ("an hour back", |t| if t < 60.0 { 0 } else { -HOUR }),
    ("forward and back", |t| if (60.0..90.0).contains(&t) { HOUR } else { 0 }),
    ("not set before second 60", |t| if t < 60.0 { LEAP } else { 0 }),
    ("to 1970 and back", |t| if (60.0..90.0).contains(&t) { LEAP } else { 0 }),
];

#[test]
fn clock_steps_do_not_change_durations() {
    let conditions = [
        Condition::Dwell(Dwell { zone: basin(), longer_than: seconds(100) }),
        Condition::Loitering(Loitering { zone: basin(), radius_m: 20.0, longer_than: seconds(100) }),
        Condition::Stop(Stop { zone: basin(), longer_than: seconds(100) }),
        Condition::Overstay(Overstay { zone: berth(None), longer_than: seconds(150) }),
    ];
    for condition in conditions {
        let RulePlace::Zone(zone) = condition.place() else { panic!("no zone") };
        let zone = zone.clone();
        let ahead = if zone.berth.is_some() { 70.0 } else { 100.0 };
        let script: Script =
            if ahead < 80.0 { |_| vec![boat(1, 70.0, 0.0)] } else { |_| vec![boat(1, 100.0, 0.0)] };
        let signal = |forward| {
            let rule = named("rule", condition.clone());
            let mut simulation = HarbourSimulation::new(vec![rule], vec![zone.clone()]);
            simulation.forward = forward;
            let events = simulation.play(script, 0.0, 300.0);
            let when = events
                .iter()
                .find(|(_, event)| matches!(event, RuleEvent::Signal(s) if s.phase == Phase::Opened));
            (
                when.map(|(second, _)| *second),
                opened(&events).iter().map(|event| event.facts.measured).collect::<Vec<_>>(),
            )
        };
        let undisturbed = signal(|_| 0);
        assert_eq!(undisturbed.1.len(), 1, "{}", condition.info().word);
        for (what, forward) in CLOCK_ERRORS {
            let (when, measured) = signal(forward);
            assert_eq!(when, undisturbed.0, "{} {what}: in the same pass", condition.info().word);
            assert_eq!(measured.len(), 1);
            assert!(
                (measured[0] - undisturbed.1[0]).abs() < 0.3,
                "{} {what}: {measured:?}",
                condition.info().word
            );
        }
    }
}

/// Seconds from pass to pass.
const EVERY: i64 = 10;

/// The seconds at which the rule opens while a vessel is there all the time.
fn openings(from: &str, to: &str, began: Timestamp, hours: i64, forward: impl Fn(i64) -> i64) -> Vec<i64> {
    let mut engine = Engine::new(camera_rules(vec![night_rule(from, to)]), &ResumeState::default());
    let size = FrameSize { width: 1920, height: 1080 };
    let mut found = Vec::new();
    for t in (0..hours * HOUR).step_by(EVERY as usize) {
        let mono = MonoTime::from_boot(Duration::from_secs(1000 + t.unsigned_abs()));
        let at = Stamp { mono, wall: began + SignedDuration::from_secs(t + forward(t)) };
        let mut vessel = track(7, 900.0, 900.0);
        (vessel.first_seen, vessel.last_seen) = (MonoTime::from_boot(Duration::from_secs(1000)), mono);
        let events = engine.step(&[vessel], size, at);
        let opened = events.iter().filter(|e| matches!(e, RuleEvent::Signal(s) if s.phase == Phase::Opened));
        found.extend(opened.map(|_| t));
    }
    found
}

/// The seconds at which the local time in Amsterdam enters the window, computed independently.
fn windows(from: &str, to: &str, began: Timestamp, hours: i64, forward: impl Fn(i64) -> i64) -> Vec<i64> {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap();
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        60 * hours.parse::<i64>().unwrap() + minutes.parse::<i64>().unwrap()
    };
    let (from, to) = (minute(from), minute(to));
    let mut shown_before = false;
    let mut found = Vec::new();
    for t in (0..hours * HOUR).step_by(EVERY as usize) {
        let local = zone.to_datetime(began + SignedDuration::from_secs(t + forward(t)));
        let now = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let shown = if from < to { (from..to).contains(&now) } else { now >= from || now < to };
        if shown && !shown_before {
            found.push(t);
        }
        shown_before = shown;
    }
    found
}

#[test]
fn clock_changes_neither_skip_nor_repeat_a_shift() {
    // Two days and a night around each change of clocks, and an ordinary night.
    let nights = ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-06-01T12:00:00Z"];
    let steps: [(&str, ClockError<i64>); 6] = [
        ("none", |_| 0),
        ("an hour forward over the beginning", |t| if t < 7 * HOUR + 600 { 0 } else { HOUR }),
        ("an hour back within the window", |t| if t < 8 * HOUR { 0 } else { -HOUR }),
        ("an hour back over the end", |t| if t < 16 * HOUR { 0 } else { -HOUR }),
        (
            "forward in the night and back by day",
            |t| if (13 * HOUR..22 * HOUR).contains(&t) { HOUR } else { 0 },
        ),
        ("not set for an hour in the night", |t| if (12 * HOUR..13 * HOUR).contains(&t) { LEAP } else { 0 }),
    ];
    let mut compared = 0;
    for (from, to) in [("21:30", "05:30"), ("02:15", "02:45"), ("01:30", "03:30"), ("22:00", "23:00")] {
        for night in nights {
            for (what, forward) in steps {
                let began = night.parse().unwrap();
                let wanted = windows(from, to, began, 42, forward);
                let found = openings(from, to, began, 42, forward);
                // The confirm time is a second, so the signal opens in the next pass.
                let late = |(wanted, found): (&i64, &i64)| found - wanted;
                let lateness: Vec<_> = wanted.iter().zip(&found).map(late).collect();
                assert_eq!(
                    found.len(),
                    wanted.len(),
                    "{from} to {to}, {night}, {what}: {found:?} for {wanted:?}"
                );
                assert!(
                    lateness.iter().all(|late| (0..=EVERY).contains(late)),
                    "{from} to {to}, {night}, {what}"
                );
                compared += wanted.len();
            }
        }
    }
    assert!(compared > 80, "{compared} windows");
}
