//! What a detector is and what it says.

use crate::frame::Frame;
use crate::geometry::{BBox, Norm, Px};

/// What a box holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Anything that floats and is steered.
    Vessel,
    /// A human being.
    Person,
}

impl Class {
    /// As written in manifests and the logbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vessel => "vessel",
            Self::Person => "person",
        }
    }
}

/// A box with class and confidence in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// What it holds.
    pub class: Class,
    /// 0 to 1, the model's score.
    pub confidence: f32,
    /// Where, in pixels of the frame, within the frame.
    pub bbox: BBox<Px>,
}

/// One look at one frame.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Boxes after merging across regions, the surest first.
    pub detections: Vec<Detection>,
    /// Boxes that a region's border cut and that no other region completed: parts, of which nobody knows the whole.
    pub cut: Vec<Detection>,
    /// Detector runs spent.
    pub runs: u32,
    /// Boxes of the model that were not finite or had no area: counted, not trusted.
    pub rejected: u32,
}

/// A failed look. The camera's next frame is tried as usual.
#[derive(Debug, thiserror::Error)]
#[error("the detector failed: {0}")]
pub struct DetectError(pub String);

/// Finds vessels in a frame. One thread owns it.
pub trait Detector: Send {
    /// Pixels along a side of the picture that one run sees a region as.
    fn input_px(&self) -> u32;

    /// Looks at `regions` of the frame; the whole frame is the region 0,0 to 1,1.
    fn look(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<Look, DetectError>;
}
