//! Four cameras and a broker fail at random for as long as asked; no resource may grow.

use std::time::Duration;

use havenwacht::camera_state::CameraState;
use nix::sys::signal::Signal;
use test_support::{Rng, now, wait_for};

use crate::Row;
use crate::clips::h264_clip;
use crate::paths::clip;
use crate::process::{POOLED, holds, most_held, slope};
use crate::system::TestSystem;

/// `make soak MINUTES=...` sets the time; else half a minute, enough to find what leaks with every fault.
fn minutes() -> Option<u64> {
    std::env::var("HAVENWACHT_SOAK_MINUTES").ok().map(|minutes| minutes.parse().expect("a number of minutes"))
}

/// Causes one fault and waits for recovery. True when a camera failed.
fn fault(system: &mut TestSystem, rng: &mut Rng, cameras: &[&str]) -> bool {
    let id = cameras[rng.below(cameras.len() as u64) as usize];
    let lasts = Duration::from_millis(500 + rng.below(3000));
    let kind = rng.below(3);
    match kind {
        0 => {
            system.camera(id).take().unwrap().kill();
            std::thread::sleep(lasts);
            system.restart_camera(id);
        }
        1 => {
            system.camera(id).as_ref().unwrap().signal(Signal::SIGSTOP).unwrap();
            wait_for(Duration::from_secs(15), "the frozen camera is found", || {
                system.camera_state(id).filter(|state| *state != CameraState::Streaming)
            });
            system.camera(id).as_ref().unwrap().signal(Signal::SIGCONT).unwrap();
        }
        _ => {
            system.broker.take().unwrap().kill();
            std::thread::sleep(lasts);
            system.restart_broker();
        }
    }
    wait_for(Duration::from_secs(30), "everything recovers", || {
        system.health().filter(|health| {
            health.alerts.connected
                && health.cameras.iter().all(|camera| camera.state == CameraState::Streaming)
        })
    });
    kind < 2
}

#[test]
fn nothing_grows_during_random_faults() {
    let lasts = minutes().map_or(Duration::from_secs(20), |minutes| Duration::from_secs(60 * minutes));
    let long = minutes().is_some();
    let cameras = ["inner-harbour", "quay-east", "roads", "pier"];
    // Vessels pass at the first camera; in a long run, at three.
    let shown = |id: &str| {
        if id == "inner-harbour" || long && id != "pier" { clip(id) } else { h264_clip().to_owned() }
    };
    let shown: Vec<_> =
        cameras.iter().map(|id| (if *id == "roads" && !long { "lock" } else { *id }, shown(id))).collect();
    let cameras: Vec<_> = shown.iter().map(|(id, _)| *id).collect();
    let mut system = TestSystem::with(&shown, "stall_after = \"2s\"\n");
    let text = std::fs::read_to_string(&system.site).unwrap();
    std::fs::write(&system.site, text.replace("detect_fps = 3.0", "detect_fps = 1.0")).unwrap();
    system.start_daemon();
    system.wait_until_streaming();
    let pid = system.daemon.as_ref().unwrap().pid();

    let mut rng = Rng::new(21);
    let (mut faults, mut of_cameras, mut wal) = (0, 0, 0);
    // Caches and pools fill during the first faults.
    let warm = lasts / 5;
    let mut base = None;
    let mut samples = Vec::new();
    let began = now();
    while began.elapsed() < lasts || faults < 3 {
        of_cameras += usize::from(fault(&mut system, &mut rng, &cameras));
        faults += 1;
        std::thread::sleep(Duration::from_secs(if long { 5 } else { 1 }));
        let holds = holds(pid);
        if began.elapsed() >= warm {
            base = base.or_else(|| Some(most_held(pid)));
            samples.push((began.elapsed().as_secs_f64() / 3600.0, holds.megabytes));
        }
        let size = |suffix: &str| {
            let path = format!("{}{suffix}", system.ports.logbook.display());
            std::fs::metadata(path).map_or(0, |file| file.len())
        };
        wal = wal.max(size("-wal"));
    }
    let base = base.unwrap();
    let mut last = holds(pid);
    for _ in 0..100 {
        if last.threads.len() <= base.threads.len() && last.files <= base.files {
            break;
        }
        // The pipeline of a closed session may take a moment to stop.
        std::thread::sleep(Duration::from_millis(100));
        last = holds(pid);
    }
    println!("{samples:?}, {base:?}, {last:?}");
    wait_for(Duration::from_secs(20), "no alert waits", || {
        system.health().filter(|health| health.alerts.undelivered == 0)
    });
    assert!(system.daemon.as_mut().unwrap().is_running(), "the process of the start, pid {pid}");
    assert!(system.daemon.take().unwrap().stop(Duration::from_secs(20)), "the daemon stops in order");

    let alerts = system.alerts();
    let lost = alerts.values().filter(|delivered| !**delivered).count();
    let logbook = system.open_logbook();
    let count = |query: &str| logbook.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let starts = count("select count(*) from v_starts");
    // Each recovery of a camera has a row: one at the start, one after each of its faults.
    let back = count("select count(*) from v_camera_state where state = 'streaming'") - cameras.len() as i64;
    let more = |first: usize, last: usize| last as f64 - first as f64;
    let row = Row::new(21, "soak: four cameras, faults at random", faults)
        .lost(lost)
        .at_most("camera faults not in the logbook", of_cameras as f64 - back as f64, "", 0.0)
        .at_most("threads more", more(base.threads.len(), last.threads.len()), "", 0.0)
        .at_most("threads of pools", last.pooled as f64, "", POOLED)
        .at_most("files more", more(base.files, last.files), "", 0.0)
        .at_most("write-ahead log", wal as f64 / 1e6, "MB", 16.0)
        .at_most("restarts", (starts - 1) as f64, "", 0.0)
        .at_least("alerts", alerts.len() as f64, "", 1.0);
    match minutes() {
        // In a shorter run, what the allocator keeps of one burst outweighs any growth.
        Some(30..) => row.at_most("memory more an hour", slope(&samples), "MB", 1.0),
        _ => row.at_most("memory more", last.megabytes - base.megabytes, "MB", 30.0),
    }
    .record();
}
