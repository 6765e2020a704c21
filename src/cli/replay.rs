//! `havenwacht replay`: processes recordings as the daemon would, as fast as possible, on the recordings' own clock.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::recording::{Recording, played, progress};
use crate::clock::{Clock, MonoTime, Stamp, SystemClock};
use crate::config::Site;
use crate::daemon::{PipelineStats, Pipelines};
use crate::detect::OnnxDetector;
use crate::frame::Frame;
use crate::logbook::{LogbookSender, StartEntry, Writer, WriterOptions};
use crate::rules::ResumeState;

/// Process recordings as the daemon would, faster than real time. The same input gives the same logbook.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// A camera of the site file and its recording, as ID=CLIP. Repeat for more cameras.
    #[arg(long = "camera", value_name = "ID=CLIP", required = true)]
    cameras: Vec<String>,
    /// When the recording began, such as 2026-06-01T22:00:00Z.
    #[arg(long)]
    start: Timestamp,
    /// Logbook to write; must not exist yet.
    #[arg(long, value_name = "OUT")]
    logbook: PathBuf,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// The result of a replay.
#[derive(Debug, Serialize)]
struct ReplaySummary {
    start: Timestamp,
    recorded_s: f64,
    took_s: f64,
    times_real_time: f64,
    logbook: PathBuf,
    cameras: Vec<CameraSummary>,
}

#[derive(Debug, Default, Serialize)]
struct CameraSummary {
    camera: String,
    frames: u64,
    passes: u64,
    inferences: u64,
    detections: u64,
    tracks: u64,
    signals: u64,
    suppressed: u64,
}

/// Time limit for the last writes to the logbook.
const WRITE_OUT: Duration = Duration::from_secs(60);

/// One camera and its recording.
struct ReplayedCamera {
    index: usize,
    recording: Recording,
    /// The next frame for which a detection pass is due.
    next: Option<Frame>,
}

/// Runs the replay.
pub fn replay(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let site = Arc::new(super::site::load_site(&args.config)?);
    if args.logbook.exists() {
        bail!("{} exists already: a replay writes a new logbook, give a new file", args.logbook.display());
    }
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: args.start };
    let mut cameras = open_recordings(&args.cameras, &site, start)?;
    let detector = OnnxDetector::load(&site.model.manifest, &site.model.runtime, site.model.threads)?;
    let clock = SystemClock::default();
    let entry = start_entry(&site, &detector, start);
    let (writer, logbook) = Writer::open(&args.logbook, &entry, WriterOptions::new(Arc::new(clock)))?;
    let thresholds = detector.manifest().thresholds;
    let first_vessel = writer.next_vessel();
    let mut pipelines =
        Pipelines::new(site.clone(), Box::new(detector), thresholds, first_vessel, &ResumeState::default());
    let stats = pipelines.stats();

    let began = clock.mono();
    let last = play(&mut pipelines, &mut cameras, &logbook, start, &clock)?;
    writer.close(last.wall, WRITE_OUT)?;

    let took_s = clock.mono().since(began).as_secs_f64();
    let recorded_s = last.mono.since_boot().as_secs_f64();
    let summary = ReplaySummary {
        start: args.start,
        recorded_s,
        took_s,
        times_real_time: recorded_s / took_s.max(1e-9),
        logbook: fs::canonicalize(&args.logbook)?,
        cameras: cameras.iter().map(|camera| camera.summary(&site, &stats[camera.index])).collect(),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        write!(out, "{summary}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn start_entry(site: &Site, detector: &OnnxDetector, start: Stamp) -> StartEntry {
    StartEntry {
        at: start,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: site.hash.clone(),
        model_hash: detector.manifest().sha256.clone(),
        mode: "replay",
        time_zone: site.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    }
}

/// Plays all recordings together, the earliest frame first, as the cameras recorded them. Returns the time of the last pass.
fn play(
    pipelines: &mut Pipelines,
    cameras: &mut [ReplayedCamera],
    logbook: &LogbookSender,
    start: Stamp,
    clock: &SystemClock,
) -> anyhow::Result<Stamp> {
    let bar = progress();
    let (mut last, mut last_shown) = (start, clock.mono());
    for camera in &mut *cameras {
        camera.next = camera.recording.next_due()?;
    }
    while let Some(camera) =
        cameras.iter_mut().filter(|c| c.next.is_some()).min_by_key(|c| c.next.as_ref().map(|f| f.stamp.mono))
    {
        let Some(frame) = camera.next.take() else { break };
        last = frame.stamp;
        for entry in pipelines.process(camera.index, &frame)? {
            logbook.send(entry)?;
        }
        camera.next = camera.recording.next_due()?;
        let now = clock.mono();
        if now.since(last_shown) > Duration::from_millis(200) {
            last_shown = now;
            bar.set_message(played(&last));
            bar.tick();
        }
    }
    for entry in pipelines.finish(last) {
        logbook.send(entry)?;
    }
    bar.finish_and_clear();
    Ok(last)
}

impl ReplayedCamera {
    fn summary(&self, site: &Site, stats: &PipelineStats) -> CameraSummary {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CameraSummary {
            camera: site.cameras[self.index].id.to_string(),
            frames: self.recording.frames(),
            passes: of(&stats.passes),
            inferences: of(&stats.inferences),
            detections: of(&stats.detections),
            tracks: of(&stats.tracks),
            signals: of(&stats.signals),
            suppressed: of(&stats.suppressed),
        }
    }
}

fn open_recordings(cameras: &[String], site: &Site, start: Stamp) -> anyhow::Result<Vec<ReplayedCamera>> {
    let mut opened: Vec<ReplayedCamera> = Vec::new();
    for argument in cameras {
        let (id, clip) = argument
            .split_once('=')
            .with_context(|| format!("--camera {argument}: write ID=CLIP, such as quay-east=night.mp4"))?;
        let index = super::site::camera_index(site, id).with_context(|| format!("--camera {argument}"))?;
        if opened.iter().any(|other| other.index == index) {
            bail!("--camera {argument}: camera `{id}` already has a recording");
        }
        let recording = Recording::open(&site.cameras[index], clip.as_ref(), start)?;
        opened.push(ReplayedCamera { index, recording, next: None });
    }
    Ok(opened)
}

impl std::fmt::Display for ReplaySummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:.1} s of recording in {:.1} s ({:.1} times real time)",
            self.recorded_s, self.took_s, self.times_real_time
        )?;
        writeln!(
            f,
            "{:<16} {:>8} {:>8} {:>10} {:>11} {:>8} {:>8} {:>11}",
            "camera", "frames", "passes", "inferences", "detections", "vessels", "signals", "suppressed"
        )?;
        for c in &self.cameras {
            writeln!(
                f,
                "{:<16} {:>8} {:>8} {:>10} {:>11} {:>8} {:>8} {:>11}",
                c.camera, c.frames, c.passes, c.inferences, c.detections, c.tracks, c.signals, c.suppressed
            )?;
        }
        writeln!(f, "logbook: {}", self.logbook.display())
    }
}
