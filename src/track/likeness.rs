//! How much a detection is like what is expected of a vessel.
//!
//! Boxes that overlap may be several vessels passing one another, and that is where numbers are swapped. So overlap alone
//! does not decide; each other cue speaks where overlap is mute, and none needs the picture:
//!
//! - **Room for doubt.** Both boxes are grown by a standard deviation of the expected place: small fast boats move by more
//!   than their length between two looks. Growing is from Yang et al., "Hard to Track Objects with Irregular Motions and
//!   Similar Appearances? Make It Easier by Buffering the Matching Space", 2023; the amount is not fixed here, it follows
//!   from the filter's doubt and so from the time since the vessel was seen.
//! - **Height.** Boxes of unlike height fit less (Yang et al., "Hybrid-SORT: Weak Cues Matter for Online Multi-Object
//!   Tracking", 2024). Width says little: it changes as a vessel turns.
//! - **An edge that stays.** Of a vessel half hidden either the waterline or the mast top is still where it was expected.
//! - **Confidence** changes little from look to look (the same paper).
//! - **Who is in front.** Of two vessels that overlap the one with the lower waterline is nearer to the camera; a
//!   detection there is more likely the nearer one, since it hides the other.
//! - **Fading.** Of two vessels that fit a detection, the one seen lately is the better guess.

use crate::detect::Detection;
use crate::geometry::{BBox, Px};

use super::motion::Motion;

/// A difference in confidence takes this share of itself from the overlap.
const CONFIDENCE_COUNTS: f64 = 0.3;
/// A vessel wholly behind others is less likely seen by this share.
const HIDDEN_COUNTS: f64 = 0.25;
/// A vessel out of sight is less likely seen by this share a second, ...
const FADES_PER_SECOND: f64 = 0.4;
/// ... but never less than this.
const FADED: f64 = 0.05;
/// What is in reach may be it, however little speaks for it.
const LEAST: f64 = 1e-4;

/// What is expected of a vessel at a look.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) motion: Motion,
    /// Confidence of its last detection.
    pub(super) confidence: f32,
    /// Seconds since that.
    pub(super) unseen_s: f64,
    /// The share of its box behind that of a nearer vessel.
    pub(super) hidden: f64,
}

impl Expected {
    /// How well a detection fits, above 0 to 1; `None` when it is out of reach, the grown boxes overlapping by less than
    /// `least`.
    pub(super) fn likeness(&self, seen: &Detection, least: f32) -> Option<f64> {
        let expected = self.motion.bbox();
        let [dx, dy] = self.motion.doubt().map(|doubt| doubt as f32);
        let grown = |b: &BBox<Px>| BBox::<Px>::new(b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy);
        let overlap = grown(&expected).iou(&grown(&seen.bbox));
        if overlap < least {
            return None;
        }
        let heights = [expected.height().max(1.0), seen.bbox.height().max(1.0)];
        let alike = heights[0].min(heights[1]) / heights[0].max(heights[1]);
        let off = (seen.bbox.y0 - expected.y0).abs().min((seen.bbox.y1 - expected.y1).abs());
        let edge = f64::from(1.0 - off / heights[1]).max(FADED);
        let lately = (-FADES_PER_SECOND * self.unseen_s).exp().max(FADED);
        let otherwise = CONFIDENCE_COUNTS * f64::from((self.confidence - seen.confidence).abs());
        let fit = f64::from(overlap * alike) * lately - otherwise;
        let likeness = fit * (1.0 - HIDDEN_COUNTS * self.hidden) * edge * edge;
        Some(likeness.max(LEAST))
    }
}

/// The share of `expected` that lies behind the nearest to cover it of `others`: of those with a lower waterline.
pub(super) fn hidden<'a>(expected: &BBox<Px>, others: impl Iterator<Item = &'a BBox<Px>>) -> f64 {
    let covered = |other: &BBox<Px>| other.intersection(expected).map_or(0.0, |b| b.area() / expected.area());
    others.filter(|other| other.y1 > expected.y1).map(covered).fold(0.0, f32::max).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;

    fn seen(x: f32, y: f32, w: f32, h: f32, confidence: f32) -> Detection {
        Detection { class: Class::Vessel, confidence, bbox: BBox::from_xywh(x, y, w, h) }
    }

    fn expected() -> Expected {
        let motion = Motion::new(&BBox::from_xywh(100.0, 100.0, 120.0, 50.0));
        Expected { motion, confidence: 0.8, unseen_s: 0.25, hidden: 0.0 }
    }

    fn same() -> Detection {
        seen(100.0, 100.0, 120.0, 50.0, 0.8)
    }

    #[test]
    fn each_cue_tells_the_less_likely_from_the_more() {
        let best = expected().likeness(&same(), 0.1).unwrap();
        assert!(best > 0.9 && best <= 1.0, "{best}");
        for (less, detection) in [
            (expected(), seen(130.0, 100.0, 120.0, 50.0, 0.8)),
            (expected(), seen(100.0, 90.0, 120.0, 60.0, 0.8)),
            (expected(), seen(100.0, 100.0, 120.0, 50.0, 0.4)),
            (Expected { hidden: 0.5, ..expected() }, same()),
            (Expected { unseen_s: 2.0, ..expected() }, same()),
        ] {
            let likeness = less.likeness(&detection, 0.1).unwrap();
            assert!(likeness < best, "{less:?} and {detection:?}: {likeness}");
        }
    }

    #[test]
    fn a_hull_cut_off_above_or_below_fits_better_than_one_that_moved_as_much() {
        let of = |y, h| expected().likeness(&seen(100.0, y, 120.0, h, 0.8), 0.1).unwrap();
        let moved = of(107.0, 36.0);
        assert!(of(100.0, 36.0) > moved && of(114.0, 36.0) > moved);
    }

    #[test]
    fn only_what_has_a_lower_waterline_hides() {
        let ship = BBox::<Px>::new(100.0, 100.0, 200.0, 150.0);
        let (before, behind) = (BBox::new(150.0, 90.0, 400.0, 160.0), BBox::new(150.0, 0.0, 400.0, 140.0));
        assert_eq!(hidden(&ship, [before, behind].iter()), 0.5);
        assert_eq!(hidden(&ship, [behind].iter()), 0.0);
    }
}
