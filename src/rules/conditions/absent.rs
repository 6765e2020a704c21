//! `absent`: an expected vessel is not at its berth. `inactivity`: nothing was seen where there is always something, so the watch
//! doubts itself.

use super::stay::seconds;
use super::{Finding, Given, Held};
use crate::clock::Stamp;
use crate::config::Condition;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Absence {
    since: Option<Stamp>,
}

impl Absence {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let scene = given.scene;
        let (zone, longer_than, there) = match condition {
            Condition::Absent { zone, longer_than } => {
                let expected = zone.berth.as_ref().and_then(|berth| berth.expected_length_m);
                let fits = |length: Option<f64>| match (expected, length) {
                    (Some([least, most]), Some(length)) => (least..=most).contains(&length),
                    // Of unknown length: it may well be the one.
                    _ => true,
                };
                let visits = scene.visits.iter().any(|v| v.berth == zone.id && fits(v.length_m));
                let vessels = scene.vessels.iter().any(|v| zone.area.contains(v.point) && fits(v.length_m));
                (zone, longer_than, visits || vessels)
            }
            Condition::Inactivity { zone, longer_than } => {
                (zone, longer_than, scene.seen().any(|v| zone.area.contains(v.point)))
            }
            _ => return,
        };
        // Time in which nobody could see is no time of absence.
        if there || !given.live || scene.after_gap {
            self.since = None;
        }
        if !there && given.live {
            let since = *self.since.get_or_insert(scene.at);
            let long = scene.at.mono.since(since.mono) > *longer_than;
            findings.push(Finding::place(
                zone,
                if long { Held::Since { since, entered: false } } else { Held::No },
                seconds(since, scene.at),
                longer_than.as_secs_f64(),
            ));
        } else {
            findings.push(Finding::place(zone, Held::No, 0.0, 0.0));
        }
    }
}
