//! What every kind of rule declares and implements.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use crate::geometry::Calibration;
use crate::ids::{PlaceId, RuleId};
use crate::rules::evaluation::{Context, Evaluation};
use crate::rules::place::{Line, Zone};
use crate::rules::signal_text::SignalText;
use crate::track::VesselId;

/// For so long after missed passes a vessel whose position and speed are unknown counts as it did before.
pub(super) const UNKNOWN_FOR: Duration = Duration::from_secs(15);

/// What is fixed for a kind. Every field must be given.
#[derive(Debug)]
pub struct KindInfo {
    /// `kind` in the site file, the logbook and alerts.
    pub word: &'static str,
    /// The kind in one line, as the table in `config/rules.md` has it.
    pub summary: &'static str,
    /// The example in `config/rules.md`: rules about places of `config/scheveningen.toml`.
    pub example: &'static str,
    /// The unit of what it measures.
    pub unit: &'static str,
    /// What it is about.
    pub about: SubjectType,
    /// It is a moment: it has no confirm time.
    pub is_moment: bool,
    /// It measures metres or knots, which only a calibrated camera gives.
    pub needs_calibration: bool,
    /// Its zone must be a berth.
    pub needs_berth: bool,
    /// Without a schedule it raises a signal for every vessel at any time, which is rarely meant.
    pub needs_schedule: bool,
    /// What to use instead of this kind as a part of `all` and `then`, where it cannot be a part.
    pub instead_as_part: Option<&'static str>,
}

/// What the signals of a kind are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectType {
    /// Vessels, which a rule can select by length and confidence.
    Vessels,
    /// The zone as a whole.
    Place,
}

/// A mistake in a rule, and what would be right.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
}

/// Where a rule applies.
#[derive(Clone, Copy, Debug)]
pub enum RulePlace<'a> {
    /// In a zone.
    Zone(&'a Zone),
    /// At a line.
    Line(&'a Line),
    /// Where the last of its parts applies.
    LastPart,
}

impl<'a> RulePlace<'a> {
    /// Id and name of the zone or line.
    pub fn named(self) -> Option<(&'a PlaceId, &'a str)> {
        match self {
            Self::Zone(zone) => Some((&zone.id, &zone.name)),
            Self::Line(line) => Some((&line.id, &line.name)),
            Self::LastPart => None,
        }
    }
}

/// A kind of rule, with the values of its keys.
pub(in crate::rules) trait Kind: Clone + Debug + Send + 'static {
    /// What is fixed for the kind.
    const INFO: KindInfo;

    /// What it keeps from pass to pass.
    type State: VesselState;

    /// Where it applies.
    fn place(&self) -> RulePlace<'_>;

    /// The rules that it combines and that must hold.
    fn parts(&self) -> Vec<&RuleId> {
        Vec::new()
    }

    /// Evaluates one detection pass.
    fn evaluate(&self, state: &mut Self::State, context: &Context<'_>, evaluations: &mut Vec<Evaluation>);

    /// What it detects, in words, for a rule with this confirm time: "a vessel is in Inner basin for 2s".
    fn condition_text(&self, confirm: Duration) -> String;

    /// The text of a signal that is open: "vessel 7 entered Inner basin".
    fn open_text(&self, signal: &SignalText<'_>) -> String;

    /// The text of a signal that closed.
    fn closed_text(&self, signal: &SignalText<'_>) -> String {
        signal.over()
    }

    /// The limit that a signal states, where the confirm time is the limit.
    fn threshold(evaluated: f64, _confirm: Duration) -> f64 {
        evaluated
    }

    /// A mistake that only the values together show; `calibration` is that of the rule's camera.
    fn check(&self, _calibration: Option<&Calibration>) -> Option<Problem> {
        None
    }

    /// What is probably not meant, and what would be right.
    fn doubt(&self) -> Option<Problem> {
        None
    }

    /// How far back it looks at visits that are over.
    fn history(&self) -> Duration {
        Duration::ZERO
    }

    /// Parts of sentences of `config/rules.md` that quote constants of the kind.
    #[cfg(test)]
    fn quoted() -> Vec<String> {
        Vec::new()
    }
}

/// What a kind keeps from pass to pass.
pub(in crate::rules) trait VesselState: Default + Debug + Send {
    /// Removes what is kept of a vessel that is gone for good.
    fn forget(&mut self, vessel: VesselId);
}

impl VesselState for () {
    fn forget(&mut self, _vessel: VesselId) {}
}

impl<T: Debug + Send> VesselState for BTreeMap<VesselId, T> {
    fn forget(&mut self, vessel: VesselId) {
        self.remove(&vessel);
    }
}

/// A condition with what it keeps from pass to pass.
pub(in crate::rules) trait Evaluator: Debug + Send {
    /// Evaluates one detection pass.
    fn evaluate(&mut self, context: &Context<'_>, evaluations: &mut Vec<Evaluation>);

    /// Removes what is kept of a vessel that is gone for good.
    fn forget(&mut self, vessel: VesselId);
}

#[derive(Debug)]
pub(super) struct KindEvaluator<K: Kind> {
    pub(super) kind: K,
    pub(super) state: K::State,
}

impl<K: Kind> Evaluator for KindEvaluator<K> {
    fn evaluate(&mut self, context: &Context<'_>, evaluations: &mut Vec<Evaluation>) {
        self.kind.evaluate(&mut self.state, context, evaluations);
    }

    fn forget(&mut self, vessel: VesselId) {
        self.state.forget(vessel);
    }
}
