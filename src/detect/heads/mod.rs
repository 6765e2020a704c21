//! Model heads: how the outputs of a family of models are decoded. One file a head.
//!
//! To add a head, write a file with a type that implements [`HeadFormat`], and list it below: once as a module and once in
//! [`HEADS`]. The trait asks for every part, so a forgotten part does not compile.

mod candidates;
mod format;
mod nanodet;
mod ssd;
#[cfg(test)]
mod tests;
mod yolov8;
mod yolox;

pub use candidates::{Candidate, Candidates};
pub use format::{DecodeContext, HeadFormat, InputSize, OutputNames, Tensor};

/// All heads, in the order in which messages list them.
pub static HEADS: &[&dyn HeadFormat] = &[&ssd::Ssd, &nanodet::NanoDet, &yolox::YoloX, &yolov8::YoloV8];
