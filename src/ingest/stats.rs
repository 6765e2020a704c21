//! What a camera's ingest has counted since the daemon's start.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::state::CameraState;

/// One camera's counters. Written by its threads, read by metrics and summaries.
///
/// Every decoded frame is counted once in `received`, and ends in exactly one of `dropped_corrupt`,
/// `dropped_overwritten`, or the hands of whoever took it. What a camera sent and no picture came of is in
/// `dropped_undecodable`.
#[derive(Debug, Default)]
pub struct IngestStats {
    /// Frames that came out of the decoder.
    pub received: AtomicU64,
    /// Frames replaced by a newer one, or left over at the end of a session, before anybody took them.
    pub dropped_overwritten: AtomicU64,
    /// Frames that the decoder marked as damaged or not for display.
    pub dropped_corrupt: AtomicU64,
    /// Frames of a camera that came and gave no picture: spoiled on the way, or built on one that was. A frame whose end
    /// was lost is not known of; a camera that codes its fields apart sends two for each picture.
    pub dropped_undecodable: AtomicU64,
    /// Frames that came since the last picture did.
    coming: AtomicU64,
    /// Frames with a time stamp before their predecessor's; they are kept.
    pub pts_backwards: AtomicU64,
    /// Changes of size or pixel format within a session.
    pub caps_changes: AtomicU64,
    /// Sessions opened.
    pub sessions: AtomicU64,
    /// Sessions given up because no frame came for too long.
    pub stalls: AtomicU64,
    /// Pipelines that have not come down yet, past their deadline. Falls again when one does.
    pub leaked_pipelines: AtomicU64,
    state: AtomicU8,
    last_reason: Mutex<String>,
}

impl IngestStats {
    /// What the camera is doing now.
    pub fn state(&self) -> CameraState {
        CameraState::from_index(self.state.load(Relaxed))
    }

    /// Why it is doing that, for people.
    pub fn last_reason(&self) -> String {
        self.last_reason.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The last packet of a frame came.
    pub(super) fn came(&self) {
        count(&self.coming);
    }

    /// A picture came out of the decoder: it is the newest frame's, and those before it gave none.
    pub(super) fn decoded(&self) {
        let came = self.coming.swap(0, Relaxed);
        self.dropped_undecodable.fetch_add(came.saturating_sub(1), Relaxed);
    }

    /// A session is over, and nothing more comes of what it sent.
    pub(super) fn session_over(&self) {
        self.dropped_undecodable.fetch_add(self.coming.swap(0, Relaxed), Relaxed);
    }

    pub(super) fn set_state(&self, state: CameraState, reason: &str) {
        self.state.store(state.index(), Relaxed);
        let mut last = self.last_reason.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.clear();
        last.push_str(reason);
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
