//! When tracks are confirmed, lost and ended.

use super::*;

#[test]
fn a_moored_vessel_with_gaps_stays_one_track() {
    let mut fixture = Fixture::new();
    let mut numbers = BTreeSet::new();
    for (pass, t) in times(4.0, 600.0).enumerate() {
        // The box jitters by 2 % of its length. After half a minute, gaps of up to 25 s begin.
        let jitter = ((pass * 7919) % 5) as f64 - 2.0;
        let gap = t > 30.0 && (t / 30.0).fract() > 1.0 / 6.0;
        let tracks = if gap { fixture.pass(t, &[]) } else { fixture.pass(t, &[yacht(400.0 + jitter)]) };
        assert!(tracks.iter().all(|track| track.state != TrackState::Ended), "ended at {t} s");
        numbers.extend(tracks.iter().map(|track| track.vessel));
    }
    assert_eq!(numbers, BTreeSet::from([VesselId(1)]));
}

#[test]
fn rare_false_boxes_never_become_a_vessel() {
    let mut fixture = Fixture::new();
    for (pass, t) in times(4.0, 60.0).enumerate() {
        // One glint moves in every pass; another returns to its place, but rarely.
        let glint =
            detection(150.0 + 350.0 * (pass % 5) as f64, 200.0 + 150.0 * (pass % 4) as f64, 40.0, 20.0, 0.9);
        let rare = detection(1700.0, 950.0, 40.0, 20.0, 0.9);
        let boxes = if pass % 9 == 0 { 2 } else { 1 };
        assert_eq!(fixture.pass(t, &[glint, rare][..boxes]), []);
    }
    assert_eq!(fixture.ids.next_id(), VesselId(1));
}

#[test]
fn tracks_faster_than_any_vessel_are_dropped_and_counted() {
    for rate in [4.0, 10.0, 25.0] {
        let (mut gull, mut scooter) = (Fixture::new(), Fixture::new());
        for t in times(rate, 6.0) {
            // The gull's box alternates between its wing span of 24 px and its body.
            let spread = if (t * rate) as i32 % 2 == 0 { 24.0 } else { 14.0 };
            assert!(gull.pass(t, &[detection(50.0 + 280.0 * t, 400.0, spread, 12.0, 0.6)]).is_empty());
            // 42 px long. At four passes a second, the full speed is out of reach.
            let speed = if rate < 10.0 { 190.0 } else { 280.0 };
            scooter.pass(t, &[detection(50.0 + speed * t, 600.0, 42.0, 20.0, 0.6)]);
        }
        gull.pass(10.0, &[]);
        let [too_fast, unconfirmed] = [gull.tracker.too_fast(), gull.tracker.unconfirmed()];
        assert_eq!(too_fast + unconfirmed, (6.0 * rate) as u64 + 1, "each detection counts once");
        // With longer intervals, the detections do not form one track.
        assert!(
            too_fast > unconfirmed || rate < 25.0,
            "{too_fast} and {unconfirmed} at {rate} passes a second"
        );
        assert_eq!(scooter.tracker.assignments(), [Some(VesselId(1))], "{rate} passes a second");
        assert_eq!(scooter.tracker.too_fast(), 0);
    }
}

#[test]
fn only_unconfirmed_detections_are_counted() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 2.0) {
        fixture.pass(t, &[yacht(300.0)]);
    }
    fixture.pass(2.0, &[yacht(300.0), yacht(1200.0)]);
    assert_eq!(fixture.tracker.unconfirmed(), 0);
    for t in times(4.0, 60.0) {
        fixture.pass(2.25 + t, &[]);
    }
    assert_eq!(fixture.tracker.unconfirmed(), 1);
}

#[test]
fn faint_detections_confirm_no_track() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 20.0) {
        assert_eq!(fixture.pass(t, &[Detection { confidence: 0.1, ..yacht(300.0) }]), []);
    }
}

#[test]
fn persons_are_not_tracked() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 10.0) {
        assert_eq!(fixture.pass(t, &[Detection { class: Class::Person, ..yacht(300.0) }]), []);
    }
}

#[test]
fn a_confirmed_vessel_knows_its_first_detection() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 1.0) {
        assert_eq!(fixture.pass(t, &[yacht(300.0 + 8.0 * t)]), []);
    }
    let tracks = fixture.pass(1.25, &[yacht(900.0), yacht(310.0)]);
    assert_eq!(tracks.len(), 1);
    let Track { vessel, state, detection, first_seen, last_seen, hits, .. } = tracks[0];
    assert_eq!((vessel, state, detection, hits), (VesselId(1), TrackState::Confirmed, Some(1), 6));
    assert_eq!((first_seen, last_seen), (at(0.0), at(1.25)));
    assert_eq!(fixture.tracker.assignments(), [None, Some(VesselId(1))]);
}

#[test]
fn a_lost_vessel_is_reported_at_its_predicted_place() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 5.0) {
        fixture.pass(t, &[yacht(200.0 + 40.0 * t)]);
    }
    let tracks = fixture.pass(8.0, &[]);
    assert_eq!(
        (tracks[0].state, tracks[0].detection, tracks[0].last_seen),
        (TrackState::Lost, None, at(5.0))
    );
    let expected = 200.0 + 40.0 * 8.0;
    assert!((tracks[0].bbox.centre().x - expected).abs() < 5.0, "{:?}", tracks[0].bbox);
}

#[test]
fn a_track_ends_at_its_last_detection() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 5.0) {
        fixture.pass(t, &[yacht(200.0 + 60.0 * t)]);
    }
    let ended = times(4.0, 10.0)
        .map(|t| fixture.pass(5.0 + t, &[]))
        .find_map(|tracks| tracks.into_iter().find(|track| track.state == TrackState::Ended));
    let last = ended.expect("it ends").bbox.centre();
    assert!((last.x - 500.0).abs() < 30.0, "last seen near 500, ended at {last:?}");
}

#[test]
fn the_end_of_a_track_is_reported_once() {
    let mut fixture = Fixture::new();
    let mut ended = Vec::new();
    for t in times(4.0, 60.0) {
        let detections =
            if t < 4.0 { vec![yacht(200.0 + 40.0 * t), yacht(1500.0 - 40.0 * t)] } else { vec![] };
        let tracks = fixture.pass(t, &detections);
        ended.extend(
            tracks.iter().filter(|track| track.state == TrackState::Ended).map(|track| (track.vessel.0, t)),
        );
    }
    // Last detected at 3.75 s, kept for 5 s.
    assert_eq!(ended, [(1, 9.0), (2, 9.0)]);
    assert_eq!(fixture.tracker.end_all(), []);
}

#[test]
fn stationary_vessels_are_kept_for_longer() {
    // Seconds stationary, of the last report as lost, and of the first report as ended.
    for (stood, lost, ended) in [(2.0, 5.0, 5.25), (20.0, 20.0, 20.25), (300.0, 60.0, 60.25)] {
        let mut fixture = Fixture::new();
        for t in times(4.0, stood) {
            fixture.pass(t, &[yacht(400.0)]);
        }
        assert_eq!(fixture.pass(stood + lost, &[])[0].state, TrackState::Lost, "stood {stood} s");
        assert_eq!(fixture.pass(stood + ended, &[])[0].state, TrackState::Ended, "stood {stood} s");
    }
}

#[test]
fn end_all_reports_each_vessel_once() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 2.0) {
        fixture.pass(t, &[yacht(200.0), yacht(800.0)]);
    }
    // The third is tentative, so its end is not reported.
    fixture.pass(2.25, &[yacht(200.0), yacht(800.0), yacht(1400.0)]);
    let ended = fixture.tracker.end_all();
    assert!(ended.iter().all(|track| track.state == TrackState::Ended && track.detection.is_none()));
    assert_eq!(ended.iter().map(|track| track.vessel.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(fixture.tracker.end_all(), []);
    for t in times(4.0, 2.0) {
        fixture.pass(3.0 + t, &[yacht(200.0)]);
    }
    assert_eq!(fixture.tracker.assignments(), [Some(VesselId(3))]);
}

#[test]
fn cameras_share_one_vessel_counter() {
    let mut ids = VesselCounter::after(VesselId(41));
    let mut cameras = [(); 2].map(|()| Tracker::new(TrackerConfig::default(), ClutterMap::default()));
    for t in times(4.0, 2.0) {
        for camera in &mut cameras {
            let detections = &[yacht(300.0)];
            let input = TrackerInput {
                detections,
                size: SIZE,
                regions: &[WHOLE],
                input_px: 416.0,
                shift: [0.0, 0.0],
                at: at(t),
            };
            camera.step(&input, &mut ids);
        }
    }
    assert_eq!(
        cameras.map(|camera| camera.assignments().to_vec()),
        [[Some(VesselId(42))], [Some(VesselId(43))]]
    );
}
