//! `rendezvous`: two vessels close together for long, slowly, away from berths.

use std::collections::BTreeMap;

use super::stay::{Stay, seconds};
use super::{Finding, Given, Held, Subject};
use crate::config::Condition;
use crate::track::VesselId;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Meetings(pub(super) BTreeMap<(VesselId, VesselId), Stay>);

impl Meetings {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Rendezvous { zone, closer_than_m, slower_than_knots, longer_than } = condition else {
            return;
        };
        let at = given.scene.at;
        let vessels: Vec<_> = given.scene.seen().filter_map(|v| Some((v, v.motion?))).collect();
        for (index, (a, a_motion)) in vessels.iter().enumerate() {
            for (b, b_motion) in &vessels[index + 1..] {
                let apart_m = f64::from(a_motion.at.distance(b_motion.at));
                let pair = (a.vessel.min(b.vessel), a.vessel.max(b.vessel));
                let near = apart_m <= *closer_than_m;
                // Most pairs are far apart and always were: they cost nothing but the distance.
                if !near && !self.0.contains_key(&pair) {
                    continue;
                }
                let meets = near
                    && [a, b].iter().all(|v| v.in_berth.is_none() && zone.area.contains(v.point))
                    && [a_motion, b_motion].iter().all(|m| f64::from(m.speed.value) <= *slower_than_knots);
                let stay = self.0.entry(pair).or_default();
                let mut held = stay.step(meets, at, given.live, given.grace);
                let mut measured = 0.0;
                if let Held::Since { since, .. } = held {
                    measured = seconds(since, at);
                    if at.mono.since(since.mono) <= *longer_than {
                        held = Held::No;
                    }
                }
                let subject = Subject::Pair(pair.0, pair.1);
                let about = Finding::about(subject, Some(a.number), a.bbox.union(&b.bbox));
                findings.push(Finding { held, measured, threshold: longer_than.as_secs_f64(), ..about });
            }
        }
    }
}
