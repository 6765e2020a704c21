//! Merging of what several regions show.

use proptest::prelude::*;

use super::*;
use crate::detect::Class;

const FRAME: FrameSize = FrameSize { width: 1920, height: 1080 };
const WHOLE: [f32; 4] = [0.0, 0.0, 1920.0, 1080.0];
const LEFT: [f32; 4] = [0.0, 0.0, 960.0, 1080.0];
const RIGHT: [f32; 4] = [960.0, 0.0, 1920.0, 1080.0];

fn bbox([x0, y0, x1, y1]: [f32; 4]) -> BBox<Px> {
    BBox::new(x0, y0, x1, y1)
}

/// What a region shows of a vessel, with edges `off` pixels inside the true ones.
fn seen(vessel: [f32; 4], region: [f32; 4], confidence: f32, off: f32) -> Option<RegionDetection> {
    let v = vessel;
    let found = bbox([v[0] + off, v[1] - off, v[2] - off, v[3] + off]);
    let bbox = found.intersection(&bbox(region))?;
    Some(RegionDetection {
        detection: Detection { class: Class::Vessel, confidence, bbox },
        region: self::bbox(region),
    })
}

fn merged(vessels: &[[f32; 4]], regions: &[[f32; 4]]) -> Vec<Detection> {
    let mut detections = Vec::new();
    for (i, region) in regions.iter().enumerate() {
        detections
            .extend(vessels.iter().filter_map(|v| seen(*v, *region, 0.5 + 0.1 * i as f32, i as f32 * 2.0)));
    }
    merge(detections, FRAME, 0.5).all()
}

fn assert_near(found: BBox<Px>, vessel: [f32; 4]) {
    assert!(found.iou(&bbox(vessel)) > 0.9, "{found:?} for {vessel:?}");
}

#[test]
fn a_wheelhouse_is_dropped_and_a_boat_before_a_ship_stays() {
    let count = |small: [f32; 4]| {
        let ship = seen([400.0, 500.0, 800.0, 620.0], WHOLE, 0.8, 0.0).unwrap();
        let small = seen(small, WHOLE, 0.4, 0.0).unwrap();
        merge(vec![ship, small], FRAME, 0.5).all().len()
    };
    assert_eq!(count([420.0, 505.0, 720.0, 568.0]), 1, "the upper half of the ship");
    assert_eq!(count([500.0, 600.0, 600.0, 640.0]), 2, "a boat with a lower waterline");
    assert_eq!(count([300.0, 480.0, 520.0, 560.0]), 2, "a boat that sticks out behind");
}

#[test]
fn a_hull_merges_with_its_rigging_but_not_with_a_nearer_boat() {
    let yacht = [400.0, 300.0, 570.0, 510.0];
    let merged = |other: [f32; 4], confidence: f32| {
        let detections = [seen(yacht, WHOLE, 0.6, 0.0), seen(other, WHOLE, confidence, 0.0)];
        merge(detections.into_iter().flatten().collect(), FRAME, 0.5).all()
    };
    for confidence in [0.4, 0.8] {
        let found = merged([405.0, 460.0, 575.0, 515.0], confidence);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].confidence, confidence.max(0.6));
        assert_eq!(merged([405.0, 470.0, 575.0, 530.0], confidence).len(), 2, "has a lower waterline");
        assert_eq!(merged([450.0, 460.0, 575.0, 515.0], confidence).len(), 2, "is shorter");
    }
}

#[test]
fn a_vessel_in_overlapping_regions_is_one() {
    let vessel = [850.0, 500.0, 1150.0, 600.0];
    let found = merged(&[vessel], &[WHOLE, [600.0, 300.0, 1200.0, 900.0], [800.0, 300.0, 1400.0, 900.0]]);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
    assert_eq!(found[0].confidence, 0.7);
}

#[test]
fn a_complete_box_replaces_a_cut_one_of_higher_confidence() {
    let vessel = [850.0, 500.0, 1150.0, 600.0];
    let whole = seen(vessel, WHOLE, 0.4, 3.0).unwrap();
    let part = seen(vessel, LEFT, 0.95, 0.0).unwrap();
    let found = merge(vec![part, whole], FRAME, 0.5).all();
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
}

#[test]
fn two_halves_become_one_vessel() {
    let vessel = [700.0, 500.0, 1300.0, 640.0];
    let found = merged(&[vessel], &[LEFT, RIGHT]);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
}

#[test]
fn a_long_vessel_across_three_tiles_is_one() {
    let vessel = [300.0, 500.0, 1700.0, 640.0];
    let tiles = [[0.0, 0.0, 700.0, 1080.0], [640.0, 0.0, 1280.0, 1080.0], [1200.0, 0.0, 1920.0, 1080.0]];
    let found = merged(&[vessel], &tiles);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
}

#[test]
fn a_mast_in_another_tile_is_joined_with_its_hull() {
    let vessel = [400.0, 300.0, 560.0, 800.0];
    let found = merged(&[vessel], &[[0.0, 0.0, 960.0, 560.0], [0.0, 540.0, 960.0, 1080.0]]);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
}

#[test]
fn vessels_moored_side_by_side_stay_two() {
    let vessels = [[600.0, 500.0, 900.0, 600.0], [910.0, 500.0, 1210.0, 600.0]];
    assert_eq!(merged(&vessels, &[WHOLE]).len(), 2);
    assert_eq!(merged(&vessels, &[WHOLE, LEFT, RIGHT]).len(), 2);
    assert_eq!(
        merged(&vessels, &[WHOLE, [600.0, 300.0, 1200.0, 900.0], [700.0, 300.0, 1300.0, 900.0]]).len(),
        2
    );
}

#[test]
fn halves_with_different_waterlines_are_not_joined() {
    let near = [700.0, 700.0, 965.0, 800.0];
    let far = [955.0, 500.0, 1100.0, 560.0];
    let detections = [seen(near, LEFT, 0.8, 0.0), seen(far, RIGHT, 0.8, 0.0)].into_iter().flatten().collect();
    assert_eq!(merge(detections, FRAME, 0.5).all().len(), 2);
}

#[test]
fn a_tender_before_a_ship_stays() {
    let ship = [200.0, 300.0, 1700.0, 700.0];
    let tender = [500.0, 620.0, 600.0, 690.0];
    assert_eq!(merged(&[ship, tender], &[WHOLE]).len(), 2);
    // The tender is complete in its own region. Only cut boxes are dropped for larger ones.
    let detections = [seen(ship, WHOLE, 0.8, 0.0), seen(tender, [400.0, 500.0, 800.0, 800.0], 0.8, 0.0)];
    assert_eq!(merge(detections.into_iter().flatten().collect(), FRAME, 0.5).all().len(), 2);
}

#[test]
fn the_edge_of_the_frame_does_not_cut() {
    let leaving = [0.0, 500.0, 120.0, 600.0];
    let found = merged(&[leaving], &[WHOLE, [0.0, 300.0, 600.0, 900.0]]);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, leaving);
}

#[test]
fn overlapping_halves_are_joined() {
    let vessel = [960.0, 500.0, 1330.0, 560.0];
    let found = merged(&[vessel], &[[0.0, 0.0, 1234.0, 1080.0], [1077.0, 0.0, 1920.0, 1080.0]]);
    assert_eq!(found.len(), 1);
    assert_near(found[0].bbox, vessel);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_single_vessel_is_counted_once_wherever_tiles_cut_it(
        x in 0.0..1500.0f32, y in 0.0..900.0f32, w in 60.0..420.0f32, h in 60.0..180.0f32,
        border in 400.0..1500.0f32, overlap in 0.0..200.0f32,
    ) {
        let vessel = [x, y, (x + w).min(1920.0), (y + h).min(1080.0)];
        let tiles = [[0.0, 0.0, border + overlap, 1080.0], [border, 0.0, 1920.0, 1080.0]];
        // A model does not find less than a tenth of a vessel.
        let shown = |r: &[f32; 4]| bbox(vessel).intersection(&bbox(*r)).is_some_and(|b| b.area() > 0.1 * bbox(vessel).area());
        let seeing: Vec<_> = tiles.into_iter().filter(shown).collect();
        let found = merged(&[vessel], &seeing);
        prop_assert_eq!(found.len(), 1);
        prop_assert!(found[0].bbox.iou(&bbox(vessel)) > 0.75);
        let found = merged(&[vessel], &[&[WHOLE], &seeing[..]].concat());
        prop_assert_eq!(found.len(), 1);
    }
}
