//! One track, tentative or confirmed, from pass to pass.

use std::time::Duration;

use super::affinity::{Prediction, hidden};
use super::config::TrackerConfig;
use super::confirmation::Inspections;
use super::input::TrackerInput;
use super::motion::BoxMotion;
use super::report::{Track, TrackState};
use super::vessel::VesselId;
use crate::clock::MonoTime;
use crate::detect::Detection;
use crate::geometry::{BBox, Point, Px};

/// A vessel that was not detected for this many times its limit has ended, however little it was inspected.
const MAX_UNSEEN: u32 = 4;

/// A vessel is stationary while it stays within this share of its box's width and height ...
const STATIONARY_WITHIN: f32 = 0.25;
/// ... for at least this long.
const STATIONARY_AFTER: Duration = Duration::from_secs(5);
/// A vessel that was not detected for this long hides no others, because its position is unknown.
const HIDES_FOR: Duration = Duration::from_secs(1);
/// The uncertainty of a stationary vessel grows for this long at most after its last detection.
const STATIONARY_UNCERTAINTY: Duration = Duration::from_secs(1);

/// The highest speed of a vessel, in lengths of its box a second, at any distance and from any side. A water scooter of three
/// metres at forty knots reaches seven; a gull reaches ten to twenty.
const MAX_SPEED: f32 = 8.0;

#[derive(Clone, Debug)]
pub(super) struct LiveTrack {
    /// `None` while tentative.
    pub(super) vessel: Option<VesselId>,
    /// State at the last detection.
    motion: BoxMotion,
    /// State predicted for this pass.
    prediction: Prediction,
    /// Where it is stationary, and since when.
    position: (BBox<Px>, MonoTime),
    first_seen: MonoTime,
    first_bbox: BBox<Px>,
    last_seen: MonoTime,
    seen_bbox: BBox<Px>,
    confidence: f32,
    hits: u32,
    /// The track's own clock: for how long its place was inspected, ...
    inspected: Duration,
    /// ... and the value of that clock at the last detection.
    inspected_at_last: Duration,
    /// What its inspections showed, while tentative.
    inspections: Inspections,
    /// The most that they said for a vessel.
    most_log_odds: f32,
    /// Its place was inspected without a detection since the last detection.
    missed: bool,
    /// Its detection in this pass.
    detection: Option<usize>,
}

impl LiveTrack {
    pub(super) fn new(
        detection: &Detection,
        index: usize,
        input: &TrackerInput<'_>,
        config: &TrackerConfig,
    ) -> Self {
        let at = input.at;
        let motion = BoxMotion::new(&detection.bbox);
        let confidence = detection.confidence;
        let prediction = Prediction { motion: motion.clone(), confidence, unseen_s: 0.0, hidden: 0.0 };
        Self {
            vessel: None,
            motion,
            prediction,
            position: (detection.bbox, at),
            first_seen: at,
            first_bbox: detection.bbox,
            last_seen: at,
            seen_bbox: detection.bbox,
            confidence,
            hits: 1,
            inspected: Duration::ZERO,
            inspected_at_last: Duration::ZERO,
            inspections: Inspections::new(detection, shown_px(detection, input), &config.confidence),
            most_log_odds: f32::NEG_INFINITY,
            missed: false,
            detection: Some(index),
        }
    }

    /// Predicts the track for a pass, `elapsed` after the previous pass.
    pub(super) fn predict(&mut self, input: &TrackerInput<'_>, elapsed: Duration) {
        self.detection = None;
        let [dx, dy] = input.shift;
        self.motion.shift(dx, dy);
        self.inspections.begin_pass(input.shift);
        let b = self.position.0;
        self.position.0 = BBox::new(b.x0 + dx, b.y0 + dy, b.x1 + dx, b.y1 + dy);
        let unseen = input.at.since(self.last_seen);
        // A stationary vessel is expected at the same place, however long it was not detected.
        let moved = if self.is_stationary() { unseen.min(STATIONARY_UNCERTAINTY) } else { unseen };
        self.prediction.motion = self.motion.clone();
        self.prediction.motion.predict(moved.as_secs_f64());
        self.prediction.unseen_s = unseen.as_secs_f64();
        if input.inspects(&self.prediction.motion.bbox()) {
            self.inspected += elapsed;
            self.missed = true; // Until it is detected.
            self.inspections.missed(input.shown_px(&self.prediction.motion.bbox()).unwrap_or(0.0));
        }
    }

    /// The box in which it may hide other vessels.
    pub(super) fn hiding_box(&self, at: MonoTime) -> Option<BBox<Px>> {
        let known = self.is_vessel() && at.since(self.last_seen) < HIDES_FOR;
        known.then(|| self.prediction.motion.bbox())
    }

    /// Notes how much of it other vessels may hide.
    pub(super) fn set_hidden_by<'a>(&mut self, others: impl Iterator<Item = &'a BBox<Px>>) {
        self.prediction.hidden = hidden(&self.prediction.motion.bbox(), others);
    }

    /// Continues the track with a detection of this pass.
    pub(super) fn update(
        &mut self,
        detection: &Detection,
        index: usize,
        input: &TrackerInput<'_>,
        config: &TrackerConfig,
    ) {
        let at = input.at;
        self.prediction.motion.correct(&detection.bbox, self.prediction.hidden);
        self.prediction.confidence = detection.confidence;
        self.motion = self.prediction.motion.clone();
        let now = self.motion.bbox();
        if has_left(&self.position.0, &now) {
            self.position = (now, at);
        }
        self.last_seen = at;
        self.inspected_at_last = self.inspected;
        self.missed = false;
        self.hits = self.hits.saturating_add(1);
        self.seen_bbox = detection.bbox;
        self.confidence += (detection.confidence - self.confidence) / self.hits as f32;
        self.detection = Some(index);
        if self.vessel.is_none() {
            self.inspections.detected(detection, &now, shown_px(detection, input), &config.confidence);
        }
    }

    /// True once it has a vessel number.
    pub(super) fn is_vessel(&self) -> bool {
        self.vessel.is_some()
    }

    /// The number of its detections if it is tentative; 0 if it is confirmed.
    pub(super) fn unconfirmed_hits(&self) -> u64 {
        if self.is_vessel() { 0 } else { self.hits.into() }
    }

    /// Logarithm of how much likelier it is a vessel than clutter, while tentative. One box alone says nothing: it may be a
    /// glint.
    pub(super) fn log_odds(&mut self) -> f32 {
        let log_odds = self.inspections.log_odds(self.inspected_at_last);
        self.most_log_odds = self.most_log_odds.max(log_odds);
        if self.hits < 2 { f32::NEG_INFINITY } else { log_odds }
    }

    /// Whether it was ever likelier a vessel than clutter.
    pub(super) fn could_be_vessel(&self) -> bool {
        self.most_log_odds > 0.0
    }

    /// The waterline point of its last detection, filtered.
    pub(super) fn waterline(&self) -> Point<Px> {
        self.motion.bbox().waterline()
    }

    /// Whether it is faster than any vessel.
    pub(super) fn is_too_fast(&self) -> bool {
        let (from, to) = (self.first_bbox.centre(), self.seen_bbox.centre());
        let lengths = from.distance(to) / self.seen_bbox.longer_side();
        lengths > MAX_SPEED * self.last_seen.since(self.first_seen).as_secs_f32()
    }

    pub(super) fn has_ended(&self, at: MonoTime, config: &TrackerConfig) -> bool {
        let limit = match self.vessel {
            None => config.tentative_for,
            Some(_) if self.is_stationary() => {
                let most = config.lost_for_stationary.max(config.lost_for);
                self.stationary_for().clamp(config.lost_for, most)
            }
            Some(_) => config.lost_for,
        };
        let missed_for = self.inspected - self.inspected_at_last;
        missed_for > limit || at.since(self.last_seen) > limit * MAX_UNSEEN
    }

    fn stationary_for(&self) -> Duration {
        self.last_seen.since(self.position.1)
    }

    fn is_stationary(&self) -> bool {
        self.stationary_for() >= STATIONARY_AFTER
    }

    pub(super) fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    pub(super) fn detection(&self) -> Option<usize> {
        self.detection
    }

    /// The report of this pass; `None` while tentative.
    pub(super) fn report(&self, ended: bool) -> Option<Track> {
        let state = match self.detection {
            _ if ended => TrackState::Ended,
            Some(_) => TrackState::Confirmed,
            None if self.missed => TrackState::Lost,
            None => TrackState::NotInspected,
        };
        Some(Track {
            vessel: self.vessel?,
            state,
            // A track ends at its last detection; a prediction would be too uncertain by now.
            bbox: if ended { self.motion.bbox() } else { self.prediction.motion.bbox() },
            detection: self.detection.filter(|_| !ended),
            first_seen: self.first_seen,
            first_bbox: self.first_bbox,
            last_seen: self.last_seen,
            hits: self.hits,
            seen_bbox: self.seen_bbox,
            confidence: self.confidence,
            velocity: (!self.is_stationary()).then(|| self.motion.velocity()),
        })
    }
}

/// The longer side of a detection in the model's input. A box that was joined from two regions is shown whole by none.
fn shown_px(detection: &Detection, input: &TrackerInput<'_>) -> f32 {
    input.shown_px(&detection.bbox).unwrap_or(input.input_px)
}

/// Whether a vessel has left its stationary position. Along the water both ends must have moved: when one end stays, another
/// vessel passes in front of the other end.
fn has_left(position: &BBox<Px>, now: &BBox<Px>) -> bool {
    let (left, right) = (now.x0 - position.x0, now.x1 - position.x1);
    let along = if left * right > 0.0 { left.abs().min(right.abs()) } else { 0.0 };
    let down = (now.centre().y - position.centre().y).abs();
    along > STATIONARY_WITHIN * position.width() || down > STATIONARY_WITHIN * position.height()
}
