//! The tracker's settings. Times are in seconds and not in frames, because detection passes come at irregular times.

use std::time::Duration;

use crate::detect::ConfidenceScale;

/// Confidence thresholds and times of the tracker.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerConfig {
    /// Detections below this confidence are ignored.
    pub low_threshold: f32,
    /// Detections at or above this confidence are matched first.
    pub high_threshold: f32,
    /// What the confidences of the detections say.
    pub confidence: ConfidenceScale,
    /// The false vessels per day that tracks are confirmed for.
    pub false_vessels_per_day: f32,
    /// A tentative track that was not detected for longer than this has ended.
    pub tentative_for: Duration,
    /// A vessel that was not detected for longer than this has ended.
    pub lost_for: Duration,
    /// A stationary vessel is kept for as long as it has been stationary, from `lost_for` up to this time. A moored vessel
    /// thus keeps its number when the detector misses it, or when a passing vessel hides it.
    pub lost_for_stationary: Duration,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            low_threshold: 0.1,
            high_threshold: 0.6,
            confidence: ConfidenceScale::from_high(0.6),
            false_vessels_per_day: 24.0,
            tentative_for: Duration::from_secs(2),
            lost_for: Duration::from_secs(5),
            lost_for_stationary: Duration::from_secs(60),
        }
    }
}
