//! Compares the detections of a pass with the true vessels of its frame.
//!
//! Matching is COCO's: the box of highest confidence takes the true box that it overlaps most, from an overlap of 0.5 up. A
//! vessel of which less than half is visible need not be found; a detection of it is neither a hit nor false.

use serde::Serialize;

use crate::cli::eval::matching::{FoundBox, Matching, Measure, PictureBoxes, TruthBox, Verdict, XyWh};
use crate::geometry::{BBox, Px};

/// Overlap (intersection over union) at which a vessel is found.
const MIN_OVERLAP: f64 = 0.5;
/// A vessel must be found when at least this share of it is visible.
const MIN_VISIBILITY: f32 = 0.5;

/// A true vessel in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TrueVessel {
    pub(super) vessel: i64,
    pub(super) bbox: BBox<Px>,
    /// The visible share, 0 to 1.
    pub(super) visibility: f32,
}

impl TrueVessel {
    pub(super) fn must_be_found(&self) -> bool {
        self.visibility >= MIN_VISIBILITY
    }
}

/// A detected vessel in a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DetectedVessel {
    pub(super) bbox: BBox<Px>,
    pub(super) confidence: f32,
    /// The number of the vessel it was assigned to, if any.
    pub(super) number: Option<u64>,
}

/// A verdict for each of `found`.
pub(super) fn verdicts(truth: &[TrueVessel], found: &[DetectedVessel]) -> Vec<Verdict> {
    // Of a vessel that need not be found, only a part can be detected, so it counts as a crowd: a box must lie in it.
    let true_box = |t: &TrueVessel| {
        let (bbox, area_px) = (xywh(&t.bbox), t.bbox.area().into());
        TruthBox { bbox, area_px, crowd: !t.must_be_found(), ignore: false }
    };
    let found_box = |d: &DetectedVessel| FoundBox { bbox: xywh(&d.bbox), score: d.confidence.into() };
    let truth = truth.iter().map(true_box).collect();
    let picture = PictureBoxes { truth, found: found.iter().map(found_box).collect() };
    let mut verdicts = vec![Verdict::False; found.len()];
    for (index, _, verdict) in
        Matching::new(&picture, usize::MAX, Measure::Overlap, |_| true).verdicts(MIN_OVERLAP)
    {
        verdicts[index] = verdict;
    }
    verdicts
}

/// Left edge, top edge, width and height of a box.
pub(super) fn xywh(b: &BBox<Px>) -> XyWh {
    let [x0, y0, x1, y1] = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
    [x0, y0, x1 - x0, y1 - y0]
}

/// The size of a vessel in the frame, by the square root of its box's area. The limits are COCO's, and one below them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::IntoStaticStr, strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(super) enum SizeClass {
    Tiny,
    Small,
    Medium,
    Large,
}

impl SizeClass {
    pub(super) fn of(bbox: &BBox<Px>) -> Self {
        match bbox.area().sqrt() {
            side if side < 16.0 => Self::Tiny,
            side if side < 32.0 => Self::Small,
            side if side < 96.0 => Self::Medium,
            _ => Self::Large,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(vessel: i64, x: f32, visibility: f32) -> TrueVessel {
        TrueVessel { vessel, bbox: BBox::from_xywh(x, 100.0, 40.0, 20.0), visibility }
    }

    fn found(x: f32, width: f32, confidence: f32) -> DetectedVessel {
        DetectedVessel { bbox: BBox::from_xywh(x, 100.0, width, 20.0), confidence, number: None }
    }

    #[test]
    fn a_vessel_is_found_once_by_the_best_box() {
        let verdicts = verdicts(
            &[truth(1, 0.0, 1.0)],
            &[found(4.0, 40.0, 0.5), found(2.0, 40.0, 0.9), found(300.0, 40.0, 0.9)],
        );
        assert_eq!(verdicts, [Verdict::False, Verdict::Hit(0), Verdict::False]);
    }

    #[test]
    fn a_hardly_visible_vessel_need_not_be_found() {
        let truth = [truth(1, 0.0, 0.3), truth(2, 60.0, 1.0)];
        // The first box covers the visible part. It overlaps the whole too little for a hit, but is not false.
        let found = [found(0.0, 12.0, 0.9), found(60.0, 40.0, 0.8)];
        assert_eq!(verdicts(&truth, &found), [Verdict::Ignored, Verdict::Hit(1)]);
        assert_eq!(verdicts(&truth, &[]), []);
    }

    #[test]
    fn size_classes_have_the_limits_of_coco() {
        let size = |w: f32, h: f32| SizeClass::of(&BBox::from_xywh(0.0, 0.0, w, h));
        assert_eq!(
            [size(20.0, 12.0), size(16.0, 16.0), size(40.0, 26.0), size(96.0, 96.0)],
            [SizeClass::Tiny, SizeClass::Small, SizeClass::Medium, SizeClass::Large]
        );
    }
}
