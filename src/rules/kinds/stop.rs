//! `stop`: a vessel does not move, outside berths.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{LONGER_THAN, ZONE, rule_kind};
use super::timer::Timer;
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;
use crate::track::VesselId;

rule_kind! {
    /// A vessel does not move in the zone, outside berths.
    pub struct Stop {
        /// The zone.
        zone: Zone = ZONE,
        /// Longer than this.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "stopped-in-the-inner-harbour"
name = "Stopped in the inner harbour"
kind = "stop"
zone = "inner-harbour"
longer_than = "15m"
severity = "warning"
"#;

impl Kind for Stop {
    const INFO: KindInfo = KindInfo {
        word: "stop",
        summary: "a vessel does not move, outside berths",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, Timer>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        for vessel in context.observation.seen() {
            let stopped = vessel.still && self.zone.area.contains(vessel.point) && vessel.in_berth.is_none();
            let timer = state.entry(vessel.vessel).or_default();
            let (state, measured) = timer.step_longer_than(stopped, self.longer_than, context);
            evaluations.push(Evaluation::of_vessel(vessel, state, measured, self.longer_than.as_secs_f64()));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let longer_than = format_duration(self.longer_than);
        format!("a vessel does not move in {}, outside berths, for longer than {longer_than}", self.zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let time = signal.measured_time();
        format!("{} has not moved in {}, outside berths, for {time}", signal.vessel(), self.zone.name)
    }
}
