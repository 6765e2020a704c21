//! Following: which vessels are due, and tiles around them.

use std::time::Duration;

use super::sweep::Sweep;
use super::{LEAST_SHOWN_PX, Outcome, Scene};
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Point, Px};

/// A vessel is shown this large in the model's input, where it has a tile of its own.
const SHOWN_PX: f32 = 80.0;
/// The smallest tile.
const SMALLEST_PX: f32 = 320.0;
/// Tiles are this much larger and further apart at least: a tile's tables of weights are kept for the next look.
const STEP_PX: f32 = 32.0;
/// A box this near to a tile's border, as a share of the tile's side, may be cut by it.
const BORDER: f32 = 0.03;

/// A vessel that stands still is looked at this often.
const RESTING_EVERY: Duration = Duration::from_secs(2);
/// One that moves is looked at when it has moved by this share of its length ...
const MOVED_BY: f32 = 0.5;
/// ... and at the latest after this time.
const MOVING_EVERY: Duration = Duration::from_millis(750);
/// In a zone in force.
const CARED_EVERY: Duration = Duration::from_millis(500);
/// A vessel is new for this long: each look counts for whether it is one.
const NEW_FOR: Duration = Duration::from_secs(2);
/// A sighting that is not seen again within this time was none.
const SIGHTING_FOR: Duration = Duration::from_secs(1);
/// A cut or faint box that a closer look made nothing of is left alone for this long, twice as long each time ...
const RESTS: Duration = Duration::from_secs(2);
/// ... up to this.
const RESTS_AT_MOST: Duration = Duration::from_secs(60);
/// A cut box is looked at with this share of its own size around it.
const AROUND_CUT: f32 = 0.6;
/// Two boxes are one thing from this overlap on.
const SAME: f32 = 0.2;

/// A vessel followed, as of the look just made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vessel {
    /// Its number.
    pub id: u64,
    /// Where it is, or is thought to be.
    pub bbox: BBox<Px>,
    /// Whether this look found it.
    pub seen: bool,
    /// How it moves, in pixels a second; `None` while it stands still.
    pub velocity: Option<[f32; 2]>,
}

#[derive(Clone, Debug)]
pub(super) struct Following {
    input_px: f32,
    half_a_look: Duration,
    wants: Vec<Want>,
    /// Places of cut and faint boxes that were looked at.
    tried: Vec<Tried>,
}

/// A place that was looked at for a cut or faint box.
#[derive(Clone, Debug)]
struct Tried {
    bbox: BBox<Px>,
    at: MonoTime,
    rests: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Vessel(u64),
    Sighting,
    Cut,
    /// Too unsure to become a vessel as it was shown.
    Faint,
}

/// Something that wants to be looked at.
#[derive(Clone, Debug)]
struct Want {
    what: What,
    bbox: BBox<Px>,
    /// The box is as of then.
    at: MonoTime,
    first: MonoTime,
    /// When a look found it.
    seen: MonoTime,
    /// When a crop showed where it should be.
    looked: MonoTime,
    /// As it was before the last look, should that one fail.
    looked_before: MonoTime,
    /// Pixels a second; `None` while it stands still.
    velocity: Option<[f32; 2]>,
    /// Where it should be now, within the frame; `None` when outside.
    expected: Option<BBox<Px>>,
    /// How far off that may be.
    doubt_px: f32,
    /// 1 and more: due.
    urgency: f32,
}

impl Want {
    fn new(what: What, bbox: BBox<Px>, at: MonoTime) -> Self {
        Self {
            what,
            bbox,
            at,
            first: at,
            seen: at,
            looked: at,
            looked_before: at,
            velocity: Some([0.0; 2]),
            expected: None,
            doubt_px: 0.0,
            urgency: 0.0,
        }
    }

    fn find(&mut self, bbox: BBox<Px>, at: MonoTime) {
        (self.bbox, self.at, self.seen) = (bbox, at, at);
    }

    /// Time after which the guess at where it is has become doubtful.
    fn every(&self, scene: &Scene<'_>) -> Duration {
        let at = scene.at;
        let cared = || {
            let anchor = scene.frame.normalise(self.bbox.waterline());
            scene.cares.iter().any(|care| care.holds(anchor))
        };
        match self.what {
            What::Sighting | What::Cut | What::Faint => Duration::ZERO,
            What::Vessel(_) if at.since(self.first) < NEW_FOR => Duration::ZERO,
            // What rests, or was looked for in vain, can wait.
            What::Vessel(_) if at.since(self.seen) > RESTING_EVERY => RESTING_EVERY,
            What::Vessel(_) => {
                let Some([vx, vy]) = self.velocity else { return RESTING_EVERY };
                let speed = vx.hypot(vy).max(1e-3);
                let moved = Duration::from_secs_f32((MOVED_BY * length(&self.bbox) / speed).min(60.0));
                moved.min(if cared() { CARED_EVERY } else { MOVING_EVERY })
            }
        }
    }

    fn expect(&mut self, scene: &Scene<'_>, half_a_look: Duration) {
        let dt = scene.at.since(self.at).as_secs_f32();
        let [dx, dy] = self.velocity.unwrap_or_default().map(|v| v * dt);
        let b = &self.bbox;
        let moved = BBox::new(b.x0 + dx, b.y0 + dy, b.x1 + dx, b.y1 + dy);
        self.expected = moved.intersection(&scene.frame.bounds());
        let doubt = match self.what {
            What::Cut => 0.0,
            What::Sighting | What::Faint => 0.5,
            What::Vessel(_) if self.velocity.is_none() => 0.05,
            What::Vessel(_) => (0.1 + 0.3 * dt).min(1.0),
        };
        self.doubt_px = doubt * length(b);
        let (waited, every) = (scene.at.since(self.looked) + half_a_look, self.every(scene));
        self.urgency = match self.what {
            // After all that is known to be there.
            What::Faint => 1.0,
            _ => waited.as_secs_f32() / every.max(half_a_look * 2).as_secs_f32(),
        };
    }

    fn is_due(&self) -> bool {
        self.urgency >= 1.0 && self.expected.is_some()
    }
}

impl Following {
    pub(super) fn new(input_px: f32, detect_fps: f32) -> Self {
        let half_a_look = Duration::from_secs_f32(0.5 / detect_fps.max(0.01));
        Self { input_px, half_a_look, wants: Vec::new(), tried: Vec::new() }
    }

    pub(super) fn forget(&mut self) {
        self.wants.clear();
        self.tried.clear();
    }

    pub(super) fn expect(&mut self, scene: &Scene<'_>) {
        for want in &mut self.wants {
            want.expect(scene, self.half_a_look);
        }
    }

    /// Notes what a crop shows.
    pub(super) fn see(&mut self, crop: &BBox<Px>, scene: &Scene<'_>) {
        for i in 0..self.wants.len() {
            if self.shows(crop, &self.wants[i], scene.frame) {
                let want = &mut self.wants[i];
                if want.looked != scene.at {
                    (want.looked, want.looked_before) = (scene.at, want.looked);
                }
                want.urgency = 0.0;
                if matches!(want.what, What::Cut | What::Faint) {
                    let same = self.tried.iter_mut().find(|tried| holds_most(&tried.bbox, &want.bbox));
                    let rests = same.as_ref().map_or(RESTS, |tried| (tried.rests * 2).min(RESTS_AT_MOST));
                    let tried = Tried { bbox: want.bbox, at: scene.at, rests };
                    match same {
                        Some(same) => *same = tried,
                        None => self.tried.push(tried),
                    }
                }
            }
        }
    }

    /// The look made `at` failed: what its crops would have shown was not seen.
    pub(super) fn unsee(&mut self, at: MonoTime) {
        for want in self.wants.iter_mut().filter(|want| want.looked == at) {
            want.looked = want.looked_before;
        }
        self.tried.retain(|tried| tried.at != at);
    }

    /// True when `p` lies in something followed.
    pub(super) fn explains(&self, p: Point<Px>) -> bool {
        let holds = |b: &BBox<Px>, by: f32| {
            p.x >= b.x0 - by && p.x <= b.x1 + by && p.y >= b.y0 - by && p.y <= b.y1 + by
        };
        self.wants.iter().any(|want| holds(&want.bbox, 0.25 * length(&want.bbox)))
    }

    /// The crop that serves what is due best: it shows the most urgent, and as much else as it can. A tile of the sweep
    /// serves the sweep besides, so it is preferred where it shows no less.
    pub(super) fn wanted(&self, sweep: &Sweep, scene: &Scene<'_>) -> Option<BBox<Px>> {
        let due = self.wants.iter().filter(|want| want.is_due());
        let first = due.clone().reduce(|a, b| if b.urgency > a.urgency { b } else { a })?;
        let worth = |crop: &BBox<Px>| -> f32 {
            due.clone().filter(|want| self.shows(crop, want, scene.frame)).map(|want| want.urgency).sum()
        };
        let own = self.tile(first, scene.frame);
        let (mut best, mut most) = (own, worth(&own) - 1e-3);
        for crop in sweep.crops().filter(|crop| self.shows(crop, first, scene.frame)) {
            let worth = worth(crop);
            if worth > most {
                (best, most) = (*crop, worth);
            }
        }
        Some(best)
    }

    /// Whether a crop shows something whole, and large enough in the model's input.
    fn shows(&self, crop: &BBox<Px>, want: &Want, frame: FrameSize) -> bool {
        let Some(b) = want.expected else { return false };
        let (across, down) = (want.doubt_px + BORDER * crop.width(), want.doubt_px + BORDER * crop.height());
        let (w, h) = (frame.width as f32, frame.height as f32);
        let whole = (crop.x0 <= 0.0 || b.x0 - across >= crop.x0)
            && (crop.y0 <= 0.0 || b.y0 - down >= crop.y0)
            && (crop.x1 >= w || b.x1 + across <= crop.x1)
            && (crop.y1 >= h || b.y1 + down <= crop.y1);
        let shown_px = self.input_px * (b.width() / crop.width()).max(b.height() / crop.height());
        // Of what is smaller than the smallest tile would show well, no more can be asked.
        let largest_px = 0.9 * self.input_px * length(&b) / SMALLEST_PX;
        let enough_px =
            if want.what == What::Faint { 0.9 * SHOWN_PX } else { LEAST_SHOWN_PX }.min(largest_px);
        whole && shown_px >= enough_px
    }

    /// A tile around something, and around whatever else fits into a tile that shows it well.
    fn tile(&self, first: &Want, frame: FrameSize) -> BBox<Px> {
        let grown = |want: &Want| {
            let (b, by) = (want.expected?, want.doubt_px);
            BBox::new(b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by).intersection(&frame.bounds())
        };
        let side_for = |b: &BBox<Px>| length(b) / (1.0 - 2.5 * BORDER);
        // So far apart that each still has enough pixels.
        let widest = |want: &Want| {
            want.expected
                .map_or(0.0, |b| self.input_px * length(&b) / (1.5 * LEAST_SHOWN_PX))
                .max(SMALLEST_PX)
        };
        let Some(mut around) = grown(first) else { return frame.bounds() };
        let mut most = widest(first);
        let mut others: Vec<&Want> = self.wants.iter().filter(|want| want.urgency > 0.0).collect();
        others.sort_by(|a, b| b.urgency.total_cmp(&a.urgency));
        for other in others {
            let Some(b) = grown(other) else { continue };
            let (joint, limit) = (around.union(&b), most.min(widest(other)));
            if side_for(&joint) <= limit {
                (around, most) = (joint, limit);
            }
        }
        let own = first.expected.map_or(0.0, |b| self.input_px * length(&b) / SHOWN_PX);
        let side = side_for(&around).max(own.min(most)).max(SMALLEST_PX);
        let side = (side / STEP_PX).ceil() * STEP_PX;
        let centre = around.centre();
        let axis = |middle: f32, extent: f32| {
            if side >= extent {
                return (0.0, extent);
            }
            let start = ((middle - side / 2.0) / STEP_PX).round() * STEP_PX;
            let start = start.clamp(0.0, extent - side);
            (start, start + side)
        };
        let ((x0, x1), (y0, y1)) = (axis(centre.x, frame.width as f32), axis(centre.y, frame.height as f32));
        BBox::new(x0, y0, x1, y1)
    }

    /// Takes in what a look found.
    pub(super) fn learn(&mut self, outcome: &Outcome<'_>, at: MonoTime) {
        let mut vessels: Vec<Want> = Vec::with_capacity(outcome.vessels.len());
        for vessel in outcome.vessels {
            let what = What::Vessel(vessel.id);
            let known = self.wants.iter().find(|want| want.what == what);
            let mut want = known.cloned().unwrap_or_else(|| Want::new(what, vessel.bbox, at));
            want.velocity = vessel.velocity;
            if vessel.seen {
                want.find(vessel.bbox, at);
            }
            vessels.push(want);
        }
        let is_vessel = |b: &BBox<Px>| vessels.iter().any(|want| holds_most(&want.bbox, b));
        let mut wants = Vec::new();
        for sighting in outcome.sightings {
            let same = |want: &&Want| want.what == What::Sighting && want.bbox.iou(sighting) > SAME;
            let mut want = self
                .wants
                .iter()
                .find(same)
                .cloned()
                .unwrap_or_else(|| Want::new(What::Sighting, *sighting, at));
            want.find(*sighting, at);
            wants.push(want);
        }
        for old in &self.wants {
            let lives = old.what == What::Sighting
                && at.since(old.seen) <= SIGHTING_FOR
                && !is_vessel(&old.bbox)
                && wants.iter().all(|want| want.bbox.iou(&old.bbox) <= SAME);
            if lives {
                wants.push(old.clone());
            }
        }
        // Remembered for as long again, to be left alone twice as long when it comes back.
        self.tried.retain(|tried| at.since(tried.at) < tried.rests * 2);
        let rests = |b: &BBox<Px>| {
            self.tried.iter().any(|tried| at.since(tried.at) < tried.rests && holds_most(&tried.bbox, b))
        };
        let by_itself = |b: &&BBox<Px>| !rests(b) && !is_vessel(b);
        for cut in outcome.cut.iter().filter(by_itself) {
            let by = AROUND_CUT * length(cut);
            let around = BBox::new(cut.x0 - by, cut.y0 - by, cut.x1 + by, cut.y1 + by);
            wants.push(Want::new(What::Cut, around, at));
        }
        // Upright things on the water are buoys, posts and lamps: shown larger they would be taken for vessels more often.
        let lies = |b: &&BBox<Px>| b.width() >= b.height();
        let faint = outcome.faint.iter().filter(by_itself).filter(lies);
        wants.extend(faint.map(|faint| Want::new(What::Faint, *faint, at)));
        wants.extend(vessels);
        self.wants = wants;
    }
}

/// The longer side, at least a pixel.
pub(super) fn length(b: &BBox<Px>) -> f32 {
    b.longer_side().max(1.0)
}

/// True when most of `small` lies in `b`.
fn holds_most(b: &BBox<Px>, small: &BBox<Px>) -> bool {
    b.intersection(small).is_some_and(|shared| shared.area() > 0.6 * small.area())
}
