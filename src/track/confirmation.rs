//! When a tentative track becomes a vessel: a sequential test of "vessel" against "clutter".
//!
//! A fixed camera inspects the same place dozens of times, so no single box must decide (Wald, "Sequential Tests of
//! Statistical Hypotheses", 1945). Each inspection gives a log-likelihood ratio: a detection by its confidence and size, a
//! missed one by the size at which the place was shown. Inspections of something that stands still repeat each other, so they
//! count as a few independent ones. A track that moves shows the model something new with each part of its own length. And
//! clutter seldom moves like a vessel, so the distance itself is evidence.
//!
//! The track is confirmed when the sum reaches the limit that the clutter map gives for its place. The constants were chosen on
//! two cameras that the detector was not trained on, the weight of movement on two more (`docs/measurements.md`).

use std::time::Duration;

use crate::detect::{ConfidenceScale, Detection};
use crate::geometry::{BBox, Point, Px};

/// Inspections of something that stands still are independent when they are this far apart: waves, light and compression have
/// changed.
const INDEPENDENT_AFTER_S: f32 = 1.0;
/// Something that stands still gives at most this many independent inspections. What the model takes for a vessel once, it
/// takes for one an hour later.
const STILL_INSPECTIONS: f32 = 4.0;
/// A track that moved by this share of its length gives one more independent inspection.
const INDEPENDENT_MOVE: f32 = 0.5;
/// The jitter of boxes, as a share of their length. It is no movement.
const JITTER: f32 = 0.25;
/// Evidence for a vessel in each length that the track moved, ...
const MOVE: f32 = 1.0;
/// ... up to this many lengths.
const MAX_MOVES: f32 = 2.0;

/// The model finds no vessel below this longer side in its input, ...
const NEVER_FOUND_PX: f32 = 8.0;
/// ... each pixel more adds a thirty-second, ...
const FOUND_PER_PX: f32 = 1.0 / 32.0;
/// ... and it finds at most this share of large ones.
const MOSTLY_FOUND: f32 = 0.7;

/// What the inspections of a tentative track showed.
#[derive(Clone, Debug)]
pub(super) struct Inspections {
    /// Sum of the log-likelihood ratios, and their number.
    sum: f32,
    count: f32,
    /// What this pass added for an inspection without a detection.
    missed: Option<f32>,
    /// Waterline point of the first detection, ...
    from: Point<Px>,
    /// ... and of the newest one.
    to: Point<Px>,
    length_px: f32,
}

impl Inspections {
    /// `shown_px` is the longer side of the box in the model's input, here and below.
    pub(super) fn new(first: &Detection, shown_px: f32, scale: &ConfidenceScale) -> Self {
        let at = first.bbox.waterline();
        let sum = scale.log_ratio(first.confidence, shown_px);
        Self { sum, count: 1.0, missed: None, from: at, to: at, length_px: first.bbox.longer_side() }
    }

    /// A pass begins. The whole picture moved by `shift`.
    pub(super) fn begin_pass(&mut self, [dx, dy]: [f32; 2]) {
        self.missed = None;
        for p in [&mut self.from, &mut self.to] {
            *p = Point::new(p.x + dx, p.y + dy);
        }
    }

    /// The pass inspects its place; no detection is assigned yet.
    pub(super) fn missed(&mut self, shown_px: f32) {
        let found = ((shown_px - NEVER_FOUND_PX) * FOUND_PER_PX).clamp(0.0, MOSTLY_FOUND);
        let ratio = (1.0 - found).ln();
        self.sum += ratio;
        self.count += 1.0;
        self.missed = Some(ratio);
    }

    /// A detection is assigned; `filtered` is the track's box.
    pub(super) fn detected(
        &mut self,
        detection: &Detection,
        filtered: &BBox<Px>,
        shown_px: f32,
        scale: &ConfidenceScale,
    ) {
        if let Some(ratio) = self.missed.take() {
            self.sum -= ratio;
            self.count -= 1.0;
        }
        self.sum += scale.log_ratio(detection.confidence, shown_px);
        self.count += 1.0;
        self.to = filtered.waterline();
        self.length_px += (filtered.longer_side() - self.length_px) / self.count;
    }

    /// Logarithm of how much likelier a vessel is than clutter. `inspected` is the time since the first detection in which the
    /// place was inspected.
    pub(super) fn log_odds(&self, inspected: Duration) -> f32 {
        let moved = (self.from.distance(self.to) / self.length_px.max(1.0) - JITTER).max(0.0);
        let still = (1.0 + inspected.as_secs_f32() / INDEPENDENT_AFTER_S).min(STILL_INSPECTIONS);
        let independent = (still + moved / INDEPENDENT_MOVE).min(self.count);
        independent * self.sum / self.count + MOVE * moved.min(MAX_MOVES)
    }
}
