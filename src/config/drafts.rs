//! The sections of a site file as far as they could be read, and what they refer to.

use super::camera::CameraDraft;
use super::collector::{Collector, Located};
use super::place::{PlaceDraft, Shape};
use super::reader::short;
use super::rule::{KeyDraft, RuleDraft};
use super::shifts::{NamedSchedule, ShiftsDraft};
use super::site::Camera;
use super::suggest;
use crate::ids::RuleId;
use crate::rules::{Condition, KeyValues, Rule, Value, ValueSpec};

/// The sections that refer to each other.
pub(super) struct Drafts {
    pub(super) cameras: Vec<CameraDraft>,
    pub(super) places: Vec<PlaceDraft>,
    pub(super) schedules: Vec<NamedSchedule>,
    pub(super) rules: Vec<RuleDraft>,
}

impl Drafts {
    pub(super) fn camera(&self, id: &str) -> Option<&CameraDraft> {
        self.cameras.iter().find(|camera| camera.id.as_ref().is_some_and(|known| known.value == id))
    }

    pub(super) fn schedule(&self, id: &str) -> Option<&NamedSchedule> {
        self.schedules.iter().find(|schedule| schedule.id.as_ref().is_some_and(|known| known.value == id))
    }

    /// The shifts of a rule's schedule: its own, and those of the one it names.
    pub(super) fn shifts_of(&self, rule: &RuleDraft) -> Option<ShiftsDraft> {
        let own = rule.schedule.shifts.clone()?;
        match &rule.schedule.named {
            Some(named) => Some(self.schedule(&named.value)?.shifts.clone()?.and(own)),
            None => Some(own),
        }
    }

    /// The zone, group or line of a rule, if it is of the type that the rule's kind needs.
    pub(super) fn place_of(&self, rule: &RuleDraft) -> Option<&PlaceDraft> {
        let (key, target) = rule.target()?;
        let wanted = key.name;
        self.places.iter().find(|place| place.serves_as(wanted) && place.is(&target.value))
    }

    /// The cameras with their zones and lines, and the rules; `None` where there is an error.
    pub(super) fn join(&self) -> Option<(Vec<Camera>, Vec<Rule>)> {
        let mut cameras = Vec::new();
        for draft in &self.cameras {
            let mut camera = draft.camera.clone()?;
            for place in self.places.iter().filter(|place| place.kind != "group") {
                if place.camera.as_ref()?.value != camera.id.as_str() {
                    continue;
                }
                match place.shape.clone()? {
                    Shape::Zone(zone) => camera.zones.push(zone),
                    Shape::Line(line) => camera.lines.push(line),
                }
            }
            cameras.push(camera);
        }
        let rules = self.rules.iter().map(|rule| self.rule(rule)).collect::<Option<_>>()?;
        (!cameras.is_empty()).then_some((cameras, rules))
    }

    fn rule(&self, draft: &RuleDraft) -> Option<Rule> {
        let condition = self.condition(draft)?;
        let camera = self.camera(&self.camera_of(draft)?.value)?.camera.as_ref()?.id.clone();
        Some(Rule {
            id: RuleId::new(&draft.id.as_ref()?.value).ok()?,
            name: draft.name.clone()?,
            camera,
            condition,
            schedule: self.shifts_of(draft)?.shifts(),
            severity: draft.severity,
            confirm: draft.confirm.value,
            clear: draft.clear,
            cooldown: draft.cooldown,
            raises: draft.raises,
            escalate_after: draft.escalate_after,
            min_confidence: draft.min_confidence as f32,
            length_m: draft.length_m.as_ref().map(|length| length.value),
            owner: draft.owner.clone(),
            review_by: draft.review_by,
        })
    }

    /// The camera of the rule's place, or of its parts.
    pub(super) fn camera_of(&self, rule: &RuleDraft) -> Option<&Located<String>> {
        if let Some(place) = self.place_of(rule) {
            return place.camera.as_ref();
        }
        let index = self.rules.iter().position(|known| std::ptr::eq(known, rule))?;
        rule.parts().find_map(|part| {
            let above = self.rules[..index].iter().find(|above| above.is(&part.value))?;
            self.camera_of(above)
        })
    }

    /// The condition of a rule; `None` where there is an error.
    pub(super) fn condition(&self, draft: &RuleDraft) -> Option<Condition> {
        let id = |id: &Located<String>| RuleId::new(&id.value).ok();
        let mut values = KeyValues::new();
        for (spec, key) in &draft.keys {
            let value = match (key, spec.value) {
                (KeyDraft::Place(_), _) => match self.place_of(draft)?.shape.clone()? {
                    Shape::Zone(zone) => Value::Zone(zone),
                    Shape::Line(line) => Value::Line(line),
                },
                (KeyDraft::Rules(ids), ValueSpec::Rule) => Value::Rule(id(ids.first()?)?),
                (KeyDraft::Rules(ids), _) => Value::Rules(ids.iter().map(id).collect::<Option<_>>()?),
                (KeyDraft::Value(value), _) => value.value.clone(),
            };
            values.insert(spec.name, value);
        }
        (draft.kind?.condition)(&values)
    }
}

/// Notes a reference to something that is not there.
pub(super) fn unknown<'k>(
    collector: &Collector<'_>,
    reference: &Located<String>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) {
    let help = suggest::did_you_mean(&reference.value, known);
    collector.error(&reference.place, format!("there is no {what} \"{}\"", short(&reference.value)), help);
}
