//! Sample streams: what stands in for the cameras of a harbour.
//!
//! `sample-scenes` draws three clips of a harbour together with their ground truth: what is in each
//! frame, and which signals `config/demo.toml` must raise. `sample-cameras` serves clips as RTSP cameras.
//!
//! A scene is a pure function of the frame number, so the same material and the same version give the
//! same pictures. It is drawn straight in planar YUV 4:2:0, the encoder's own form: a still background,
//! two layers of ripples that scroll against each other, and vessels scaled once per size.

pub mod blind;
pub mod cameras;
pub mod clip;
pub mod costume;
pub mod damage;
pub mod encode;
pub mod material;
pub mod noise;
pub mod oracle;
pub mod output;
pub mod picture;
pub mod scenes;
pub mod site;
pub mod stage;
pub mod truth;
pub mod variants;
pub mod vessel;
pub mod water;
pub mod weather;
