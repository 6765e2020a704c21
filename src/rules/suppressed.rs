//! What a rule saw and did not tell, with the reason: "why did it not alert?" is a question the logbook answers.

use jiff::Timestamp;

use super::signal::Facts;
use crate::clock::Stamp;
use crate::ids::{CameraId, RuleId};
use crate::track::VesselId;

/// Why a rule whose condition was met kept silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuppressionReason {
    /// The rule's schedule was not in force.
    OutsideSchedule,
    /// Staff were told of the same less than the rule's cooldown ago.
    Cooldown,
    /// The vessel is shorter than the rule asks for, or longer.
    Size,
    /// The condition went before it had held for the rule's confirm time.
    NotConfirmed,
    /// The detector was less sure of the vessel than the rule asks for.
    LowConfidence,
    /// The camera gave no usable picture.
    CameraOutage,
    /// The vessel lies at a berth, where the rule lets vessels be.
    AtBerth,
    /// A rule that this one names under `unless` held.
    Exception,
}

impl SuppressionReason {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutsideSchedule => "outside schedule",
            Self::Cooldown => "cooldown",
            Self::Size => "size",
            Self::NotConfirmed => "not confirmed",
            Self::LowConfidence => "low confidence",
            Self::CameraOutage => "camera outage",
            Self::AtBerth => "at berth",
            Self::Exception => "exception",
        }
    }
}

/// A rule's silence about a subject. Repeats are collapsed: `times` says how many looks this stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    /// Which camera.
    pub camera: CameraId,
    /// Which rule.
    pub rule: RuleId,
    /// The subject; `None` where the rule is about a place.
    pub vessel: Option<VesselId>,
    /// Why.
    pub reason: SuppressionReason,
    /// The first of them.
    pub since: Timestamp,
    /// The last of them.
    pub at: Stamp,
    /// How many looks.
    pub times: u32,
    /// What was measured at the last of them, against what.
    pub facts: Facts,
    /// What a person reads: "vessel 7 is in Inner basin; live again at 21:30".
    pub text: String,
}
