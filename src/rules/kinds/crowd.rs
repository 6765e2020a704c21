//! `crowd`: more vessels in a zone than there may be.

use std::time::Duration;

use super::key::{Key, ZONE, rule_kind};
use super::kind::{Kind, KindInfo, RulePlace, SubjectType, VesselState};
use super::timer::Timer;
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

const MORE_THAN: Key<u32> = Key::count("more_than", "5", (0, 1000), "how many vessels may be there");

rule_kind! {
    /// Too many vessels are in a zone.
    pub struct Crowd {
        /// The zone.
        zone: Zone = ZONE,
        /// More than this many.
        more_than: u32 = MORE_THAN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "full-outer-harbour"
name = "No room to turn"
kind = "crowd"
zone = "outer-harbour"
more_than = 5
confirm = "30s"
severity = "warning"
"#;

impl VesselState for Timer {
    fn forget(&mut self, _vessel: VesselId) {}
}

impl Kind for Crowd {
    const INFO: KindInfo = KindInfo {
        word: "crowd",
        summary: "too many vessels are in the zone",
        example: EXAMPLE,
        unit: "vessels",
        about: SubjectType::Place,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = Timer;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        // Vessels that are hidden for a moment are still there. Vessels moored at another berth in the zone do not count.
        let counted = context.observation.vessels.iter().filter(|vessel| {
            self.zone.area.contains(vessel.point)
                && vessel.moored.as_ref().is_none_or(|berth| *berth == self.zone.id)
        });
        let count = counted.count();
        let (state, _) = state.step_timed(count > self.more_than as usize, context);
        evaluations.push(Evaluation::of_zone(&self.zone, state, count as f64, f64::from(self.more_than)));
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        format!("more than {} vessels are in {}", self.more_than, self.zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let count = signal.evaluation.measured;
        format!("{count:.0} vessels in {}, where at most {} are allowed", self.zone.name, self.more_than)
    }

    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        format!("no longer too many vessels in {}, after {}", self.zone.name, signal.open_time())
    }
}
