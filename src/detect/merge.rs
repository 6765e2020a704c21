//! One vessel, one box: what several regions of a frame saw, put together.
//!
//! A region's border cuts vessels. A cut box is taken for less than a whole one: it gives way to a larger box of another
//! region that holds most of it; two cut boxes that meet at the border between their regions become one.

use super::{Class, Detection};
use crate::geometry::{BBox, FrameSize, Px};

/// A box this near to a region's border, as a share of the region's side, is taken to be cut by it: models place edges
/// no better.
const BORDER: f32 = 0.02;
/// A cut box of which more than this lies in a larger box of another region is a part of that.
const MOSTLY: f32 = 0.6;
/// Two halves share at least this much of the lower of both extents along the border.
const SHARED_SIDE: f32 = 0.6;
/// Halves left and right of a border stand on the same waterline, to within this share of the taller one.
const WATERLINE: f32 = 0.25;

/// A box and the region it was seen in, both in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// What was seen.
    pub detection: Detection,
    /// Where was looked.
    pub region: BBox<Px>,
}

/// Which of a region's borders cut a box. The frame's own edges cut nothing: beyond them nobody looks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cuts {
    left: bool,
    right: bool,
    top: bool,
    bottom: bool,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    detection: Detection,
    /// The regions it was seen in, joined.
    region: BBox<Px>,
    cuts: Cuts,
    /// Made of several boxes.
    joined: bool,
}

/// Detections of a frame, each vessel once, the surest first. `iou` is the overlap from which two boxes are one.
pub fn merge(sightings: Vec<Sighting>, frame: FrameSize, iou: f32) -> Vec<Detection> {
    let mut parts: Vec<Part> = sightings.into_iter().map(|s| Part::new(s, frame)).collect();
    drop_parts_of_wholes(&mut parts);
    while join_two(&mut parts) {}
    drop_parts_of_wholes(&mut parts);
    // Whole before joined before cut, then by confidence: the first of a heap stays.
    parts.sort_by(|a, b| {
        a.rank().cmp(&b.rank()).then(b.detection.confidence.total_cmp(&a.detection.confidence))
    });
    let mut kept: Vec<Detection> = Vec::new();
    for Part { detection, .. } in parts {
        match kept.iter_mut().find(|k| k.class == detection.class && k.bbox.iou(&detection.bbox) > iou) {
            // Two regions agree: the surer of both confidences is right about it.
            Some(same) => same.confidence = same.confidence.max(detection.confidence),
            None => kept.push(detection),
        }
    }
    kept.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    kept
}

impl Part {
    fn new(Sighting { detection, region }: Sighting, frame: FrameSize) -> Self {
        let b = detection.bbox;
        let (w, h) = (frame.width as f32, frame.height as f32);
        let (near_x, near_y) = (region.width() * BORDER, region.height() * BORDER);
        let cuts = Cuts {
            left: region.x0 > 0.5 && b.x0 - region.x0 <= near_x,
            right: region.x1 < w - 0.5 && region.x1 - b.x1 <= near_x,
            top: region.y0 > 0.5 && b.y0 - region.y0 <= near_y,
            bottom: region.y1 < h - 0.5 && region.y1 - b.y1 <= near_y,
        };
        Self { detection, region, cuts, joined: false }
    }

    fn is_cut(&self) -> bool {
        self.cuts != Cuts::default()
    }

    fn rank(&self) -> u8 {
        match (self.is_cut(), self.joined) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        }
    }

    fn class(&self) -> Class {
        self.detection.class
    }
}

/// Drops cut boxes that lie mostly in a larger box from elsewhere.
fn drop_parts_of_wholes(parts: &mut Vec<Part>) {
    let all = parts.clone();
    parts.retain(|part| {
        let (own, area) = (part.detection.bbox, part.detection.bbox.area());
        !part.is_cut()
            || !all.iter().any(|other| {
                other.class() == part.class()
                    && other.region != part.region
                    && other.detection.bbox.area() > area
                    && own
                        .intersection(&other.detection.bbox)
                        .is_some_and(|shared| shared.area() > MOSTLY * area)
            })
    });
}

/// Joins the first two halves it finds; false when there are none.
fn join_two(parts: &mut Vec<Part>) -> bool {
    for i in 0..parts.len() {
        for j in 0..parts.len() {
            if i == j || parts[i].region == parts[j].region || parts[i].class() != parts[j].class() {
                continue;
            }
            let (a, b) = (parts[i], parts[j]);
            let cuts = if meet_sideways(&a, &b) {
                Cuts {
                    left: a.cuts.left,
                    right: b.cuts.right,
                    top: a.cuts.top || b.cuts.top,
                    bottom: a.cuts.bottom || b.cuts.bottom,
                }
            } else if meet_upright(&a, &b) {
                Cuts {
                    left: a.cuts.left || b.cuts.left,
                    right: a.cuts.right || b.cuts.right,
                    top: a.cuts.top,
                    bottom: b.cuts.bottom,
                }
            } else {
                continue;
            };
            let surer =
                if a.detection.confidence >= b.detection.confidence { a.detection } else { b.detection };
            parts[i] = Part {
                detection: Detection { bbox: a.detection.bbox.union(&b.detection.bbox), ..surer },
                region: a.region.union(&b.region),
                cuts,
                joined: true,
            };
            parts.remove(j);
            return true;
        }
    }
    false
}

/// True when `a` is cut on its right where `b`, on its left, goes on.
fn meet_sideways(a: &Part, b: &Part) -> bool {
    let (p, q) = (a.detection.bbox, b.detection.bbox);
    let gap = BORDER * (a.region.width() + b.region.width());
    let waterline = WATERLINE * p.height().max(q.height());
    a.cuts.right
        && b.cuts.left
        && a.region.x0 < b.region.x0
        && q.x0 - p.x1 <= gap
        && p.x0 < q.x0
        && p.x1 < q.x1
        && (p.y1 - q.y1).abs() <= waterline
        && shared_side((p.y0, p.y1), (q.y0, q.y1)) >= SHARED_SIDE
}

/// True when `a` is cut at its bottom where `b`, below, goes on.
fn meet_upright(a: &Part, b: &Part) -> bool {
    let (p, q) = (a.detection.bbox, b.detection.bbox);
    let gap = BORDER * (a.region.height() + b.region.height());
    a.cuts.bottom
        && b.cuts.top
        && a.region.y0 < b.region.y0
        && q.y0 - p.y1 <= gap
        && p.y0 < q.y0
        && p.y1 < q.y1
        && shared_side((p.x0, p.x1), (q.x0, q.x1)) >= SHARED_SIDE
}

/// The common stretch of two intervals over the shorter of them.
fn shared_side((a0, a1): (f32, f32), (b0, b1): (f32, f32)) -> f32 {
    let shorter = (a1 - a0).min(b1 - b0);
    if shorter > 0.0 { (a1.min(b1) - a0.max(b0)) / shorter } else { 0.0 }
}
