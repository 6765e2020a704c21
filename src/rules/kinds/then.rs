//! `then`: one rule holds for a vessel after another did.

use std::collections::BTreeMap;
use std::time::Duration;

use super::key::{Key, WITHIN, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, RulePlace};
use crate::clock::MonoTime;
use crate::ids::RuleId;
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::signal_text::SignalText;
use crate::rules::words::format_duration;
use crate::track::VesselId;

const FIRST: Key<RuleId> = Key::rule("first", "\"at-the-fuel-quay\"");
const SECOND: Key<RuleId> = Key::rule("second", "\"departed\"");

rule_kind! {
    /// One rule holds for a vessel after another did.
    pub struct Then {
        /// First this one.
        first: RuleId = FIRST,
        /// Then this one.
        second: RuleId = SECOND,
        /// Within this time.
        within: Duration = WITHIN,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "came-in-at-night"
kind = "crossing"
line = "harbour-mouth"
direction = "left-to-right"
schedule = "night"
raises = false

[[rule]]
id = "stops-in-the-outer-harbour"
kind = "stop"
zone = "outer-harbour"
longer_than = "1m"
raises = false

[[rule]]
id = "put-ashore"
name = "Came in at night and stopped"
kind = "then"
first = "came-in-at-night"
second = "stops-in-the-outer-harbour"
within = "10m"
severity = "alert"
"#;

/// What was true of a vessel before.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct Earlier {
    /// When the first rule began to hold, and when it last held.
    first: Option<(MonoTime, MonoTime)>,
    /// When that signal of the second rule opened which has been counted.
    counted: Option<MonoTime>,
}

impl Kind for Then {
    const INFO: KindInfo = KindInfo {
        word: "then",
        summary: "one rule holds for a vessel, then another",
        example: EXAMPLE,
        unit: "rules",
        about: SubjectType::Vessels,
        is_moment: true,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = BTreeMap<VesselId, Earlier>;

    fn place(&self) -> RulePlace<'_> {
        RulePlace::LastPart
    }

    fn parts(&self) -> Vec<&RuleId> {
        vec![&self.first, &self.second]
    }

    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        for vessel in context.observation.seen() {
            let earlier = state.entry(vessel.vessel).or_default();
            if let Some(first) = context.open_signal(&self.first, vessel) {
                earlier.first = Some((first.opened, context.observation.at.mono));
            }
            let state = match (earlier.first, context.open_signal(&self.second, vessel)) {
                (Some((began, last)), Some(second))
                    if context.live
                        && second.opened > began
                        && second.opened.since(last) <= self.within
                        && earlier.counted != Some(second.opened) =>
                {
                    earlier.counted = Some(second.opened);
                    ConditionState::Moment
                }
                _ => ConditionState::NotMet,
            };
            evaluations.push(Evaluation::of_vessel(vessel, state, 2.0, 2.0));
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let Self { first, second, within } = self;
        format!("{second} holds for a vessel within {} after {first}", format_duration(*within))
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("{}: {}", signal.vessel(), signal.parts.join(", then "))
    }
}
