//! The sweep: inspects tiles over the water, and the whole frame, in rotation.

use std::time::Duration;

use super::cells;
use super::config::PlannerConfig;
use super::pass::PassContext;
use super::smallest_seen::SmallestSeen;
use super::tile_layout::{SweepCell, lay_out};
use super::tiles::longer_side_px;
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Point, Px};

/// How often the tiles are laid out again, by the vessels seen since.
const REFINE_EVERY: Duration = Duration::from_secs(30);
/// A moving cell is inspected again after this time.
const MOTION_AFTER: Duration = Duration::from_millis(500);
/// A cell in the zone of an active rule is inspected again after this time.
const PRIORITY_AFTER: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Sweep {
    frame: FrameSize,
    tiles: Vec<Tile>,
    cells: Vec<SweepCell>,
    /// For each of `cells`, when it was shown.
    shown: Vec<LastShown>,
    refined: MonoTime,
}

#[derive(Clone, Debug)]
struct Tile {
    crop: BBox<Px>,
    /// Indices of the cells it shows.
    cells: Vec<usize>,
}

/// When a cell was last shown to the detector.
#[derive(Clone, Copy, Debug)]
struct LastShown {
    at: MonoTime,
    /// The time before that, in case the last pass fails.
    before: MonoTime,
}

impl Sweep {
    /// A sweep of at most `max_tiles` tiles, if so few can cover the water. All cells count as shown at time `at`.
    pub(super) fn new(
        config: &PlannerConfig,
        frame: FrameSize,
        smallest_seen: &SmallestSeen,
        max_tiles: usize,
        at: MonoTime,
    ) -> Self {
        let (crops, cells) = lay_out(config, frame, smallest_seen, max_tiles);
        let tile = |crop: BBox<Px>| Tile {
            cells: (0..cells.len()).filter(|&cell| cells[cell].is_shown_by(&crop, frame)).collect(),
            crop,
        };
        let tiles = crops.into_iter().map(tile).collect();
        // Slightly in the past, so that the tile of the first pass counts as the most recent.
        let at_first = at - Duration::from_nanos(1);
        let shown = vec![LastShown { at: at_first, before: at_first }; cells.len()];
        Self { frame, tiles, cells, shown, refined: at }
    }

    /// Lays the tiles out again every [`REFINE_EVERY`], by the vessels seen since.
    pub(super) fn refine(
        &mut self,
        config: &PlannerConfig,
        smallest_seen: &SmallestSeen,
        max_tiles: usize,
        at: MonoTime,
    ) {
        if at.since(self.refined) < REFINE_EVERY {
            return;
        }
        let mut refined = Self::new(config, self.frame, smallest_seen, max_tiles, at);
        for (cell, shown) in refined.cells.iter().zip(&mut refined.shown) {
            // A finer tile may show the cell from now on, but the cell was inspected before.
            if let Some(old) = self.cells.iter().position(|old| old.cell == cell.cell) {
                *shown = self.shown[old];
            }
        }
        *self = refined;
    }

    /// The number of tiles, the whole frame included.
    pub(super) fn len(&self) -> usize {
        self.tiles.len()
    }

    /// Longer side of the largest tile, or of the frame when there is no other tile.
    pub(super) fn coarsest_px(&self) -> f32 {
        let whole = self.frame.bounds();
        let tiles = self.crops().filter(|crop| **crop != whole).map(longer_side_px);
        tiles.reduce(f32::max).unwrap_or_else(|| longer_side_px(&whole))
    }

    pub(super) fn crops(&self) -> impl Iterator<Item = &BBox<Px>> {
        self.tiles.iter().map(|tile| &tile.crop)
    }

    /// The tile with the least recently shown cell; of several, the one with the largest sum of ages.
    pub(super) fn oldest(&self, at: MonoTime) -> BBox<Px> {
        let age = |&cell: &usize| at.since(self.shown[cell].at);
        let worth = |tile: &Tile| {
            let oldest = tile.cells.iter().map(age).max();
            (oldest, tile.cells.iter().map(age).sum::<Duration>())
        };
        // Reversed, because `max_by_key` takes the last of equals and the first is wanted.
        self.tiles.iter().rev().max_by_key(|tile| worth(tile)).map_or(self.frame.bounds(), |tile| tile.crop)
    }

    /// Age of the least recently shown cell.
    pub(super) fn oldest_age(&self, at: MonoTime) -> Duration {
        self.shown.iter().map(|shown| at.since(shown.at)).max().unwrap_or_default()
    }

    /// Marks the cells that `crop` shows.
    pub(super) fn mark_shown(&mut self, crop: &BBox<Px>, at: MonoTime) {
        for (cell, shown) in self.cells.iter().zip(&mut self.shown) {
            if shown.at != at && cell.is_shown_by(crop, self.frame) {
                *shown = LastShown { at, before: shown.at };
            }
        }
    }

    /// Takes back what the failed pass of time `at` marked.
    pub(super) fn undo_shown(&mut self, at: MonoTime) {
        for shown in self.shown.iter_mut().filter(|shown| shown.at == at) {
            shown.at = shown.before;
        }
    }

    /// The tile with the most unexplained motion, or with most of an active rule's zone, among cells that were not just shown.
    /// `explained` says whether a target explains the motion at a point.
    pub(super) fn most_interesting(
        &self,
        context: &PassContext<'_>,
        explained: impl Fn(Point<Px>) -> bool,
    ) -> Option<BBox<Px>> {
        let interest = |(sweep_cell, shown): (&SweepCell, &LastShown)| {
            let Some(cell) = sweep_cell.cell else { return Duration::ZERO };
            let age = context.at.since(shown.at);
            let moves = context.moving_cells.get(cell) == Some(&true) && !explained(sweep_cell.centre);
            let centre = cells::centre(cell);
            let matters = (moves && age >= MOTION_AFTER)
                || (age >= PRIORITY_AFTER && context.priority_areas.iter().any(|area| area.contains(centre)));
            if matters { age } else { Duration::ZERO }
        };
        let by_cell: Vec<Duration> = self.cells.iter().zip(&self.shown).map(interest).collect();
        let worth = |tile: &Tile| tile.cells.iter().map(|&cell| by_cell[cell]).sum::<Duration>();
        let best = self.tiles.iter().rev().max_by_key(|tile| worth(tile))?;
        (!worth(best).is_zero()).then_some(best.crop)
    }
}
