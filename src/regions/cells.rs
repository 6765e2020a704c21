//! The grid of cells over a picture. Coverage, motion and vessel sizes are kept per cell.

use crate::geometry::{Norm, Point};

/// Cells across. The motion cue works on cells a third as wide.
pub const COLUMNS: usize = 32;
/// Cells down.
pub const ROWS: usize = 18;
/// All cells, row by row.
pub const CELLS: usize = COLUMNS * ROWS;

/// The centre of a cell.
pub(super) fn centre(cell: usize) -> Point<Norm> {
    let (column, row) = (cell % COLUMNS, cell / COLUMNS);
    Point::new((column as f32 + 0.5) / COLUMNS as f32, (row as f32 + 0.5) / ROWS as f32)
}

/// The cell that contains `p`, or the nearest cell when `p` lies outside the picture.
pub(super) fn cell_at(p: Point<Norm>) -> usize {
    let index = |v: f32, n: usize| ((v * n as f32).max(0.0) as usize).min(n - 1);
    index(p.y, ROWS) * COLUMNS + index(p.x, COLUMNS)
}
