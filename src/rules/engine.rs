//! The step from tracks to signals.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::lifecycle::{Change, Life};
use super::schedule::{Live, Schedule};
use super::signal::{Facts, Phase, SignalEvent, SignalId};
use super::subject::Memory;
use crate::clock::Stamp;
use crate::config::{Condition, Rule, Site};
use crate::geometry::{BBox, FrameSize, Norm};
use crate::names::CameraId;
use crate::track::{Track, TrackState, VesselId};

/// The rules of one camera and what they remember of its vessels.
#[derive(Debug)]
pub struct Engine {
    camera: CameraId,
    rules: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    rule: Rule,
    schedule: Schedule,
    // Ordered, so that the same input gives the same events in the same order.
    subjects: BTreeMap<VesselId, Subject>,
}

#[derive(Debug, Default)]
struct Subject {
    memory: Memory,
    life: Life,
}

impl Engine {
    /// The engine of `camera` under the rules of `site`.
    pub fn new(site: &Site, camera: &CameraId) -> Self {
        let rules = site
            .rules
            .iter()
            .filter(|rule| rule.camera == *camera)
            .map(|rule| Watched {
                schedule: Schedule::new(rule.schedule.clone(), site),
                rule: rule.clone(),
                subjects: BTreeMap::new(),
            })
            .collect();
        Self { camera: camera.clone(), rules }
    }

    /// What the rules in force at `at` watch.
    pub fn in_force(&self, at: Timestamp) -> impl Iterator<Item = &Condition> {
        let live = move |watched: &&Watched| watched.schedule.live(at).is_some();
        self.rules.iter().filter(live).map(|watched| &watched.rule.condition)
    }

    /// Judges one look's tracks: what it changes in the life of signals, rules in the order of the site file.
    ///
    /// A vessel is judged from its first detection on, though it has a number only some looks later: one that came in
    /// while it was tentative has entered. A track that was not seen (lost, or not looked at) is no
    /// observation: what was true of the vessel stays true until it is seen again or ends.
    pub fn step(&mut self, tracks: &[Track], size: FrameSize, at: Stamp) -> Vec<SignalEvent> {
        let mut events = Vec::new();
        for watched in &mut self.rules {
            let live = watched.schedule.live(at.wall);
            for track in tracks {
                let bbox = size.box_to_fractions(track.bbox);
                let change = match track.state {
                    TrackState::Confirmed => watched.judge(&self.camera, track, size, at, live),
                    TrackState::Ended => watched.forget(track.vessel),
                    TrackState::Unwatched | TrackState::Lost | TrackState::Tentative => None,
                };
                if let Some(change) = change {
                    events.push(watched.event(&self.camera, change, track.vessel, bbox, at, live));
                }
            }
        }
        events
    }
}

impl Watched {
    fn judge(
        &mut self,
        camera: &CameraId,
        track: &Track,
        size: FrameSize,
        at: Stamp,
        live: Option<Live>,
    ) -> Option<Change> {
        let Self { rule, subjects, .. } = self;
        let vessel = track.vessel;
        let place = |bbox| size.box_to_fractions(bbox).waterline();
        let subject = subjects.entry(vessel).or_insert_with(|| {
            let mut subject = Subject::default();
            let ago = at.mono.since(track.first_seen);
            let first = Stamp { mono: track.first_seen, wall: at.wall.checked_sub(ago).unwrap_or(at.wall) };
            subject.memory.observe(rule, place(track.first_bbox), first, live.is_some());
            subject
        });
        let verdict = subject.memory.observe(rule, place(track.bbox), at, live.is_some());
        subject.life.step(rule, verdict, at, || identity(camera, rule, vessel, at))
    }

    fn forget(&mut self, vessel: VesselId) -> Option<Change> {
        self.subjects.remove(&vessel)?.life.end()
    }

    fn event(
        &self,
        camera: &CameraId,
        change: Change,
        vessel: VesselId,
        bbox: BBox<Norm>,
        at: Stamp,
        live: Option<Live>,
    ) -> SignalEvent {
        let (phase, open) = match change {
            Change::Opened(open) => (Phase::Opened, open),
            Change::Updated(open) => (Phase::Updated, open),
            Change::Closed(open) => (Phase::Closed, open),
        };
        let rule = &self.rule;
        // To the millisecond: frames are no nearer in time than that.
        let held_s = at.mono.since(open.since.mono).as_millis() as f64 / 1000.0;
        let (measured, threshold, unit) = match &rule.condition {
            Condition::Presence { .. } | Condition::Entry { .. } => (held_s, rule.confirm.as_secs_f64(), "s"),
            Condition::Dwell { longer_than, .. } => (held_s, longer_than.as_secs_f64(), "s"),
            Condition::Crossing { .. } => (1.0, 1.0, "crossings"),
        };
        let (place, place_name) = rule.condition.place();
        SignalEvent {
            signal: open.signal,
            phase,
            at,
            since: open.since,
            camera: camera.clone(),
            rule: rule.id.clone(),
            rule_name: rule.name.clone(),
            kind: rule.condition.kind(),
            place: place.clone(),
            place_name: place_name.to_owned(),
            severity: rule.severity,
            vessel: Some(vessel),
            bbox,
            facts: Facts {
                condition: String::new(),
                measured,
                threshold,
                margin: 0.0,
                unit,
                schedule: String::new(),
            },
            text: words(&rule.condition, phase, vessel, open.entered, held_s, at, live),
            alert: open.alert && phase != Phase::Updated,
        }
    }
}

/// What a person reads.
fn words(
    condition: &Condition,
    phase: Phase,
    vessel: VesselId,
    entered: bool,
    held_s: f64,
    at: Stamp,
    live: Option<Live>,
) -> String {
    let place = condition.place().1;
    let curfew = match live {
        Some(Live::Since(since)) => {
            format!(", {} after curfew", hours_minutes(at.wall.duration_since(since)))
        }
        _ => String::new(),
    };
    let stay = minutes_seconds(held_s);
    match (phase, condition) {
        (Phase::Closed, Condition::Crossing { .. }) => format!("vessel {vessel} is across {place}"),
        (Phase::Closed, _) => format!("vessel {vessel} no longer in {place}, after {stay}"),
        (_, Condition::Crossing { .. }) => format!("vessel {vessel} crossed {place}{curfew}"),
        (_, Condition::Dwell { .. }) => format!("vessel {vessel} has been in {place} for {stay}"),
        (Phase::Opened, _) if entered => format!("vessel {vessel} entered {place}{curfew}"),
        _ => format!("vessel {vessel} is in {place}{curfew}"),
    }
}

fn hours_minutes(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn minutes_seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

/// A UUID version 7 whose random part is a digest of what the signal is about: the same recording and site file give
/// the same identities.
fn identity(camera: &CameraId, rule: &Rule, vessel: VesselId, at: Stamp) -> SignalId {
    let about = format!("{camera}\n{}\n{vessel}\n{}", rule.id, at.wall.as_nanosecond());
    let digest = Sha256::digest(about.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let milliseconds = u64::try_from(at.wall.as_millisecond()).unwrap_or(0);
    SignalId(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
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
        let mut engine = Engine::new(&site, &site.rules[0].camera);
        let mut told = Vec::new();
        for tick in 0..seconds * 4 {
            let now = f64::from(tick) / 4.0;
            let tracks: Vec<_> =
                path(now).map(|(x, y)| track(7, x * 1000.0, y * 1000.0)).into_iter().collect();
            told.extend(engine.step(&tracks, SIZE, at(now)).into_iter().map(|event| (now, event)));
        }
        told
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
        let mut engine = Engine::new(&site, &site.rules[0].camera);
        let outside = BBox::new(450.0, 260.0, 550.0, 300.0);
        let inside = Track { first_bbox: outside, first_seen: at(0.0).mono, ..track(7, 500.0, 700.0) };
        assert_eq!(engine.step(&[inside], SIZE, at(1.0)), []);
        assert_eq!(engine.step(&[inside], SIZE, at(2.0)).len(), 1);
    }

    #[test]
    fn a_vessel_out_of_sight_keeps_its_signal_until_its_track_ends() {
        let site = site(vec![presence_rule()]);
        let mut engine = Engine::new(&site, &site.rules[0].camera);
        let seen = track(7, 500.0, 700.0);
        engine.step(&[seen], SIZE, at(0.0));
        assert_eq!(engine.step(&[seen], SIZE, at(1.0)).len(), 1);
        for second in 2..20 {
            let unseen = if second < 8 { TrackState::Unwatched } else { TrackState::Lost };
            let lost = Track { state: unseen, ..seen };
            assert_eq!(engine.step(&[lost], SIZE, at(f64::from(second))), []);
        }
        let ended = engine.step(&[Track { state: TrackState::Ended, ..seen }], SIZE, at(20.0));
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].phase, Phase::Closed);
    }

    #[test]
    fn the_same_input_gives_the_same_identities_and_other_vessels_others() {
        let run = || told(presence_rule(), |_| Some((0.5, 0.7)), 5)[0].1.signal;
        assert_eq!(run(), run());
        let other = identity(&CameraId::new("quay-east").unwrap(), &presence_rule(), VesselId(8), at(1.0));
        assert_ne!(run(), other);
    }
}
