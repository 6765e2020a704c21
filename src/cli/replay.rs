//! `havenwacht replay`: recordings through the same rooms, as fast as the box can, by the recording's clock.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::reel::{Reel, played, progress};
use crate::clock::{Clock, MonoTime, Stamp, SystemClock};
use crate::config::Site;
use crate::daemon::Watch;
use crate::detect::OnnxDetector;
use crate::frame::Frame;
use crate::logbook::{StartEntry, Writer, WriterOptions};
use crate::rules::ResumeState;

/// Run recordings through the watch, faster than real time; the same input gives the same logbook.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// A camera of the site file and the clip to play as it, as ID=CLIP; repeat for more cameras.
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

/// What a replay found.
#[derive(Debug, Serialize)]
struct Summary {
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
    looked_at: u64,
    runs: u64,
    detections: u64,
    tracks: u64,
    signals: u64,
    suppressed: u64,
}

/// Time to write what waits at the end.
const WRITE_OUT: Duration = Duration::from_secs(60);

/// One camera's recording.
struct Playing {
    index: usize,
    reel: Reel,
    /// The next frame that is due a look.
    next: Option<Frame>,
}

/// Runs the replay.
pub fn replay(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let site = Arc::new(super::load_site(&args.config)?);
    if args.logbook.exists() {
        bail!(
            "{} exists already: a replay writes a logbook of its own, name a new file",
            args.logbook.display()
        );
    }
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: args.start };
    let mut playing = open_reels(&args.cameras, &site, start)?;
    let detector = OnnxDetector::load(&site.model.manifest, &site.model.runtime, site.model.threads)?;
    let entry = StartEntry {
        at: start,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: site.hash.clone(),
        model_hash: detector.manifest().sha256.clone(),
        mode: "replay",
        time_zone: site.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    };
    let clock = SystemClock::default();
    let (writer, logbook) = Writer::open(&args.logbook, &entry, WriterOptions::new(Arc::new(clock)))?;
    let believed = detector.manifest().thresholds;
    let mut watch =
        Watch::new(site.clone(), Box::new(detector), believed, writer.next_vessel(), &ResumeState::default());
    let stats = watch.stats();

    let began = clock.mono();
    let bar = progress();
    let mut last = start;
    let mut last_shown = began;
    for camera in &mut playing {
        camera.next = camera.reel.next_due()?;
    }
    // The earliest frame of all cameras next: rooms see the recordings in the order in which they were made.
    while let Some(camera) =
        playing.iter_mut().filter(|c| c.next.is_some()).min_by_key(|c| c.next.as_ref().map(|f| f.stamp.mono))
    {
        let Some(frame) = camera.next.take() else { break };
        last = frame.stamp;
        for entry in watch.look(camera.index, &frame)? {
            logbook.send(entry)?;
        }
        camera.next = camera.reel.next_due()?;
        let now = clock.mono();
        if now.since(last_shown) > Duration::from_millis(200) {
            last_shown = now;
            bar.set_message(played(&last));
            bar.tick();
        }
    }
    for entry in watch.finish(last) {
        logbook.send(entry)?;
    }
    writer.close(last.wall, WRITE_OUT)?;
    bar.finish_and_clear();

    let took_s = clock.mono().since(began).as_secs_f64();
    let recorded_s = last.mono.since_boot().as_secs_f64();
    let cameras = playing
        .iter()
        .map(|Playing { index, reel, .. }| {
            let of =
                |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
            let stats = &stats[*index];
            CameraSummary {
                camera: site.cameras[*index].id.to_string(),
                frames: reel.frames(),
                looked_at: of(&stats.looks),
                runs: of(&stats.runs),
                detections: of(&stats.detections),
                tracks: of(&stats.tracks),
                signals: of(&stats.signals),
                suppressed: of(&stats.suppressed),
            }
        })
        .collect();
    let logbook = fs::canonicalize(&args.logbook)?;
    let times_real_time = recorded_s / took_s.max(1e-9);
    let summary = Summary { start: args.start, recorded_s, took_s, times_real_time, logbook, cameras };
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        write!(out, "{summary}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn open_reels(cameras: &[String], site: &Site, start: Stamp) -> anyhow::Result<Vec<Playing>> {
    let mut playing: Vec<Playing> = Vec::new();
    for argument in cameras {
        let (id, clip) = argument
            .split_once('=')
            .with_context(|| format!("--camera {argument}: write ID=CLIP, such as quay-east=night.mp4"))?;
        let index = super::camera_index(site, id).with_context(|| format!("--camera {argument}"))?;
        if playing.iter().any(|other| other.index == index) {
            bail!("--camera {argument}: camera `{id}` has a clip already");
        }
        let reel = Reel::open(&site.cameras[index], clip.as_ref(), start)?;
        playing.push(Playing { index, reel, next: None });
    }
    Ok(playing)
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:.1} s of recording in {:.1} s ({:.1} times real time)",
            self.recorded_s, self.took_s, self.times_real_time
        )?;
        writeln!(
            f,
            "{:<16} {:>8} {:>10} {:>8} {:>11} {:>8} {:>8} {:>11}",
            "camera", "frames", "looked at", "runs", "detections", "vessels", "signals", "suppressed"
        )?;
        for c in &self.cameras {
            writeln!(
                f,
                "{:<16} {:>8} {:>10} {:>8} {:>11} {:>8} {:>8} {:>11}",
                c.camera, c.frames, c.looked_at, c.runs, c.detections, c.tracks, c.signals, c.suppressed
            )?;
        }
        writeln!(f, "logbook: {}", self.logbook.display())
    }
}
