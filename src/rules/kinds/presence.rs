//! `presence`: a vessel is in a zone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{ZONE, rule_kind};
use super::timer::Timer;
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;
use crate::track::VesselId;

rule_kind! {
    /// A vessel is in the zone.
    pub struct ZonePresence {
        /// The zone.
        zone: Zone = ZONE,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "inner-harbour-at-night"
name = "In the inner harbour at night"
kind = "presence"
zone = "inner-harbour"
schedule = "night"
confirm = "3s"
"#;

impl Kind for ZonePresence {
    const INFO: KindInfo = KindInfo {
        word: "presence",
        summary: "a vessel is in the zone",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: true,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, Timer>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        for vessel in context.observation.seen() {
            let timer = state.entry(vessel.vessel).or_insert_with(|| Timer::in_zone(vessel, &self.zone, context));
            let (state, measured) = timer.step_timed(self.zone.area.contains(vessel.point), context);
            evaluations.push(Evaluation::of_vessel(vessel, state, measured, 0.0));
        }
    }

    fn condition_text(&self, confirm: Duration) -> String {
        format!("a vessel is in {} for {}", self.zone.name, format_duration(confirm))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let verb = if signal.entered { "entered" } else { "is in" };
        format!("{} {verb} {}{}", signal.vessel(), self.zone.name, signal.after_start())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        signal.left(&self.zone)
    }

    fn threshold(_evaluated: f64, confirm: Duration) -> f64 {
        confirm.as_secs_f64()
    }
}
