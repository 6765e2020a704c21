//! A simulated harbour for rules: boats that a script moves in front of a calibrated camera.

use std::collections::BTreeMap;
use std::time::Duration;
use test_support::Rng;

use jiff::SignedDuration;

use super::engine::{CameraRules, Engine};
use super::event::RuleEvent;
use super::kinds::Condition;
use super::place::{Berth, Line, Zone};
use super::rule::Rule;
use super::signal::{Phase, SignalEvent};
use super::testing::{at, camera_rules, rule, zone};
use super::visits::ResumeState;
use crate::clock::MonoTime;
use crate::geometry::testing::Mast;
use crate::geometry::{Area, BBox, Calibration, FrameSize, Polygon, Px, Segment};
use crate::ids::{PlaceId, RuleId};
use crate::track::{Track, TrackState, VesselId};

pub(super) const SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const MAST: Mast = Mast { height: 12.0, tilt: 6.0, azimuth: 0.0, focal: 1600.0 };
/// A track that is not seen for so long has ended.
const LOST_FOR: f64 = 5.0;

/// Passes in a row that may miss a boat.
const MOST_MISSES: u32 = 2;

/// A boat across the view: metres ahead of the camera and to the right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ScriptedBoat {
    pub(super) number: u64,
    pub(super) ahead: f64,
    pub(super) right: f64,
    pub(super) length: f64,
}

pub(super) fn boat(number: u64, ahead: f64, right: f64) -> ScriptedBoat {
    ScriptedBoat { number, ahead, right, length: 10.0 }
}

/// Moves at a steady speed from where it was at `from_s`.
pub(super) fn goes(
    number: u64,
    (ahead, right): (f64, f64),
    (north, east): (f64, f64),
    t: f64,
) -> ScriptedBoat {
    boat(number, ahead + north * t, right + east * t)
}

/// A boat comes from the right, is moored for a minute and leaves; this many times, each under another number.
pub(super) fn comes_and_goes(t: f64, times: f64) -> Vec<ScriptedBoat> {
    let (round, t) = ((t / 300.0).floor(), t % 300.0);
    let right = match t {
        ..50.0 => 0.8 * (50.0 - t),
        50.0..150.0 => 0.0,
        150.0..200.0 => 0.8 * (t - 150.0),
        _ => return Vec::new(),
    };
    if round < times { vec![boat(1 + round as u64, 70.0, right)] } else { Vec::new() }
}

/// The boats at a second.
pub(super) type Script = fn(f64) -> Vec<ScriptedBoat>;

/// How well the camera sees the boats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visibility {
    /// Seconds from pass to pass.
    pub(super) every_s: f64,
    /// Standard deviation of a box's edges.
    pub(super) jitter_px: f64,
    /// The share of passes in which a boat is not detected.
    pub(super) missed: f64,
    pub(super) seed: u64,
}

pub(super) const CLEAR: Visibility = Visibility { every_s: 0.25, jitter_px: 0.0, missed: 0.0, seed: 1 };

/// The water from `ahead[0]` to `ahead[1]` metres ahead of the camera, and from `right[0]` to `right[1]`.
pub(super) fn water(ahead: [f64; 2], right: [f64; 2]) -> Area {
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)];
    let corner = |(a, r): (usize, usize)| MAST.sees(MAST.place(ahead[a], right[r])).unwrap();
    Polygon::new(corners.map(corner).to_vec()).unwrap().into()
}

pub(super) fn basin() -> Zone {
    zone(water([60.0, 140.0], [-60.0, 60.0]))
}

pub(super) fn berth(expected_length_m: Option<[f64; 2]>) -> Zone {
    let berth = Some(Berth { expected_length_m });
    Zone {
        id: PlaceId::new("berth").unwrap(),
        name: "Berth 3".into(),
        area: water([60.0, 80.0], [-25.0, 25.0]),
        berth,
    }
}

/// A line over the water, from (ahead, right) to (ahead, right).
pub(super) fn line(from: (f64, f64), to: (f64, f64)) -> Line {
    Line { id: PlaceId::new("mouth").unwrap(), name: "Harbour mouth".into(), segment: segment(from, to) }
}

pub(super) fn segment(from: (f64, f64), to: (f64, f64)) -> Segment {
    let [from, to] = [from, to].map(|(ahead, right)| MAST.sees(MAST.place(ahead, right)).unwrap());
    Segment::new(from, to).unwrap()
}

pub(super) fn named(id: &str, condition: Condition) -> Rule {
    Rule { id: RuleId::new(id).unwrap(), name: id.to_owned(), ..rule(condition) }
}

fn calibration() -> Calibration {
    let places = [(40.0, -15.0), (40.0, 15.0), (150.0, -60.0), (150.0, 60.0), (80.0, 0.0), (250.0, 30.0)];
    MAST.calibrated(&places, &mut Rng::new(3), 0.0).unwrap()
}

/// The engine of a camera, and the boats in front of it.
pub(super) struct HarbourSimulation {
    pub(super) engine: Engine,
    visibility: Visibility,
    noise: Rng,
    /// The seconds by which the wall clock has been set forward at a second.
    pub(super) forward: fn(f64) -> i64,
    /// When each boat was seen first and last, and where.
    seen: BTreeMap<u64, (f64, f64, BBox<Px>)>,
    /// Passes in a row that have missed each.
    misses: BTreeMap<u64, u32>,
}

impl HarbourSimulation {
    pub(super) fn new(rules: Vec<Rule>, zones: Vec<Zone>) -> Self {
        Self::with(rules, zones, CLEAR, &ResumeState::default())
    }

    pub(super) fn with(
        rules: Vec<Rule>,
        zones: Vec<Zone>,
        visibility: Visibility,
        resume: &ResumeState,
    ) -> Self {
        let camera = CameraRules { calibration: Some(calibration()), zones, ..camera_rules(rules) };
        let engine = Engine::new(camera, resume);
        let (seen, misses) = Default::default();
        Self { engine, visibility, noise: Rng::new(visibility.seed), forward: |_| 0, seen, misses }
    }

    /// Plays `script` from second `from` to second `to`: the events, with their seconds.
    pub(super) fn play(&mut self, script: Script, from: f64, to: f64) -> Vec<(f64, RuleEvent)> {
        let mut events = Vec::new();
        let passes = ((to - from) / self.visibility.every_s).floor() as u32;
        for pass in 0..passes {
            let now = from + f64::from(pass) * self.visibility.every_s;
            let tracks = self.tracks(script, now);
            let mut stamp = at(now);
            stamp.wall += SignedDuration::from_secs((self.forward)(now));
            events.extend(self.engine.step(&tracks, SIZE, stamp).into_iter().map(|event| (now, event)));
        }
        events
    }

    fn tracks(&mut self, script: Script, now: f64) -> Vec<Track> {
        let boats = script(now);
        for boat in &boats {
            let bbox = self.detection(boat);
            let misses = self.misses.entry(boat.number).or_insert(MOST_MISSES);
            if *misses < MOST_MISSES && self.noise.unit() < self.visibility.missed {
                *misses += 1;
                continue;
            }
            *misses = 0;
            let seen = self.seen.entry(boat.number).or_insert((now, now, bbox));
            (seen.1, seen.2) = (now, bbox);
        }
        // A track is still when its boat has not moved for five seconds.
        let before = script(now - 5.0);
        let still = |number: u64| {
            let find = |boats: &[ScriptedBoat]| boats.iter().find(|boat| boat.number == number).copied();
            let moved = |(a, b): (ScriptedBoat, ScriptedBoat)| (a.ahead - b.ahead).hypot(a.right - b.right);
            find(&boats).zip(find(&before)).is_some_and(|pair| moved(pair) < 0.3)
        };
        let mut ended = Vec::new();
        let tracks = self.seen.iter().map(|(&number, &(first, last, bbox))| {
            let state = match now - last {
                0.0 => TrackState::Confirmed,
                unseen if unseen < LOST_FOR || boats.iter().any(|boat| boat.number == number) => {
                    TrackState::Lost
                }
                _ => {
                    ended.push(number);
                    TrackState::Ended
                }
            };
            Track {
                vessel: VesselId(number),
                state,
                bbox,
                first_bbox: bbox,
                seen_bbox: bbox,
                confidence: 0.8,
                detection: (state == TrackState::Confirmed).then_some(0),
                first_seen: moment(first),
                last_seen: moment(last),
                hits: 5,
                velocity: (!still(number)).then_some([1.0, 0.0]),
            }
        });
        let tracks = tracks.collect();
        self.seen.retain(|number, _| !ended.contains(number));
        tracks
    }

    fn detection(&mut self, boat: &ScriptedBoat) -> BBox<Px> {
        let bbox = pixel_box(boat.ahead, boat.right, boat.length);
        let mut off = || (self.visibility.jitter_px * self.noise.normal()) as f32;
        BBox::new(bbox.x0 + off(), bbox.y0 + off(), bbox.x1 + off(), bbox.y1 + off())
    }
}

/// The box of a boat of this length across the view.
pub(super) fn pixel_box(ahead: f64, right: f64, length: f64) -> BBox<Px> {
    let [x, y] = MAST.pixel(MAST.place(ahead, right)).unwrap();
    let width = length * MAST.focal / ahead.hypot(MAST.height);
    let [x0, y0, x1, y1] = [x - width / 2.0, y - width * 0.4, x + width / 2.0, y].map(|edge| edge as f32);
    BBox::new(x0, y0, x1, y1)
}

fn moment(second: f64) -> MonoTime {
    at(second).mono
}

/// The signals among the events.
pub(super) fn signals(events: &[(f64, RuleEvent)]) -> Vec<&SignalEvent> {
    events
        .iter()
        .filter_map(|(_, event)| if let RuleEvent::Signal(event) = event { Some(event) } else { None })
        .collect()
}

/// The signals that opened.
pub(super) fn opened(events: &[(f64, RuleEvent)]) -> Vec<&SignalEvent> {
    signals(events).into_iter().filter(|event| event.phase == Phase::Opened).collect()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
