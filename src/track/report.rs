//! What the tracker reports after each pass.

use super::vessel::VesselId;
use crate::clock::MonoTime;
use crate::geometry::{BBox, Px};

/// The life of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackState {
    /// Detected too few times. It has no vessel number yet, and rules do not see it.
    Tentative,
    /// A vessel, detected in this pass.
    Confirmed,
    /// A vessel that was detected when its place was last inspected. This pass did not inspect its place; its box is
    /// predicted.
    NotInspected,
    /// A vessel that was not detected although its place was inspected; its box is predicted.
    Lost,
    /// Not detected for too long. This is the last report of the track.
    Ended,
}

/// A vessel after one pass. Tentative tracks are not reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Its number.
    pub vessel: VesselId,
    /// Never [`TrackState::Tentative`].
    pub state: TrackState,
    /// Filtered box in pixels. Predicted while lost or not inspected; the last detected position when ended.
    pub bbox: BBox<Px>,
    /// The last detected box, unfiltered.
    pub seen_bbox: BBox<Px>,
    /// The mean confidence of its detections, 0 to 1.
    pub confidence: f32,
    /// Index into the detections of this pass, if it was detected.
    pub detection: Option<usize>,
    /// Time of the first detection.
    pub first_seen: MonoTime,
    /// The first detected box: where the vessel came from.
    pub first_bbox: BBox<Px>,
    /// Time of the last detection.
    pub last_seen: MonoTime,
    /// Detections so far.
    pub hits: u32,
    /// Velocity rightward and downward, in pixels a second; `None` while stationary.
    pub velocity: Option<[f32; 2]>,
}
