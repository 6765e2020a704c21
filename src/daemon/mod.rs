//! Wires the rooms: threads, shutdown order, heartbeats, systemd.
mod watch;
pub use watch::{Watch, WatchStats};
