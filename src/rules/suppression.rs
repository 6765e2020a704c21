//! Suppressed signals and the reasons, so that the logbook answers the question "why was there no alert?".

use jiff::Timestamp;

use super::signal::Facts;
use crate::clock::Stamp;
use crate::ids::{CameraId, RuleId};
use crate::track::VesselId;

/// Why the signal of a rule whose condition was met was suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum SuppressionReason {
    /// The rule's schedule was not in force.
    #[strum(serialize = "outside schedule")]
    OutsideSchedule,
    /// Staff were notified of the same thing less than the rule's cooldown ago.
    Cooldown,
    /// The vessel is shorter or longer than the rule's `length_m`, or its length is unknown.
    Size,
    /// The condition was met for less than the rule's confirm time.
    #[strum(serialize = "not confirmed")]
    NotConfirmed,
    /// The detector's confidence in the vessel was below the rule's `min_confidence`.
    #[strum(serialize = "low confidence")]
    LowConfidence,
    /// The camera gave no usable picture.
    #[strum(serialize = "camera outage")]
    CameraOutage,
    /// The vessel is moored at a berth, and the rule is not about that berth.
    #[strum(serialize = "at berth")]
    AtBerth,
    /// A rule that this one names under `unless` held.
    Exception,
}

impl SuppressionReason {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A suppressed signal. Repeats are merged: `times` is the number of detection passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    /// Which camera.
    pub camera: CameraId,
    /// Which rule.
    pub rule: RuleId,
    /// The vessel; `None` where the rule is about a place.
    pub vessel: Option<VesselId>,
    /// Why.
    pub reason: SuppressionReason,
    /// The first pass.
    pub since: Timestamp,
    /// The last pass.
    pub at: Stamp,
    /// How many passes.
    pub times: u32,
    /// What was measured in the last pass, and the limit.
    pub facts: Facts,
    /// What a person reads: "vessel 7 is in Inner basin; not sent: outside schedule".
    pub text: String,
}
