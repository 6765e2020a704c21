//! What the house costs: processor time of `replay` over a sample clip, against the floor measured in the same run,
//! which is decoding that clip alone plus as many inferences alone. `cargo bench --bench cost`.

// A benchmark prints its table.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gstreamer as gst;
use gstreamer::prelude::*;
use nix::sys::resource::{UsageWho, getrusage};

const CLIP: &str = "inner-harbour";
const LOOKS_PER_SECOND: f64 = 5.0;
const ROUNDS: usize = 3;
/// The project's promise.
const LIMIT: f64 = 1.25;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["decode"] => decode(),
        ["infer", runs] => infer(runs.parse().expect("a number of runs")),
        _ => compare(),
    }
}

fn compare() {
    println!(
        "{:>8} {:>9} {:>9} {:>9} {:>7} {:>6}",
        "round", "decode s", "infer s", "replay s", "runs", "ratio"
    );
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let us = std::env::current_exe().expect("this program has a path");
        let decode_s = cpu_seconds(Command::new(&us).arg("decode")).0;
        let (replay_s, summary) = replay();
        let runs = summary["cameras"][0]["runs"].as_u64().expect("the summary counts runs");
        let infer_s = cpu_seconds(Command::new(&us).args(["infer", &runs.to_string()])).0;
        let ratio = replay_s / (decode_s + infer_s);
        println!("{round:>8} {decode_s:>9.2} {infer_s:>9.2} {replay_s:>9.2} {runs:>7} {ratio:>6.3}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("replay / floor: {median:.3} (median of {ROUNDS}; at most {LIMIT})");
    assert!(median <= LIMIT, "the house costs more than promised");
}

/// Processor seconds of a child, and what it printed.
fn cpu_seconds(command: &mut Command) -> (f64, String) {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
        let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
        seconds(usage.user_time()) + seconds(usage.system_time())
    };
    let before = used();
    let output = command.stderr(Stdio::inherit()).output().expect("the child starts");
    assert!(output.status.success(), "{command:?} failed");
    (used() - before, String::from_utf8_lossy(&output.stdout).into_owned())
}

fn clip() -> PathBuf {
    root().join("sample-streams/out").join(format!("{CLIP}.mp4"))
}

/// `replay` at five looks a second, with the demo's regions and rules.
fn replay() -> (f64, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = std::fs::read_to_string(root().join("config/demo.toml")).expect("config/demo.toml");
    let site = site
        .replace("\"../models", &format!("\"{}/models", root().display()))
        .lines()
        .map(|line| match line.strip_prefix("detect_fps") {
            Some(_) => format!("detect_fps = {LOOKS_PER_SECOND:?}"),
            None => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    let site_file = folder.path().join("site.toml");
    std::fs::write(&site_file, site).expect("the site file is written");
    let (seconds, printed) = cpu_seconds(
        Command::new(env!("CARGO_BIN_EXE_havenwacht"))
            .args(["replay", "--json", "--start", "2026-06-01T20:13:00Z", "--config"])
            .arg(&site_file)
            .arg("--camera")
            .arg(format!("{CLIP}={}", clip().display()))
            .arg("--logbook")
            .arg(folder.path().join("logbook.sqlite")),
    );
    (seconds, serde_json::from_str(&printed).expect("replay prints JSON"))
}

/// Decodes the clip and throws every picture away.
fn decode() {
    gst::init().expect("GStreamer starts");
    let pipeline = gst::parse::launch(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! fakesink sync=false",
        clip().display()
    ))
    .expect("the pipeline stands");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let bus = pipeline.bus().expect("a pipeline has a bus");
    let end = bus.timed_pop_filtered(gst::ClockTime::NONE, &[gst::MessageType::Eos, gst::MessageType::Error]);
    assert!(matches!(end.expect("it ends").view(), gst::MessageView::Eos(_)), "the clip plays to its end");
    pipeline.set_state(gst::State::Null).expect("it stops");
}

/// Runs the demo's model on a still tensor, with the daemon's session settings.
fn infer(runs: usize) {
    let site = root().join("models/havenwacht.toml");
    let runtime = root().join("models/runtime/libonnxruntime.so");
    let mut detector = havenwacht::detect::OnnxDetector::load(&site, &runtime, 1).expect("the model loads");
    for _ in 0..runs {
        detector.infer_only().expect("it runs");
    }
}
