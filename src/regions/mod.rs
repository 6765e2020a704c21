//! Where to look next: which parts of a frame the detector's runs are spent on. Pure: no I/O, no clock.
//!
//! A detector shows the part of the picture it is given in some 400 pixels. The whole of a 1920 x 1080 frame shows a
//! vessel of 30 pixels as 7, which no model finds; nine tiles show it, at nine runs a look. So the runs of a look are
//! spent, of a budget of two a look on average, on
//!
//! 1. **the sweep** (`sweep`): overlapping tiles over the water and the frame as a whole, the place unseen longest
//!    first. Each look sweeps at least one, so no place stays unseen for longer than [`Coverage::longest`];
//! 2. **following** (`follow`): vessels, new sightings and what a tile's border cut, each by the time after which the
//!    guess at where it is has become doubtful; a moored one can wait, one in a zone in force cannot; then what was
//!    only suspected, shown larger;
//! 3. **interest**: where something moves or a rule is in force, when runs have been saved.
//!
//! # Sizes of tiles
//!
//! A followed vessel's own size says how large its tile is ([`LEAST_SHOWN_PX`] and up in the model's input). The sweep's tiles are
//! those of the site file where it names regions; else, where the camera is calibrated and the water is near, the largest
//! in which a dinghy of three metres is [`MOSTLY_FOUND_PX`] long; else the smallest that can go round in time
//! ([`SWEPT_WITHIN`]). They are smaller where vessels have been seen that they do not show (`sizes`). To look closer still
//! for boats of six metres that are far away was tried: it cost more than it found (`tests/bench/README.md`).

mod budget;
mod care;
mod follow;
mod ground;
#[cfg(test)]
mod promises;
mod sizes;
mod sweep;
#[cfg(test)]
mod testing;
pub mod tiles;

use std::time::Duration;

use budget::Budget;
pub use budget::RUNS_A_LOOK;
pub use care::Care;
pub use follow::Vessel;
pub use ground::{CELLS, COLUMNS, Ground, ROWS, Refusal};

use crate::clock::MonoTime;
use crate::geometry::{BBox, Calibration, FrameSize, Norm, Polygon, Px};
use follow::Following;
use sizes::Sizes;
use sweep::Sweep;

/// The sweep aims to go round within this time: a vessel that comes in anywhere is in the logbook three seconds later.
pub const SWEPT_WITHIN: Duration = Duration::from_millis(2500);
/// A crop that shows a vessel with a shorter long side than this, in the model's input, does not count as showing it. On two
/// cameras it never saw our model is sure, in one run, of few of those below and of a third of those up to half as large again ...
pub const LEAST_SHOWN_PX: f32 = 20.0;
/// ... but of two thirds from here on, and not many more of larger ones (`tests/bench/README.md`).
pub const MOSTLY_FOUND_PX: f32 = 30.0;
/// The sweep takes no more than this part of the budget: what is followed has to be looked at too.
const SWEEP_AT_MOST: f32 = 0.75;

/// What a camera's attention may be spent on.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where vessels can be; `None`: anywhere the camera looks.
    pub water: Option<Polygon>,
    /// The sweep's tiles, where the site file names them.
    pub regions: Vec<BBox<Norm>>,
    /// Whether the sweep shows the detector the frame as a whole, too.
    pub whole_frame: bool,
    /// How often the camera is looked at.
    pub detect_fps: f32,
    /// Side of the model's input.
    pub input_px: u32,
    /// How large things are where, if that is known.
    pub calibration: Option<Calibration>,
}

/// What is known when a look begins.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// When; later than the look before.
    pub at: MonoTime,
    /// Extent of the picture.
    pub frame: FrameSize,
    /// Cells in which something moved since the look before; [`CELLS`] of them, row by row, or none.
    pub stirred: &'a [bool],
    /// Zones and lines whose rules are in force.
    pub cares: &'a [Care<'a>],
}

/// What a look made of the crops it was given.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Vessels followed.
    pub vessels: &'a [Vessel],
    /// Boxes that may become vessels: sure, and of none that is followed.
    pub sightings: &'a [BBox<Px>],
    /// Boxes that a crop's border cut.
    pub cut: &'a [BBox<Px>],
    /// Boxes of none that is followed, not sure enough to become one: shown larger they may be.
    pub faint: &'a [BBox<Px>],
}

/// How well the water is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Since when the place unseen longest has not been seen.
    pub oldest: Duration,
    /// No place is left unseen for longer, as long as looks come when they should.
    pub longest: Duration,
    /// Longer side, in pixels of the frame, of the smallest vessels that the sweep's tiles are meant to show.
    pub sought_px: f32,
    /// The same, of those that most looks at a tile find.
    pub mostly_found_px: f32,
}

/// What every look is given where attention is not to choose: what it is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// The frame as a whole.
    WholeFrame,
    /// The frame as a whole, and tiles of 640 pixels that cover it.
    Everywhere,
}

impl Fixed {
    fn crops(self, frame: FrameSize) -> Vec<BBox<Px>> {
        let whole = frame.bounds();
        match self {
            Self::WholeFrame => vec![whole],
            Self::Everywhere => {
                let tiles = tiles::grid(&whole, sweep::SIDES_PX[0]);
                std::iter::once(whole).chain(tiles.into_iter().filter(|tile| *tile != whole)).collect()
            }
        }
    }
}

/// Decides where one camera's runs go.
#[derive(Clone, Debug)]
pub struct Attention {
    scope: Scope,
    fixed: Option<Fixed>,
    budget: Budget,
    /// Runs the sweep is owed.
    owed: f32,
    sizes: Sizes,
    ground: Option<(FrameSize, Sweep)>,
    following: Following,
    last: MonoTime,
}

impl Attention {
    /// Attention that has seen nothing yet.
    pub fn new(scope: Scope) -> Self {
        let following = Following::new(scope.input_px as f32, scope.detect_fps);
        Self {
            budget: Budget::default(),
            owed: 0.0,
            sizes: Sizes::default(),
            ground: None,
            following,
            last: MonoTime::default(),
            fixed: None,
            scope,
        }
    }

    /// From now on every look is given the same.
    pub fn fix(&mut self, fixed: Fixed) {
        self.fixed = Some(fixed);
    }

    /// The crops to run now, in whole pixels and within the frame; at least one.
    pub fn choose(&mut self, scene: &Scene<'_>) -> Vec<BBox<Px>> {
        if let Some(fixed) = self.fixed {
            return fixed.crops(scene.frame);
        }
        let Self { scope, budget, owed, sizes, ground, following, last, .. } = self;
        if ground.as_ref().is_none_or(|(size, _)| *size != scene.frame) {
            following.forget();
            *sizes = Sizes::default();
            *ground = None;
        }
        let most = most_tiles(scope);
        let (_, sweep) = ground
            .get_or_insert_with(|| (scene.frame, Sweep::new(scope, scene.frame, sizes, most, scene.at)));
        sweep.refine(scope, sizes, most, scene.at);
        *last = scene.at;
        budget.accrue();
        *owed += share(scope, sweep, budget);
        following.expect(scene);

        let mut crops: Vec<BBox<Px>> = Vec::new();
        let mut take = |crop: BBox<Px>, sweep: &mut Sweep, following: &mut Following| {
            sweep.see(&crop, scene.at);
            following.see(&crop, scene);
            crops.push(crop);
        };
        while *owed >= 1.0 && budget.spend() {
            *owed -= 1.0;
            take(sweep.oldest(scene.at), sweep, following);
        }
        while budget.has_one()
            && let Some(crop) = following.wanted(sweep, scene)
        {
            budget.spend();
            take(crop, sweep, following);
        }
        if budget.has_plenty()
            && let Some(crop) = sweep.interesting(scene, following)
        {
            budget.spend();
            take(crop, sweep, following);
        }
        crops
    }

    /// Takes in what came of the crops chosen last.
    pub fn learn(&mut self, outcome: &Outcome<'_>) {
        let Some((frame, _)) = self.ground else { return };
        for vessel in outcome.vessels.iter().filter(|vessel| vessel.seen) {
            self.sizes.learn(&vessel.bbox, frame);
        }
        self.following.learn(outcome, self.last);
    }

    /// The look at the crops chosen last failed: nothing was seen, so the same places are as long unseen as before. Its
    /// runs count as spent.
    pub fn look_failed(&mut self) {
        if let Some((_, sweep)) = &mut self.ground {
            sweep.unsee(self.last);
        }
        self.following.unsee(self.last);
    }

    /// Adapts the budget to how busy the detector has been lately, 0 to 1: less when the box cannot keep up.
    pub fn adapt(&mut self, busy: f32) {
        self.budget.adapt(busy);
    }

    /// How well the water is covered at `at`.
    pub fn coverage(&self, at: MonoTime) -> Coverage {
        let Some((_, sweep)) = &self.ground else { return Coverage::default() };
        let looks = sweep.len() as f32 / share(&self.scope, sweep, &self.budget);
        let longest = Duration::from_secs_f32(looks.ceil() / self.scope.detect_fps.max(0.01));
        let shown = |px: f32| sweep.coarsest_px() * px / self.scope.input_px as f32;
        Coverage {
            oldest: sweep.oldest_age(at),
            longest,
            sought_px: shown(LEAST_SHOWN_PX),
            mostly_found_px: shown(MOSTLY_FOUND_PX),
        }
    }
}

/// Runs a look that the sweep takes: enough to go round in time, at least one, while most of the budget is left.
fn share(scope: &Scope, sweep: &Sweep, budget: &Budget) -> f32 {
    let looks = SWEPT_WITHIN.as_secs_f32() * scope.detect_fps;
    let most = (SWEEP_AT_MOST * budget.per_look()).max(1.0);
    (sweep.len() as f32 / looks).clamp(1.0, most)
}

/// Tiles, the whole frame among them, that a sweep with an ample budget goes round within [`SWEPT_WITHIN`].
fn most_tiles(scope: &Scope) -> usize {
    let looks = SWEPT_WITHIN.as_secs_f32() * scope.detect_fps;
    (looks * (SWEEP_AT_MOST * RUNS_A_LOOK).max(1.0)) as usize
}
