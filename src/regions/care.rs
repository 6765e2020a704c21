//! Where a rule in force looks.

use crate::geometry::{Area, Norm, Point, Segment};

/// This near to a line, as a fraction of the picture, somebody may be about to cross it.
const NEAR_LINE: f32 = 0.08;

/// A zone or a line whose rule is in force.
#[derive(Clone, Copy, Debug)]
pub enum Care<'a> {
    /// A zone.
    Zone(&'a Area),
    /// A line.
    Line(&'a Segment),
}

impl Care<'_> {
    /// Whether `p` lies in the zone, or near the line.
    pub fn holds(&self, p: Point<Norm>) -> bool {
        match self {
            Self::Zone(area) => area.contains(p),
            Self::Line(line) => line.distance(p) < NEAR_LINE,
        }
    }
}
