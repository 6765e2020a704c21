//! Visits: the stay of one vessel at a berth, through lost detections, other track numbers and restarts.

use jiff::Timestamp;
use uuid::Uuid;

use crate::clock::Stamp;
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId};
use crate::track::VesselId;

/// Identity of a visit: the same recording and site file give the same. UUID version 7 in form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitId(pub Uuid);

/// A stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// Which camera saw it.
    pub camera: CameraId,
    /// Which berth.
    pub berth: PlaceId,
    /// The number under which the vessel was last followed.
    pub vessel: VesselId,
    /// When it lay still there first, as far as was seen.
    pub began: Timestamp,
    /// Whether it was seen to come; false: it lay there when it was first seen.
    pub arrived: bool,
    /// When it was last seen there.
    pub last_seen: Timestamp,
    /// Where it lies, in fractions of the frame.
    pub bbox: BBox<Norm>,
    /// How long it looks, in metres, where the camera is calibrated.
    pub length_m: Option<f64>,
    /// When and how it ended; `None` while it lasts.
    pub ended: Option<(Timestamp, VisitEnd)>,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitEnd {
    /// The vessel was seen to leave, and its place was then seen empty.
    Departed,
    /// Another vessel was seen to come to its place: it must have left unseen.
    Replaced,
    /// Its place was seen empty for so long that it must have left unseen.
    Vanished,
}

impl VisitEnd {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Departed => "departed",
            Self::Replaced => "replaced",
            Self::Vanished => "vanished",
        }
    }
}

/// A step in a visit, with the visit as it stands then.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitEvent {
    /// What happened.
    pub step: VisitStep,
    /// When: the frame's stamps.
    pub at: Stamp,
    /// As it stands after the step.
    pub visit: Visit,
}

/// What happened to a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitStep {
    /// It began: an arrival where `visit.arrived`, else a vessel found lying there.
    Began,
    /// It goes on (now and then, so that a restart resumes it), perhaps under another vessel number.
    Continues,
    /// It ended: a departure where it ended so.
    Ended,
}
