//! What the rules of a camera see in one look.

use super::motion::GroundMotion;
use super::visit::{Visit, VisitEvent};
use crate::clock::Stamp;
use crate::geometry::{BBox, Calibration, Metre, Norm, Point};
use crate::ids::PlaceId;
use crate::track::VesselId;

/// One look: every vessel that is followed, and the visits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) at: Stamp,
    pub(super) vessels: &'a [Sighting],
    /// Visits that last, by berth and place.
    pub(super) visits: &'a [Visit],
    /// What this look changed in them.
    pub(super) visit_events: &'a [VisitEvent],
    /// Visits that are over, as far back as a rule asks.
    pub(super) history: &'a [Visit],
    pub(super) calibration: Option<&'a Calibration>,
    /// Width of the picture over its height.
    pub(super) aspect: f32,
    /// Nobody looked for a while before this look.
    pub(super) after_gap: bool,
}

/// A vessel in one look.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// The number under which it was first followed: whose memory it has.
    pub(super) vessel: VesselId,
    /// The number under which it is followed now.
    pub(super) number: VesselId,
    /// Whether this look saw it; else its place is predicted.
    pub(super) seen: bool,
    pub(super) bbox: BBox<Norm>,
    /// Its waterline point.
    pub(super) point: Point<Norm>,
    pub(super) still: bool,
    /// How sure the detector has been of it, 0 to 1.
    pub(super) confidence: f32,
    /// The berth in which its waterline point lies.
    pub(super) in_berth: Option<PlaceId>,
    /// The berth at which it is moored: it has a visit there.
    pub(super) moored: Option<PlaceId>,
    /// On a calibrated camera.
    pub(super) motion: Option<GroundMotion>,
    /// How long it looks in metres, on a calibrated camera.
    pub(super) length_m: Option<f64>,
    /// Where and when it was first seen, in the first look that knows it as a vessel.
    pub(super) first: Option<(Point<Norm>, Stamp)>,
}

impl Scene<'_> {
    /// The vessels that this look saw.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Sighting> {
        self.vessels.iter().filter(|vessel| vessel.seen)
    }

    /// A point of the picture on the ground; `None` above the horizon or without calibration.
    pub(super) fn ground(&self, point: Point<Norm>) -> Option<Point<Metre>> {
        Some(self.calibration?.ground(point)?.at)
    }
}
