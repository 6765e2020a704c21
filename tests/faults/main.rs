//! The fault scoreboard: real faults on real parts. Each test is named for its promise and prints its row.
//!
//! Short by default; `HAVENWACHT_LONG=1` runs as many rounds as the release notes report.

// A test that unwraps says where it broke; helpers outside `#[test]` functions are tests too.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../harbour/files.rs"]
mod files;
#[path = "../harbour/mod.rs"]
mod harbour;

mod broker;
mod camera;
mod power;

/// Prints a row of the scoreboard.
fn row(
    fault: &str,
    runs: usize,
    lost: usize,
    repeated: usize,
    detected_s: f64,
    recovered_s: f64,
    limit: &str,
) {
    println!("| {fault} | {runs} | {lost} | {repeated} | {detected_s:.1} | {recovered_s:.1} | {limit} |");
}

/// Rounds of a repeated fault.
fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("HAVENWACHT_LONG").is_some() { long } else { short }
}
