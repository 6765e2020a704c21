//! Integration tests: the rooms together, on real parts. One binary, so that it links once.

// A test that unwraps says where it broke; helpers outside `#[test]` functions are tests too.
#![allow(clippy::unwrap_used)]

#[path = "../harbour/clips.rs"]
mod clips;
#[path = "../harbour/files.rs"]
mod files;
mod support;

mod alerts;
mod architecture;
mod camera_health;
mod daemon;
mod detect;
mod eval;
mod fuzzed;
mod ingest;
mod proposals;
mod rules_video;
mod scene_eval;
mod scenes;
