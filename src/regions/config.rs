//! What the planner knows of a camera, and the limits it plans by.

use std::time::Duration;

use crate::geometry::{BBox, Calibration, Norm, Polygon};

/// The sweep aims to cover all water within this time. A vessel that appears anywhere is then in the logbook three
/// seconds later.
pub const SWEEP_GOAL: Duration = Duration::from_millis(2500);
/// A vessel counts as shown by a crop when its longer side has at least this many pixels in the model's input. Measured on
/// two cameras that were not in the training set: in one inference the model finds few vessels below this size, a third of
/// those up to 1.5 times this size, ...
pub const MIN_SHOWN_PX: f32 = 20.0;
/// ... and two thirds from this size up; larger ones are not found much more often (`docs/measurements.md`).
pub const MOSTLY_FOUND_PX: f32 = 30.0;

/// What the planner knows of one camera.
#[derive(Clone, Debug)]
pub struct PlannerConfig {
    /// Where vessels can be; `None` for the whole picture.
    pub water: Option<Polygon>,
    /// The sweep's tiles, when the site file names them.
    pub regions: Vec<BBox<Norm>>,
    /// Whether the sweep includes the whole frame.
    pub whole_frame: bool,
    /// Detection passes a second.
    pub detect_fps: f32,
    /// Side of the model's input, in pixels.
    pub input_px: u32,
    /// The scale at each point of the picture, if known.
    pub calibration: Option<Calibration>,
}
