//! From tracks to signals by zone and time. Pure: (state, tracks, time) -> (state, events).

mod signal;

pub use signal::{Phase, SignalEvent, SignalId};
