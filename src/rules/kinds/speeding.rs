//! `speeding`: a vessel exceeds a speed limit by more than the uncertainty of its speed, several times in a row.
//!
//! Method: the practice on Amsterdam's canals (algorithm register, "Digital Canal"): a violation is a speed above the
//! limit plus a margin for the uncertainty of the measurement, at least twice in a row.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{DefaultValue, Key, LIMIT_KNOTS, ZONE, rule_kind};
use super::speed_limit::{COVERAGE, SpeedLimit, SpeedRun};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

const MARGIN_KNOTS: Key<f64> =
    Key::number("margin_knots", "1", (0.0, 20.0), "knots above the limit that are allowed")
        .or(DefaultValue::Number(0.5));
const ESTIMATES: Key<u32> =
    Key::count("estimates", "3", (2, 20), "estimates in a row, at least a second apart")
        .or(DefaultValue::Count(3));

rule_kind! {
    /// A vessel exceeds a speed limit.
    pub struct Speeding {
        /// Where the limit applies.
        zone: Zone = ZONE,
        /// The limit.
        limit_knots: f64 = LIMIT_KNOTS,
        /// The least margin above it.
        margin_knots: f64 = MARGIN_KNOTS,
        /// Estimates in a row.
        estimates: u32 = ESTIMATES,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "over-six-knots"
name = "Too fast between the heads"
kind = "speeding"
zone = "fairway"
limit_knots = 6
margin_knots = 1
estimates = 3
severity = "warning"
"#;

impl Kind for Speeding {
    const INFO: KindInfo = KindInfo {
        word: "speeding",
        summary: "a vessel is too fast",
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
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let limit = SpeedLimit { knots: self.limit_knots, estimates: self.estimates };
        let at = context.observation.at;
        for vessel in context.observation.seen() {
            let run = state.entry(vessel.vessel).or_default();
            if !context.live || !self.zone.area.contains(vessel.point) {
                *run = SpeedRun::default();
                evaluations.push(Evaluation::of_vessel(vessel, ConditionState::NotMet, 0.0, 0.0));
                continue;
            }
            let Some(motion) = vessel.motion else {
                evaluations.push(run.without_estimate(vessel, &limit, at));
                continue;
            };
            let margin = self.margin_knots.max(COVERAGE * f64::from(motion.speed.uncertainty));
            evaluations.push(run.estimate(vessel, f64::from(motion.speed.value), margin, &limit, at));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { zone, limit_knots, margin_knots, estimates } = self;
        format!(
            "a vessel in {} exceeds {limit_knots} kn by more than the margin (at least {margin_knots} kn) in \
             {estimates} estimates in a row",
            zone.name
        )
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let (vessel, evaluation) = (signal.vessel(), signal.evaluation);
        format!(
            "{vessel} moves at {:.1} kn in {}, where the limit is {} kn (margin {:.1} kn)",
            evaluation.measured, self.zone.name, self.limit_knots, evaluation.margin
        )
    }
}
