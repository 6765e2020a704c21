//! What attention promises, against a simulated harbour: its detector finds what lies wholly in a crop with enough
//! pixels in the input, of what a border cuts it finds the part, and of what is a little too small it is not sure.

use std::time::Duration;

use proptest::prelude::*;

use super::{Attention, CELLS, Care, Ground, Outcome, Refusal, Scene, Scope, Vessel};
use crate::clock::MonoTime;
use crate::geometry::testing::{Mast, Noise};
use crate::geometry::{Area, BBox, FrameSize, Point, Polygon, Px};

const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
const INPUT_PX: f32 = 416.0;
/// What the simulated detector needs.
const SEEN_FROM_PX: f32 = 20.0;
/// What it needs to suspect something.
const FAINT_FROM_PX: f32 = 10.0;

fn scope(looks_per_second: f32) -> Scope {
    Scope {
        water: None,
        regions: Vec::new(),
        whole_frame: true,
        looks_per_second,
        input_px: INPUT_PX as u32,
        calibration: None,
    }
}

/// Where it is at a time, in pixels; it comes in at `from_s`.
#[derive(Clone, Copy, Debug)]
struct Boat {
    from_s: f32,
    x: f32,
    y: f32,
    long: f32,
    speed: [f32; 2],
}

impl Boat {
    fn still(x: f32, y: f32, long: f32) -> Self {
        Self { from_s: 0.0, x, y, long, speed: [0.0, 0.0] }
    }

    fn at(&self, t: f32, frame: FrameSize) -> Option<BBox<Px>> {
        let t = t - self.from_s;
        let (x, y) = (self.x + self.speed[0] * t, self.y + self.speed[1] * t);
        let picture = frame.bounds();
        let b = BBox::from_xywh(x, y, self.long, self.long * 0.4).intersection(&picture)?;
        (t >= 0.0).then_some(b)
    }
}

/// What the detector makes of a boat in a crop: nothing, the whole, or a part.
fn found(b: &BBox<Px>, crop: &BBox<Px>) -> Option<(BBox<Px>, bool)> {
    let part = b.intersection(crop)?;
    let whole = part.area() > 0.999 * b.area();
    (shown_px(&part, crop) >= SEEN_FROM_PX && part.area() > 0.3 * b.area()).then_some((part, whole))
}

fn shown_px(part: &BBox<Px>, crop: &BBox<Px>) -> f32 {
    INPUT_PX * (part.width() / crop.width()).max(part.height() / crop.height())
}

/// Whether the detector suspects a boat in a crop in which it does not find it.
fn suspected(b: &BBox<Px>, crop: &BBox<Px>) -> bool {
    b.intersection(crop) == Some(*b) && shown_px(b, crop) >= FAINT_FROM_PX
}

struct Harbour {
    attention: Attention,
    frame: FrameSize,
    period_s: f32,
    boats: Vec<Boat>,
    stirred: Vec<bool>,
    look: u32,
    /// Times each boat was found whole.
    hits: Vec<Vec<f32>>,
    /// Runs of each look.
    runs: Vec<usize>,
    crops: Vec<BBox<Px>>,
}

impl Harbour {
    fn new(scope: Scope, frame: FrameSize, boats: Vec<Boat>) -> Self {
        let period_s = 1.0 / scope.looks_per_second;
        let hits = vec![Vec::new(); boats.len()];
        let attention = Attention::new(scope);
        Self {
            attention,
            frame,
            period_s,
            boats,
            stirred: Vec::new(),
            look: 0,
            hits,
            runs: Vec::new(),
            crops: Vec::new(),
        }
    }

    fn now_s(&self) -> f32 {
        self.look as f32 * self.period_s
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_boot(Duration::from_secs_f32(100.0 + self.now_s()))
    }

    /// A look that the detector fails: the crops it was to be given.
    fn fail(&mut self) -> Vec<BBox<Px>> {
        let scene = Scene { at: self.now(), frame: self.frame, stirred: &self.stirred, cares: &[] };
        let crops = self.attention.choose(&scene);
        self.attention.look_failed();
        self.runs.push(crops.len());
        self.look += 1;
        crops
    }

    fn step(&mut self, cares: &[Care<'_>]) {
        let (t, at) = (self.now_s(), self.now());
        let scene = Scene { at, frame: self.frame, stirred: &self.stirred, cares };
        self.crops = self.attention.choose(&scene);
        self.runs.push(self.crops.len());
        let (mut vessels, mut sightings, mut cuts, mut faint) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, boat) in self.boats.iter().enumerate() {
            let Some(b) = boat.at(t, self.frame) else { continue };
            let seen: Vec<_> = self.crops.iter().filter_map(|crop| found(&b, crop)).collect();
            let whole = seen.iter().any(|(_, whole)| *whole);
            if whole {
                self.hits[id].push(t);
            } else if let Some((part, _)) = seen.first() {
                cuts.push(*part);
            }
            // A vessel from its third hit on, as the tracker has it; lost after five seconds.
            let hits = &self.hits[id];
            match hits.last() {
                Some(last) if hits.len() >= 3 && t - last <= 5.0 => {
                    let guess = if whole { Some(b) } else { boat.at(*last, self.frame) };
                    // As the tracker has it, too: it stands still when it has for five seconds.
                    let moves = boat.speed != [0.0; 2] || t - boat.from_s < 5.0;
                    let velocity = moves.then_some(boat.speed);
                    vessels.extend(guess.map(|bbox| Vessel { id: id as u64, bbox, seen: whole, velocity }));
                }
                Some(_) if whole => sightings.push(b),
                _ if seen.is_empty() && self.crops.iter().any(|crop| suspected(&b, crop)) => faint.push(b),
                _ => {}
            }
        }
        self.attention.learn(&Outcome {
            vessels: &vessels,
            sightings: &sightings,
            cut: &cuts,
            faint: &faint,
        });
        self.look += 1;
    }

    fn run(&mut self, seconds: f32) {
        let end = self.now_s() + seconds;
        while self.now_s() < end {
            self.step(&[]);
        }
    }

    /// No stretch of looks had more runs than two for each, and four.
    fn assert_within_budget(&self, per_look: usize) {
        for from in 0..self.runs.len() {
            let mut spent = 0;
            for (n, runs) in self.runs[from..].iter().enumerate() {
                spent += runs;
                assert!(spent <= per_look * (n + 1) + 4, "{spent} runs in {} looks", n + 1);
            }
        }
    }

    fn longest_gap(&self, boat: usize) -> f32 {
        let hits = &self.hits[boat];
        hits.windows(2).map(|pair| pair[1] - pair[0]).fold(self.now_s() - hits.last().unwrap(), f32::max)
    }

    fn runs_per_look(&self) -> f32 {
        self.runs.iter().sum::<usize>() as f32 / self.runs.len() as f32
    }
}

fn boats(most: usize) -> impl Strategy<Value = Vec<Boat>> {
    let boat = (0.0..1700.0f32, 0.0..950.0f32, 32.0..400.0f32, -60.0..60.0f32, -8.0..8.0f32);
    prop::collection::vec(boat, 0..=most).prop_map(|boats| {
        let boat = |(x, y, long, vx, vy)| Boat { from_s: 0.0, x, y, long, speed: [vx, vy] };
        boats.into_iter().map(boat).collect()
    })
}

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

const MAST: Mast = Mast { height: 12.0, tilt: 8.0, azimuth: 0.0, focal: 1400.0 };

fn calibrated() -> Scope {
    let places = [(40.0, -12.0), (40.0, 15.0), (150.0, -60.0), (150.0, 60.0), (80.0, 0.0), (250.0, 30.0)];
    Scope { calibration: MAST.calibrated(&places, &mut Noise(3), 1.0).ok(), ..scope(4.0) }
}

#[test]
fn the_sweep_of_a_calibrated_camera_has_the_largest_tiles_in_which_a_dinghy_is_mostly_found() {
    let widest = |tilt: f64, calibrate: bool| {
        let mast = Mast { tilt, ..MAST };
        // Water from 300 m on, or from the upper edge of a picture that shows no horizon.
        let top = mast.pixel([0.0, 300.0]).map_or(0.0, |[_, v]| (v as f32 / 1080.0).max(0.0));
        let near = mast.height / (tilt + 15.0).to_radians().tan();
        let places = [(near, -3.0), (near, 3.0), (2.0 * near, -8.0), (2.0 * near, 8.0), (1.5 * near, 0.0)];
        let corners = [(0.0, top), (1.0, top), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let calibration = calibrate.then(|| mast.calibrated(&places, &mut Noise(3), 0.0).unwrap());
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
fn what_is_smaller_than_any_vessel_is_refused_where_the_camera_is_calibrated_and_nowhere_else() {
    let (plain, calibrated) = (Ground::new(&scope(4.0)), Ground::new(&calibrated()));
    for ahead in [35.0, 90.0, 200.0] {
        let [u, v] = MAST.pixel([0.0, ahead]).unwrap();
        let a_metre_px = MAST.pixel([1.0, ahead]).unwrap()[0] - u;
        // Its foot so many metres over the water.
        let thing = |wide: f64, high: f64, over: f64| {
            let [wide, high, over] = [wide, high, over].map(|metres| (metres * a_metre_px) as f32);
            BBox::from_xywh(u as f32 - wide / 2.0, v as f32 - over - high, wide, high)
        };
        for gull in [thing(0.6, 0.35, 0.0), thing(0.3, 0.5, 0.0), thing(0.8, 0.4, 0.0)] {
            assert_eq!(calibrated.refuses(&gull, FULL_HD), Some(Refusal::TooSmall), "{ahead} m: {gull:?}");
            assert_eq!(plain.refuses(&gull, FULL_HD), None);
        }
        for vessel in
            [thing(0.7, 1.2, 0.0), thing(4.0, 0.9, 0.0), thing(1.3, 2.3, 0.0), thing(80.0, 20.0, 0.0)]
        {
            assert_eq!(calibrated.refuses(&vessel, FULL_HD), None, "{ahead} m: {vessel:?}");
        }
        // A box that lost its lower half: what is left of it is held to be further off.
        assert_eq!(calibrated.refuses(&thing(1.2, 1.0, 1.0), FULL_HD), None);
    }
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
