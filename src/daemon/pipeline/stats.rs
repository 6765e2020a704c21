//! What the health page and the metrics show of one camera's pipeline.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use strum::EnumCount as _;

use crate::camera_health::{Cause, Outage};
use crate::camera_state::CameraChange;
use crate::ingest::IngestStats;

/// Counters since the start and the current state; written by the pipeline's threads.
#[derive(Debug, Default)]
pub struct PipelineStats {
    /// Of the camera's sessions.
    pub ingest: Arc<IngestStats>,
    /// The last change of state; `None` before the first.
    state: Mutex<Option<CameraChange>>,
    /// Detection passes.
    pub passes: AtomicU64,
    /// Inferences.
    pub inferences: AtomicU64,
    /// Detection passes that failed.
    pub failed_passes: AtomicU64,
    /// Boxes that were not finite or had no area.
    pub rejected_boxes: AtomicU64,
    /// Boxes that a region's border cut: the place is inspected again.
    pub cut_boxes: AtomicU64,
    /// Boxes above the high threshold whose tracks were never confirmed.
    pub unconfirmed_boxes: AtomicU64,
    /// The same, of what moved faster than any vessel.
    pub too_fast: AtomicU64,
    /// Boxes of vessels outside the water.
    pub outside_water: AtomicU64,
    /// Boxes of vessels that are smaller than any vessel, by the camera's calibration.
    pub too_small: AtomicU64,
    /// When the place that was not inspected for the longest time was last inspected, in milliseconds of the monotonic
    /// clock; 0 before the first pass.
    pub oldest_seen_ms: AtomicU64,
    /// The longest time between two inspections of a place, in milliseconds, at the wanted rate.
    pub swept_within_ms: AtomicU64,
    /// Detections.
    pub detections: AtomicU64,
    /// Tracks confirmed.
    pub tracks: AtomicU64,
    /// Signals opened.
    pub signals: AtomicU64,
    /// Detection passes in which a rule's signal was suppressed, for each subject and reason.
    pub suppressed: AtomicU64,
    /// Outages begun, by [`Cause`].
    pub camera_outages: [AtomicU64; Cause::COUNT],
    outage: Mutex<Option<Outage>>,
    /// Passes and inferences in a thousand seconds, over the last seconds.
    passes_per_1000_s: AtomicU32,
    inferences_per_1000_s: AtomicU32,
}

impl PipelineStats {
    /// The current outage.
    pub fn outage(&self) -> Option<Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_outage(&self, outage: Option<&Outage>) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage.cloned();
    }

    /// The last change of state; `None` before the first.
    pub fn state(&self) -> Option<CameraChange> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::daemon) fn set_state(&self, change: CameraChange) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    pub(in crate::daemon) fn set_rates(&self, passes_per_s: f32, inferences_per_s: f32) {
        self.passes_per_1000_s.store((passes_per_s * 1000.0) as u32, Relaxed);
        self.inferences_per_1000_s.store((inferences_per_s * 1000.0) as u32, Relaxed);
    }

    /// Detection passes a second over the last seconds.
    pub fn passes_per_s(&self) -> f32 {
        self.passes_per_1000_s.load(Relaxed) as f32 / 1000.0
    }

    /// Inferences a second over the last seconds.
    pub fn inferences_per_s(&self) -> f32 {
        self.inferences_per_1000_s.load(Relaxed) as f32 / 1000.0
    }

    /// The longest time between two inspections of a place, in seconds, at the present rate; `wanted_fps` is the rate
    /// that the site file asks for.
    pub fn swept_within_s(&self, wanted_fps: f32) -> f32 {
        let passes = self.passes_per_s();
        let slowdown = if passes > 0.0 { (wanted_fps / passes).max(1.0) } else { 1.0 };
        self.swept_within_ms.load(Relaxed) as f32 / 1000.0 * slowdown
    }
}

pub(super) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}
