//! The picture in cells, and what of it can be a vessel.

use super::Scope;
use crate::geometry::{BBox, Calibration, FrameSize, Norm, Point, Polygon, Px};

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

/// No vessel is this short from any side, one with a person aboard at the least: gulls and most of what drifts are.
const SHORTEST_M: f32 = 1.0;

/// The smallest boat that is looked for, a dinghy; one of six metres then fills twice the pixels that it needs.
const DINGHY_M: f32 = 3.0;

/// Why what the model took for a vessel can be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is where no vessel can be.
    OutsideWater,
    /// It is smaller than any vessel, by the camera's calibration.
    TooSmall,
}

/// What of a camera's picture can be a vessel.
#[derive(Clone, Debug)]
pub struct Ground {
    place: Place,
    calibration: Option<Calibration>,
}

/// Where vessels can be: the water that the site file draws, else the regions it limits the camera to, else anywhere.
#[derive(Clone, Debug)]
enum Place {
    Anywhere,
    Water(Polygon),
    Regions(Vec<BBox<Norm>>),
}

impl Ground {
    /// The ground of a camera.
    pub fn new(scope: &Scope) -> Self {
        let place = match &scope.water {
            Some(water) => Place::Water(water.clone()),
            None if !scope.whole_frame => Place::Regions(scope.regions.clone()),
            None => Place::Anywhere,
        };
        Self { place, calibration: scope.calibration.clone() }
    }

    /// Whether `p` lies on it.
    pub fn contains(&self, p: Point<Norm>) -> bool {
        match &self.place {
            Place::Anywhere => true,
            Place::Water(water) => water.contains(p),
            Place::Regions(regions) => {
                regions.iter().any(|r| (r.x0..=r.x1).contains(&p.x) && (r.y0..=r.y1).contains(&p.y))
            }
        }
    }

    /// Why a box in a picture of that size can be no vessel's, if it cannot. Its waterline is placed to within a part of its
    /// height, and its reflection may be taken for its hull: one whose middle lies on the ground will do. What flies has
    /// its lower edge higher up in the picture than the water below it, so it is held to be larger than it is, not smaller.
    pub fn refuses(&self, vessel: &BBox<Px>, frame: FrameSize) -> Option<Refusal> {
        let waterline = frame.normalise(vessel.waterline());
        if !self.contains(waterline) && !self.contains(frame.normalise(vessel.centre())) {
            return Some(Refusal::OutsideWater);
        }
        let shortest_px = self.calibration.as_ref()?.width_of(SHORTEST_M, waterline)? * frame.width as f32;
        (vessel.longer_side() < shortest_px).then_some(Refusal::TooSmall)
    }

    /// How long a dinghy is where it looks smallest, in widths of the picture; `None` where that is not known of all the
    /// ground.
    pub(super) fn smallest_dinghy(&self) -> Option<f32> {
        let calibration = self.calibration.as_ref()?;
        let cells = (0..CELLS).map(centre).filter(|p| self.contains(*p));
        let sizes: Option<Vec<f32>> = cells.map(|p| calibration.width_of(DINGHY_M, p)).collect();
        sizes?.into_iter().reduce(f32::min)
    }

    /// The smallest box around it.
    pub(super) fn bounds(&self) -> BBox<Norm> {
        let whole = BBox::new(0.0, 0.0, 1.0, 1.0);
        let around = match &self.place {
            Place::Anywhere => None,
            Place::Water(water) => {
                water.corners().iter().map(|p| BBox::new(p.x, p.y, p.x, p.y)).reduce(|a, b| a.union(&b))
            }
            Place::Regions(regions) => regions.iter().copied().reduce(|a, b| a.union(&b)),
        };
        around.and_then(|b| b.intersection(&whole)).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::Rng;

    use crate::geometry::testing::Mast;
    use crate::regions::testing::{FULL_HD, scope};

    const MAST: Mast = Mast { height: 12.0, tilt: 8.0, azimuth: 0.0, focal: 1400.0 };

    fn calibrated() -> Scope {
        let places = [(40.0, -12.0), (40.0, 15.0), (150.0, -60.0), (150.0, 60.0), (80.0, 0.0), (250.0, 30.0)];
        Scope { calibration: MAST.calibrated(&places, &mut Rng::new(3), 1.0).ok(), ..scope(4.0) }
    }

    #[test]
    fn what_is_smaller_than_any_vessel_is_refused_where_the_camera_is_calibrated_and_nowhere_else() {
        let (plain, calibrated) = (Ground::new(&scope(4.0)), Ground::new(&calibrated()));
        for ahead in [35.0, 90.0, 200.0] {
            let [u, v] = MAST.pixel([0.0, ahead]).unwrap();
            let a_metre_px = MAST.pixel([1.0, ahead]).unwrap()[0] - u;
            // Its foot so many metres over the water.
            let thing = |wide: f64, high: f64, over: f64| {
                let [wide, high, over] = [wide, high, over].map(|metres| (metres * a_metre_px) as f32);
                BBox::from_xywh(u as f32 - wide / 2.0, v as f32 - over - high, wide, high)
            };
            for gull in [thing(0.6, 0.35, 0.0), thing(0.3, 0.5, 0.0), thing(0.8, 0.4, 0.0)] {
                assert_eq!(
                    calibrated.refuses(&gull, FULL_HD),
                    Some(Refusal::TooSmall),
                    "{ahead} m: {gull:?}"
                );
                assert_eq!(plain.refuses(&gull, FULL_HD), None);
            }
            for vessel in
                [thing(0.7, 1.2, 0.0), thing(4.0, 0.9, 0.0), thing(1.3, 2.3, 0.0), thing(80.0, 20.0, 0.0)]
            {
                assert_eq!(calibrated.refuses(&vessel, FULL_HD), None, "{ahead} m: {vessel:?}");
            }
            // A box that lost its lower half: what is left of it is held to be further off.
            assert_eq!(calibrated.refuses(&thing(1.2, 1.0, 1.0), FULL_HD), None);
        }
    }
}
