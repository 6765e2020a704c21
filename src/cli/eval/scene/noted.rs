//! A detector that notes where it was told to look: causes of misses are about that.

use std::sync::{Arc, Mutex, PoisonError};

use crate::detect::{DetectError, Detector, Look, OnnxDetector};
use crate::frame::Frame;
use crate::geometry::{BBox, Norm};

/// The regions of the last look, shared with who asks for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions(Arc<Mutex<Vec<BBox<Norm>>>>);

impl Regions {
    /// Those of the last look.
    pub(super) fn of_last_look(&self) -> Vec<BBox<Norm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The daemon's detector, and its notes.
pub(super) struct Noted {
    pub(super) detector: OnnxDetector,
    pub(super) regions: Regions,
}

impl Detector for Noted {
    fn input_px(&self) -> u32 {
        self.detector.input_px()
    }

    fn look(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<Look, DetectError> {
        *self.regions.0.lock().unwrap_or_else(PoisonError::into_inner) = regions.to_vec();
        self.detector.look(frame, regions)
    }
}
