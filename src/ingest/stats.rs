//! Counters of one camera's ingest since the daemon started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Written by the camera's threads, read by metrics and summaries.
///
/// Each decoded frame is counted once in `received` and ends in exactly one of `dropped_corrupt`, `dropped_overwritten`
/// or the hands of whoever took it. A frame that arrived and gave no picture is counted in `dropped_undecodable`.
#[derive(Debug, Default)]
pub struct IngestStats {
    /// Frames that came out of the decoder.
    pub received: AtomicU64,
    /// Frames that a newer one replaced, or that were left at the end of a session, before anybody took them.
    pub dropped_overwritten: AtomicU64,
    /// Frames that the decoder marked as damaged or not for display.
    pub dropped_corrupt: AtomicU64,
    /// Frames that arrived from a camera and gave no picture: damaged on the way, or built on a damaged one. A frame
    /// whose end was lost is not counted; a camera that codes fields separately sends two frames for each picture.
    pub dropped_undecodable: AtomicU64,
    /// Frames that arrived since the last decoded picture.
    undecoded: AtomicU64,
    /// Frames with a time stamp before the previous frame's; they are kept.
    pub pts_backwards: AtomicU64,
    /// Changes of size or pixel format within a session.
    pub caps_changes: AtomicU64,
    /// Sessions opened.
    pub sessions: AtomicU64,
    /// Sessions closed because no frame arrived for too long.
    pub stalls: AtomicU64,
    /// Pipelines that have not stopped yet, past their deadline. Falls again when one stops.
    pub leaked_pipelines: AtomicU64,
}

impl IngestStats {
    /// The last packet of a frame arrived.
    pub(super) fn frame_arrived(&self) {
        count(&self.undecoded);
    }

    /// A picture came out of the decoder: it belongs to the newest frame, and those before it gave none.
    pub(super) fn frame_decoded(&self) {
        let arrived = self.undecoded.swap(0, Relaxed);
        self.dropped_undecodable.fetch_add(arrived.saturating_sub(1), Relaxed);
    }

    /// A session ended: what it sent and was not decoded by now never will be.
    pub(super) fn session_ended(&self) {
        self.dropped_undecodable.fetch_add(self.undecoded.swap(0, Relaxed), Relaxed);
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
