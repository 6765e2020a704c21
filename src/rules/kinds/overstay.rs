//! `overstay`: a vessel is moored at a berth for too long.

use std::time::Duration;

use super::key::{Key, LONGER_THAN, ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;

/// The whole visit counts, whatever the schedule.
const VISIT_LONGER_THAN: Key<Duration> = LONGER_THAN.counts_always();

rule_kind! {
    /// A vessel is moored at a berth for too long.
    pub struct Overstay {
        /// The berth.
        zone: Zone = ZONE,
        /// Longer than this.
        longer_than: Duration = VISIT_LONGER_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "long-at-the-fuel-berth"
name = "Too long at the fuel berth"
kind = "overstay"
zone = "fuel-berth"
longer_than = "1h"
schedule = [{ from = "07:00", to = "20:00" }]
severity = "info"
"#;

impl Kind for Overstay {
    const INFO: KindInfo = KindInfo {
        word: "overstay",
        summary: "a vessel is moored at a berth for too long",
        example: EXAMPLE,
        unit: "s",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: false,
        needs_berth: true,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = ();

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, (): &mut (), context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let at = context.observation.at;
        for visit in context.observation.visits.iter().filter(|visit| visit.berth == self.zone.id) {
            let stayed = visit.duration(at);
            let is_long = context.live && stayed.as_secs_f64() > self.longer_than.as_secs_f64();
            let since = ConditionState::Since { since: at.before(stayed), entered: false };
            let state = if is_long { since } else { ConditionState::NotMet };
            let longer_than_s = self.longer_than.as_secs_f64();
            evaluations.push(Evaluation::of_visit(visit, state, stayed.as_secs_f64(), longer_than_s));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("a vessel is moored at {} for longer than {}", self.zone.name, format_duration(self.longer_than))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let time = signal.measured_time();
        format!("{} has been moored at {} for {time}", signal.vessel(), self.zone.name)
    }
}
