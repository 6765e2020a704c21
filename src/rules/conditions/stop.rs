//! `stop`: a vessel lies still in a zone, outside of every berth.

use std::collections::BTreeMap;

use super::stay::{Stay, seconds};
use super::{Finding, Given, Held};
use crate::config::Condition;
use crate::track::VesselId;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Stops(pub(super) BTreeMap<VesselId, Stay>);

impl Stops {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Stop { zone, longer_than } = condition else { return };
        let at = given.scene.at;
        for vessel in given.scene.seen() {
            let lies = vessel.still && zone.area.contains(vessel.point) && vessel.in_berth.is_none();
            let stay = self.0.entry(vessel.vessel).or_default();
            let mut held = stay.step(lies, at, given.live, given.grace);
            let mut measured = 0.0;
            if let Held::Since { since, .. } = held {
                measured = seconds(since, at);
                if at.mono.since(since.mono) <= *longer_than {
                    held = Held::No;
                }
            }
            findings.push(Finding::of(vessel, held, measured, longer_than.as_secs_f64()));
        }
    }
}
