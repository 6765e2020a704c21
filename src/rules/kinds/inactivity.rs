//! `inactivity`: no vessel is seen where there is always traffic, so the camera may see badly.

use std::time::Duration;

use super::absence::Absence;
use super::key::{LONGER_THAN, ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;

rule_kind! {
    /// No vessel is seen in a zone.
    pub struct Inactivity {
        /// The zone.
        zone: Zone = ZONE,
        /// For so long.
        longer_than: Duration = LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "nothing-in-the-fairway"
name = "Nothing seen in the fairway"
kind = "inactivity"
zone = "fairway"
longer_than = "2h"
schedule = [{ from = "08:00", to = "20:00" }]
severity = "warning"
"#;

impl Kind for Inactivity {
    const INFO: KindInfo = KindInfo {
        word: "inactivity",
        summary: "no vessel is seen where there is always traffic",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Place,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = Absence;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let is_there = context.observation.seen().any(|vessel| self.zone.area.contains(vessel.point));
        evaluations.push(state.step(&self.zone, self.longer_than, is_there, context));
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("no vessel is seen in {} for {}", self.zone.name, format_duration(self.longer_than))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("no vessel was seen in {} for {}: check the camera", self.zone.name, signal.measured_time())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        format!("vessels are seen in {} again, after {}", self.zone.name, signal.open_time())
    }
}
