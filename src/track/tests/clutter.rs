//! What the clutter map learns, and what it must not do to vessels.

use proptest::prelude::*;

use super::super::{CLUTTER_GRID, ClutterCell};
use super::*;
use crate::geometry::Point;

/// Where a lamp flickers.
const LAMP: [f64; 2] = [1500.0, 700.0];
const CELLS: usize = CLUTTER_GRID[0] * CLUTTER_GRID[1];
const FALSE_PER_DAY: f32 = 24.0;

/// A box of the size of a motor yacht at the lamp.
fn lamp(confidence: f32) -> Detection {
    detection(LAMP[0], LAMP[1], 120.0, 50.0, confidence)
}

/// A tracker after four hours in which the lamp was taken for a vessel every five seconds, and the time of the next pass.
fn after_learning() -> (Fixture, f64) {
    let mut fixture = Fixture::new();
    let mut last = 0.0;
    for (pass, t) in times(1.0, 4.0 * 3600.0).enumerate() {
        let boxes = if pass % 5 == 0 { vec![lamp(0.6)] } else { vec![] };
        assert_eq!(fixture.pass(t, &boxes), [], "at {t} s");
        last = t;
    }
    (fixture, last + 5.0)
}

fn limit(map: &ClutterMap, x: f64, y: f64) -> f32 {
    map.limit(Point::new(x as f32, y as f32), SIZE, FALSE_PER_DAY)
}

/// Seconds until a still box becomes a vessel, within 30 s.
fn confirmed_after(fixture: &mut Fixture, from: f64, bbox: Detection) -> Option<f64> {
    times(4.0, 30.0).find(|t| !fixture.pass(from + t, &[bbox]).is_empty())
}

#[test]
fn a_place_where_a_box_flickers_gets_a_higher_limit() {
    let (fixture, _) = after_learning();
    let (learnt, unlearnt) = (fixture.tracker.clutter(), ClutterMap::default());
    let [x, y] = LAMP;
    assert!(limit(learnt, x, y) > limit(&unlearnt, x, y) + 3.0, "{}", limit(learnt, x, y));
    for (x, y) in [(100.0, 100.0), (400.0, 700.0), (1500.0, 200.0), (1100.0, 700.0), (1900.0, 1000.0)] {
        assert!(limit(learnt, x, y) <= limit(&unlearnt, x, y), "the rest of the picture is empty");
    }
    let mut places = learnt.places(FALSE_PER_DAY);
    places.sort_by(|a, b| b.ended_per_day.total_cmp(&a.ended_per_day));
    let [highest, next] = [places[0], places[1]];
    assert!(highest.is_known && !next.is_known && highest.limit_raised > 3.0, "{highest:?} {next:?}");
    let off = highest.centre.distance(Point::new(1500.0 / 1920.0, 725.0 / 1080.0));
    assert!(off < 0.05, "{highest:?}");
    // One in five seconds, less what is not known yet.
    assert!((4000.0..17280.0).contains(&highest.ended_per_day), "{highest:?}");
}

#[test]
fn a_learnt_place_confirms_the_same_boxes_later_or_never() {
    let (mut learnt, from) = after_learning();
    for confidence in [0.4, 0.42] {
        assert!(confirmed_after(&mut Fixture::new(), 0.0, lamp(confidence)).is_some());
        let from = from + 100.0 * f64::from(confidence - 0.4) * 10.0;
        assert_eq!(confirmed_after(&mut learnt, from, lamp(confidence)), None, "{confidence}");
    }
    let soon = confirmed_after(&mut Fixture::new(), 0.0, lamp(0.9)).unwrap();
    let late = confirmed_after(&mut learnt, from + 300.0, lamp(0.9)).unwrap();
    assert!(late > soon, "{late} s, and {soon} s where nothing was learnt");
    // Elsewhere, nothing flickers.
    let [soon, elsewhere] = [(Fixture::new(), 0.0), after_learning()]
        .map(|(mut f, at)| confirmed_after(&mut f, at, yacht(400.0)));
    assert!(elsewhere <= soon, "{elsewhere:?} {soon:?}");
}

#[test]
fn a_vessel_that_arrives_and_stays_at_a_learnt_place_keeps_its_number() {
    let (mut fixture, from) = after_learning();
    let mut numbers = BTreeSet::new();
    // It comes from the left at half its length a second, and then lies at the lamp for an hour.
    for t in times(2.0, 3600.0) {
        let x = (LAMP[0] - 900.0 + 60.0 * t).min(LAMP[0]);
        let vessel = detection(x, LAMP[1], 120.0, 50.0, 0.6);
        // While it lies there, each second half minute misses it in every other pass.
        let missed = t > 60.0 && (t / 30.0) as u32 % 2 == 1 && t.fract() > 0.0;
        let tracks = if missed { fixture.pass(from + t, &[]) } else { fixture.pass(from + t, &[vessel]) };
        assert!(tracks.iter().all(|track| track.state != TrackState::Ended), "ended after {t} s");
        assert!(t < 10.0 || tracks.len() == 1, "not confirmed on its way, after {t} s");
        numbers.extend(tracks.iter().map(|track| track.vessel));
    }
    assert_eq!(numbers, BTreeSet::from([VesselId(1)]));
}

#[test]
fn a_clear_vessel_that_departs_from_a_learnt_place_is_confirmed() {
    let (mut fixture, from) = after_learning();
    let confirmed = times(4.0, 10.0).find(|t| {
        let vessel = detection(LAMP[0] - 40.0 * t, LAMP[1], 120.0, 50.0, 0.9);
        !fixture.pass(from + t, &[vessel]).is_empty()
    });
    assert!(confirmed.is_some_and(|t| t <= 5.0), "{confirmed:?}");
}

#[test]
fn what_was_learnt_is_used_by_another_tracker_and_forgotten_with_time() {
    let (fixture, _) = after_learning();
    let learnt = fixture.tracker.clutter().clone();
    let mut next = Fixture::new();
    next.tracker.resume_clutter(learnt.clone());
    assert_eq!(confirmed_after(&mut next, 0.0, lamp(0.4)), None);

    let mut later = learnt.clone();
    later.forget(Duration::from_secs(24 * 3600));
    let half = |(old, new): (&ClutterCell, &ClutterCell)| (old.ended / 2.0 - new.ended).abs() < 1e-3;
    assert!(learnt.cells().iter().zip(later.cells()).all(half), "a day is the half-life");
    let [x, y] = LAMP;
    let unlearnt = limit(&ClutterMap::default(), x, y);
    assert!((unlearnt..limit(&learnt, x, y)).contains(&limit(&later, x, y)));
    later.forget(Duration::from_secs(100 * 24 * 3600));
    assert!((limit(&later, x, y) - unlearnt).abs() < 1e-3);
}

#[test]
fn impossible_cells_are_not_accepted() {
    let with = |ended, inspected_s| vec![ClutterCell { ended, inspected_s }; CELLS];
    assert!(ClutterMap::from_cells(with(3.0, 60.0)).is_some());
    for (ended, inspected_s) in
        [(-0.1, 0.0), (f32::NAN, 0.0), (f32::INFINITY, 0.0), (1e9, 0.0), (0.0, -1.0), (0.0, 1e30)]
    {
        assert_eq!(ClutterMap::from_cells(with(ended, inspected_s)), None, "{ended} {inspected_s}");
    }
    assert_eq!(ClutterMap::from_cells(with(0.0, 0.0)[1..].to_vec()), None);
}

proptest! {
    #[test]
    fn every_accepted_map_lets_clear_vessels_through(
        ended in 0.0..=1e7f32, inspected_s in 0.0..1e6f32, x in 1300.0..1800.0f64, y in 50.0..1000.0f64,
    ) {
        let cells = vec![ClutterCell { ended, inspected_s }; CELLS];
        let mut fixture = Fixture::new();
        fixture.tracker.resume_clutter(ClutterMap::from_cells(cells).unwrap());
        // It moves by half of its length a second.
        let confirmed = times(4.0, 10.0).any(|t| {
            !fixture.pass(t, &[detection(x - 60.0 * t, y, 120.0, 50.0, 0.95)]).is_empty()
        });
        prop_assert!(confirmed);
    }

    #[test]
    fn the_limit_rises_with_each_ended_track_and_falls_with_each_quiet_hour(
        ended in 0.0..1000.0f32, hours in 0.0..30.0f32, x in 0.0..1920.0f64, y in 0.0..1080.0f64,
    ) {
        let map = |ended, hours: f32| {
            let cell = ClutterCell { ended, inspected_s: hours * 3600.0 };
            ClutterMap::from_cells(vec![cell; CELLS]).unwrap()
        };
        let at = limit(&map(ended, hours), x, y);
        prop_assert!(at.is_finite() && limit(&map(ended + 10.0, hours), x, y) > at);
        prop_assert!(limit(&map(ended, hours + 1.0), x, y) <= at);
    }
}
