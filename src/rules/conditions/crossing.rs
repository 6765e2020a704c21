//! `crossing`: a vessel passes over a line.

use std::collections::BTreeMap;

use super::{Finding, Given, Held};
use crate::config::{Condition, Direction};
use crate::geometry::{Norm, Point, Segment, Side};
use crate::track::VesselId;

/// Looks on the far side of a line before a vessel counts as across: one stray box is no crossing.
const SETTLED_LOOKS: u32 = 2;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Crossings(pub(super) BTreeMap<VesselId, Path>);

/// A vessel before a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Path {
    /// The side on which the vessel last settled.
    settled: Side,
    /// The looks in a row on the other side.
    across: u32,
    /// The last point, and whether the path since `settled` went through the segment (an odd number of times).
    last: Point<Norm>,
    through: bool,
}

impl Crossings {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Crossing { line, direction, dead_band } = condition else { return };
        for vessel in given.scene.seen() {
            if let Some((first, _)) = vessel.first.filter(|_| !self.0.contains_key(&vessel.vessel)) {
                self.step(vessel.vessel, &line.segment, *dead_band, first);
            }
            let to = self.step(vessel.vessel, &line.segment, *dead_band, vessel.point);
            let to = to.filter(|to| match direction {
                Direction::Either => true,
                Direction::LeftToRight => *to == Side::Right,
                Direction::RightToLeft => *to == Side::Left,
            });
            let held = if to.is_some() && given.live { Held::Now } else { Held::No };
            let crossed = f64::from(u8::from(to.is_some()));
            findings.push(Finding { to, ..Finding::of(vessel, held, crossed, 1.0) });
        }
    }

    /// The side to which the vessel has just gone over the segment.
    fn step(
        &mut self,
        vessel: VesselId,
        segment: &Segment,
        dead_band: f32,
        point: Point<Norm>,
    ) -> Option<Side> {
        let side = segment.side(point, dead_band);
        let Some(path) = self.0.get_mut(&vessel) else {
            let begins = Path { settled: side?, across: 0, last: point, through: false };
            self.0.insert(vessel, begins);
            return None;
        };
        path.through ^= segment.is_crossed_by(path.last, point);
        path.last = point;
        // In the dead band it is neither here nor there.
        if side? == path.settled {
            path.across = 0;
            path.through = false;
            return None;
        }
        path.across += 1;
        if path.across < SETTLED_LOOKS {
            return None;
        }
        let went_through = path.through;
        *path = Path { settled: side?, across: 0, last: point, through: false };
        went_through.then_some(path.settled)
    }
}
