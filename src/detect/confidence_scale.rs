//! What the confidence of a box says, as a log-likelihood ratio of "vessel" against "anything else".

use serde::Deserialize;

/// A box at a manifest's `high` threshold gives this much evidence, unless the manifest says otherwise.
const AT_HIGH: f32 = 2.5;
/// One box gives at most this much evidence: of twelve boxes of which the model is quite sure, one is wrong all the same. So two boxes
/// at the same place are not enough.
const MAX_RATIO: f32 = 2.5;
/// Confidences nearer to 0 and 1 than this say no more: a model is never that sure for a reason.
const EXTREME: f32 = 0.01;

/// The scale of one model. Models are less sure of small vessels than of large ones, so that 0.2 on a small box can mean more
/// than 0.3 on a large one. Between the two sides the values are interpolated, by the logarithm of the side.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceScale {
    /// Longer side of a small and of a large box, in pixels of the model's input.
    pub sides_px: [f32; 2],
    /// The confidence at which a box of that side is as likely on a vessel as on anything else.
    pub neutral: [f32; 2],
    /// By how much the ratio grows with the logit of the confidence.
    pub weight: f32,
}

impl ConfidenceScale {
    /// The scale of a model that was not measured, by its `high` threshold.
    pub fn from_high(high: f32) -> Self {
        let neutral = (logit(high) - AT_HIGH).exp();
        let neutral = neutral / (1.0 + neutral);
        Self { sides_px: [12.0, 60.0], neutral: [neutral; 2], weight: 1.0 }
    }

    /// The log-likelihood ratio that a box gives whose longer side has `side_px` in the model's input.
    pub fn log_ratio(&self, confidence: f32, side_px: f32) -> f32 {
        let [small, large] = self.sides_px.map(f32::ln);
        let [at_small, at_large] = self.neutral.map(logit);
        let share = ((side_px.max(1.0).ln() - small) / (large - small)).clamp(0.0, 1.0);
        (self.weight * (logit(confidence) - (at_small + (at_large - at_small) * share))).min(MAX_RATIO)
    }
}

fn logit(p: f32) -> f32 {
    let p = p.clamp(EXTREME, 1.0 - EXTREME);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_zero_at_neutral_and_grows_with_the_confidence() {
        let scale = ConfidenceScale { sides_px: [12.0, 60.0], neutral: [0.1, 0.3], weight: 1.5 };
        for (side, neutral) in [(5.0, 0.1), (12.0, 0.1), (60.0, 0.3), (400.0, 0.3)] {
            assert!(scale.log_ratio(neutral, side).abs() < 1e-5);
            assert!(scale.log_ratio(neutral + 0.1, side) > 0.5);
            assert!(scale.log_ratio(neutral - 0.05, side) < -0.3);
        }
        let between = scale.log_ratio(0.2, 27.0);
        assert!(scale.log_ratio(0.2, 60.0) < between && between < scale.log_ratio(0.2, 12.0));
        assert!(scale.log_ratio(1.0, 60.0).is_finite() && scale.log_ratio(0.0, 0.0).is_finite());
    }

    #[test]
    fn a_model_without_a_scale_gets_one_from_its_threshold() {
        for high in [0.2, 0.35, 0.6] {
            assert!((ConfidenceScale::from_high(high).log_ratio(high, 30.0) - AT_HIGH).abs() < 1e-3);
        }
    }
}
