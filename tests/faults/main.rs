//! The fault scoreboard: real faults on real cameras, broker and disk. Each test records a [`Row`].
//!
//! By default each fault has few rounds; `make faults LONG=1` (`HAVENWACHT_LONG=1`) has as many as the documentation reports.
//! `make faults` prints the table.

// A panic shows where a test failed, also in helpers outside `#[test]` functions.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/clips.rs"]
mod clips;
#[path = "../common/paths.rs"]
mod paths;
#[path = "../common/scripted_broker.rs"]
mod scripted_broker;
#[path = "../common/system.rs"]
mod system;

mod alert_source;
mod broker;
mod camera;
mod damage;
mod delivery;
mod disk;
mod garbage;
mod mistakes;
mod network;
mod onnx;
mod order;
mod power;
mod process;
mod row;
mod soak;
mod stop;
mod stuck;
mod supervisor;
mod time;
mod trace;
mod writes;

use row::Row;

/// Whether this is a long run.
fn is_long() -> bool {
    std::env::var_os("HAVENWACHT_LONG").is_some()
}

/// The number of rounds of a repeated fault.
fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}
