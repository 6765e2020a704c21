//! Berth memory: who lies where, through lost detections, other track numbers and restarts.
//!
//! A visit is a place at a berth where a vessel lies. Losing sight of it ends nothing: it was dark, or somebody passed. It
//! ends as a departure only when the vessel that was seen lying there was seen to go *and* its place was then seen
//! empty, so that a passing vessel that takes over its track number takes nothing else. It begins as an arrival only when
//! the vessel was seen to come, to a place where none was.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::scene::Sighting;
use super::trail::{Trail, distance};
use super::visit::{Visit, VisitEnd, VisitEvent, VisitId, VisitStep};
use crate::clock::{MonoTime, Stamp, StepDetector, is_set};
use crate::config::Zone;
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId};
use crate::track::VesselId;

/// A vessel that lies still at a berth for so long visits it.
const SETTLED_AFTER: Duration = Duration::from_secs(30);
/// A vessel must have been seen at its place for so long, before its going is a departure.
const KNOWN_AFTER: Duration = Duration::from_secs(20);
/// Its place must then be seen empty for so long, ...
const EMPTY_FOR: Duration = Duration::from_secs(30);
/// ... and in so many looks that a vessel seen as seldom as this one is missed in all of them with this probability.
const BY_CHANCE: f32 = 1e-4;
/// How often a vessel is seen is averaged over so many looks.
const LOOKS: f32 = 60.0;
/// However seldom it is seen, it counts as seen in this share of looks: else nobody would ever have left.
const SELDOM: f32 = 0.02;
/// A newcomer to a place where nobody was seen for so long is another vessel.
const REPLACED_AFTER: Duration = Duration::from_secs(600);
/// A vessel not seen for so long has left unseen. Longer than the longest night.
const VANISHED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A visit that goes on is told this often.
const TOLD_EVERY: Duration = Duration::from_secs(300);

/// The visits of one camera's berths.
#[derive(Clone, Debug)]
pub(super) struct VisitBook {
    camera: CameraId,
    berths: Vec<Zone>,
    open: Vec<Open>,
    /// As `open`, for those who read.
    visits: Vec<Visit>,
    /// Vessels that lie still and have no visit yet.
    settling: BTreeMap<VesselId, Settling>,
    /// Where each vessel was seen last.
    trails: BTreeMap<VesselId, Trail>,
    events: Vec<VisitEvent>,
    history: Vec<Visit>,
    history_for: Duration,
    clock: Option<WallClock>,
}

/// What is known of the wall clock.
#[derive(Clone, Copy, Debug)]
struct WallClock {
    steps: StepDetector,
    was_set: bool,
}

#[derive(Clone, Debug)]
struct Open {
    visit: Visit,
    /// The number under which its vessel is followed, since when it was seen there under it.
    holder: Option<(VesselId, MonoTime)>,
    /// Gone, unless somebody turns out to lie there still.
    gone: Option<Gone>,
    /// The share of looks that see it where it lies.
    seen: f32,
    last_seen: MonoTime,
    told: MonoTime,
    told_vessel: VesselId,
}

/// A vessel that was seen to leave.
#[derive(Clone, Copy, Debug)]
struct Gone {
    since: Stamp,
    /// When that was clear, and in how many looks its place has been empty since.
    clear: MonoTime,
    empty_looks: f32,
}

#[derive(Clone, Copy, Debug)]
struct Settling {
    since: Stamp,
    bbox: BBox<Norm>,
    /// Whether it was seen to come.
    came: bool,
}

/// What an earlier start knew.
#[derive(Clone, Debug, Default)]
pub struct ResumeState {
    /// Visits that lasted.
    pub open: Vec<Visit>,
    /// Visits that were over, for the rules that look back.
    pub ended: Vec<Visit>,
}

impl VisitBook {
    /// The book of `berths`, going on where `past` left off at `camera`. Ended visits are kept for `history_for`.
    pub(super) fn new(
        camera: CameraId,
        berths: Vec<Zone>,
        past: &ResumeState,
        history_for: Duration,
    ) -> Self {
        let here = |visit: &&Visit| visit.camera == camera && berths.iter().any(|b| b.id == visit.berth);
        let resumed = |visit: &Visit| Open {
            visit: visit.clone(),
            holder: None,
            gone: None,
            seen: 1.0,
            last_seen: MonoTime::default(),
            told: MonoTime::default(),
            told_vessel: visit.vessel,
        };
        let open: Vec<_> = past.open.iter().filter(here).map(resumed).collect();
        let history = past.ended.iter().filter(here).cloned().collect();
        let visits = open.iter().map(|open| open.visit.clone()).collect();
        let (settling, trails, events) = Default::default();
        let clock = None;
        Self { camera, berths, open, visits, settling, trails, events, history, history_for, clock }
    }

    /// Visits that last.
    pub(super) fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// What the last look changed.
    pub(super) fn events(&self) -> &[VisitEvent] {
        &self.events
    }

    /// Visits that are over, and how they went.
    pub(super) fn history(&self) -> &[Visit] {
        &self.history
    }

    /// The berth at which the vessel is moored: it has a visit there, or it is there and was not seen to move. Who has just
    /// been found under a new number, or between two places, has lain there most likely.
    pub(super) fn moored<'a>(&'a self, vessel: &'a Sighting) -> Option<&'a PlaceId> {
        let under_way = || self.trails.get(&vessel.vessel).is_some_and(|trail| trail.comes_to(&vessel.bbox));
        let visits = self.held_by(vessel.number).map(|open| &open.visit.berth);
        visits.or_else(|| vessel.in_berth.as_ref().filter(|_| !under_way()))
    }

    /// The visit of the vessel followed as `number`.
    fn held_by(&self, number: VesselId) -> Option<&Open> {
        self.open.iter().find(|open| open.holder.is_some_and(|(holder, _)| holder == number))
    }

    /// The vessel is followed no more.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        self.settling.remove(&vessel);
        self.trails.remove(&vessel);
    }

    /// Takes in a look.
    pub(super) fn step(&mut self, vessels: &[Sighting], at: Stamp) {
        self.events.clear();
        if self.berths.is_empty() {
            return;
        }
        self.follow_clock(at);
        for vessel in vessels.iter().filter(|vessel| vessel.seen) {
            self.trails.entry(vessel.vessel).or_default().push(at.mono, vessel.bbox);
        }
        self.follow_holders(vessels, at);
        for vessel in vessels.iter().filter(|vessel| vessel.seen) {
            if self.held_by(vessel.number).is_none() {
                self.place(vessel, at);
            }
        }
        self.conclude(at);
        self.visits.clear();
        self.visits.extend(self.open.iter().map(|open| open.visit.clone()));
    }

    /// A step of the wall clock makes no stay longer or shorter: what this start has timed moves with it. So does what earlier
    /// starts have timed, unless the clock was not set then: their times were right already.
    fn follow_clock(&mut self, at: Stamp) {
        let fresh = WallClock { steps: StepDetector::new(at), was_set: is_set(at.wall) };
        let clock = self.clock.get_or_insert(fresh);
        let Some(by) = clock.steps.step(at) else { return };
        let from_unset = !std::mem::replace(&mut clock.was_set, is_set(at.wall));
        let stay = |visit: &Visit| from_unset && is_set(visit.began);
        let moved = |moment: &mut Timestamp| *moment = moment.checked_add(by).unwrap_or(*moment);
        let visits = self.open.iter_mut().map(|open| &mut open.visit).chain(&mut self.history);
        visits.filter(|visit| !stay(visit)).for_each(|visit| moved(&mut visit.began));
        self.settling.values_mut().for_each(|settling| moved(&mut settling.since.wall));
        let gone = self.open.iter_mut().filter_map(|open| open.gone.as_mut());
        gone.for_each(|gone| moved(&mut gone.since.wall));
    }

    /// Each visit with the vessel that is known to lie there.
    fn follow_holders(&mut self, vessels: &[Sighting], at: Stamp) {
        for open in &mut self.open {
            let Some((number, since)) = open.holder else { continue };
            let Some(vessel) = vessels.iter().find(|vessel| vessel.number == number) else {
                open.holder = None;
                continue;
            };
            if !vessel.seen {
                continue;
            }
            let place = &open.visit.bbox;
            if lies_at(place, &vessel.bbox) {
                open.see(vessel, at);
                continue;
            }
            let left = self.trails.get(&vessel.vessel).and_then(|trail| trail.leaves(place));
            if let Some(left) = left {
                open.holder = None;
                // One of another size, or one that was hardly known to lie there: the number went to somebody who passed.
                // So it may have where somebody came by just then and was not seen again.
                let others = self.trails.iter().filter(|(other, _)| **other != vessel.vessel);
                let taken =
                    others.map(|(_, trail)| trail).any(|trail| trail.ends_beside(place, left, at.mono));
                if is_alike(place, &vessel.bbox) && left.since(since) >= KNOWN_AFTER && !taken {
                    let since = at.before(at.mono.since(left));
                    open.gone = Some(Gone { since, clear: at.mono, empty_looks: 0.0 });
                }
            } else if vessel.still && distance(place, &vessel.bbox) > 1.0 {
                // Its number is a neighbour's now.
                open.holder = None;
            }
        }
    }

    /// A vessel that holds no visit: it takes up one whose vessel is out of sight, or begins one.
    fn place(&mut self, vessel: &Sighting, at: Stamp) {
        let free = self
            .open
            .iter_mut()
            .filter(|open| open.holder.is_none() && lies_at(&open.visit.bbox, &vessel.bbox))
            .max_by(|a, b| a.visit.bbox.iou(&vessel.bbox).total_cmp(&b.visit.bbox.iou(&vessel.bbox)));
        let came = self.trails.get(&vessel.vessel).is_some_and(|trail| trail.comes_to(&vessel.bbox));
        if let Some(open) = free {
            let unseen = at.mono.since(open.last_seen);
            if !(came && unseen >= REPLACED_AFTER && open.last_seen != MonoTime::default()) {
                open.holder = Some((vessel.number, at.mono));
                open.gone = None;
                open.see(vessel, at);
                self.settling.remove(&vessel.vessel);
                return;
            }
        } else if self.open.iter().any(|open| lies_at(&open.visit.bbox, &vessel.bbox)) {
            // Two boxes on one vessel.
            return;
        }
        let Some(berth) = vessel.in_berth.as_ref().filter(|_| vessel.still) else {
            self.settling.remove(&vessel.vessel);
            return;
        };
        let begins = Settling { since: at, bbox: vessel.bbox, came };
        let settling = self.settling.entry(vessel.vessel).or_insert(begins);
        if !lies_at(&settling.bbox, &vessel.bbox) {
            *settling = begins;
        }
        let Settling { since, came, .. } = *settling;
        if at.mono.since(since.mono) < SETTLED_AFTER {
            return;
        }
        let berth = berth.clone();
        self.settling.remove(&vessel.vessel);
        self.replace(&vessel.bbox, at);
        let visit = Visit {
            id: identity(&self.camera, &berth, vessel, at),
            camera: self.camera.clone(),
            berth,
            vessel: vessel.number,
            began: since.wall,
            arrived: came,
            last_seen: at.wall,
            bbox: vessel.bbox,
            length_m: vessel.length_m,
            ended: None,
        };
        self.events.push(VisitEvent { step: VisitStep::Began, at, visit: visit.clone() });
        self.open.push(Open {
            visit,
            holder: Some((vessel.number, since.mono)),
            gone: None,
            seen: 1.0,
            last_seen: at.mono,
            told: at.mono,
            told_vessel: vessel.number,
        });
    }

    /// Ends the visits of vessels that must have left their place unseen, for a newcomer lies there.
    fn replace(&mut self, place: &BBox<Norm>, at: Stamp) {
        for open in self.open.iter_mut().filter(|open| open.holder.is_none()) {
            if lies_at(&open.visit.bbox, place) {
                open.visit.ended = Some((at.wall, VisitEnd::Replaced));
            }
        }
    }

    /// Ends what is over, and tells now and then of what goes on.
    fn conclude(&mut self, at: Stamp) {
        for open in &mut self.open {
            if open.last_seen == MonoTime::default() {
                // Resumed: nobody has looked yet, so nobody has missed it.
                (open.last_seen, open.told) = (at.mono, at.mono);
            }
            let here = open.last_seen == at.mono;
            if let Some(gone) = &mut open.gone {
                gone.empty_looks += 1.0;
                let seen = open.seen.clamp(SELDOM, 0.999);
                let enough = BY_CHANCE.ln() / (1.0 - seen).ln();
                if at.mono.since(gone.clear) >= EMPTY_FOR && gone.empty_looks >= enough {
                    open.visit.ended = Some((gone.since.wall, VisitEnd::Departed));
                }
            } else {
                open.seen += (f32::from(u8::from(here)) - open.seen) / LOOKS;
            }
            if open.visit.ended.is_none()
                && open.holder.is_none()
                && at.mono.since(open.last_seen) >= VANISHED_AFTER
            {
                open.visit.ended = Some((at.wall, VisitEnd::Vanished));
            }
            let (visit, told) = (&open.visit, at.mono.since(open.told));
            let news = open.told_vessel != visit.vessel || open.last_seen > open.told && told >= TOLD_EVERY;
            if visit.ended.is_some() {
                self.events.push(VisitEvent { step: VisitStep::Ended, at, visit: visit.clone() });
                self.history.push(visit.clone());
            } else if news {
                (open.told, open.told_vessel) = (at.mono, visit.vessel);
                self.events.push(VisitEvent { step: VisitStep::Continues, at, visit: visit.clone() });
            }
        }
        self.open.retain(|open| open.visit.ended.is_none());
        let kept = self.history_for;
        // A clock that is not set does not know what is over.
        self.history
            .retain(|visit| !is_set(at.wall) || at.wall.duration_since(visit.began).unsigned_abs() <= kept);
    }
}

impl Open {
    fn see(&mut self, vessel: &Sighting, at: Stamp) {
        self.last_seen = at.mono;
        self.visit.last_seen = at.wall;
        self.visit.vessel = vessel.number;
        self.visit.length_m = vessel.length_m.or(self.visit.length_m);
    }
}

/// Whether a vessel of box `b` lies at the place `a`.
fn lies_at(a: &BBox<Norm>, b: &BBox<Norm>) -> bool {
    distance(a, b) <= 0.5 && is_alike(a, b)
}

fn is_alike(a: &BBox<Norm>, b: &BBox<Norm>) -> bool {
    let alike = |a: f32, b: f32| (0.5..=2.0).contains(&(a / b));
    alike(a.width(), b.width()) && alike(a.height(), b.height())
}

fn identity(camera: &CameraId, berth: &PlaceId, vessel: &Sighting, at: Stamp) -> VisitId {
    let about = format!("{camera}\n{berth}\n{}\n{}", vessel.number, at.wall.as_nanosecond());
    VisitId(super::signal::stable_uuid(&about, at.wall))
}
