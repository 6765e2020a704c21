//! `loitering`: a vessel stays within a circle, outside of every berth.

use std::collections::BTreeMap;

use super::stay::seconds;
use super::{Finding, Given, Held, UNKNOWN_FOR};
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
    /// When it was last known to be here.
    last: Stamp,
    /// It has been here for too long.
    long: bool,
}

impl Circles {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Loitering { zone, radius_m, longer_than } = condition else { return };
        let at = given.scene.at;
        for vessel in given.scene.seen() {
            let inside = given.live && vessel.in_berth.is_none() && zone.area.contains(vessel.point);
            let circle = match vessel.motion.map(|motion| motion.at).filter(|_| inside) {
                Some(here) => {
                    let begins = Circle { centre: here, since: at, last: at, long: false };
                    let circle = self.0.entry(vessel.vessel).or_insert(begins);
                    if f64::from(here.distance(circle.centre)) > *radius_m {
                        *circle = begins;
                    }
                    circle.last = at;
                    circle.long = at.mono.since(circle.since.mono) > *longer_than;
                    Some(*circle)
                }
                // After missed looks it is not known at once where on the ground a vessel is: that is no sign that it left,
                // nor that it stayed.
                None => {
                    let forgiven = if inside { UNKNOWN_FOR } else { given.grace };
                    let over = |circle: &Circle| !given.live || at.mono.since(circle.last.mono) >= forgiven;
                    if self.0.get(&vessel.vessel).is_some_and(over) {
                        self.0.remove(&vessel.vessel);
                    }
                    self.0.get(&vessel.vessel).copied().filter(|_| inside)
                }
            };
            let held = match circle {
                Some(Circle { since, long: true, .. }) => Held::Since { since, entered: false },
                _ => Held::No,
            };
            let measured = circle.map_or(0.0, |circle| seconds(circle.since, at));
            findings.push(Finding::of(vessel, held, measured, longer_than.as_secs_f64()));
        }
    }
}
