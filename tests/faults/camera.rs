//! Cameras that die, freeze and come back.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::Row;
use crate::harbour::{Harbour, wait_for};

const DETECT: Duration = Duration::from_secs(6);

fn frames_of(harbour: &Harbour, id: &str) -> u64 {
    let health = harbour.health().expect("the health page answers");
    health.cameras.iter().find(|camera| camera.id == id).expect("the camera is listed").received
}

/// Frames of the other camera while `during` ran, as a share of 25 a second.
fn others_rate(harbour: &Harbour, during: impl FnOnce()) -> f64 {
    let before = frames_of(harbour, "inner-harbour");
    let began = crate::harbour::now();
    during();
    (frames_of(harbour, "inner-harbour") - before) as f64 / began.elapsed().as_secs_f64() / 25.0
}

#[test]
fn a_killed_camera_is_noticed_at_once_and_comes_back_by_itself() {
    let mut harbour = Harbour::new(&["inner-harbour", "quay-east"]);
    harbour.start_watch();
    harbour.wait_until_streaming();

    harbour.camera("quay-east").take().unwrap().kill();
    let mut noticed = Duration::ZERO;
    let rate = others_rate(&harbour, || {
        noticed = wait_for("the killed camera is noticed", DETECT, || {
            harbour.camera_state("quay-east").filter(|state| state != "streaming")
        })
        .1;
        std::thread::sleep(Duration::from_secs(4));
    });
    assert!(rate > 0.8, "the other camera went on at {:.0} % of its rate", rate * 100.0);

    harbour.restart_camera("quay-east");
    let (_, back) = wait_for("frames flow again", Duration::from_secs(8), || {
        harbour.camera_state("quay-east").filter(|state| state == "streaming")
    });
    Row::new(1, "camera process dies", 1)
        .detected(noticed, Duration::from_secs(1))
        .recovered(back, Duration::from_secs(5))
        .record();
}

#[test]
fn a_frozen_camera_is_noticed_by_the_age_of_its_last_frame() {
    let mut harbour = Harbour::new(&["inner-harbour", "quay-east"]);
    harbour.start_watch();
    harbour.wait_until_streaming();

    harbour.camera("quay-east").as_ref().unwrap().signal(Signal::SIGSTOP).unwrap();
    let (_, noticed) = wait_for("the frozen camera is noticed", Duration::from_millis(6500), || {
        harbour.camera_state("quay-east").filter(|state| state != "streaming")
    });
    harbour.camera("quay-east").as_ref().unwrap().signal(Signal::SIGCONT).unwrap();
    let (_, back) = wait_for("frames flow again", Duration::from_secs(12), || {
        harbour.camera_state("quay-east").filter(|state| state == "streaming")
    });
    assert_eq!(harbour.camera_state("inner-harbour").as_deref(), Some("streaming"));
    Row::new(2, "camera freezes, socket open", 1)
        .detected(noticed, Duration::from_millis(6000))
        .recovered(back, Duration::from_secs(12))
        .record();
}
