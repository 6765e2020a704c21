//! Merges what the regions of a frame show, so that each vessel has one box.
//!
//! The border of a region cuts vessels. A cut box counts less than a complete one: it is dropped when a larger box of another
//! region contains most of it. Two cut boxes that meet at the border between their regions become one.

mod fragment;
mod region_detection;
#[cfg(test)]
mod tests;

use super::detection::Detection;
use crate::geometry::{BBox, FrameSize, Px};
use fragment::{Fragment, drop_contained, join_halves};
pub use region_detection::RegionDetection;

/// A box with at least this share inside a box of higher confidence ...
const WITHIN: f32 = 0.9;
/// ... is a part of that vessel (its wheelhouse, its sails) when it ends above the vessel's waterline by at least this share
/// of the vessel's height. A boat in front of a ship ends at the ship's waterline or lower; one behind it sticks out.
const ABOVE_WATERLINE: f32 = 0.2;

/// When the left and right ends of two boxes differ by at most this share of the wider one, ...
const SAME_ENDS: f32 = 0.08;
/// ... and their waterlines by at most this share of the taller one, one box is the hull and the other the hull with masts and
/// sails. Of two vessels of equal length in the picture, the nearer one has a lower waterline.
const SAME_WATERLINE: f32 = 0.06;

/// The detections of a frame, each vessel once, by falling confidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// Complete boxes.
    pub complete: Vec<Detection>,
    /// Boxes that a region's border cut and that no other region completed.
    pub cut: Vec<Detection>,
}

impl Merged {
    /// Complete and cut boxes, by falling confidence.
    pub fn all(self) -> Vec<Detection> {
        let mut all = self.complete;
        all.extend(self.cut);
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        all
    }
}

/// Merges the detections of all regions of a frame. `iou` is the overlap above which two boxes are duplicates.
pub fn merge(detections: Vec<RegionDetection>, frame: FrameSize, iou: f32) -> Merged {
    let mut fragments: Vec<Fragment> = detections.into_iter().map(|d| Fragment::new(d, frame)).collect();
    // Complete boxes absorb their parts first. Then halves are joined, before the larger half can absorb the smaller one.
    drop_contained(&mut fragments, |other| !other.is_cut());
    join_halves(&mut fragments);
    drop_contained(&mut fragments, |_| true);
    // Complete before joined before cut, then by confidence. Of overlapping boxes, the first stays.
    fragments.sort_by(|a, b| {
        a.rank().cmp(&b.rank()).then(b.detection.confidence.total_cmp(&a.detection.confidence))
    });
    let mut kept: Vec<(Detection, bool)> = Vec::new();
    for fragment in fragments {
        let detection = fragment.detection;
        let is_same = |k: &Detection| {
            k.class == detection.class
                && (k.bbox.iou(&detection.bbox) > iou || is_same_with_rigging(&k.bbox, &detection.bbox))
        };
        if let Some(at) = kept.iter().position(|(k, _)| is_same(k)) {
            kept[at].0.confidence = kept[at].0.confidence.max(detection.confidence);
        } else if !kept.iter().any(|(vessel, _)| is_part(&detection, vessel)) {
            kept.push((detection, fragment.is_cut()));
        }
    }
    kept.sort_by(|(a, _), (b, _)| b.confidence.total_cmp(&a.confidence));
    let (cut, complete): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(_, cut)| *cut);
    let boxes = |kept: Vec<(Detection, bool)>| kept.into_iter().map(|(detection, _)| detection).collect();
    Merged { complete: boxes(complete), cut: boxes(cut) }
}

/// Whether one box is a hull and the other the same vessel with masts and sails.
fn is_same_with_rigging(a: &BBox<Px>, b: &BBox<Px>) -> bool {
    let ends = SAME_ENDS * a.width().max(b.width());
    let water = SAME_WATERLINE * a.height().max(b.height());
    let near = |p: f32, q: f32, by: f32| (p - q).abs() <= by;
    near(a.x0, b.x0, ends) && near(a.x1, b.x1, ends) && near(a.y1, b.y1, water)
}

/// Whether `small` is a part of `vessel` above its waterline.
fn is_part(small: &Detection, vessel: &Detection) -> bool {
    let (part, bounds) = (small.bbox, vessel.bbox);
    let inside = part.intersection(&bounds).map_or(0.0, |shared| shared.area() / part.area());
    small.class == vessel.class && inside >= WITHIN && part.y1 < bounds.y1 - ABOVE_WATERLINE * bounds.height()
}
