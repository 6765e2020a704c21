//! A camera session: pipeline, states, stall watch, back-off, latest-wins slot.

mod source;

pub use source::{EndReason, FrameSource, Next};
