//! How small vessels are, by place: learnt from those that were seen.

use super::ground::{CELLS, cell_at, centre};
use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Sightings in a cell before it is judged by them.
const ENOUGH: u32 = 40;
/// A smaller vessel than the smallest pulls that down by this part of the difference ...
const DOWN: f32 = 0.5;
/// ... and any other up by this: what has not been seen for long is forgotten.
const UP: f32 = 0.002;

/// The smallest vessels seen in each cell of the picture, as the longer side of their box in widths of the picture.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    cells: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    smallest: f32,
    times: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { cells: vec![Seen::default(); CELLS] }
    }
}

impl Sizes {
    /// Takes in a vessel that was seen. One at the picture's edge is larger than what is seen of it.
    pub(super) fn learn(&mut self, vessel: &BBox<Px>, frame: FrameSize) {
        let (w, h) = (frame.width as f32 - 2.0, frame.height as f32 - 2.0);
        if vessel.x0 < 2.0 || vessel.y0 < 2.0 || vessel.x1 > w || vessel.y1 > h {
            return;
        }
        let size = vessel.longer_side() / frame.width as f32;
        let seen = &mut self.cells[cell_at(frame.normalise(vessel.waterline()))];
        seen.times = seen.times.saturating_add(1);
        let learn = match seen.times {
            1 => 1.0,
            _ if size < seen.smallest => DOWN,
            _ => UP,
        };
        seen.smallest += learn * (size - seen.smallest);
    }

    /// The smallest vessels seen in `part`; `None` before enough were seen there.
    pub(super) fn smallest(&self, part: &BBox<Norm>) -> Option<f32> {
        let inside = |cell: &usize| {
            let p = centre(*cell);
            (part.x0..part.x1).contains(&p.x) && (part.y0..part.y1).contains(&p.y)
        };
        let known =
            (0..CELLS).filter(inside).map(|cell| self.cells[cell]).filter(|seen| seen.times >= ENOUGH);
        known.map(|seen| seen.smallest).reduce(f32::min)
    }
}
