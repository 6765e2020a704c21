//! Cameras that die, freeze, reject a login and come back, over real RTSP.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use havenwacht::camera_state::{CameraChange, CameraState};
use havenwacht::clock::{Clock, MonoTime, SystemClock};
use havenwacht::codec::Codec;
use havenwacht::config::{Camera, Login, RtpTransport, SecretSource, Stream};
use havenwacht::frame::Frame;
use havenwacht::ids::CameraId;
use havenwacht::ingest::{EndReason, FrameSlot, IngestStats, LatestFrames, RunEnd, Supervisor, open_camera};
use test_support::wait_for;
use tokio_util::sync::CancellationToken;

use crate::camera_host::{CameraHost, h265_clip};
use crate::clips::h264_clip;

const PATIENCE: Duration = Duration::from_secs(30);

fn camera(url: url::Url, codec: Codec) -> Camera {
    Camera {
        id: CameraId::new("quay").unwrap(),
        name: "Quay".into(),
        stream: Stream::Rtsp { url, transport: RtpTransport::Tcp, login: None },
        codec,
        detect_fps: 4.0,
        false_vessels_per_day: 24.0,
        whole_frame: true,
        regions: Vec::new(),
        water: None,
        stall_after: Duration::from_secs(5),
        first_frame_within: Duration::from_secs(15),
        calibration: None,
        privacy_masks: Vec::new(),
        zones: Vec::new(),
        lines: Vec::new(),
    }
}

/// Cameras and their supervisors, as in the daemon.
struct Supervised {
    clock: Arc<dyn Clock>,
    frames: Arc<LatestFrames>,
    stats: Vec<Arc<IngestStats>>,
    changes: Arc<Mutex<Vec<(usize, CameraChange)>>>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<RunEnd>>,
}

impl Supervised {
    fn start(cameras: Vec<Camera>) -> Self {
        let mut supervised = Self {
            clock: Arc::new(SystemClock::default()),
            frames: Arc::new(LatestFrames::new(cameras.len())),
            stats: cameras.iter().map(|_| Arc::default()).collect(),
            changes: Arc::default(),
            stop: CancellationToken::new(),
            threads: Vec::new(),
        };
        for (i, camera) in cameras.into_iter().enumerate() {
            let (clock, stats) = (Arc::clone(&supervised.clock), Arc::clone(&supervised.stats[i]));
            let slot = FrameSlot::new(Arc::clone(&supervised.frames), i);
            let supervisor = Supervisor::new(
                &camera,
                Arc::clone(&clock),
                slot.clone(),
                Arc::clone(&stats),
                supervised.stop.clone(),
            );
            let changes = Arc::clone(&supervised.changes);
            supervised.threads.push(std::thread::spawn(move || {
                let open = || open_camera(&camera, &clock, &slot, &stats);
                supervisor.run(open, |change| changes.lock().unwrap().push((i, change)), || {})
            }));
        }
        supervised
    }

    /// Waits until camera `i` is reported in `state`, at or after `since`.
    fn reaches(&self, i: usize, state: CameraState, since: MonoTime) -> CameraChange {
        let found = || {
            let changes = self.changes.lock().unwrap();
            let fits = |(who, change): &&(usize, CameraChange)| {
                *who == i && change.state == state && change.at.mono >= since
            };
            changes.iter().find(fits).map(|(_, change)| change.clone())
        };
        wait_for(PATIENCE, &format!("camera {i} is {state:?}"), found).0
    }

    /// When the next frame of camera `i` arrives.
    fn next_frame(&self, i: usize) -> MonoTime {
        self.frames.take(i);
        assert!(self.frames.wait(PATIENCE, |camera| camera == i), "camera {i} sends no frame");
        self.frames.take(i).unwrap().stamp.mono
    }

    fn stop(mut self) -> Duration {
        let begun = self.clock.mono();
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            assert_eq!(thread.join().unwrap(), RunEnd::Stopped);
        }
        self.clock.mono().since(begun)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// One session, until its first frame arrives or it ends.
fn first(camera: &Camera) -> (Result<Frame, EndReason>, Arc<IngestStats>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let stats = Arc::new(IngestStats::default());
    let frames = Arc::new(LatestFrames::new(1));
    let mut source = open_camera(camera, &clock, &FrameSlot::new(Arc::clone(&frames), 0), &stats).unwrap();
    let begun = clock.mono();
    loop {
        let ended = source.wait_for_end(Duration::from_millis(10));
        if let Some(frame) = frames.take(0) {
            return (Ok(frame), stats);
        }
        if let Some(reason) = ended {
            return (Err(reason), stats);
        }
        assert!(clock.mono().since(begun) < PATIENCE, "neither a frame nor an end");
    }
}

#[test]
fn each_codec_arrives_over_tcp_and_udp() {
    let host = CameraHost::start(0, &[("avc", h264_clip()), ("hevc", h265_clip())]);
    for (mount, codec) in [("avc", Codec::H264), ("hevc", Codec::H265)] {
        for asked in [RtpTransport::Tcp, RtpTransport::Udp] {
            let mut camera = camera(host.url(mount), codec);
            if let Stream::Rtsp { transport, .. } = &mut camera.stream {
                *transport = asked;
            }
            let (next, stats) = first(&camera);
            let frame = next.unwrap_or_else(|reason| panic!("{mount} {asked:?}: {reason}"));
            assert_eq!((frame.picture.size.width, frame.picture.size.height), (320, 240));
            assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
        }
    }
}

#[test]
fn a_wrong_codec_is_named_with_the_right_one() {
    let host = CameraHost::start(0, &[("hevc", h265_clip())]);
    let (next, _) = first(&camera(host.url("hevc"), Codec::H264));
    let Err(EndReason::Unsuitable(reason)) = next else { panic!("{next:?}") };
    assert!(reason.contains("sends h265") && reason.contains("codec = \"h264\""), "{reason}");
}

#[test]
fn a_missing_camera_or_stream_is_named() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let (next, _) = first(&camera(host.url("attic"), Codec::H264));
    let Err(reason) = next else { panic!("{next:?}") };
    assert!(reason.to_string().contains("/attic (404 Not Found)"), "{reason}");
    let url = host.url("avc");
    host.kill();
    let (next, _) = first(&camera(url, Codec::H264));
    let Err(reason) = next else { panic!("{next:?}") };
    assert!(reason.to_string().starts_with("cannot connect to rtsp://127.0.0.1:"), "{reason}");
}

#[test]
fn a_wrong_password_is_reported_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let host = CameraHost::start_locked(&file("credentials", "watch:open-sesame\n"), &[("avc", h264_clip())]);
    let with = |password: Option<&str>| {
        let mut camera = camera(host.url("avc"), Codec::H264);
        let login = password.map(|password| Login {
            username: "watch".into(),
            password: SecretSource::File(file("password", &format!("{password}\n"))),
        });
        camera.stream = Stream::Rtsp { url: host.url("avc"), transport: RtpTransport::Tcp, login };
        first(&camera).0
    };
    let next = with(Some("open-sesame"));
    assert!(next.is_ok(), "{next:?}");
    for wrong in [Some("hunter2-and-more"), None] {
        let next = with(wrong);
        let Err(reason) = &next else { panic!("{next:?}") };
        assert!(reason.needs_a_person() && reason.to_string().contains("401"), "{reason}");
        assert!(!format!("{next:?}").contains("hunter2"), "{reason}");
    }
}

#[test]
fn a_frozen_camera_is_found_in_6_s_and_others_go_on() {
    let frozen = CameraHost::start(0, &[("avc", h264_clip())]);
    let other = CameraHost::start(0, &[("avc", h264_clip())]);
    let supervised = Supervised::start(vec![
        camera(frozen.url("avc"), Codec::H264),
        camera(other.url("avc"), Codec::H264),
    ]);
    let start = MonoTime::default();
    supervised.reaches(0, CameraState::Streaming, start);
    supervised.reaches(1, CameraState::Streaming, start);
    let at = supervised.clock.mono();
    let before = supervised.stats[1].received.load(Relaxed);
    frozen.freeze();
    let stalled = supervised.reaches(0, CameraState::Stalled, at);
    let noticed = stalled.at.mono.since(at);
    assert!(noticed <= Duration::from_secs(6), "{noticed:?}");
    assert_eq!(stalled.reason, "no picture for 5 s");
    let went_on = supervised.stats[1].received.load(Relaxed) - before;
    let due = noticed.as_secs_f64() * 25.0;
    assert!(went_on as f64 > 0.9 * due, "the other camera showed {went_on} of {due:.0} frames");

    let thawed = supervised.clock.mono();
    frozen.thaw();
    supervised.reaches(0, CameraState::Streaming, thawed);
    let back = supervised.next_frame(0).since(thawed);
    assert!(back <= Duration::from_secs(5), "{back:?}");
    let stopped = supervised.stop();
    assert!(stopped < Duration::from_secs(1), "{stopped:?}");
}

#[test]
fn a_camera_that_sends_in_bursts_loses_nothing() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let supervised = Supervised::start(vec![camera(host.url("avc"), Codec::H264)]);
    supervised.reaches(0, CameraState::Streaming, MonoTime::default());
    let counts = || {
        let stats = &supervised.stats[0];
        (stats.received.load(Relaxed), stats.dropped_undecodable.load(Relaxed))
    };
    let (before, begun) = (counts(), supervised.clock.mono());
    for _ in 0..8 {
        host.freeze();
        std::thread::sleep(Duration::from_millis(700));
        host.thaw();
        std::thread::sleep(Duration::from_millis(300));
    }
    let due = supervised.clock.mono().since(begun).as_secs_f64() * 25.0;
    let came = counts().0 - before.0;
    assert!(came as f64 > 0.9 * due, "{came} of {due:.0} frames came");
    assert_eq!(counts().1, before.1, "frames that gave no picture");
    supervised.stop();
}

#[test]
fn a_killed_camera_is_found_in_1_s_and_back_in_5_s() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let port = host.port;
    let supervised = Supervised::start(vec![camera(host.url("avc"), Codec::H264)]);
    supervised.reaches(0, CameraState::Streaming, MonoTime::default());
    let at = supervised.clock.mono();
    host.kill();
    let gone = supervised.reaches(0, CameraState::BackingOff, at);
    let noticed = gone.at.mono.since(at);
    assert!(noticed <= Duration::from_secs(1), "{noticed:?}");
    // Away long enough for the longest back-off.
    std::thread::sleep(Duration::from_secs(8));
    let _host = CameraHost::start(port, &[("avc", h264_clip())]);
    let returned = supervised.clock.mono();
    supervised.reaches(0, CameraState::Streaming, returned);
    let back = supervised.next_frame(0).since(returned);
    assert!(back <= Duration::from_secs(5), "{back:?}");
}

#[test]
fn reconnects_leave_no_thread_and_no_file() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let camera = camera(host.url("avc"), Codec::H264);
    let session = || {
        let (next, stats) = first(&camera);
        assert!(next.is_ok(), "{next:?}");
        assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
    };
    let in_use = || {
        let count = |folder| std::fs::read_dir(folder).unwrap().count();
        (count("/proc/self/task"), count("/proc/self/fd"))
    };
    // GStreamer keeps a pool of threads: filled by the first sessions.
    (0..3).for_each(|_| session());
    let before = in_use();
    (0..20).for_each(|_| session());
    // Pool threads and other tests come and go; twenty sessions with a leak each would show.
    let after = in_use();
    assert!(after.0 < before.0 + 15 && after.1 < before.1 + 15, "threads, files: {before:?} -> {after:?}");
}

#[test]
fn a_stop_is_prompt_while_connecting() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    host.freeze();
    let supervised = Supervised::start(vec![camera(host.url("avc"), Codec::H264)]);
    supervised.reaches(0, CameraState::Connecting, MonoTime::default());
    std::thread::sleep(Duration::from_millis(300));
    let stats = Arc::clone(&supervised.stats[0]);
    let stopped = supervised.stop();
    assert!(stopped < Duration::from_secs(1), "{stopped:?}");
    assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
}
