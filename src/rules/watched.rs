//! One rule of a camera: from what its condition says of each subject to signals, and to the reason where nothing is told.

use std::collections::BTreeMap;

use super::composed::Composed;
use super::conditions::{Finding, Given, Held, Judge, Subject};
use super::engine::RuleEvent;
use super::lifecycle::{Change, Life};
use super::scene::Scene;
use super::schedule::{Live, Schedule};
use super::signal::{self, Facts, Phase, SignalEvent, SignalId};
use super::silence::{Silences, Whose};
use super::suppressed::SuppressionReason;
use super::telling::{self, Told};
use crate::clock::Stamp;
use crate::config::{Camera, Condition, Rule, Severity, Site};
use crate::geometry::BBox;
use crate::ids::{CameraId, PlaceId, RuleId};
use crate::track::VesselId;

/// A rule with what it remembers.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) rule: Rule,
    /// Names of the rules that it is made of.
    parts: Vec<String>,
    /// Id and name of its zone or line; a composition is where its last part is.
    place: (PlaceId, String),
    pub(super) schedule: Schedule,
    judge: Judge,
    composed: Option<Composed>,
    /// The same condition while the schedule is not in force: what would have been told.
    shadow: Judge,
    // Ordered, so that the same input gives the same events in the same order.
    lives: BTreeMap<Subject, Kept>,
    silences: Silences,
}

/// A subject's signal, and the last finding by which it held.
#[derive(Debug)]
struct Kept {
    life: Life,
    held: Finding,
}

impl Watched {
    /// `rule` among the rules of its camera at `site`; `None` for a composition of nothing.
    pub(super) fn new(rule: &Rule, rules: &[&Rule], site: &Site) -> Option<Self> {
        let place = |id: &RuleId| rules.iter().position(|rule| rule.id == *id);
        let composed = Composed::new(&rule.condition, place);
        let named = |index: &usize| rules[*index].name.clone();
        Some(Self {
            schedule: Schedule::new(rule.schedule.clone(), site),
            place: place_of(&rule.condition, rules)?,
            parts: composed.iter().flat_map(|composed| composed.told().map(named)).collect(),
            composed,
            judge: Judge::new(&rule.condition),
            shadow: Judge::new(&rule.condition),
            lives: BTreeMap::new(),
            silences: Silences::default(),
            rule: rule.clone(),
        })
    }

    /// What the condition says of each subject in this look.
    pub(super) fn find(
        &mut self,
        parts: &[Self],
        scene: &Scene<'_>,
        live: bool,
        findings: &mut Vec<Finding>,
    ) {
        if let Some(composed) = &mut self.composed {
            let open = |rule: usize, subject: &Subject| {
                parts[rule].lives.get(subject).and_then(|kept| kept.life.open())
            };
            composed.judge(scene, live, open, findings);
            return;
        }
        if live {
            self.shadow = Judge::new(&self.rule.condition);
        }
        let given = Given { scene, live, grace: self.rule.clear };
        self.judge.judge(&self.rule.condition, &given, findings);
    }

    /// What would be told now if the schedule, which is not in force, were. Compositions say nothing: their parts do.
    pub(super) fn find_silent(&mut self, scene: &Scene<'_>, findings: &mut Vec<Finding>) {
        let given = Given { scene, live: true, grace: self.rule.clear };
        self.shadow.judge(&self.rule.condition, &given, findings);
        findings.retain(|finding| self.would_open(finding.held, scene.at));
    }

    /// From a finding to what becomes of the signal, and to the reason where nothing does.
    pub(super) fn conclude(
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
        let new = Kept { life: Life::default(), held: *finding };
        let kept = self.lives.entry(finding.subject).or_insert(new);
        if held != Held::No {
            kept.held = *finding;
        }
        // At the close nothing holds: the reason is what was measured while it did.
        let last = Finding { vessel: finding.vessel, bbox: finding.bbox, ..kept.held };
        let rule = &self.rule;
        let name = || identity(camera, rule, finding.subject, at);
        match kept.life.step(rule, held, at, name) {
            Some(Change::NotConfirmed) if reason.is_none() => {
                self.keep_silent(camera, SuppressionReason::NotConfirmed, &last, at, live, events);
            }
            Some(Change::NotConfirmed) | None => {}
            Some(change) => {
                if matches!(change, Change::Opened(open) if !open.alert) {
                    self.keep_silent(camera, SuppressionReason::Cooldown, finding, at, live, events);
                }
                events.extend(self.event(camera, change, &last, at, live));
            }
        }
    }

    /// Subjects are gone: their open signals close.
    pub(super) fn end(
        &mut self,
        camera: &CameraId,
        is_gone: impl Fn(&Subject) -> bool,
        at: Stamp,
        events: &mut Vec<RuleEvent>,
    ) {
        let live = self.schedule.live(at.wall);
        let gone = self.lives.extract_if(.., |subject, _| is_gone(subject)).collect::<Vec<_>>();
        for (_, mut kept) in gone {
            if let Some(change) = kept.life.end() {
                events.extend(self.event(camera, change, &kept.held, at, live));
            }
        }
    }

    /// A vessel is gone for good.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        self.judge.forget(vessel);
        self.shadow.forget(vessel);
        if let Some(composed) = &mut self.composed {
            composed.forget(vessel);
        }
    }

    /// Every vessel is gone.
    pub(super) fn reset(&mut self) {
        self.judge = Judge::new(&self.rule.condition);
        self.shadow = Judge::new(&self.rule.condition);
        if let Some(composed) = &mut self.composed {
            composed.reset();
        }
    }

    pub(super) fn acknowledge(&mut self, signal: SignalId) {
        self.lives.values_mut().for_each(|kept| kept.life.acknowledge(signal));
    }

    /// Tells what was kept silent about and is over; all of it at the `end`.
    pub(super) fn tell_silences(
        &mut self,
        camera: &CameraId,
        at: Stamp,
        end: bool,
        events: &mut Vec<RuleEvent>,
    ) {
        let whose = Whose { camera, rule: &self.rule.id };
        let mut told = Vec::new();
        self.silences.conclude(&whose, at.mono, end, &mut told);
        events.extend(told.into_iter().map(RuleEvent::Suppressed));
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
    fn exempts(&self, finding: &Finding, scene: &Scene<'_>) -> Option<SuppressionReason> {
        let rule = &self.rule;
        let number = finding.vessel?;
        let vessel = scene.vessels.iter().find(|vessel| vessel.number == number);
        if vessel.is_some_and(|vessel| vessel.confidence < rule.min_confidence) {
            return Some(SuppressionReason::LowConfidence);
        }
        if let Some([least, most]) = rule.length_m {
            let visit = scene.visits.iter().find(|visit| visit.vessel == number);
            let length = vessel.and_then(|v| v.length_m).or_else(|| visit.and_then(|visit| visit.length_m));
            // Of unknown length: a rule for some sizes does not mean it.
            if !length.is_some_and(|length| (least..=most).contains(&length)) {
                return Some(SuppressionReason::Size);
            }
        }
        // A full marina raises nothing by itself; at their own berth rules mean those who lie there.
        let place = rule.condition.place()?.0;
        let moored = vessel?.moored.as_ref().filter(|&berth| berth != place);
        moored.map(|_| SuppressionReason::AtBerth)
    }

    pub(super) fn keep_silent(
        &mut self,
        camera: &CameraId,
        reason: SuppressionReason,
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
    pub(super) fn tell_blind(
        &mut self,
        camera: &Camera,
        cause: &str,
        at: Stamp,
        events: &mut Vec<RuleEvent>,
    ) {
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
        let said = silences.note(&whose, (Subject::Place, SuppressionReason::CameraOutage), None, at, say);
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
pub(super) fn identity(camera: &CameraId, rule: &Rule, subject: Subject, at: Stamp) -> SignalId {
    let about = format!("{camera}\n{}\n{subject:?}\n{}", rule.id, at.wall.as_nanosecond());
    SignalId(signal::stable_uuid(&about, at.wall))
}
