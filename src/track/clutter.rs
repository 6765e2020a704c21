//! What each camera has learnt to distrust: the places where boxes come and go that are no vessels.
//!
//! Glints, wakes, gulls on a pole and lamps that flicker give tentative tracks that end unconfirmed, at the same places again
//! and again. Each of them is one more trial of the test in `confirmation`, so the limit of the test rises with the logarithm
//! of their rate: the number of false vessels stays what the site file asks for. Confirmed vessels never count, so a vessel
//! that arrives and stays is no clutter, and keeps its number there.

use std::time::Duration;

use super::input::TrackerInput;
use crate::geometry::{BBox, FrameSize, Norm, Point, Px};

/// Columns and rows of the map.
pub const CLUTTER_GRID: [usize; 2] = [32, 18];
/// What was seen this long ago counts half: glints move with the sun and the seasons.
const HALF_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Until a place was inspected for this long, it is expected to be like others ...
const KNOWN_AFTER: Duration = Duration::from_secs(6 * 3600);
/// ... with this many of them a day in the whole picture. Chosen on cameras kept apart, together with the constants of
/// `confirmation`.
const USUAL_PER_DAY: f32 = 3600.0;
const DAY_S: f32 = 24.0 * 3600.0;
/// One pass counts as at most this many seconds of inspection. After a camera outage nobody knows what came and went before.
const MAX_CREDIT_S: f32 = 60.0;
/// No place is so empty that a single box of middling confidence confirms a vessel.
const MIN_LIMIT: f32 = 2.0;
/// More than this no camera gives: twenty tracks at one place in each of four passes a second, for ever. A larger number in a
/// damaged file would raise the limit above any vessel.
const MAX_ENDED: f32 = 1e7;
/// Thirty years.
const MAX_INSPECTED_S: f32 = 1e9;

/// What was seen at one place, counted less the longer ago it was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClutterCell {
    /// Tentative tracks that ended unconfirmed.
    pub ended: f32,
    /// Seconds in which the place was inspected.
    pub inspected_s: f32,
}

/// What a map says of one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClutterPlace {
    /// Its centre.
    pub centre: Point<Norm>,
    /// Whether a tentative track ended there unconfirmed, as far as the map remembers.
    pub is_known: bool,
    /// Tentative tracks that end there unconfirmed in a day of inspection. Until the place is known, this is near to what is
    /// usual elsewhere.
    pub ended_per_day: f32,
    /// By how much the limit of the test in `confirmation` is higher there than before anything was learnt. It is a logarithm;
    /// negative where it is lower.
    pub limit_raised: f32,
}

/// The clutter map of one camera, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct ClutterMap {
    cells: Vec<ClutterCell>,
}

impl Default for ClutterMap {
    fn default() -> Self {
        Self { cells: vec![ClutterCell::default(); CLUTTER_GRID[0] * CLUTTER_GRID[1]] }
    }
}

impl ClutterMap {
    /// The map with these cells; `None` when their number is wrong or a value is impossible.
    pub fn from_cells(cells: Vec<ClutterCell>) -> Option<Self> {
        let is_good = |c: &ClutterCell| {
            (0.0..=MAX_ENDED).contains(&c.ended) && (0.0..=MAX_INSPECTED_S).contains(&c.inspected_s)
        };
        (cells.len() == CLUTTER_GRID[0] * CLUTTER_GRID[1] && cells.iter().all(is_good))
            .then_some(Self { cells })
    }

    /// The cells, row by row.
    pub fn cells(&self) -> &[ClutterCell] {
        &self.cells
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| *cell == ClutterCell::default())
    }

    /// The time in which the place that was inspected most was inspected, counted less the longer ago it was.
    pub fn inspected(&self) -> Duration {
        Duration::from_secs_f32(self.cells.iter().map(|cell| cell.inspected_s).fold(0.0, f32::max))
    }

    /// What it says of each place, row by row, on a camera with `false_per_day` false vessels a day.
    pub fn places(&self, false_per_day: f32) -> Vec<ClutterPlace> {
        let unlearnt = Self::default();
        let place = |(index, cell): (usize, &ClutterCell)| {
            let at = [index % CLUTTER_GRID[0], index / CLUTTER_GRID[0]];
            let limit = self.limit_in(at, false_per_day);
            let [x, y] = [0, 1].map(|axis| (at[axis] as f32 + 0.5) / CLUTTER_GRID[axis] as f32);
            ClutterPlace {
                centre: Point::new(x, y),
                is_known: cell.ended > 0.0,
                ended_per_day: per_day(cell.ended, cell.inspected_s, 1.0),
                limit_raised: limit - unlearnt.limit_in(at, false_per_day),
            }
        };
        self.cells.iter().enumerate().map(place).collect()
    }

    /// Time passes in which nothing was inspected.
    pub fn forget(&mut self, elapsed: Duration) {
        let kept = (-elapsed.as_secs_f32() / HALF_LIFE.as_secs_f32()).exp2();
        for cell in &mut self.cells {
            cell.ended *= kept;
            cell.inspected_s *= kept;
        }
    }

    /// A pass inspected these places, `elapsed` after the previous one.
    pub(super) fn pass(&mut self, input: &TrackerInput<'_>, elapsed: Duration) {
        self.forget(elapsed);
        let elapsed_s = elapsed.as_secs_f32();
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let p = centre_of(index, input.size);
            let shows = |b: &BBox<Px>| p.x >= b.x0 && p.x < b.x1 && p.y >= b.y0 && p.y < b.y1;
            if input.regions.iter().any(shows) {
                cell.inspected_s += elapsed_s.min(MAX_CREDIT_S);
            }
        }
    }

    /// A tentative track that could have been a vessel ended at `waterline` without confirmation.
    pub(super) fn ended(&mut self, waterline: Point<Px>, size: FrameSize) {
        let [column, row] = cell_at(waterline, size);
        self.cells[row * CLUTTER_GRID[0] + column].ended += 1.0;
    }

    /// Log-likelihood ratio that confirms a track at `waterline`, so that the whole picture gets `false_per_day` false vessels
    /// a day.
    pub(super) fn limit(&self, waterline: Point<Px>, size: FrameSize, false_per_day: f32) -> f32 {
        self.limit_in(cell_at(waterline, size), false_per_day)
    }

    /// The limit in a cell, by what was seen in and around it.
    fn limit_in(&self, [column, row]: [usize; 2], false_per_day: f32) -> f32 {
        let (mut ended, mut inspected_s, mut places) = (0.0, 0.0, 0.0);
        for y in row.saturating_sub(1)..=(row + 1).min(CLUTTER_GRID[1] - 1) {
            for x in column.saturating_sub(1)..=(column + 1).min(CLUTTER_GRID[0] - 1) {
                let cell = self.cells[y * CLUTTER_GRID[0] + x];
                (ended, inspected_s, places) =
                    (ended + cell.ended, inspected_s + cell.inspected_s, places + 1.0);
            }
        }
        let whole_picture = per_day(ended, inspected_s, places) * self.cells.len() as f32;
        (whole_picture / false_per_day).ln().max(MIN_LIMIT)
    }
}

/// The tentative tracks a day in each of some `places`, by what was seen in all of them together.
fn per_day(ended: f32, inspected_s: f32, places: f32) -> f32 {
    let known_s = places * KNOWN_AFTER.as_secs_f32();
    let usual = USUAL_PER_DAY / (CLUTTER_GRID[0] * CLUTTER_GRID[1]) as f32 * known_s / DAY_S;
    (ended + usual) / (inspected_s + known_s) * DAY_S
}

/// Column and row of the cell at a point; points outside the picture belong to the nearest cell.
fn cell_at(p: Point<Px>, size: FrameSize) -> [usize; 2] {
    let index = |value: f32, extent: u32, cells: usize| {
        ((value / extent.max(1) as f32 * cells as f32).max(0.0) as usize).min(cells - 1)
    };
    [index(p.x, size.width, CLUTTER_GRID[0]), index(p.y, size.height, CLUTTER_GRID[1])]
}

fn centre_of(index: usize, size: FrameSize) -> Point<Px> {
    let [columns, rows] = CLUTTER_GRID.map(|n| n as f32);
    let (column, row) = ((index % CLUTTER_GRID[0]) as f32, (index / CLUTTER_GRID[0]) as f32);
    Point::new((column + 0.5) / columns * size.width as f32, (row + 0.5) / rows * size.height as f32)
}
