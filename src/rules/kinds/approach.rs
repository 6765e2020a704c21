//! `approach`: a vessel approaches a protected line too fast.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{Key, LIMIT_KNOTS, LINE, rule_kind};
use super::speed_limit::{COVERAGE, SpeedLimit, SpeedRun};
use super::kind::{SubjectType, Kind, KindInfo, Problem, RulePlace};
use crate::geometry::{Calibration, Metre, Point};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::motion::GroundMotion;
use crate::rules::place::Line;
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

/// Estimates in a row, at least a second apart.
const ESTIMATES: u32 = 2;

const WITHIN_M: Key<f64> =
    Key::number("within_m", "200", (1.0, 10_000.0), "the distance from the line in metres");

rule_kind! {
    /// A vessel approaches a line too fast.
    pub struct Approach {
        /// The protected line.
        line: Line = LINE,
        /// The limit of the speed towards it.
        limit_knots: f64 = LIMIT_KNOTS,
        /// Within this distance from it.
        within_m: f64 = WITHIN_M,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "fast-toward-the-slipway"
name = "Fast toward the slipway"
kind = "approach"
line = "slipway"
limit_knots = 3
within_m = 40
severity = "alert"
"#;

impl Kind for Approach {
    const INFO: KindInfo = KindInfo {
        word: "approach",
        summary: "a vessel approaches a line too fast",
        example: EXAMPLE,
        unit: "kn",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: true,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, SpeedRun>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Line(&self.line)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let observation = context.observation;
        let ends = [self.line.segment.from, self.line.segment.to].map(|end| observation.ground(end));
        let [Some(from), Some(to)] = ends else { return };
        let limit = SpeedLimit { knots: self.limit_knots, estimates: ESTIMATES };
        for vessel in observation.seen() {
            let run = state.entry(vessel.vessel).or_default();
            if let (true, None) = (context.live, vessel.motion) {
                evaluations.push(run.without_estimate(vessel, &limit, observation.at));
                continue;
            }
            let motion = vessel.motion.filter(|_| context.live);
            let closing = motion.and_then(|motion| Some((motion, closing_speed(&motion, from, to)?)));
            let Some((motion, (_, knots))) = closing.filter(|(_, (metres, _))| *metres <= self.within_m) else {
                *run = SpeedRun::default();
                evaluations.push(Evaluation::of_vessel(vessel, ConditionState::NotMet, 0.0, 0.0));
                continue;
            };
            let margin = COVERAGE * f64::from(motion.speed.uncertainty);
            evaluations.push(run.estimate(vessel, knots, margin, &limit, observation.at));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { line, limit_knots, within_m } = self;
        format!("a vessel within {within_m} m of {} approaches it faster than {limit_knots} kn", line.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let (vessel, evaluation) = (signal.vessel(), signal.evaluation);
        format!(
            "{vessel} approaches {} at {:.1} kn, where the limit is {} kn (margin {:.1} kn)",
            self.line.name, evaluation.measured, self.limit_knots, evaluation.margin
        )
    }

    fn check(&self, calibration: Option<&Calibration>) -> Option<Problem> {
        let segment = &self.line.segment;
        let above_horizon = calibration.is_some_and(|calibration| {
            [segment.from, segment.to].iter().any(|end| calibration.ground(*end).is_none())
        });
        above_horizon.then(|| Problem {
            what: format!("an end of line \"{}\" is not on the water of the calibration", self.line.id),
            help: "draw the line below the horizon, within the surveyed water".to_owned(),
        })
    }

    #[cfg(test)]
    fn quoted() -> Vec<String> {
        vec![format!("in {ESTIMATES} estimates in a row")]
    }
}

/// Distance from the line in metres, and the speed towards it in knots.
fn closing_speed(motion: &GroundMotion, from: Point<Metre>, to: Point<Metre>) -> Option<(f64, f64)> {
    let (along_x, along_y) = (to.x - from.x, to.y - from.y);
    let (x, y) = (motion.at.x - from.x, motion.at.y - from.y);
    let share = (x * along_x + y * along_y) / (along_x * along_x + along_y * along_y);
    let nearest =
        Point::new(from.x + share.clamp(0.0, 1.0) * along_x, from.y + share.clamp(0.0, 1.0) * along_y);
    let distance = motion.at.distance(nearest);
    // Headings are clockwise from north, so east is the sine.
    let (east, north) = motion.heading.value.to_radians().sin_cos();
    let toward = (east * (nearest.x - motion.at.x) + north * (nearest.y - motion.at.y)) / distance;
    toward.is_finite().then(|| (f64::from(distance), f64::from(motion.speed.value * toward)))
}
