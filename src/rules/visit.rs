//! Visits: the stay of one vessel at a berth, across lost detections, new track numbers and restarts.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::clock::Stamp;
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId};
use crate::track::VesselId;

/// Identity of a visit, in the form of a UUID version 7. The same recording and site file give the same identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitId(pub Uuid);

/// The stay of one vessel at a berth.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// Which camera saw it.
    pub camera: CameraId,
    /// Which berth.
    pub berth: PlaceId,
    /// The last track number of the vessel.
    pub vessel: VesselId,
    /// When it was first seen to be moored there.
    pub began: Timestamp,
    /// Whether its arrival was seen; false for a vessel that was there from the beginning.
    pub arrived: bool,
    /// When it was last seen there.
    pub last_seen: Timestamp,
    /// Its box, in fractions of the frame.
    pub bbox: BBox<Norm>,
    /// Its apparent length in metres, where the camera is calibrated.
    pub length_m: Option<f64>,
    /// When and how it ended; `None` while it continues.
    pub ended: Option<(Timestamp, VisitEnd)>,
}

impl Visit {
    /// How long it has lasted at `at`, by the wall clock: a visit can begin before the present boot.
    pub(super) fn duration(&self, at: Stamp) -> Duration {
        Duration::try_from(at.wall.duration_since(self.began)).unwrap_or_default()
    }
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum VisitEnd {
    /// The vessel was seen to leave, and its position was then seen to be empty.
    Departed,
    /// Another vessel took its position, so it must have left unseen.
    Replaced,
    /// It was not seen for so long that it must have left unseen.
    Vanished,
}

impl VisitEnd {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A step in a visit, with the visit after it.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitEvent {
    /// What happened.
    pub step: VisitStep,
    /// When: the frame's stamps.
    pub at: Stamp,
    /// The visit after the step.
    pub visit: Visit,
}

/// What happened to a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitStep {
    /// It began: with an arrival where `visit.arrived`, else with a vessel that was there already.
    Began,
    /// It continues, possibly under another track number. Reported at intervals, so that a restart resumes it.
    Continues,
    /// It ended.
    Ended,
}
