//! Zones and lines of active rules. The planner inspects them more often.

use crate::geometry::{Area, Norm, Point, Segment};

/// A point this near to a line belongs to the line's area, as a fraction of the picture: a vessel there may soon cross.
const NEAR_LINE: f32 = 0.08;

/// A zone or line of a rule that is active now.
#[derive(Clone, Copy, Debug)]
pub enum PriorityArea<'a> {
    /// A zone.
    Zone(&'a Area),
    /// A line.
    Line(&'a Segment),
}

impl PriorityArea<'_> {
    /// Whether `p` lies in the zone, or near the line.
    pub fn contains(&self, p: Point<Norm>) -> bool {
        match self {
            Self::Zone(area) => area.contains(p),
            Self::Line(line) => line.distance(p) < NEAR_LINE,
        }
    }
}
