//! What happens when somebody puts the clock right, or wrong: durations do not care, schedules follow the clock on the wall.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::stage::{CLEAR, Script, Stage, basin, berth, boat, named, opened, seconds};
use super::testing::{night_rule, site, track};
use super::{Engine, Phase, ResumeState, RuleEvent};
use crate::clock::{MonoTime, Stamp};
use crate::config::Condition;
use crate::geometry::FrameSize;

const HOUR: i64 = 3600;
/// From 2026 back to 1970.
const LEAP: i64 = -1_780_000_000;

/// By how many seconds the wall clock is forward, second by second.
type Meddling<T> = fn(T) -> i64;

/// What is done to the clock while a vessel lies: by how many seconds it is forward at a second.
const MEDDLING: [(&str, Meddling<f64>); 5] = [
    ("an hour forward", |t| if t < 60.0 { 0 } else { HOUR }),
    ("an hour back", |t| if t < 60.0 { 0 } else { -HOUR }),
    ("forward and back", |t| if (60.0..90.0).contains(&t) { HOUR } else { 0 }),
    ("not set before second 60", |t| if t < 60.0 { LEAP } else { 0 }),
    ("to 1970 and back", |t| if (60.0..90.0).contains(&t) { LEAP } else { 0 }),
];

#[test]
fn a_step_of_the_clock_makes_no_stay_longer_or_shorter() {
    let conditions = [
        Condition::Dwell { zone: basin(), longer_than: seconds(100) },
        Condition::Loitering { zone: basin(), radius_m: 20.0, longer_than: seconds(100) },
        Condition::Stop { zone: basin(), longer_than: seconds(100) },
        Condition::Overstay { zone: berth(None), longer_than: seconds(150) },
    ];
    for condition in conditions {
        let zone = condition.zone().unwrap().clone();
        let ahead = if zone.berth.is_some() { 70.0 } else { 100.0 };
        let script: Script =
            if ahead < 80.0 { |_| vec![boat(1, 70.0, 0.0)] } else { |_| vec![boat(1, 100.0, 0.0)] };
        let told = |forward| {
            let rule = named("rule", condition.clone());
            let mut stage = Stage::new(vec![rule], vec![zone.clone()], CLEAR, &ResumeState::default());
            stage.forward = forward;
            let told = stage.play(script, 0.0, 300.0);
            let when = told
                .iter()
                .find(|(_, event)| matches!(event, RuleEvent::Signal(s) if s.phase == Phase::Opened));
            (
                when.map(|(second, _)| *second),
                opened(&told).iter().map(|event| event.facts.measured).collect::<Vec<_>>(),
            )
        };
        let undisturbed = told(|_| 0);
        assert_eq!(undisturbed.1.len(), 1, "{}", condition.kind());
        for (what, forward) in MEDDLING {
            let (when, measured) = told(forward);
            assert_eq!(when, undisturbed.0, "{} {what}: to the look", condition.kind());
            assert_eq!(measured.len(), 1);
            assert!(
                (measured[0] - undisturbed.1[0]).abs() < 0.3,
                "{} {what}: {measured:?}",
                condition.kind()
            );
        }
    }
}

/// Seconds from look to look.
const EVERY: i64 = 10;

/// A vessel is there all the time: at which seconds the rule opened.
fn openings(from: &str, to: &str, began: Timestamp, hours: i64, forward: impl Fn(i64) -> i64) -> Vec<i64> {
    let site = site(vec![night_rule(from, to)]);
    let mut engine = Engine::new(&site, &site.cameras[0], &ResumeState::default());
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

/// The seconds at which a clock on an Amsterdam wall begins to show a time of the window, by its own arithmetic.
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
fn no_window_of_a_schedule_is_missed_or_doubled_on_the_nights_of_a_clock_change_or_when_the_clock_is_stepped()
{
    // Two days and a night round each change of clocks, and an ordinary night.
    let nights = ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-06-01T12:00:00Z"];
    let steps: [(&str, Meddling<i64>); 6] = [
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
                // A rule must hold for a second before it raises: the next look.
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
