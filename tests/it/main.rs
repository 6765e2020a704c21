//! Integration tests: the rooms together, on real parts. One binary, so that it links once.

// A test that unwraps says where it broke; helpers outside `#[test]` functions are tests too.
#![allow(clippy::unwrap_used)]

#[path = "../common/clips.rs"]
mod clips;
#[path = "../common/paths.rs"]
mod paths;

mod alerts;
mod architecture;
mod camera_health;
mod camera_host;
mod daemon;
mod dependencies;
mod detect;
mod docs;
mod eval;
mod fuzzed;
mod ingest;
mod proposals;
mod rules_video;
mod scene_eval;
mod scenes;
