//! What goes into the planning of a detection pass, and what comes back from the pass.

use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Px};

use super::priority_area::PriorityArea;

/// What is known when a detection pass begins.
#[derive(Clone, Copy, Debug)]
pub struct PassContext<'a> {
    /// Time of the frame; later than that of the previous pass.
    pub at: MonoTime,
    /// Size of the frame.
    pub frame: FrameSize,
    /// For each of the [`CELLS`](super::CELLS), row by row, whether something moved there since the previous pass; or empty.
    pub moving_cells: &'a [bool],
    /// Zones and lines of active rules.
    pub priority_areas: &'a [PriorityArea<'a>],
}

/// A confirmed vessel after a detection pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackedVessel {
    /// Its number.
    pub id: u64,
    /// Its measured or predicted box.
    pub bbox: BBox<Px>,
    /// Whether this pass detected it.
    pub detected: bool,
    /// Velocity in pixels a second; `None` while it lies still.
    pub velocity: Option<[f32; 2]>,
}

/// What a detection pass found in the planned regions.
#[derive(Clone, Copy, Debug)]
pub struct PassResult<'a> {
    /// Confirmed vessels.
    pub vessels: &'a [TrackedVessel],
    /// Boxes at or above the high threshold that belong to no vessel. They may become one.
    pub unassigned: &'a [BBox<Px>],
    /// Boxes cut by the border of a region.
    pub cut: &'a [BBox<Px>],
    /// Boxes below the high threshold that belong to no vessel. A larger view may raise their confidence.
    pub low_confidence: &'a [BBox<Px>],
}
