//! From tracks to signals by zone and time. Pure: (state, tracks, time) -> (state, events).

mod engine;
mod lifecycle;
mod schedule;
#[cfg(test)]
mod schedule_promises;
mod signal;
mod standing;
mod stretch;
mod subject;
mod sun;
mod suppressed;
#[cfg(test)]
mod testing;
mod visit;

pub use engine::Engine;
pub use schedule::{Live, Schedule};
pub use signal::{Facts, Phase, SignalEvent, SignalId};
pub use standing::{Silence, Standing, when};
pub use sun::{Moment, sun_moment};
pub use suppressed::{Reason, Suppressed};
pub use visit::{Visit, VisitEnd, VisitEvent, VisitId, VisitStep};
