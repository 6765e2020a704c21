//! `dwell`: a vessel stays in a zone, moving or not.

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
    /// A vessel stays in the zone.
    pub struct Dwell {
        /// The zone.
        zone: Zone = ZONE,
        /// Longer than this.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "long-in-the-outer-harbour"
name = "Long in the outer harbour"
kind = "dwell"
zone = "outer-harbour"
longer_than = "20m"
severity = "warning"
"#;

impl Kind for Dwell {
    const INFO: KindInfo = KindInfo {
        word: "dwell",
        summary: "a vessel stays in the zone for too long, moving or not",
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
            let timer = state.entry(vessel.vessel).or_insert_with(|| Timer::in_zone(vessel, &self.zone, context));
            let inside = self.zone.area.contains(vessel.point);
            let (state, measured) = timer.step_longer_than(inside, self.longer_than, context);
            evaluations.push(Evaluation::of_vessel(vessel, state, measured, self.longer_than.as_secs_f64()));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("a vessel stays in {} for longer than {}", self.zone.name, format_duration(self.longer_than))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("{} has been in {} for {}", signal.vessel(), self.zone.name, signal.measured_time())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        signal.left(&self.zone)
    }
}
