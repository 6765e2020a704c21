//! Following vessels from look to look. Pure: no I/O, no clock.
//!
//! # How vessels are told apart
//!
//! Tracking by detection, online, without appearance, in real time steps: what is known of each vessel is where it was, how it
//! moved and how sure the detector was of it. A Kalman filter says where it is expected and how far off that may be
//! (`motion`); several cues say how much a detection is like that (`likeness`); an assignment makes the sum of
//! likenesses highest (`association`). Vessels choose first among the sure detections, then among the less sure; tentative
//! tracks get what is left, and what is left then begins one, unless it is a second box on a vessel (`tracker`). When a
//! vessel counts (and what is too fast for one), is lost and ends is in `followed`. What each of it adds is measured in
//! `tests/bench/README.md`.
//!
//! # What was looked at
//!
//! A look may see parts of the picture only ([`Look::looked`]). A vessel is *watched* by a look when nearly all of
//! where it is expected lies within one region of it: what a region's border cuts is not believed. What is expected
//! outside the picture counts as watched: no look could show more of it.
//!
//! Each vessel has a clock of its own, which stands still while it is not watched. A look that does not watch it neither
//! misses it (it stays what it was, [`TrackState::Unwatched`] at most) nor brings its end nearer, and detections that confirm
//! a tentative track may lie further apart by as much. Since a guess at where it is grows old all the same, a vessel
//! ends at the latest after four times the time for which it would be remembered under constant watch.

mod association;
mod config;
mod followed;
mod likeness;
mod motion;
#[cfg(test)]
mod promises;
mod tracker;
mod vessel;

pub(crate) use association::assign;
pub use config::TrackerConfig;
pub use tracker::Tracker;
pub use vessel::{VesselCounter, VesselId};

use crate::clock::MonoTime;
use crate::detect::Detection;
use crate::geometry::{BBox, FrameSize, Px};

/// What a look at a camera's picture gave.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What was found.
    pub detections: &'a [Detection],
    /// Of the picture.
    pub size: FrameSize,
    /// The regions of the picture that were searched; may overlap.
    pub looked: &'a [BBox<Px>],
    /// How far everything that stands still has moved in the picture since the look before, rightward and downward in
    /// pixels, because the camera moved; zero when unknown.
    pub shift: [f32; 2],
    /// When; later than the look before.
    pub at: MonoTime,
}

/// How sure the tracker is that a track is a vessel, and still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackState {
    /// Seen too few times to count; has no vessel number yet and rules do not see it.
    Tentative,
    /// A vessel, seen in this look.
    Confirmed,
    /// A vessel that was seen when last looked at, outside of what this look saw; its box is predicted.
    Unwatched,
    /// A vessel, looked for and not seen since; its box is predicted.
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
    /// Filtered box, in pixels; predicted while lost or unwatched, where it was last seen when ended.
    pub bbox: BBox<Px>,
    /// The last detection of it, as it was: not filtered.
    pub seen_bbox: BBox<Px>,
    /// The mean confidence of its detections, 0 to 1.
    pub confidence: f32,
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
    /// How it moves, rightward and downward in pixels a second; `None` while it stands still.
    pub velocity: Option<[f32; 2]>,
}
