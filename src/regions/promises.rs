//! What attention promises, against a simulated harbour.

use std::time::Duration;

use proptest::prelude::*;
use test_support::Rng;

use super::testing::{Boat, FULL_HD, Harbour, boats, found, scope};
use super::{CELLS, Care, Outcome, Scope, Vessel};
use crate::geometry::testing::Mast;
use crate::geometry::{Area, BBox, FrameSize, Point, Polygon, Px};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_place_stays_unseen_for_longer_than_is_promised(
        boats in boats(12), looks in 1.0..8.0f32, late in 0..9, stirs in any::<bool>(), width in 640..4000u32,
    ) {
        let frame = FrameSize { width, height: width * 9 / 16 };
        let mut harbour = Harbour::new(scope(looks), frame, boats);
        (0..late).for_each(|_| harbour.attention.adapt(1.0));
        harbour.stirred = vec![stirs; CELLS];
        for _ in 0..150 {
            let coverage = harbour.attention.coverage(harbour.now());
            let slack = Duration::from_secs_f32(harbour.period_s * 1.01);
            prop_assert!(coverage.oldest <= coverage.longest + slack, "{:?}", coverage);
            harbour.step(&[]);
            prop_assert!(!harbour.crops.is_empty());
        }
        harbour.assert_within_budget(2);
    }

    #[test]
    fn a_new_small_vessel_is_found_within_three_seconds_wherever_it_comes_in(
        others in boats(8), x in 0.0..1850.0f32, y in 0.0..1050.0f32, long in 32.0..64.0f32, from_s in 3.0..9.0f32,
        vx in -40.0..40.0f32,
    ) {
        let new = Boat { from_s, x: x.min(1910.0 - long), y, long, speed: [0.0, 0.0] };
        let mut boats = others;
        boats.insert(0, Boat { speed: [vx * long / 64.0, 0.0], ..new });
        // One that leaves the picture at once is no test.
        prop_assume!((0..12).all(|t| boats[0].at(from_s + t as f32 * 0.25, FULL_HD).is_some_and(|b| b.width() > 0.95 * long)));
        let mut harbour = Harbour::new(scope(4.0), FULL_HD, boats);
        harbour.run(from_s + 3.25);
        prop_assert!(harbour.hits[0].first().is_some_and(|at| at - from_s <= 3.0), "{:?}", harbour.hits[0]);
        harbour.assert_within_budget(2);
    }

    #[test]
    fn a_look_that_failed_is_no_coverage(
        boats in boats(8), looks in 1.0..8.0f32, fails in prop::collection::vec(any::<bool>(), 60),
    ) {
        let mut harbour = Harbour::new(scope(looks), FULL_HD, boats);
        harbour.step(&[]);
        for failed in fails {
            let (now, before) = (harbour.now(), harbour.attention.coverage(harbour.now()));
            if failed {
                prop_assert!(!harbour.fail().is_empty());
                prop_assert_eq!(harbour.attention.coverage(now).oldest, before.oldest);
            } else {
                harbour.step(&[]);
                prop_assert!(harbour.attention.coverage(now).oldest < before.oldest + Duration::from_nanos(1));
            }
        }
        harbour.assert_within_budget(2);
    }

    #[test]
    fn the_same_scene_is_looked_at_in_the_same_way(boats in boats(8)) {
        let mut once = Harbour::new(scope(4.0), FULL_HD, boats.clone());
        let mut again = Harbour::new(scope(4.0), FULL_HD, boats);
        for _ in 0..60 {
            once.step(&[]);
            again.step(&[]);
            prop_assert_eq!(&once.crops, &again.crops);
        }
    }

    #[test]
    fn a_followed_vessel_is_seen_again_within_three_seconds_however_many_there_are(boats in boats(20)) {
        let still: Vec<_> = boats.into_iter().map(|boat| Boat { speed: [0.0; 2], ..boat }).collect();
        let mut harbour = Harbour::new(scope(4.0), FULL_HD, still);
        harbour.run(30.0);
        for (id, boat) in harbour.boats.iter().enumerate() {
            // At the picture's edge less than a boat may be left.
            if boat.at(0.0, FULL_HD).is_some_and(|b| b.width() > 0.99 * boat.long && b.height() > 0.39 * boat.long) {
                prop_assert!(harbour.longest_gap(id) <= 3.0, "{:?} {:?}", boat, harbour.hits[id]);
            }
        }
        harbour.assert_within_budget(2);
    }
}

#[test]
fn a_full_hd_camera_at_four_looks_a_second_is_swept_within_two_and_a_half_seconds() {
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, Vec::new());
    harbour.run(5.0);
    assert!(harbour.attention.coverage(harbour.now()).longest <= super::SWEPT_WITHIN);
    assert!(
        harbour.runs_per_look() <= 1.05,
        "an empty harbour costs {} runs a look",
        harbour.runs_per_look()
    );
}

#[test]
fn moored_vessels_cost_no_runs_of_their_own_once_they_are_known_to_rest() {
    let moored = (0..8).map(|i| Boat::still(40.0 + 230.0 * i as f32, 500.0, 120.0)).collect();
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, moored);
    harbour.run(15.0);
    harbour.runs.clear();
    harbour.run(30.0);
    assert!(harbour.runs_per_look() <= 1.3, "{}", harbour.runs_per_look());
}

#[test]
fn a_fast_boat_among_moored_ones_is_looked_at_before_it_has_moved_by_its_length() {
    let mut boats: Vec<_> = (0..8).map(|i| Boat::still(40.0 + 230.0 * i as f32, 700.0, 120.0)).collect();
    boats.push(Boat { from_s: 16.0, x: 20.0, y: 300.0, long: 60.0, speed: [110.0, 5.0] });
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, boats);
    harbour.run(30.0);
    assert!(harbour.longest_gap(8) <= 0.5, "{:?}", harbour.hits[8]);
}

#[test]
fn vessels_too_small_for_the_whole_frame_share_a_tile_when_they_are_near_one_another() {
    let boat = |x, y| Boat { from_s: 0.0, x, y, long: 50.0, speed: [20.0, 0.0] };
    let mut harbour =
        Harbour::new(scope(4.0), FULL_HD, vec![boat(600.0, 500.0), boat(700.0, 540.0), boat(780.0, 480.0)]);
    harbour.run(30.0);
    for id in 0..3 {
        assert!(harbour.longest_gap(id) <= 1.01, "{:?}", harbour.hits[id]);
    }
    assert!(harbour.runs_per_look() < 1.7, "{}", harbour.runs_per_look());
}

#[test]
fn what_a_border_cuts_is_seen_whole_a_look_later() {
    // Two regions that share nothing, and a vessel across their border.
    let regions = vec![BBox::new(0.0, 0.3, 0.5, 0.8), BBox::new(0.5, 0.3, 1.0, 0.8)];
    let scope = Scope { regions, whole_frame: false, ..scope(4.0) };
    let mut harbour = Harbour::new(scope, FULL_HD, vec![Boat::still(880.0, 600.0, 160.0)]);
    harbour.step(&[]);
    assert!(harbour.hits[0].is_empty());
    harbour.step(&[]);
    assert_eq!(harbour.hits[0].len(), 1, "{:?}", harbour.crops);
    harbour.run(10.0);
    assert!(harbour.longest_gap(0) <= 2.5, "{:?}", harbour.hits[0]);
}

#[test]
fn what_is_faint_is_shown_larger_by_the_next_look() {
    // In a tile of the sweep it is 16 pixels long.
    let boat = Boat { from_s: 5.0, ..Boat::still(980.0, 560.0, 24.0) };
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, vec![boat]);
    harbour.run(12.0);
    let first = harbour.hits[0].first().unwrap();
    assert!(*first <= 5.0 + super::SWEPT_WITHIN.as_secs_f32() + 0.5, "{:?}", harbour.hits[0]);
    assert!(harbour.longest_gap(0) <= 2.5, "{:?}", harbour.hits[0]);
    harbour.assert_within_budget(2);
}

#[test]
fn what_stays_faint_is_looked_at_less_and_less_and_what_stands_upright_not_at_all() {
    let thing = BBox::from_xywh(980.0, 560.0, 24.0, 10.0);
    let post = BBox::from_xywh(300.0, 560.0, 10.0, 24.0);
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, Vec::new());
    let mut closer = Vec::new();
    for _ in 0..4 * 120 {
        let t = harbour.now_s();
        harbour.step(&[]);
        if harbour.crops.iter().any(|crop| crop.width() < 400.0 && crop.intersection(&thing) == Some(thing)) {
            closer.push(t);
        }
        // A post beside it is never looked at closer.
        assert!(
            !harbour.crops.iter().any(|crop| crop.width() < 400.0 && crop.intersection(&post) == Some(post))
        );
        harbour.attention.learn(&Outcome { vessels: &[], sightings: &[], cut: &[], faint: &[thing, post] });
    }
    let waits: Vec<f32> = closer.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(closer[0] <= 0.5 && waits.len() >= 5, "{closer:?}");
    assert!(waits.windows(2).all(|pair| pair[1] >= 1.5 * pair[0]), "{waits:?}");
}

#[test]
fn what_a_look_that_failed_was_to_show_is_shown_by_the_next() {
    // As above: the second look is to show the vessel whole. It fails, and so does the third.
    let regions = vec![BBox::new(0.0, 0.3, 0.5, 0.8), BBox::new(0.5, 0.3, 1.0, 0.8)];
    let scope = Scope { regions, whole_frame: false, ..scope(4.0) };
    let vessel = BBox::from_xywh(880.0, 600.0, 160.0, 64.0);
    let mut harbour = Harbour::new(scope, FULL_HD, vec![Boat::still(880.0, 600.0, 160.0)]);
    harbour.step(&[]);
    for _ in 0..2 {
        assert!(harbour.fail().iter().any(|crop| found(&vessel, crop).is_some_and(|(_, whole)| whole)));
    }
    harbour.step(&[]);
    assert_eq!(harbour.hits[0].len(), 1, "{:?}", harbour.crops);
}

#[test]
fn regions_of_the_site_file_are_the_tiles_of_the_sweep() {
    let regions = vec![BBox::new(0.0, 0.25, 0.5, 0.75), BBox::new(0.5, 0.25, 1.0, 0.75)];
    let scope = Scope { regions: regions.clone(), whole_frame: false, ..scope(4.0) };
    let mut harbour = Harbour::new(scope, FULL_HD, Vec::new());
    let mut seen = Vec::new();
    for _ in 0..8 {
        harbour.step(&[]);
        seen.extend(harbour.crops.iter().copied());
    }
    for region in regions {
        // With what lies above and below it, as a square.
        let b = FULL_HD.box_to_pixels(region);
        let crop = BBox::new(b.x0, 60.0, b.x1, 1020.0);
        assert_eq!(seen.iter().filter(|seen| **seen == crop).count(), 4, "{seen:?}");
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn only_water_is_swept_where_the_site_file_draws_it() {
    let corner = |x, y| Point::new(x, y);
    let water =
        Polygon::new(vec![corner(0.0, 0.5), corner(1.0, 0.5), corner(1.0, 0.7), corner(0.0, 0.7)]).unwrap();
    let scope = Scope { water: Some(water), whole_frame: false, ..scope(4.0) };
    let mut harbour = Harbour::new(scope, FULL_HD, Vec::new());
    for _ in 0..40 {
        harbour.step(&[]);
        for crop in &harbour.crops {
            assert!(crop.y0 >= 0.2 * 1080.0 && crop.y1 <= 0.95 * 1080.0, "{crop:?}");
        }
    }
    assert!(harbour.attention.coverage(harbour.now()).longest <= Duration::from_secs_f32(1.5));
}

#[test]
fn what_stirs_is_looked_at_sooner_and_a_zone_in_force_more_often() {
    let visits = |stirred: Vec<bool>, zone: Option<Area>| {
        let mut harbour = Harbour::new(scope(4.0), FULL_HD, Vec::new());
        harbour.stirred = stirred;
        let at = Point::<Px>::new(300.0, 900.0);
        let mut visits = 0;
        for _ in 0..80 {
            let cares: Vec<_> = zone.iter().map(Care::Zone).collect();
            harbour.step(&cares);
            let fine = |crop: &&BBox<Px>| crop.width() < 700.0;
            visits += harbour
                .crops
                .iter()
                .filter(fine)
                .filter(|c| c.x0 < at.x && at.x < c.x1 && c.y1 > at.y)
                .count();
        }
        harbour.assert_within_budget(2);
        visits
    };
    let mut stirred = vec![false; CELLS];
    stirred[super::ground::cell_at(Point::new(300.0 / 1920.0, 900.0 / 1080.0))] = true;
    let corner = |x, y| Point::new(x, y);
    let zone =
        Polygon::new(vec![corner(0.1, 0.75), corner(0.2, 0.75), corner(0.2, 0.9), corner(0.1, 0.9)]).unwrap();
    let calm = visits(Vec::new(), None);
    assert!(visits(stirred, None) > 2 * calm);
    assert!(visits(Vec::new(), Some(zone.into())) > calm + calm / 2);
}

#[test]
fn the_sweep_is_finer_where_small_vessels_have_been_seen() {
    let sizes_at = |harbour: &Harbour| {
        let at = Point::<Px>::new(500.0, 560.0);
        let narrowest = |crops: &[BBox<Px>]| {
            let around = crops.iter().filter(|c| c.x0 < at.x && at.x < c.x1 && c.y0 < at.y && at.y < c.y1);
            around.map(|c| c.width()).fold(f32::INFINITY, f32::min)
        };
        narrowest(&harbour.attention.ground.as_ref().unwrap().1.crops().copied().collect::<Vec<_>>())
    };
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, Vec::new());
    harbour.step(&[]);
    assert_eq!(sizes_at(&harbour), 640.0);
    let far = BBox::from_xywh(485.0, 550.0, 26.0, 12.0);
    for _ in 0..160 {
        harbour.step(&[]);
        harbour.attention.learn(&Outcome {
            vessels: &[Vessel { id: 1, bbox: far, seen: true, velocity: None }],
            sightings: &[],
            cut: &[],
            faint: &[],
        });
    }
    assert!(sizes_at(&harbour) < 500.0);
    assert!(
        harbour.attention.coverage(harbour.now()).longest <= super::SWEPT_WITHIN + Duration::from_millis(500)
    );
}

#[test]
fn the_sweep_of_a_calibrated_camera_has_the_largest_tiles_in_which_a_dinghy_is_mostly_found() {
    let widest = |tilt: f64, calibrate: bool| {
        let mast = Mast { height: 12.0, tilt, azimuth: 0.0, focal: 1400.0 };
        // Water from 300 m on, or from the upper edge of a picture that shows no horizon.
        let top = mast.pixel([0.0, 300.0]).map_or(0.0, |[_, v]| (v as f32 / 1080.0).max(0.0));
        let near = mast.height / (tilt + 15.0).to_radians().tan();
        let places = [(near, -3.0), (near, 3.0), (2.0 * near, -8.0), (2.0 * near, 8.0), (1.5 * near, 0.0)];
        let corners = [(0.0, top), (1.0, top), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let calibration = calibrate.then(|| mast.calibrated(&places, &mut Rng::new(3), 0.0).unwrap());
        let water = Polygon::new(corners.to_vec()).ok();
        let scope = Scope { water, calibration, whole_frame: false, ..scope(4.0) };
        let mut harbour = Harbour::new(scope, FULL_HD, Vec::new());
        harbour.step(&[]);
        let (_, sweep) = harbour.attention.ground.as_ref().unwrap();
        sweep.crops().map(|crop| crop.width()).fold(0.0, f32::max)
    };
    // Water from 6 to 33 m away, where a dinghy is 128 px long at least: 1280 px show it as 42, 1920 as 28.
    assert_eq!(widest(41.0, true), 1280.0);
    assert_eq!(widest(41.0, false), 640.0);
    assert_eq!(widest(8.0, true), 640.0, "300 m away a dinghy is 14 px long");
}

#[test]
fn a_box_that_cannot_keep_up_is_given_fewer_runs() {
    let many = (0..30).map(|i| Boat {
        from_s: 0.0,
        x: 60.0 * i as f32,
        y: 30.0 * i as f32,
        long: 60.0,
        speed: [9.0, 0.0],
    });
    let mut harbour = Harbour::new(scope(4.0), FULL_HD, many.collect());
    (0..20).for_each(|_| harbour.attention.adapt(1.0));
    harbour.run(20.0);
    harbour.assert_within_budget(1);
    assert_eq!(harbour.runs_per_look(), 1.0);
    (0..40).for_each(|_| harbour.attention.adapt(0.5));
    harbour.runs.clear();
    harbour.run(20.0);
    assert!(harbour.runs_per_look() > 1.8, "{}", harbour.runs_per_look());
}
