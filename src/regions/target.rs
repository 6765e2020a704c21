//! One thing that the detector should see again: where it is expected, and how urgent it is.

use std::time::Duration;

use super::pass::PassContext;
use super::tiles::longer_side_px;
use crate::clock::MonoTime;
use crate::geometry::{BBox, Px};

/// A stationary vessel is inspected this often.
const STATIONARY_EVERY: Duration = Duration::from_secs(2);
/// A moving vessel is inspected when it has moved by this share of its length, ...
const MAX_MOVE: f32 = 0.5;
/// ... and at least this often, ...
const MOVING_EVERY: Duration = Duration::from_millis(750);
/// ... or this often in the zone of an active rule.
const PRIORITY_EVERY: Duration = Duration::from_millis(500);
/// A box that may become a vessel is due in every pass, but a vessel that waits longer than its interval comes first: there may be
/// many such boxes, and no vessel must be lost for them.
const MAX_UNASSIGNED_URGENCY: f32 = 1.2;
/// A vessel is new for this long. It is inspected in every pass, because each detection helps to confirm it.
const NEW_FOR: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TargetKind {
    /// A confirmed vessel, by its number.
    Vessel(u64),
    /// A box that may become a vessel.
    Unassigned,
    /// A box that a tile's border cut.
    Cut,
    /// A box whose confidence is too low to become a vessel.
    LowConfidence,
}

#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) kind: TargetKind,
    pub(super) bbox: BBox<Px>,
    first_seen: MonoTime,
    /// When the target was last detected. `bbox` is of that time.
    pub(super) last_seen: MonoTime,
    /// When a crop last showed the expected box.
    last_shown: MonoTime,
    /// The time before that, in case the last pass fails.
    shown_before: MonoTime,
    /// Pixels a second; `None` while stationary.
    pub(super) velocity: Option<[f32; 2]>,
    /// The predicted box, within the frame; `None` when outside.
    pub(super) expected: Option<BBox<Px>>,
    /// How far the prediction may be off.
    pub(super) uncertainty_px: f32,
    /// The target is due from 1 on.
    pub(super) urgency: f32,
}

impl Target {
    pub(super) fn new(kind: TargetKind, bbox: BBox<Px>, at: MonoTime) -> Self {
        Self {
            kind,
            bbox,
            first_seen: at,
            last_seen: at,
            last_shown: at,
            shown_before: at,
            velocity: Some([0.0; 2]),
            expected: None,
            uncertainty_px: 0.0,
            urgency: 0.0,
        }
    }

    pub(super) fn detected(&mut self, bbox: BBox<Px>, at: MonoTime) {
        (self.bbox, self.last_seen) = (bbox, at);
    }

    pub(super) fn mark_shown(&mut self, at: MonoTime) {
        if self.last_shown != at {
            (self.last_shown, self.shown_before) = (at, self.last_shown);
        }
        self.urgency = 0.0;
    }

    /// Takes back what the failed pass of time `at` marked.
    pub(super) fn undo_shown(&mut self, at: MonoTime) {
        if self.last_shown == at {
            self.last_shown = self.shown_before;
        }
    }

    /// Predicts where the target is now, and how urgent it is. `half_pass` is half of the time between two passes.
    pub(super) fn predict(&mut self, context: &PassContext<'_>, half_pass: Duration) {
        let dt = context.at.since(self.last_seen).as_secs_f32();
        let [dx, dy] = self.velocity.unwrap_or_default().map(|v| v * dt);
        let b = &self.bbox;
        let moved = BBox::new(b.x0 + dx, b.y0 + dy, b.x1 + dx, b.y1 + dy);
        self.expected = moved.intersection(&context.frame.bounds());
        let uncertainty = match self.kind {
            TargetKind::Cut => 0.0,
            TargetKind::Unassigned | TargetKind::LowConfidence => 0.5,
            TargetKind::Vessel(_) if self.velocity.is_none() => 0.05,
            TargetKind::Vessel(_) => (0.1 + 0.3 * dt).min(1.0),
        };
        self.uncertainty_px = uncertainty * longer_side_px(b);
        let waited = context.at.since(self.last_shown) + half_pass;
        let urgency = waited.as_secs_f32() / self.interval(context).max(half_pass * 2).as_secs_f32();
        self.urgency = match self.kind {
            TargetKind::Unassigned => urgency.min(MAX_UNASSIGNED_URGENCY),
            // Just due, so that it comes after everything that is certainly there.
            TargetKind::LowConfidence => 1.0,
            _ => urgency,
        };
    }

    pub(super) fn is_due(&self) -> bool {
        self.urgency >= 1.0 && self.expected.is_some()
    }

    /// Time after which the predicted position has become uncertain.
    fn interval(&self, context: &PassContext<'_>) -> Duration {
        let at = context.at;
        let has_priority = || {
            let anchor = context.frame.normalise(self.bbox.waterline());
            context.priority_areas.iter().any(|area| area.contains(anchor))
        };
        match self.kind {
            TargetKind::Unassigned | TargetKind::Cut | TargetKind::LowConfidence => Duration::ZERO,
            TargetKind::Vessel(_) if at.since(self.first_seen) < NEW_FOR => Duration::ZERO,
            // It was not found again where it was expected, so it can wait like a stationary one.
            TargetKind::Vessel(_) if at.since(self.last_seen) > STATIONARY_EVERY => STATIONARY_EVERY,
            TargetKind::Vessel(_) => {
                let Some([vx, vy]) = self.velocity else { return STATIONARY_EVERY };
                let speed = vx.hypot(vy).max(1e-3);
                let moved =
                    Duration::from_secs_f32((MAX_MOVE * longer_side_px(&self.bbox) / speed).min(60.0));
                moved.min(if has_priority() { PRIORITY_EVERY } else { MOVING_EVERY })
            }
        }
    }
}
