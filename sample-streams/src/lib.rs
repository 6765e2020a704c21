//! Sample streams: clips that replace the cameras of a harbour in the demo and in tests.
//!
//! `sample-scenes` draws clips together with their ground truth: what is in each frame, and which signals a site file must
//! raise. `sample-cameras` serves clips as RTSP cameras.
//!
//! A frame depends on its number alone, so the same material and the same version give the same pictures. Frames are drawn
//! in planar YUV 4:2:0, the encoder's own format: a fixed background, two layers of ripples that scroll against each other,
//! and vessels that are scaled once for each length.

pub mod appearance;
pub mod camera_faults;
pub mod cameras;
pub mod clip;
pub mod composition;
pub mod corruption;
pub mod encode;
mod files;
mod lights;
pub mod material;
pub mod noise;
pub mod oracle;
pub mod output;
pub mod picture;
pub mod renderer;
pub mod scenes;
pub mod site;
pub mod truth;
pub mod variants;
pub mod vessel;
pub mod water;
pub mod weather;
