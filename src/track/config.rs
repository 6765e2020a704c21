//! The tracker's settings. Confidences and seconds; nothing counts frames, because looks come irregularly.

use std::time::Duration;

/// How the tracker judges detections and when it gives a vessel up.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerConfig {
    /// Detections below this confidence are ignored.
    pub floor: f32,
    /// From this confidence on a detection is sure: it may begin a track and is matched first. Less sure ones only
    /// carry on vessels already followed.
    pub sure: f32,
    /// Sure detections that make a vessel of a tentative track ...
    pub confirm_hits: usize,
    /// ... when they fall within this time. Two within a quarter of it are enough if each is surer than halfway from
    /// `sure` to 1 and they overlap. A tentative track unseen for half as long is dropped.
    pub confirm_within: Duration,
    /// A vessel unseen for longer than this has ended ...
    pub lost_for: Duration,
    /// ... but one that stood still is remembered for as long as it had stood there, up to this: a moored vessel that
    /// the detector misses now and then, or that a passing one hides, stays one vessel.
    pub lost_for_still: Duration,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            floor: 0.1,
            sure: 0.6,
            confirm_hits: 3,
            confirm_within: Duration::from_secs(4),
            lost_for: Duration::from_secs(5),
            lost_for_still: Duration::from_secs(60),
        }
    }
}
