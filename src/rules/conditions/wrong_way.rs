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
        // In heights of the picture, so that the same way counts alike along the picture and up it.
        let step = |from: Point<Norm>, to: Point<Norm>| [(to.x - from.x) * given.scene.aspect, to.y - from.y];
        let way = step(flow.from, flow.to);
        let way = way.map(|part| part / way[0].hypot(way[1]));
        for vessel in given.scene.seen() {
            if !(given.live && zone.area.contains(vessel.point)) {
                self.0.remove(&vessel.vessel);
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            }
            let begins = Leg { from: vessel.point, since: given.scene.at };
            let leg = self.0.entry(vessel.vessel).or_insert(begins);
            let gone = step(leg.from, vessel.point);
            let against = -(gone[0] * way[0] + gone[1] * way[1]);
            if against < 0.0 {
                // With the lane: what it goes against it is counted from here.
                *leg = begins;
            }
            // In the vessel's own lengths, so that far and near count alike.
            let length = (vessel.bbox.width() * given.scene.aspect).max(f32::EPSILON);
            let own = f64::from(against.max(0.0) / length);
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
