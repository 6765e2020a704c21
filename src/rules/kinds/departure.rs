//! `departure`: a vessel leaves its berth.

use std::time::Duration;

use super::key::{ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::visit::{VisitEnd, VisitStep};

rule_kind! {
    /// A vessel leaves its berth.
    pub struct Departure {
        /// The berth.
        zone: Zone = ZONE,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "leaves-at-night"
name = "Leaves the visitors' quay at night"
kind = "departure"
zone = "visitors-quay"
schedule = "night"
severity = "warning"
"#;

impl Kind for Departure {
    const INFO: KindInfo = KindInfo {
        word: "departure",
        summary: "a vessel leaves its berth",
        example: EXAMPLE,
        unit: "departures",
        about: SubjectType::Vessels,
        is_moment: true,
        needs_calibration: false,
        needs_berth: true,
        needs_schedule: false,
        instead_as_part: Some("use a crossing or stop rule as the part: the visit of a vessel that has left is over"),
    };

    type State = ();

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, (): &mut (), context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let here = context.observation.visit_events.iter().filter(|event| event.visit.berth == self.zone.id);
        for event in here.filter(|event| event.step == VisitStep::Ended) {
            let departed = event.visit.ended.is_some_and(|(_, how)| how == VisitEnd::Departed);
            let state =
                if departed && context.live { ConditionState::Moment } else { ConditionState::NotMet };
            evaluations.push(Evaluation::of_visit(&event.visit, state, 1.0, 1.0));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("a vessel leaves {}", self.zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("{} left {}{}", signal.vessel(), self.zone.name, signal.after_start())
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        format!("{} has left {}", signal.vessel(), self.zone.name)
    }
}
