//! `absent`: the vessel that is expected at a berth is not there.

use std::time::Duration;

use super::absence::Absence;
use super::key::{LONGER_THAN, ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;

rule_kind! {
    /// An expected vessel is not at its berth.
    pub struct Absent {
        /// The berth.
        zone: Zone = ZONE,
        /// For so long.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "patrol-boat-not-home"
name = "Patrol boat not at its berth"
kind = "absent"
zone = "patrol-berth"
longer_than = "10m"
schedule = [{ from = "22:00", to = "06:00" }]
severity = "warning"
escalate_after = "30m"
"#;

impl Kind for Absent {
    const INFO: KindInfo = KindInfo {
        word: "absent",
        summary: "an expected vessel is not at its berth",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Place,
        is_moment: false,
        needs_calibration: false,
        needs_berth: true,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = Absence;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let expected = self.zone.berth.as_ref().and_then(|berth| berth.expected_length_m);
        let fits = |length: Option<f64>| match (expected, length) {
            (Some([least, most]), Some(length)) => (least..=most).contains(&length),
            // A vessel of unknown length may be the expected one.
            _ => true,
        };
        let observation = context.observation;
        let visits = observation.visits.iter().any(|v| v.berth == self.zone.id && fits(v.length_m));
        let is_there = visits
            || observation.vessels.iter().any(|v| self.zone.area.contains(v.point) && fits(v.length_m));
        evaluations.push(state.step(&self.zone, self.longer_than, is_there, context));
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("the vessel expected at {} is not there for {}", self.zone.name, format_duration(self.longer_than))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("no vessel at {} for {}, where one is expected", self.zone.name, signal.measured_time())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        format!("a vessel is at {} again, after {}", self.zone.name, signal.open_time())
    }
}
