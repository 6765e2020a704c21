//! Boxes that may be cut by the border of a region, and how the halves of a vessel are joined.

use super::region_detection::RegionDetection;
use crate::detect::class::Class;
use crate::detect::detection::Detection;
use crate::geometry::{BBox, FrameSize, Px};

/// A box counts as cut when it is this near to a region's border, as a share of the region's side. Models place edges no
/// more accurately.
const BORDER: f32 = 0.02;
/// A cut box is dropped when a larger box of another region contains more than this share of it.
const MOSTLY: f32 = 0.6;
/// Two halves share at least this part of the shorter extent along the border.
const SHARED_SIDE: f32 = 0.6;
/// The waterlines of a left and a right half differ by at most this share of the taller half.
const WATERLINE: f32 = 0.25;

/// Which borders of a region cut a box. The frame's own edges do not count, because nothing beyond them is visible.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cuts {
    left: bool,
    right: bool,
    top: bool,
    bottom: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) detection: Detection,
    /// The union of the regions it was found in.
    region: BBox<Px>,
    cuts: Cuts,
    /// Made of several boxes.
    joined: bool,
}

impl Fragment {
    pub(super) fn new(RegionDetection { detection, region }: RegionDetection, frame: FrameSize) -> Self {
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

    pub(super) fn is_cut(&self) -> bool {
        self.cuts != Cuts::default()
    }

    /// 0 for complete boxes, 1 for joined ones, 2 for cut ones.
    pub(super) fn rank(&self) -> u8 {
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

/// Drops cut boxes that lie mostly in a larger box of another region, among those that `may_contain` them.
pub(super) fn drop_contained(fragments: &mut Vec<Fragment>, may_contain: impl Fn(&Fragment) -> bool) {
    let all = fragments.clone();
    fragments.retain(|fragment| {
        let (own, area) = (fragment.detection.bbox, fragment.detection.bbox.area());
        !fragment.is_cut()
            || !all.iter().any(|other| {
                may_contain(other)
                    && other.class() == fragment.class()
                    && other.region != fragment.region
                    && other.detection.bbox.area() > area
                    && own
                        .intersection(&other.detection.bbox)
                        .is_some_and(|shared| shared.area() > MOSTLY * area)
            })
    });
}

/// Joins halves until no two are left that meet. Of several pairs, the first in the order of `fragments` is joined.
pub(super) fn join_halves(fragments: &mut Vec<Fragment>) {
    let mut i = 0;
    while i < fragments.len() {
        // No fragment before `i` meets another. After a join, only the new fragment can meet one of them. To compare all pairs
        // again would take seconds for a picture with thousands of low-confidence boxes.
        let later = (0..fragments.len()).find_map(|j| Some((j, join(&fragments[i], &fragments[j])?)));
        let Some((j, mut joined)) = later else {
            i += 1;
            continue;
        };
        fragments[i] = joined;
        fragments.remove(j);
        i -= usize::from(j < i);
        while let Some((before, next)) = (0..i).find_map(|k| Some((k, join(&fragments[k], &joined)?))) {
            joined = next;
            fragments[before] = joined;
            fragments.remove(i);
            i = before;
        }
    }
}

/// Joins two halves, when `b` continues `a` to the right or below.
fn join(a: &Fragment, b: &Fragment) -> Option<Fragment> {
    if a.region == b.region || a.class() != b.class() {
        return None;
    }
    let cuts = if meets_right(a, b) {
        Cuts {
            left: a.cuts.left,
            right: b.cuts.right,
            top: a.cuts.top || b.cuts.top,
            bottom: a.cuts.bottom || b.cuts.bottom,
        }
    } else if meets_below(a, b) {
        Cuts {
            left: a.cuts.left || b.cuts.left,
            right: a.cuts.right || b.cuts.right,
            top: a.cuts.top,
            bottom: b.cuts.bottom,
        }
    } else {
        return None;
    };
    let best = if a.detection.confidence >= b.detection.confidence { a.detection } else { b.detection };
    Some(Fragment {
        detection: Detection { bbox: a.detection.bbox.union(&b.detection.bbox), ..best },
        region: a.region.union(&b.region),
        cuts,
        joined: true,
    })
}

/// True when `a` is cut on its right and `b`, cut on its left, continues it.
fn meets_right(a: &Fragment, b: &Fragment) -> bool {
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

/// True when `a` is cut at its bottom and `b`, cut at its top, continues it.
fn meets_below(a: &Fragment, b: &Fragment) -> bool {
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

/// The overlap of two intervals, divided by the length of the shorter one.
fn shared_side((a0, a1): (f32, f32), (b0, b1): (f32, f32)) -> f32 {
    let shorter = (a1 - a0).min(b1 - b0);
    if shorter > 0.0 { (a1.min(b1) - a0.max(b0)) / shorter } else { 0.0 }
}
