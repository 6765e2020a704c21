//! `unexpected`: a vessel whose length does not fit the berth is moored at it.

use std::time::Duration;

use super::key::{ZONE, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, Problem, RulePlace};
use crate::geometry::Calibration;
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::rules::signal_text::SignalText;

/// The share by which a box's length can be wrong: spray, reflections, and vessels that are not parallel to the picture.
const LENGTH_ERROR: f64 = 0.1;

rule_kind! {
    /// A vessel whose length does not fit the berth is moored at it.
    pub struct Unexpected {
        /// The berth.
        zone: Zone = ZONE,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "wrong-size-at-visitors-quay"
name = "Wrong size at the visitors' quay"
kind = "unexpected"
zone = "visitors-quay"
confirm = "1m"
severity = "warning"
"#;

impl Kind for Unexpected {
    const INFO: KindInfo = KindInfo {
        word: "unexpected",
        summary: "a vessel whose length does not fit the berth is moored at it",
        example: EXAMPLE,
        unit: "m",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: true,
        needs_berth: true,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = ();

    fn place(&self) -> RulePlace<'_> {
        RulePlace::Zone(&self.zone)
    }

    fn evaluate(&self, (): &mut (), context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let Some([least, most]) = self.expected() else { return };
        let at = context.observation.at;
        for visit in context.observation.visits.iter().filter(|visit| visit.berth == self.zone.id) {
            let Some(length) = visit.length_m else { continue };
            let margin = LENGTH_ERROR * length;
            let misfit = context.live && !(least - margin..=most + margin).contains(&length);
            let since = at.before(visit.duration(at));
            let state =
                if misfit { ConditionState::Since { since, entered: false } } else { ConditionState::NotMet };
            let limit = if length > most { most } else { least };
            evaluations.push(Evaluation { margin, ..Evaluation::of_visit(visit, state, length, limit) });
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let [least, most] = self.expected().unwrap_or([0.0, f64::INFINITY]);
        format!("a vessel shorter than {least} m or longer than {most} m is moored at {}", self.zone.name)
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        let [least, most] = self.expected().unwrap_or([0.0, f64::INFINITY]);
        format!(
            "{}, about {:.0} m long, is moored at {}, which is for {least} to {most} m",
            signal.vessel(),
            signal.evaluation.measured,
            self.zone.name
        )
    }

    fn check(&self, _calibration: Option<&Calibration>) -> Option<Problem> {
        let lacks_length = self.zone.berth.is_some() && self.expected().is_none();
        lacks_length.then(|| Problem {
            what: format!("the berth \"{}\" has no expected length", self.zone.id),
            help: "give the zone berth = { expected_length_m = [8, 14] }".to_owned(),
        })
    }

    #[cfg(test)]
    fn quoted() -> Vec<String> {
        vec![format!("more than {:.0} % of its length", LENGTH_ERROR * 100.0)]
    }
}

impl Unexpected {
    fn expected(&self) -> Option<[f64; 2]> {
        self.zone.berth.as_ref()?.expected_length_m
    }
}
