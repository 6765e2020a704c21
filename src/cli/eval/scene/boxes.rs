//! Detections held against the truth of their frame.
//!
//! As COCO does it: the surest first takes the true box that it overlaps most, from an overlap of 0.5 up. Of a vessel that
//! shows by less than half nothing is asked: its detection is neither a hit nor false.

use serde::Serialize;

use crate::geometry::{BBox, Px};

/// Overlap (intersection over union) from which a vessel is found.
pub(super) const FOUND: f32 = 0.5;
/// Visible share from which a vessel is to be found.
pub(super) const ASKED_FOR: f32 = 0.5;

/// A vessel in the truth of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TrueBox {
    pub(super) vessel: i64,
    pub(super) bbox: BBox<Px>,
    /// The share of it that shows, 0 to 1.
    pub(super) visibility: f32,
}

impl TrueBox {
    pub(super) fn is_asked_for(&self) -> bool {
        self.visibility >= ASKED_FOR
    }
}

/// What the watch took for a vessel in a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FoundBox {
    pub(super) bbox: BBox<Px>,
    pub(super) confidence: f32,
    /// The number of the vessel it was taken for, if any.
    pub(super) followed: Option<u64>,
}

/// What a detection is, held against the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this true box, by its place in the list.
    Hit(usize),
    /// It is a vessel that is hardly to be seen: neither right nor wrong.
    Ignored,
    /// Nothing is there, or it has been found already.
    False,
}

/// One verdict for each of `found`.
pub(super) fn judge(truth: &[TrueBox], found: &[FoundBox]) -> Vec<Verdict> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&a, &b| found[b].confidence.total_cmp(&found[a].confidence));
    let mut taken = vec![false; truth.len()];
    let mut verdicts = vec![Verdict::False; found.len()];
    for index in order {
        let bbox = found[index].bbox;
        let free = truth.iter().enumerate().filter(|(n, t)| !taken[*n] && t.is_asked_for());
        let best = free.map(|(n, t)| (n, t.bbox.iou(&bbox))).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((n, _)) = best.filter(|(_, overlap)| *overlap >= FOUND) {
            taken[n] = true;
            verdicts[index] = Verdict::Hit(n);
        } else if truth.iter().any(|t| !t.is_asked_for() && within(&bbox, &t.bbox) >= FOUND) {
            verdicts[index] = Verdict::Ignored;
        }
    }
    verdicts
}

/// The share of `part` that lies in `whole`: of a vessel half hidden only a part can be boxed.
fn within(part: &BBox<Px>, whole: &BBox<Px>) -> f32 {
    part.intersection(whole).map_or(0.0, |common| common.area() / part.area())
}

/// How large a vessel is in the frame: the square root of its box's area, split where COCO splits it and once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Size {
    Tiny,
    Small,
    Medium,
    Large,
}

impl Size {
    pub(super) const ALL: [Self; 4] = [Self::Tiny, Self::Small, Self::Medium, Self::Large];

    pub(super) fn of(bbox: &BBox<Px>) -> Self {
        match bbox.area().sqrt() {
            side if side < 16.0 => Self::Tiny,
            side if side < 32.0 => Self::Small,
            side if side < 96.0 => Self::Medium,
            _ => Self::Large,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(vessel: i64, x: f32, visibility: f32) -> TrueBox {
        TrueBox { vessel, bbox: BBox::from_xywh(x, 100.0, 40.0, 20.0), visibility }
    }

    fn found(x: f32, width: f32, confidence: f32) -> FoundBox {
        FoundBox { bbox: BBox::from_xywh(x, 100.0, width, 20.0), confidence, followed: None }
    }

    #[test]
    fn a_vessel_is_found_once_and_by_the_surest() {
        let verdicts = judge(
            &[truth(1, 0.0, 1.0)],
            &[found(4.0, 40.0, 0.5), found(2.0, 40.0, 0.9), found(300.0, 40.0, 0.9)],
        );
        assert_eq!(verdicts, [Verdict::False, Verdict::Hit(0), Verdict::False]);
    }

    #[test]
    fn of_a_vessel_that_hardly_shows_nothing_is_asked() {
        let truth = [truth(1, 0.0, 0.3), truth(2, 60.0, 1.0)];
        // A box of the part that shows overlaps the whole too little, and is no mistake.
        let verdicts = judge(&truth, &[found(0.0, 12.0, 0.9), found(60.0, 40.0, 0.8)]);
        assert_eq!(verdicts, [Verdict::Ignored, Verdict::Hit(1)]);
        assert_eq!(judge(&truth, &[]), []);
    }

    #[test]
    fn sizes_are_split_where_coco_splits_them() {
        let size = |w: f32, h: f32| Size::of(&BBox::from_xywh(0.0, 0.0, w, h));
        assert_eq!(
            [size(20.0, 12.0), size(16.0, 16.0), size(40.0, 26.0), size(96.0, 96.0)],
            [Size::Tiny, Size::Small, Size::Medium, Size::Large]
        );
    }
}
