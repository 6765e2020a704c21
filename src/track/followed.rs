//! One vessel, or what may become one, from look to look.

use std::time::Duration;

use super::likeness::{Expected, hidden};
use super::motion::Motion;
use super::{Look, Track, TrackState, TrackerConfig, VesselId};
use crate::clock::MonoTime;
use crate::detect::Detection;
use crate::geometry::{BBox, Px};

/// A look watches a vessel that has at least this share of its expected box in one region.
const WATCHED_SHARE: f32 = 0.9;
/// However little it was watched, a vessel unseen for so many times its limit has ended.
const STALE: u32 = 4;

/// A vessel stands still while it stays within this share of its box's width and height ...
const STILL_WITHIN: f32 = 0.25;
/// ... for at least this long.
const STILL_AFTER: Duration = Duration::from_secs(5);
/// A vessel unseen for this long hides no others: nobody knows where it is.
const HIDES_FOR: Duration = Duration::from_secs(1);
/// How much longer than seen it is thought able to move away unseen.
const STILL_DOUBT: Duration = Duration::from_secs(1);

/// Nothing that floats moves by more of its lengths than this in a second, at any distance and seen from any side: a water scooter
/// of three metres that does forty knots makes seven, a gull from ten to twenty.
const FASTEST: f32 = 8.0;

#[derive(Clone, Debug)]
pub(super) struct Followed {
    /// None while tentative.
    pub(super) vessel: Option<VesselId>,
    /// As of the last time seen.
    motion: Motion,
    /// As of this look.
    expected: Expected,
    /// Where it stands, if it stands still, and since when.
    berth: (BBox<Px>, MonoTime),
    first_seen: MonoTime,
    first_bbox: BBox<Px>,
    last_seen: MonoTime,
    seen_bbox: BBox<Px>,
    confidence: f32,
    hits: u32,
    /// Its own clock: how long it has been watched ...
    watched: Duration,
    /// ... and what that clock said when it was last seen.
    watched_seen: Duration,
    /// The same for each hit while tentative.
    recent: Vec<Duration>,
    /// The least sure of its detections while tentative.
    weakest: f32,
    /// A look watched it and did not find it, since it was last seen.
    missed: bool,
    /// The detection that it was in this look.
    detection: Option<usize>,
}

impl Followed {
    pub(super) fn new(seen: &Detection, index: usize, at: MonoTime) -> Self {
        let motion = Motion::new(&seen.bbox);
        let expected =
            Expected { motion: motion.clone(), confidence: seen.confidence, unseen_s: 0.0, hidden: 0.0 };
        Self {
            vessel: None,
            motion,
            expected,
            berth: (seen.bbox, at),
            first_seen: at,
            first_bbox: seen.bbox,
            last_seen: at,
            seen_bbox: seen.bbox,
            confidence: seen.confidence,
            hits: 1,
            watched: Duration::ZERO,
            watched_seen: Duration::ZERO,
            recent: vec![Duration::ZERO],
            weakest: seen.confidence,
            missed: false,
            detection: Some(index),
        }
    }

    /// Moves on to `look`, `after` the look before.
    pub(super) fn expect(&mut self, look: &Look<'_>, after: Duration) {
        self.detection = None;
        let [dx, dy] = look.shift;
        self.motion.shift(dx, dy);
        let b = self.berth.0;
        self.berth.0 = BBox::new(b.x0 + dx, b.y0 + dy, b.x1 + dx, b.y1 + dy);
        let unseen = look.at.since(self.last_seen);
        // What stands still is expected where it stood, however long it is out of sight.
        let moved = if self.stands_still() { unseen.min(STILL_DOUBT) } else { unseen };
        self.expected.motion = self.motion.clone();
        self.expected.motion.predict(moved.as_secs_f64());
        self.expected.unseen_s = unseen.as_secs_f64();
        if is_watched(&self.expected.motion.bbox(), look) {
            self.watched += after;
            self.missed = true; // Until it is seen.
        }
    }

    /// Where it is expected now, if it may hide others there.
    pub(super) fn hides(&self, at: MonoTime) -> Option<BBox<Px>> {
        let known = self.is_vessel() && at.since(self.last_seen) < HIDES_FOR;
        known.then(|| self.expected.motion.bbox())
    }

    /// Takes into account what others may hide of it.
    pub(super) fn hide<'a>(&mut self, others: impl Iterator<Item = &'a BBox<Px>>) {
        self.expected.hidden = hidden(&self.expected.motion.bbox(), others);
    }

    pub(super) fn see(&mut self, detection: &Detection, index: usize, at: MonoTime) {
        let seen = &detection.bbox;
        self.expected.motion.correct(seen, self.expected.hidden);
        self.expected.confidence = detection.confidence;
        self.motion = self.expected.motion.clone();
        let now = self.motion.bbox();
        if has_left(&self.berth.0, &now) {
            self.berth = (now, at);
        }
        self.last_seen = at;
        self.watched_seen = self.watched;
        self.missed = false;
        self.hits = self.hits.saturating_add(1);
        self.seen_bbox = *seen;
        self.confidence += (detection.confidence - self.confidence) / self.hits as f32;
        self.detection = Some(index);
        if self.vessel.is_none() {
            self.recent.push(self.watched);
            self.weakest = self.weakest.min(detection.confidence);
        }
    }

    /// True once it has a number.
    pub(super) fn is_vessel(&self) -> bool {
        self.vessel.is_some()
    }

    /// Its detections, if it has no number yet.
    pub(super) fn came_to_nothing(&self) -> u64 {
        if self.is_vessel() { 0 } else { self.hits.into() }
    }

    pub(super) fn is_due(&self, config: &TrackerConfig) -> bool {
        let n = config.confirm_hits.max(1);
        let often = |n: usize, within: Duration| {
            self.recent.len() >= n && self.watched_seen - self.recent[self.recent.len() - n] <= within
        };
        let is_clear = self.weakest > (config.sure + 1.0) / 2.0
            && self.motion.bbox().intersection(&self.first_bbox).is_some();
        often(n, config.confirm_within) || is_clear && often(n.min(2), config.confirm_within / 4)
    }

    /// Whether it is faster than any vessel.
    pub(super) fn is_too_fast(&self) -> bool {
        let (from, to) = (self.first_bbox.centre(), self.seen_bbox.centre());
        let lengths = from.distance(to) / self.seen_bbox.longer_side();
        lengths > FASTEST * self.last_seen.since(self.first_seen).as_secs_f32()
    }

    pub(super) fn has_ended(&self, at: MonoTime, config: &TrackerConfig) -> bool {
        let limit = match self.vessel {
            None => config.confirm_within / 2,
            Some(_) if self.stands_still() => {
                self.stood().clamp(config.lost_for, config.lost_for_still.max(config.lost_for))
            }
            Some(_) => config.lost_for,
        };
        self.watched - self.watched_seen > limit || at.since(self.last_seen) > limit * STALE
    }

    fn stood(&self) -> Duration {
        self.last_seen.since(self.berth.1)
    }

    fn stands_still(&self) -> bool {
        self.stood() >= STILL_AFTER
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) fn detection(&self) -> Option<usize> {
        self.detection
    }

    pub(super) fn report(&self, ended: bool) -> Option<Track> {
        let state = match self.detection {
            _ if ended => TrackState::Ended,
            Some(_) => TrackState::Confirmed,
            None if self.missed => TrackState::Lost,
            None => TrackState::Unwatched,
        };
        Some(Track {
            vessel: self.vessel?,
            state,
            // A track ends where it was last seen: where it might have gone since is a guess that has grown old.
            bbox: if ended { self.motion.bbox() } else { self.expected.motion.bbox() },
            detection: self.detection.filter(|_| !ended),
            first_seen: self.first_seen,
            first_bbox: self.first_bbox,
            last_seen: self.last_seen,
            hits: self.hits,
            seen_bbox: self.seen_bbox,
            confidence: self.confidence,
            velocity: (!self.stands_still()).then(|| self.motion.velocity()),
        })
    }
}

/// Whether a vessel that stood in `berth` stands there no more. Along the water both its ends have left: where one stays, something
/// passes before the other.
fn has_left(berth: &BBox<Px>, now: &BBox<Px>) -> bool {
    let (left, right) = (now.x0 - berth.x0, now.x1 - berth.x1);
    let along = if left * right > 0.0 { left.abs().min(right.abs()) } else { 0.0 };
    let down = (now.centre().y - berth.centre().y).abs();
    along > STILL_WITHIN * berth.width() || down > STILL_WITHIN * berth.height()
}

fn is_watched(expected: &BBox<Px>, look: &Look<'_>) -> bool {
    let Some(visible) = expected.intersection(&look.size.bounds()) else { return true };
    let share = |region| visible.intersection(region).map_or(0.0, |part| part.area() / visible.area());
    look.looked.iter().any(|region| share(region) >= WATCHED_SHARE)
}
