//! What staff and rules rely on, tried on sequences made by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{Look, Track, TrackState, Tracker, TrackerConfig, VesselCounter, VesselId};
use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize, Px};

const SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const WHOLE: BBox<Px> = BBox::new(0.0, 0.0, 1920.0, 1080.0);
const LEFT: BBox<Px> = BBox::new(0.0, 0.0, 960.0, 1080.0);
const RIGHT: BBox<Px> = BBox::new(960.0, 0.0, 1920.0, 1080.0);

fn at(seconds: f64) -> MonoTime {
    MonoTime::from_boot(Duration::from_secs_f64(1000.0 + seconds))
}

/// A detection by the middle of its box.
fn seen(x: f64, y: f64, width: f64, height: f64, confidence: f32) -> Detection {
    let bbox =
        BBox::from_xywh((x - width / 2.0) as f32, (y - height / 2.0) as f32, width as f32, height as f32);
    Detection { class: Class::Vessel, confidence, bbox }
}

/// A motor yacht somewhere along the quay.
fn yacht(x: f64) -> Detection {
    seen(x, 500.0, 120.0, 50.0, 0.8)
}

/// A tracker under test with its own numbers.
struct Watch {
    tracker: Tracker,
    ids: VesselCounter,
}

impl Watch {
    fn new() -> Self {
        Self { tracker: Tracker::new(TrackerConfig::default()), ids: VesselCounter::default() }
    }

    fn look(&mut self, seconds: f64, detections: &[Detection]) -> Vec<Track> {
        self.look_at(seconds, detections, &[WHOLE], [0.0, 0.0])
    }

    fn look_at(
        &mut self,
        seconds: f64,
        detections: &[Detection],
        looked: &[BBox<Px>],
        shift: [f32; 2],
    ) -> Vec<Track> {
        let look = Look { detections, size: SIZE, looked, shift, at: at(seconds) };
        self.tracker.step(&look, &mut self.ids)
    }

    /// The vessel that each detection is taken for.
    fn numbers(&mut self, seconds: f64, detections: &[Detection]) -> Vec<Option<u64>> {
        self.look(seconds, detections);
        self.tracker.taken().iter().map(|vessel| vessel.map(|v| v.0)).collect()
    }
}

/// Looks at `rate` a second from 0 to `until` seconds.
fn looks(rate: f64, until: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |look| f64::from(look) / rate).take_while(move |&t| t <= until)
}

#[test]
fn crossing_vessels_keep_their_numbers() {
    for rate in [4.0, 25.0] {
        let mut watch = Watch::new();
        for t in looks(rate, 12.0) {
            // Two yachts meet head-on after 6 s, one a little nearer to the camera.
            let pair = [
                seen(300.0 + 50.0 * t, 500.0, 120.0, 50.0, 0.8),
                seen(900.0 - 50.0 * t, 515.0, 140.0, 60.0, 0.8),
            ];
            let numbers = watch.numbers(t, &pair);
            if t > 1.0 {
                assert_eq!(numbers, [Some(1), Some(2)], "at {t} s, {rate} looks a second");
            }
        }
    }
}

#[test]
fn a_vessel_hidden_for_three_seconds_behind_another_keeps_its_number() {
    for rate in [2.0, 4.0, 25.0] {
        let mut watch = Watch::new();
        for t in looks(rate, 14.0) {
            // A moored ship; a yacht passes behind it and is not seen from second 5 to 8.
            let ship = seen(620.0, 480.0, 320.0, 120.0, 0.9);
            let passing = yacht(200.0 + 65.0 * t);
            let visible = if t > 5.0 && t < 8.0 { 1 } else { 2 };
            let numbers = watch.numbers(t, &[ship, passing][..visible]);
            if t > 2.0 {
                assert!(
                    numbers.iter().eq([Some(1), Some(2)][..numbers.len()].iter()),
                    "{numbers:?} at {t} s"
                );
            }
        }
    }
}

#[test]
fn a_moored_vessel_flickering_in_and_out_for_ten_minutes_stays_one_track() {
    let mut watch = Watch::new();
    let mut numbers = BTreeSet::new();
    for (look, t) in looks(4.0, 600.0).enumerate() {
        // Jitters by 2 % of its length; after half a minute out of sight for up to 25 s at a time.
        let jitter = ((look * 7919) % 5) as f64 - 2.0;
        let away = t > 30.0 && (t / 30.0).fract() > 1.0 / 6.0;
        let tracks = if away { watch.look(t, &[]) } else { watch.look(t, &[yacht(400.0 + jitter)]) };
        assert!(tracks.iter().all(|track| track.state != TrackState::Ended), "ended at {t} s");
        numbers.extend(tracks.iter().map(|track| track.vessel));
    }
    assert_eq!(numbers, BTreeSet::from([VesselId(1)]));
}

#[test]
fn a_vessel_passing_before_a_moored_one_does_not_take_its_number() {
    let mut watch = Watch::new();
    for t in looks(4.0, 40.0) {
        // The moored yacht is hidden while the barge before it covers it.
        let barge = seen(1600.0 - 40.0 * t, 510.0, 300.0, 90.0, 0.9);
        let moored = yacht(800.0);
        let hidden = (barge.bbox.x0..barge.bbox.x1).contains(&800.0);
        let visible = if hidden { 1 } else { 2 };
        let numbers = watch.numbers(t, &[barge, moored][..visible]);
        if t > 2.0 {
            assert!(numbers.iter().eq([Some(1), Some(2)][..numbers.len()].iter()), "{numbers:?} at {t} s");
        }
    }
}

#[test]
fn a_moored_vessel_stands_still_while_a_passing_one_hides_half_of_it() {
    let mut watch = Watch::new();
    for t in looks(4.0, 40.0) {
        let yacht = seen(1600.0 - 40.0 * t, 520.0, 100.0, 60.0, 0.9);
        let mut moored = seen(800.0, 490.0, 220.0, 80.0, 0.8);
        // What it leaves free on its other side is found while that is half of the vessel.
        if yacht.bbox.x0 > 800.0 {
            moored.bbox.x1 = moored.bbox.x1.min(yacht.bbox.x0);
        } else {
            moored.bbox.x0 = moored.bbox.x0.max(yacht.bbox.x1);
        }
        let found = if moored.bbox.width() >= 110.0 { 2 } else { 1 };
        let tracks = watch.look(t, &[yacht, moored][..found]);
        let stands = |track: &&Track| track.vessel == VesselId(2) && track.velocity.is_none();
        assert!(t < 6.0 || tracks.iter().filter(stands).count() == 1, "{tracks:?} at {t} s");
    }
}

#[test]
fn a_single_false_box_never_becomes_a_vessel() {
    let mut watch = Watch::new();
    for (look, t) in looks(4.0, 60.0).enumerate() {
        // A glint somewhere else in every look, and one that comes back at its place, but rarely.
        let glint =
            seen(150.0 + 350.0 * (look % 5) as f64, 200.0 + 150.0 * (look % 4) as f64, 40.0, 20.0, 0.9);
        let rare = seen(1700.0, 950.0, 40.0, 20.0, 0.9);
        let boxes = if look % 9 == 0 { 2 } else { 1 };
        assert_eq!(watch.look(t, &[glint, rare][..boxes]), []);
    }
    assert_eq!(watch.ids.next_id(), VesselId(1));
}

#[test]
fn a_small_fast_boat_that_moves_by_more_than_its_width_between_looks_is_one_vessel() {
    let mut watch = Watch::new();
    let mut numbers = BTreeSet::new();
    for t in looks(2.0, 8.0) {
        // 50 px long, 60 px further at each look.
        watch.look(t, &[seen(100.0 + 120.0 * t, 500.0, 50.0, 25.0, 0.8)]);
        numbers.extend(watch.tracker.taken().to_vec());
        assert!(t < 1.5 || watch.tracker.taken() == [Some(VesselId(1))], "lost at {t} s");
    }
    assert_eq!(numbers, BTreeSet::from([None, Some(VesselId(1))]));
}

#[test]
fn what_is_faster_than_any_vessel_becomes_none_at_any_rate_of_looks_and_is_counted() {
    for rate in [4.0, 10.0, 25.0] {
        let (mut gull, mut scooter) = (Watch::new(), Watch::new());
        for t in looks(rate, 6.0) {
            // The gull is as long as 24 px from wing tip to wing tip, and then as its body.
            let spread = if (t * rate) as i32 % 2 == 0 { 24.0 } else { 14.0 };
            assert!(gull.look(t, &[seen(50.0 + 280.0 * t, 400.0, spread, 12.0, 0.6)]).is_empty());
            // Of 42 px; at four looks a second one at full speed is out of reach of the last look, too.
            let speed = if rate < 10.0 { 190.0 } else { 280.0 };
            scooter.look(t, &[seen(50.0 + speed * t, 600.0, 42.0, 20.0, 0.6)]);
        }
        gull.look(10.0, &[]);
        let [too_fast, fleeting] = [gull.tracker.too_fast(), gull.tracker.fleeting()];
        assert_eq!(too_fast + fleeting, (6.0 * rate) as u64 + 1, "each is counted once");
        // When looks lie further apart nobody can tell that it is one thing.
        assert!(too_fast > fleeting || rate < 25.0, "{too_fast} and {fleeting} at {rate} looks a second");
        assert_eq!(scooter.tracker.taken(), [Some(VesselId(1))], "{rate} looks a second");
        assert_eq!(scooter.tracker.too_fast(), 0);
    }
}

#[test]
fn a_detection_flicker_in_confidence_is_carried_by_the_second_stage() {
    let mut watch = Watch::new();
    for (look, t) in looks(4.0, 20.0).enumerate() {
        let confidence = if look < 4 || look % 8 == 0 { 0.8 } else { 0.2 };
        let detection = Detection { confidence, ..yacht(300.0 + 30.0 * t) };
        let tracks = watch.look(t, &[detection]);
        if look >= 2 {
            assert_eq!(tracks.len(), 1);
            assert_eq!((tracks[0].vessel, tracks[0].state), (VesselId(1), TrackState::Confirmed), "at {t} s");
        }
    }
}

#[test]
fn a_sure_box_that_is_not_seen_again_is_counted_and_a_vessel_that_ends_is_not() {
    let mut watch = Watch::new();
    for t in looks(4.0, 2.0) {
        watch.look(t, &[yacht(300.0)]);
    }
    watch.look(2.0, &[yacht(300.0), yacht(1200.0)]);
    assert_eq!(watch.tracker.fleeting(), 0);
    for t in looks(4.0, 60.0) {
        watch.look(2.25 + t, &[]);
    }
    assert_eq!(watch.tracker.fleeting(), 1);
}

#[test]
fn weak_boxes_alone_never_begin_a_vessel() {
    let mut watch = Watch::new();
    for t in looks(4.0, 20.0) {
        assert_eq!(watch.look(t, &[Detection { confidence: 0.4, ..yacht(300.0) }]), []);
    }
}

#[test]
fn people_are_not_followed_as_vessels() {
    let mut watch = Watch::new();
    for t in looks(4.0, 10.0) {
        assert_eq!(watch.look(t, &[Detection { class: Class::Person, ..yacht(300.0) }]), []);
    }
}

#[test]
fn a_vessel_is_confirmed_with_the_time_of_its_first_detection() {
    let mut watch = Watch::new();
    assert_eq!(watch.look(0.0, &[yacht(300.0)]), []);
    assert_eq!(watch.look(0.25, &[yacht(302.0)]), []);
    let tracks = watch.look(0.5, &[yacht(900.0), yacht(304.0)]);
    assert_eq!(tracks.len(), 1);
    let Track { vessel, state, detection, first_seen, last_seen, hits, .. } = tracks[0];
    assert_eq!((vessel, state, detection, hits), (VesselId(1), TrackState::Confirmed, Some(1), 3));
    assert_eq!((first_seen, last_seen), (at(0.0), at(0.5)));
    assert_eq!(watch.tracker.taken(), [None, Some(VesselId(1))]);
}

#[test]
fn a_clear_box_seen_twice_in_the_same_place_is_a_vessel_at_once() {
    let clear = |x| Detection { confidence: 0.9, ..yacht(x) };
    for (first, second, after, is_vessel) in [
        (clear(300.0), clear(310.0), 0.25, true),
        (clear(300.0), yacht(310.0), 0.25, false),
        (clear(300.0), clear(430.0), 0.25, false),
        (clear(300.0), clear(310.0), 1.5, false),
    ] {
        let mut watch = Watch::new();
        watch.look(0.0, &[first]);
        assert_eq!(watch.look(after, &[second]).len(), usize::from(is_vessel), "{second:?} after {after} s");
    }
}

#[test]
fn a_second_box_on_a_vessel_begins_no_other() {
    let mut watch = Watch::new();
    for t in looks(4.0, 5.0) {
        let tracks = watch.look(t, &[yacht(300.0), seen(310.0, 505.0, 140.0, 60.0, 0.7)]);
        assert!(tracks.len() <= 1, "{tracks:?}");
    }
}

#[test]
fn a_lost_vessel_is_reported_where_it_is_expected() {
    let mut watch = Watch::new();
    for t in looks(4.0, 5.0) {
        watch.look(t, &[yacht(200.0 + 40.0 * t)]);
    }
    let tracks = watch.look(8.0, &[]);
    assert_eq!(
        (tracks[0].state, tracks[0].detection, tracks[0].last_seen),
        (TrackState::Lost, None, at(5.0))
    );
    let expected = 200.0 + 40.0 * 8.0;
    assert!((tracks[0].bbox.centre().x - expected).abs() < 5.0, "{:?}", tracks[0].bbox);
}

#[test]
fn a_track_ends_where_the_vessel_was_last_seen() {
    let mut watch = Watch::new();
    for t in looks(4.0, 5.0) {
        watch.look(t, &[yacht(200.0 + 60.0 * t)]);
    }
    let ended = looks(4.0, 10.0)
        .map(|t| watch.look(5.0 + t, &[]))
        .find_map(|tracks| tracks.into_iter().find(|track| track.state == TrackState::Ended));
    let last = ended.expect("it ends").bbox.centre();
    assert!((last.x - 500.0).abs() < 30.0, "last seen near 500, ended at {last:?}");
}

#[test]
fn ended_is_reported_exactly_once() {
    let mut watch = Watch::new();
    let mut ended = Vec::new();
    for t in looks(4.0, 60.0) {
        let detections =
            if t < 4.0 { vec![yacht(200.0 + 40.0 * t), yacht(1500.0 - 40.0 * t)] } else { vec![] };
        let tracks = watch.look(t, &detections);
        ended.extend(
            tracks.iter().filter(|track| track.state == TrackState::Ended).map(|track| (track.vessel.0, t)),
        );
    }
    // Last seen at 3.75 s, kept for 5 s.
    assert_eq!(ended, [(1, 9.0), (2, 9.0)]);
    assert_eq!(watch.tracker.end_all(), []);
}

#[test]
fn the_longer_a_vessel_stood_the_longer_it_is_remembered() {
    // (stood, last report as lost, first report as ended), in seconds.
    for (stood, lost, ended) in [(2.0, 5.0, 5.25), (20.0, 20.0, 20.25), (300.0, 60.0, 60.25)] {
        let mut watch = Watch::new();
        for t in looks(4.0, stood) {
            watch.look(t, &[yacht(400.0)]);
        }
        assert_eq!(watch.look(stood + lost, &[])[0].state, TrackState::Lost, "stood {stood} s");
        assert_eq!(watch.look(stood + ended, &[])[0].state, TrackState::Ended, "stood {stood} s");
    }
}

#[test]
fn ending_all_reports_each_vessel_once_and_numbers_are_never_used_again() {
    let mut watch = Watch::new();
    for t in looks(4.0, 2.0) {
        watch.look(t, &[yacht(200.0), yacht(800.0)]);
    }
    // One more that is still tentative: staff never heard of it.
    watch.look(2.25, &[yacht(200.0), yacht(800.0), yacht(1400.0)]);
    let ended = watch.tracker.end_all();
    assert!(ended.iter().all(|track| track.state == TrackState::Ended && track.detection.is_none()));
    assert_eq!(ended.iter().map(|track| track.vessel.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(watch.tracker.end_all(), []);
    for t in looks(4.0, 2.0) {
        watch.look(3.0 + t, &[yacht(200.0)]);
    }
    assert_eq!(watch.tracker.taken(), [Some(VesselId(3))]);
}

#[test]
fn two_cameras_and_a_restart_share_one_row_of_numbers() {
    let mut ids = VesselCounter::after(VesselId(41));
    let mut cameras = [(); 2].map(|()| Tracker::new(TrackerConfig::default()));
    for t in looks(4.0, 1.0) {
        for camera in &mut cameras {
            let detections = &[yacht(300.0)];
            let look = Look { detections, size: SIZE, looked: &[WHOLE], shift: [0.0, 0.0], at: at(t) };
            camera.step(&look, &mut ids);
        }
    }
    assert_eq!(cameras.map(|camera| camera.taken().to_vec()), [[Some(VesselId(42))], [Some(VesselId(43))]]);
}

#[test]
fn a_vessel_that_was_not_looked_at_is_not_missed() {
    let mut watch = Watch::new();
    for t in looks(4.0, 2.0) {
        watch.look(t, &[yacht(300.0 + 5.0 * t)]);
    }
    // For 15 s, three times as long as it would be remembered, only the other half is looked at.
    for t in looks(4.0, 15.0) {
        let tracks = watch.look_at(2.25 + t, &[], &[RIGHT], [0.0, 0.0]);
        assert_eq!(tracks.len(), 1, "at {t} s");
        assert_eq!((tracks[0].state, tracks[0].detection), (TrackState::Unwatched, None));
    }
    // A single look in vain is one look missed, no more.
    assert_eq!(watch.look_at(17.5, &[], &[LEFT], [0.0, 0.0])[0].state, TrackState::Lost);
    // Once missed it stays lost until it is seen.
    assert_eq!(watch.look_at(17.75, &[], &[RIGHT], [0.0, 0.0])[0].state, TrackState::Lost);
    assert_eq!(watch.numbers(18.0, &[yacht(390.0)]), [Some(1)]);
}

#[test]
fn a_vessel_looked_at_by_turns_ends_when_it_was_missed_for_as_long_as_one_always_looked_at() {
    let mut watch = Watch::new();
    for t in looks(4.0, 2.0) {
        watch.look(t, &[yacht(300.0)]);
    }
    let ends = looks(4.0, 30.0).find(|t| {
        let region = if (t * 4.0) % 2.0 == 0.0 { LEFT } else { RIGHT };
        watch.look_at(2.25 + t, &[], &[region], [0.0, 0.0])[0].state == TrackState::Ended
    });
    // Half of the looks are at it: 5 s are over after 10, at the next look at it.
    assert_eq!(ends, Some(10.0));
}

#[test]
fn a_vessel_that_nobody_looks_at_again_ends_all_the_same() {
    let mut watch = Watch::new();
    for t in looks(4.0, 2.0) {
        watch.look(t, &[yacht(300.0), yacht(1500.0)]);
    }
    let ends = looks(4.0, 60.0).find(|t| {
        let tracks = watch.look_at(2.25 + t, &[yacht(1500.0)], &[RIGHT], [0.0, 0.0]);
        tracks[0].state == TrackState::Ended
    });
    assert_eq!(ends, Some(20.0), "four times as long as one that is missed");
}

#[test]
fn a_vessel_that_sailed_out_of_the_picture_is_missed_there() {
    let mut watch = Watch::new();
    for t in looks(4.0, 5.0) {
        watch.look(t, &[yacht(1750.0 + 32.0 * t)]);
    }
    let ends = looks(4.0, 30.0).find(|t| watch.look(5.25 + t, &[])[0].state == TrackState::Ended);
    assert_eq!(ends, Some(5.0));
}

#[test]
fn a_tentative_track_waits_while_it_is_not_looked_at() {
    let mut watch = Watch::new();
    for (t, seen) in [(0.0, true), (2.0, false), (4.0, true), (6.0, false), (8.0, true)] {
        let (detections, region): (&[_], _) = if seen { (&[yacht(300.0)], LEFT) } else { (&[], RIGHT) };
        watch.look_at(t, detections, &[region], [0.0, 0.0]);
    }
    assert_eq!(watch.tracker.taken(), [Some(VesselId(1))], "three hits, with 4 s of watching between them");
}

#[test]
fn vessels_keep_their_numbers_when_the_camera_turns() {
    let mut watch = Watch::new();
    for t in looks(4.0, 10.0) {
        watch.look(t, &[yacht(300.0), yacht(500.0)]);
    }
    // By exactly the distance between them: without the shift one would be taken for the other.
    watch.look_at(10.25, &[yacht(500.0), yacht(700.0)], &[WHOLE], [200.0, 0.0]);
    assert_eq!(watch.tracker.taken(), [Some(VesselId(1)), Some(VesselId(2))]);
    let tracks = watch.look(10.5, &[]);
    assert!((tracks[0].bbox.centre().x - 500.0).abs() < 2.0, "a turn is no speed: {:?}", tracks[0].bbox);
}

prop_compose! {
    fn any_detection()(
        x in -500.0..2500.0f32, y in -500.0..1500.0f32, w in 0.0..900.0f32, h in 0.0..900.0f32,
        confidence in 0.0..=1.0f32, vessel in prop::bool::weighted(0.9),
    ) -> Detection {
        let class = if vessel { Class::Vessel } else { Class::Person };
        Detection { class, confidence, bbox: BBox::from_xywh(x, y, w, h) }
    }
}

proptest! {
    #[test]
    fn irregular_looks_do_not_change_the_outcome_of_a_straight_run(
        steps in prop::collection::vec(0.1..2.0f64, 8..60), speed in -40.0..40.0f64,
    ) {
        let mut watch = Watch::new();
        let (mut t, mut hits) = (0.0, 0);
        for step in steps {
            t += step;
            let tracks = watch.look(t, &[yacht(900.0 + speed * t)]);
            hits += 1;
            if let [track] = tracks[..] {
                prop_assert_eq!((track.vessel, track.state, track.hits), (VesselId(1), TrackState::Confirmed, hits));
            } else {
                prop_assert!(tracks.is_empty() && hits < 5, "{:?} at look {}", tracks, hits);
            }
        }
    }

    #[test]
    fn whatever_is_detected_each_vessel_has_one_detection_and_ends_once(
        looks in prop::collection::vec(
            (0.0..8.0f64, 0..3usize, prop::collection::vec(any_detection(), 0..12)), 1..40,
        ),
    ) {
        let (mut watch, mut again) = (Watch::new(), Watch::new());
        let (mut t, mut last) = (0.0, VesselId(0));
        let mut ended = BTreeSet::new();
        for (step, region, detections) in looks {
            t += step;
            let looked = [[WHOLE, LEFT, RIGHT][region]];
            let tracks = watch.look_at(t, &detections, &looked, [0.0, 0.0]);
            prop_assert_eq!(&tracks, &again.look_at(t, &detections, &looked, [0.0, 0.0]));
            prop_assert_eq!(watch.tracker.taken().len(), detections.len());
            for pair in tracks.windows(2) {
                prop_assert!(pair[0].vessel < pair[1].vessel);
            }
            let mut taken = BTreeSet::new();
            for track in &tracks {
                prop_assert!(track.bbox.is_finite() && !ended.contains(&track.vessel));
                match (track.state, track.detection) {
                    (TrackState::Confirmed, Some(index)) => {
                        prop_assert!(taken.insert(index));
                        prop_assert_eq!(watch.tracker.taken()[index], Some(track.vessel));
                        prop_assert_eq!(detections[index].class, Class::Vessel);
                    }
                    (TrackState::Lost | TrackState::Unwatched, None) => {}
                    (TrackState::Ended, None) => prop_assert!(ended.insert(track.vessel)),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let newest = tracks.iter().map(|track| track.vessel).max().unwrap_or(last).max(last);
            // Numbers go up by one, none is skipped.
            prop_assert!(newest.0 - last.0 <= detections.len() as u64);
            last = newest;
        }
        ended.extend(watch.tracker.end_all().iter().map(|track| track.vessel));
        prop_assert_eq!(ended.len() as u64, last.0);
    }
}
