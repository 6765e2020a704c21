//! How well a detection fits the prediction of a vessel.
//!
//! Boxes that overlap may belong to vessels that pass each other, and there trackers swap identities. Overlap alone is
//! therefore not enough. The affinity combines these cues; none of them needs the picture:
//!
//! - **Uncertainty.** Both boxes are grown by a standard deviation of the predicted position, because a small fast boat moves
//!   by more than its length between two passes. The method is from Yang et al., "Hard to Track Objects with Irregular
//!   Motions and Similar Appearances? Make It Easier by Buffering the Matching Space", 2023. Here the amount is not fixed; it
//!   follows from the filter, and so from the time since the last detection. It has a limit: after a long gap a detection far
//!   away is more likely a newcomer, and the number of a lost vessel must not go to the next one that comes.
//! - **Height.** Boxes of different height fit less (Yang et al., "Hybrid-SORT: Weak Cues Matter for Online Multi-Object
//!   Tracking", 2024). Width is not used: it changes when a vessel turns. A box that is much larger or smaller both
//!   ways is another vessel; one way alone, it may be the same vessel, cut or without its masts.
//! - **One unchanged edge.** A vessel that is half hidden still has its waterline or its upper edge at the predicted place.
//! - **Confidence.** It changes little between passes (same paper).
//! - **Occlusion.** Of two overlapping vessels, the one with the lower waterline is nearer to the camera and hides the other,
//!   so a detection there more likely belongs to the nearer one.
//! - **Age.** Of two vessels that fit a detection, the one that was detected more recently is more likely.

use crate::detect::Detection;
use crate::geometry::{BBox, Px};

use super::motion::BoxMotion;

/// Weight of a difference in confidence.
const CONFIDENCE_WEIGHT: f64 = 0.3;
/// The affinity of a completely hidden vessel is lower by this share.
const HIDDEN_WEIGHT: f64 = 0.25;
/// The affinity of a vessel that was not detected falls by this share a second, ...
const DECAY_PER_SECOND: f64 = 0.4;
/// ... but not below this share.
const MIN_SHARE: f64 = 0.05;
/// Boxes are grown by this many box sizes at most. The size is the square root of the area. Scores are the same from 0.8 to
/// 1.2; without a limit, and below it, they are lower.
const MAX_GROWTH: f32 = 1.0;
/// The smaller height must be at least this share of the larger one, or the smaller width of the larger one. A box that is cut,
/// or has the masts in it or not, differs one way only.
const MIN_SIZE_RATIO: f32 = 0.6;
/// Lowest affinity of a detection within reach.
const MIN_AFFINITY: f64 = 1e-4;

/// The predicted state of a vessel at a pass.
#[derive(Clone, Debug)]
pub(super) struct Prediction {
    pub(super) motion: BoxMotion,
    /// Confidence of its last detection.
    pub(super) confidence: f32,
    /// Seconds since its last detection.
    pub(super) unseen_s: f64,
    /// The share of its box that a nearer vessel covers.
    pub(super) hidden: f64,
}

impl Prediction {
    /// How well a detection fits: above 0, up to 1. `None` when the grown boxes overlap by less than `min_overlap`, and when
    /// it is of another size.
    pub(super) fn affinity(&self, detection: &Detection, min_overlap: f32) -> Option<f64> {
        let expected = self.motion.bbox();
        let limit = MAX_GROWTH * expected.area().sqrt();
        let [dx, dy] = self.motion.uncertainty().map(|px| limit.min(px as f32));
        let grown = |b: &BBox<Px>| BBox::<Px>::new(b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy);
        let overlap = grown(&expected).iou(&grown(&detection.bbox));
        if overlap < min_overlap {
            return None;
        }
        let height_ratio = ratio(expected.height(), detection.bbox.height());
        let width_ratio = ratio(expected.width(), detection.bbox.width());
        if height_ratio.max(width_ratio) < MIN_SIZE_RATIO {
            return None;
        }
        let off = (detection.bbox.y0 - expected.y0).abs().min((detection.bbox.y1 - expected.y1).abs());
        let edge = f64::from(1.0 - off / detection.bbox.height().max(1.0)).max(MIN_SHARE);
        let decay = (-DECAY_PER_SECOND * self.unseen_s).exp().max(MIN_SHARE);
        let confidence_penalty =
            CONFIDENCE_WEIGHT * f64::from((self.confidence - detection.confidence).abs());
        let fit = f64::from(overlap * height_ratio) * decay - confidence_penalty;
        let affinity = fit * (1.0 - HIDDEN_WEIGHT * self.hidden) * edge * edge;
        Some(affinity.max(MIN_AFFINITY))
    }
}

/// The smaller of two lengths as a share of the larger one. Both are at least a pixel.
fn ratio(a: f32, b: f32) -> f32 {
    let (a, b) = (a.max(1.0), b.max(1.0));
    a.min(b) / a.max(b)
}

/// The largest share of `expected` that one of `others` covers. Only boxes with a lower waterline are nearer and cover it.
pub(super) fn hidden<'a>(expected: &BBox<Px>, others: impl Iterator<Item = &'a BBox<Px>>) -> f64 {
    let covered = |other: &BBox<Px>| other.intersection(expected).map_or(0.0, |b| b.area() / expected.area());
    others.filter(|other| other.y1 > expected.y1).map(covered).fold(0.0, f32::max).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;

    fn detection(x: f32, y: f32, w: f32, h: f32, confidence: f32) -> Detection {
        Detection { class: Class::Vessel, confidence, bbox: BBox::from_xywh(x, y, w, h) }
    }

    fn prediction() -> Prediction {
        let motion = BoxMotion::new(&BBox::from_xywh(100.0, 100.0, 120.0, 50.0));
        Prediction { motion, confidence: 0.8, unseen_s: 0.25, hidden: 0.0 }
    }

    fn same() -> Detection {
        detection(100.0, 100.0, 120.0, 50.0, 0.8)
    }

    #[test]
    fn each_cue_lowers_the_affinity() {
        let best = prediction().affinity(&same(), 0.1).unwrap();
        assert!(best > 0.9 && best <= 1.0, "{best}");
        for (worse, detection) in [
            (prediction(), detection(130.0, 100.0, 120.0, 50.0, 0.8)),
            (prediction(), detection(100.0, 90.0, 120.0, 60.0, 0.8)),
            (prediction(), detection(100.0, 100.0, 120.0, 50.0, 0.4)),
            (Prediction { hidden: 0.5, ..prediction() }, same()),
            (Prediction { unseen_s: 2.0, ..prediction() }, same()),
        ] {
            let affinity = worse.affinity(&detection, 0.1).unwrap();
            assert!(affinity < best, "{worse:?} and {detection:?}: {affinity}");
        }
    }

    #[test]
    fn a_box_cut_above_or_below_fits_better_than_a_moved_one() {
        let of = |y, h| prediction().affinity(&detection(100.0, y, 120.0, h, 0.8), 0.1).unwrap();
        let moved = of(107.0, 36.0);
        assert!(of(100.0, 36.0) > moved && of(114.0, 36.0) > moved);
    }

    #[test]
    fn only_a_lower_waterline_hides() {
        let ship = BBox::<Px>::new(100.0, 100.0, 200.0, 150.0);
        let (before, behind) = (BBox::new(150.0, 90.0, 400.0, 160.0), BBox::new(150.0, 0.0, 400.0, 140.0));
        assert_eq!(hidden(&ship, [before, behind].iter()), 0.5);
        assert_eq!(hidden(&ship, [behind].iter()), 0.0);
    }
}
