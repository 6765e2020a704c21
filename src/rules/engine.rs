//! The step from tracks to events.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::evaluation::Subject;
use super::event::RuleEvent;
use super::kinds::Condition;
use super::motion::MotionEstimator;
use super::observation::{Observation, ObservedVessel};
use super::place::Zone;
use super::rule::Rule;
use super::rule_state::RuleState;
use super::schedule::Calendar;
use super::signal::SignalId;
use super::track_links::TrackLinks;
use super::visit::VisitStep;
use super::visits::{BerthVisits, ResumeState};
use crate::clock::{MonoTime, Stamp};
use crate::geometry::{Calibration, FrameSize};
use crate::ids::CameraId;
use crate::track::{Track, TrackState, VesselId};

/// After so long without a detection pass, what happened in between is unknown.
const GAP: Duration = Duration::from_secs(10);

/// A camera as its rules need it.
#[derive(Clone, Debug)]
pub struct CameraRules {
    /// Which camera.
    pub camera: CameraId,
    /// What staff call it.
    pub camera_name: String,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Where on the ground it sees what, if it was surveyed.
    pub calibration: Option<Calibration>,
    /// Its rules, in the order of the site file.
    pub rules: Vec<Rule>,
    /// By what schedules are read.
    pub calendar: Calendar,
}

/// The rules of one camera and what they keep from pass to pass.
#[derive(Debug)]
pub struct Engine {
    camera_name: String,
    berths: Vec<Zone>,
    calibration: Option<Calibration>,
    rules: Vec<RuleState>,
    links: TrackLinks,
    motions: BTreeMap<VesselId, MotionEstimator>,
    visits: BerthVisits,
    last_pass: Option<MonoTime>,
    /// Why no rule is evaluated, when none is.
    suspended: Option<&'static str>,
}

impl Engine {
    /// The engine of a camera, which continues where `resume` ended.
    pub fn new(camera: CameraRules, resume: &ResumeState) -> Self {
        let CameraRules { camera, camera_name, zones, calibration, rules, calendar } = camera;
        let berths: Vec<_> = zones.into_iter().filter(|zone| zone.berth.is_some()).collect();
        let history = rules.iter().map(|rule| rule.condition.history()).max().unwrap_or_default();
        Self {
            visits: BerthVisits::new(camera, berths.clone(), resume, history),
            camera_name,
            berths,
            calibration,
            rules: rules.iter().filter_map(|rule| RuleState::new(rule, &rules, &calendar)).collect(),
            links: TrackLinks::default(),
            motions: BTreeMap::new(),
            last_pass: None,
            suspended: None,
        }
    }

    /// The conditions of the rules that are live at `at`.
    pub fn live_conditions(&self, at: Timestamp) -> impl Iterator<Item = &Condition> {
        let live = self.rules.iter().filter(move |state| state.is_live(at));
        live.map(|state| &state.rule().condition)
    }

    /// While a cause is given ("the camera was moved"), no rule is evaluated, and every rule that is live reports so.
    pub fn suspend(&mut self, cause: Option<&'static str>) {
        self.suspended = cause;
    }

    /// What the rules report while they are suspended, with or without a detection pass.
    pub fn outage_events(&mut self, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        if let Some(cause) = self.suspended {
            for state in &mut self.rules {
                state.suppress_for_outage(&self.camera_name, cause, at, &mut events);
            }
        }
        events
    }

    /// Staff have acknowledged a signal: it is not escalated.
    pub fn acknowledge(&mut self, signal: SignalId) {
        self.rules.iter_mut().for_each(|state| state.acknowledge(signal));
    }

    /// Evaluates the tracks of one detection pass: visits first, then the rules in the order of the site file.
    ///
    /// A vessel counts from its first detection on, although its track is confirmed some passes later: a vessel that came
    /// in meanwhile has entered. A track that was not seen (lost, or not in an inspected region) is not an observation:
    /// what was true of the vessel stays true until it is seen again or is gone.
    pub fn step(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        let after_gap = self.last_pass.replace(at.mono).is_none_or(|last| at.mono.since(last) >= GAP);
        if self.suspended.is_some() {
            self.last_pass = None;
            return self.outage_events(at);
        }
        let mut vessels = self.observe(tracks, size, at);
        self.visits.step(&vessels, at);
        for vessel in &mut vessels {
            vessel.moored = self.visits.moored(vessel).cloned();
        }
        events.extend(self.visits.events().iter().cloned().map(RuleEvent::Visit));
        let observation = Observation {
            at,
            vessels: &vessels,
            visits: self.visits.visits(),
            visit_events: self.visits.events(),
            history: self.visits.history(),
            calibration: self.calibration.as_ref(),
            aspect: size.width as f32 / size.height as f32,
            after_gap,
        };
        for index in 0..self.rules.len() {
            let (above, rest) = self.rules.split_at_mut(index);
            let Some(state) = rest.first_mut() else { break };
            state.step(above, &observation, &mut events);
        }
        let ended: Vec<_> = observation
            .visit_events
            .iter()
            .filter(|event| event.step == VisitStep::Ended)
            .map(|event| Subject::Visit(event.visit.id))
            .collect();
        self.end(|subject| ended.contains(subject), at, &mut events);
        for track in tracks.iter().filter(|track| track.state == TrackState::Ended) {
            self.links.end(track.vessel, at.mono);
        }
        for vessel in self.links.remove_gone(at.mono) {
            self.forget(vessel, at, &mut events);
        }
        self.report_suppressions(at, false, &mut events);
        events
    }

    /// Every vessel is gone and every open signal closes, because the daemon stops or the picture is another.
    pub fn end_all(&mut self, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        self.end(|_| true, at, &mut events);
        self.report_suppressions(at, true, &mut events);
        (self.links, self.motions) = Default::default();
        self.rules.iter_mut().for_each(RuleState::reset);
        events
    }

    /// The vessels of the tracks, as the rules see them; without tracks that have ended.
    fn observe(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<ObservedVessel> {
        let present = tracks.iter().filter(|track| track.state != TrackState::Ended);
        present.map(|track| self.observe_track(track, size, at)).collect()
    }

    fn observe_track(&mut self, track: &Track, size: FrameSize, at: Stamp) -> ObservedVessel {
        let (vessel, is_new) = self.links.first_number(track);
        let bbox = size.box_to_fractions(track.bbox);
        let point = bbox.waterline();
        let seen = track.state == TrackState::Confirmed;
        let mut observed = ObservedVessel {
            vessel,
            number: track.vessel,
            seen,
            bbox,
            point,
            still: track.velocity.is_none(),
            confidence: track.confidence,
            in_berth: self.berths.iter().find(|zone| zone.area.contains(point)).map(|zone| zone.id.clone()),
            moored: None,
            motion: None,
            length_m: None,
            first: is_new.then(|| {
                let first = at.before(at.mono.since(track.first_seen));
                (size.box_to_fractions(track.first_bbox).waterline(), first)
            }),
        };
        if let Some(calibration) = &self.calibration {
            let motion = self.motions.entry(vessel).or_default();
            if seen {
                motion.observe(calibration, size.box_to_fractions(track.seen_bbox), at.mono);
            }
            observed.motion = motion.motion();
            observed.length_m = motion.length().map(|length| length.value.into());
        }
        observed
    }

    /// A vessel is gone for good.
    fn forget(&mut self, vessel: VesselId, at: Stamp, events: &mut Vec<RuleEvent>) {
        self.motions.remove(&vessel);
        self.visits.forget(vessel);
        self.rules.iter_mut().for_each(|state| state.forget(vessel));
        self.end(|subject| subject.is_about(vessel), at, events);
    }

    /// Subjects are gone: their open signals close.
    fn end(&mut self, is_gone: impl Fn(&Subject) -> bool, at: Stamp, events: &mut Vec<RuleEvent>) {
        for state in &mut self.rules {
            state.end(&is_gone, at, events);
        }
    }

    fn report_suppressions(&mut self, at: Stamp, end: bool, events: &mut Vec<RuleEvent>) {
        for state in &mut self.rules {
            state.report_suppressions(at, end, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BBox;
    use crate::rules::kinds::CrossingDirection;
    use crate::rules::signal::{Phase, SignalEvent};
    use crate::rules::testing::{
        at, camera_rules, crossing_rule, dwell_rule, entry_rule, night_rule, presence_rule, track,
    };

    const SIZE: FrameSize = FrameSize { width: 1000, height: 1000 };

    /// The engine of a camera with one rule.
    fn engine(rule: Rule) -> Engine {
        Engine::new(camera_rules(vec![rule]), &ResumeState::default())
    }

    /// One vessel whose waterline point follows `path`, four passes a second: the signals, with their seconds.
    fn raised(rule: Rule, path: impl Fn(f64) -> Option<(f32, f32)>, seconds: u32) -> Vec<(f64, SignalEvent)> {
        let mut engine = engine(rule);
        let mut raised = Vec::new();
        for tick in 0..seconds * 4 {
            let now = f64::from(tick) / 4.0;
            let tracks: Vec<_> =
                path(now).map(|(x, y)| track(7, x * 1000.0, y * 1000.0)).into_iter().collect();
            raised.extend(signals(engine.step(&tracks, SIZE, at(now))).map(|event| (now, event)));
        }
        raised
    }

    fn signals(events: Vec<RuleEvent>) -> impl Iterator<Item = SignalEvent> {
        events
            .into_iter()
            .filter_map(|event| if let RuleEvent::Signal(event) = event { Some(event) } else { None })
    }

    #[test]
    fn a_signal_has_text_and_facts() {
        // Enters the lower half at second 10; the test's clock starts at 22:13 local.
        let path = |t| Some((0.5, if t < 10.0 { 0.3 } else { 0.7 }));
        let raised = raised(night_rule("21:30", "05:30"), path, 15);
        let [(second, event)] = &raised[..] else { panic!("one signal, not {raised:?}") };
        assert_eq!((*second, event.phase, event.alert), (11.0, Phase::Opened, true));
        assert_eq!(event.text, "vessel 7 entered Inner basin, 00:43 after the schedule began");
        assert_eq!((event.facts.measured, event.facts.threshold, event.facts.unit), (1.0, 1.0, "s"));
    }

    #[test]
    fn outside_the_schedule_nothing_is_raised() {
        assert_eq!(raised(night_rule("23:30", "05:30"), |_| Some((0.5, 0.7)), 15), []);
    }

    #[test]
    fn opens_once_and_closes_once() {
        // Outside, from second 5 inside for 10 s, outside again; it crosses the line on the way down.
        let visit = |t: f64| Some(if (5.0..15.0).contains(&t) { (0.6, 0.7) } else { (0.4, 0.3) });
        for rule in
            [presence_rule(), entry_rule(), dwell_rule(), crossing_rule(CrossingDirection::LeftToRight)]
        {
            let kind = rule.condition.info().word;
            let phases: Vec<_> = raised(rule, visit, 30).into_iter().map(|(_, event)| event.phase).collect();
            assert_eq!(phases, [Phase::Opened, Phase::Closed], "{kind}");
        }
    }

    #[test]
    fn a_tentative_track_counts_as_outside() {
        let mut engine = engine(entry_rule());
        let outside = BBox::new(450.0, 260.0, 550.0, 300.0);
        let inside = Track { first_bbox: outside, first_seen: at(0.0).mono, ..track(7, 500.0, 700.0) };
        assert_eq!(signals(engine.step(&[inside], SIZE, at(1.0))).count(), 0);
        assert_eq!(signals(engine.step(&[inside], SIZE, at(2.0))).count(), 1);
    }

    #[test]
    fn a_hidden_vessel_keeps_its_signal_open() {
        let mut engine = engine(presence_rule());
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
    fn the_same_input_gives_the_same_identities() {
        let run = |rule| raised(rule, |_| Some((0.5, 0.7)), 5)[0].1.signal;
        assert_eq!(run(presence_rule()), run(presence_rule()));
        let id = crate::ids::RuleId::new("another").unwrap();
        assert_ne!(run(presence_rule()), run(Rule { id, ..presence_rule() }));
    }
}
