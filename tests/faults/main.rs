//! The fault scoreboard: real faults on real parts. Each test is named for its promise and records its [`Row`].
//!
//! Short by default; `make faults LONG=1` (`HAVENWACHT_LONG=1`) runs as many rounds as the README reports. `make faults` prints
//! the table.

// A test that unwraps says where it broke; helpers outside `#[test]` functions are tests too.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

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

/// Whether this is the long form.
fn is_long() -> bool {
    std::env::var_os("HAVENWACHT_LONG").is_some()
}

/// Rounds of a repeated fault.
fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}
