//! The detector's interface and its results.

use super::class::Class;
use crate::frame::Frame;
use crate::geometry::{BBox, Norm, Px};

/// A box with class and confidence in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// What it contains.
    pub class: Class,
    /// The model's score, 0 to 1.
    pub confidence: f32,
    /// The box in pixels of the frame, within the frame.
    pub bbox: BBox<Px>,
}

/// The result of one detection pass: one frame taken through the detector, region by region.
#[derive(Clone, Debug, Default)]
pub struct DetectionPass {
    /// Boxes after merging across regions, by falling confidence.
    pub detections: Vec<Detection>,
    /// Boxes that a region's border cut and that no other region completed. The rest of the vessel is unknown.
    pub cut: Vec<Detection>,
    /// Number of inferences.
    pub inferences: u32,
    /// Number of boxes that were not finite, had no area, or exceeded the limit per inference.
    pub rejected: u32,
}

/// A detection pass that failed. The camera's next frame is tried as usual.
#[derive(Debug, thiserror::Error)]
#[error("the detector failed: {0}")]
pub struct DetectError(pub String);

/// Finds vessels in a frame. One thread owns it.
pub trait Detector: Send {
    /// Shorter side of the model's input, in pixels.
    fn input_px(&self) -> u32;

    /// Makes a detection pass over `regions` of the frame, as fractions of its size; 0,0 to 1,1 is the whole frame.
    fn detect(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError>;
}
