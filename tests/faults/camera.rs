//! Cameras that die, freeze and come back, once and repeatedly.

use std::path::PathBuf;
use std::time::Duration;

use havenwacht::camera_state::CameraState;
use nix::sys::signal::Signal;
use test_support::{now, wait_for};

use crate::clips::write;
use crate::paths::clip;
use crate::process::{POOLED, holds, most_held};
use crate::system::TestSystem;
use crate::{Row, rounds};

/// Frames of camera `id` so far.
fn frames_of(system: &TestSystem, id: &str) -> u64 {
    let health = system.health().expect("the health page answers");
    health.cameras.iter().find(|camera| camera.id == id).expect("the camera is listed").received
}

/// Frames a second of camera `id` while `during` ran.
pub(crate) fn rate(system: &mut TestSystem, id: &str, during: impl FnOnce(&mut TestSystem)) -> f64 {
    let before = frames_of(system, id);
    let began = now();
    during(system);
    (frames_of(system, id) - before) as f64 / began.elapsed().as_secs_f64()
}

/// Waits until camera `id` streams, or until it does not.
pub(crate) fn wait_for_stream(system: &TestSystem, id: &str, streams: bool, patience: Duration) -> Duration {
    let what = format!("{id} {}", if streams { "streams again" } else { "stops streaming" });
    wait_for(patience, &what, || {
        system.camera_state(id).filter(|state| (*state == CameraState::Streaming) == streams)
    })
    .1
}

#[test]
fn a_killed_camera_is_found_and_recovers() {
    let mut system = TestSystem::small(&["inner-harbour", "quay-east"], "");
    system.start_daemon();
    system.wait_until_streaming();
    let runs = rounds(1, 20);
    let (mut found, mut back) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..runs {
        system.camera("quay-east").take().unwrap().kill();
        found = found.max(wait_for_stream(&system, "quay-east", false, Duration::from_secs(10)));
        // Long enough for the delays between tries to reach their maximum.
        std::thread::sleep(Duration::from_secs(if runs > 1 { 10 } else { 4 }));
        system.restart_camera("quay-east");
        back = back.max(wait_for_stream(&system, "quay-east", true, Duration::from_secs(20)));
        assert_eq!(system.camera_state("inner-harbour"), Some(CameraState::Streaming));
    }
    Row::new(1, "camera process dies", runs)
        .detected(found, Duration::from_secs(1))
        .recovered(back, Duration::from_secs(5))
        .record();
}

#[test]
fn a_frozen_camera_is_found_and_staff_are_notified() {
    let mut system = TestSystem::small(&["inner-harbour", "quay-east"], "");
    let mut listener = system.listener();
    system.start_daemon();
    system.wait_until_streaming();
    let runs = rounds(1, 20);
    let (mut found, mut notified, mut back) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..runs {
        // Messages from before the fault do not count.
        while listener.next(Duration::from_millis(100)).is_some() {}
        system.camera("quay-east").as_ref().unwrap().signal(Signal::SIGSTOP).unwrap();
        let froze = now();
        found = found.max(wait_for_stream(&system, "quay-east", false, Duration::from_secs(30)));
        wait_for(Duration::from_secs(10), "staff are notified", || {
            let message = listener.next(Duration::from_millis(50))?;
            let state = serde_json::from_slice::<serde_json::Value>(&message.payload).ok()?;
            // `stalled`, or the `backing-off` that follows at once.
            (message.topic.ends_with("camera/quay-east/state") && state["state"] != "streaming").then_some(())
        });
        notified = notified.max(froze.elapsed());
        system.camera("quay-east").as_ref().unwrap().signal(Signal::SIGCONT).unwrap();
        back = back.max(wait_for_stream(&system, "quay-east", true, Duration::from_secs(30)));
        assert_eq!(system.camera_state("inner-harbour"), Some(CameraState::Streaming));
    }
    Row::new(2, "camera freezes, socket open", runs)
        .detected(found, Duration::from_secs(6))
        .recovered(back, Duration::from_secs(5))
        .at_most("staff notified after", notified.as_secs_f64(), "s", 7.0)
        .record();
}

/// A second of one picture of a scene, for a camera that repeats it.
fn still_of(scene: &str) -> (tempfile::TempDir, PathBuf) {
    let pictures = format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! imagefreeze num-buffers=25 ! \
         video/x-raw,framerate=25/1 ! x264enc key-int-max=25 pass=quant quantizer=26 speed-preset=ultrafast",
        clip(scene).display()
    );
    write("still.mp4", &pictures)
}

#[test]
fn a_repeated_picture_is_an_outage_and_staff_are_notified() {
    let (_folder, still) = still_of("quay-east");
    let mut system = TestSystem::new(&["quay-east"]);
    let mut listener = system.listener();
    system.start_daemon();
    system.wait_until_streaming();
    let outage = |system: &TestSystem| system.health().and_then(|health| health.cameras[0].outage.clone());
    let runs = rounds(1, 10);
    let (mut found, mut notified, mut recovered) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..runs {
        system.show("quay-east", &still);
        let froze = now();
        wait_for_stream(&system, "quay-east", true, Duration::from_secs(20));
        let patience = Duration::from_secs(30);
        let (outage_now, _) = wait_for(patience, "the frozen picture is found", || {
            outage(&system).filter(|outage_now| outage_now.cause != "signal loss")
        });
        found = found.max(froze.elapsed());
        assert_eq!(outage_now.cause, "frozen", "{outage_now:?}");
        wait_for(Duration::from_secs(10), "staff are notified", || {
            let message = listener.next(Duration::from_millis(50))?;
            let state = serde_json::from_slice::<serde_json::Value>(&message.payload).ok()?;
            (message.topic.ends_with("camera/quay-east/state") && state["outage"]["cause"] == "frozen")
                .then_some(())
        });
        notified = notified.max(froze.elapsed());
        let received = frames_of(&system, "quay-east");
        system.show("quay-east", &clip("quay-east"));
        let live = now();
        wait_for(patience, "the outage ends", || {
            let streams = frames_of(&system, "quay-east") > received + 5;
            (streams && outage(&system).is_none()).then_some(())
        });
        recovered = recovered.max(live.elapsed());
    }
    Row::new(5, "camera repeats one picture at full rate", runs)
        // 15 s of the same picture, the new session and a pass.
        .detected(found, Duration::from_secs(20))
        .recovered(recovered, Duration::from_secs(10))
        .at_most("staff notified after", notified.as_secs_f64(), "s", 21.0)
        .record();
}

#[test]
fn a_flapping_camera_leaks_nothing() {
    let mut system = TestSystem::small(&["quay-east"], "stall_after = \"1s\"\n");
    system.start_daemon();
    system.wait_until_streaming();
    let pid = system.daemon.as_ref().unwrap().pid();
    let flaps = rounds(3, 100);
    let warm_up = rounds(1, 10);
    let mut at_first = None;
    let (mut found, mut back) = (Duration::ZERO, Duration::ZERO);
    for flap in 0..flaps + warm_up {
        if flap == warm_up {
            at_first = Some(most_held(pid));
        }
        system.camera("quay-east").take().unwrap().kill();
        found = found.max(wait_for_stream(&system, "quay-east", false, Duration::from_secs(10)));
        system.restart_camera("quay-east");
        back = back.max(wait_for_stream(&system, "quay-east", true, Duration::from_secs(20)));
        system.camera("quay-east").as_ref().unwrap().signal(Signal::SIGSTOP).unwrap();
        found = found.max(wait_for_stream(&system, "quay-east", false, Duration::from_secs(10)));
        system.camera("quay-east").as_ref().unwrap().signal(Signal::SIGCONT).unwrap();
        back = back.max(wait_for_stream(&system, "quay-east", true, Duration::from_secs(20)));
    }
    let at_first = at_first.unwrap();
    // The pipeline of a closed session may take a moment to stop.
    let settled = || {
        let holds = holds(pid);
        (holds.threads.len() <= at_first.threads.len() && holds.files <= at_first.files).then_some(holds)
    };
    let began = now();
    let at_last = loop {
        match settled() {
            Some(holds) => break holds,
            None if began.elapsed() > Duration::from_secs(10) => break holds(pid),
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    };
    println!("at first {at_first:?}, at last {at_last:?}");
    let more = |first: usize, last: usize| last as f64 - first as f64;
    Row::new(4, "camera flaps: dies and freezes", 2 * flaps)
        .detected(found, Duration::from_secs(2))
        .recovered(back, Duration::from_secs(5))
        .at_most("threads more", more(at_first.threads.len(), at_last.threads.len()), "", 0.0)
        .at_most("threads of pools", at_last.pooled as f64, "", POOLED)
        .at_most("files more", more(at_first.files, at_last.files), "", 0.0)
        .at_most("memory more", at_last.megabytes - at_first.megabytes, "MB", 10.0)
        .record();
}
