//! From a frame to boxes: model manifest, preprocessing, model heads, merging, motion cue, fair scheduling.

mod class;
mod colour;
mod confidence_scale;
mod decoder;
mod detection;
mod fair_scheduler;
pub mod heads;
mod load_error;
pub mod manifest;
pub mod merge;
pub mod motion_cue;
pub mod nms;
mod onnx;
pub mod preprocess;
#[cfg(test)]
mod preprocess_tests;
mod resample;

pub use class::Class;
pub use confidence_scale::ConfidenceScale;
pub use decoder::Decoder;
pub use detection::{DetectError, Detection, DetectionPass, Detector};
pub use fair_scheduler::{DetectionRate, FairScheduler};
pub use load_error::LoadError;
pub use manifest::{Manifest, Thresholds};
pub use onnx::{OnnxDetector, RegionDetections};
