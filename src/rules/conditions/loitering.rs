//! `loitering`: a vessel stays within a circle, outside of every berth.

use std::collections::BTreeMap;

use super::stay::seconds;
use super::{Finding, Given, Held};
use crate::clock::Stamp;
use crate::config::Condition;
use crate::geometry::{Metre, Point};
use crate::track::VesselId;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Circles(pub(super) BTreeMap<VesselId, Circle>);

/// Where a vessel has hung about, and since when.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Circle {
    centre: Point<Metre>,
    since: Stamp,
    last: Stamp,
}

impl Circles {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Loitering { zone, radius_m, longer_than } = condition else { return };
        let at = given.scene.at;
        for vessel in given.scene.seen() {
            let inside = given.live && vessel.in_berth.is_none() && zone.area.contains(vessel.point);
            // After missed looks it is not known at once where on the ground a vessel is: that is no sign that it left.
            let known = || self.0.get(&vessel.vessel).map(|circle| circle.centre);
            let here = vessel.motion.map(|motion| motion.at).or_else(known).filter(|_| inside);
            let Some(here) = here else {
                let over = |circle: &Circle| !given.live || at.mono.since(circle.last.mono) >= given.grace;
                if self.0.get(&vessel.vessel).is_some_and(over) {
                    self.0.remove(&vessel.vessel);
                }
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            };
            let begins = Circle { centre: here, since: at, last: at };
            let circle = self.0.entry(vessel.vessel).or_insert(begins);
            circle.last = at;
            if f64::from(here.distance(circle.centre)) > *radius_m {
                *circle = begins;
            }
            let long = at.mono.since(circle.since.mono) > *longer_than;
            findings.push(Finding::of(
                vessel,
                if long { Held::Since { since: circle.since, entered: false } } else { Held::No },
                seconds(circle.since, at),
                longer_than.as_secs_f64(),
            ));
        }
    }
}
