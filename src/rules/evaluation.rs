//! What a rule's condition is evaluated with, and what comes out.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use super::observation::{Observation, ObservedVessel};
use super::place::Zone;
use super::signal::OpenSignal;
use super::suppression::SuppressionReason;
use super::visit::{Visit, VisitId};
use crate::clock::Stamp;
use crate::geometry::{BBox, Norm, Side};
use crate::ids::RuleId;
use crate::track::VesselId;

/// What a signal is about. Ordered, so that the same input gives the same events in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The zone as a whole.
    Place,
    /// A vessel, by the first of its track numbers.
    Vessel(VesselId),
    /// Two vessels, the lower number first.
    Pair(VesselId, VesselId),
    /// A vessel at its berth, whatever its track number.
    Visit(VisitId),
}

impl Subject {
    /// Whether it is gone when the vessel is.
    pub(super) fn is_about(&self, vessel: VesselId) -> bool {
        match *self {
            Self::Vessel(about) => about == vessel,
            Self::Pair(a, b) => a == vessel || b == vessel,
            Self::Place | Self::Visit(_) => false,
        }
    }
}

/// Whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ConditionState {
    /// It is not.
    NotMet,
    /// It has been met for some time.
    Since {
        /// When that began.
        since: Stamp,
        /// Whether the vessel was seen to come from outside.
        entered: bool,
    },
    /// It is a moment, and this is it. It needs no confirm time.
    Moment,
}

/// What one detection pass says about a condition and a subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Evaluation {
    pub(super) subject: Subject,
    /// The track number that people read.
    pub(super) vessel: Option<VesselId>,
    pub(super) state: ConditionState,
    /// In the kind's unit.
    pub(super) measured: f64,
    pub(super) threshold: f64,
    pub(super) margin: f64,
    /// The side of the line to which it crossed.
    pub(super) to: Option<Side>,
    /// Why the signal is suppressed although the condition is met.
    pub(super) suppressed: Option<SuppressionReason>,
    /// The box of the vessel, or of the zone.
    pub(super) bbox: BBox<Norm>,
}

impl Evaluation {
    /// The condition is not met for the subject.
    pub(super) fn not_met(subject: Subject, vessel: Option<VesselId>, bbox: BBox<Norm>) -> Self {
        let (measured, threshold, margin) = (0.0, 0.0, 0.0);
        let state = ConditionState::NotMet;
        Self { subject, vessel, state, measured, threshold, margin, to: None, suppressed: None, bbox }
    }

    pub(super) fn of_vessel(
        vessel: &ObservedVessel,
        state: ConditionState,
        measured: f64,
        threshold: f64,
    ) -> Self {
        let about = Self::not_met(Subject::Vessel(vessel.vessel), Some(vessel.number), vessel.bbox);
        Self { state, measured, threshold, ..about }
    }

    pub(super) fn of_visit(visit: &Visit, state: ConditionState, measured: f64, threshold: f64) -> Self {
        let about = Self::not_met(Subject::Visit(visit.id), Some(visit.vessel), visit.bbox);
        Self { state, measured, threshold, ..about }
    }

    pub(super) fn of_zone(zone: &Zone, state: ConditionState, measured: f64, threshold: f64) -> Self {
        let about = Self::not_met(Subject::Place, None, zone.area.bounds());
        Self { state, measured, threshold, ..about }
    }
}

/// What a condition is evaluated with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) observation: &'a Observation<'a>,
    /// Whether the rule's schedule is in force.
    pub(super) live: bool,
    /// A lapse shorter than this does not end a condition, because boxes jitter at borders.
    pub(super) grace: Duration,
    /// The open signal of a rule above this one about a subject.
    pub(super) open_signals: &'a dyn Fn(&RuleId, &Subject) -> Option<OpenSignal>,
}

impl Context<'_> {
    /// The open signal of a rule above this one about the vessel, its visit or the place.
    pub(super) fn open_signal(&self, rule: &RuleId, vessel: &ObservedVessel) -> Option<OpenSignal> {
        let visit = self.observation.visits.iter().find(|visit| visit.vessel == vessel.number);
        let own = [Some(Subject::Vessel(vessel.vessel)), visit.map(|visit| Subject::Visit(visit.id))];
        let mut subjects = own.into_iter().flatten().chain([Subject::Place]);
        subjects.find_map(|subject| (self.open_signals)(rule, &subject))
    }
}

impl Debug for Context<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("live", &self.live)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
