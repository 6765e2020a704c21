//! What the watch promises on a box that is too small, and of looks that fail. The detector is scripted: a run takes a given
//! time of a simulated clock, and each camera always has a frame.
//!
//! Cameras ask for looks f1, f2, ... a second, a run takes d seconds, and a sweep of camera i has N tiles. When the box
//! cannot keep up, each look gets one run after a while, a camera is looked at every d * (f1 + f2 + ...) / fi seconds, and its
//! place unseen longest was seen at most N of these ago.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::turns::{Doors, Rate, Rates};
use super::watch::{Watch, WatchStats};
use super::{Heartbeats, take_turns};
use crate::alerts::RelayHandle;
use crate::clock::{Clock, MonoTime, SimulatedClock, Stamp};
use crate::config::{Camera, Site, check_text};
use crate::detect::{Class, DetectError, Detection, DetectionPass, Detector, FairScheduler, Thresholds};
use crate::frame::{Colorimetry, Frame, Picture, PixelFormat, Plane};
use crate::geometry::{BBox, FrameSize, Norm};
use crate::ingest::LatestFrames;
use crate::logbook::testing::start;
use crate::logbook::{Writer, WriterOptions};
use crate::rules::ResumeState;

const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
const INPUT_PX: f32 = 416.0;
/// A run takes this long.
const RUN: Duration = Duration::from_millis(150);
/// Looks a second that the cameras ask for: more than twice the runs that there is time for.
const TARGETS: [f32; 4] = [4.0, 4.0, 4.0, 2.0];
/// By then the budget has come down.
const SETTLED: Duration = Duration::from_secs(20);
const ENDS: Duration = Duration::from_secs(80);

/// Where the watch tells what it did.
type Told = (Vec<Arc<WatchStats>>, Rates);

/// A look as it came up, and what the watch told of the camera by then.
#[derive(Clone, Copy, Debug)]
struct CameUp {
    camera: usize,
    /// Since the beginning.
    at: Duration,
    runs: usize,
    /// Age of the place unseen longest, `None` before the first look.
    oldest: Option<Duration>,
    /// As the health page and the metrics have it.
    told_s: f32,
}

/// Twelve small boats in each picture, which all move; found where a region shows them whole and large enough.
struct Scripted {
    clock: Arc<SimulatedClock>,
    began: MonoTime,
    slots: Arc<LatestFrames>,
    frames: Vec<Frame>,
    /// When looks fail.
    fails: std::ops::Range<Duration>,
    told: Arc<Mutex<Option<Told>>>,
    came_up: Arc<Mutex<Vec<CameUp>>>,
}

impl Scripted {
    fn note(&self, camera: usize, at: Duration, runs: usize) {
        let told = self.told.lock().unwrap();
        let (stats, rates) = told.as_ref().unwrap();
        let (stats, rate) = (&stats[camera], &rates[camera]);
        let seen_ms = stats.oldest_seen_ms.load(Relaxed);
        let now = self.clock.mono().since_boot();
        let oldest = (seen_ms > 0).then(|| now.saturating_sub(Duration::from_millis(seen_ms)));
        let told_s = rate.swept_within_s(stats.swept_within_ms.load(Relaxed), TARGETS[camera]);
        self.came_up.lock().unwrap().push(CameUp { camera, at, runs, oldest, told_s });
    }
}

impl Detector for Scripted {
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

        self.clock.advance(RUN * regions.len() as u32);
        for (index, next) in self.frames.iter_mut().enumerate() {
            (next.seq, next.stamp) = (next.seq + 1, self.clock.now());
            self.slots.put(index, next.clone());
        }
        if at >= ENDS {
            self.slots.close();
        }
        if self.fails.contains(&at) {
            return Err(DetectError("scripted".into()));
        }
        Ok(DetectionPass { detections, inferences: regions.len() as u32, ..DetectionPass::default() })
    }
}

pub(super) fn site(folder: &std::path::Path) -> Site {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut text = format!(
        "[site]\nid = 'small-box'\ntime_zone = 'Europe/Amsterdam'\n[model]\nmanifest = '{models}/havenwacht.toml'\n\
         runtime = '{models}/runtime/libonnxruntime.so'\n[broker]\nhost = '127.0.0.1'\n[logbook]\npath = 'l.sqlite'\n"
    );
    for (n, looks) in TARGETS.iter().enumerate() {
        text += &format!(
            "[[camera]]\nid = 'c{n}'\nurl = 'rtsp://127.0.0.1:9/c{n}'\ncodec = 'h264'\nlooks_per_second = {looks:.1}\n\
             [[zone]]\nid = 'z{n}'\ncamera = 'c{n}'\npolygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]\n\
             [[rule]]\nid = 'r{n}'\nkind = 'presence'\nzone = 'z{n}'\nseverity = 'info'\nconfirm = '1s'\n"
        );
    }
    check_text("site.toml", &text, folder).unwrap().0
}

/// A grey picture of each camera.
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

/// The detector thread of the daemon over the scripted detector, until [`ENDS`]; looks fail while `fails`.
fn run(fails: std::ops::Range<Duration>) -> Vec<CameUp> {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(site(folder.path()));
    let clock = Arc::new(SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap()));
    let logbook = folder.path().join("l.sqlite");
    let (_writer, logbook) = Writer::open(&logbook, &start(), WriterOptions::new(clock.clone())).unwrap();
    let slots = Arc::new(LatestFrames::new(TARGETS.len()));
    let frames = frames(&site, clock.now());
    for (index, frame) in frames.iter().enumerate() {
        slots.put(index, frame.clone());
    }
    let (told, came_up) = (Arc::<Mutex<Option<_>>>::default(), Arc::<Mutex<Vec<CameUp>>>::default());
    let scripted = Scripted {
        clock: clock.clone(),
        began: clock.mono(),
        slots: slots.clone(),
        frames,
        fails,
        told: told.clone(),
        came_up: came_up.clone(),
    };
    let believed = Thresholds { high: 0.5, low: 0.5, iou: 0.5 };
    let watch = Watch::new(site, Box::new(scripted), believed, 1, &ResumeState::default());
    let rates: Rates = Arc::new(TARGETS.iter().map(|_| Rate::default()).collect());
    *told.lock().unwrap() = Some((watch.stats(), rates.clone()));
    let (_acknowledge, answers) = std::sync::mpsc::sync_channel(1);
    let relay = RelayHandle::default();
    let doors = Doors { slots: &slots, answers: &answers, logbook: &logbook, relay: &relay };
    let beat = Heartbeats::new(clock.clone()).expect("detector", Duration::from_secs(15));
    take_turns(watch, FairScheduler::new(&TARGETS), &doors, &*clock, &beat, &rates).unwrap();
    let came_up = came_up.lock().unwrap().clone();
    assert!(came_up.len() > 100, "{} looks", came_up.len());
    came_up
}

#[test]
fn an_overloaded_box_starves_no_camera_spends_less_a_look_and_leaves_no_place_unseen_for_long() {
    let came_up = run(Duration::ZERO..Duration::ZERO);
    let runs_a_look = |looks: &mut dyn Iterator<Item = &CameUp>| {
        let (looks, runs) = looks.fold((0, 0), |(looks, runs), look| (looks + 1, runs + look.runs));
        runs as f32 / looks as f32
    };
    let at_first = runs_a_look(&mut came_up.iter().filter(|l| l.at < Duration::from_secs(5)));
    let settled: Vec<_> = came_up.iter().filter(|l| l.at >= SETTLED).collect();
    let later = runs_a_look(&mut settled.iter().copied());
    assert!(at_first > 1.3 && later < 1.02, "{at_first} runs a look at first, {later} later");

    let asked: f32 = TARGETS.iter().sum();
    // Tiles of 640 px and the whole frame; at two looks a second nine would not go round in time: tiles of 960.
    for (camera, (target, tiles)) in TARGETS.into_iter().zip([9, 9, 9, 7]).enumerate() {
        let looks: Vec<_> = settled.iter().filter(|look| look.camera == camera).collect();
        let every = RUN.mul_f32(asked / target);
        let fair = (ENDS - SETTLED).as_secs_f32() / every.as_secs_f32();
        assert!((looks.len() as f32 / fair - 1.0).abs() < 0.05, "{camera}: {} looks of {fair}", looks.len());
        for look in looks {
            // Turns are not quite even, and the look's own run is still to come.
            let (oldest, bound) = (look.oldest.unwrap(), every * tiles + every + RUN);
            assert!(oldest <= bound, "{camera}: {oldest:?} of {bound:?}");
            let told = Duration::from_secs_f32(look.told_s);
            assert!(oldest <= told + every + RUN, "{camera}: {oldest:?}, and {told:?} were told");
            assert!(told < bound.mul_f32(1.2), "{camera}: {told:?} told, {bound:?} true");
        }
    }
}

#[test]
fn looks_that_fail_leave_the_water_unseen_until_it_is_seen() {
    let fails = Duration::from_secs(30)..Duration::from_secs(60);
    let came_up = run(fails.clone());
    for camera in 0..TARGETS.len() {
        let looks: Vec<_> = came_up.iter().filter(|look| look.camera == camera).collect();
        // What the first look after them told, as of the second.
        let after = looks.iter().filter(|look| look.at >= fails.end).nth(1).unwrap();
        assert!(after.oldest.unwrap() >= fails.end - fails.start, "{camera}: {after:?}");
        let last = looks.last().unwrap();
        assert!(last.oldest.unwrap() < Duration::from_secs(10), "{camera}: {last:?}");
    }
}
