//! What refers to what: identifiers are unique, references are resolved, and the drafts are joined.

use super::camera::CameraDraft;
use super::place::{PlaceDraft, Shape};
use super::reader::{Table, short};
use super::reading::{At, Reading};
use super::rule::{Kind, RuleDraft};
use super::shifts::{NamedSchedule, Shifts};
use super::site::{Camera, Condition, Rule};
use super::suggest;
use crate::names::RuleId;

/// Everything that refers to something else, as far as it could be read.
pub(super) struct Drafts {
    pub(super) cameras: Vec<CameraDraft>,
    pub(super) places: Vec<PlaceDraft>,
    pub(super) schedules: Vec<NamedSchedule>,
    pub(super) rules: Vec<RuleDraft>,
}

impl Drafts {
    /// Notes identifiers given twice and references to nothing.
    pub(super) fn check_links(&self, reading: &Reading<'_>, root: &Table<'_>) {
        if self.cameras.is_empty() && root.get("camera").is_none() {
            let help = "add [[camera]] with id, url and codec";
            reading.error(&root.place.child("camera", 0..0), "there is no camera: nothing to watch", help);
        }
        unique(reading, "camera", self.cameras.iter().filter_map(|c| c.id.as_ref()));
        unique(reading, "zone or line", self.places.iter().filter_map(|p| p.id.as_ref()));
        unique(reading, "schedule", self.schedules.iter().filter_map(|s| s.id.as_ref()));
        unique(reading, "rule", self.rules.iter().filter_map(|r| r.id.as_ref()));
        for reference in self.rules.iter().filter_map(|rule| rule.schedule.named.as_ref()) {
            if self.schedule(&reference.value).is_none() {
                let known = self.schedules.iter().filter_map(|s| s.id.as_ref()).map(|id| id.value.as_str());
                stranger(reading, reference, "schedule", known);
            }
        }
        for reference in self.places.iter().filter_map(|place| place.camera.as_ref()) {
            if self.camera(&reference.value).is_none() {
                let known = self.cameras.iter().filter_map(|c| c.id.as_ref()).map(|id| id.value.as_str());
                stranger(reading, reference, "camera", known);
            }
        }
        for rule in &self.rules {
            let (Some(kind), Some(target)) = (rule.kind, &rule.target) else { continue };
            let wanted = if kind == Kind::Crossing { "line" } else { "zone" };
            let known = self.places.iter().filter(|place| place.kind == wanted);
            let known = known.filter_map(|place| place.id.as_ref()).map(|id| id.value.as_str());
            match self.places.iter().find(|place| place.is(&target.value)) {
                Some(place) if place.kind == wanted => {}
                Some(place) => reading.error(
                    &target.place,
                    format!(
                        "\"{}\" is a {}, and a {} needs a {wanted}",
                        target.value,
                        place.kind,
                        kind.word()
                    ),
                    suggest::did_you_mean(&target.value, known),
                ),
                None => stranger(reading, target, wanted, known),
            }
        }
    }

    pub(super) fn camera(&self, id: &str) -> Option<&CameraDraft> {
        self.cameras.iter().find(|camera| camera.id.as_ref().is_some_and(|known| known.value == id))
    }

    fn schedule(&self, id: &str) -> Option<&NamedSchedule> {
        self.schedules.iter().find(|schedule| schedule.id.as_ref().is_some_and(|known| known.value == id))
    }

    /// The shifts of a rule's schedule: its own, and those of the one it names.
    pub(super) fn shifts_of(&self, rule: &RuleDraft) -> Option<Shifts> {
        let own = rule.schedule.shifts.clone()?;
        match &rule.schedule.named {
            Some(named) => Some(self.schedule(&named.value)?.shifts.clone()?.and(own)),
            None => Some(own),
        }
    }

    /// The zone or line a rule watches, of the kind it needs.
    pub(super) fn place_of(&self, rule: &RuleDraft) -> Option<&PlaceDraft> {
        let wanted = if rule.kind? == Kind::Crossing { "line" } else { "zone" };
        let target = rule.target.as_ref()?;
        self.places.iter().find(|place| place.kind == wanted && place.is(&target.value))
    }

    /// The cameras with their zones and lines, and the rules; `None` where a mistake was noted.
    pub(super) fn join(&self) -> Option<(Vec<Camera>, Vec<Rule>)> {
        let mut cameras = Vec::new();
        for draft in &self.cameras {
            let mut camera = draft.camera.clone()?;
            for place in &self.places {
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
        let place = self.place_of(draft)?;
        let condition = match (draft.kind?, place.shape.clone()?) {
            (Kind::Presence, Shape::Zone(zone)) => Condition::Presence { zone },
            (Kind::Entry, Shape::Zone(zone)) => Condition::Entry { zone },
            (Kind::Dwell, Shape::Zone(zone)) => {
                Condition::Dwell { zone, longer_than: draft.longer_than.as_ref()?.value }
            }
            (Kind::Crossing, Shape::Line(line)) => {
                Condition::Crossing { line, direction: draft.direction, dead_band: draft.dead_band as f32 }
            }
            _ => return None,
        };
        let camera = self.camera(&place.camera.as_ref()?.value)?.camera.as_ref()?.id.clone();
        Some(Rule {
            id: RuleId::new(&draft.id.as_ref()?.value).ok()?,
            name: draft.name.clone()?,
            camera,
            condition,
            schedule: self.shifts_of(draft)?.schedule(),
            severity: draft.severity,
            confirm: draft.confirm.value,
            clear: draft.clear,
            cooldown: draft.cooldown,
        })
    }
}

impl PlaceDraft {
    fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|known| known.value == id)
    }
}

fn unique<'d>(reading: &Reading<'_>, what: &str, ids: impl Iterator<Item = &'d At<String>>) {
    let mut seen: Vec<&At<String>> = Vec::new();
    for id in ids {
        match seen.iter().find(|first| first.value == id.value) {
            Some(first) => reading.error(
                &id.place,
                format!("\"{}\" is the id of another {what} already", short(&id.value)),
                format!("{} has it too; give one of them another id", first.place.key),
            ),
            None => seen.push(id),
        }
    }
}

fn stranger<'k>(
    reading: &Reading<'_>,
    reference: &At<String>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) {
    let help = suggest::did_you_mean(&reference.value, known);
    reading.error(&reference.place, format!("there is no {what} \"{}\"", short(&reference.value)), help);
}
