//! From tracks to signals: rules about zones, lines and times. Pure: (state, tracks, time) -> (state, events).
//!
//! A detection pass goes through these steps: tracks are linked to vessels (`track_links`), positions and speeds on the
//! ground are estimated (`motion`), and visits at berths are updated (`visits`). Then each rule evaluates its
//! condition (`kinds`), applies its schedule (`schedule`) and its selection of vessels, and steps the life of its
//! signals (`lifecycle`). Suppressed signals are reported, too (`suppression`).

mod engine;
mod evaluation;
mod event;
mod kinds;
mod lifecycle;
mod motion;
mod observation;
mod place;
mod position_history;
mod rule;
mod rule_state;
mod schedule;
mod severity;
mod signal;
mod signal_text;
mod suppression;
mod suppression_log;
mod track_links;
mod visit;
mod visits;
mod words;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod kind_cases;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod marina_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod visit_tests;

pub use engine::{CameraRules, Engine};
pub use event::RuleEvent;
pub use kinds::*;
pub use motion::{GroundMotion, Measured, MotionEstimator};
pub use place::{Berth, Line, Zone};
pub use rule::Rule;
pub use schedule::*;
pub use severity::Severity;
pub(crate) use signal::stable_uuid;
pub use signal::{Facts, Phase, SignalEvent, SignalId};
pub use suppression::{Suppression, SuppressionReason};
pub use visit::{Visit, VisitEnd, VisitEvent, VisitId, VisitStep};
pub use visits::ResumeState;
pub use words::{DURATION_UNITS, WEEKDAYS, format_duration, format_time, format_weekday};

#[cfg(test)]
pub(crate) use kinds::sample_text;
#[cfg(test)]
pub(crate) use visits::quoted_about_berths;
