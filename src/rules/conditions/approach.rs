//! `approach`: a vessel comes toward a protected line faster than it should.

use std::collections::BTreeMap;

use super::speeding::{COVERAGE, Run};
use super::{Finding, Given, Held};
use crate::config::Condition;
use crate::geometry::{Metre, Point};
use crate::rules::motion::GroundMotion;
use crate::track::VesselId;

/// Estimates in a row, a second apart at least.
const ESTIMATES: u32 = 2;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Approaches(pub(super) BTreeMap<VesselId, Run>);

impl Approaches {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Approach { line, limit_knots, within_m } = condition else { return };
        let ends = [line.segment.from, line.segment.to].map(|end| given.scene.ground(end));
        let [Some(from), Some(to)] = ends else { return };
        for vessel in given.scene.seen() {
            let run = self.0.entry(vessel.vessel).or_default();
            if !given.live {
                *run = Run::default();
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            }
            let Some(motion) = vessel.motion else {
                findings.push(run.unknown(vessel, *limit_knots, given.scene.at, ESTIMATES));
                continue;
            };
            let Some((_, knots)) = closing(&motion, from, to).filter(|(distance, _)| distance <= within_m)
            else {
                *run = Run::default();
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            };
            let margin = COVERAGE * f64::from(motion.speed.uncertainty);
            findings.push(run.estimate(vessel, knots, (*limit_knots, margin), given.scene.at, ESTIMATES));
        }
    }
}

/// Distance from the line in metres, and how fast it shrinks in knots.
fn closing(motion: &GroundMotion, from: Point<Metre>, to: Point<Metre>) -> Option<(f64, f64)> {
    let (along_x, along_y) = (to.x - from.x, to.y - from.y);
    let (x, y) = (motion.at.x - from.x, motion.at.y - from.y);
    let share = (x * along_x + y * along_y) / (along_x * along_x + along_y * along_y);
    let nearest =
        Point::new(from.x + share.clamp(0.0, 1.0) * along_x, from.y + share.clamp(0.0, 1.0) * along_y);
    let distance = motion.at.distance(nearest);
    // From north, clockwise: east is the sine.
    let (east, north) = motion.heading.value.to_radians().sin_cos();
    let toward = (east * (nearest.x - motion.at.x) + north * (nearest.y - motion.at.y)) / distance;
    toward.is_finite().then(|| (f64::from(distance), f64::from(motion.speed.value * toward)))
}
