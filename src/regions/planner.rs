//! Spends the inference budget of one camera on regions.

use std::time::Duration;

use super::budget::{Budget, INFERENCES_PER_PASS};
use super::config::{MIN_SHOWN_PX, MOSTLY_FOUND_PX, PlannerConfig, SWEEP_GOAL};
use super::pass::{PassContext, PassResult};
use super::smallest_seen::SmallestSeen;
use super::sweep::Sweep;
use super::targets::Targets;
use super::tiles;
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Px};

/// The sweep takes at most this share of the budget. The rest is for targets.
const MAX_SWEEP_SHARE: f32 = 0.75;

/// How well the water is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Time since the least recently inspected place was inspected.
    pub oldest: Duration,
    /// No place waits longer than this, as long as passes are on time.
    pub max_age: Duration,
    /// Longer side, in pixels of the frame, of the smallest vessels that the sweep's tiles are meant to show.
    pub sought_px: f32,
    /// The same, for vessels that most inferences on a tile find.
    pub mostly_found_px: f32,
}

/// Side of the tiles of [`FixedPlan::AllTiles`].
const ALL_TILES_PX: u32 = 640;

/// A fixed choice of regions for every pass. Evaluation compares the planner with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedPlan {
    /// The whole frame.
    WholeFrame,
    /// The whole frame, and tiles of 640 pixels that cover it.
    AllTiles,
}

impl FixedPlan {
    fn crops(self, frame: FrameSize) -> Vec<BBox<Px>> {
        let whole = frame.bounds();
        match self {
            Self::WholeFrame => vec![whole],
            Self::AllTiles => {
                let tiles = tiles::grid(&whole, ALL_TILES_PX);
                std::iter::once(whole).chain(tiles.into_iter().filter(|tile| *tile != whole)).collect()
            }
        }
    }
}

/// Chooses the regions of each detection pass of one camera.
#[derive(Clone, Debug)]
pub struct RegionPlanner {
    config: PlannerConfig,
    fixed: Option<FixedPlan>,
    budget: Budget,
    /// Inferences that the sweep has not used yet.
    sweep_credit: f32,
    smallest_seen: SmallestSeen,
    sweep: Option<(FrameSize, Sweep)>,
    targets: Targets,
    /// Time of the last planned pass.
    last: MonoTime,
}

impl RegionPlanner {
    /// A planner that has seen nothing yet.
    pub fn new(config: PlannerConfig) -> Self {
        Self {
            budget: Budget::default(),
            sweep_credit: 0.0,
            smallest_seen: SmallestSeen::default(),
            sweep: None,
            targets: Targets::new(config.input_px as f32, config.detect_fps),
            last: MonoTime::default(),
            fixed: None,
            config,
        }
    }

    /// Uses the same regions for every pass from now on.
    pub fn use_fixed_plan(&mut self, fixed: FixedPlan) {
        self.fixed = Some(fixed);
    }

    /// The regions to inspect now, on whole pixels and within the frame; at least one.
    pub fn plan(&mut self, context: &PassContext<'_>) -> Vec<BBox<Px>> {
        if let Some(fixed) = self.fixed {
            return fixed.crops(context.frame);
        }
        if self.sweep.as_ref().is_none_or(|(size, _)| *size != context.frame) {
            self.targets.clear();
            self.smallest_seen = SmallestSeen::default();
            self.sweep = None;
        }
        let Self { config, budget, sweep_credit, smallest_seen, sweep, targets, last, .. } = self;
        let max_tiles = max_tiles(config);
        let (_, sweep) = sweep.get_or_insert_with(|| {
            (context.frame, Sweep::new(config, context.frame, smallest_seen, max_tiles, context.at))
        });
        sweep.refine(config, smallest_seen, max_tiles, context.at);
        *last = context.at;
        budget.add_pass();
        *sweep_credit += sweep_inferences(config, sweep, budget);
        targets.predict(context);

        let mut crops: Vec<BBox<Px>> = Vec::new();
        let mut take = |crop: BBox<Px>, sweep: &mut Sweep, targets: &mut Targets| {
            sweep.mark_shown(&crop, context.at);
            targets.mark_shown(&crop, context);
            crops.push(crop);
        };
        while *sweep_credit >= 1.0 && budget.spend() {
            *sweep_credit -= 1.0;
            take(sweep.oldest(context.at), sweep, targets);
        }
        while budget.has_one()
            && let Some(crop) = targets.best_crop(sweep.crops(), context)
        {
            budget.spend();
            take(crop, sweep, targets);
        }
        if budget.has_plenty()
            && let Some(crop) = sweep.most_interesting(context, |p| targets.covers(p))
        {
            budget.spend();
            take(crop, sweep, targets);
        }
        crops
    }

    /// Records the result of the last planned pass.
    pub fn record(&mut self, result: &PassResult<'_>) {
        let Some((frame, _)) = self.sweep else { return };
        for vessel in result.vessels.iter().filter(|vessel| vessel.detected) {
            self.smallest_seen.add(&vessel.bbox, frame);
        }
        self.targets.update(result, self.last);
    }

    /// The last planned pass failed, so its regions count as not inspected. Its inferences count as spent.
    pub fn pass_failed(&mut self) {
        if let Some((_, sweep)) = &mut self.sweep {
            sweep.undo_shown(self.last);
        }
        self.targets.undo_shown(self.last);
    }

    /// Adapts the budget to the detector's load: the share of time in which it worked lately, 0 to 1.
    pub fn adapt(&mut self, busy: f32) {
        self.budget.adapt(busy);
    }

    /// How well the water is covered at time `at`.
    pub fn coverage(&self, at: MonoTime) -> Coverage {
        let Some((_, sweep)) = &self.sweep else { return Coverage::default() };
        let passes = sweep.len() as f32 / sweep_inferences(&self.config, sweep, &self.budget);
        let max_age = Duration::from_secs_f32(passes.ceil() / self.config.detect_fps.max(0.01));
        let shown = |px: f32| sweep.coarsest_px() * px / self.config.input_px as f32;
        Coverage {
            oldest: sweep.oldest_age(at),
            max_age,
            sought_px: shown(MIN_SHOWN_PX),
            mostly_found_px: shown(MOSTLY_FOUND_PX),
        }
    }

    #[cfg(test)]
    pub(super) fn sweep(&self) -> Option<&Sweep> {
        self.sweep.as_ref().map(|(_, sweep)| sweep)
    }
}

/// Inferences per pass for the sweep: enough to reach [`SWEEP_GOAL`], at least one, and at most [`MAX_SWEEP_SHARE`].
fn sweep_inferences(config: &PlannerConfig, sweep: &Sweep, budget: &Budget) -> f32 {
    let passes = SWEEP_GOAL.as_secs_f32() * config.detect_fps;
    let most = (MAX_SWEEP_SHARE * budget.per_pass()).max(1.0);
    (sweep.len() as f32 / passes).clamp(1.0, most)
}

/// The number of tiles, the whole frame included, that a sweep with the full budget covers within [`SWEEP_GOAL`].
fn max_tiles(config: &PlannerConfig) -> usize {
    let passes = SWEEP_GOAL.as_secs_f32() * config.detect_fps;
    (passes * (MAX_SWEEP_SHARE * INFERENCES_PER_PASS).max(1.0)) as usize
}
