//! Following vessels from look to look. Pure: no I/O, no clock.

mod association;
mod config;
mod followed;
mod motion;
#[cfg(test)]
mod promises;
mod tracker;
mod vessel;

pub use config::TrackerConfig;
pub use tracker::Tracker;
pub use vessel::{VesselCounter, VesselId};

use crate::clock::MonoTime;
use crate::geometry::{BBox, Px};

/// How sure the tracker is that a track is a vessel, and still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackState {
    /// Seen too few times to count; has no vessel number yet and rules do not see it.
    Tentative,
    /// A vessel, seen in this look.
    Confirmed,
    /// A vessel, not seen now; its box is predicted.
    Lost,
    /// Gone for too long; this is its last report.
    Ended,
}

/// A vessel as of one look. Tentative tracks are not reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Its number.
    pub vessel: VesselId,
    /// Never [`TrackState::Tentative`].
    pub state: TrackState,
    /// Filtered box, in pixels; predicted while lost, where it was last seen when ended.
    pub bbox: BBox<Px>,
    /// Index into the look's detections, when seen in this look.
    pub detection: Option<usize>,
    /// When the first detection of it was made.
    pub first_seen: MonoTime,
    /// The first detection of it: where it came from.
    pub first_bbox: BBox<Px>,
    /// When the last detection of it was made.
    pub last_seen: MonoTime,
    /// Detections so far.
    pub hits: u32,
}
