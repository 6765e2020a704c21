//! Wires the rooms: threads, shutdown order, heartbeats, systemd.

mod clocks;
mod heartbeat;
#[cfg(test)]
mod overload_promises;
mod run;
mod status;
mod systemd;
mod turns;
mod watch;
#[cfg(test)]
mod watch_promises;

pub use heartbeat::{Beat, Heartbeats};
pub use run::{RunError, run};
pub use turns::{Doors, Rate, Rates, run as take_turns};
pub use watch::{LastLook, Watch, WatchStats, planner_config};
