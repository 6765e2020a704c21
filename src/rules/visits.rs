//! The visits at a camera's berths, across lost detections, new track numbers and restarts.
//!
//! A visit is a position at a berth where a vessel is moored. It does not end when the vessel is no longer detected: it
//! may be dark, or another vessel may hide it. It ends as a departure only when the vessel was seen to leave *and* its
//! position was then seen to be empty, so that a passing vessel that takes over the track number does not end it. It
//! begins with an arrival only when the vessel was seen to come, to a position where there was none.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::observation::ObservedVessel;
use super::place::Zone;
use super::position_history::{PositionHistory, distance};
use super::signal;
use super::visit::{Visit, VisitEnd, VisitEvent, VisitId, VisitStep};
use crate::clock::{MonoTime, Stamp, StepDetector, is_set};
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId};
use crate::track::VesselId;

/// A vessel that does not move at a berth for so long is moored there.
const MOORED_AFTER: Duration = Duration::from_secs(30);
/// A vessel must have been seen at its position for so long before it can depart.
const SEEN_BEFORE: Duration = Duration::from_secs(20);
/// Its position must then be seen to be empty for so long, ...
const EMPTY_FOR: Duration = Duration::from_secs(30);
/// ... and in so many passes that a vessel detected as seldom as this one is missed in all of them with this probability.
const MISSED_BY_CHANCE: f32 = 1e-4;
/// The share of passes that detect a vessel is averaged over this many passes.
const PASSES: f32 = 60.0;
/// The least share with which it is computed; with less, no vessel would ever have left.
const LEAST_SEEN: f32 = 0.02;
/// A vessel that comes to a position where none was seen for so long is another vessel.
const REPLACED_AFTER: Duration = Duration::from_secs(600);
/// A vessel that was not seen for so long has left unseen. Longer than the longest night.
const VANISHED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A visit that continues is reported this often.
const REPORT_EVERY: Duration = Duration::from_secs(300);

/// Parts of sentences of `config/rules.md` that quote constants of visits.
#[cfg(test)]
pub(crate) fn quoted_about_berths() -> Vec<String> {
    vec![
        format!("for {} seconds is **moored**", MOORED_AFTER.as_secs()),
        format!("seen at its position for at least {} seconds", SEEN_BEFORE.as_secs()),
        format!("seen to be empty for {} seconds", EMPTY_FOR.as_secs()),
        format!("moored for less than {} seconds", MOORED_AFTER.as_secs()),
        format!("not seen for {} hours", VANISHED_AFTER.as_secs() / 3600),
    ]
}

/// The visits at the berths of one camera.
#[derive(Clone, Debug)]
pub(super) struct BerthVisits {
    camera: CameraId,
    berths: Vec<Zone>,
    open: Vec<OngoingVisit>,
    /// The visits of `open`, for readers.
    visits: Vec<Visit>,
    /// Vessels that do not move and have no visit yet.
    settling: BTreeMap<VesselId, Settling>,
    positions: BTreeMap<VesselId, PositionHistory>,
    events: Vec<VisitEvent>,
    history: Vec<Visit>,
    history_for: Duration,
    clock: Option<WallClock>,
}

/// Follows the wall clock.
#[derive(Clone, Copy, Debug)]
struct WallClock {
    steps: StepDetector,
    was_set: bool,
}

#[derive(Clone, Debug)]
struct OngoingVisit {
    visit: Visit,
    /// The track number of its vessel, and since when the track has been at the position.
    track: Option<(VesselId, MonoTime)>,
    /// The vessel has left, unless it is seen at its position again.
    leaving: Option<Leaving>,
    /// The share of passes that detect it.
    seen: f32,
    last_seen: MonoTime,
    reported: MonoTime,
    reported_vessel: VesselId,
}

/// A vessel that was seen to leave.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    since: Stamp,
    /// When that was certain, and in how many passes its position has been empty since.
    certain: MonoTime,
    empty_passes: f32,
}

#[derive(Clone, Copy, Debug)]
struct Settling {
    since: Stamp,
    bbox: BBox<Norm>,
    /// Whether its arrival was seen.
    arrived: bool,
}

/// What the engine resumes after a restart.
#[derive(Clone, Debug, Default)]
pub struct ResumeState {
    /// Visits that go on.
    pub open: Vec<Visit>,
    /// Visits that are over, for the rules that count them.
    pub ended: Vec<Visit>,
}

impl BerthVisits {
    /// The visits at `berths` of `camera`, which go on where `resume` left off. Visits that are over are kept for
    /// `history_for`.
    pub(super) fn new(
        camera: CameraId,
        berths: Vec<Zone>,
        resume: &ResumeState,
        history_for: Duration,
    ) -> Self {
        let here = |visit: &&Visit| visit.camera == camera && berths.iter().any(|b| b.id == visit.berth);
        let resumed = |visit: &Visit| OngoingVisit {
            visit: visit.clone(),
            track: None,
            leaving: None,
            seen: 1.0,
            last_seen: MonoTime::default(),
            reported: MonoTime::default(),
            reported_vessel: visit.vessel,
        };
        let open: Vec<_> = resume.open.iter().filter(here).map(resumed).collect();
        let history = resume.ended.iter().filter(here).cloned().collect();
        let visits = open.iter().map(|open| open.visit.clone()).collect();
        let (settling, positions, events) = Default::default();
        let clock = None;
        Self { camera, berths, open, visits, settling, positions, events, history, history_for, clock }
    }

    /// Visits that go on.
    pub(super) fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// What the last pass changed.
    pub(super) fn events(&self) -> &[VisitEvent] {
        &self.events
    }

    /// Visits that are over.
    pub(super) fn history(&self) -> &[Visit] {
        &self.history
    }

    /// The berth at which the vessel is moored: it has a visit there, or it is there and was not seen to move. A vessel
    /// that was just found under a new number, or between two positions, has most likely been moored there before.
    pub(super) fn moored<'a>(&'a self, vessel: &'a ObservedVessel) -> Option<&'a PlaceId> {
        let berth = self.visit_of(vessel.number).map(|open| &open.visit.berth);
        berth.or_else(|| vessel.in_berth.as_ref().filter(|_| !self.has_arrived(vessel)))
    }

    /// Whether the vessel was seen to come to where it is.
    fn has_arrived(&self, vessel: &ObservedVessel) -> bool {
        self.positions.get(&vessel.vessel).is_some_and(|positions| positions.comes_to(&vessel.bbox))
    }

    /// The visit of the vessel with this track number.
    fn visit_of(&self, number: VesselId) -> Option<&OngoingVisit> {
        self.open.iter().find(|open| open.track.is_some_and(|(track, _)| track == number))
    }

    /// The vessel is gone for good.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        self.settling.remove(&vessel);
        self.positions.remove(&vessel);
    }

    /// Takes the vessels of one detection pass.
    pub(super) fn step(&mut self, vessels: &[ObservedVessel], at: Stamp) {
        self.events.clear();
        if self.berths.is_empty() {
            return;
        }
        self.follow_clock(at);
        for vessel in vessels.iter().filter(|vessel| vessel.seen) {
            self.positions.entry(vessel.vessel).or_default().push(at.mono, vessel.bbox);
        }
        self.follow_tracks(vessels, at);
        for vessel in vessels.iter().filter(|vessel| vessel.seen) {
            if self.visit_of(vessel.number).is_none() {
                self.find_visit(vessel, at);
            }
        }
        self.conclude(at);
        self.visits.clear();
        self.visits.extend(self.open.iter().map(|open| open.visit.clone()));
    }

    /// A step of the wall clock must not change the length of a visit: times that this start has measured move with the
    /// clock. Times of earlier starts move, too, unless the clock was not set until now, because then they are right.
    fn follow_clock(&mut self, at: Stamp) {
        let fresh = WallClock { steps: StepDetector::new(at), was_set: is_set(at.wall) };
        let clock = self.clock.get_or_insert(fresh);
        let Some(by) = clock.steps.step(at) else { return };
        let from_unset = !std::mem::replace(&mut clock.was_set, is_set(at.wall));
        let is_right = |visit: &Visit| from_unset && is_set(visit.began);
        let moved = |moment: &mut Timestamp| *moment = moment.checked_add(by).unwrap_or(*moment);
        let visits = self.open.iter_mut().map(|open| &mut open.visit).chain(&mut self.history);
        visits.filter(|visit| !is_right(visit)).for_each(|visit| moved(&mut visit.began));
        self.settling.values_mut().for_each(|settling| moved(&mut settling.since.wall));
        let leaving = self.open.iter_mut().filter_map(|open| open.leaving.as_mut());
        leaving.for_each(|leaving| moved(&mut leaving.since.wall));
    }

    /// Updates each visit from the track of its vessel.
    fn follow_tracks(&mut self, vessels: &[ObservedVessel], at: Stamp) {
        let places: Vec<_> = self.open.iter().map(|open| open.visit.bbox).collect();
        for open in &mut self.open {
            let Some((number, since)) = open.track else { continue };
            let Some(vessel) = vessels.iter().find(|vessel| vessel.number == number) else {
                open.track = None;
                continue;
            };
            if !vessel.seen {
                continue;
            }
            let place = &open.visit.bbox;
            if is_at(place, &vessel.bbox) {
                open.see(vessel, at);
                continue;
            }
            let left = self.positions.get(&vessel.vessel).and_then(|positions| positions.leaves(place));
            if let Some(left) = left {
                open.track = None;
                // A box of another size, or one that was hardly seen at the position: a passing vessel has taken over the
                // number. It may also have done so where another vessel came close just then and was not seen again.
                let mut others = self.positions.iter().filter(|(other, _)| **other != vessel.vessel);
                let is_taken_over = others.any(|(_, other)| other.ends_beside(place, left, at.mono));
                if is_alike(place, &vessel.bbox) && left.since(since) >= SEEN_BEFORE && !is_taken_over {
                    let since = at.before(at.mono.since(left));
                    open.leaving = Some(Leaving { since, certain: at.mono, empty_passes: 0.0 });
                }
            } else if vessel.still
                && (distance(place, &vessel.bbox) > 1.0
                    || places.iter().any(|other| is_at(other, &vessel.bbox)))
            {
                // A neighbour has taken over the number. The vessel is not at `place`, so `other` is another position.
                open.track = None;
            }
        }
    }

    /// Gives a vessel without a visit the visit of a vessel that is not seen, or begins one.
    fn find_visit(&mut self, vessel: &ObservedVessel, at: Stamp) {
        let arrived = self.has_arrived(vessel);
        let free = self
            .open
            .iter_mut()
            .filter(|open| open.track.is_none() && is_at(&open.visit.bbox, &vessel.bbox))
            .max_by(|a, b| a.visit.bbox.iou(&vessel.bbox).total_cmp(&b.visit.bbox.iou(&vessel.bbox)));
        if let Some(open) = free {
            let unseen = at.mono.since(open.last_seen);
            if !(arrived && unseen >= REPLACED_AFTER && open.last_seen != MonoTime::default()) {
                open.track = Some((vessel.number, at.mono));
                open.leaving = None;
                open.see(vessel, at);
                self.settling.remove(&vessel.vessel);
                return;
            }
        } else if self.open.iter().any(|open| is_at(&open.visit.bbox, &vessel.bbox)) {
            // Two boxes of one vessel.
            return;
        }
        let Some(berth) = vessel.in_berth.as_ref().filter(|_| vessel.still) else {
            self.settling.remove(&vessel.vessel);
            return;
        };
        let start = Settling { since: at, bbox: vessel.bbox, arrived };
        let settling = self.settling.entry(vessel.vessel).or_insert(start);
        if !is_at(&settling.bbox, &vessel.bbox) {
            *settling = start;
        }
        let settled = *settling;
        if at.mono.since(settled.since.mono) >= MOORED_AFTER {
            let berth = berth.clone();
            self.begin(vessel, berth, settled, at);
        }
    }

    fn begin(&mut self, vessel: &ObservedVessel, berth: PlaceId, settled: Settling, at: Stamp) {
        self.settling.remove(&vessel.vessel);
        self.replace(&vessel.bbox, at);
        let visit = Visit {
            id: identity(&self.camera, &berth, vessel, at),
            camera: self.camera.clone(),
            berth,
            vessel: vessel.number,
            began: settled.since.wall,
            arrived: settled.arrived,
            last_seen: at.wall,
            bbox: vessel.bbox,
            length_m: vessel.length_m,
            ended: None,
        };
        self.events.push(VisitEvent { step: VisitStep::Began, at, visit: visit.clone() });
        self.open.push(OngoingVisit {
            visit,
            track: Some((vessel.number, settled.since.mono)),
            leaving: None,
            seen: 1.0,
            last_seen: at.mono,
            reported: at.mono,
            reported_vessel: vessel.number,
        });
    }

    /// Ends the visits of vessels that must have left unseen, because another vessel is at their position.
    fn replace(&mut self, place: &BBox<Norm>, at: Stamp) {
        for open in self.open.iter_mut().filter(|open| open.track.is_none()) {
            if is_at(&open.visit.bbox, place) {
                open.visit.ended = Some((at.wall, VisitEnd::Replaced));
            }
        }
    }

    /// Ends the visits that are over, and reports the others at intervals.
    fn conclude(&mut self, at: Stamp) {
        for open in &mut self.open {
            open.conclude(at);
            let (visit, since_report) = (&open.visit, at.mono.since(open.reported));
            let is_new = open.reported_vessel != visit.vessel
                || open.last_seen > open.reported && since_report >= REPORT_EVERY;
            if visit.ended.is_some() {
                self.events.push(VisitEvent { step: VisitStep::Ended, at, visit: visit.clone() });
                self.history.push(visit.clone());
            } else if is_new {
                (open.reported, open.reported_vessel) = (at.mono, visit.vessel);
                self.events.push(VisitEvent { step: VisitStep::Continues, at, visit: visit.clone() });
            }
        }
        self.open.retain(|open| open.visit.ended.is_none());
        let kept = self.history_for;
        // While the clock is not set, the age of a visit is unknown.
        self.history
            .retain(|visit| !is_set(at.wall) || at.wall.duration_since(visit.began).unsigned_abs() <= kept);
    }
}

impl OngoingVisit {
    fn see(&mut self, vessel: &ObservedVessel, at: Stamp) {
        self.last_seen = at.mono;
        self.visit.last_seen = at.wall;
        self.visit.vessel = vessel.number;
        self.visit.length_m = vessel.length_m.or(self.visit.length_m);
    }

    /// Ends the visit if its vessel has left.
    fn conclude(&mut self, at: Stamp) {
        if self.last_seen == MonoTime::default() {
            // Resumed: no pass has looked for it yet, so none has missed it.
            (self.last_seen, self.reported) = (at.mono, at.mono);
        }
        if let Some(leaving) = &mut self.leaving {
            leaving.empty_passes += 1.0;
            let seen = self.seen.clamp(LEAST_SEEN, 0.999);
            let enough = MISSED_BY_CHANCE.ln() / (1.0 - seen).ln();
            if at.mono.since(leaving.certain) >= EMPTY_FOR && leaving.empty_passes >= enough {
                self.visit.ended = Some((leaving.since.wall, VisitEnd::Departed));
            }
        } else {
            let is_here = self.last_seen == at.mono;
            self.seen += (f32::from(u8::from(is_here)) - self.seen) / PASSES;
        }
        let unseen = at.mono.since(self.last_seen);
        if self.visit.ended.is_none() && self.track.is_none() && unseen >= VANISHED_AFTER {
            self.visit.ended = Some((at.wall, VisitEnd::Vanished));
        }
    }
}

/// Whether a vessel with box `b` is at the position of box `a`.
fn is_at(a: &BBox<Norm>, b: &BBox<Norm>) -> bool {
    distance(a, b) <= 0.5 && is_alike(a, b)
}

fn is_alike(a: &BBox<Norm>, b: &BBox<Norm>) -> bool {
    let alike = |a: f32, b: f32| (0.5..=2.0).contains(&(a / b));
    alike(a.width(), b.width()) && alike(a.height(), b.height())
}

fn identity(camera: &CameraId, berth: &PlaceId, vessel: &ObservedVessel, at: Stamp) -> VisitId {
    let about = format!("{camera}\n{berth}\n{}\n{}", vessel.number, at.wall.as_nanosecond());
    VisitId(signal::stable_uuid(&about, at.wall))
}
