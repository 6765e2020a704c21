//! A box that is too small, and detection passes that fail. The detector is scripted: an inference takes a given time of a
//! simulated clock, and each camera always has a frame.
//!
//! Cameras ask for f1, f2, ... passes a second, an inference takes d seconds, and the sweep of camera i has N tiles. When the
//! box cannot keep up, each pass gets one inference after a while, camera i gets a pass every d * (f1 + f2 + ...) / fi
//! seconds, and each of its places was inspected at most N passes ago.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::{PipelineStats, Pipelines};
use crate::alerts::RelayHandle;
use crate::clock::{Clock, MonoTime, SimulatedClock, Stamp};
use crate::config::{Camera, Site, check_text};
use crate::daemon::{Heartbeats, SchedulerLinks, run_scheduler};
use crate::detect::{Class, DetectError, Detection, DetectionPass, Detector, FairScheduler, Thresholds};
use crate::frame::{Colorimetry, Frame, Picture, PixelFormat, Plane};
use crate::geometry::{BBox, FrameSize, Norm};
use crate::ingest::LatestFrames;
use crate::logbook::testing::start;
use crate::logbook::{Writer, WriterOptions};
use crate::rules::ResumeState;

const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
const INPUT_PX: f32 = 416.0;
/// An inference takes this long.
const INFERENCE: Duration = Duration::from_millis(150);
/// Passes a second that the cameras ask for: more than twice as many as there is time for.
const TARGETS: [f32; 4] = [4.0, 4.0, 4.0, 2.0];
/// By then the budget is at its minimum.
const SETTLED: Duration = Duration::from_secs(20);
const ENDS: Duration = Duration::from_secs(80);

/// A detection pass, and what was known of its camera before it.
#[derive(Clone, Copy, Debug)]
struct ScriptedPass {
    camera: usize,
    /// Since the start.
    at: Duration,
    inferences: usize,
    /// Age of the place that was not inspected for the longest time, `None` before the first pass.
    oldest: Option<Duration>,
    /// The bound of that age, as the health page and the metrics show it.
    shown_s: f32,
}

/// Finds twelve small boats in each picture, which all move, where a region shows them whole and large enough.
struct OverloadedDetector {
    clock: Arc<SimulatedClock>,
    began: MonoTime,
    latest: Arc<LatestFrames>,
    frames: Vec<Frame>,
    /// When passes fail.
    fails: std::ops::Range<Duration>,
    stats: Arc<Mutex<Vec<Arc<PipelineStats>>>>,
    passes: Arc<Mutex<Vec<ScriptedPass>>>,
}

impl OverloadedDetector {
    fn note(&self, camera: usize, at: Duration, inferences: usize) {
        let stats = self.stats.lock().unwrap()[camera].clone();
        let seen_ms = stats.oldest_seen_ms.load(Relaxed);
        let now = self.clock.mono().since_boot();
        let oldest = (seen_ms > 0).then(|| now.saturating_sub(Duration::from_millis(seen_ms)));
        let shown_s = stats.swept_within_s(TARGETS[camera]);
        self.passes.lock().unwrap().push(ScriptedPass { camera, at, inferences, oldest, shown_s });
    }
}

impl Detector for OverloadedDetector {
    fn input_px(&self) -> u32 {
        INPUT_PX as u32
    }

    fn detect(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError> {
        let at = self.clock.mono().since(self.began);
        let camera = self.frames.iter().position(|f| f.camera == frame.camera).unwrap();
        self.note(camera, at, regions.len());
        let shows = |b: &BBox<Norm>, r: &BBox<Norm>| {
            let whole = r.x0 <= b.x0 && r.y0 <= b.y0 && r.x1 >= b.x1 && r.y1 >= b.y1;
            whole && INPUT_PX * b.width() / r.width() >= 20.0
        };
        let boat = |n: u8| {
            let (x, y) = (40.0 + 140.0 * f32::from(n), 60.0 + 75.0 * f32::from(n));
            let bbox = BBox::from_xywh((x + 9.0 * at.as_secs_f32()) % 1850.0, y, 60.0, 24.0);
            Detection { class: Class::Vessel, confidence: 0.9, bbox }
        };
        let seen = |d: &Detection| regions.iter().any(|r| shows(&FULL_HD.box_to_fractions(d.bbox), r));
        let detections = (0..12).map(boat).filter(seen).collect();

        self.clock.advance(INFERENCE * regions.len() as u32);
        for (index, next) in self.frames.iter_mut().enumerate() {
            (next.seq, next.stamp) = (next.seq + 1, self.clock.now());
            self.latest.put(index, next.clone());
        }
        if at >= ENDS {
            self.latest.close();
        }
        if self.fails.contains(&at) {
            return Err(DetectError("scripted".into()));
        }
        Ok(DetectionPass { detections, inferences: regions.len() as u32, ..DetectionPass::default() })
    }
}

/// Four cameras with one rule each.
pub(super) fn site(folder: &std::path::Path) -> Site {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut text = format!(
        "[site]\nid = 'small-box'\ntime_zone = 'Europe/Amsterdam'\n[model]\nmanifest = '{models}/havenwacht.toml'\n\
         runtime = '{models}/runtime/libonnxruntime.so'\n[broker]\nhost = '127.0.0.1'\n[logbook]\npath = 'l.sqlite'\n"
    );
    for (n, fps) in TARGETS.iter().enumerate() {
        text += &format!(
            "[[camera]]\nid = 'c{n}'\nurl = 'rtsp://127.0.0.1:9/c{n}'\ncodec = 'h264'\ndetect_fps = {fps:.1}\n\
             [[zone]]\nid = 'z{n}'\ncamera = 'c{n}'\npolygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]\n\
             [[rule]]\nid = 'r{n}'\nkind = 'presence'\nzone = 'z{n}'\nseverity = 'info'\nconfirm = '1s'\n"
        );
    }
    check_text("site.toml", &text, folder).unwrap().0
}

/// A grey frame of each camera.
pub(super) fn frames(site: &Site, stamp: Stamp) -> Vec<Frame> {
    let planes = [(0, 1920), (1920 * 1080, 960), (1920 * 1080 * 5 / 4, 960)];
    let planes = planes.map(|(offset, stride)| Plane { offset, stride });
    let colorimetry = Colorimetry { bt709: true, full_range: false };
    let pixels = Bytes::from(vec![128; 1920 * 1080 * 3 / 2]);
    let picture = Picture::new(PixelFormat::I420, FULL_HD, colorimetry, planes, pixels).unwrap();
    let frame =
        |camera: &Camera| Frame { camera: camera.id.clone(), seq: 0, stamp, picture: picture.clone() };
    site.cameras.iter().map(frame).collect()
}

/// Runs the daemon's detector thread with the scripted detector until [`ENDS`]; passes fail during `fails`.
fn run(fails: std::ops::Range<Duration>) -> Vec<ScriptedPass> {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(site(folder.path()));
    let clock = Arc::new(SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap()));
    let logbook = folder.path().join("l.sqlite");
    let (_writer, logbook) = Writer::open(&logbook, &start(), WriterOptions::new(clock.clone())).unwrap();
    let latest = Arc::new(LatestFrames::new(TARGETS.len()));
    let frames = frames(&site, clock.now());
    for (index, frame) in frames.iter().enumerate() {
        latest.put(index, frame.clone());
    }
    let (stats, passes) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<ScriptedPass>>>::default());
    let scripted = OverloadedDetector {
        clock: clock.clone(),
        began: clock.mono(),
        latest: latest.clone(),
        frames,
        fails,
        stats: stats.clone(),
        passes: passes.clone(),
    };
    let thresholds = Thresholds { high: 0.5, low: 0.5, iou: 0.5, confidence: None };
    let pipelines = Pipelines::new(site, Box::new(scripted), thresholds, 1, &ResumeState::default());
    *stats.lock().unwrap() = pipelines.stats();
    let (_acknowledge, acknowledged) = std::sync::mpsc::sync_channel(1);
    let relay = RelayHandle::default();
    let links =
        SchedulerLinks { frames: &latest, acknowledged: &acknowledged, logbook: &logbook, relay: &relay };
    let heartbeat = Heartbeats::new(clock.clone()).expect("detector", Duration::from_secs(15));
    run_scheduler(pipelines, FairScheduler::new(&TARGETS), &links, &*clock, &heartbeat).unwrap();
    let passes = passes.lock().unwrap().clone();
    assert!(passes.len() > 100, "{} passes", passes.len());
    passes
}

#[test]
fn an_overloaded_box_serves_every_camera_and_place() {
    let passes = run(Duration::ZERO..Duration::ZERO);
    let inferences_per_pass = |passes: &mut dyn Iterator<Item = &ScriptedPass>| {
        let (count, all) = passes.fold((0, 0), |(count, all), pass| (count + 1, all + pass.inferences));
        all as f32 / count as f32
    };
    let at_first = inferences_per_pass(&mut passes.iter().filter(|p| p.at < Duration::from_secs(5)));
    let settled: Vec<_> = passes.iter().filter(|p| p.at >= SETTLED).collect();
    let later = inferences_per_pass(&mut settled.iter().copied());
    assert!(at_first > 1.3 && later < 1.02, "{at_first} inferences a pass at first, {later} later");

    let asked: f32 = TARGETS.iter().sum();
    // Tiles of 640 px and the whole frame. At two passes a second nine of them take too long: tiles of 960 px.
    for (camera, (target, tiles)) in TARGETS.into_iter().zip([9, 9, 9, 7]).enumerate() {
        let passes: Vec<_> = settled.iter().filter(|pass| pass.camera == camera).collect();
        let every = INFERENCE.mul_f32(asked / target);
        let fair = (ENDS - SETTLED).as_secs_f32() / every.as_secs_f32();
        assert!(
            (passes.len() as f32 / fair - 1.0).abs() < 0.05,
            "{camera}: {} passes of {fair}",
            passes.len()
        );
        for pass in passes {
            // The order is not quite even, and the pass's own inference is still to come.
            let (oldest, bound) = (pass.oldest.unwrap(), every * tiles + every + INFERENCE);
            assert!(oldest <= bound, "{camera}: {oldest:?} of {bound:?}");
            let shown = Duration::from_secs_f32(pass.shown_s);
            assert!(oldest <= shown + every + INFERENCE, "{camera}: {oldest:?}, {shown:?} shown");
            assert!(shown < bound.mul_f32(1.2), "{camera}: {shown:?} shown, {bound:?} true");
        }
    }
}

#[test]
fn failed_passes_do_not_count_as_inspection() {
    let fails = Duration::from_secs(30)..Duration::from_secs(60);
    let passes = run(fails.clone());
    for camera in 0..TARGETS.len() {
        let passes: Vec<_> = passes.iter().filter(|pass| pass.camera == camera).collect();
        // What the first pass after them reported, noted at the second.
        let after = passes.iter().filter(|pass| pass.at >= fails.end).nth(1).unwrap();
        assert!(after.oldest.unwrap() >= fails.end - fails.start, "{camera}: {after:?}");
        let last = passes.last().unwrap();
        assert!(last.oldest.unwrap() < Duration::from_secs(10), "{camera}: {last:?}");
    }
}
