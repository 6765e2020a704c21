//! `[[zone]]`, `[[group]]` and `[[line]]`.

use super::collector::Located;
use super::reader::{TableReader, ValueReader};
use super::{identifier, shapes};
use crate::geometry::{Area, Point, Segment};
use crate::ids::PlaceId;
use crate::rules::{Berth, Line, Zone};

/// A zone, a group or a line, as far as it could be read.
pub(super) struct PlaceDraft {
    /// `zone`, `group` or `line`.
    pub(super) kind: &'static str,
    pub(super) id: Option<Located<String>>,
    pub(super) name: Option<String>,
    pub(super) camera: Option<Located<String>>,
    /// The group that a zone belongs to.
    pub(super) group: Option<Located<String>>,
    pub(super) shape: Option<Shape>,
}

#[derive(Clone)]
pub(super) enum Shape {
    Zone(Zone),
    Line(Line),
}

impl Shape {
    pub(super) fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Zone(zone) => Some(zone),
            Self::Line(_) => None,
        }
    }
}

fn text(item: &ValueReader<'_>) -> Option<Located<String>> {
    item.text().map(|text| item.at(text.to_owned()))
}

impl PlaceDraft {
    pub(super) fn zone(table: &TableReader<'_>) -> Self {
        let mut draft = Self::on_camera(table, "zone", "\"inner-basin\"");
        draft.group = table.optional("group", text);
        let polygon = table.required("polygon", "[[0.1, 0.5], [0.6, 0.5], [0.6, 0.9], [0.1, 0.9]]", |item| {
            shapes::polygon(item, "zone")
        });
        let polygon = match table.get("holes") {
            Some(holes) => polygon.and_then(|polygon| shapes::with_holes(polygon, &holes)),
            None => polygon,
        };
        let berth = table.get("berth").and_then(|item| berth(&item));
        draft.shape = polygon.and_then(|polygon| draft.as_zone(polygon.into(), berth));
        draft
    }

    /// A group of those of `zones` that name it.
    pub(super) fn group(table: &TableReader<'_>, zones: &[Self]) -> Self {
        let mut draft = Self::named(table, "group", "\"north-basin\"");
        let Some(id) = draft.id.clone() else { return draft };
        let members = || {
            let of_group = |zone: &&Self| zone.group.as_ref().is_some_and(|group| group.value == id.value);
            zones.iter().filter(of_group)
        };
        if members().next().is_none() {
            let help = format!("add group = \"{}\" to the zones that belong to it", id.value);
            table.collector.error(&table.place, "no zone belongs to this group", help);
        }
        draft.camera = members().find_map(|zone| zone.camera.clone());
        let elsewhere =
            |camera: &&Located<String>| draft.camera.as_ref().is_some_and(|a| a.value != camera.value);
        if let Some(second) = members().filter_map(|zone| zone.camera.as_ref()).find(elsewhere) {
            let help = "a rule belongs to one camera: make a group for each camera";
            table.collector.error(
                &second.place,
                format!("group \"{}\" has zones of another camera", id.value),
                help,
            );
        }
        let areas: Option<Vec<&Area>> =
            members().map(|zone| Some(&zone.shape.as_ref()?.zone()?.area)).collect();
        draft.shape = areas.and_then(Area::union).and_then(|area| draft.as_zone(area, None));
        draft
    }

    pub(super) fn line(table: &TableReader<'_>) -> Self {
        let mut draft = Self::on_camera(table, "line", "\"harbour-mouth\"");
        let from = table.required("from", "[0.5, 0.4]", shapes::point);
        let to = table.required("to", "[0.5, 0.9]", shapes::point);
        let segment = from.zip(to).and_then(|(from, to)| segment(table, from, to));
        draft.shape = draft
            .checked_id()
            .zip(draft.name.clone())
            .zip(segment)
            .map(|((id, name), segment)| Shape::Line(Line { id, name, segment }));
        draft
    }

    /// Whether it can be given where a rule needs a `wanted`: a group can be given for a zone.
    pub(super) fn serves_as(&self, wanted: &str) -> bool {
        self.kind == wanted || (self.kind, wanted) == ("group", "zone")
    }

    /// Whether its id is `id`.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|known| known.value == id)
    }

    fn on_camera(table: &TableReader<'_>, kind: &'static str, example: &str) -> Self {
        let camera = table.required("camera", "\"quay-east\" (the id of a camera)", text);
        Self { camera, ..Self::named(table, kind, example) }
    }

    fn named(table: &TableReader<'_>, kind: &'static str, example: &str) -> Self {
        let id = table.required("id", example, identifier::identifier);
        let name = identifier::name_or(table, id.as_ref());
        Self { kind, id, name, camera: None, group: None, shape: None }
    }

    fn as_zone(&self, area: Area, berth: Option<Berth>) -> Option<Shape> {
        Some(Shape::Zone(Zone { id: self.checked_id()?, name: self.name.clone()?, area, berth }))
    }

    fn checked_id(&self) -> Option<PlaceId> {
        self.id.as_ref().and_then(|id| PlaceId::new(&id.value).ok())
    }
}

fn segment(
    table: &TableReader<'_>,
    from: Point<crate::geometry::Norm>,
    to: Point<crate::geometry::Norm>,
) -> Option<Segment> {
    let end = table.get("to")?;
    let Some(segment) = Segment::new(from, to) else {
        end.error("is the same as from: the line has no length", "from and to are its two ends");
        return None;
    };
    if !shapes::touches_picture(&segment) {
        table.collector.error(
            &table.place,
            "the line lies wholly outside the picture",
            "coordinates run from 0 to 1",
        );
        return None;
    }
    let within = |p: Point<_>| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y);
    if !(within(from) && within(to)) {
        let help = "coordinates run from 0 to 1; nothing is detected outside";
        table.collector.warning(&table.place, "the line lies partly outside the picture", help);
    }
    Some(segment)
}

/// `true`, or a table with the berth's keys; `None` for `false` and for invalid values.
fn berth(item: &ValueReader<'_>) -> Option<Berth> {
    if let toml::de::DeValue::Boolean(berth) = item.value {
        return berth.then(Berth::default);
    }
    let table = item.table("berth")?;
    let expected_length_m = table.optional("expected_length_m", |item| shapes::span(item, "metres"));
    Some(Berth { expected_length_m })
}
