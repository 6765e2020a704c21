//! Writing: entries become rows.

mod acknowledgements;
mod camera_outages;
mod cameras;
mod clock_readings;
pub(super) mod options;
mod passes;
pub(super) mod signals;
mod starts;
pub(super) mod stats;
pub(super) mod store;
mod suppressions;
mod visits;
pub(super) mod writer;
mod writer_thread;
