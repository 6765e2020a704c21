//! Havenwacht ("harbour watch"): finds vessels in camera streams, flags movements that a harbour's rules call
//! suspicious, keeps the logbook and alerts the staff.

pub mod cli;
pub mod clock;
pub mod config;
pub mod detect;
pub mod evidence;
pub mod frame;
pub mod geometry;
pub mod ingest;
pub mod logbook;
pub mod names;
pub mod review;
pub mod rules;
pub mod telemetry;
pub mod track;
