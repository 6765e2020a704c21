//! How large vessels are, by place: learnt from those that were seen.

use super::ground::{CELLS, COLUMNS, ROWS, cell_at};
use crate::geometry::{BBox, FrameSize, Norm, Px};

/// Sightings around a place before it is judged by them.
const ENOUGH: u32 = 40;
/// What was seen within so many cells counts for a place.
const AROUND: usize = 2;
/// A smaller vessel than the smallest pulls that down by this part of the difference ...
const DOWN: f32 = 0.5;
/// ... and any other up by this: what has not been seen for long is forgotten.
const UP: f32 = 0.002;
/// A box is implausible when it is this many times smaller than the smallest, or larger than the largest, seen around.
const IMPLAUSIBLE: f32 = 4.0;

/// The smallest and the largest vessels seen in each cell of the picture; sizes are the longer side of a vessel's box in
/// widths of the picture.
#[derive(Clone, Debug)]
pub struct Sizes {
    cells: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    smallest: f32,
    largest: f32,
    times: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { cells: vec![Seen::default(); CELLS] }
    }
}

impl Sizes {
    /// Takes in a vessel that was seen.
    pub(super) fn learn(&mut self, vessel: &BBox<Px>, frame: FrameSize) {
        let size = vessel.width().max(vessel.height()) / frame.width as f32;
        let seen = &mut self.cells[cell_at(frame.normalise(vessel.waterline()))];
        seen.times = seen.times.saturating_add(1);
        if seen.times == 1 {
            (seen.smallest, seen.largest) = (size, size);
            return;
        }
        seen.smallest += (size - seen.smallest) * if size < seen.smallest { DOWN } else { UP };
        seen.largest += (size - seen.largest) * if size > seen.largest { DOWN } else { UP };
    }

    /// The smallest vessels seen in `part`; `None` before enough were seen there.
    pub(super) fn smallest(&self, part: &BBox<Norm>) -> Option<f32> {
        let inside = |cell: &usize| {
            let p = super::ground::centre(*cell);
            (part.x0..part.x1).contains(&p.x) && (part.y0..part.y1).contains(&p.y)
        };
        let known = (0..CELLS).filter(inside).map(|cell| self.cells[cell]).filter(|seen| seen.times >= ENOUGH);
        known.map(|seen| seen.smallest).reduce(f32::min)
    }

    /// False when far smaller or larger vessels than this box have been seen around its waterline, often, and none
    /// like it. A box cut by the picture's edge is believed: it shows a part.
    pub fn plausible(&self, bbox: &BBox<Norm>, frame: FrameSize) -> bool {
        let edge = 0.005;
        if bbox.x0 < edge || bbox.y0 < edge || bbox.x1 > 1.0 - edge || bbox.y1 > 1.0 - edge {
            return true;
        }
        let size = bbox.width().max(bbox.height() * frame.height as f32 / frame.width as f32);
        let cell = cell_at(bbox.waterline());
        let (column, row) = (cell % COLUMNS, cell / COLUMNS);
        let mut around = Seen { smallest: f32::INFINITY, ..Seen::default() };
        for y in row.saturating_sub(AROUND)..(row + AROUND + 1).min(ROWS) {
            for x in column.saturating_sub(AROUND)..(column + AROUND + 1).min(COLUMNS) {
                let seen = self.cells[y * COLUMNS + x];
                if seen.times > 0 {
                    around.smallest = around.smallest.min(seen.smallest);
                    around.largest = around.largest.max(seen.largest);
                    around.times = around.times.saturating_add(seen.times);
                }
            }
        }
        around.times < ENOUGH || (size * IMPLAUSIBLE >= around.smallest && size <= around.largest * IMPLAUSIBLE)
    }
}
