//! From a frame to boxes: model manifest, preprocessing, heads, tiles, fair turns.

mod detection;

pub use detection::{Class, DetectError, Detection, Detector, Look};
