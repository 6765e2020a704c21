//! The sequential test of tentative tracks.

use super::*;

/// Seconds until `boxes` confirm a vessel, at four passes a second; `None` within a minute.
fn confirmed_after(boxes: impl Fn(f64) -> Option<Detection>) -> Option<f64> {
    let mut fixture = Fixture::new();
    times(4.0, 60.0).find(|&t| !fixture.pass(t, boxes(t).as_slice()).is_empty())
}

/// A small boat of 40 px.
fn boat(x: f64, confidence: f32) -> Detection {
    detection(x, 500.0, 40.0, 16.0, confidence)
}

#[test]
fn sure_boxes_confirm_sooner_than_unsure_ones() {
    let after = |confidence| confirmed_after(|_| Some(yacht(300.0)).map(|d| Detection { confidence, ..d }));
    let (sure, unsure) = (after(0.9).unwrap(), after(0.4).unwrap());
    assert!((0.5..=1.5).contains(&sure) && unsure > sure, "{sure} and {unsure}");
}

#[test]
fn faint_boxes_that_stand_still_never_confirm() {
    for confidence in [0.05, 0.08, 0.11] {
        assert_eq!(confirmed_after(|_| Some(boat(300.0, confidence))), None, "{confidence}");
    }
}

#[test]
fn faint_boxes_that_move_like_a_vessel_confirm() {
    // Half a length and a length a second.
    for speed in [20.0, 40.0] {
        let after = confirmed_after(|t| Some(boat(200.0 + speed * t, 0.3)));
        assert!(after.is_some_and(|s| s <= 5.0), "{after:?} at {speed} px/s");
    }
}

#[test]
fn missed_inspections_speak_against_a_vessel() {
    let every = |nth: i32| confirmed_after(move |t| ((t * 4.0) as i32 % nth == 0).then(|| yacht(300.0)));
    let (always, second, fourth) = (every(1).unwrap(), every(2), every(4));
    assert!(second.is_none_or(|s| s > always), "{second:?}");
    assert!(fourth.is_none_or(|s| s > second.unwrap_or(60.0)), "{fourth:?}");
}

#[test]
fn places_that_are_not_inspected_say_nothing() {
    let mut fixture = Fixture::new();
    for (t, region) in [
        (0.0, LEFT),
        (0.25, RIGHT),
        (0.5, LEFT),
        (0.75, RIGHT),
        (1.0, LEFT),
        (1.25, RIGHT),
        (1.5, LEFT),
        (2.0, LEFT),
    ] {
        let seen = region == LEFT;
        let detections = if seen { vec![Detection { confidence: 0.9, ..yacht(300.0) }] } else { Vec::new() };
        fixture.pass_over(t, &detections, &[region], [0.0, 0.0]);
    }
    assert_eq!(fixture.tracker.assignments(), [Some(VesselId(1))]);
}

#[test]
fn a_stricter_site_waits_for_more_evidence() {
    let confirms = |per_day: f32| {
        let config = TrackerConfig { false_vessels_per_day: per_day, ..TrackerConfig::default() };
        let mut fixture =
            Fixture { tracker: Tracker::new(config, ClutterMap::default()), ids: VesselCounter::default() };
        times(4.0, 60.0).find(|&t| {
            !fixture.pass(t, &[Detection { confidence: 0.5, ..yacht(300.0 + 8.0 * t) }]).is_empty()
        })
    };
    let (usual, strict) = (confirms(24.0).unwrap(), confirms(0.1).unwrap());
    assert!(strict > usual, "{strict} and {usual}");
}
