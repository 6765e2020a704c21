//! A slow detector, and one that never returns.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use havenwacht::alerts::RelayHandle;
use havenwacht::clock::{Clock, Stamp, SystemClock};
use havenwacht::daemon::{Heartbeats, Pipelines, SchedulerLinks, run_scheduler};
use havenwacht::detect::{DetectError, DetectionPass, Detector, FairScheduler, Thresholds};
use havenwacht::frame::{Colorimetry, Frame, Picture, PixelFormat, Plane};
use havenwacht::geometry::{BBox, FrameSize, Norm};
use havenwacht::ingest::LatestFrames;
use havenwacht::rules::ResumeState;
use test_support::{now, wait_for};

use crate::paths::root;
use crate::process::{Memory, is_alone};
use crate::supervisor::{Ending, Supervised, unit};
use crate::system::TestSystem;
use crate::{Row, alert_source, onnx, rounds};

/// Half a second for each pass, as on a box that is too small.
const INFERENCE: Duration = Duration::from_millis(500);
const FRAME: Duration = Duration::from_millis(40);

/// The frames that the slow detector got: number, age, and how many newer frames there were.
type Seen = Arc<Mutex<Vec<(u64, Duration, u64)>>>;

struct SlowDetector {
    seen: Seen,
    newest: Arc<AtomicU64>,
}

impl Detector for SlowDetector {
    fn input_px(&self) -> u32 {
        416
    }

    fn detect(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError> {
        let age = SystemClock::default().mono().since(frame.stamp.mono);
        // A newer frame may arrive while this one is on its way.
        let behind = self.newest.load(Ordering::SeqCst) - frame.seq;
        self.seen.lock().unwrap().push((frame.seq, age, behind));
        std::thread::sleep(INFERENCE);
        Ok(DetectionPass { inferences: regions.len() as u32, ..DetectionPass::default() })
    }
}

/// A frame's memory; counts the frames in memory.
struct Pixels(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Pixels {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

fn frame(camera: &havenwacht::ids::CameraId, seq: u64, stamp: Stamp, alive: &Arc<AtomicUsize>) -> Frame {
    let size = FrameSize { width: 64, height: 64 };
    let planes = [
        Plane { offset: 0, stride: 64 },
        Plane { offset: 4096, stride: 32 },
        Plane { offset: 5120, stride: 32 },
    ];
    alive.fetch_add(1, Ordering::SeqCst);
    let data = Bytes::from_owner(Pixels(vec![128; 6144], alive.clone()));
    let colorimetry = Colorimetry { bt709: true, full_range: false };
    let picture = Picture::new(PixelFormat::I420, size, colorimetry, planes, data).unwrap();
    Frame { camera: camera.clone(), seq, stamp, picture }
}

#[test]
fn a_slow_detector_gets_the_newest_frames() {
    if !is_alone("stuck::a_slow_detector_gets_the_newest_frames") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(alert_source::site(folder.path(), 9));
    let (_writer, logbook) = alert_source::open(&folder.path().join("logbook.sqlite"));
    let clock = Arc::new(SystemClock::default());
    let (seen, newest) = (Seen::default(), Arc::<AtomicU64>::default());
    let slow = SlowDetector { seen: seen.clone(), newest: newest.clone() };
    let thresholds = Thresholds { high: 0.5, low: 0.5, iou: 0.5, confidence: None };
    let pipelines = Pipelines::new(site.clone(), Box::new(slow), thresholds, 1, &ResumeState::default());
    let frames = LatestFrames::new(site.cameras.len());
    let alive = Arc::<AtomicUsize>::default();
    let seconds = rounds(5, 300) as u64;
    let (mut put, mut overwritten, mut most_alive) = (0u64, 0u64, 0);
    let mut memory = Memory::new();
    std::thread::scope(|scope| {
        let detector = scope.spawn(|| {
            let (_acknowledge, acknowledged) = std::sync::mpsc::sync_channel(1);
            let relay = RelayHandle::default();
            let links = SchedulerLinks {
                frames: &frames,
                acknowledged: &acknowledged,
                logbook: &logbook,
                relay: &relay,
            };
            let heartbeats = Heartbeats::new(clock.clone());
            let beat = heartbeats.expect("detector", Duration::from_secs(15));
            // Asks for far more than there is time for.
            let scheduler = FairScheduler::new(&[25.0, 25.0]);
            run_scheduler(pipelines, scheduler, &links, &*clock, &beat)
        });
        let began = now();
        while began.elapsed() < Duration::from_secs(seconds) {
            let frame = frame(&site.cameras[0].id, put, clock.now(), &alive);
            newest.store(put, Ordering::SeqCst);
            overwritten += u64::from(frames.put(0, frame));
            put += 1;
            most_alive = most_alive.max(alive.load(Ordering::SeqCst));
            memory.sample();
            std::thread::sleep(FRAME);
        }
        frames.close();
        detector.join().unwrap().unwrap();
    });
    let waiting = u64::from(frames.take(0).is_some());
    let seen = seen.lock().unwrap();
    let mut ages: Vec<_> = seen.iter().map(|(_, age, _)| *age).collect();
    let mut behind: Vec<_> = seen.iter().map(|(_, _, behind)| *behind).collect();
    ages.sort();
    behind.sort_unstable();
    let p99 = seen.len() * 99 / 100;
    let unaccounted = put.abs_diff(seen.len() as u64 + overwritten + waiting);
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "frames are processed in order");
    let row = Row::new(6, "detector of 0.5 s at 25 frames a second", put as usize)
        .at_most("frames behind the newest, p99", behind[p99] as f64, "", 1.0)
        .at_most("age of a frame at detection, p99", ages[p99].as_secs_f64() * 1000.0, "ms", 100.0)
        .at_most("frames unaccounted for", unaccounted as f64, "", 0.0)
        .at_most("frames in memory", most_alive as f64, "", 4.0);
    memory.into_row(row).record();
}

#[test]
fn a_hanging_detector_ends_in_a_restart() {
    // The unit's limit is 30 s; the daemon's part is tested with a shorter one.
    let limit = Duration::from_secs(2);
    let system = TestSystem::small(&["quay-east"], "");
    let good = std::fs::read_to_string(&system.site).unwrap();
    let stuck = onnx::write_never_ending(system.work.path());
    let model = root().join("models/havenwacht.toml");
    let replaced = good.replace(&model.display().to_string(), &stuck.display().to_string());
    assert_ne!(good, replaced);
    std::fs::write(&system.site, replaced).unwrap();

    let mut daemon = Supervised::start(&system.site, limit);
    daemon.ready().expect("the model passes the check at start");
    system.wait_until_streaming();
    let began = now();
    let ending = std::thread::scope(|scope| {
        let supervisor = scope.spawn(|| daemon.supervise());
        wait_for(Duration::from_secs(25), "the health page names the late loop", || {
            system.health().filter(|health| health.late_loops.iter().any(|name| name.starts_with("detector")))
        });
        supervisor.join().unwrap()
    });
    let killed_after = began.elapsed();
    assert!(matches!(ending, Ending::Killed), "{ending:?}");

    std::fs::write(&system.site, good).unwrap();
    let killed = now();
    std::thread::sleep(Duration::from_secs(unit("RestartSec").parse().unwrap()));
    let mut daemon = Supervised::start(&system.site, limit);
    daemon.ready().expect("the next start succeeds");
    let ready = killed.elapsed();
    Row::new(7, "detector hangs", 1)
        // The loop's limit, the watchdog's limit, and one interval of each.
        .detected(killed_after, Duration::from_secs(15) + limit + Duration::from_secs(3))
        .recovered(ready, limit + Duration::from_secs(10))
        .record();
}
