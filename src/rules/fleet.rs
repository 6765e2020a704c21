//! Two days of a full marina: thirty moored boats, nights in which the detector hardly sees them, dawns and dusks in which
//! it does now and then, vessels that pass and hide them; and a few that really come and go.

use super::stage::{SIZE, berth, named, pixel_box, water};
use super::testing::{at, site};
use super::{Engine, Phase, ResumeState, RuleEvent, VisitEnd, VisitStep};
use crate::config::{Condition, Zone};
use crate::detect::{Class, Detection};
use test_support::Rng;

use crate::geometry::{BBox, Px};
use crate::ids::PlaceId;
use crate::track::{Tracker, TrackerConfig, TrackerInput, VesselCounter};

const HOUR: f64 = 3600.0;
const EVERY_S: f64 = 1.0;
/// Boats of the front row that go out, and when; each is back four hours later.
const OUTINGS: [(usize, f64); 6] = [
    (2, 7.0 * HOUR),
    (5, 8.5 * HOUR),
    (8, 13.0 * HOUR),
    (3, 30.0 * HOUR),
    (6, 33.0 * HOUR),
    (9, 38.0 * HOUR),
];
const AWAY: f64 = 4.0 * HOUR;

/// Where moored boat `index` lies: three rows of ten.
fn place(index: usize) -> (f64, f64) {
    (70.0 + 15.0 * (index / 10) as f64, -40.5 + 9.0 * (index % 10) as f64)
}

/// Where boat `index` is at `t`; `None` when it is out.
fn whereabouts(index: usize, t: f64) -> Option<(f64, f64)> {
    let (ahead, right) = place(index);
    let outing = OUTINGS.iter().find(|(boat, from)| *boat == index && (*from..*from + AWAY).contains(&t));
    let Some((_, from)) = outing else { return Some((ahead, right)) };
    // Out toward the camera and to the right at 1.5 m/s, and back the same way.
    let way = 1.5 * (t - from).min(from + AWAY - t);
    let outward = way.min(14.0);
    let sideward = way - outward;
    (right + sideward < 75.0).then_some((ahead - outward, right + sideward))
}

/// The chance that the detector sees a boat in a look: by day nearly always, at night hardly, and between in turns.
fn chance(index: usize, t: f64) -> f64 {
    let hour = (t / HOUR + 22.2) % 24.0;
    let lamp = index.is_multiple_of(3);
    match hour {
        22.5.. | ..4.0 => {
            if lamp {
                0.7
            } else {
                0.03
            }
        }
        // Glare and dusk: whole boats come and go for a quarter of an hour at a time.
        4.0..6.0 | 20.5..22.5 => {
            if ((t / 900.0) as usize + index).is_multiple_of(3) {
                0.15
            } else {
                0.8
            }
        }
        _ => 0.97,
    }
}

/// A vessel that passes before the fleet, one every ten minutes.
fn passing(t: f64) -> Option<(f64, f64, f64)> {
    let (round, t) = ((t / 600.0) as u64, t % 600.0);
    let speed = 2.0 + (round % 3) as f64;
    let right = -85.0 + speed * t;
    let way = if round % 2 == 0 { right } else { -right };
    (right < 85.0).then_some((52.0, way, if round % 4 == 0 { 18.0 } else { 9.0 }))
}

#[test]
fn a_full_marina_over_two_days_of_changing_light_sees_nobody_come_or_go_who_did_not() {
    let marina = Zone { area: water([60.0, 112.0], [-50.0, 50.0]), ..berth(None) };
    // A rule for the whole basin: those who lie at their berths are not meant.
    let basin = Zone { id: PlaceId::new("basin").unwrap(), berth: None, ..marina.clone() };
    let mut site = site(vec![named("presence", Condition::Presence { zone: basin })]);
    site.cameras[0].zones = vec![marina];
    let mut engine = Engine::new(&site, &site.cameras[0], &ResumeState::default());
    let (mut tracker, mut numbers) = (Tracker::new(TrackerConfig::default()), VesselCounter::default());
    let mut noise = Rng::new(7);
    let looked = [SIZE.bounds()];
    let (mut arrivals, mut departures, mut found) = (Vec::new(), Vec::new(), 0);
    let mut raised = Vec::new();
    for look in 0..(48.0 * HOUR / EVERY_S) as u32 {
        let t = f64::from(look) * EVERY_S;
        let mut detections = Vec::new();
        let passing = passing(t).map(|(ahead, right, length)| pixel_box(ahead, right, length));
        let mut see = |bbox: BBox<Px>, noise: &mut Rng| {
            let mut off = || (1.2 * noise.normal()) as f32;
            let bbox = BBox::new(bbox.x0 + off(), bbox.y0 + off(), bbox.x1 + off(), bbox.y1 + off());
            let confidence = (0.78 + 0.05 * off()).clamp(0.2, 0.95);
            detections.push(Detection { class: Class::Vessel, confidence, bbox });
        };
        for index in 0..30 {
            let Some((ahead, right)) = whereabouts(index, t) else { continue };
            let bbox = pixel_box(ahead, right, 7.0);
            let hidden = passing.and_then(|other| bbox.intersection(&other)).map_or(0.0, |part| part.area());
            if hidden < 0.5 * bbox.area() && noise.unit() < chance(index, t) {
                see(bbox, &mut noise);
            }
        }
        if let Some(bbox) = passing
            && noise.unit() < 0.9
        {
            see(bbox, &mut noise);
        }
        let now = at(t);
        let view = TrackerInput {
            detections: &detections,
            size: SIZE,
            regions: &looked,
            shift: [0.0; 2],
            at: now.mono,
        };
        let tracks = tracker.step(&view, &mut numbers);
        for event in engine.step(&tracks, SIZE, now) {
            if let RuleEvent::Signal(event) = &event
                && event.phase == Phase::Opened
            {
                raised.push(t);
            }
            let RuleEvent::Visit(event) = event else { continue };
            match (event.step, event.visit.arrived, event.visit.ended) {
                (VisitStep::Began, true, _) => arrivals.push(t),
                (VisitStep::Began, false, _) => found += 1,
                (VisitStep::Ended, _, Some((_, VisitEnd::Departed))) => departures.push(t),
                _ => {}
            }
        }
    }
    // A departure is told once its place was seen empty, an arrival once the boat has lain still.
    let near =
        |told: &f64, moments: &[f64]| moments.iter().any(|moment| (0.0..180.0).contains(&(told - moment)));
    let out: Vec<f64> = OUTINGS.iter().map(|(_, from)| *from).collect();
    let back: Vec<f64> = OUTINGS.iter().map(|(_, from)| from + AWAY - 60.0).collect();

    let false_departures: Vec<_> = departures.iter().filter(|told| !near(told, &out)).collect();
    let false_arrivals: Vec<_> = arrivals.iter().filter(|told| !near(told, &back)).collect();
    assert!(false_departures.is_empty(), "at {false_departures:?}");
    assert!(false_arrivals.is_empty(), "at {false_arrivals:?}");
    let for_nothing: Vec<_> = raised.iter().filter(|told| !near(told, &out) && !near(told, &back)).collect();
    assert!(for_nothing.is_empty(), "a full marina raises nothing by itself: {for_nothing:?}");
    // What goes at dusk past its neighbours may be missed: its visit ends when its place is taken, not as a departure.
    assert!(departures.len() >= 4 && arrivals.len() >= 4, "{departures:?} {arrivals:?}");
    assert!((25..=40).contains(&found), "visits of those who lay there from the first: {found}");
}
