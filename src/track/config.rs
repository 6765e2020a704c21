//! The tracker's settings. Times are in seconds and not in frames, because detection passes come at irregular times.

use std::time::Duration;

/// Confidence thresholds and times of the tracker.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerConfig {
    /// Detections below this confidence are ignored.
    pub low_threshold: f32,
    /// Detections at or above this confidence can start a track, and are matched first. Detections between the two
    /// thresholds can only continue a confirmed track.
    pub high_threshold: f32,
    /// This many detections above the high threshold confirm a tentative track, ...
    pub confirm_hits: usize,
    /// ... when they lie within this time. Two detections within a quarter of it also confirm, when they overlap and both
    /// confidences are above the middle between `high_threshold` and 1. A tentative track ends when it was not detected for
    /// half of this time.
    pub confirm_within: Duration,
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
            confirm_hits: 3,
            confirm_within: Duration::from_secs(4),
            lost_for: Duration::from_secs(5),
            lost_for_stationary: Duration::from_secs(60),
        }
    }
}
