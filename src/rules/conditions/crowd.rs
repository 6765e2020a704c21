//! `crowd`: more vessels in a zone than there should be.

use super::stay::Stay;
use super::{Finding, Given};
use crate::config::Condition;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Crowd(Stay);

impl Crowd {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Crowd { zone, more_than } = condition else { return };
        // Vessels out of sight for a moment are still there; those moored elsewhere in the zone are not meant.
        let counts = given.scene.vessels.iter().filter(|vessel| {
            zone.area.contains(vessel.point) && vessel.moored.as_ref().is_none_or(|berth| *berth == zone.id)
        });
        let count = counts.count();
        let held = self.0.step(count > *more_than as usize, given.scene.at, given.live, given.grace);
        findings.push(Finding::place(zone, held, count as f64, f64::from(*more_than)));
    }
}
