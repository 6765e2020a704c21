//! All targets of a camera, and the crops that show them.

use std::time::Duration;

use super::config::MIN_SHOWN_PX;
use super::pass::{PassContext, PassResult, TrackedVessel};
use super::target::{Target, TargetKind};
use super::tiles::longer_side_px;
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Point, Px};

/// A tile of its own shows a vessel at this size in the model's input.
const SHOWN_PX: f32 = 80.0;
/// The smallest side of a tile.
const MIN_SIDE_PX: f32 = 320.0;
/// Sizes and positions of tiles are multiples of this. The preprocessor keeps its tables per tile, so tiles should recur.
const STEP_PX: f32 = 32.0;
/// A border may cut a box that is this near to it, as a share of the tile's side.
const BORDER: f32 = 0.03;
/// An unassigned box is dropped when it was not detected again within this time.
const UNASSIGNED_FOR: Duration = Duration::from_secs(1);
/// A cut or low-confidence box that came to nothing in a close-up is ignored for this long, and twice as long each time, ...
const IGNORED_FOR: Duration = Duration::from_secs(2);
/// ... up to this.
const IGNORED_FOR_AT_MOST: Duration = Duration::from_secs(60);
/// A cut box is shown with this share of its own size around it.
const AROUND_CUT: f32 = 0.6;
/// Boxes with at least this overlap are the same thing.
const SAME_IOU: f32 = 0.2;

#[derive(Clone, Debug)]
pub(super) struct Targets {
    input_px: f32,
    /// Half of the time between two passes.
    half_pass: Duration,
    targets: Vec<Target>,
    close_ups: Vec<CloseUp>,
}

/// A cut or low-confidence box that was shown larger.
#[derive(Clone, Debug)]
struct CloseUp {
    bbox: BBox<Px>,
    at: MonoTime,
    ignored_for: Duration,
}

impl Targets {
    pub(super) fn new(input_px: f32, detect_fps: f32) -> Self {
        let half_pass = Duration::from_secs_f32(0.5 / detect_fps.max(0.01));
        Self { input_px, half_pass, targets: Vec::new(), close_ups: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.targets.clear();
        self.close_ups.clear();
    }

    pub(super) fn predict(&mut self, context: &PassContext<'_>) {
        for target in &mut self.targets {
            target.predict(context, self.half_pass);
        }
    }

    /// Marks the targets that `crop` shows.
    pub(super) fn mark_shown(&mut self, crop: &BBox<Px>, context: &PassContext<'_>) {
        for i in 0..self.targets.len() {
            if self.shows(crop, &self.targets[i], context.frame) {
                let target = &mut self.targets[i];
                target.mark_shown(context.at);
                if matches!(target.kind, TargetKind::Cut | TargetKind::LowConfidence) {
                    add_close_up(&mut self.close_ups, target.bbox, context.at);
                }
            }
        }
    }

    /// Takes back what the failed pass of time `at` marked.
    pub(super) fn undo_shown(&mut self, at: MonoTime) {
        self.targets.iter_mut().for_each(|target| target.undo_shown(at));
        self.close_ups.retain(|close_up| close_up.at != at);
    }

    /// True when `p` lies in or near a target, so that motion there needs no other explanation.
    pub(super) fn covers(&self, p: Point<Px>) -> bool {
        let near = |b: &BBox<Px>, by: f32| {
            p.x >= b.x0 - by && p.x <= b.x1 + by && p.y >= b.y0 - by && p.y <= b.y1 + by
        };
        self.targets.iter().any(|target| near(&target.bbox, 0.25 * longer_side_px(&target.bbox)))
    }

    /// The crop that shows the most urgent target, and as many other due targets as possible; `None` when no target is due.
    /// A tile of the sweep is preferred to an own crop of equal worth, because it also serves the sweep.
    pub(super) fn best_crop<'a>(
        &self,
        sweep_tiles: impl Iterator<Item = &'a BBox<Px>>,
        context: &PassContext<'_>,
    ) -> Option<BBox<Px>> {
        let due = self.targets.iter().filter(|target| target.is_due());
        let first = due.clone().reduce(|a, b| if b.urgency > a.urgency { b } else { a })?;
        let worth = |crop: &BBox<Px>| -> f32 {
            due.clone().filter(|target| self.shows(crop, target, context.frame)).map(|t| t.urgency).sum()
        };
        let own = self.own_crop(first, context.frame);
        let (mut best, mut most) = (own, worth(&own) - 1e-3);
        for crop in sweep_tiles.filter(|crop| self.shows(crop, first, context.frame)) {
            let worth = worth(crop);
            if worth > most {
                (best, most) = (*crop, worth);
            }
        }
        Some(best)
    }

    /// Whether `crop` shows all of a target, large enough in the model's input.
    fn shows(&self, crop: &BBox<Px>, target: &Target, frame: FrameSize) -> bool {
        let Some(b) = target.expected else { return false };
        let margin = target.uncertainty_px;
        let (across, down) = (margin + BORDER * crop.width(), margin + BORDER * crop.height());
        let (w, h) = (frame.width as f32, frame.height as f32);
        let whole = (crop.x0 <= 0.0 || b.x0 - across >= crop.x0)
            && (crop.y0 <= 0.0 || b.y0 - down >= crop.y0)
            && (crop.x1 >= w || b.x1 + across <= crop.x1)
            && (crop.y1 >= h || b.y1 + down <= crop.y1);
        let shown_px = self.input_px * (b.width() / crop.width()).max(b.height() / crop.height());
        // A very small target cannot be shown larger than the smallest tile shows it.
        let reachable_px = 0.9 * self.input_px * longer_side_px(&b) / MIN_SIDE_PX;
        let enough_px = if target.kind == TargetKind::LowConfidence { 0.9 * SHOWN_PX } else { MIN_SHOWN_PX }
            .min(reachable_px);
        whole && shown_px >= enough_px
    }

    /// A tile around a target, and around other targets that fit into a tile that still shows all of them well.
    fn own_crop(&self, first: &Target, frame: FrameSize) -> BBox<Px> {
        let grown = |target: &Target| {
            let (b, by) = (target.expected?, target.uncertainty_px);
            BBox::new(b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by).intersection(&frame.bounds())
        };
        let side_for = |b: &BBox<Px>| longer_side_px(b) / (1.0 - 2.5 * BORDER);
        // The largest side at which the target still has enough pixels.
        let max_side = |target: &Target| {
            target
                .expected
                .map_or(0.0, |b| self.input_px * longer_side_px(&b) / (1.5 * MIN_SHOWN_PX))
                .max(MIN_SIDE_PX)
        };
        let Some(mut around) = grown(first) else { return frame.bounds() };
        let mut most = max_side(first);
        let mut others: Vec<&Target> = self.targets.iter().filter(|target| target.urgency > 0.0).collect();
        others.sort_by(|a, b| b.urgency.total_cmp(&a.urgency));
        for other in others {
            let Some(b) = grown(other) else { continue };
            let (joint, limit) = (around.union(&b), most.min(max_side(other)));
            if side_for(&joint) <= limit {
                (around, most) = (joint, limit);
            }
        }
        let own = first.expected.map_or(0.0, |b| self.input_px * longer_side_px(&b) / SHOWN_PX);
        let side = side_for(&around).max(own.min(most)).max(MIN_SIDE_PX);
        square_at(around.centre(), (side / STEP_PX).ceil() * STEP_PX, frame)
    }

    /// Replaces the targets by those of the pass made at time `at`.
    pub(super) fn update(&mut self, result: &PassResult<'_>, at: MonoTime) {
        let vessels = self.vessels(result, at);
        let is_vessel = |b: &BBox<Px>| vessels.iter().any(|target| contains_most(&target.bbox, b));
        let mut targets = self.unassigned(result, at);
        for old in &self.targets {
            let remains = old.kind == TargetKind::Unassigned
                && at.since(old.last_seen) <= UNASSIGNED_FOR
                && !is_vessel(&old.bbox)
                && targets.iter().all(|target| target.bbox.iou(&old.bbox) <= SAME_IOU);
            if remains {
                targets.push(old.clone());
            }
        }
        // Kept for as long again, so that a box that comes back is ignored for twice as long.
        self.close_ups.retain(|close_up| at.since(close_up.at) < close_up.ignored_for * 2);
        let is_ignored = |b: &BBox<Px>| {
            let recent = |close_up: &CloseUp| at.since(close_up.at) < close_up.ignored_for;
            self.close_ups.iter().any(|close_up| recent(close_up) && contains_most(&close_up.bbox, b))
        };
        let is_free = |b: &&BBox<Px>| !is_ignored(b) && !is_vessel(b);
        for cut in result.cut.iter().filter(is_free) {
            let by = AROUND_CUT * longer_side_px(cut);
            let around = BBox::new(cut.x0 - by, cut.y0 - by, cut.x1 + by, cut.y1 + by);
            targets.push(Target::new(TargetKind::Cut, around, at));
        }
        // Upright things on the water are buoys, posts and lamps. Shown larger, more of them would pass for vessels.
        let is_wide = |b: &&BBox<Px>| b.width() >= b.height();
        let low = result.low_confidence.iter().filter(is_free).filter(is_wide);
        targets.extend(low.map(|bbox| Target::new(TargetKind::LowConfidence, *bbox, at)));
        targets.extend(vessels);
        self.targets = targets;
    }

    fn vessels(&self, result: &PassResult<'_>, at: MonoTime) -> Vec<Target> {
        let target = |vessel: &TrackedVessel| {
            let kind = TargetKind::Vessel(vessel.id);
            let known = self.targets.iter().find(|target| target.kind == kind);
            let mut target = known.cloned().unwrap_or_else(|| Target::new(kind, vessel.bbox, at));
            target.velocity = vessel.velocity;
            if vessel.detected {
                target.detected(vessel.bbox, at);
            }
            target
        };
        result.vessels.iter().map(target).collect()
    }

    fn unassigned(&self, result: &PassResult<'_>, at: MonoTime) -> Vec<Target> {
        let target = |bbox: &BBox<Px>| {
            let same = |t: &&Target| t.kind == TargetKind::Unassigned && t.bbox.iou(bbox) > SAME_IOU;
            let known = self.targets.iter().find(same).cloned();
            let mut target = known.unwrap_or_else(|| Target::new(TargetKind::Unassigned, *bbox, at));
            target.detected(*bbox, at);
            target
        };
        result.unassigned.iter().map(target).collect()
    }
}

fn add_close_up(close_ups: &mut Vec<CloseUp>, bbox: BBox<Px>, at: MonoTime) {
    let same = close_ups.iter_mut().find(|close_up| contains_most(&close_up.bbox, &bbox));
    let doubled = |close_up: &CloseUp| (close_up.ignored_for * 2).min(IGNORED_FOR_AT_MOST);
    let close_up = CloseUp { bbox, at, ignored_for: same.as_deref().map_or(IGNORED_FOR, doubled) };
    match same {
        Some(same) => *same = close_up,
        None => close_ups.push(close_up),
    }
}

/// A square of `side` around `centre`, moved into the frame and to multiples of [`STEP_PX`].
fn square_at(centre: Point<Px>, side: f32, frame: FrameSize) -> BBox<Px> {
    let axis = |middle: f32, extent: f32| {
        if side >= extent {
            return (0.0, extent);
        }
        let start = ((middle - side / 2.0) / STEP_PX).round() * STEP_PX;
        let start = start.clamp(0.0, extent - side);
        (start, start + side)
    };
    let ((x0, x1), (y0, y1)) = (axis(centre.x, frame.width as f32), axis(centre.y, frame.height as f32));
    BBox::new(x0, y0, x1, y1)
}

/// True when most of `small` lies in `b`.
fn contains_most(b: &BBox<Px>, small: &BBox<Px>) -> bool {
    b.intersection(small).is_some_and(|shared| shared.area() > 0.6 * small.area())
}
