//! From tracks to signals by zone and time. Pure: (state, tracks, time) -> (state, events).
//!
//! A look passes through in this order: who is who (`heirs`), where on the ground and how fast (`motion`), who lies at which
//! berth (`visits`); then each rule: its condition (`conditions`, or `composed` of other rules), its schedule, whom it
//! means, and the life of its signal (`lifecycle`). What a rule keeps silent about is told as well (`silence`).

#[cfg(test)]
mod clock_promises;
mod composed;
mod conditions;
mod engine;
#[cfg(test)]
mod fleet;
mod heirs;
mod lifecycle;
mod motion;
#[cfg(test)]
mod promises;
mod scene;
mod schedule;
#[cfg(test)]
mod schedule_promises;
mod signal;
mod silence;
#[cfg(test)]
mod stage;
mod standing;
mod stretch;
mod sun;
mod suppressed;
mod telling;
#[cfg(test)]
mod testing;
mod trail;
mod visit;
#[cfg(test)]
mod visit_promises;
mod visits;
mod watched;

pub use engine::{Engine, RuleEvent};
pub use motion::{GroundMotion, Measured, MotionEstimator};
pub use schedule::{Live, Schedule};
pub(crate) use signal::stable_uuid;
pub use signal::{Facts, Phase, SignalEvent, SignalId};
pub use standing::{NotLiveReason, ScheduleStatus, when};
pub use sun::{SunTime, sun_moment};
pub use suppressed::{Suppression, SuppressionReason};
pub use telling::condition as condition_words;
pub use visit::{Visit, VisitEnd, VisitEvent, VisitId, VisitStep};
pub use visits::ResumeState;
