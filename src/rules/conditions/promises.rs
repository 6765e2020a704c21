//! What conditions hold, look by look, of one vessel that goes from point to point.

use std::time::Duration;

use super::{Finding, Given, Held, Judge, Scene, Sighting};
use crate::config::{Condition, Direction};
use crate::geometry::{BBox, Norm, Point};
use crate::rules::motion::{GroundMotion, Measured};
use crate::rules::testing::{at, crossing_rule, dwell_rule, entry_rule, lower_half, presence_rule};
use crate::track::VesselId;

const NOTHING: [usize; 0] = [];

/// A condition before one vessel. The rules of these tests clear after 2 s.
struct Trial {
    condition: Condition,
    judge: Judge,
    motion: Option<GroundMotion>,
}

impl Trial {
    fn new(condition: Condition) -> Self {
        Self { judge: Judge::new(&condition), condition, motion: None }
    }

    fn look(&mut self, second: f64, (x, y): (f32, f32), live: bool) -> Held {
        let bbox: BBox<Norm> = BBox::new(x - 0.05, y - 0.04, x + 0.05, y);
        let vessel = Sighting {
            vessel: VesselId(7),
            number: VesselId(7),
            seen: true,
            bbox,
            point: bbox.waterline(),
            still: false,
            confidence: 0.8,
            in_berth: None,
            moored: None,
            motion: self.motion,
            length_m: None,
            first: None,
        };
        let scene = Scene {
            at: at(second),
            vessels: &[vessel],
            visits: &[],
            visit_events: &[],
            history: &[],
            calibration: None,
            aspect: 16.0 / 9.0,
            after_gap: false,
        };
        let mut found: Vec<Finding> = Vec::new();
        let given = Given { scene: &scene, live, grace: Duration::from_secs(2) };
        self.judge.judge(&self.condition, &given, &mut found);
        found[0].held
    }
}

/// Feeds one point a second; the seconds at which the condition held.
fn seconds_held(condition: Condition, path: &[(f32, f32)]) -> Vec<usize> {
    let mut trial = Trial::new(condition);
    let held = |(second, &point): (usize, &(f32, f32))| {
        (trial.look(second as f64, point, true) != Held::No).then_some(second)
    };
    path.iter().enumerate().filter_map(held).collect()
}

fn crossing(direction: Direction) -> Condition {
    crossing_rule(direction).condition
}

// The line of `crossing_rule` runs up the middle, from (0.5, 0.8) to (0.5, 0.2): left of it is the walker's left.
const A: (f32, f32) = (0.4, 0.5);
const B: (f32, f32) = (0.6, 0.5);

#[test]
fn a_flicker_across_the_line_counts_nothing() {
    assert_eq!(seconds_held(crossing(Direction::Either), &[A, A, A, B, A, A]), NOTHING);
    assert_eq!(seconds_held(crossing(Direction::Either), &[A, B, A, B, A, B, A]), NOTHING);
}

#[test]
fn a_crossing_counts_once_and_in_its_direction_only() {
    let path = [A, A, B, B, B, A, A, A];
    assert_eq!(seconds_held(crossing(Direction::Either), &path), [3, 6]);
    assert_eq!(seconds_held(crossing(Direction::LeftToRight), &path), [3]);
    assert_eq!(seconds_held(crossing(Direction::RightToLeft), &path), [6]);
}

#[test]
fn going_round_the_end_of_the_line_is_no_crossing() {
    let round = [A, A, (0.4, 0.95), (0.6, 0.95), B, B, B];
    assert_eq!(seconds_held(crossing(Direction::Either), &round), NOTHING);
}

#[test]
fn points_within_the_dead_band_settle_nothing() {
    let dithering = [A, A, (0.505, 0.5), (0.495, 0.5), (0.505, 0.5), (0.505, 0.5), A];
    assert_eq!(seconds_held(crossing(Direction::Either), &dithering), NOTHING);
    let slow = [A, (0.495, 0.5), (0.505, 0.5), B, B];
    assert_eq!(seconds_held(crossing(Direction::Either), &slow), [4]);
}

// The zone of the zone rules is the lower half.
const OUT: (f32, f32) = (0.5, 0.3);
const IN: (f32, f32) = (0.5, 0.7);

#[test]
fn who_is_inside_from_the_first_has_not_entered() {
    assert_eq!(seconds_held(entry_rule().condition, &[IN, IN, IN]), NOTHING);
    assert_eq!(seconds_held(entry_rule().condition, &[OUT, IN, IN]), [1, 2]);
    assert_eq!(seconds_held(presence_rule().condition, &[IN, IN]), [0, 1]);
}

#[test]
fn a_box_that_jitters_over_the_border_neither_enters_nor_restarts_the_dwell() {
    assert_eq!(seconds_held(entry_rule().condition, &[IN, OUT, IN, OUT, IN]), NOTHING);
    // `dwell_rule`: longer than 3 s.
    assert_eq!(seconds_held(dwell_rule().condition, &[IN, IN, OUT, IN, IN, IN]), [4, 5]);
    assert_eq!(seconds_held(dwell_rule().condition, &[IN, IN, OUT, OUT, OUT, IN, IN]), NOTHING);
}

#[test]
fn who_is_inside_when_the_shift_begins_holds_from_then() {
    let mut trial = Trial::new(presence_rule().condition);
    assert_eq!(trial.look(0.0, IN, false), Held::No);
    assert_eq!(trial.look(1.0, IN, true), Held::Since { since: at(1.0), entered: false });
}

/// At 12 knots, at one place.
fn fast() -> GroundMotion {
    let measured = |value| Measured { value, uncertainty: 0.1 };
    GroundMotion {
        at: Point::new(0.0, 0.0),
        at_uncertainty: 0.1,
        speed: measured(12.0),
        heading: measured(90.0),
        over: Duration::from_secs(6),
    }
}

/// A second each: for so long its motion is known, then not. The seconds at which the condition held.
fn held_while_known_for(known: usize, condition: Condition, until: usize) -> Vec<usize> {
    let mut trial = Trial::new(condition);
    let mut held = Vec::new();
    for second in 0..until {
        trial.motion = (second < known).then(fast);
        if trial.look(second as f64, (0.5, 0.8), true) != Held::No {
            held.push(second);
        }
    }
    held
}

#[test]
fn where_a_vessel_is_and_how_fast_goes_on_for_fifteen_seconds_when_it_is_not_known_and_begins_nothing() {
    let zone = lower_half;
    let speeding = Condition::Speeding { zone: zone(), limit_knots: 6.0, margin_knots: 0.5, estimates: 2 };
    let loitering =
        Condition::Loitering { zone: zone(), radius_m: 35.0, longer_than: Duration::from_secs(10) };
    assert_eq!(held_while_known_for(20, speeding.clone(), 60), (1..=34).collect::<Vec<_>>());
    assert_eq!(held_while_known_for(20, loitering.clone(), 60), (11..=33).collect::<Vec<_>>());
    assert_eq!(held_while_known_for(1, speeding, 60), NOTHING);
    assert_eq!(held_while_known_for(9, loitering, 60), NOTHING);
}
