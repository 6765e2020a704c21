//! Integration tests: the modules together, with real cameras, model, logbook and broker. One binary, so that it links once.

// A panic shows where a test failed, also in helpers outside `#[test]` functions.
#![allow(clippy::unwrap_used)]

#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/clips.rs"]
mod clips;
#[path = "../common/paths.rs"]
mod paths;

mod alerts;
mod architecture;
mod broker_tls;
mod camera_health;
mod camera_host;
mod coco_export;
mod daemon;
mod dependencies;
mod detect;
mod docs;
mod eval;
mod fuzzed;
mod ingest;
mod log_lines;
mod rules_video;
mod scene_eval;
mod scenes;
