//! `repeat`: a vessel of the same size lies at the same berth again and again over days.
//!
//! Vessels are not recognised by their looks: what is counted are arrivals at one berth by vessels whose lengths are alike
//! (or, where the camera is not calibrated, whose boxes are).

use super::{Finding, Given, Held};
use crate::config::Condition;
use crate::rules::visit::{Visit, VisitStep};

/// Lengths are alike within this ratio.
const ALIKE: f64 = 1.2;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct Repeats;

impl Repeats {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Repeat { zone, times, within } = condition else { return };
        let scene = given.scene;
        let arrivals = scene
            .visit_events
            .iter()
            .filter(|event| event.step == VisitStep::Began && event.visit.arrived)
            .filter(|event| event.visit.berth == zone.id);
        for event in arrivals {
            let earlier = scene.history.iter().filter(|visit| {
                visit.berth == zone.id
                    && visit.id != event.visit.id
                    && visit.arrived
                    && scene.at.wall.duration_since(visit.began).unsigned_abs() <= *within
                    && alike(visit, &event.visit)
            });
            let count = 1 + earlier.count();
            findings.push(Finding::visit(
                &event.visit,
                if given.live && count >= *times as usize { Held::Now } else { Held::No },
                count as f64,
                f64::from(*times),
            ));
        }
    }
}

fn alike(a: &Visit, b: &Visit) -> bool {
    let ratio = match (a.length_m, b.length_m) {
        (Some(a), Some(b)) => a / b,
        _ => f64::from(a.bbox.width() / b.bbox.width()),
    };
    (1.0 / ALIKE..=ALIKE).contains(&ratio)
}
