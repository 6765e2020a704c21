//! Pages for people and machines on the loopback: what the watch is doing now.

mod health;
mod server;

pub use health::{AlertsHealth, CameraHealth, ClockHealth, Health, LogbookHealth, OutageHealth};
pub use server::serve;
