//! `rendezvous`: two slow vessels stay close together, outside berths.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{DefaultValue, Key, LONGER_THAN, ZONE, rule_kind};
use super::timer::Timer;
use super::kind::{SubjectType, Kind, KindInfo, RulePlace, VesselState};
use crate::rules::evaluation::{Context, Evaluation, Subject};
use crate::rules::motion::GroundMotion;
use crate::rules::observation::ObservedVessel;
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;
use crate::track::VesselId;

const CLOSER_THAN_M: Key<f64> =
    Key::number("closer_than_m", "20", (1.0, 1000.0), "the distance between two vessels in metres");
const SLOWER_THAN_KNOTS: Key<f64> =
    Key::number("slower_than_knots", "2", (0.1, 60.0), "the speed of both in knots")
        .or(DefaultValue::Number(2.0));

rule_kind! {
    /// Two vessels stay close together.
    pub struct Rendezvous {
        /// Where.
        zone: Zone = ZONE,
        /// Not farther apart than this.
        closer_than_m: f64 = CLOSER_THAN_M,
        /// Neither faster than this.
        slower_than_knots: f64 = SLOWER_THAN_KNOTS,
        /// Longer than this.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "two-alongside"
name = "Two vessels alongside"
kind = "rendezvous"
zone = "outer-harbour"
closer_than_m = 20
slower_than_knots = 2
longer_than = "3m"
schedule = "night"
severity = "alert"
"#;

/// The pairs of vessels that are or were close together.
#[derive(Debug, Default)]
pub(in crate::rules) struct Pairs(BTreeMap<(VesselId, VesselId), Timer>);

impl VesselState for Pairs {
    fn forget(&mut self, vessel: VesselId) {
        self.0.retain(|&(a, b), _| a != vessel && b != vessel);
    }
}

impl Kind for Rendezvous {
    const INFO: KindInfo = KindInfo {
        word: "rendezvous",
        summary: "two vessels stay close together",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: true,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: Some("use loitering or stop rules as parts: a rendezvous is about two vessels"),
    };

    type State = Pairs;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let vessels: Vec<_> =
            context.observation.seen().filter_map(|vessel| Some((vessel, vessel.motion?))).collect();
        for (index, (a, a_motion)) in vessels.iter().enumerate() {
            for (b, b_motion) in &vessels[index + 1..] {
                let pair = (a.vessel.min(b.vessel), a.vessel.max(b.vessel));
                let near = f64::from(a_motion.at.distance(b_motion.at)) <= self.closer_than_m;
                // Most pairs are far apart and always were: only their distance is computed.
                if !near && !state.0.contains_key(&pair) {
                    continue;
                }
                let meets = near && self.counts(a, a_motion) && self.counts(b, b_motion);
                let timer = state.0.entry(pair).or_default();
                let (state, measured) = timer.step_longer_than(meets, self.longer_than, context);
                let subject = Subject::Pair(pair.0, pair.1);
                let about = Evaluation::not_met(subject, Some(a.number), a.bbox.union(&b.bbox));
                let threshold = self.longer_than.as_secs_f64();
                evaluations.push(Evaluation { state, measured, threshold, ..about });
            }
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { zone, closer_than_m, slower_than_knots, longer_than } = self;
        format!(
            "two vessels in {}, outside berths, are within {closer_than_m} m of each other, neither faster than \
             {slower_than_knots} kn, for longer than {}",
            zone.name,
            format_duration(*longer_than)
        )
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let other = signal.other.map_or_else(String::new, |other| format!(" and vessel {other}"));
        format!(
            "{}{other} have been within {} m of each other in {} for {}",
            signal.vessel(),
            self.closer_than_m,
            self.zone.name,
            signal.measured_time()
        )
    }
}

impl Rendezvous {
    /// Whether a vessel may be one of a pair.
    fn counts(&self, vessel: &ObservedVessel, motion: &GroundMotion) -> bool {
        vessel.in_berth.is_none()
            && self.zone.area.contains(vessel.point)
            && f64::from(motion.speed.value) <= self.slower_than_knots
    }
}
