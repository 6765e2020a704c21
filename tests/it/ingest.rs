//! Cameras that die, freeze, refuse and come back, over real RTSP.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use havenwacht::clock::{Clock, MonoTime, SystemClock};
use havenwacht::config::{Camera, Codec, Login, RtpTransport, SecretSource, Stream};
use havenwacht::ids::CameraId;
use havenwacht::ingest::{
    CameraState, EndReason, FrameSlots, FrameSource, IngestStats, Next, RunEnd, StateChange, Supervisor,
    open_camera,
};
use tokio_util::sync::CancellationToken;

use crate::clips::h264_clip;
use crate::support::camera::{CameraHost, h265_clip};

const PATIENCE: Duration = Duration::from_secs(30);

fn camera(url: url::Url, codec: Codec) -> Camera {
    Camera {
        id: CameraId::new("quay").unwrap(),
        name: "Quay".into(),
        stream: Stream::Rtsp { url, transport: RtpTransport::Tcp, login: None },
        codec,
        detect_fps: 4.0,
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

/// Cameras under watch, as the daemon watches them.
struct Watched {
    clock: Arc<dyn Clock>,
    slots: Arc<FrameSlots>,
    stats: Vec<Arc<IngestStats>>,
    changes: Arc<Mutex<Vec<(usize, StateChange)>>>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<RunEnd>>,
}

impl Watched {
    fn start(cameras: Vec<Camera>) -> Self {
        let mut watched = Self {
            clock: Arc::new(SystemClock::default()),
            slots: Arc::new(FrameSlots::new(cameras.len())),
            stats: cameras.iter().map(|_| Arc::default()).collect(),
            changes: Arc::default(),
            stop: CancellationToken::new(),
            threads: Vec::new(),
        };
        for (i, camera) in cameras.into_iter().enumerate() {
            let (clock, stats) = (Arc::clone(&watched.clock), Arc::clone(&watched.stats[i]));
            let supervisor = Supervisor::new(
                &camera,
                i,
                Arc::clone(&clock),
                Arc::clone(&watched.slots),
                Arc::clone(&stats),
                watched.stop.clone(),
            );
            let changes = Arc::clone(&watched.changes);
            watched.threads.push(std::thread::spawn(move || {
                let open = || open_camera(&camera, &clock, &stats);
                supervisor.run(open, |change| changes.lock().unwrap().push((i, change)), || {})
            }));
        }
        watched
    }

    /// When camera `i` was told to be in `state`, at or after `since`.
    fn reaches(&self, i: usize, state: CameraState, since: MonoTime) -> StateChange {
        let found = || {
            let changes = self.changes.lock().unwrap();
            let fits = |(who, change): &&(usize, StateChange)| {
                *who == i && change.state == state && change.at.mono >= since
            };
            changes.iter().find(fits).map(|(_, change)| change.clone())
        };
        let begun = self.clock.mono();
        loop {
            if let Some(change) = found() {
                return change;
            }
            let waited = self.clock.mono().since(begun);
            assert!(waited < PATIENCE, "camera {i} is not {state:?}: {:#?}", self.changes.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// When the next frame of camera `i` arrives.
    fn next_frame(&self, i: usize) -> MonoTime {
        self.slots.take(i);
        assert!(self.slots.wait(PATIENCE, |camera| camera == i), "camera {i} shows nothing");
        self.slots.take(i).unwrap().stamp.mono
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

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// One session, until a frame comes or it ends.
fn first(camera: &Camera) -> (Next, Arc<IngestStats>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let stats = Arc::new(IngestStats::default());
    let mut source: Box<dyn FrameSource> = open_camera(camera, &clock, &stats).unwrap();
    (source.next(PATIENCE), stats)
}

#[test]
fn cameras_in_h264_and_h265_show_their_pictures_over_tcp_and_udp() {
    let host = CameraHost::start(0, &[("avc", h264_clip()), ("hevc", h265_clip())]);
    for (mount, codec) in [("avc", Codec::H264), ("hevc", Codec::H265)] {
        for asked in [RtpTransport::Tcp, RtpTransport::Udp] {
            let mut camera = camera(host.url(mount), codec);
            if let Stream::Rtsp { transport, .. } = &mut camera.stream {
                *transport = asked;
            }
            let (next, stats) = first(&camera);
            let Next::Frame(frame) = next else { panic!("{mount} {asked:?}: {next:?}") };
            assert_eq!((frame.picture.size.width, frame.picture.size.height), (320, 240));
            assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
        }
    }
}

#[test]
fn the_wrong_codec_in_the_site_file_is_named_with_the_right_one() {
    let host = CameraHost::start(0, &[("hevc", h265_clip())]);
    let (next, _) = first(&camera(host.url("hevc"), Codec::H264));
    let Next::Ended(EndReason::Unsuitable(reason)) = next else { panic!("{next:?}") };
    assert!(reason.contains("sends h265") && reason.contains("codec = \"h264\""), "{reason}");
}

#[test]
fn a_camera_or_stream_that_is_not_there_is_named() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let (next, _) = first(&camera(host.url("attic"), Codec::H264));
    let Next::Ended(reason) = next else { panic!("{next:?}") };
    assert!(reason.to_string().contains("/attic (404 Not Found)"), "{reason}");
    let url = host.url("avc");
    host.kill();
    let (next, _) = first(&camera(url, Codec::H264));
    let Next::Ended(reason) = next else { panic!("{next:?}") };
    assert!(reason.to_string().starts_with("cannot connect to rtsp://127.0.0.1:"), "{reason}");
}

#[test]
fn a_locked_camera_opens_with_the_password_and_a_wrong_one_is_told_without_it() {
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
    assert!(matches!(next, Next::Frame(_)), "{next:?}");
    for wrong in [Some("hunter2-and-more"), None] {
        let next = with(wrong);
        let Next::Ended(reason) = &next else { panic!("{next:?}") };
        assert!(reason.needs_a_person() && reason.to_string().contains("401"), "{reason}");
        assert!(!format!("{next:?}").contains("hunter2"), "{reason}");
    }
}

#[test]
fn a_frozen_camera_is_noticed_within_six_seconds_and_comes_back_while_others_go_on() {
    let frozen = CameraHost::start(0, &[("avc", h264_clip())]);
    let other = CameraHost::start(0, &[("avc", h264_clip())]);
    let watched =
        Watched::start(vec![camera(frozen.url("avc"), Codec::H264), camera(other.url("avc"), Codec::H264)]);
    let start = MonoTime::default();
    watched.reaches(0, CameraState::Streaming, start);
    watched.reaches(1, CameraState::Streaming, start);
    let at = watched.clock.mono();
    let before = watched.stats[1].received.load(Relaxed);
    frozen.freeze();
    let stalled = watched.reaches(0, CameraState::Stalled, at);
    let noticed = stalled.at.mono.since(at);
    assert!(noticed <= Duration::from_secs(6), "{noticed:?}");
    assert_eq!(stalled.reason, "no picture for 5 s");
    let went_on = watched.stats[1].received.load(Relaxed) - before;
    let due = noticed.as_secs_f64() * 25.0;
    assert!(went_on as f64 > 0.9 * due, "the other camera showed {went_on} of {due:.0} frames");

    let thawed = watched.clock.mono();
    frozen.thaw();
    watched.reaches(0, CameraState::Streaming, thawed);
    let back = watched.next_frame(0).since(thawed);
    assert!(back <= Duration::from_secs(5), "{back:?}");
    let stopped = watched.stop();
    assert!(stopped < Duration::from_secs(1), "{stopped:?}");
}

#[test]
fn a_killed_camera_is_noticed_within_a_second_and_shows_frames_five_seconds_after_its_return() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let port = host.port;
    let watched = Watched::start(vec![camera(host.url("avc"), Codec::H264)]);
    watched.reaches(0, CameraState::Streaming, MonoTime::default());
    let at = watched.clock.mono();
    host.kill();
    let gone = watched.reaches(0, CameraState::BackingOff, at);
    let noticed = gone.at.mono.since(at);
    assert!(noticed <= Duration::from_secs(1), "{noticed:?}");
    // Away long enough for the longest back-off.
    std::thread::sleep(Duration::from_secs(8));
    let _host = CameraHost::start(port, &[("avc", h264_clip())]);
    let returned = watched.clock.mono();
    watched.reaches(0, CameraState::Streaming, returned);
    let back = watched.next_frame(0).since(returned);
    assert!(back <= Duration::from_secs(5), "{back:?}");
}

#[test]
fn twenty_reconnects_leave_no_thread_and_no_file_behind() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    let camera = camera(host.url("avc"), Codec::H264);
    let session = || {
        let (next, stats) = first(&camera);
        assert!(matches!(next, Next::Frame(_)), "{next:?}");
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
fn a_stop_is_prompt_while_a_camera_that_does_not_answer_is_being_connected() {
    let host = CameraHost::start(0, &[("avc", h264_clip())]);
    host.freeze();
    let watched = Watched::start(vec![camera(host.url("avc"), Codec::H264)]);
    watched.reaches(0, CameraState::Connecting, MonoTime::default());
    std::thread::sleep(Duration::from_millis(300));
    let stats = Arc::clone(&watched.stats[0]);
    let stopped = watched.stop();
    assert!(stopped < Duration::from_secs(1), "{stopped:?}");
    assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
}
