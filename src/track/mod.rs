//! Tracks vessels from detection pass to detection pass. Pure: no I/O, no clock.
//!
//! # Method
//!
//! The tracker works on detections alone, online, without appearance, and in real time. Of each vessel it knows the past
//! boxes, the motion and the confidences. Kalman filters predict the box and its uncertainty (`motion`). Several cues give
//! the affinity of a detection to that prediction (`affinity`). An assignment finds the pairs with the largest sum of
//! affinities (`association`). Vessels are matched first with the detections above the high threshold, then with the others.
//! Tentative tracks get the remaining detections above the high threshold. What is left starts a tentative track, unless it
//! is a second box on a vessel (`tracker`). `live_track` decides when a track is confirmed, lost, ended, or too fast for a
//! vessel. `docs/measurements.md` has a measurement of each part.
//!
//! # Inspected places
//!
//! A pass may inspect only parts of the picture ([`TrackerInput::regions`]). It inspects a vessel when one region holds nearly
//! all of the vessel's expected box; boxes that a region's border cuts are not trusted. An expected box outside the picture
//! counts as inspected, because no pass can show more of it.
//!
//! Each track has its own clock, which only runs while its place is inspected. A pass that does not inspect a vessel does not
//! make it lost ([`TrackState::NotInspected`] at most), does not bring its end nearer, and gives a tentative track more time
//! for its confirmation. Predictions become uncertain all the same, so a track ends at the latest after four times the limit
//! that holds under constant inspection.

mod affinity;
mod association;
mod clutter;
mod config;
mod confirmation;
mod input;
mod live_track;
mod motion;
mod report;
#[cfg(test)]
mod tests;
mod tracker;
mod vessel;

pub(crate) use association::assign;
pub use clutter::{CLUTTER_GRID, ClutterCell, ClutterMap, ClutterPlace};
pub use config::TrackerConfig;
pub use input::TrackerInput;
pub use report::{Track, TrackState};
pub use tracker::Tracker;
pub use vessel::{VesselCounter, VesselId};
