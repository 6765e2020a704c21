//! Tests of the planner with a simulated camera and detector.

use std::time::Duration;

use proptest::prelude::*;
use test_support::Rng;

use super::cells::cell_at;
use super::simulation::{FULL_HD, MovingBoat, PlannerSimulation, boats, config, found};
use super::{CELLS, PassResult, PlannerConfig, PriorityArea, SWEEP_GOAL, TrackedVessel};
use crate::geometry::testing::Mast;
use crate::geometry::{Area, BBox, FrameSize, Point, Polygon, Px};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_place_waits_longer_than_max_age(
        boats in boats(12), fps in 1.0..8.0f32, late in 0..9, motion in any::<bool>(), width in 640..4000u32,
    ) {
        let frame = FrameSize { width, height: width * 9 / 16 };
        let mut simulation = PlannerSimulation::new(config(fps), frame, boats);
        (0..late).for_each(|_| simulation.planner.adapt(1.0));
        simulation.moving_cells = vec![motion; CELLS];
        for _ in 0..150 {
            let coverage = simulation.planner.coverage(simulation.now());
            let slack = Duration::from_secs_f32(simulation.period_s * 1.01);
            prop_assert!(coverage.oldest <= coverage.max_age + slack, "{:?}", coverage);
            simulation.step(&[]);
            prop_assert!(!simulation.crops.is_empty());
        }
        simulation.assert_within_budget(2);
    }

    #[test]
    fn a_new_small_vessel_is_found_within_three_seconds(
        others in boats(8), x in 0.0..1850.0f32, y in 0.0..1050.0f32, long in 32.0..64.0f32, from_s in 3.0..9.0f32,
        vx in -40.0..40.0f32,
    ) {
        let new = MovingBoat { from_s, x: x.min(1910.0 - long), y, long, speed: [0.0, 0.0] };
        let mut boats = others;
        boats.insert(0, MovingBoat { speed: [vx * long / 64.0, 0.0], ..new });
        // Skips boats that leave the picture at once.
        prop_assume!((0..12).all(|t| boats[0].at(from_s + t as f32 * 0.25, FULL_HD).is_some_and(|b| b.width() > 0.95 * long)));
        let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, boats);
        simulation.run(from_s + 3.25);
        prop_assert!(simulation.hits[0].first().is_some_and(|at| at - from_s <= 3.0), "{:?}", simulation.hits[0]);
        simulation.assert_within_budget(2);
    }

    #[test]
    fn a_failed_pass_does_not_count_as_coverage(
        boats in boats(8), fps in 1.0..8.0f32, fails in prop::collection::vec(any::<bool>(), 60),
    ) {
        let mut simulation = PlannerSimulation::new(config(fps), FULL_HD, boats);
        simulation.step(&[]);
        for failed in fails {
            let (now, before) = (simulation.now(), simulation.planner.coverage(simulation.now()));
            if failed {
                prop_assert!(!simulation.fail().is_empty());
                prop_assert_eq!(simulation.planner.coverage(now).oldest, before.oldest);
            } else {
                simulation.step(&[]);
                prop_assert!(simulation.planner.coverage(now).oldest < before.oldest + Duration::from_nanos(1));
            }
        }
        simulation.assert_within_budget(2);
    }

    #[test]
    fn planning_is_deterministic(boats in boats(8)) {
        let mut once = PlannerSimulation::new(config(4.0), FULL_HD, boats.clone());
        let mut again = PlannerSimulation::new(config(4.0), FULL_HD, boats);
        for _ in 0..60 {
            once.step(&[]);
            again.step(&[]);
            prop_assert_eq!(&once.crops, &again.crops);
        }
    }

    #[test]
    fn tracked_vessels_are_inspected_every_three_seconds(boats in boats(20)) {
        let still: Vec<_> = boats.into_iter().map(|boat| MovingBoat { speed: [0.0; 2], ..boat }).collect();
        let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, still);
        simulation.run(30.0);
        for (id, boat) in simulation.boats.iter().enumerate() {
            // Skips boats that the picture's edge cuts.
            if boat.at(0.0, FULL_HD).is_some_and(|b| b.width() > 0.99 * boat.long && b.height() > 0.39 * boat.long) {
                prop_assert!(simulation.longest_gap(id) <= 3.0, "{:?} {:?}", boat, simulation.hits[id]);
            }
        }
        simulation.assert_within_budget(2);
    }
}

#[test]
fn full_hd_at_4_fps_reaches_the_sweep_goal() {
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, Vec::new());
    simulation.run(5.0);
    assert!(simulation.planner.coverage(simulation.now()).max_age <= SWEEP_GOAL);
    assert!(
        simulation.inferences_per_pass() <= 1.05,
        "an empty harbour costs {} inferences a pass",
        simulation.inferences_per_pass()
    );
}

#[test]
fn stationary_vessels_cost_hardly_any_inferences() {
    let moored = (0..8).map(|i| MovingBoat::still(40.0 + 230.0 * i as f32, 500.0, 120.0)).collect();
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, moored);
    simulation.run(15.0);
    simulation.inferences.clear();
    simulation.run(30.0);
    assert!(simulation.inferences_per_pass() <= 1.3, "{}", simulation.inferences_per_pass());
}

#[test]
fn a_fast_boat_is_inspected_every_half_second() {
    let mut boats: Vec<_> =
        (0..8).map(|i| MovingBoat::still(40.0 + 230.0 * i as f32, 700.0, 120.0)).collect();
    boats.push(MovingBoat { from_s: 16.0, x: 20.0, y: 300.0, long: 60.0, speed: [110.0, 5.0] });
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, boats);
    simulation.run(30.0);
    assert!(simulation.longest_gap(8) <= 0.5, "{:?}", simulation.hits[8]);
}

#[test]
fn small_vessels_near_each_other_share_a_tile() {
    let boat = |x, y| MovingBoat { from_s: 0.0, x, y, long: 50.0, speed: [20.0, 0.0] };
    let mut simulation = PlannerSimulation::new(
        config(4.0),
        FULL_HD,
        vec![boat(600.0, 500.0), boat(700.0, 540.0), boat(780.0, 480.0)],
    );
    simulation.run(30.0);
    for id in 0..3 {
        assert!(simulation.longest_gap(id) <= 1.01, "{:?}", simulation.hits[id]);
    }
    assert!(simulation.inferences_per_pass() < 1.7, "{}", simulation.inferences_per_pass());
}

#[test]
fn the_next_pass_shows_all_of_a_cut_box() {
    // Two regions without overlap, and a vessel across their border.
    let regions = vec![BBox::new(0.0, 0.3, 0.5, 0.8), BBox::new(0.5, 0.3, 1.0, 0.8)];
    let config = PlannerConfig { regions, whole_frame: false, ..config(4.0) };
    let mut simulation =
        PlannerSimulation::new(config, FULL_HD, vec![MovingBoat::still(880.0, 600.0, 160.0)]);
    simulation.step(&[]);
    assert!(simulation.hits[0].is_empty());
    simulation.step(&[]);
    assert_eq!(simulation.hits[0].len(), 1, "{:?}", simulation.crops);
    simulation.run(10.0);
    assert!(simulation.longest_gap(0) <= 2.5, "{:?}", simulation.hits[0]);
}

#[test]
fn the_next_pass_shows_a_low_confidence_box_larger() {
    // It is 16 pixels long in a tile of the sweep.
    let boat = MovingBoat { from_s: 5.0, ..MovingBoat::still(980.0, 560.0, 24.0) };
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, vec![boat]);
    simulation.run(12.0);
    let first = simulation.hits[0].first().unwrap();
    assert!(*first <= 5.0 + SWEEP_GOAL.as_secs_f32() + 0.5, "{:?}", simulation.hits[0]);
    assert!(simulation.longest_gap(0) <= 2.5, "{:?}", simulation.hits[0]);
    simulation.assert_within_budget(2);
}

#[test]
fn close_ups_that_find_nothing_become_rarer() {
    let thing = BBox::from_xywh(980.0, 560.0, 24.0, 10.0);
    let post = BBox::from_xywh(300.0, 560.0, 10.0, 24.0);
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, Vec::new());
    let mut closer = Vec::new();
    for _ in 0..4 * 120 {
        let t = simulation.now_s();
        simulation.step(&[]);
        if simulation
            .crops
            .iter()
            .any(|crop| crop.width() < 400.0 && crop.intersection(&thing) == Some(thing))
        {
            closer.push(t);
        }
        // An upright post never gets a close-up.
        assert!(
            !simulation
                .crops
                .iter()
                .any(|crop| crop.width() < 400.0 && crop.intersection(&post) == Some(post))
        );
        simulation.planner.record(&PassResult {
            vessels: &[],
            unassigned: &[],
            cut: &[],
            low_confidence: &[thing, post],
        });
    }
    let waits: Vec<f32> = closer.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(closer[0] <= 0.5 && waits.len() >= 5, "{closer:?}");
    assert!(waits.windows(2).all(|pair| pair[1] >= 1.5 * pair[0]), "{waits:?}");
}

#[test]
fn the_next_pass_shows_what_a_failed_pass_did_not() {
    // As above, the second pass shows all of the vessel. It fails, and so does the third.
    let regions = vec![BBox::new(0.0, 0.3, 0.5, 0.8), BBox::new(0.5, 0.3, 1.0, 0.8)];
    let config = PlannerConfig { regions, whole_frame: false, ..config(4.0) };
    let vessel = BBox::from_xywh(880.0, 600.0, 160.0, 64.0);
    let mut simulation =
        PlannerSimulation::new(config, FULL_HD, vec![MovingBoat::still(880.0, 600.0, 160.0)]);
    simulation.step(&[]);
    for _ in 0..2 {
        assert!(simulation.fail().iter().any(|crop| found(&vessel, crop).is_some_and(|(_, whole)| whole)));
    }
    simulation.step(&[]);
    assert_eq!(simulation.hits[0].len(), 1, "{:?}", simulation.crops);
}

#[test]
fn the_sweep_uses_the_regions_of_the_site_file() {
    let regions = vec![BBox::new(0.0, 0.25, 0.5, 0.75), BBox::new(0.5, 0.25, 1.0, 0.75)];
    let config = PlannerConfig { regions: regions.clone(), whole_frame: false, ..config(4.0) };
    let mut simulation = PlannerSimulation::new(config, FULL_HD, Vec::new());
    let mut seen = Vec::new();
    for _ in 0..8 {
        simulation.step(&[]);
        seen.extend(simulation.crops.iter().copied());
    }
    for region in regions {
        // Extended above and below to a square.
        let b = FULL_HD.box_to_pixels(region);
        let crop = BBox::new(b.x0, 60.0, b.x1, 1020.0);
        assert_eq!(seen.iter().filter(|seen| **seen == crop).count(), 4, "{seen:?}");
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn the_sweep_covers_only_the_drawn_water() {
    let corner = |x, y| Point::new(x, y);
    let water =
        Polygon::new(vec![corner(0.0, 0.5), corner(1.0, 0.5), corner(1.0, 0.7), corner(0.0, 0.7)]).unwrap();
    let config = PlannerConfig { water: Some(water), whole_frame: false, ..config(4.0) };
    let mut simulation = PlannerSimulation::new(config, FULL_HD, Vec::new());
    for _ in 0..40 {
        simulation.step(&[]);
        for crop in &simulation.crops {
            assert!(crop.y0 >= 0.2 * 1080.0 && crop.y1 <= 0.95 * 1080.0, "{crop:?}");
        }
    }
    assert!(simulation.planner.coverage(simulation.now()).max_age <= Duration::from_secs_f32(1.5));
}

#[test]
fn motion_and_active_zones_are_inspected_more_often() {
    let inspections = |moving_cells: Vec<bool>, zone: Option<Area>| {
        let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, Vec::new());
        simulation.moving_cells = moving_cells;
        let at = Point::<Px>::new(300.0, 900.0);
        let mut count = 0;
        for _ in 0..80 {
            let areas: Vec<_> = zone.iter().map(PriorityArea::Zone).collect();
            simulation.step(&areas);
            let fine = |crop: &&BBox<Px>| crop.width() < 700.0;
            count += simulation
                .crops
                .iter()
                .filter(fine)
                .filter(|c| c.x0 < at.x && at.x < c.x1 && c.y1 > at.y)
                .count();
        }
        simulation.assert_within_budget(2);
        count
    };
    let mut moving_cells = vec![false; CELLS];
    moving_cells[cell_at(Point::new(300.0 / 1920.0, 900.0 / 1080.0))] = true;
    let corner = |x, y| Point::new(x, y);
    let zone =
        Polygon::new(vec![corner(0.1, 0.75), corner(0.2, 0.75), corner(0.2, 0.9), corner(0.1, 0.9)]).unwrap();
    let calm = inspections(Vec::new(), None);
    assert!(inspections(moving_cells, None) > 2 * calm);
    assert!(inspections(Vec::new(), Some(zone.into())) > calm + calm / 2);
}

#[test]
fn the_sweep_is_finer_where_small_vessels_were_seen() {
    let sizes_at = |simulation: &PlannerSimulation| {
        let at = Point::<Px>::new(500.0, 560.0);
        let narrowest = |crops: &[BBox<Px>]| {
            let around = crops.iter().filter(|c| c.x0 < at.x && at.x < c.x1 && c.y0 < at.y && at.y < c.y1);
            around.map(|c| c.width()).fold(f32::INFINITY, f32::min)
        };
        narrowest(&simulation.planner.sweep().unwrap().crops().copied().collect::<Vec<_>>())
    };
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, Vec::new());
    simulation.step(&[]);
    assert_eq!(sizes_at(&simulation), 640.0);
    let far = BBox::from_xywh(485.0, 550.0, 26.0, 12.0);
    for _ in 0..160 {
        simulation.step(&[]);
        simulation.planner.record(&PassResult {
            vessels: &[TrackedVessel { id: 1, bbox: far, detected: true, velocity: None }],
            unassigned: &[],
            cut: &[],
            low_confidence: &[],
        });
    }
    assert!(sizes_at(&simulation) < 500.0);
    assert!(simulation.planner.coverage(simulation.now()).max_age <= SWEEP_GOAL + Duration::from_millis(500));
}

#[test]
fn calibration_allows_larger_tiles_near_the_water() {
    let widest = |tilt: f64, calibrate: bool| {
        let mast = Mast { height: 12.0, tilt, azimuth: 0.0, focal: 1400.0 };
        // The water begins 300 m away, or at the upper edge of a picture without a horizon.
        let top = mast.pixel([0.0, 300.0]).map_or(0.0, |[_, v]| (v as f32 / 1080.0).max(0.0));
        let near = mast.height / (tilt + 15.0).to_radians().tan();
        let places = [(near, -3.0), (near, 3.0), (2.0 * near, -8.0), (2.0 * near, 8.0), (1.5 * near, 0.0)];
        let corners = [(0.0, top), (1.0, top), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let calibration = calibrate.then(|| mast.calibrated(&places, &mut Rng::new(3), 0.0).unwrap());
        let water = Polygon::new(corners.to_vec()).ok();
        let config = PlannerConfig { water, calibration, whole_frame: false, ..config(4.0) };
        let mut simulation = PlannerSimulation::new(config, FULL_HD, Vec::new());
        simulation.step(&[]);
        simulation.planner.sweep().unwrap().crops().map(|crop| crop.width()).fold(0.0, f32::max)
    };
    // On water 6 to 33 m away, a dinghy is at least 128 px long: 42 px in a tile of 1280, 28 px in a tile of 1920.
    assert_eq!(widest(41.0, true), 1280.0);
    assert_eq!(widest(41.0, false), 480.0);
    assert_eq!(widest(8.0, true), 480.0, "a dinghy 300 m away is 14 px long");
}

#[test]
fn an_overloaded_detector_gets_fewer_inferences() {
    let many = (0..30).map(|i| MovingBoat {
        from_s: 0.0,
        x: 60.0 * i as f32,
        y: 30.0 * i as f32,
        long: 60.0,
        speed: [9.0, 0.0],
    });
    let mut simulation = PlannerSimulation::new(config(4.0), FULL_HD, many.collect());
    (0..20).for_each(|_| simulation.planner.adapt(1.0));
    simulation.run(20.0);
    simulation.assert_within_budget(1);
    assert_eq!(simulation.inferences_per_pass(), 1.0);
    (0..40).for_each(|_| simulation.planner.adapt(0.5));
    simulation.inferences.clear();
    simulation.run(20.0);
    assert!(simulation.inferences_per_pass() > 1.8, "{}", simulation.inferences_per_pass());
}
