//! Conditions evaluated pass by pass for one vessel that moves from point to point.

use std::time::Duration;

use super::{Condition, CrossingDirection, Evaluator, Loitering, Speeding};
use crate::geometry::{BBox, Norm, Point};
use crate::rules::evaluation::{ConditionState, Context};
use crate::rules::motion::{GroundMotion, Measured};
use crate::rules::observation::{Observation, ObservedVessel};
use crate::rules::testing::{at, crossing_rule, dwell_rule, entry_rule, lower_half, presence_rule};
use crate::track::VesselId;

const NOTHING: [usize; 0] = [];

/// A condition and one vessel. The rules of these tests clear after 2 s.
struct Trial {
    evaluator: Box<dyn Evaluator>,
    motion: Option<GroundMotion>,
}

impl Trial {
    fn new(condition: &Condition) -> Self {
        Self { evaluator: condition.evaluator(), motion: None }
    }

    fn pass(&mut self, second: f64, (x, y): (f32, f32), live: bool) -> ConditionState {
        let bbox: BBox<Norm> = BBox::new(x - 0.05, y - 0.04, x + 0.05, y);
        let vessel = ObservedVessel {
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
        let observation = Observation {
            at: at(second),
            vessels: &[vessel],
            visits: &[],
            visit_events: &[],
            history: &[],
            calibration: None,
            aspect: 16.0 / 9.0,
            after_gap: false,
        };
        let grace = Duration::from_secs(2);
        let context = Context { observation: &observation, live, grace, open_signals: &|_, _| None };
        let mut evaluations = Vec::new();
        self.evaluator.evaluate(&context, &mut evaluations);
        evaluations[0].state
    }
}

/// The seconds at which the condition is met, with one point a second.
fn seconds_met(condition: &Condition, path: &[(f32, f32)]) -> Vec<usize> {
    let mut trial = Trial::new(condition);
    let met = |(second, &point): (usize, &(f32, f32))| {
        (trial.pass(second as f64, point, true) != ConditionState::NotMet).then_some(second)
    };
    path.iter().enumerate().filter_map(met).collect()
}

fn crossing(direction: CrossingDirection) -> Condition {
    crossing_rule(direction).condition
}

// The line of `crossing_rule` runs up the middle, from (0.5, 0.8) to (0.5, 0.2).
const A: (f32, f32) = (0.4, 0.5);
const B: (f32, f32) = (0.6, 0.5);

#[test]
fn a_flicker_across_the_line_does_not_count() {
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &[A, A, A, B, A, A]), NOTHING);
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &[A, B, A, B, A, B, A]), NOTHING);
}

#[test]
fn a_crossing_counts_once_and_in_its_direction() {
    let path = [A, A, B, B, B, A, A, A];
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &path), [3, 6]);
    assert_eq!(seconds_met(&crossing(CrossingDirection::LeftToRight), &path), [3]);
    assert_eq!(seconds_met(&crossing(CrossingDirection::RightToLeft), &path), [6]);
}

#[test]
fn passing_the_end_of_the_line_is_not_a_crossing() {
    let round = [A, A, (0.4, 0.95), (0.6, 0.95), B, B, B];
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &round), NOTHING);
}

#[test]
fn points_within_the_dead_band_do_not_count() {
    let dithering = [A, A, (0.505, 0.5), (0.495, 0.5), (0.505, 0.5), (0.505, 0.5), A];
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &dithering), NOTHING);
    let slow = [A, (0.495, 0.5), (0.505, 0.5), B, B];
    assert_eq!(seconds_met(&crossing(CrossingDirection::Either), &slow), [4]);
}

// The zone of the zone rules is the lower half.
const OUT: (f32, f32) = (0.5, 0.3);
const IN: (f32, f32) = (0.5, 0.7);

#[test]
fn a_vessel_that_was_inside_has_not_entered() {
    assert_eq!(seconds_met(&entry_rule().condition, &[IN, IN, IN]), NOTHING);
    assert_eq!(seconds_met(&entry_rule().condition, &[OUT, IN, IN]), [1, 2]);
    assert_eq!(seconds_met(&presence_rule().condition, &[IN, IN]), [0, 1]);
}

#[test]
fn jitter_at_the_border_does_not_restart_the_time() {
    assert_eq!(seconds_met(&entry_rule().condition, &[IN, OUT, IN, OUT, IN]), NOTHING);
    // `dwell_rule`: longer than 3 s.
    assert_eq!(seconds_met(&dwell_rule().condition, &[IN, IN, OUT, IN, IN, IN]), [4, 5]);
    assert_eq!(seconds_met(&dwell_rule().condition, &[IN, IN, OUT, OUT, OUT, IN, IN]), NOTHING);
}

#[test]
fn presence_begins_when_the_shift_begins() {
    let mut trial = Trial::new(&presence_rule().condition);
    assert_eq!(trial.pass(0.0, IN, false), ConditionState::NotMet);
    assert_eq!(trial.pass(1.0, IN, true), ConditionState::Since { since: at(1.0), entered: false });
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

/// The seconds at which the condition is met, with one pass a second and a motion that is known for the first `known`.
fn met_while_known_for(known: usize, condition: &Condition, until: usize) -> Vec<usize> {
    let mut trial = Trial::new(condition);
    let mut met = Vec::new();
    for second in 0..until {
        trial.motion = (second < known).then(fast);
        if trial.pass(second as f64, (0.5, 0.8), true) != ConditionState::NotMet {
            met.push(second);
        }
    }
    met
}

#[test]
fn unknown_motion_keeps_the_state_for_15_seconds() {
    let zone = lower_half;
    let speeding =
        Condition::Speeding(Speeding { zone: zone(), limit_knots: 6.0, margin_knots: 0.5, estimates: 2 });
    let loitering = Condition::Loitering(Loitering {
        zone: zone(),
        radius_m: 35.0,
        longer_than: Duration::from_secs(10),
    });
    assert_eq!(met_while_known_for(20, &speeding, 60), (1..=34).collect::<Vec<_>>());
    assert_eq!(met_while_known_for(20, &loitering, 60), (11..=33).collect::<Vec<_>>());
    assert_eq!(met_while_known_for(1, &speeding, 60), NOTHING);
    assert_eq!(met_while_known_for(9, &loitering, 60), NOTHING);
}
