//! The picture in cells, and the part of it where vessels can be.

use super::Scope;
use crate::geometry::{BBox, Norm, Point, Polygon};

/// Cells across. A third of them are as wide as the motion cue's.
pub const COLUMNS: usize = 32;
/// Cells down.
pub const ROWS: usize = 18;
/// Cells in all, row by row.
pub const CELLS: usize = COLUMNS * ROWS;

/// The middle of a cell.
pub(super) fn centre(cell: usize) -> Point<Norm> {
    let (column, row) = (cell % COLUMNS, cell / COLUMNS);
    Point::new((column as f32 + 0.5) / COLUMNS as f32, (row as f32 + 0.5) / ROWS as f32)
}

/// The cell that `p` lies in, or the one nearest to it.
pub(super) fn cell_at(p: Point<Norm>) -> usize {
    let index = |v: f32, n: usize| ((v * n as f32).max(0.0) as usize).min(n - 1);
    index(p.y, ROWS) * COLUMNS + index(p.x, COLUMNS)
}

/// Where vessels can be: the water that the site file draws, else the regions it limits the camera to, else anywhere.
#[derive(Clone, Debug)]
pub enum Ground {
    /// Anywhere in the picture.
    Anywhere,
    /// Within a polygon.
    Water(Polygon),
    /// Within some of these.
    Regions(Vec<BBox<Norm>>),
}

impl Ground {
    /// The ground of a camera.
    pub fn new(scope: &Scope) -> Self {
        match &scope.water {
            Some(water) => Self::Water(water.clone()),
            None if !scope.whole_frame => Self::Regions(scope.regions.clone()),
            None => Self::Anywhere,
        }
    }

    /// Whether `p` lies on it.
    pub fn contains(&self, p: Point<Norm>) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Water(water) => water.contains(p),
            Self::Regions(regions) => {
                regions.iter().any(|r| (r.x0..=r.x1).contains(&p.x) && (r.y0..=r.y1).contains(&p.y))
            }
        }
    }

    /// Whether a vessel with this box can be there. Its waterline is placed to within a part of its height, and its
    /// reflection may be taken for its hull: one whose middle lies on the ground will do.
    pub fn holds(&self, vessel: &BBox<Norm>) -> bool {
        self.contains(vessel.waterline()) || self.contains(vessel.centre())
    }

    /// The smallest box around it.
    pub(super) fn bounds(&self) -> BBox<Norm> {
        let whole = BBox::new(0.0, 0.0, 1.0, 1.0);
        let around = match self {
            Self::Anywhere => None,
            Self::Water(water) => {
                water.corners().iter().map(|p| BBox::new(p.x, p.y, p.x, p.y)).reduce(|a, b| a.union(&b))
            }
            Self::Regions(regions) => regions.iter().copied().reduce(|a, b| a.union(&b)),
        };
        around.and_then(|b| b.intersection(&whole)).unwrap_or(whole)
    }
}
