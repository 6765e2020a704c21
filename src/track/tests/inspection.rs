//! Passes that inspect only a part of the picture, and cameras that move.

use super::*;

#[test]
fn a_vessel_outside_the_regions_is_not_lost() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 2.0) {
        fixture.pass(t, &[yacht(300.0 + 5.0 * t)]);
    }
    // The other half alone is inspected for 15 s, three times the limit.
    for t in times(4.0, 15.0) {
        let tracks = fixture.pass_over(2.25 + t, &[], &[RIGHT], [0.0, 0.0]);
        assert_eq!(tracks.len(), 1, "at {t} s");
        assert_eq!((tracks[0].state, tracks[0].detection), (TrackState::NotInspected, None));
    }
    // One inspection without a detection makes it lost, but does not end it.
    assert_eq!(fixture.pass_over(17.5, &[], &[LEFT], [0.0, 0.0])[0].state, TrackState::Lost);
    // It stays lost until it is detected.
    assert_eq!(fixture.pass_over(17.75, &[], &[RIGHT], [0.0, 0.0])[0].state, TrackState::Lost);
    assert_eq!(fixture.numbers(18.0, &[yacht(390.0)]), [Some(1)]);
}

#[test]
fn only_inspected_time_counts_towards_the_end() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 2.0) {
        fixture.pass(t, &[yacht(300.0)]);
    }
    let ends = times(4.0, 30.0).find(|t| {
        let region = if (t * 4.0) % 2.0 == 0.0 { LEFT } else { RIGHT };
        fixture.pass_over(2.25 + t, &[], &[region], [0.0, 0.0])[0].state == TrackState::Ended
    });
    // Half of the passes inspect it, so 5 s of inspection take 10 s.
    assert_eq!(ends, Some(10.0));
}

#[test]
fn a_vessel_that_is_never_inspected_again_ends() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 2.0) {
        fixture.pass(t, &[yacht(300.0), yacht(1500.0)]);
    }
    let ends = times(4.0, 60.0).find(|t| {
        let tracks = fixture.pass_over(2.25 + t, &[yacht(1500.0)], &[RIGHT], [0.0, 0.0]);
        tracks[0].state == TrackState::Ended
    });
    assert_eq!(ends, Some(20.0), "four times the limit of an inspected one");
}

#[test]
fn a_vessel_that_left_the_picture_is_lost() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 5.0) {
        fixture.pass(t, &[yacht(1750.0 + 32.0 * t)]);
    }
    let ends = times(4.0, 30.0).find(|t| fixture.pass(5.25 + t, &[])[0].state == TrackState::Ended);
    assert_eq!(ends, Some(5.0));
}

#[test]
fn a_tentative_track_waits_while_not_inspected() {
    let mut fixture = Fixture::new();
    for (t, seen) in [(0.0, true), (2.0, false), (4.0, true), (6.0, false), (8.0, true)] {
        let (detections, region): (&[_], _) = if seen { (&[yacht(300.0)], LEFT) } else { (&[], RIGHT) };
        fixture.pass_over(t, detections, &[region], [0.0, 0.0]);
    }
    assert_eq!(fixture.tracker.assignments(), [Some(VesselId(1))], "three hits within 4 s of inspection");
}

#[test]
fn vessels_keep_their_numbers_when_the_camera_moves() {
    let mut fixture = Fixture::new();
    for t in times(4.0, 10.0) {
        fixture.pass(t, &[yacht(300.0), yacht(500.0)]);
    }
    // The camera moves by the distance between them. Without the shift, one would get the other's number.
    fixture.pass_over(10.25, &[yacht(500.0), yacht(700.0)], &[WHOLE], [200.0, 0.0]);
    assert_eq!(fixture.tracker.assignments(), [Some(VesselId(1)), Some(VesselId(2))]);
    let tracks = fixture.pass(10.5, &[]);
    assert!(
        (tracks[0].bbox.centre().x - 500.0).abs() < 2.0,
        "the shift is not a velocity: {:?}",
        tracks[0].bbox
    );
}
