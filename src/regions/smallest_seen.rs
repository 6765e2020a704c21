//! The smallest vessels seen in each part of the picture. The sweep uses smaller tiles there.

use super::cells::{CELLS, cell_at, centre};
use crate::geometry::{BBox, FrameSize, Norm, Px};

/// A cell needs this many detections before its size counts.
const MIN_DETECTIONS: u32 = 40;
/// A smaller vessel moves the estimate by this share of the difference.
const DOWN: f32 = 0.5;
/// A larger vessel moves the estimate by this share of the difference, so that old sizes are forgotten slowly.
const UP: f32 = 0.002;

/// The smallest vessel in each cell, as the longer side of its box divided by the picture's width.
#[derive(Clone, Debug)]
pub(super) struct SmallestSeen {
    cells: Vec<CellSize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct CellSize {
    smallest: f32,
    detections: u32,
}

impl Default for SmallestSeen {
    fn default() -> Self {
        Self { cells: vec![CellSize::default(); CELLS] }
    }
}

impl SmallestSeen {
    /// Adds a detected vessel. Vessels at the picture's edge are left out, because only a part of them is visible.
    pub(super) fn add(&mut self, vessel: &BBox<Px>, frame: FrameSize) {
        let (w, h) = (frame.width as f32 - 2.0, frame.height as f32 - 2.0);
        if vessel.x0 < 2.0 || vessel.y0 < 2.0 || vessel.x1 > w || vessel.y1 > h {
            return;
        }
        let size = vessel.longer_side() / frame.width as f32;
        let cell = &mut self.cells[cell_at(frame.normalise(vessel.waterline()))];
        cell.detections = cell.detections.saturating_add(1);
        let weight = match cell.detections {
            1 => 1.0,
            _ if size < cell.smallest => DOWN,
            _ => UP,
        };
        cell.smallest += weight * (size - cell.smallest);
    }

    /// The smallest vessel seen in `part` of the picture; `None` before enough were detected there.
    pub(super) fn smallest(&self, part: &BBox<Norm>) -> Option<f32> {
        let inside = |cell: &usize| {
            let p = centre(*cell);
            (part.x0..part.x1).contains(&p.x) && (part.y0..part.y1).contains(&p.y)
        };
        let known = (0..CELLS)
            .filter(inside)
            .map(|cell| self.cells[cell])
            .filter(|cell| cell.detections >= MIN_DETECTIONS);
        known.map(|cell| cell.smallest).reduce(f32::min)
    }
}
