//! Builds the daemon from the modules, serves, and shuts down in order.
//!
//! Each camera has one pipeline. Its thread supervises the camera's sessions, which put frames into the camera's
//! latest-frame slot. The detector thread ([`run_scheduler`]) takes the frames in fair order and sends each through the
//! rest of the camera's pipeline ([`Pipelines`]). The logbook's writer thread and tokio's (alerts, web, clocks, signals)
//! complete the picture. Every loop reports to [`Heartbeats`]; systemd's watchdog is fed only while all of them do.

mod build;
mod camera_threads;
mod clock_monitor;
mod clutter_file;
mod heartbeat;
mod pipeline;
mod run;
mod scheduler;
mod serve;
mod status;
mod systemd;

pub use clutter_file::{ClutterFileError, LearntClutter, clutter_path, read_clutter};
pub use heartbeat::{Heartbeat, Heartbeats};
pub use pipeline::{LastPass, PipelineStats, Pipelines, planner_config};
pub use run::{RunError, run};
pub use scheduler::{SchedulerLinks, run as run_scheduler};
