//! The kinds of rules: one file a kind, and one line a kind in the registry.
//!
//! A kind declares its keys in the site file ([`rule_kind!`](key::rule_kind)) and implements [`Kind`]: what is fixed for
//! it ([`KindInfo`]), how it evaluates a detection pass, and its texts. Confirm time, cooldown, size and schedule apply
//! to every kind alike; the rule's state takes care of them. A vessel that was not seen in a pass gets no evaluation:
//! what was true of it stays true.

mod absence;
mod key;
mod kind;
mod speed_limit;
#[cfg(test)]
mod tests;
mod timer;

use std::time::Duration;

#[cfg(test)]
use super::evaluation::{Evaluation, Subject};
use super::signal_text::SignalText;
use crate::geometry::Calibration;
use crate::ids::{PlaceId, RuleId};

pub use key::{DefaultValue, KeySpec, KeyValues, Value, ValueSpec};
pub(super) use kind::Evaluator;
use kind::{Kind, KindEvaluator};
pub use kind::{KindInfo, Problem, RulePlace, SubjectType};

/// A kind as the reader of the site file sees it.
#[derive(Debug)]
pub struct KindEntry {
    /// What is fixed for the kind.
    pub info: &'static KindInfo,
    /// Its keys besides those that every rule has.
    pub keys: &'static [KeySpec],
    /// The condition with the values of its keys; `None` where one is missing.
    pub condition: fn(&KeyValues) -> Option<Condition>,
    #[cfg(test)]
    pub(crate) quoted: fn() -> Vec<String>,
}

impl PartialEq for KindEntry {
    fn eq(&self, other: &Self) -> bool {
        self.info.word == other.info.word
    }
}

/// Declares the kinds: their modules, [`Condition`] and [`KINDS`].
macro_rules! registry {
    ($($module:ident :: $Kind:ident,)+) => {
        $(mod $module;)+
        $(pub use $module::*;)+

        /// What a rule detects: a kind with the values of its keys.
        #[derive(Clone, Debug)]
        pub enum Condition {
            $(#[doc = concat!("See [`", stringify!($Kind), "`].")] $Kind($Kind),)+
        }

        /// Every kind, in the order of the documentation.
        pub static KINDS: &[KindEntry] = &[$(KindEntry {
            info: &<$Kind as Kind>::INFO,
            keys: $Kind::KEYS,
            condition: |values| $Kind::from_values(values).map(Condition::$Kind),
            #[cfg(test)]
            quoted: <$Kind as Kind>::quoted,
        },)+];

        impl Condition {
            /// What is fixed for its kind.
            pub fn info(&self) -> &'static KindInfo {
                match self { $(Self::$Kind(_) => &<$Kind as Kind>::INFO,)+ }
            }

            /// Where it applies.
            pub fn place(&self) -> RulePlace<'_> {
                match self { $(Self::$Kind(kind) => kind.place(),)+ }
            }

            /// The rules that it combines and that must hold.
            pub fn parts(&self) -> Vec<&RuleId> {
                match self { $(Self::$Kind(kind) => kind.parts(),)+ }
            }

            /// A mistake that only its values together show; `calibration` is that of the rule's camera.
            pub fn check(&self, calibration: Option<&Calibration>) -> Option<Problem> {
                match self { $(Self::$Kind(kind) => kind.check(calibration),)+ }
            }

            /// What is probably not meant, and what would be right.
            pub fn doubt(&self) -> Option<Problem> {
                match self { $(Self::$Kind(kind) => kind.doubt(),)+ }
            }

            /// How far back it looks at visits that are over.
            pub fn history(&self) -> Duration {
                match self { $(Self::$Kind(kind) => kind.history(),)+ }
            }

            /// In words, for a rule with this confirm time: "a vessel is in Inner basin for 2s".
            pub fn text(&self, confirm: Duration) -> String {
                match self { $(Self::$Kind(kind) => kind.condition_text(confirm),)+ }
            }

            pub(super) fn open_text(&self, signal: &SignalText<'_>) -> String {
                match self { $(Self::$Kind(kind) => kind.open_text(signal),)+ }
            }

            pub(super) fn closed_text(&self, signal: &SignalText<'_>) -> String {
                match self { $(Self::$Kind(kind) => kind.closed_text(signal),)+ }
            }

            pub(super) fn threshold(&self, evaluated: f64, confirm: Duration) -> f64 {
                match self { $(Self::$Kind(_) => <$Kind as Kind>::threshold(evaluated, confirm),)+ }
            }

            pub(super) fn evaluator(&self) -> Box<dyn Evaluator> {
                match self {
                    $(Self::$Kind(kind) => Box::new(KindEvaluator { kind: kind.clone(), state: Default::default() }),)+
                }
            }
        }
    };
}

registry! {
    presence::ZonePresence,
    entry::ZoneEntry,
    crossing::Crossing,
    wrong_way::WrongWay,
    dwell::Dwell,
    loitering::Loitering,
    stop::Stop,
    speeding::Speeding,
    approach::Approach,
    rendezvous::Rendezvous,
    crowd::Crowd,
    inactivity::Inactivity,
    absent::Absent,
    departure::Departure,
    overstay::Overstay,
    unexpected::Unexpected,
    repeat::Repeat,
    all::All,
    then::Then,
}

/// The keys of all kinds, each once.
pub fn all_keys() -> Vec<KeySpec> {
    let mut keys: Vec<KeySpec> = Vec::new();
    for key in KINDS.iter().flat_map(|kind| kind.keys) {
        if keys.iter().all(|known| known.name != key.name) {
            keys.push(*key);
        }
    }
    keys
}

/// The text of a signal of `condition` about vessel 7, for tests that compare texts with the documentation.
#[cfg(test)]
pub(crate) fn sample_text(condition: &Condition, measured: f64, has_schedule: bool) -> String {
    let bbox = crate::geometry::BBox::new(0.0, 0.0, 1.0, 1.0);
    let number = crate::track::VesselId;
    let about = Evaluation::not_met(Subject::Place, Some(number(7)), bbox);
    let to = Some(crate::geometry::Side::Right);
    let parts: Vec<_> = condition.parts().into_iter().map(ToString::to_string).collect();
    let at = jiff::Timestamp::UNIX_EPOCH;
    condition.open_text(&SignalText {
        evaluation: &Evaluation { measured, to, ..about },
        parts: &parts,
        other: Some(number(9)),
        entered: true,
        open_s: measured,
        at,
        live_since: has_schedule.then_some(at),
    })
}

impl Condition {
    /// Id and name of its zone or line; `None` for rules that combine others.
    pub fn place_name(&self) -> Option<(&PlaceId, &str)> {
        self.place().named()
    }
}
