//! Where the sweep's tiles lie, and which cells of the water each of them shows.

use super::cells::{CELLS, cell_at, centre};
use super::config::{MIN_SHOWN_PX, MOSTLY_FOUND_PX, PlannerConfig};
use super::smallest_seen::SmallestSeen;
use super::tiles::{self, longer_side_px};
use super::water_mask::WaterMask;
use crate::geometry::{BBox, FrameSize, Point, Px};

/// Possible sides of the sweep's tiles. By default the first that covers the water in time is used. Smaller ones than the first
/// were tried: they find more small vessels, but leave too few inferences for tracking (`docs/measurements.md`).
const SIDES_PX: [u32; 5] = [480, 640, 960, 1280, 1920];
/// Vessels reach above the water by this share of the picture's height.
const HEADROOM: f32 = 0.1;
/// A cell nearer than this to a tile's border, as a share of the tile's width, is left to the neighbour: the border would cut
/// a vessel there.
const BORDER: f32 = 0.05;
/// A crop shows a cell too small when it is wider than the cell's own tile by more than this factor.
const MAX_WIDENING: f32 = 1.1;
/// The side of a coarse tile divided by the side of its finer tiles. Four of them cover it, and overlap by half.
const FINER: f32 = 1.5;
/// The smallest boat that the sweep looks for, a dinghy, in metres. A boat of six metres then has twice the pixels it needs.
const DINGHY_M: f32 = 3.0;

/// A part of the water that the sweep must inspect: a cell for small vessels, or the whole frame for large ones.
#[derive(Clone, Debug)]
pub(super) struct SweepCell {
    /// `None` for the whole frame.
    pub(super) cell: Option<usize>,
    pub(super) centre: Point<Px>,
    /// A crop shows the cell when the centre is at least this far from the crop's borders ...
    min_depth_px: f32,
    /// ... and the crop is at most this wide.
    max_width_px: f32,
}

impl SweepCell {
    pub(super) fn is_shown_by(&self, crop: &BBox<Px>, frame: FrameSize) -> bool {
        crop.width() <= self.max_width_px && depth(crop, self.centre, frame) >= self.min_depth_px
    }
}

/// Tiles and the cells that they must show. Uses at most `max_tiles` tiles, if so few can cover the water.
pub(super) fn lay_out(
    config: &PlannerConfig,
    frame: FrameSize,
    smallest_seen: &SmallestSeen,
    max_tiles: usize,
) -> (Vec<BBox<Px>>, Vec<SweepCell>) {
    let water = WaterMask::new(config);
    let mut crops = if config.regions.is_empty() {
        tiles_over_water(config, &water, frame, smallest_seen, max_tiles)
    } else {
        let squared = |&region| {
            let region = whole_pixels(frame.box_to_pixels(region), frame);
            square(&region, longer_side_px(&region), frame)
        };
        config.regions.iter().map(squared).collect()
    };
    let mut cells = assign_cells(&mut crops, &water, frame);
    if config.whole_frame || crops.is_empty() {
        let whole = frame.bounds();
        crops.retain(|crop| *crop != whole);
        crops.insert(0, whole);
        cells.push(SweepCell {
            cell: None,
            centre: whole.centre(),
            min_depth_px: f32::INFINITY,
            max_width_px: f32::INFINITY,
        });
    }
    (crops, cells)
}

/// The distance from `p` to the nearest border of `crop` beyond which the picture continues. Negative when `p` lies outside;
/// infinite when the crop has no such border.
fn depth(crop: &BBox<Px>, p: Point<Px>, frame: FrameSize) -> f32 {
    let (w, h) = (frame.width as f32, frame.height as f32);
    let sides = [
        (crop.x0 > 0.5, p.x - crop.x0),
        (crop.y0 > 0.5, p.y - crop.y0),
        (crop.x1 < w - 0.5, crop.x1 - p.x),
        (crop.y1 < h - 0.5, crop.y1 - p.y),
    ];
    sides.iter().filter(|(inner, _)| *inner).map(|(_, px)| *px).fold(f32::INFINITY, f32::min)
}

/// The whole pixels that a box touches, within the frame.
fn whole_pixels(b: BBox<Px>, frame: FrameSize) -> BBox<Px> {
    let grown =
        BBox::new((b.x0 + 1e-2).floor(), (b.y0 + 1e-2).floor(), (b.x1 - 1e-2).ceil(), (b.y1 - 1e-2).ceil());
    grown.intersection(&frame.bounds()).unwrap_or(frame.bounds())
}

/// Assigns each cell of the water to the tile whose borders are farthest from it. Removes tiles without a cell.
fn assign_cells(crops: &mut Vec<BBox<Px>>, water: &WaterMask, frame: FrameSize) -> Vec<SweepCell> {
    let mut cells: Vec<usize> = (0..CELLS).filter(|&cell| water.contains(centre(cell))).collect();
    if cells.is_empty() {
        // The water is narrower than a cell.
        cells.push(cell_at(water.bounds().centre()));
    }
    let mut used = vec![false; crops.len()];
    let mut assigned = Vec::new();
    for cell in cells {
        let p = frame.to_pixels(centre(cell));
        let margin = |crop: &BBox<Px>| depth(crop, p, frame).min(BORDER * crop.width());
        let better = |a: &BBox<Px>, b: &BBox<Px>| {
            margin(a).total_cmp(&margin(b)).then(b.width().total_cmp(&a.width()))
        };
        let Some(best) = (0..crops.len()).rev().max_by(|&a, &b| better(&crops[a], &crops[b])) else {
            continue;
        };
        let crop = &crops[best];
        if margin(crop) >= 0.0 && crop.x0 <= p.x && p.x <= crop.x1 && crop.y0 <= p.y && p.y <= crop.y1 {
            used[best] = true;
            let (min_depth_px, max_width_px) = (margin(crop), MAX_WIDENING * crop.width());
            assigned.push(SweepCell { cell: Some(cell), centre: p, min_depth_px, max_width_px });
        }
    }
    let mut used = used.into_iter();
    crops.retain(|_| used.next() == Some(true));
    assigned
}

/// Square tiles over the water and the vessels on it.
///
/// On a calibrated camera: the largest of [`SIDES_PX`] in which dinghies are mostly found. Otherwise: the smallest side that
/// needs at most `max_tiles`. Tiles are replaced by finer ones where vessels have been seen that they show too small.
fn tiles_over_water(
    config: &PlannerConfig,
    water: &WaterMask,
    frame: FrameSize,
    smallest_seen: &SmallestSeen,
    max_tiles: usize,
) -> Vec<BBox<Px>> {
    let most = max_tiles.saturating_sub(usize::from(config.whole_frame));
    let bounds = water.bounds();
    let raised = BBox::new(bounds.x0, (bounds.y0 - HEADROOM).max(0.0), bounds.x1, bounds.y1);
    let area = whole_pixels(frame.box_to_pixels(raised), frame);
    let tiles_of = |side_px: u32| {
        let mut crops = tiles::grid(&square(&area, side_px as f32, frame), side_px);
        // Removes the tiles without water.
        assign_cells(&mut crops, water, frame);
        crops
    };
    let dinghy_px = smallest_dinghy(config, water).map(|w| w * frame.width as f32 * config.input_px as f32);
    let finds_dinghies = |side_px: u32| dinghy_px.is_some_and(|px| px >= MOSTLY_FOUND_PX * side_px as f32);
    let in_time = |side_px: u32| tiles_of(side_px).len() <= most;
    let coarse = SIDES_PX.into_iter().rev().find(|&side_px| finds_dinghies(side_px) && in_time(side_px));
    let fine = || SIDES_PX.into_iter().find(|&side_px| in_time(side_px));
    let side_px = coarse.or_else(fine).unwrap_or(SIDES_PX[SIDES_PX.len() - 1]);
    let (side, mut crops) = (side_px as f32, tiles_of(side_px));
    let shown = |crop: &BBox<Px>| {
        let smallest = smallest_seen.smallest(&frame.box_to_fractions(*crop))?;
        Some(smallest * frame.width as f32 * config.input_px as f32 / crop.width())
    };
    let mut too_coarse: Vec<_> = crops
        .iter()
        .filter_map(|crop| Some((shown(crop)?, *crop)))
        .filter(|(px, _)| *px < MIN_SHOWN_PX)
        .collect();
    too_coarse.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, coarse) in too_coarse {
        let finer = tiles::grid(&coarse, (side / FINER) as u32);
        if crops.len() - 1 + finer.len() > most {
            break;
        }
        crops.retain(|crop| *crop != coarse);
        crops.extend(finer);
    }
    crops
}

/// The length of a dinghy where it looks smallest, divided by the picture's width. `None` unless the calibration gives the
/// length everywhere on the water.
fn smallest_dinghy(config: &PlannerConfig, water: &WaterMask) -> Option<f32> {
    let calibration = config.calibration.as_ref()?;
    let cells = (0..CELLS).map(centre).filter(|p| water.contains(*p));
    let sizes: Option<Vec<f32>> = cells.map(|p| calibration.width_of(DINGHY_M, p)).collect();
    sizes?.into_iter().reduce(f32::min)
}

/// `area`, widened and heightened to `side` where it is smaller. A strip would be stretched to the model's square input, and
/// models do not recognise stretched vessels.
fn square(area: &BBox<Px>, side: f32, frame: FrameSize) -> BBox<Px> {
    let axis = |from: f32, to: f32, extent: f32| {
        let length = (to - from).max(side).min(extent);
        let start = ((from + to - length) / 2.0).floor().clamp(0.0, extent - length);
        (start, start + length)
    };
    let (x0, x1) = axis(area.x0, area.x1, frame.width as f32);
    let (y0, y1) = axis(area.y0, area.y1, frame.height as f32);
    BBox::new(x0, y0, x1, y1)
}
