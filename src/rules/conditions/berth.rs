//! `departure`, `overstay` and `unexpected`: who lies at a berth, and who leaves it.

use std::time::Duration;

use super::{Finding, Given, Held};
use crate::clock::Stamp;
use crate::config::Condition;
use crate::rules::visit::{Visit, VisitEnd, VisitStep};

/// The share by which a box's length is off: spray, reflections, and vessels that lie askew.
const DOUBT: f64 = 0.1;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct Berths;

impl Berths {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let scene = given.scene;
        match condition {
            Condition::Departure { zone } => {
                let here = scene.visit_events.iter().filter(|event| event.visit.berth == zone.id);
                for event in here.filter(|event| event.step == VisitStep::Ended) {
                    let departed = event.visit.ended.is_some_and(|(_, how)| how == VisitEnd::Departed);
                    findings.push(Finding::visit(
                        &event.visit,
                        if departed && given.live { Held::Now } else { Held::No },
                        1.0,
                        1.0,
                    ));
                }
            }
            Condition::Overstay { zone, longer_than } => {
                for visit in scene.visits.iter().filter(|visit| visit.berth == zone.id) {
                    let stayed_s = stayed(visit, scene.at).as_secs_f64();
                    let since = scene.at.before(stayed(visit, scene.at));
                    let long = given.live && stayed_s > longer_than.as_secs_f64();
                    findings.push(Finding::visit(
                        visit,
                        if long { Held::Since { since, entered: false } } else { Held::No },
                        stayed_s,
                        longer_than.as_secs_f64(),
                    ));
                }
            }
            Condition::Unexpected { zone } => {
                let expected = zone.berth.as_ref().and_then(|berth| berth.expected_length_m);
                let Some([least, most]) = expected else { return };
                for visit in scene.visits.iter().filter(|visit| visit.berth == zone.id) {
                    let Some(length) = visit.length_m else { continue };
                    // Beyond doubt: a vessel that looks as long as it may be is let pass.
                    let margin = DOUBT * length;
                    let stranger = given.live && !(least - margin..=most + margin).contains(&length);
                    let since = scene.at.before(stayed(visit, scene.at));
                    let held = if stranger { Held::Since { since, entered: false } } else { Held::No };
                    let limit = if length > most { most } else { least };
                    findings.push(Finding { margin, ..Finding::visit(visit, held, length, limit) });
                }
            }
            _ => {}
        }
    }
}

/// By the wall clock: a visit outlives the boot that its beginning was measured in.
fn stayed(visit: &Visit, at: Stamp) -> Duration {
    Duration::try_from(at.wall.duration_since(visit.began)).unwrap_or_default()
}
