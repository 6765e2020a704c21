//! Reports a camera's changes of state, each once.

use std::collections::BTreeSet;

use crate::camera_state::{CameraChange, CameraState};
use crate::clock::Clock;
use crate::ids::CameraId;

/// Different reasons reported between two good sessions; a camera that keeps inventing new ones is ignored beyond it.
const MOST_REPORTED: usize = 32;

/// Passes on changes that are worth a logbook row: a camera that is off for a week is one outage, not a row every three
/// seconds.
pub(super) struct StateReporter<'a, F> {
    camera: &'a CameraId,
    clock: &'a dyn Clock,
    on_change: F,
    /// What was reported since the camera last streamed.
    reported: BTreeSet<(CameraState, String)>,
    /// Sessions tried since the last good one.
    pub(super) retries: u32,
}

impl<'a, F: FnMut(CameraChange)> StateReporter<'a, F> {
    pub(super) fn new(camera: &'a CameraId, clock: &'a dyn Clock, on_change: F) -> Self {
        Self { camera, clock, on_change, reported: BTreeSet::new(), retries: 0 }
    }

    pub(super) fn report(&mut self, state: CameraState, reason: &str) {
        let (camera, retries) = (self.camera, self.retries);
        let is_new = match state {
            CameraState::Streaming | CameraState::Stopped => {
                self.reported.clear();
                true
            }
            _ => self.reported.len() < MOST_REPORTED && self.reported.insert((state, reason.to_owned())),
        };
        if !is_new {
            tracing::debug!(retries, "camera {camera} is {state}: {reason}");
            return;
        }
        match state {
            CameraState::Stalled | CameraState::BackingOff => {
                tracing::warn!(retries, "camera {camera} is {state}: {reason}");
            }
            _ => tracing::info!("camera {camera} is {state}: {reason}"),
        }
        let (camera, reason) = (camera.clone(), reason.to_owned());
        (self.on_change)(CameraChange { camera, at: self.clock.now(), state, reason, retries });
    }
}
