//! Vessels keep their identities when boxes overlap or detections are missing.

use super::*;

#[test]
fn crossing_vessels_keep_their_numbers() {
    for rate in [4.0, 25.0] {
        let mut fixture = Fixture::new();
        for t in times(rate, 12.0) {
            // Two yachts meet after 6 s; one is slightly nearer to the camera.
            let pair = [
                detection(300.0 + 50.0 * t, 500.0, 120.0, 50.0, 0.8),
                detection(900.0 - 50.0 * t, 515.0, 140.0, 60.0, 0.8),
            ];
            let numbers = fixture.numbers(t, &pair);
            if t > 1.0 {
                assert_eq!(numbers, [Some(1), Some(2)], "at {t} s, {rate} passes a second");
            }
        }
    }
}

#[test]
fn a_vessel_hidden_for_three_seconds_keeps_its_number() {
    for rate in [2.0, 4.0, 25.0] {
        let (mut fixture, mut known) = (Fixture::new(), None);
        for t in times(rate, 14.0) {
            // A yacht passes behind a moored ship and is not detected from second 5 to 8.
            let ship = detection(620.0, 480.0, 320.0, 120.0, 0.9);
            let passing = yacht(200.0 + 65.0 * t);
            let visible = if t > 5.0 && t < 8.0 { 1 } else { 2 };
            let numbers = fixture.numbers(t, &[ship, passing][..visible]);
            if t > 3.0 {
                let known = known.get_or_insert_with(|| numbers.clone());
                assert!(
                    numbers.iter().all(Option::is_some) && known.starts_with(&numbers),
                    "{numbers:?} at {t} s"
                );
            }
        }
    }
}

#[test]
fn a_passing_vessel_does_not_take_a_moored_ones_number() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 40.0) {
        // The barge hides the moored yacht while it covers the yacht's centre.
        let barge = detection(1600.0 - 40.0 * t, 510.0, 300.0, 90.0, 0.9);
        let moored = yacht(800.0);
        let hidden = (barge.bbox.x0..barge.bbox.x1).contains(&800.0);
        let visible = if hidden { 1 } else { 2 };
        let numbers = fixture.numbers(t, &[barge, moored][..visible]);
        if t > 2.0 {
            assert!(numbers.iter().eq([Some(1), Some(2)][..numbers.len()].iter()), "{numbers:?} at {t} s");
        }
    }
}

#[test]
fn a_half_hidden_moored_vessel_stays_stationary() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 40.0) {
        let yacht = detection(1600.0 - 40.0 * t, 520.0, 100.0, 60.0, 0.9);
        let mut moored = detection(800.0, 490.0, 220.0, 80.0, 0.8);
        // The visible part is detected while it is at least half of the vessel.
        if yacht.bbox.x0 > 800.0 {
            moored.bbox.x1 = moored.bbox.x1.min(yacht.bbox.x0);
        } else {
            moored.bbox.x0 = moored.bbox.x0.max(yacht.bbox.x1);
        }
        let found = if moored.bbox.width() >= 110.0 { 2 } else { 1 };
        let tracks = fixture.pass(t, &[yacht, moored][..found]);
        let stationary = |track: &&Track| track.vessel == VesselId(2) && track.velocity.is_none();
        assert!(t < 6.0 || tracks.iter().filter(stationary).count() == 1, "{tracks:?} at {t} s");
    }
}

#[test]
fn a_boat_that_moves_more_than_its_length_is_one_vessel() {
    let mut fixture = Fixture::new();
    let mut numbers = BTreeSet::new();
    for t in times(2.0, 8.0) {
        // It is 50 px long and moves 60 px in each pass.
        fixture.pass(t, &[detection(100.0 + 120.0 * t, 500.0, 50.0, 25.0, 0.8)]);
        numbers.extend(fixture.tracker.assignments().to_vec());
        assert!(t < 1.5 || fixture.tracker.assignments() == [Some(VesselId(1))], "lost at {t} s");
    }
    assert_eq!(numbers, BTreeSet::from([None, Some(VesselId(1))]));
}

#[test]
fn low_confidence_detections_continue_a_vessel() {
    let mut fixture = Fixture::new();
    for (pass, t) in times(4.0, 20.0).enumerate() {
        let confidence = if pass < 8 || pass % 8 == 0 { 0.8 } else { 0.2 };
        let detection = Detection { confidence, ..yacht(300.0 + 30.0 * t) };
        let tracks = fixture.pass(t, &[detection]);
        if pass >= 8 {
            assert_eq!(tracks.len(), 1);
            assert_eq!((tracks[0].vessel, tracks[0].state), (VesselId(1), TrackState::Confirmed), "at {t} s");
        }
    }
}

#[test]
fn a_second_box_on_a_vessel_starts_no_track() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 5.0) {
        let tracks = fixture.pass(t, &[yacht(300.0), detection(310.0, 505.0, 140.0, 60.0, 0.7)]);
        assert!(tracks.len() <= 1, "{tracks:?}");
    }
}

#[test]
fn a_newcomer_does_not_take_the_number_of_a_vessel_that_left() {
    // A yacht sails out of the picture. Four seconds later, less than its memory, another one comes where the filter alone
    // would still reach: from the same edge further down, or in the open water.
    for (newcomer, speed) in [([1850.0, 620.0], -50.0), ([1600.0, 420.0], 40.0), ([1700.0, 700.0], -60.0)] {
        let mut fixture = Fixture::new();
        for t in times(4.0, 5.0) {
            fixture.pass(t, &[yacht(1660.0 + 40.0 * t)]);
        }
        for t in times(4.0, 3.5) {
            fixture.pass(5.25 + t, &[]);
        }
        for t in times(4.0, 3.0) {
            let [x, y] = newcomer;
            let numbers = fixture.numbers(9.0 + t, &[detection(x + speed * t, y, 120.0, 50.0, 0.8)]);
            assert!(!numbers.contains(&Some(1)), "{newcomer:?} after {t} s");
        }
        assert_eq!(fixture.tracker.assignments(), [Some(VesselId(2))], "{newcomer:?}");
    }
}

#[test]
fn a_vessel_of_another_size_gets_a_new_number() {
    for (height, number) in [(20.0, 2), (44.0, 1), (56.0, 1), (120.0, 2)] {
        let mut fixture = Fixture::new();
        for t in times(4.0, 4.0) {
            fixture.pass(t, &[yacht(600.0)]);
        }
        for t in times(4.0, 2.0) {
            fixture.pass(4.25 + t, &[]);
        }
        for t in times(4.0, 3.0) {
            // Its waterline is that of the yacht.
            let other = detection(600.0, 525.0 - height / 2.0, 2.4 * height, height, 0.8);
            fixture.pass(6.5 + t, &[other]);
        }
        assert_eq!(fixture.tracker.assignments(), [Some(VesselId(number))], "{height} px high");
    }
}

#[test]
fn a_box_of_another_size_does_not_belong_to_a_vessel_just_seen() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 4.0) {
        fixture.pass(t, &[yacht(600.0)]);
    }
    // The yacht is missed, and a box on the same waterline is less than half as wide and as high.
    assert_eq!(fixture.numbers(4.25, &[detection(600.0, 515.0, 50.0, 20.0, 0.8)]), [None]);
    // A box of the same width without the mast is the yacht's.
    assert_eq!(fixture.numbers(4.5, &[detection(600.0, 515.0, 120.0, 20.0, 0.8)]), [Some(1)]);
}

#[test]
fn a_box_without_the_mast_leaves_the_waterline_where_it_is() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 4.0) {
        fixture.pass(t, &[detection(900.0 - 80.0 * t, 500.0, 390.0, 330.0, 0.8)]);
    }
    let hull = detection(560.0, 628.5, 390.0, 73.0, 0.8);
    let waterline = fixture.pass(4.25, &[hull])[0].bbox.y1;
    assert!((waterline - 665.0).abs() < 5.0, "{waterline}");
}

#[test]
fn a_stationary_vessel_that_is_hidden_for_half_a_minute_keeps_its_number() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 60.0) {
        fixture.pass(t, &[yacht(800.0)]);
    }
    // A ship lies in front of it.
    for t in times(4.0, 30.0) {
        fixture.pass(60.25 + t, &[detection(810.0, 520.0, 400.0, 140.0, 0.9)]);
    }
    assert_eq!(fixture.numbers(90.5, &[yacht(802.0)]), [Some(1)]);
}

#[test]
fn a_lost_vessel_keeps_the_size_of_its_box() {
    let mut fixture = Fixture::new();
    // It turns away from the camera before it is lost.
    for t in times(4.0, 4.0) {
        fixture.pass(t, &[detection(600.0, 500.0, 120.0 - 15.0 * t, 50.0, 0.8)]);
    }
    for t in times(4.0, 4.5) {
        let lost = fixture.pass(4.25 + t, &[])[0].bbox;
        assert!((50.0..80.0).contains(&lost.width()), "{lost:?} after {t} s");
    }
}
