//! `wrong-way`: a vessel moves against the direction of a lane.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{DefaultValue, Key, ZONE, rule_kind};
use super::kind::{Kind, KindInfo, Problem, RulePlace, SubjectType};
use crate::clock::Stamp;
use crate::geometry::{Calibration, Norm, Point};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

/// The cosine of the largest angle to the opposite direction at which a path is against the lane: 60 degrees.
const AGAINST_COSINE: f32 = 0.5;

const FROM: Key<Point<Norm>> = Key::point("from", "[0.2, 0.6]");
const TO: Key<Point<Norm>> = Key::point("to", "[0.8, 0.6]");
const LENGTHS: Key<f64> =
    Key::number("lengths", "1.0", (0.1, 100.0), "how many of its own lengths a vessel moves the wrong way")
        .or(DefaultValue::Number(1.0));

rule_kind! {
    /// A vessel moves against the direction of a lane.
    pub struct WrongWay {
        /// The lane.
        zone: Zone = ZONE,
        /// Vessels should move from here ...
        from: Point<Norm> = FROM,
        /// ... towards this point.
        to: Point<Norm> = TO,
        /// The vessel must have moved against the direction for more than this many of its own lengths in the picture.
        lengths: f64 = LENGTHS,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "out-through-the-inbound-lane"
name = "Out through the inbound lane"
kind = "wrong-way"
zone = "inbound-lane"
from = [0.168, 0.621]                # vessels should move from this point of the picture ...
to = [0.547, 0.621]                  # ... towards this one
lengths = 2
severity = "warning"
"#;

/// The path of a vessel in the lane.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct LanePath {
    from: Point<Norm>,
    since: Stamp,
}

impl Kind for WrongWay {
    const INFO: KindInfo = KindInfo {
        word: "wrong-way",
        summary: "a vessel moves against the direction of a lane",
        example: EXAMPLE,
        unit: "lengths",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, LanePath>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let aspect = context.observation.aspect;
        // In heights of the picture, so that the same distance counts alike along the picture and up it.
        let step = |from: Point<Norm>, to: Point<Norm>| [(to.x - from.x) * aspect, to.y - from.y];
        let lane = step(self.from, self.to);
        let lane = lane.map(|part| part / lane[0].hypot(lane[1]));
        for vessel in context.observation.seen() {
            if !(context.live && self.zone.area.contains(vessel.point)) {
                state.remove(&vessel.vessel);
                evaluations.push(Evaluation::of_vessel(vessel, ConditionState::NotMet, 0.0, 0.0));
                continue;
            }
            let start = LanePath { from: vessel.point, since: context.observation.at };
            let path = state.entry(vessel.vessel).or_insert(start);
            let moved = step(path.from, vessel.point);
            let against = -(moved[0] * lane[0] + moved[1] * lane[1]);
            if against < 0.0 {
                // With the lane: the distance against it is counted from here.
                *path = start;
            }
            // In the vessel's own lengths, so that near and far count alike.
            let length = (vessel.bbox.width() * aspect).max(f32::EPSILON);
            let own_lengths = f64::from(against.max(0.0) / length);
            let is_against = against >= AGAINST_COSINE * moved[0].hypot(moved[1]);
            let state = if own_lengths > self.lengths && is_against {
                ConditionState::Since { since: path.since, entered: false }
            } else {
                ConditionState::NotMet
            };
            evaluations.push(Evaluation::of_vessel(vessel, state, own_lengths, self.lengths));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { zone, lengths, .. } = self;
        format!(
            "a vessel moves against the direction of {} for more than {lengths} of its lengths",
            zone.name
        )
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("{} moves against the direction of {}", signal.vessel(), self.zone.name)
    }

    fn check(&self, _calibration: Option<&Calibration>) -> Option<Problem> {
        (self.from == self.to).then(|| Problem {
            what: "from and to are the same point, which gives no direction".to_owned(),
            help: "vessels should move from `from` towards `to`: give two different points".to_owned(),
        })
    }

    #[cfg(test)]
    fn quoted() -> Vec<String> {
        vec![format!("up to {:.0} degrees", AGAINST_COSINE.acos().to_degrees())]
    }
}
