//! Properties that hold for any detections.

use proptest::prelude::*;

use super::*;

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
    fn irregular_passes_keep_a_straight_track(
        steps in prop::collection::vec(0.1..2.0f64, 8..60), speed in -40.0..40.0f64,
    ) {
        let mut fixture = Fixture::new();
        let (mut t, mut hits) = (0.0, 0);
        let first = steps[0];
        for step in steps {
            t += step;
            let tracks = fixture.pass(t, &[yacht(900.0 + speed * t)]);
            hits += 1;
            if let [track] = tracks[..] {
                prop_assert_eq!((track.vessel, track.state, track.hits), (VesselId(1), TrackState::Confirmed, hits));
            } else {
                // Two boxes of this confidence a second apart are enough.
                prop_assert!(tracks.is_empty() && (hits < 3 || t - first < 1.0), "{:?} at pass {}", tracks, hits);
            }
        }
    }

    #[test]
    fn any_detections_give_consistent_reports(
        passes in prop::collection::vec(
            (0.0..8.0f64, 0..3usize, prop::collection::vec(any_detection(), 0..12)), 1..40,
        ),
    ) {
        let (mut fixture, mut again) = (Fixture::new(), Fixture::new());
        let (mut t, mut last) = (0.0, VesselId(0));
        let mut ended = BTreeSet::new();
        for (step, region, detections) in passes {
            t += step;
            let regions = [[WHOLE, LEFT, RIGHT][region]];
            let tracks = fixture.pass_over(t, &detections, &regions, [0.0, 0.0]);
            prop_assert_eq!(&tracks, &again.pass_over(t, &detections, &regions, [0.0, 0.0]));
            prop_assert_eq!(fixture.tracker.assignments().len(), detections.len());
            for pair in tracks.windows(2) {
                prop_assert!(pair[0].vessel < pair[1].vessel);
            }
            let mut taken = BTreeSet::new();
            for track in &tracks {
                prop_assert!(track.bbox.is_finite() && !ended.contains(&track.vessel));
                match (track.state, track.detection) {
                    (TrackState::Confirmed, Some(index)) => {
                        prop_assert!(taken.insert(index));
                        prop_assert_eq!(fixture.tracker.assignments()[index], Some(track.vessel));
                        prop_assert_eq!(detections[index].class, Class::Vessel);
                    }
                    (TrackState::Lost | TrackState::NotInspected, None) => {}
                    (TrackState::Ended, None) => prop_assert!(ended.insert(track.vessel)),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let newest = tracks.iter().map(|track| track.vessel).max().unwrap_or(last).max(last);
            // Numbers increase by one; none is skipped.
            prop_assert!(newest.0 - last.0 <= detections.len() as u64);
            last = newest;
        }
        ended.extend(fixture.tracker.end_all().iter().map(|track| track.vessel));
        prop_assert_eq!(ended.len() as u64, last.0);
    }
}
