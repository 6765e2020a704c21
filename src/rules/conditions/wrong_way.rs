//! `wrong-way`: a vessel goes against the direction of a lane.

use std::collections::BTreeMap;

use super::{Finding, Given, Held};
use crate::clock::Stamp;
use crate::config::Condition;
use crate::geometry::{Norm, Point};
use crate::track::VesselId;

/// The cosine of the angle up to which a path counts as against the lane: 60 degrees either side.
const AGAINST: f32 = 0.5;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Lanes(pub(super) BTreeMap<VesselId, Leg>);

/// The stretch that a vessel has gone in the lane.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Leg {
    from: Point<Norm>,
    since: Stamp,
}

impl Lanes {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::WrongWay { zone, flow, lengths } = condition else { return };
        let way = [flow.to.x - flow.from.x, flow.to.y - flow.from.y].map(|step| step / flow.length());
        for vessel in given.scene.seen() {
            if !(given.live && zone.area.contains(vessel.point)) {
                self.0.remove(&vessel.vessel);
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            }
            let begins = Leg { from: vessel.point, since: given.scene.at };
            let leg = self.0.entry(vessel.vessel).or_insert(begins);
            let gone = [vessel.point.x - leg.from.x, vessel.point.y - leg.from.y];
            let against = -(gone[0] * way[0] + gone[1] * way[1]);
            if against < 0.0 {
                // With the lane: what it goes against it is counted from here.
                *leg = begins;
            }
            // In the vessel's own lengths, so that far and near count alike.
            let own = f64::from(against.max(0.0) / vessel.bbox.width().max(f32::EPSILON));
            let wrong = own > *lengths && against >= AGAINST * gone[0].hypot(gone[1]);
            findings.push(Finding::of(
                vessel,
                if wrong { Held::Since { since: leg.since, entered: false } } else { Held::No },
                own,
                *lengths,
            ));
        }
    }
}
