//! What the tracker gets from a detection pass.

use crate::clock::MonoTime;
use crate::detect::Detection;
use crate::geometry::{BBox, FrameSize, Px};

/// The result of one detection pass of a camera.
#[derive(Clone, Copy, Debug)]
pub struct TrackerInput<'a> {
    /// What was detected.
    pub detections: &'a [Detection],
    /// Size of the frame.
    pub size: FrameSize,
    /// The regions that were inspected; they may overlap.
    pub regions: &'a [BBox<Px>],
    /// Side of the model's input in pixels: a region is shown to the model in this size.
    pub input_px: f32,
    /// How far the whole picture moved since the previous pass because the camera moved, rightward and downward in pixels;
    /// zero when unknown.
    pub shift: [f32; 2],
    /// Time of the frame; later than that of the previous pass.
    pub at: MonoTime,
}

/// A pass inspects a vessel when one region holds at least this share of the expected box.
const INSPECTED_SHARE: f32 = 0.9;

impl TrackerInput<'_> {
    /// Whether the pass inspected the place of a box. Places outside the picture count as inspected, because no pass can
    /// show more of them.
    pub(super) fn inspects(&self, expected: &BBox<Px>) -> bool {
        expected.intersection(&self.size.bounds()).is_none() || self.shown_px(expected).is_some()
    }

    /// The longer side of a box in the model's input, in the region that shows it largest; `None` when no region shows it.
    pub(super) fn shown_px(&self, expected: &BBox<Px>) -> Option<f32> {
        let visible = expected.intersection(&self.size.bounds())?;
        let share =
            |region: &BBox<Px>| visible.intersection(region).map_or(0.0, |part| part.area() / visible.area());
        let shown = |region: &BBox<Px>| {
            self.input_px * (visible.width() / region.width()).max(visible.height() / region.height())
        };
        self.regions.iter().filter(|region| share(region) >= INSPECTED_SHARE).map(shown).reduce(f32::max)
    }
}
