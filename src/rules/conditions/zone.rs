//! `presence`, `entry` and `dwell`: a vessel in a zone.

use std::collections::BTreeMap;

use super::stay::{Stay, seconds};
use super::{Finding, Given, Held};
use crate::config::Condition;
use crate::track::VesselId;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Zones(pub(super) BTreeMap<VesselId, Stay>);

impl Zones {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let (zone, entering, longer_than) = match condition {
            Condition::Presence { zone } => (zone, false, None),
            Condition::Entry { zone } => (zone, true, None),
            Condition::Dwell { zone, longer_than } => (zone, false, Some(*longer_than)),
            _ => return,
        };
        let at = given.scene.at;
        for vessel in given.scene.seen() {
            let stay = self.0.entry(vessel.vessel).or_insert_with(|| {
                let mut stay = Stay::default();
                // A vessel has a number only some looks after it was first seen: where it came from counts.
                if let Some((point, first)) = vessel.first {
                    stay.step(zone.area.contains(point), first, given.live, given.grace);
                }
                stay
            });
            let mut held = stay.step(zone.area.contains(vessel.point), at, given.live, given.grace);
            let mut measured = 0.0;
            if let Held::Since { since, entered } = held {
                measured = seconds(since, at);
                let too_short = longer_than.is_some_and(|longer| at.mono.since(since.mono) <= longer);
                if too_short || entering && !entered {
                    held = Held::No;
                }
            }
            findings.push(Finding::of(
                vessel,
                held,
                measured,
                longer_than.map_or(0.0, |longer| longer.as_secs_f64()),
            ));
        }
    }
}
