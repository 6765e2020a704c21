//! A stage for rules: boats that a script moves about on the water before a calibrated camera.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use test_support::Rng;

use super::testing::{at, rule, site, zone};
use super::{Engine, Phase, ResumeState, RuleEvent, SignalEvent};
use crate::clock::MonoTime;
use crate::config::{Berth, Condition, Line, Rule, Zone};
use crate::geometry::testing::Mast;
use crate::geometry::{Area, BBox, Calibration, FrameSize, Polygon, Px, Segment};
use crate::ids::{PlaceId, RuleId};
use crate::track::{Track, TrackState, VesselId};

pub(super) const SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const MAST: Mast = Mast { height: 12.0, tilt: 6.0, azimuth: 0.0, focal: 1600.0 };
/// A track that is not seen for so long has ended.
const LOST_FOR: f64 = 5.0;

/// Looks in a row that may miss a boat.
const MOST_MISSES: u32 = 2;

/// A boat, broadside on: metres ahead of the camera and to the right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Boat {
    pub(super) number: u64,
    pub(super) ahead: f64,
    pub(super) right: f64,
    pub(super) length: f64,
}

pub(super) fn boat(number: u64, ahead: f64, right: f64) -> Boat {
    Boat { number, ahead, right, length: 10.0 }
}

/// Moves at a steady speed from where it was at `from_s`.
pub(super) fn goes(number: u64, (ahead, right): (f64, f64), (north, east): (f64, f64), t: f64) -> Boat {
    boat(number, ahead + north * t, right + east * t)
}

/// Comes from the right, lies for a minute and goes back; so many times, each under another number.
pub(super) fn comes_and_goes(t: f64, times: f64) -> Vec<Boat> {
    let (round, t) = ((t / 300.0).floor(), t % 300.0);
    let right = match t {
        ..50.0 => 0.8 * (50.0 - t),
        50.0..150.0 => 0.0,
        150.0..200.0 => 0.8 * (t - 150.0),
        _ => return Vec::new(),
    };
    if round < times { vec![boat(1 + round as u64, 70.0, right)] } else { Vec::new() }
}

/// Who is where at a second.
pub(super) type Script = fn(f64) -> Vec<Boat>;

/// How the script is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Seconds from look to look.
    pub(super) every_s: f64,
    /// Standard deviation of a box's edges.
    pub(super) jitter_px: f64,
    /// The share of looks in which a boat is not seen.
    pub(super) missed: f64,
    pub(super) seed: u64,
}

pub(super) const CLEAR: Sight = Sight { every_s: 0.25, jitter_px: 0.0, missed: 0.0, seed: 1 };

/// The water from `ahead` to `ahead` metres before the camera, and from `right` to `right`.
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

/// A rule's engine with a berth at the quay, and the boats before it.
pub(super) struct Stage {
    pub(super) engine: Engine,
    sight: Sight,
    noise: Rng,
    /// By how many seconds the wall clock has been put forward at a second.
    pub(super) forward: fn(f64) -> i64,
    /// When each boat was seen first and last, and where.
    known: BTreeMap<u64, (f64, f64, BBox<Px>)>,
    /// Looks in a row that have missed each.
    misses: BTreeMap<u64, u32>,
}

impl Stage {
    pub(super) fn new(rules: Vec<Rule>, zones: Vec<Zone>, sight: Sight, past: &ResumeState) -> Self {
        let mut site = site(rules);
        site.cameras[0].calibration = Some(calibration());
        site.cameras[0].zones = zones;
        let engine = Engine::new(&site, &site.cameras[0], past);
        let (known, misses) = Default::default();
        Self { engine, sight, noise: Rng::new(sight.seed), forward: |_| 0, known, misses }
    }

    /// Plays `script` from second `from` to second `to`: what the rules say, with its second.
    pub(super) fn play(&mut self, script: Script, from: f64, to: f64) -> Vec<(f64, RuleEvent)> {
        let mut told = Vec::new();
        let looks = ((to - from) / self.sight.every_s).floor() as u32;
        for look in 0..looks {
            let now = from + f64::from(look) * self.sight.every_s;
            let tracks = self.tracks(script, now);
            let mut stamp = at(now);
            stamp.wall += SignedDuration::from_secs((self.forward)(now));
            told.extend(self.engine.step(&tracks, SIZE, stamp).into_iter().map(|event| (now, event)));
        }
        told
    }

    fn tracks(&mut self, script: Script, now: f64) -> Vec<Track> {
        let boats = script(now);
        for boat in &boats {
            let bbox = self.seen(boat);
            let misses = self.misses.entry(boat.number).or_insert(MOST_MISSES);
            if *misses < MOST_MISSES && self.noise.unit() < self.sight.missed {
                *misses += 1;
                continue;
            }
            *misses = 0;
            let known = self.known.entry(boat.number).or_insert((now, now, bbox));
            (known.1, known.2) = (now, bbox);
        }
        // A boat is known to lie still when it has lain still for five seconds.
        let before = script(now - 5.0);
        let still = |number: u64| {
            let find = |boats: &[Boat]| boats.iter().find(|boat| boat.number == number).copied();
            let moved = |(a, b): (Boat, Boat)| (a.ahead - b.ahead).hypot(a.right - b.right);
            find(&boats).zip(find(&before)).is_some_and(|pair| moved(pair) < 0.3)
        };
        let mut ended = Vec::new();
        let tracks = self.known.iter().map(|(&number, &(first, last, bbox))| {
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
        self.known.retain(|number, _| !ended.contains(number));
        tracks
    }

    fn seen(&mut self, boat: &Boat) -> BBox<Px> {
        let bbox = pixel_box(boat.ahead, boat.right, boat.length);
        let mut off = || (self.sight.jitter_px * self.noise.normal()) as f32;
        BBox::new(bbox.x0 + off(), bbox.y0 + off(), bbox.x1 + off(), bbox.y1 + off())
    }
}

/// The box of a boat so many metres long, broadside on.
pub(super) fn pixel_box(ahead: f64, right: f64, length: f64) -> BBox<Px> {
    let [x, y] = MAST.pixel(MAST.place(ahead, right)).unwrap();
    let width = length * MAST.focal / ahead.hypot(MAST.height);
    let [x0, y0, x1, y1] = [x - width / 2.0, y - width * 0.4, x + width / 2.0, y].map(|edge| edge as f32);
    BBox::new(x0, y0, x1, y1)
}

fn moment(second: f64) -> MonoTime {
    at(second).mono
}

/// The signals among what was told.
pub(super) fn signals(told: &[(f64, RuleEvent)]) -> Vec<&SignalEvent> {
    told.iter()
        .filter_map(|(_, event)| if let RuleEvent::Signal(event) = event { Some(event) } else { None })
        .collect()
}

/// The signals that opened.
pub(super) fn opened(told: &[(f64, RuleEvent)]) -> Vec<&SignalEvent> {
    signals(told).into_iter().filter(|event| event.phase == Phase::Opened).collect()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
