//! What refers to what: identifiers are unique, references are resolved, and the drafts are joined.

use super::camera::CameraDraft;
use super::collector::{Collector, Located};
use super::condition::Condition;
use super::place::{PlaceDraft, Shape};
use super::reader::{TableReader, ValueReader, short};
use super::rule::{Kind, RuleDraft};
use super::shifts::{NamedSchedule, Shifts};
use super::site::{Camera, Rule};
use super::{parts, suggest};
use crate::geometry::Segment;
use crate::ids::RuleId;

/// Everything that refers to something else, as far as it could be read.
pub(super) struct Drafts {
    pub(super) cameras: Vec<CameraDraft>,
    pub(super) places: Vec<PlaceDraft>,
    pub(super) schedules: Vec<NamedSchedule>,
    pub(super) rules: Vec<RuleDraft>,
}

impl Drafts {
    /// Notes identifiers given twice and references to nothing.
    pub(super) fn check_links(&self, collector: &Collector<'_>, root: &TableReader<'_>) {
        let given = root.get("camera");
        // Of cameras that cannot be read all has been said.
        if self.cameras.is_empty() && given.as_ref().is_none_or(ValueReader::is_empty_list) {
            let place = given.map_or_else(|| root.place.child("camera", 0..0), |item| item.place);
            let help = "add [[camera]] with id, url and codec";
            collector.error(&place, "there is no camera: nothing to watch", help);
        }
        unique(collector, "camera", self.cameras.iter().filter_map(|c| c.id.as_ref()));
        unique(collector, "zone, group or line", self.places.iter().filter_map(|p| p.id.as_ref()));
        unique(collector, "schedule", self.schedules.iter().filter_map(|s| s.id.as_ref()));
        unique(collector, "rule", self.rules.iter().filter_map(|r| r.id.as_ref()));
        for reference in self.rules.iter().filter_map(|rule| rule.schedule.named.as_ref()) {
            if self.schedule(&reference.value).is_none() {
                let known = self.schedules.iter().filter_map(|s| s.id.as_ref()).map(|id| id.value.as_str());
                stranger(collector, reference, "schedule", known);
            }
        }
        for reference in self.places.iter().filter_map(|place| place.camera.as_ref()) {
            if self.camera(&reference.value).is_none() {
                let known = self.cameras.iter().filter_map(|c| c.id.as_ref()).map(|id| id.value.as_str());
                stranger(collector, reference, "camera", known);
            }
        }
        for reference in self.places.iter().filter_map(|place| place.group.as_ref()) {
            let groups = self.places.iter().filter(|place| place.kind == "group");
            if !groups.clone().any(|group| group.is(&reference.value)) {
                let known = groups.filter_map(|group| group.id.as_ref()).map(|id| id.value.as_str());
                stranger(collector, reference, "group", known);
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            self.check_place(collector, rule);
            parts::check(collector, self, index);
        }
    }

    /// The rule's zone or line is there, and is what its kind needs.
    fn check_place(&self, collector: &Collector<'_>, rule: &RuleDraft) {
        let (Some(kind), Some(target)) = (rule.kind, &rule.target) else { return };
        let Some(wanted) = kind.place() else { return };
        let known = self.places.iter().filter(|place| place.serves_as(wanted));
        let known = known.filter_map(|place| place.id.as_ref()).map(|id| id.value.as_str());
        let Some(place) = self.places.iter().find(|place| place.is(&target.value)) else {
            return stranger(collector, target, wanted, known);
        };
        if !place.serves_as(wanted) {
            let what =
                format!("\"{}\" is a {}, and a {} needs a {wanted}", target.value, place.kind, kind.word());
            return collector.error(&target.place, what, suggest::did_you_mean(&target.value, known));
        }
        let zone = place.shape.as_ref().and_then(Shape::zone);
        if kind.needs_berth() && zone.is_some_and(|zone| zone.berth.is_none()) {
            let what = format!("\"{}\" is no berth, and a {} rule needs one", target.value, kind.word());
            collector.error(&target.place, what, "add berth = true to the zone, if vessels lie moored in it");
        }
        if kind == Kind::Unexpected
            && zone.and_then(|zone| zone.berth.as_ref()).is_some_and(|b| b.expected_length_m.is_none())
        {
            let what = format!("nobody knows which vessels belong at \"{}\"", target.value);
            collector.error(&target.place, what, "give the zone berth = { expected_length_m = [8, 14] }");
        }
        let camera = place.camera.as_ref().and_then(|camera| self.camera(&camera.value)?.camera.as_ref());
        let calibration = camera.and_then(|camera| camera.calibration.as_ref());
        if let (Kind::Approach, Some(Shape::Line(line)), Some(calibration)) =
            (kind, &place.shape, calibration)
            && [line.segment.from, line.segment.to].iter().any(|end| calibration.ground(*end).is_none())
        {
            let what = format!("\"{}\" ends where the calibration sees no water", target.value);
            collector.error(
                &target.place,
                what,
                "draw the line below the horizon, within the surveyed water",
            );
        }
        if let Some(camera) = camera.filter(|camera| camera.calibration.is_none()) {
            let help = format!("add [camera.calibration] with four surveyed points or more to {}", camera.id);
            if kind.needs_metres() {
                let what =
                    format!("{} is not calibrated, and a {} rule measures metres", camera.id, kind.word());
                collector.error(&target.place, what, help);
            } else if let Some(length) = &rule.length_m {
                collector.error(
                    &length.place,
                    format!("{} is not calibrated: no length is known", camera.id),
                    help,
                );
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

    /// The zone, group or line a rule watches, of the kind it needs.
    pub(super) fn place_of(&self, rule: &RuleDraft) -> Option<&PlaceDraft> {
        let (wanted, target) = (rule.kind?.place()?, rule.target.as_ref()?);
        self.places.iter().find(|place| place.serves_as(wanted) && place.is(&target.value))
    }

    /// The cameras with their zones and lines, and the rules; `None` where a mistake was noted.
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
            schedule: self.shifts_of(draft)?.schedule(),
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

    /// The camera of the rule's place, or of those of its parts.
    pub(super) fn camera_of(&self, rule: &RuleDraft) -> Option<&Located<String>> {
        if let Some(place) = self.place_of(rule) {
            return place.camera.as_ref();
        }
        let index = self.rules.iter().position(|known| std::ptr::eq(known, rule))?;
        rule.parts.iter().find_map(|part| {
            let above = self.rules[..index].iter().find(|above| above.is(&part.value))?;
            self.camera_of(above)
        })
    }

    fn condition(&self, draft: &RuleDraft) -> Option<Condition> {
        let shape = self.place_of(draft).and_then(|place| place.shape.clone());
        let zone = shape.as_ref().and_then(Shape::zone).cloned();
        let line = || if let Some(Shape::Line(line)) = &shape { Some(line.clone()) } else { None };
        let m = &draft.measures;
        let longer_than = m.longer_than.as_ref().map(|duration| duration.value);
        let ids = |parts: &[Located<String>]| {
            parts.iter().map(|id| RuleId::new(&id.value).ok()).collect::<Option<_>>()
        };
        Some(match draft.kind? {
            Kind::Presence => Condition::Presence { zone: zone? },
            Kind::Entry => Condition::Entry { zone: zone? },
            Kind::Crossing => {
                let dead_band = m.dead_band as f32;
                Condition::Crossing { line: line()?, direction: m.direction, dead_band }
            }
            Kind::WrongWay => {
                let (from, to) = m.flow?;
                Condition::WrongWay { zone: zone?, flow: Segment::new(from, to)?, lengths: m.lengths }
            }
            Kind::Dwell => Condition::Dwell { zone: zone?, longer_than: longer_than? },
            Kind::Loitering => {
                Condition::Loitering { zone: zone?, radius_m: m.radius_m?, longer_than: longer_than? }
            }
            Kind::Speeding => Condition::Speeding {
                zone: zone?,
                limit_knots: m.limit_knots?,
                margin_knots: m.margin_knots,
                estimates: m.estimates.into(),
            },
            Kind::Stop => Condition::Stop { zone: zone?, longer_than: longer_than? },
            Kind::Departure => Condition::Departure { zone: zone? },
            Kind::Overstay => Condition::Overstay { zone: zone?, longer_than: longer_than? },
            Kind::Unexpected => Condition::Unexpected { zone: zone? },
            Kind::Rendezvous => Condition::Rendezvous {
                zone: zone?,
                closer_than_m: m.closer_than_m?,
                slower_than_knots: m.slower_than_knots,
                longer_than: longer_than?,
            },
            Kind::Crowd => Condition::Crowd { zone: zone?, more_than: m.more_than?.into() },
            Kind::Absent => Condition::Absent { zone: zone?, longer_than: longer_than? },
            Kind::Inactivity => Condition::Inactivity { zone: zone?, longer_than: longer_than? },
            Kind::Repeat => Condition::Repeat { zone: zone?, times: m.times?.into(), within: m.within? },
            Kind::Approach => {
                Condition::Approach { line: line()?, limit_knots: m.limit_knots?, within_m: m.within_m? }
            }
            Kind::All => Condition::All { of: ids(&draft.parts)?, unless: ids(&draft.unless)? },
            Kind::Then => {
                let [first, second] = ids(&draft.parts).and_then(|ids: Vec<_>| ids.try_into().ok())?;
                Condition::Then { first, second, within: m.within? }
            }
        })
    }
}

impl RuleDraft {
    pub(super) fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|known| known.value == id)
    }
}

impl PlaceDraft {
    /// Whether a rule that wants a `wanted` may watch it: a group is its zones.
    fn serves_as(&self, wanted: &str) -> bool {
        self.kind == wanted || (self.kind, wanted) == ("group", "zone")
    }

    fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|known| known.value == id)
    }
}

fn unique<'d>(collector: &Collector<'_>, what: &str, ids: impl Iterator<Item = &'d Located<String>>) {
    let mut seen: Vec<&Located<String>> = Vec::new();
    for id in ids {
        match seen.iter().find(|first| first.value == id.value) {
            Some(first) => collector.error(
                &id.place,
                format!("\"{}\" is the id of another {what} already", short(&id.value)),
                format!("{} has it too; give one of them another id", first.place.key),
            ),
            None => seen.push(id),
        }
    }
}

pub(super) fn stranger<'k>(
    collector: &Collector<'_>,
    reference: &Located<String>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) {
    let help = suggest::did_you_mean(&reference.value, known);
    collector.error(&reference.place, format!("there is no {what} \"{}\"", short(&reference.value)), help);
}
