//! The processor time of `replay` on a sample clip, compared with the sum of only decoding the clip and only running as many
//! inferences, measured in the same run. `cargo bench --bench cost`.

// A benchmark prints its table.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gstreamer as gst;
use gstreamer::prelude::*;
use nix::sys::resource::{UsageWho, getrusage};

const CLIP: &str = "inner-harbour";
const DETECT_FPS: f64 = 5.0;
const ROUNDS: usize = 3;
/// The largest ratio allowed.
const LIMIT: f64 = 1.25;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["decode"] => decode(),
        ["infer", inferences] => infer(inferences.parse().expect("a number of inferences")),
        _ => compare(),
    }
}

fn compare() {
    println!(
        "{:>8} {:>9} {:>9} {:>9} {:>7} {:>6}",
        "round", "decode s", "infer s", "replay s", "infer", "ratio"
    );
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let us = std::env::current_exe().expect("this program has a path");
        let decode_s = cpu_seconds(Command::new(&us).arg("decode")).0;
        let (replay_s, summary) = replay();
        let inferences = summary["cameras"][0]["inferences"].as_u64().expect("a count of inferences");
        let infer_s = cpu_seconds(Command::new(&us).args(["infer", &inferences.to_string()])).0;
        let ratio = replay_s / (decode_s + infer_s);
        println!("{round:>8} {decode_s:>9.2} {infer_s:>9.2} {replay_s:>9.2} {inferences:>7} {ratio:>6.3}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("replay / (decode + infer): {median:.3} (median of {ROUNDS}; limit {LIMIT})");
    assert!(median <= LIMIT, "replay costs more than the limit");
}

/// Processor seconds of a child process, and its output.
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

/// Runs `replay` at five passes a second, with the demo's regions and rules.
fn replay() -> (f64, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = std::fs::read_to_string(root().join("config/demo.toml")).expect("config/demo.toml");
    let site = site
        .replace("\"../models", &format!("\"{}/models", root().display()))
        .lines()
        .map(|line| match line.strip_prefix("detect_fps") {
            Some(_) => format!("detect_fps = {DETECT_FPS:?}"),
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

/// Decodes the clip and discards the pictures.
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

/// Runs the demo's model on a constant input, with the daemon's session settings.
fn infer(inferences: usize) {
    let site = root().join("models/havenwacht.toml");
    let runtime = root().join("models/runtime/libonnxruntime.so");
    let mut detector = havenwacht::detect::OnnxDetector::load(&site, &runtime, 1).expect("the model loads");
    for _ in 0..inferences {
        detector.infer_only().expect("it runs");
    }
}
