//! Damaged streams and damaged recordings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use havenwacht::cli::demo::programs::{self, Program};
use havenwacht::clock::{Clock, SystemClock};
use havenwacht::ids::CameraId;
use havenwacht::ingest::{ClipReader, IngestStats, Next};
use test_support::{Rng, now, wait_for};

use crate::camera::wait_for_stream;
use crate::clips::{make_clip, write};
use crate::system::TestSystem;
use crate::{Row, rounds};

/// A camera at `port` that damages `percent` of its packets.
fn damaged_camera(work: &Path, port: u16, percent: u64, seed: u64, clips: &str) -> Program {
    let words = format!("--port {port} --corrupt {percent} --seed {seed} quay-east={clips}");
    let args: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
    let binary = programs::beside_us("sample-cameras").unwrap();
    let mut camera = Program::start("camera", &binary, &args, &work.join("cameras.log")).unwrap();
    camera.first_line().unwrap();
    camera
}

/// A moving pattern of squares, in which the model finds nothing. It finds a vessel in the ball of the other clips.
fn squares(name: &str, frames: u32, width: u32, height: u32) -> (tempfile::TempDir, PathBuf) {
    let pictures = format!(
        "videotestsrc pattern=checkers-8 horizontal-speed=1 num-buffers={frames} ! \
         video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! \
         x264enc key-int-max=25 bitrate=300 speed-preset=ultrafast"
    );
    write(name, &pictures)
}

#[test]
fn a_damaged_stream_raises_nothing_and_recovers() {
    let (_usual_folder, usual) = squares("usual.mp4", 1500, 320, 240);
    let mut system = TestSystem::with(&[("quay-east", usual)], "stall_after = \"1s\"\n");
    system.start_daemon();
    system.wait_until_streaming();
    let pid = system.daemon.as_ref().unwrap().pid();
    let port = system.port_of("quay-east");
    let work = system.work.path().to_owned();
    // The resolution changes within the stream, too.
    let (_narrow_folder, narrow) = squares("narrow.mp4", 50, 240, 320);
    let (_wide_folder, wide) = squares("wide.mp4", 50, 640, 360);
    let clips = format!("{},{}", wide.display(), narrow.display());
    let runs = rounds(3, 60);
    let (mut size_changes, mut frames) = (0, 0);
    for run in 0..runs as u64 {
        system.camera("quay-east").take();
        // From no damaged packets to almost all.
        let percent = [0, 5, 30, 90][(run % 4) as usize];
        let camera = damaged_camera(&work, port, percent, run, &clips);
        std::thread::sleep(Duration::from_secs(6));
        drop(camera);
        let health = system.health().unwrap();
        size_changes = health.cameras[0].caps_changes;
        frames = health.cameras[0].received;
    }
    system.restart_camera("quay-east");
    let back = wait_for_stream(&system, "quay-east", true, Duration::from_secs(30));
    let damaged_frames = || system.health().unwrap().cameras[0].dropped_undecodable;
    // Counting goes on until the good session delivers pictures.
    std::thread::sleep(Duration::from_secs(1));
    let damaged_before = damaged_frames();
    std::thread::sleep(Duration::from_secs(2));
    let health = system.health().unwrap();
    let damaged_since = health.cameras[0].dropped_undecodable - damaged_before;
    assert_eq!(system.daemon.as_ref().unwrap().pid(), pid);
    assert!(system.daemon.as_mut().unwrap().is_running());
    assert!(
        size_changes > 0 && frames > 0,
        "pictures came, in both sizes: {size_changes} size_changes, {frames} frames"
    );
    Row::new(5, "damaged stream: packets, size changes", runs)
        .recovered(back, Duration::from_secs(5))
        .at_least("damaged frames counted", damaged_before as f64, "", 1.0)
        .at_most("good frames counted as damaged", damaged_since as f64, "", 1.0)
        .at_most("signals raised", health.cameras[0].signals as f64, "", 0.0)
        .at_most("passes failed", health.cameras[0].failed_passes as f64, "", 0.0)
        .record();
}

/// A copy of `clip` with bytes that are changed, random, removed or repeated.
fn damage(clip: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = clip.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() as u64) as usize;
        let end = (at + 1 + rng.below(2000) as usize).min(bytes.len());
        match rng.below(5) {
            0 => (0..50).for_each(|_| {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] = rng.below(256) as u8;
            }),
            1 => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.below(256) as u8),
            2 => bytes.truncate(end.max(64)),
            3 => drop(bytes.drain(at..end)),
            _ => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

#[test]
fn a_damaged_recording_ends_with_a_reason() {
    let runs = rounds(40, 1000);
    let (_folder, clip) = make_clip("clip.mp4", 50, "320x240");
    let clip = std::fs::read(clip).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let damaged: PathBuf = folder.path().join("damaged.mp4");
    let mut rng = Rng::new(5);
    let stats = Arc::new(IngestStats::default());
    let (mut slowest, mut played) = (Duration::ZERO, 0);
    for _ in 0..runs {
        std::fs::write(&damaged, damage(&clip, &mut rng)).unwrap();
        let began = now();
        let camera = CameraId::new("quay-east").unwrap();
        let start = SystemClock::default().now();
        // Opening fails when the container cannot be recognised any more.
        if let Ok(mut source) = ClipReader::open(&camera, &damaged, start, stats.clone()) {
            wait_for(Duration::from_secs(20), "the end of a damaged recording", || {
                loop {
                    match source.next(Duration::from_millis(100)) {
                        Next::Frame(frame) => {
                            played += 1;
                            assert!(frame.picture.size.width <= 3840);
                        }
                        Next::Quiet => return None,
                        Next::Ended(why) => return Some(why),
                    }
                }
            });
        }
        slowest = slowest.max(began.elapsed());
    }
    assert!(played > 0, "some of it could be played");
    Row::new(5, "damaged recordings", runs)
        .detected(slowest, Duration::from_secs(5))
        .at_most("sessions left hanging", stats.leaked_pipelines.load(Relaxed) as f64, "", 0.0)
        .record();
}
