//! What the rules of a camera are given in one detection pass.

use super::motion::GroundMotion;
use super::visit::{Visit, VisitEvent};
use crate::clock::Stamp;
use crate::geometry::{BBox, Calibration, Metre, Norm, Point};
use crate::ids::PlaceId;
use crate::track::VesselId;

/// One detection pass: every vessel that is tracked, and the visits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation<'a> {
    pub(super) at: Stamp,
    pub(super) vessels: &'a [ObservedVessel],
    /// Visits that go on, by berth and position.
    pub(super) visits: &'a [Visit],
    /// What this pass changed in the visits.
    pub(super) visit_events: &'a [VisitEvent],
    /// Visits that are over, as far back as a rule needs.
    pub(super) history: &'a [Visit],
    pub(super) calibration: Option<&'a Calibration>,
    /// Width of the picture divided by its height.
    pub(super) aspect: f32,
    /// There was no pass for a while before this one.
    pub(super) after_gap: bool,
}

/// A vessel in one detection pass.
#[derive(Clone, Debug)]
pub(super) struct ObservedVessel {
    /// The first of its track numbers, under which its state is kept.
    pub(super) vessel: VesselId,
    /// Its present track number.
    pub(super) number: VesselId,
    /// Whether it was detected in this pass; if not, its position is predicted.
    pub(super) seen: bool,
    pub(super) bbox: BBox<Norm>,
    /// Its waterline point.
    pub(super) point: Point<Norm>,
    pub(super) still: bool,
    /// The detector's average confidence in it, 0 to 1.
    pub(super) confidence: f32,
    /// The berth in which its waterline point is.
    pub(super) in_berth: Option<PlaceId>,
    /// The berth at which it is moored.
    pub(super) moored: Option<PlaceId>,
    /// On a calibrated camera.
    pub(super) motion: Option<GroundMotion>,
    /// Its apparent length in metres, on a calibrated camera.
    pub(super) length_m: Option<f64>,
    /// Where and when it was first detected; only in the first pass after its track was confirmed.
    pub(super) first: Option<(Point<Norm>, Stamp)>,
}

impl Observation<'_> {
    /// The vessels that were detected in this pass.
    pub(super) fn seen(&self) -> impl Iterator<Item = &ObservedVessel> {
        self.vessels.iter().filter(|vessel| vessel.seen)
    }

    /// A point of the picture on the ground; `None` above the horizon or without calibration.
    pub(super) fn ground(&self, point: Point<Norm>) -> Option<Point<Metre>> {
        Some(self.calibration?.ground(point)?.at)
    }
}
