//! The step from tracks to signals.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::conditions::{Finding, Subject};
use super::heirs::Heirs;
use super::motion::MotionEstimator;
use super::scene::{Scene, Sighting};
use super::signal::{SignalEvent, SignalId};
use super::suppressed::{Suppression, SuppressionReason};
use super::visit::{VisitEvent, VisitStep};
use super::visits::{ResumeState, VisitBook};
use super::watched::Watched;
use crate::clock::{MonoTime, Stamp};
use crate::config::{Camera, Condition, Rule, Site};
use crate::geometry::FrameSize;
use crate::track::{Track, TrackState, VesselId};

/// Without a look for so long, the watch was blind.
const GAP: Duration = Duration::from_secs(10);

/// What a look came to, in the order in which it must be written.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleEvent {
    /// A visit began, goes on or ended.
    Visit(VisitEvent),
    /// A signal's step.
    Signal(SignalEvent),
    /// A rule kept silent.
    Suppressed(Suppression),
}

/// The rules of one camera and what they remember of its vessels.
#[derive(Debug)]
pub struct Engine {
    camera: Camera,
    rules: Vec<Watched>,
    heirs: Heirs,
    courses: BTreeMap<VesselId, MotionEstimator>,
    visits: VisitBook,
    last_look: Option<MonoTime>,
    /// Why nothing can be judged, when nothing can.
    suspended: Option<&'static str>,
    // Kept from look to look for their memory.
    findings: Vec<Finding>,
}

impl Engine {
    /// The engine of `camera` under the rules of `site`, going on where `past` left off.
    pub fn new(site: &Site, camera: &Camera, past: &ResumeState) -> Self {
        let here: Vec<&Rule> = site.rules.iter().filter(|rule| rule.camera == camera.id).collect();
        let rules = here.iter().filter_map(|rule| Watched::new(rule, &here, site)).collect();
        let berths = camera.zones.iter().filter(|zone| zone.berth.is_some()).cloned().collect();
        Self {
            visits: VisitBook::new(camera.id.clone(), berths, past, site.visit_history()),
            camera: camera.clone(),
            rules,
            heirs: Heirs::default(),
            courses: BTreeMap::new(),
            last_look: None,
            suspended: None,
            findings: Vec::new(),
        }
    }

    /// What the rules in force at `at` watch.
    pub fn live_conditions(&self, at: Timestamp) -> impl Iterator<Item = &Condition> {
        let live = move |watched: &&Watched| watched.schedule.live(at).is_some();
        self.rules.iter().filter(live).map(|watched| &watched.rule.condition)
    }

    /// While a cause is given, the picture cannot be believed ("the camera was moved"): nothing is judged, and every rule
    /// in force says so.
    pub fn suspend(&mut self, cause: Option<&'static str>) {
        self.suspended = cause;
    }

    /// What rules in force say while nothing can be judged, in a look or where there is none to make.
    pub fn outage_events(&mut self, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        if let Some(cause) = self.suspended {
            for watched in &mut self.rules {
                watched.tell_blind(&self.camera, cause, at, &mut events);
            }
        }
        events
    }

    /// Staff have answered a signal: it is not escalated.
    pub fn acknowledge(&mut self, signal: SignalId) {
        self.rules.iter_mut().for_each(|watched| watched.acknowledge(signal));
    }

    /// Judges one look's tracks: visits first, then the rules in the order of the site file.
    ///
    /// A vessel is judged from its first detection on, though it has a number only some looks later: one that came in
    /// while it was tentative has entered. A track that was not seen (lost, or not looked at) is no
    /// observation: what was true of the vessel stays true until it is seen again or is gone.
    pub fn step(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        let after_gap = self.last_look.replace(at.mono).is_none_or(|last| at.mono.since(last) >= GAP);
        if self.suspended.is_some() {
            self.last_look = None;
            return self.outage_events(at);
        }
        let mut sightings = self.sightings(tracks, size, at);
        self.visits.step(&sightings, at);
        for sighting in &mut sightings {
            sighting.moored = self.visits.moored(sighting).cloned();
        }
        events.extend(self.visits.events().iter().cloned().map(RuleEvent::Visit));
        let scene = Scene {
            at,
            vessels: &sightings,
            visits: self.visits.visits(),
            visit_events: self.visits.events(),
            history: self.visits.history(),
            calibration: self.camera.calibration.as_ref(),
            aspect: size.width as f32 / size.height as f32,
            after_gap,
        };
        for index in 0..self.rules.len() {
            let (parts, rest) = self.rules.split_at_mut(index);
            let Some(watched) = rest.first_mut() else { break };
            let live = watched.schedule.live(at.wall);
            watched.find(parts, &scene, live.is_some(), &mut self.findings);
            for finding in self.findings.drain(..) {
                watched.conclude(&self.camera.id, &finding, &scene, live, &mut events);
            }
            if live.is_none() {
                watched.find_silent(&scene, &mut self.findings);
                for finding in self.findings.drain(..) {
                    let reason = SuppressionReason::OutsideSchedule;
                    watched.keep_silent(&self.camera.id, reason, &finding, at, live, &mut events);
                }
            }
        }
        let ended: Vec<_> = scene
            .visit_events
            .iter()
            .filter(|event| event.step == VisitStep::Ended)
            .map(|event| Subject::Visit(event.visit.id))
            .collect();
        self.end(|subject| ended.contains(subject), at, &mut events);
        for track in tracks.iter().filter(|track| track.state == TrackState::Ended) {
            self.heirs.end(track.vessel, at.mono);
        }
        for vessel in self.heirs.gone(at.mono) {
            self.forget(vessel, at, &mut events);
        }
        self.tell_silences(at, false, &mut events);
        events
    }

    /// Every vessel is gone, and every open signal closes: the watch goes off, or the picture is another.
    pub fn end_all(&mut self, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        self.end(|_| true, at, &mut events);
        self.tell_silences(at, true, &mut events);
        (self.heirs, self.courses) = Default::default();
        self.rules.iter_mut().for_each(Watched::reset);
        events
    }

    /// The tracks as the rules see them; ended ones are no more.
    fn sightings(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<Sighting> {
        let Self { camera, heirs, courses, .. } = self;
        let berths: Vec<_> = camera.zones.iter().filter(|zone| zone.berth.is_some()).collect();
        let sighting = |track: &Track| {
            let (vessel, is_new) = heirs.first_number(track);
            let bbox = size.box_to_fractions(track.bbox);
            let point = bbox.waterline();
            let seen = track.state == TrackState::Confirmed;
            let mut sighting = Sighting {
                vessel,
                number: track.vessel,
                seen,
                bbox,
                point,
                still: track.velocity.is_none(),
                confidence: track.confidence,
                in_berth: berths.iter().find(|zone| zone.area.contains(point)).map(|zone| zone.id.clone()),
                moored: None,
                motion: None,
                length_m: None,
                first: is_new.then(|| {
                    let first = at.before(at.mono.since(track.first_seen));
                    (size.box_to_fractions(track.first_bbox).waterline(), first)
                }),
            };
            if let Some(calibration) = &camera.calibration {
                let course = courses.entry(vessel).or_default();
                if seen {
                    course.observe(calibration, size.box_to_fractions(track.seen_bbox), at.mono);
                }
                sighting.motion = course.motion();
                sighting.length_m = course.length().map(|length| length.value.into());
            }
            sighting
        };
        let followed = tracks.iter().filter(|track| track.state != TrackState::Ended);
        followed.map(sighting).collect()
    }

    /// A vessel is gone for good.
    fn forget(&mut self, vessel: VesselId, at: Stamp, events: &mut Vec<RuleEvent>) {
        self.courses.remove(&vessel);
        self.visits.forget(vessel);
        self.rules.iter_mut().for_each(|watched| watched.forget(vessel));
        self.end(|subject| subject.is_about(vessel), at, events);
    }

    /// Subjects are gone: their open signals close.
    fn end(&mut self, is_gone: impl Fn(&Subject) -> bool, at: Stamp, events: &mut Vec<RuleEvent>) {
        for watched in &mut self.rules {
            watched.end(&self.camera.id, &is_gone, at, events);
        }
    }

    fn tell_silences(&mut self, at: Stamp, end: bool, events: &mut Vec<RuleEvent>) {
        for watched in &mut self.rules {
            watched.tell_silences(&self.camera.id, at, end, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Direction;
    use crate::geometry::BBox;
    use crate::ids::CameraId;
    use crate::rules::Phase;
    use crate::rules::testing::{
        at, crossing_rule, dwell_rule, entry_rule, night_rule, presence_rule, site, track,
    };

    const SIZE: FrameSize = FrameSize { width: 1000, height: 1000 };

    /// One vessel whose waterline point follows `path`, four looks a second; what was told, with its second.
    fn told(rule: Rule, path: impl Fn(f64) -> Option<(f32, f32)>, seconds: u32) -> Vec<(f64, SignalEvent)> {
        let site = site(vec![rule]);
        let mut engine = Engine::new(&site, &site.cameras[0], &ResumeState::default());
        let mut told = Vec::new();
        for tick in 0..seconds * 4 {
            let now = f64::from(tick) / 4.0;
            let tracks: Vec<_> =
                path(now).map(|(x, y)| track(7, x * 1000.0, y * 1000.0)).into_iter().collect();
            told.extend(signals(engine.step(&tracks, SIZE, at(now))).map(|event| (now, event)));
        }
        told
    }

    fn signals(events: Vec<RuleEvent>) -> impl Iterator<Item = SignalEvent> {
        events
            .into_iter()
            .filter_map(|event| if let RuleEvent::Signal(event) = event { Some(event) } else { None })
    }

    #[test]
    fn a_night_passage_says_what_where_and_how_long_after_curfew() {
        // Enters the lower half at second 10; the test's clock starts at 22:13 local.
        let told = told(night_rule("21:30", "05:30"), |t| Some((0.5, if t < 10.0 { 0.3 } else { 0.7 })), 15);
        let [(second, event)] = &told[..] else { panic!("one signal, not {told:?}") };
        assert_eq!((*second, event.phase, event.alert), (11.0, Phase::Opened, true));
        assert_eq!(event.text, "vessel 7 entered Inner basin, 00:43 after curfew");
        assert_eq!((event.facts.measured, event.facts.threshold, event.facts.unit), (1.0, 1.0, "s"));
    }

    #[test]
    fn by_day_the_night_rule_is_silent() {
        assert_eq!(told(night_rule("23:30", "05:30"), |_| Some((0.5, 0.7)), 15), []);
    }

    #[test]
    fn each_kind_of_rule_opens_once_and_closes_once() {
        // Outside, 10 s inside from second 5, outside again; the line is crossed on the way down.
        let visit = |t: f64| Some(if (5.0..15.0).contains(&t) { (0.6, 0.7) } else { (0.4, 0.3) });
        for rule in [presence_rule(), entry_rule(), dwell_rule(), crossing_rule(Direction::LeftToRight)] {
            let kind = rule.condition.kind();
            let phases: Vec<_> = told(rule, visit, 30).into_iter().map(|(_, event)| event.phase).collect();
            assert_eq!(phases, [Phase::Opened, Phase::Closed], "{kind}");
        }
    }

    #[test]
    fn a_vessel_that_came_in_before_it_had_a_number_has_entered() {
        let site = site(vec![entry_rule()]);
        let mut engine = Engine::new(&site, &site.cameras[0], &ResumeState::default());
        let outside = BBox::new(450.0, 260.0, 550.0, 300.0);
        let inside = Track { first_bbox: outside, first_seen: at(0.0).mono, ..track(7, 500.0, 700.0) };
        assert_eq!(signals(engine.step(&[inside], SIZE, at(1.0))).count(), 0);
        assert_eq!(signals(engine.step(&[inside], SIZE, at(2.0))).count(), 1);
    }

    #[test]
    fn a_vessel_out_of_sight_keeps_its_signal_until_nobody_expects_it_back() {
        let site = site(vec![presence_rule()]);
        let mut engine = Engine::new(&site, &site.cameras[0], &ResumeState::default());
        let seen = track(7, 500.0, 700.0);
        engine.step(&[seen], SIZE, at(0.0));
        assert_eq!(signals(engine.step(&[seen], SIZE, at(1.0))).count(), 1);
        for second in 2..20 {
            let unseen = if second < 8 { TrackState::NotInspected } else { TrackState::Lost };
            let lost = Track { state: unseen, ..seen };
            assert_eq!(signals(engine.step(&[lost], SIZE, at(f64::from(second)))).count(), 0);
        }
        let ended = Track { state: TrackState::Ended, ..seen };
        assert_eq!(signals(engine.step(&[ended], SIZE, at(20.0))).count(), 0, "it may be found again");
        let closed: Vec<_> =
            (21..60).flat_map(|second| engine.step(&[], SIZE, at(f64::from(second)))).collect();
        let closed: Vec<_> = signals(closed).collect();
        assert_eq!(closed.len(), 1);
        assert_eq!((closed[0].phase, closed[0].vessel), (Phase::Closed, Some(VesselId(7))));
    }

    #[test]
    fn the_same_input_gives_the_same_identities_and_other_vessels_others() {
        let run = || told(presence_rule(), |_| Some((0.5, 0.7)), 5)[0].1.signal;
        assert_eq!(run(), run());
        let camera = CameraId::new("quay-east").unwrap();
        let other =
            crate::rules::watched::identity(&camera, &presence_rule(), Subject::Vessel(VesselId(8)), at(1.0));
        assert_ne!(run(), other);
    }
}
