//! `all`: several rules hold for one vessel at once.

use std::time::Duration;

use super::key::{DefaultValue, Key, rule_kind};
use super::kind::{SubjectType, Kind, KindInfo, Problem, RulePlace};
use crate::geometry::Calibration;
use crate::ids::RuleId;
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::signal_text::SignalText;
use crate::rules::suppression::SuppressionReason;

const OF: Key<Vec<RuleId>> = Key::rules("of", "[\"night-passage\", \"speeding\"]");
const UNLESS: Key<Vec<RuleId>> = Key::rules("unless", "[\"patrol\"]").or(DefaultValue::NoRules);

rule_kind! {
    /// Several rules hold for one vessel at once.
    pub struct All {
        /// These hold ...
        of: Vec<RuleId> = OF,
        /// ... and none of these does.
        unless: Vec<RuleId> = UNLESS,
    }
}

const EXAMPLE: &str = r#"[[rule]]
id = "in-the-fairway-at-night"
kind = "presence"
zone = "fairway"
schedule = "night"
raises = false

[[rule]]
id = "too-fast"
kind = "speeding"
zone = "fairway"
limit_knots = 6
raises = false

[[rule]]
id = "fishing-vessel"
kind = "presence"
zone = "fairway"
length_m = [20, 60]
schedule = "night"
raises = false

[[rule]]
id = "fast-at-night"
name = "Fast at night"
kind = "all"
of = ["in-the-fairway-at-night", "too-fast"]
unless = ["fishing-vessel"]
confirm = "5s"
severity = "alert"
"#;

impl Kind for All {
    const INFO: KindInfo = KindInfo {
        word: "all",
        summary: "several rules hold for one vessel at once",
        example: EXAMPLE,
        unit: "rules",
        about: SubjectType::Vessels,
        is_moment: false,
        needs_calibration: false,
        needs_berth: false,
        needs_schedule: false,
        instead_as_part: None,
    };

    type State = ();

    fn place(&self) -> RulePlace<'_> {
        RulePlace::LastPart
    }

    fn parts(&self) -> Vec<&RuleId> {
        self.of.iter().collect()
    }

    fn evaluate(&self, (): &mut (), context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        let parts = self.of.len() as f64;
        for vessel in context.observation.seen() {
            let open: Option<Vec<_>> = self.of.iter().map(|part| context.open_signal(part, vessel)).collect();
            let latest = open.and_then(|open| open.into_iter().max_by_key(|signal| signal.opened));
            let excepted = self.unless.iter().any(|part| context.open_signal(part, vessel).is_some());
            let state = match latest.filter(|_| context.live) {
                Some(latest) => ConditionState::Since { since: latest.since, entered: false },
                None => ConditionState::NotMet,
            };
            let suppressed = excepted.then_some(SuppressionReason::Exception);
            evaluations.push(Evaluation { suppressed, ..Evaluation::of_vessel(vessel, state, parts, parts) });
        }
    }

    fn condition_text(&self, _confirm: Duration) -> String {
        let list = |ids: &[RuleId], word: &str| {
            ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(word)
        };
        match self.unless.as_slice() {
            [] => format!("{} hold for one vessel", list(&self.of, " and ")),
            unless => {
                format!("{} hold for one vessel, and not {}", list(&self.of, " and "), list(unless, " or "))
            }
        }
    }

    fn open_text(&self, signal: &SignalText<'_>) -> String {
        format!("{}: {}", signal.vessel(), signal.parts.join(" and "))
    }

    fn check(&self, _calibration: Option<&Calibration>) -> Option<Problem> {
        self.of.is_empty().then(|| Problem {
            what: "of names no rule".to_owned(),
            help: "name the rules that must hold: of = [\"night-passage\", \"speeding\"]".to_owned(),
        })
    }

    fn doubt(&self) -> Option<Problem> {
        (self.of.len() + self.unless.len() == 1).then(|| Problem {
            what: "combines one rule only: it means the same as that rule".to_owned(),
            help: "name two rules or more under of and unless".to_owned(),
        })
    }
}
