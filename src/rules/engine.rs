//! The step from tracks to signals.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::composed::Composed;
use super::conditions::{Finding, Given, Held, Judge, Subject};
use super::heirs::Heirs;
use super::lifecycle::{Change, Life};
use super::motion::Course;
use super::scene::{Scene, Sighting};
use super::schedule::{Live, Schedule};
use super::signal::{self, Facts, Phase, SignalEvent, SignalId};
use super::silence::{Silences, Whose};
use super::suppressed::{Reason, Suppressed};
use super::telling::{self, Told};
use super::visit::{VisitEvent, VisitStep};
use super::visits::{Past, VisitBook};
use crate::clock::{MonoTime, Stamp};
use crate::config::{Camera, Condition, Rule, Severity, Site};
use crate::geometry::{BBox, FrameSize, Norm};
use crate::names::{CameraId, PlaceId};
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
    Suppressed(Suppressed),
}

/// The rules of one camera and what they remember of its vessels.
#[derive(Debug)]
pub struct Engine {
    camera: Camera,
    rules: Vec<Watched>,
    heirs: Heirs,
    courses: BTreeMap<VesselId, Course>,
    visits: VisitBook,
    last_look: Option<MonoTime>,
    /// Why nothing can be judged, when nothing can.
    suspended: Option<&'static str>,
    // Kept from look to look for their memory.
    findings: Vec<Finding>,
}

/// A rule with what it remembers.
#[derive(Debug)]
struct Watched {
    rule: Rule,
    /// Names of the rules that it is made of.
    parts: Vec<String>,
    /// Id and name of its zone or line; a composition is where its last part is.
    place: (PlaceId, String),
    schedule: Schedule,
    judge: Judge,
    composed: Option<Composed>,
    /// The same condition while the schedule is not in force: what would have been told.
    shadow: Judge,
    was_live: bool,
    // Ordered, so that the same input gives the same events in the same order.
    lives: BTreeMap<Subject, Life>,
    silences: Silences,
}

impl Engine {
    /// The engine of `camera` under the rules of `site`, going on where `past` left off.
    pub fn new(site: &Site, camera: &Camera, past: &Past) -> Self {
        let here: Vec<&Rule> = site.rules.iter().filter(|rule| rule.camera == camera.id).collect();
        let place = |id: &_| here.iter().position(|rule| rule.id == *id);
        let watched = |rule: &&Rule| {
            let composed = Composed::new(&rule.condition, place);
            let named = |index: &usize| here[*index].name.clone();
            Some(Watched {
                schedule: Schedule::new(rule.schedule.clone(), site),
                place: place_of(&rule.condition, &here)?,
                parts: composed.iter().flat_map(|composed| composed.told().map(named)).collect(),
                composed,
                judge: Judge::new(&rule.condition),
                shadow: Judge::new(&rule.condition),
                was_live: false,
                lives: BTreeMap::new(),
                silences: Silences::default(),
                rule: (*rule).clone(),
            })
        };
        let rules: Vec<_> = here.iter().filter_map(watched).collect();
        let looks_back = rules.iter().filter_map(|watched| match watched.rule.condition {
            Condition::Repeat { within, .. } => Some(within),
            _ => None,
        });
        let history_for = looks_back.max().unwrap_or_default();
        let berths = camera.zones.iter().filter(|zone| zone.berth.is_some()).cloned().collect();
        Self {
            visits: VisitBook::new(camera.id.clone(), berths, past, history_for),
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
    pub fn in_force(&self, at: Timestamp) -> impl Iterator<Item = &Condition> {
        let live = move |watched: &&Watched| watched.schedule.live(at).is_some();
        self.rules.iter().filter(live).map(|watched| &watched.rule.condition)
    }

    /// While a cause is given, the picture cannot be believed ("the camera was moved"): nothing is judged, and every rule
    /// in force says so.
    pub fn suspend(&mut self, cause: Option<&'static str>) {
        self.suspended = cause;
    }

    /// Staff have answered a signal: it is not escalated.
    pub fn acknowledge(&mut self, signal: SignalId) {
        let lives = self.rules.iter_mut().flat_map(|watched| watched.lives.values_mut());
        lives.for_each(|life| life.acknowledge(signal));
    }

    /// Judges one look's tracks: visits first, then the rules in the order of the site file.
    ///
    /// A vessel is judged from its first detection on, though it has a number only some looks later: one that came in
    /// while it was tentative has entered. A track that was not seen (lost, or not looked at) is no
    /// observation: what was true of the vessel stays true until it is seen again or is gone.
    pub fn step(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        let after_gap = self.last_look.replace(at.mono).is_none_or(|last| at.mono.since(last) >= GAP);
        if let Some(cause) = self.suspended {
            self.last_look = None;
            for watched in &mut self.rules {
                watched.tell_blind(&self.camera, cause, at, &mut events);
            }
            return events;
        }
        let mut sightings = self.sightings(tracks, size, at);
        self.visits.step(&sightings, at);
        for sighting in &mut sightings {
            sighting.moored = self.visits.moored(sighting.number).cloned();
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
                    if !watched.would_open(finding.held, at) {
                        continue;
                    }
                    watched.keep_silent(
                        &self.camera.id,
                        Reason::OutsideSchedule,
                        &finding,
                        at,
                        live,
                        &mut events,
                    );
                }
            }
            watched.was_live = live.is_some();
        }
        let ended: Vec<_> = scene
            .visit_events
            .iter()
            .filter(|event| event.step == VisitStep::Ended)
            .map(|event| (Subject::Visit(event.visit.id), event.visit.bbox))
            .collect();
        for (subject, bbox) in ended {
            self.end(subject, bbox, at, &mut events);
        }
        for track in tracks.iter().filter(|track| track.state == TrackState::Ended) {
            self.heirs.end(track.vessel, at.mono);
        }
        for (vessel, bbox) in self.heirs.gone(at.mono) {
            self.forget(vessel, size.box_to_fractions(bbox), at, &mut events);
        }
        self.tell_silences(at, false, &mut events);
        events
    }

    /// Every vessel is gone, and every open signal closes: the watch goes off, or the picture is another.
    pub fn end_all(&mut self, at: Stamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        let subjects: Vec<_> = self.rules.iter().flat_map(|watched| watched.lives.keys().copied()).collect();
        for subject in subjects {
            self.end(subject, BBox::new(0.0, 0.0, 0.0, 0.0), at, &mut events);
        }
        self.tell_silences(at, true, &mut events);
        (self.heirs, self.courses) = Default::default();
        for watched in &mut self.rules {
            watched.judge = Judge::new(&watched.rule.condition);
            watched.shadow = Judge::new(&watched.rule.condition);
        }
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
                    let ago = at.mono.since(track.first_seen);
                    let wall = at.wall.checked_sub(ago).unwrap_or(at.wall);
                    let first = Stamp { mono: track.first_seen, wall };
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

    fn forget(&mut self, vessel: VesselId, bbox: BBox<Norm>, at: Stamp, events: &mut Vec<RuleEvent>) {
        self.courses.remove(&vessel);
        self.visits.forget(vessel);
        for watched in &mut self.rules {
            watched.judge.forget(vessel);
            watched.shadow.forget(vessel);
            if let Some(composed) = &mut watched.composed {
                composed.forget(vessel);
            }
        }
        let is_about = |subject: &Subject| match *subject {
            Subject::Vessel(about) => about == vessel,
            Subject::Pair(a, b) => a == vessel || b == vessel,
            Subject::Place | Subject::Visit(_) => false,
        };
        let subjects: Vec<_> =
            self.rules.iter().flat_map(|watched| watched.lives.keys().copied().filter(is_about)).collect();
        for subject in subjects {
            self.end(subject, bbox, at, events);
        }
    }

    /// A subject is gone: its open signals close.
    fn end(&mut self, subject: Subject, bbox: BBox<Norm>, at: Stamp, events: &mut Vec<RuleEvent>) {
        for watched in &mut self.rules {
            let Some(mut life) = watched.lives.remove(&subject) else { continue };
            let Some(change) = life.end() else { continue };
            let live = watched.schedule.live(at.wall);
            let vessel = match subject {
                Subject::Vessel(vessel) | Subject::Pair(vessel, _) => Some(vessel),
                Subject::Visit(_) | Subject::Place => None,
            };
            let finding = Finding::about(subject, vessel, bbox);
            events.extend(watched.event(&self.camera.id, change, &finding, at, live));
        }
    }

    fn tell_silences(&mut self, at: Stamp, end: bool, events: &mut Vec<RuleEvent>) {
        let mut told = Vec::new();
        for watched in &mut self.rules {
            let whose = Whose { camera: &self.camera.id, rule: &watched.rule.id };
            watched.silences.conclude(&whose, at.mono, end, &mut told);
        }
        events.extend(told.into_iter().map(RuleEvent::Suppressed));
    }
}

impl Watched {
    /// What the condition says of each subject in this look.
    fn find(&mut self, parts: &[Self], scene: &Scene<'_>, live: bool, findings: &mut Vec<Finding>) {
        if let Some(composed) = &mut self.composed {
            let open = |rule: usize, subject: &Subject| parts[rule].lives.get(subject).and_then(Life::open);
            composed.judge(scene, live, open, findings);
            return;
        }
        let given = Given { scene, live, grace: self.rule.clear };
        self.judge.judge(&self.rule.condition, &given, findings);
    }

    /// What the condition would say if the schedule, which is not in force, were. Compositions say nothing: their parts do.
    fn find_silent(&mut self, scene: &Scene<'_>, findings: &mut Vec<Finding>) {
        if self.was_live {
            self.shadow = Judge::new(&self.rule.condition);
        }
        let given = Given { scene, live: true, grace: self.rule.clear };
        self.shadow.judge(&self.rule.condition, &given, findings);
    }

    /// From a finding to what becomes of the signal, and to the reason where nothing does.
    fn conclude(
        &mut self,
        camera: &CameraId,
        finding: &Finding,
        scene: &Scene<'_>,
        live: Option<Live>,
        events: &mut Vec<RuleEvent>,
    ) {
        let at = scene.at;
        let exempts = || finding.silent.or_else(|| self.exempts(finding, scene));
        let reason = if finding.held == Held::No { None } else { exempts() };
        let held = if reason.is_some() { Held::No } else { finding.held };
        if let Some(reason) = reason
            && self.would_open(finding.held, at)
        {
            self.keep_silent(camera, reason, finding, at, live, events);
        }
        if held == Held::No && !self.lives.contains_key(&finding.subject) {
            return;
        }
        let life = self.lives.entry(finding.subject).or_default();
        let rule = &self.rule;
        let name = || identity(camera, rule, finding.subject, at);
        match life.step(rule, held, at, name) {
            Some(Change::NotConfirmed) if reason.is_none() => {
                self.keep_silent(camera, Reason::NotConfirmed, finding, at, live, events);
            }
            Some(Change::NotConfirmed) | None => {}
            Some(change) => {
                if matches!(change, Change::Opened(open) if !open.alert) && self.rule.raises {
                    self.keep_silent(camera, Reason::Cooldown, finding, at, live, events);
                }
                events.extend(self.event(camera, change, finding, at, live));
            }
        }
    }

    /// Whether a condition that holds so would be told by now.
    fn would_open(&self, held: Held, at: Stamp) -> bool {
        match held {
            Held::No => false,
            Held::Now => true,
            Held::Since { since, .. } => at.mono.since(since.mono) >= self.rule.confirm,
        }
    }

    /// Why the rule does not mean this subject, if it does not.
    fn exempts(&self, finding: &Finding, scene: &Scene<'_>) -> Option<Reason> {
        let rule = &self.rule;
        let number = finding.vessel?;
        let vessel = scene.vessels.iter().find(|vessel| vessel.number == number);
        if vessel.is_some_and(|vessel| vessel.confidence < rule.min_confidence) {
            return Some(Reason::NotSure);
        }
        if let Some([least, most]) = rule.length_m {
            let visit = scene.visits.iter().find(|visit| visit.vessel == number);
            let length = vessel.and_then(|v| v.length_m).or_else(|| visit.and_then(|visit| visit.length_m));
            // Of unknown length: a rule for some sizes does not mean it.
            if !length.is_some_and(|length| (least..=most).contains(&length)) {
                return Some(Reason::Size);
            }
        }
        // A full marina raises nothing by itself; at their own berth rules mean those who lie there.
        let place = rule.condition.place()?.0;
        let moored = vessel?.moored.as_ref().filter(|&berth| berth != place);
        moored.map(|_| Reason::AtBerth)
    }

    fn keep_silent(
        &mut self,
        camera: &CameraId,
        reason: Reason,
        finding: &Finding,
        at: Stamp,
        live: Option<Live>,
        events: &mut Vec<RuleEvent>,
    ) {
        if !self.rule.raises {
            return;
        }
        let Self { silences, rule, parts, schedule, .. } = self;
        let whose = Whose { camera, rule: &rule.id };
        let say = || {
            let told = told(rule, parts, finding, at, live);
            let text = telling::step(Phase::Opened, &told);
            (facts(rule, finding, schedule), format!("{text}; not told: {}", reason.as_str()))
        };
        let said = silences.note(&whose, (finding.subject, reason), finding.vessel, at, say);
        events.extend(said.map(RuleEvent::Suppressed));
    }

    /// The camera is blind: rules in force say so.
    fn tell_blind(&mut self, camera: &Camera, cause: &str, at: Stamp, events: &mut Vec<RuleEvent>) {
        if self.schedule.live(at.wall).is_none() || !self.rule.raises {
            return;
        }
        let bbox = BBox::new(0.0, 0.0, 1.0, 1.0);
        let finding = Finding::about(Subject::Place, None, bbox);
        let Self { silences, rule, schedule, .. } = self;
        let say = || {
            let text = format!("{} cannot be judged at {}: {cause}", rule.name, camera.name);
            (facts(rule, &finding, schedule), text)
        };
        let whose = Whose { camera: &camera.id, rule: &rule.id };
        let said = silences.note(&whose, (Subject::Place, Reason::CameraBlind), None, at, say);
        events.extend(said.map(RuleEvent::Suppressed));
    }

    fn event(
        &self,
        camera: &CameraId,
        change: Change,
        finding: &Finding,
        at: Stamp,
        live: Option<Live>,
    ) -> Option<RuleEvent> {
        let (phase, open) = match change {
            Change::Opened(open) => (Phase::Opened, open),
            Change::Updated(open) => (Phase::Updated, open),
            Change::Escalated(open) => (Phase::Escalated, open),
            Change::Closed(open) => (Phase::Closed, open),
            Change::NotConfirmed => return None,
        };
        let rule = &self.rule;
        if !rule.raises {
            return None;
        }
        let mut told = told(rule, &self.parts, finding, at, live);
        told.entered = open.entered;
        // To the millisecond: frames are no nearer in time than that.
        told.held_s = at.mono.since(open.since.mono).as_millis() as f64 / 1000.0;
        Some(RuleEvent::Signal(SignalEvent {
            signal: open.signal,
            phase,
            at,
            since: open.since,
            camera: camera.clone(),
            rule: rule.id.clone(),
            rule_name: rule.name.clone(),
            kind: rule.condition.kind(),
            place: self.place.0.clone(),
            place_name: self.place.1.clone(),
            severity: if phase == Phase::Escalated { Severity::Alert } else { rule.severity },
            vessel: finding.vessel,
            bbox: finding.bbox,
            text: telling::step(phase, &told),
            facts: facts(rule, finding, &self.schedule),
            alert: open.alert && phase != Phase::Updated,
        }))
    }
}

fn place_of(condition: &Condition, rules: &[&Rule]) -> Option<(PlaceId, String)> {
    let last = match condition {
        Condition::All { of, .. } => of.last()?,
        Condition::Then { second, .. } => second,
        _ => return condition.place().map(|(id, name)| (id.clone(), name.to_owned())),
    };
    place_of(&rules.iter().find(|rule| rule.id == *last)?.condition, rules)
}

fn told<'a>(
    rule: &'a Rule,
    parts: &'a [String],
    finding: &'a Finding,
    at: Stamp,
    live: Option<Live>,
) -> Told<'a> {
    let (entered, held_s) = match finding.held {
        Held::Since { since, entered } => (entered, at.mono.since(since.mono).as_secs_f64()),
        Held::No | Held::Now => (false, 0.0),
    };
    let other = if let Subject::Pair(_, other) = finding.subject { Some(other) } else { None };
    Told { rule, parts, finding, other, entered, held_s, at, live }
}

fn facts(rule: &Rule, finding: &Finding, schedule: &Schedule) -> Facts {
    // Presence and entry are held against the time for which they must be confirmed.
    let threshold = match rule.condition {
        Condition::Presence { .. } | Condition::Entry { .. } => rule.confirm.as_secs_f64(),
        _ => finding.threshold,
    };
    Facts {
        condition: telling::condition(rule),
        measured: finding.measured,
        threshold,
        margin: finding.margin,
        unit: rule.condition.unit(),
        schedule: schedule.words().to_owned(),
    }
}

/// The same recording and site file give the same identities.
fn identity(camera: &CameraId, rule: &Rule, subject: Subject, at: Stamp) -> SignalId {
    let about = format!("{camera}\n{}\n{subject:?}\n{}", rule.id, at.wall.as_nanosecond());
    SignalId(signal::named(&about, at.wall))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Direction;
    use crate::rules::testing::{
        at, crossing_rule, dwell_rule, entry_rule, night_rule, presence_rule, site, track,
    };

    const SIZE: FrameSize = FrameSize { width: 1000, height: 1000 };

    /// One vessel whose waterline point follows `path`, four looks a second; what was told, with its second.
    fn told(rule: Rule, path: impl Fn(f64) -> Option<(f32, f32)>, seconds: u32) -> Vec<(f64, SignalEvent)> {
        let site = site(vec![rule]);
        let mut engine = Engine::new(&site, &site.cameras[0], &Past::default());
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
        let mut engine = Engine::new(&site, &site.cameras[0], &Past::default());
        let outside = BBox::new(450.0, 260.0, 550.0, 300.0);
        let inside = Track { first_bbox: outside, first_seen: at(0.0).mono, ..track(7, 500.0, 700.0) };
        assert_eq!(signals(engine.step(&[inside], SIZE, at(1.0))).count(), 0);
        assert_eq!(signals(engine.step(&[inside], SIZE, at(2.0))).count(), 1);
    }

    #[test]
    fn a_vessel_out_of_sight_keeps_its_signal_until_nobody_expects_it_back() {
        let site = site(vec![presence_rule()]);
        let mut engine = Engine::new(&site, &site.cameras[0], &Past::default());
        let seen = track(7, 500.0, 700.0);
        engine.step(&[seen], SIZE, at(0.0));
        assert_eq!(signals(engine.step(&[seen], SIZE, at(1.0))).count(), 1);
        for second in 2..20 {
            let unseen = if second < 8 { TrackState::Unwatched } else { TrackState::Lost };
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
        let other = identity(&camera, &presence_rule(), Subject::Vessel(VesselId(8)), at(1.0));
        assert_ne!(run(), other);
    }
}
