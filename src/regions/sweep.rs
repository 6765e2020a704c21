//! The sweep: tiles over the water, and the frame as a whole, by turns.

use std::time::Duration;

use super::follow::{Following, length};
use super::ground::{CELLS, Ground, cell_at, centre};
use super::{LEAST_SHOWN_PX, MOSTLY_FOUND_PX, Scene, Scope, Sizes, tiles};
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Point, Px};

/// Sides of tiles where nothing else says how large: the first that goes round in time.
pub(super) const SIDES_PX: [u32; 4] = [640, 960, 1280, 1920];
/// Vessels stand up from the water by so much of the picture's height.
const HEADROOM: f32 = 0.1;
/// A place this near to a tile's border, as a share of its width, is left to the neighbour: a vessel would be cut there.
const BORDER: f32 = 0.05;
/// A crop wider than its tile by more than this shows a place too small.
const WIDER: f32 = 1.1;
/// Tiles are cut smaller where small vessels have been seen; that is reconsidered this often.
const REFINED_EVERY: Duration = Duration::from_secs(30);
/// A finer tile's side in the coarser one's: four of them cover it, and overlap by half.
const FINER: f32 = 1.5;
/// Something that moves is looked at when its place has not been seen for this long ...
const STIRRED_AFTER: Duration = Duration::from_millis(500);
/// ... and a zone in force this often.
const CARED_AFTER: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Sweep {
    frame: FrameSize,
    tiles: Vec<Tile>,
    places: Vec<Place>,
    refined: MonoTime,
}

#[derive(Clone, Debug)]
struct Tile {
    crop: BBox<Px>,
    /// The places it shows.
    shows: Vec<usize>,
}

/// What must not stay unseen: a cell of the ground for small vessels, or the frame for large ones.
#[derive(Clone, Debug)]
struct Place {
    /// `None`: the frame as a whole.
    cell: Option<usize>,
    at: Point<Px>,
    /// Distance from the borders of a crop that shows it.
    depth_px: f32,
    widest_px: f32,
    seen: MonoTime,
    /// As it was before the last look, should that one fail.
    seen_before: MonoTime,
}

impl Sweep {
    /// A sweep of at most `most` tiles, if there are such that cover the ground, of a ground all seen `at` this time.
    pub(super) fn new(scope: &Scope, frame: FrameSize, sizes: &Sizes, most: usize, at: MonoTime) -> Self {
        let ground = Ground::new(scope);
        let mut crops = if scope.regions.is_empty() {
            grid(scope, &ground, frame, sizes, most)
        } else {
            let squared = |&region| {
                let region = on_pixels(frame.box_to_pixels(region), frame);
                square(&region, length(&region), frame)
            };
            scope.regions.iter().map(squared).collect()
        };
        // A moment ago, so that the first look's tile counts as the one seen last.
        let before = at - Duration::from_nanos(1);
        let mut places = places(&mut crops, &ground, frame, before);
        if scope.whole_frame || crops.is_empty() {
            let whole = frame.bounds();
            crops.retain(|crop| *crop != whole);
            crops.insert(0, whole);
            let (depth_px, widest_px) = (f32::INFINITY, f32::INFINITY);
            let at = whole.centre();
            places.push(Place { cell: None, at, depth_px, widest_px, seen: before, seen_before: before });
        }
        let tile = |crop: BBox<Px>| Tile {
            shows: (0..places.len()).filter(|&p| places[p].is_shown_by(&crop, frame)).collect(),
            crop,
        };
        let tiles = crops.into_iter().map(tile).collect();
        Self { frame, tiles, places, refined: at }
    }

    /// Cuts the tiles anew by what has been learnt since, every now and then.
    pub(super) fn refine(&mut self, scope: &Scope, sizes: &Sizes, most: usize, at: MonoTime) {
        if at.since(self.refined) < REFINED_EVERY {
            return;
        }
        let mut refined = Self::new(scope, self.frame, sizes, most, at);
        for place in &mut refined.places {
            // A place that a finer tile is to show was seen less finely, but it was seen.
            if let Some(before) = self.places.iter().find(|before| before.cell == place.cell) {
                (place.seen, place.seen_before) = (before.seen, before.seen_before);
            }
        }
        *self = refined;
    }

    /// Tiles, the whole frame among them.
    pub(super) fn len(&self) -> usize {
        self.tiles.len()
    }

    /// Longer side of the largest tile; of the frame where that is the only one.
    pub(super) fn coarsest_px(&self) -> f32 {
        let whole = self.frame.bounds();
        let tiles = self.crops().filter(|crop| **crop != whole).map(length);
        tiles.reduce(f32::max).unwrap_or_else(|| length(&whole))
    }

    pub(super) fn crops(&self) -> impl Iterator<Item = &BBox<Px>> {
        self.tiles.iter().map(|tile| &tile.crop)
    }

    /// The tile that shows the place unseen longest; of several the one that shows most that is long unseen.
    pub(super) fn oldest(&self, at: MonoTime) -> BBox<Px> {
        let age = |&place: &usize| at.since(self.places[place].seen);
        let worth = |tile: &Tile| {
            let oldest = tile.shows.iter().map(age).max();
            (oldest, tile.shows.iter().map(age).sum::<Duration>())
        };
        // The first of equals, where `max_by_key` would take the last.
        self.tiles.iter().rev().max_by_key(|tile| worth(tile)).map_or(self.frame.bounds(), |tile| tile.crop)
    }

    pub(super) fn oldest_age(&self, at: MonoTime) -> Duration {
        self.places.iter().map(|place| at.since(place.seen)).max().unwrap_or_default()
    }

    pub(super) fn see(&mut self, crop: &BBox<Px>, at: MonoTime) {
        for place in &mut self.places {
            if place.seen != at && place.is_shown_by(crop, self.frame) {
                (place.seen, place.seen_before) = (at, place.seen);
            }
        }
    }

    /// The look made `at` failed: what its crops would have shown was not seen.
    pub(super) fn unsee(&mut self, at: MonoTime) {
        for place in self.places.iter_mut().filter(|place| place.seen == at) {
            place.seen = place.seen_before;
        }
    }

    /// The tile in which most moves that nobody follows, or that shows most of a zone in force, of places not just seen.
    pub(super) fn interesting(&self, scene: &Scene<'_>, following: &Following) -> Option<BBox<Px>> {
        let interest = |place: &Place| {
            let Some(cell) = place.cell else { return Duration::ZERO };
            let age = scene.at.since(place.seen);
            let stirs = scene.stirred.get(cell) == Some(&true) && !following.explains(place.at);
            let matters = (stirs && age >= STIRRED_AFTER)
                || (age >= CARED_AFTER && scene.cares.iter().any(|care| care.holds(centre(cell))));
            if matters { age } else { Duration::ZERO }
        };
        let by_place: Vec<Duration> = self.places.iter().map(interest).collect();
        let worth = |tile: &Tile| tile.shows.iter().map(|&place| by_place[place]).sum::<Duration>();
        let best = self.tiles.iter().rev().max_by_key(|tile| worth(tile))?;
        (!worth(best).is_zero()).then_some(best.crop)
    }
}

impl Place {
    fn is_shown_by(&self, crop: &BBox<Px>, frame: FrameSize) -> bool {
        crop.width() <= self.widest_px && depth(crop, self.at, frame) >= self.depth_px
    }
}

/// How far `p` lies from the borders of `crop` beyond which the picture goes on; negative outside, infinite where none
/// of the borders is one.
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

/// The pixels that a box touches, within the frame.
fn on_pixels(b: BBox<Px>, frame: FrameSize) -> BBox<Px> {
    let grown =
        BBox::new((b.x0 + 1e-2).floor(), (b.y0 + 1e-2).floor(), (b.x1 - 1e-2).ceil(), (b.y1 - 1e-2).ceil());
    grown.intersection(&frame.bounds()).unwrap_or(frame.bounds())
}

/// The ground's cells, each for the tile in whose middle it lies most; tiles that have none are dropped.
fn places(crops: &mut Vec<BBox<Px>>, ground: &Ground, frame: FrameSize, at: MonoTime) -> Vec<Place> {
    let mut cells: Vec<usize> = (0..CELLS).filter(|&cell| ground.contains(centre(cell))).collect();
    if cells.is_empty() {
        // Narrower than a cell.
        cells.push(cell_at(ground.bounds().centre()));
    }
    let mut used = vec![false; crops.len()];
    let mut places = Vec::new();
    for cell in cells {
        let p = frame.to_pixels(centre(cell));
        let room = |crop: &BBox<Px>| depth(crop, p, frame).min(BORDER * crop.width());
        let better =
            |a: &BBox<Px>, b: &BBox<Px>| room(a).total_cmp(&room(b)).then(b.width().total_cmp(&a.width()));
        let Some(best) = (0..crops.len()).rev().max_by(|&a, &b| better(&crops[a], &crops[b])) else {
            continue;
        };
        let crop = &crops[best];
        if room(crop) >= 0.0 && crop.x0 <= p.x && p.x <= crop.x1 && crop.y0 <= p.y && p.y <= crop.y1 {
            used[best] = true;
            let (depth_px, widest_px) = (room(crop), WIDER * crop.width());
            let cell = Some(cell);
            places.push(Place { cell, at: p, depth_px, widest_px, seen: at, seen_before: at });
        }
    }
    let mut used = used.into_iter();
    crops.retain(|_| used.next() == Some(true));
    places
}

/// Square tiles over the ground and what stands up from it: the largest of [`SIDES_PX`] in which dinghies are mostly found,
/// by the camera's calibration; else the smallest of which `most` will do. Smaller ones where vessels have been seen that
/// they do not show.
fn grid(scope: &Scope, ground: &Ground, frame: FrameSize, sizes: &Sizes, most: usize) -> Vec<BBox<Px>> {
    let most = most.saturating_sub(usize::from(scope.whole_frame));
    let bounds = ground.bounds();
    let raised = BBox::new(bounds.x0, (bounds.y0 - HEADROOM).max(0.0), bounds.x1, bounds.y1);
    let area = on_pixels(frame.box_to_pixels(raised), frame);
    let tiles_of = |side_px: u32| {
        let mut crops = tiles::grid(&square(&area, side_px as f32, frame), side_px);
        // Drops the tiles without ground.
        places(&mut crops, ground, frame, MonoTime::default());
        crops
    };
    let dinghy_px = ground.smallest_dinghy().map(|width| width * frame.width as f32 * scope.input_px as f32);
    let will_do = |side_px: u32| dinghy_px.is_some_and(|px| px >= MOSTLY_FOUND_PX * side_px as f32);
    let goes_round = |side_px: u32| tiles_of(side_px).len() <= most;
    let coarse = SIDES_PX.into_iter().rev().find(|&side_px| will_do(side_px) && goes_round(side_px));
    let fine = || SIDES_PX.into_iter().find(|&side_px| goes_round(side_px));
    let side_px = coarse.or_else(fine).unwrap_or(SIDES_PX[SIDES_PX.len() - 1]);
    let (side, mut crops) = (side_px as f32, tiles_of(side_px));
    let shown = |crop: &BBox<Px>| {
        let smallest = sizes.smallest(&frame.box_to_fractions(*crop))?;
        Some(smallest * frame.width as f32 * scope.input_px as f32 / crop.width())
    };
    let mut small: Vec<_> = crops
        .iter()
        .filter_map(|crop| Some((shown(crop)?, *crop)))
        .filter(|(px, _)| *px < LEAST_SHOWN_PX)
        .collect();
    small.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, coarse) in small {
        let finer = tiles::grid(&coarse, (side / FINER) as u32);
        if crops.len() - 1 + finer.len() > most {
            break;
        }
        crops.retain(|crop| *crop != coarse);
        crops.extend(finer);
    }
    crops
}

/// The area, made as high and as wide as `side` where it is less: a strip would be shown to the model stretched to a
/// square, and vessels stretched with it are not known for such.
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
