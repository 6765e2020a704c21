//! The state of one rule of a camera: from evaluations to signals, and to the reason where a signal is suppressed.

use std::collections::BTreeMap;

use super::evaluation::{ConditionState, Context, Evaluation, Subject};
use super::event::RuleEvent;
use super::kinds::Evaluator;
use super::lifecycle::{SignalChange, SignalLifecycle};
use super::observation::Observation;
use super::rule::Rule;
use super::schedule::{Calendar, Live, Schedule};
use super::severity::Severity;
use super::signal::{self, Facts, OpenSignal, Phase, SignalEvent, SignalId};
use super::signal_text::SignalText;
use super::suppression::SuppressionReason;
use super::suppression_log::SuppressionLog;
use crate::clock::Stamp;
use crate::geometry::BBox;
use crate::ids::{PlaceId, RuleId};
use crate::track::VesselId;

/// A rule with what it keeps from pass to pass.
#[derive(Debug)]
pub(super) struct RuleState {
    rule: Rule,
    /// Names of the rules that it combines.
    parts: Vec<String>,
    /// Id and name of its zone or line; a combination is where its last part is.
    place: (PlaceId, String),
    schedule: Schedule,
    evaluator: Box<dyn Evaluator>,
    /// The same condition while the schedule is not in force, to report what was suppressed.
    outside_schedule: Option<Box<dyn Evaluator>>,
    // Ordered, so that the same input gives the same events in the same order.
    signals: BTreeMap<Subject, SubjectSignal>,
    suppressions: SuppressionLog,
    // Kept from pass to pass to reuse its memory.
    evaluations: Vec<Evaluation>,
}

/// The signal about a subject, and the last evaluation that met the condition.
#[derive(Debug)]
struct SubjectSignal {
    lifecycle: SignalLifecycle,
    met: Evaluation,
}

impl RuleState {
    /// `rule` among the `rules` of its camera; `None` for a combination of rules that are not there.
    pub(super) fn new(rule: &Rule, rules: &[Rule], calendar: &Calendar) -> Option<Self> {
        let name = |id: &RuleId| rules.iter().find(|rule| rule.id == *id).map(|rule| rule.name.clone());
        Some(Self {
            schedule: Schedule::new(rule.schedule.clone(), calendar),
            place: place_of(rule, rules)?,
            parts: rule.condition.parts().into_iter().filter_map(name).collect(),
            evaluator: rule.condition.evaluator(),
            outside_schedule: None,
            signals: BTreeMap::new(),
            suppressions: SuppressionLog::new(rule.camera.clone(), rule.id.clone()),
            evaluations: Vec::new(),
            rule: rule.clone(),
        })
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(super) fn is_live(&self, at: jiff::Timestamp) -> bool {
        self.schedule.live(at).is_some()
    }

    /// Evaluates one detection pass. `above`: the rules above this one.
    pub(super) fn step(
        &mut self,
        above: &[Self],
        observation: &Observation<'_>,
        events: &mut Vec<RuleEvent>,
    ) {
        let live = self.schedule.live(observation.at.wall);
        let mut evaluations = std::mem::take(&mut self.evaluations);
        self.evaluate(above, observation, live.is_some(), &mut evaluations);
        for evaluation in evaluations.drain(..) {
            self.conclude(&evaluation, observation, live, events);
        }
        if live.is_none() {
            self.evaluate_outside_schedule(observation, &mut evaluations);
            for evaluation in evaluations.drain(..) {
                let reason = SuppressionReason::OutsideSchedule;
                self.suppress(reason, &evaluation, observation.at, live, events);
            }
        }
        self.evaluations = evaluations;
    }

    fn evaluate(
        &mut self,
        above: &[Self],
        observation: &Observation<'_>,
        live: bool,
        evaluations: &mut Vec<Evaluation>,
    ) {
        if live {
            self.outside_schedule = None;
        }
        let open_signals = |id: &RuleId, subject: &Subject| -> Option<OpenSignal> {
            let part = above.iter().find(|part| part.rule.id == *id)?;
            part.signals.get(subject)?.lifecycle.open()
        };
        let grace = self.rule.clear;
        self.evaluator
            .evaluate(&Context { observation, live, grace, open_signals: &open_signals }, evaluations);
    }

    /// What would open a signal now if the schedule, which is not in force, were. A combination reports nothing here: its
    /// parts do.
    fn evaluate_outside_schedule(
        &mut self,
        observation: &Observation<'_>,
        evaluations: &mut Vec<Evaluation>,
    ) {
        if !self.parts.is_empty() {
            return;
        }
        let context = Context { observation, live: true, grace: self.rule.clear, open_signals: &|_, _| None };
        let evaluator = self.outside_schedule.get_or_insert_with(|| self.rule.condition.evaluator());
        evaluator.evaluate(&context, evaluations);
        evaluations.retain(|evaluation| self.would_open(evaluation.state, observation.at));
    }

    /// Steps the signal about the evaluation's subject, and notes the reason where it is suppressed.
    fn conclude(
        &mut self,
        evaluation: &Evaluation,
        observation: &Observation<'_>,
        live: Option<Live>,
        events: &mut Vec<RuleEvent>,
    ) {
        let at = observation.at;
        let reason = match evaluation.state {
            ConditionState::NotMet => None,
            _ => evaluation.suppressed.or_else(|| self.exclusion(evaluation, observation)),
        };
        let state = if reason.is_some() { ConditionState::NotMet } else { evaluation.state };
        if let Some(reason) = reason
            && self.would_open(evaluation.state, at)
        {
            self.suppress(reason, evaluation, at, live, events);
        }
        let is_met = state != ConditionState::NotMet;
        if !is_met && !self.signals.contains_key(&evaluation.subject) {
            return;
        }
        let new = SubjectSignal { lifecycle: SignalLifecycle::default(), met: *evaluation };
        let signal = self.signals.entry(evaluation.subject).or_insert(new);
        if is_met {
            signal.met = *evaluation;
        }
        // When the signal closes nothing is met any more; the reasons are those of the last time it was.
        let last = Evaluation { vessel: evaluation.vessel, bbox: evaluation.bbox, ..signal.met };
        let rule = &self.rule;
        match signal.lifecycle.step(rule, state, at, || signal_id(rule, evaluation.subject, at)) {
            Some(SignalChange::NotConfirmed) if reason.is_none() => {
                self.suppress(SuppressionReason::NotConfirmed, &last, at, live, events);
            }
            Some(SignalChange::NotConfirmed) | None => {}
            Some(change) => {
                if matches!(change, SignalChange::Opened(open) if !open.alert) {
                    self.suppress(SuppressionReason::Cooldown, evaluation, at, live, events);
                }
                events.extend(self.event(change, &last, at, live));
            }
        }
    }

    /// Subjects are gone: their open signals close.
    pub(super) fn end(&mut self, is_gone: impl Fn(&Subject) -> bool, at: Stamp, events: &mut Vec<RuleEvent>) {
        let live = self.schedule.live(at.wall);
        let gone = self.signals.extract_if(.., |subject, _| is_gone(subject)).collect::<Vec<_>>();
        for (_, mut signal) in gone {
            if let Some(change) = signal.lifecycle.end() {
                events.extend(self.event(change, &signal.met, at, live));
            }
        }
    }

    /// A vessel is gone for good.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        self.evaluator.forget(vessel);
        if let Some(evaluator) = &mut self.outside_schedule {
            evaluator.forget(vessel);
        }
    }

    /// Every vessel is gone.
    pub(super) fn reset(&mut self) {
        self.evaluator = self.rule.condition.evaluator();
        self.outside_schedule = None;
    }

    pub(super) fn acknowledge(&mut self, id: SignalId) {
        self.signals.values_mut().for_each(|signal| signal.lifecycle.acknowledge(id));
    }

    /// Reports suppressions that are over; all of them at the `end`.
    pub(super) fn report_suppressions(&mut self, at: Stamp, end: bool, events: &mut Vec<RuleEvent>) {
        let mut reports = Vec::new();
        self.suppressions.remove_over(at.mono, end, &mut reports);
        events.extend(reports.into_iter().map(RuleEvent::Suppressed));
    }

    /// The camera gives no usable picture: the rule's signals are suppressed if it is live.
    pub(super) fn suppress_for_outage(
        &mut self,
        camera_name: &str,
        cause: &str,
        at: Stamp,
        events: &mut Vec<RuleEvent>,
    ) {
        if !self.is_live(at.wall) || !self.rule.raises {
            return;
        }
        let whole_picture = BBox::new(0.0, 0.0, 1.0, 1.0);
        let evaluation = Evaluation::not_met(Subject::Place, None, whole_picture);
        let Self { suppressions, rule, schedule, .. } = self;
        let describe = || {
            let text = format!("{} is not evaluated at {camera_name}: {cause}", rule.name);
            (facts(rule, &evaluation, schedule), text)
        };
        let about = (Subject::Place, SuppressionReason::CameraOutage);
        events.extend(suppressions.note(about, None, at, describe).map(RuleEvent::Suppressed));
    }

    /// Whether a condition in this state would open a signal by now.
    fn would_open(&self, state: ConditionState, at: Stamp) -> bool {
        match state {
            ConditionState::NotMet => false,
            ConditionState::Moment => true,
            ConditionState::Since { since, .. } => at.mono.since(since.mono) >= self.rule.confirm,
        }
    }

    /// Why the rule does not apply to this subject, if it does not.
    fn exclusion(&self, evaluation: &Evaluation, observation: &Observation<'_>) -> Option<SuppressionReason> {
        let rule = &self.rule;
        let number = evaluation.vessel?;
        let vessel = observation.vessels.iter().find(|vessel| vessel.number == number);
        if vessel.is_some_and(|vessel| vessel.confidence < rule.min_confidence) {
            return Some(SuppressionReason::LowConfidence);
        }
        if let Some([least, most]) = rule.length_m {
            let visit = observation.visits.iter().find(|visit| visit.vessel == number);
            let length = vessel.and_then(|v| v.length_m).or_else(|| visit.and_then(|visit| visit.length_m));
            // A rule for some lengths does not apply to a vessel of unknown length.
            if !length.is_some_and(|length| (least..=most).contains(&length)) {
                return Some(SuppressionReason::Size);
            }
        }
        // A full marina must raise nothing; a rule about a berth applies to the vessels that are moored there.
        let place = rule.condition.place_name()?.0;
        let moored = vessel?.moored.as_ref().filter(|&berth| berth != place);
        moored.map(|_| SuppressionReason::AtBerth)
    }

    fn suppress(
        &mut self,
        reason: SuppressionReason,
        evaluation: &Evaluation,
        at: Stamp,
        live: Option<Live>,
        events: &mut Vec<RuleEvent>,
    ) {
        if !self.rule.raises {
            return;
        }
        let Self { suppressions, rule, parts, schedule, .. } = self;
        let describe = || {
            let text = rule.condition.open_text(&signal_text(parts, evaluation, at, live));
            (facts(rule, evaluation, schedule), format!("{text}; not sent: {}", reason.as_str()))
        };
        let report = suppressions.note((evaluation.subject, reason), evaluation.vessel, at, describe);
        events.extend(report.map(RuleEvent::Suppressed));
    }

    fn event(
        &self,
        change: SignalChange,
        evaluation: &Evaluation,
        at: Stamp,
        live: Option<Live>,
    ) -> Option<RuleEvent> {
        let (phase, open) = match change {
            SignalChange::Opened(open) => (Phase::Opened, open),
            SignalChange::Updated(open) => (Phase::Updated, open),
            SignalChange::Escalated(open) => (Phase::Escalated, open),
            SignalChange::Closed(open) => (Phase::Closed, open),
            SignalChange::NotConfirmed => return None,
        };
        let rule = &self.rule;
        if !rule.raises {
            return None;
        }
        // To the millisecond: frames are not closer in time than that.
        let open_s = at.mono.since(open.since.mono).as_millis() as f64 / 1000.0;
        let signal = signal_text(&self.parts, evaluation, at, live);
        let signal = SignalText { entered: open.entered, open_s, ..signal };
        let text = match phase {
            Phase::Closed => rule.condition.closed_text(&signal),
            Phase::Opened | Phase::Updated => rule.condition.open_text(&signal),
            Phase::Escalated => format!("{}; not acknowledged", rule.condition.open_text(&signal)),
        };
        Some(RuleEvent::Signal(SignalEvent {
            signal: open.signal,
            phase,
            at,
            since: open.since,
            camera: rule.camera.clone(),
            rule: rule.id.clone(),
            rule_name: rule.name.clone(),
            kind: rule.condition.info().word,
            place: self.place.0.clone(),
            place_name: self.place.1.clone(),
            severity: if phase == Phase::Escalated { Severity::Alert } else { rule.severity },
            vessel: evaluation.vessel,
            bbox: evaluation.bbox,
            text,
            facts: facts(rule, evaluation, &self.schedule),
            alert: open.alert && phase != Phase::Updated,
        }))
    }
}

/// Id and name of the rule's zone or line, or of that of its last part.
fn place_of(rule: &Rule, rules: &[Rule]) -> Option<(PlaceId, String)> {
    if let Some((id, name)) = rule.condition.place_name() {
        return Some((id.clone(), name.to_owned()));
    }
    let last = *rule.condition.parts().last()?;
    place_of(rules.iter().find(|rule| rule.id == *last)?, rules)
}

fn signal_text<'a>(
    parts: &'a [String],
    evaluation: &'a Evaluation,
    at: Stamp,
    live: Option<Live>,
) -> SignalText<'a> {
    let (entered, open_s) = match evaluation.state {
        ConditionState::Since { since, entered } => (entered, at.mono.since(since.mono).as_secs_f64()),
        ConditionState::NotMet | ConditionState::Moment => (false, 0.0),
    };
    let other = if let Subject::Pair(_, other) = evaluation.subject { Some(other) } else { None };
    let live_since = if let Some(Live::Since(since)) = live { Some(since) } else { None };
    SignalText { evaluation, parts, other, entered, open_s, at: at.wall, live_since }
}

fn facts(rule: &Rule, evaluation: &Evaluation, schedule: &Schedule) -> Facts {
    Facts {
        condition: rule.condition_text(),
        measured: evaluation.measured,
        threshold: rule.condition.threshold(evaluation.threshold, rule.confirm),
        margin: evaluation.margin,
        unit: rule.condition.info().unit,
        schedule: schedule.text().to_owned(),
    }
}

/// The same recording and site file give the same identities.
fn signal_id(rule: &Rule, subject: Subject, at: Stamp) -> SignalId {
    let about = format!("{}\n{}\n{subject:?}\n{}", rule.camera, rule.id, at.wall.as_nanosecond());
    SignalId(signal::stable_uuid(&about, at.wall))
}
