//! A detection before merging.

use crate::detect::detection::Detection;
use crate::geometry::{BBox, Px};

/// A detection and the region it was found in, both in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionDetection {
    /// What was found.
    pub detection: Detection,
    /// The inspected region.
    pub region: BBox<Px>,
}
