//! What rules watch for, one file a kind.
//!
//! A condition takes in the [`Scene`] of each look and says of each [`Subject`] whether it holds. It remembers what it must;
//! whether staff hear of it (confirm time, cooldown, size, schedule) is the engine's business. A vessel that was not
//! seen in a look gets no finding: what was true of it stays true.

mod absent;
mod approach;
mod berth;
mod crossing;
mod crowd;
mod loitering;
#[cfg(test)]
mod promises;
mod rendezvous;
mod repeat;
mod speeding;
mod stay;
mod stop;
mod wrong_way;
mod zone;

use std::time::Duration;

use super::scene::{Scene, Sighting};
use super::suppressed::SuppressionReason;
use super::visit::{Visit, VisitId};
use crate::clock::Stamp;
use crate::config::{Condition, Zone};
use crate::geometry::{BBox, Norm, Side};
use crate::track::VesselId;

/// For so long a vessel whose place and speed on the ground are not known, after missed looks, counts as it did before.
const UNKNOWN_FOR: Duration = Duration::from_secs(15);

/// What a rule judges. Ordered, so that the same input gives the same events in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The place itself: how many are there, or none.
    Place,
    /// A vessel, by the number under which it was first followed.
    Vessel(VesselId),
    /// Two vessels, the lower number first.
    Pair(VesselId, VesselId),
    /// A vessel at its berth, under whatever number.
    Visit(VisitId),
}

impl Subject {
    /// Whether it is gone with the vessel.
    pub(super) fn is_about(&self, vessel: VesselId) -> bool {
        match *self {
            Self::Vessel(about) => about == vessel,
            Self::Pair(a, b) => a == vessel || b == vessel,
            Self::Place | Self::Visit(_) => false,
        }
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held {
    /// It does not.
    No,
    /// It has since then.
    Since {
        /// When it began.
        since: Stamp,
        /// Whether the vessel was seen to come from outside.
        entered: bool,
    },
    /// It is a moment, and this is it; what had to be confirmed is.
    Now,
}

/// What a condition says of a subject in one look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) subject: Subject,
    /// The number that people are told.
    pub(super) vessel: Option<VesselId>,
    pub(super) held: Held,
    /// In the condition's unit; see [`Condition::unit`].
    pub(super) measured: f64,
    pub(super) threshold: f64,
    pub(super) margin: f64,
    /// To which side of the line it went.
    pub(super) to: Option<Side>,
    /// Why it is kept silent about, though it holds.
    pub(super) silent: Option<SuppressionReason>,
    /// The vessel's box, or the place's.
    pub(super) bbox: BBox<Norm>,
}

/// A condition with what it remembers. Compositions are judged by the engine, from the rules that they name.
#[derive(Clone, Debug)]
pub(super) enum Judge {
    Zone(zone::Zones),
    Crossing(crossing::Crossings),
    WrongWay(wrong_way::Lanes),
    Loitering(loitering::Circles),
    Speeding(speeding::Speeds),
    Stop(stop::Stops),
    Berth(berth::Berths),
    Rendezvous(rendezvous::Meetings),
    Crowd(crowd::Crowd),
    Absent(absent::Absence),
    Repeat(repeat::Repeats),
    Approach(approach::Approaches),
    Composed,
}

impl Judge {
    pub(super) fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Presence { .. } | Condition::Entry { .. } | Condition::Dwell { .. } => {
                Self::Zone(Default::default())
            }
            Condition::Crossing { .. } => Self::Crossing(Default::default()),
            Condition::WrongWay { .. } => Self::WrongWay(Default::default()),
            Condition::Loitering { .. } => Self::Loitering(Default::default()),
            Condition::Speeding { .. } => Self::Speeding(Default::default()),
            Condition::Stop { .. } => Self::Stop(Default::default()),
            Condition::Departure { .. } | Condition::Unexpected { .. } | Condition::Overstay { .. } => {
                Self::Berth(Default::default())
            }
            Condition::Rendezvous { .. } => Self::Rendezvous(Default::default()),
            Condition::Crowd { .. } => Self::Crowd(Default::default()),
            Condition::Absent { .. } | Condition::Inactivity { .. } => Self::Absent(Default::default()),
            Condition::Repeat { .. } => Self::Repeat(Default::default()),
            Condition::Approach { .. } => Self::Approach(Default::default()),
            Condition::All { .. } | Condition::Then { .. } => Self::Composed,
        }
    }

    /// Takes in a look.
    pub(super) fn judge(&mut self, condition: &Condition, look: &Given<'_>, findings: &mut Vec<Finding>) {
        match self {
            Self::Zone(memory) => memory.judge(condition, look, findings),
            Self::Crossing(memory) => memory.judge(condition, look, findings),
            Self::WrongWay(memory) => memory.judge(condition, look, findings),
            Self::Loitering(memory) => memory.judge(condition, look, findings),
            Self::Speeding(memory) => memory.judge(condition, look, findings),
            Self::Stop(memory) => memory.judge(condition, look, findings),
            Self::Berth(memory) => memory.judge(condition, look, findings),
            Self::Rendezvous(memory) => memory.judge(condition, look, findings),
            Self::Crowd(memory) => memory.judge(condition, look, findings),
            Self::Absent(memory) => memory.judge(condition, look, findings),
            Self::Repeat(memory) => memory.judge(condition, look, findings),
            Self::Approach(memory) => memory.judge(condition, look, findings),
            Self::Composed => {}
        }
    }

    /// The vessel is gone for good.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        match self {
            Self::Zone(memory) => drop(memory.0.remove(&vessel)),
            Self::Crossing(memory) => drop(memory.0.remove(&vessel)),
            Self::WrongWay(memory) => drop(memory.0.remove(&vessel)),
            Self::Loitering(memory) => drop(memory.0.remove(&vessel)),
            Self::Speeding(memory) => drop(memory.0.remove(&vessel)),
            Self::Stop(memory) => drop(memory.0.remove(&vessel)),
            Self::Approach(memory) => drop(memory.0.remove(&vessel)),
            Self::Rendezvous(memory) => memory.0.retain(|&(a, b), _| a != vessel && b != vessel),
            Self::Berth(_) | Self::Crowd(_) | Self::Absent(_) | Self::Repeat(_) | Self::Composed => {}
        }
    }
}

/// What a condition is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub(super) scene: &'a Scene<'a>,
    /// Whether the rule's schedule is in force.
    pub(super) live: bool,
    /// How long a condition may lapse: boxes jitter at every border.
    pub(super) grace: Duration,
}

impl Finding {
    /// Nothing holds for the subject any more.
    pub(super) fn about(subject: Subject, vessel: Option<VesselId>, bbox: BBox<Norm>) -> Self {
        let (measured, threshold, margin) = (0.0, 0.0, 0.0);
        Self { subject, vessel, held: Held::No, measured, threshold, margin, to: None, silent: None, bbox }
    }

    pub(super) fn of(vessel: &Sighting, held: Held, measured: f64, threshold: f64) -> Self {
        let about = Self::about(Subject::Vessel(vessel.vessel), Some(vessel.number), vessel.bbox);
        Self { held, measured, threshold, ..about }
    }

    fn visit(visit: &Visit, held: Held, measured: f64, threshold: f64) -> Self {
        let about = Self::about(Subject::Visit(visit.id), Some(visit.vessel), visit.bbox);
        Self { held, measured, threshold, ..about }
    }

    fn place(zone: &Zone, held: Held, measured: f64, threshold: f64) -> Self {
        let about = Self::about(Subject::Place, None, zone.area.bounds());
        Self { held, measured, threshold, ..about }
    }
}
