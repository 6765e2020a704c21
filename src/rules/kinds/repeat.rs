//! `repeat`: vessels of one size arrive at one berth again and again.
//!
//! Vessels are not recognised. The rule counts arrivals at one berth of vessels whose lengths are alike (or, where the
//! camera is not calibrated, whose boxes are equally wide).

use std::time::Duration;

use super::key::{Key, WITHIN, ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;
use crate::rules::visit::{Visit, VisitStep};
use crate::rules::words::format_duration;

/// Lengths within this ratio are alike.
const ALIKE: f64 = 1.2;

const TIMES: Key<u32> = Key::count("times", "3", (2, 1000), "arrivals");

rule_kind! {
    /// Vessels of one size arrive at a berth again and again.
    pub struct Repeat {
        /// The berth.
        zone: Zone = ZONE,
        /// So many arrivals or more.
        times: u32 = TIMES,
        /// Within this time.
        within: Duration = WITHIN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "repeated-visits"
name = "Repeated visits to the fuel berth"
kind = "repeat"
zone = "fuel-berth"
times = 3
within = "7d"
severity = "info"
"#;

impl Kind for Repeat {
    const INFO: KindInfo = KindInfo {
        word: "repeat",
        summary: "vessels of one size arrive at a berth again and again",
        example: EXAMPLE,
        unit: "visits",
        about: SubjectType::Vessels,
        is_moment: true,
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
        let observation = context.observation;
        let arrivals = observation
            .visit_events
            .iter()
            .filter(|event| event.step == VisitStep::Began && event.visit.arrived)
            .filter(|event| event.visit.berth == self.zone.id);
        for event in arrivals {
            let earlier = observation.history.iter().filter(|visit| {
                visit.berth == self.zone.id
                    && visit.id != event.visit.id
                    && visit.arrived
                    && observation.at.wall.duration_since(visit.began).unsigned_abs() <= self.within
                    && is_alike(visit, &event.visit)
            });
            let count = 1 + earlier.count();
            let enough = context.live && count >= self.times as usize;
            let state = if enough { ConditionState::Moment } else { ConditionState::NotMet };
            evaluations.push(Evaluation::of_visit(&event.visit, state, count as f64, f64::from(self.times)));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { zone, times, within } = self;
        let within = format_duration(*within);
        format!("vessels of one size arrive at {} {times} times or more within {within}", zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let (vessel, count, within) = (signal.vessel(), signal.evaluation.measured, format_duration(self.within));
        format!("{vessel} is arrival {count:.0} of a vessel of its size at {} within {within}", self.zone.name)
    }

    fn history(&self) -> Duration {
        self.within
    }

    #[cfg(test)]
    fn quoted() -> Vec<String> {
        vec![format!("within a factor of {ALIKE}")]
    }
}

fn is_alike(a: &Visit, b: &Visit) -> bool {
    let ratio = match (a.length_m, b.length_m) {
        (Some(a), Some(b)) => a / b,
        _ => f64::from(a.bbox.width() / b.bbox.width()),
    };
    (1.0 / ALIKE..=ALIKE).contains(&ratio)
}
