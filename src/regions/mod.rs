//! Which regions of a frame the detector inspects, and which of its boxes cannot be vessels. Pure: no I/O, no clock.
//!
//! The detector scales each region to an input of about 400 pixels. In the whole of a 1920 x 1080 frame, a vessel of 30 pixels
//! becomes 7 pixels long, and no model finds that. Nine tiles would show it, at nine inferences a pass. The [`RegionPlanner`]
//! therefore spends a budget of two inferences a pass on average, in this order:
//!
//! 1. **Sweep** (`sweep`): overlapping tiles over the water, and the whole frame. The place that was not inspected for the
//!    longest time comes first. Every pass sweeps at least one tile, so no place waits longer than [`Coverage::max_age`].
//! 2. **Targets** (`targets`): tracked vessels, new boxes and boxes that a tile's border cut. Each has a time after which its
//!    predicted position is uncertain. That time is long for a moored vessel and short in the zone of an active rule. Boxes
//!    of low confidence follow; they are shown larger.
//! 3. **Priority**: tiles with motion or with the zone of an active rule, when inferences have been saved.
//!
//! # Tile sizes
//!
//! The tile of a tracked vessel depends on the vessel's size: it is shown at [`MIN_SHOWN_PX`] or more in the model's input. The
//! sweep uses the regions of the site file, if there are any. Otherwise, on a calibrated camera near the water, it uses the
//! largest tiles in which a dinghy of three metres is [`MOSTLY_FOUND_PX`] long. Otherwise it uses the smallest tiles that
//! cover the water within [`SWEEP_GOAL`]. Tiles are smaller where small vessels have been seen (`smallest_seen`). A finer
//! sweep for distant boats of six metres was tried; it cost more than it found (`docs/measurements.md`).
//!
//! # Box filter
//!
//! The [`BoxFilter`] rejects boxes outside the water, and boxes smaller than any vessel. It does not influence the plan.

mod box_filter;
mod budget;
mod cells;
mod config;
mod pass;
mod planner;
mod priority_area;
#[cfg(test)]
mod simulation;
mod smallest_seen;
mod sweep;
mod target;
mod targets;
#[cfg(test)]
mod tests;
mod tile_layout;
pub mod tiles;
mod water_mask;

pub use box_filter::{BoxFilter, RejectReason};
pub use budget::INFERENCES_PER_PASS;
pub use cells::{CELLS, COLUMNS, ROWS};
pub use config::{MIN_SHOWN_PX, MOSTLY_FOUND_PX, PlannerConfig, SWEEP_GOAL};
pub use pass::{PassContext, PassResult, TrackedVessel};
pub use planner::{Coverage, FixedPlan, RegionPlanner};
pub use priority_area::PriorityArea;
