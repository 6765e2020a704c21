//! Cameras, rules and tracks for the tests of this module.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::engine::CameraRules;
use super::kinds::{Condition, Crossing, CrossingDirection, Dwell, ZoneEntry, ZonePresence};
use super::place::{Line, Zone};
use super::rule::Rule;
use super::schedule::{Calendar, Edge, Holidays, Shift, Shifts};
use super::severity::Severity;
use crate::clock::{MonoTime, Stamp};
use crate::geometry::{Area, BBox, Point, Polygon, Segment};
use crate::ids::{CameraId, PlaceId, RuleId};
use crate::track::{Track, TrackState, VesselId};

/// `seconds` after 2026-06-01 22:13 in Amsterdam.
pub(super) fn at(seconds: f64) -> Stamp {
    let passed = Duration::from_secs_f64(seconds);
    let start: jiff::Timestamp = "2026-06-01T20:13:00Z".parse().unwrap();
    Stamp { mono: MonoTime::from_boot(Duration::from_secs(1000)) + passed, wall: start + passed }
}

/// A confirmed track whose waterline point is (`x`, `y`) pixels.
pub(super) fn track(vessel: u64, x: f32, y: f32) -> Track {
    Track {
        vessel: VesselId(vessel),
        state: TrackState::Confirmed,
        bbox: BBox::new(x - 50.0, y - 40.0, x + 50.0, y),
        first_bbox: BBox::new(x - 50.0, y - 40.0, x + 50.0, y),
        seen_bbox: BBox::new(x - 50.0, y - 40.0, x + 50.0, y),
        confidence: 0.8,
        detection: Some(0),
        first_seen: at(0.0).mono,
        last_seen: at(0.0).mono,
        hits: 3,
        velocity: Some([0.0; 2]),
    }
}

pub(super) fn zone(area: Area) -> Zone {
    Zone { id: PlaceId::new("inner-basin").unwrap(), name: "Inner basin".into(), area, berth: None }
}

pub(super) fn lower_half() -> Zone {
    let corners = [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)];
    zone(Polygon::new(corners.map(|(x, y)| Point::new(x, y)).to_vec()).unwrap().into())
}

pub(super) fn rule(condition: Condition) -> Rule {
    Rule {
        id: RuleId::new("rule").unwrap(),
        name: "Rule".into(),
        camera: CameraId::new("quay-east").unwrap(),
        condition,
        schedule: Shifts::default(),
        severity: Severity::Alert,
        raises: true,
        confirm: Duration::from_secs(1),
        clear: Duration::from_secs(2),
        cooldown: Duration::from_secs(10),
        escalate_after: None,
        min_confidence: 0.0,
        length_m: None,
        owner: None,
        review_by: None,
    }
}

pub(super) fn presence_rule() -> Rule {
    rule(Condition::ZonePresence(ZonePresence { zone: lower_half() }))
}

pub(super) fn night_rule(from: &str, to: &str) -> Rule {
    let days = jiff::civil::Weekday::Monday.cycle_forward().take(7).collect();
    let clock = |time: &str| Edge::Clock(time.parse().unwrap());
    let shift = Shift { days, from: clock(from), to: clock(to), dates: None, holidays: None };
    Rule { schedule: Shifts { only: vec![shift], never: Vec::new() }, ..presence_rule() }
}

pub(super) fn entry_rule() -> Rule {
    rule(Condition::ZoneEntry(ZoneEntry { zone: lower_half() }))
}

pub(super) fn dwell_rule() -> Rule {
    rule(Condition::Dwell(Dwell { zone: lower_half(), longer_than: Duration::from_secs(3) }))
}

/// The line runs up the middle of the picture, from y 0.8 to y 0.2.
pub(super) fn crossing_rule(direction: CrossingDirection) -> Rule {
    let line = Line {
        id: PlaceId::new("mouth").unwrap(),
        name: "Harbour mouth".into(),
        segment: Segment::new(Point::new(0.5, 0.8), Point::new(0.5, 0.2)).unwrap(),
    };
    rule(Condition::Crossing(Crossing { line, direction, dead_band: 0.01 }))
}

/// A camera with these rules and nothing else.
pub(super) fn camera_rules(rules: Vec<Rule>) -> CameraRules {
    CameraRules {
        camera: CameraId::new("quay-east").unwrap(),
        camera_name: "Quay east".into(),
        zones: Vec::new(),
        calibration: None,
        rules,
        calendar: calendar(),
    }
}

pub(super) fn calendar() -> Calendar {
    let time_zone = TimeZone::get("Europe/Amsterdam").unwrap();
    Calendar { time_zone, position: None, holidays: Holidays::default() }
}
