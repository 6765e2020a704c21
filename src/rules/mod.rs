//! From tracks to signals by zone and time. Pure: (state, tracks, time) -> (state, events).

mod engine;
mod lifecycle;
mod motion;
mod schedule;
mod signal;
mod subject;
#[cfg(test)]
mod testing;

pub use engine::Engine;
pub use motion::{Course, Measured, Motion};
pub use schedule::{Live, Schedule};
pub use signal::{Phase, SignalEvent, SignalId};
