//! From a frame to boxes: model manifest, preprocessing, heads, fair turns.

mod colour;
pub mod cue;
mod detection;
pub mod heads;
pub mod manifest;
pub mod merge;
#[cfg(test)]
mod mistakes;
pub mod nms;
mod onnx;
pub mod preprocess;
#[cfg(test)]
mod reference;
mod refusal;
pub mod schedule;
mod taps;

pub use detection::{Class, DetectError, Detection, Detector, Look};
pub use manifest::{Manifest, Thresholds};
pub use onnx::{OnnxDetector, Sightings};
pub use refusal::LoadError;
