//! Boxes as the model gives them, before suppression.

use crate::detect::class::Class;
use crate::geometry::{BBox, Px};

/// A box of the model, in pixels of the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// What it contains.
    pub class: Class,
    /// 0 to 1.
    pub confidence: f32,
    /// The box; it may reach beyond the input.
    pub bbox: BBox<Px>,
}

/// The boxes of one inference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// In the order of the model's cells or anchors.
    pub boxes: Vec<Candidate>,
    /// Number of scores and boxes that were invalid: not finite, a score above 1, or no area.
    pub rejected: u32,
}

impl Candidates {
    pub(in crate::detect) fn clear(&mut self) {
        self.boxes.clear();
        self.rejected = 0;
    }

    /// Adds a box whose score reached the threshold; counts it as rejected when it is invalid.
    pub(super) fn add(&mut self, class: Class, confidence: f32, [x0, y0, x1, y1]: [f32; 4]) {
        // 32-bit sigmoids may round slightly above 1.
        let valid =
            confidence <= 1.001 && [x0, y0, x1, y1].iter().all(|v| v.is_finite()) && x1 > x0 && y1 > y0;
        if valid {
            let bbox = BBox::new(x0, y0, x1, y1);
            self.boxes.push(Candidate { class, confidence: confidence.min(1.0), bbox });
        } else {
            self.rejected += 1;
        }
    }

    /// The highest score among the indices of a class, if it reaches `threshold`. Counts scores that are not numbers.
    pub(super) fn best_score(
        &mut self,
        indices: &[usize],
        threshold: f32,
        score_at: impl Fn(usize) -> f32,
    ) -> Option<f32> {
        let mut best = f32::MIN;
        for &index in indices {
            let score = score_at(index);
            if score.is_nan() {
                self.rejected += 1;
            } else {
                best = best.max(score);
            }
        }
        (best >= threshold).then_some(best)
    }
}
