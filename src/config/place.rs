//! `[[zone]]` and `[[line]]`.

use super::reader::{Item, Table};
use super::reading::At;
use super::site::{Line, Zone};
use super::{names, shapes};
use crate::geometry::{Point, Segment};
use crate::names::PlaceId;

/// A zone or a line as far as it could be read.
pub(super) struct PlaceDraft {
    /// `zone` or `line`.
    pub(super) kind: &'static str,
    pub(super) id: Option<At<String>>,
    pub(super) camera: Option<At<String>>,
    pub(super) shape: Option<Shape>,
}

#[derive(Clone)]
pub(super) enum Shape {
    Zone(Zone),
    Line(Line),
}

impl PlaceDraft {
    pub(super) fn zone(table: &Table<'_>) -> Self {
        let mut draft = Self::named(table, "zone", "\"inner-basin\"");
        let name = names::name_or(table, draft.id.as_ref());
        let polygon = table.required("polygon", "[[0.1, 0.5], [0.6, 0.5], [0.6, 0.9], [0.1, 0.9]]", |item| {
            shapes::polygon(item, "zone")
        });
        draft.shape = draft
            .checked_id()
            .zip(name)
            .zip(polygon)
            .map(|((id, name), polygon)| Shape::Zone(Zone { id, name, polygon }));
        draft
    }

    pub(super) fn line(table: &Table<'_>) -> Self {
        let mut draft = Self::named(table, "line", "\"harbour-mouth\"");
        let name = names::name_or(table, draft.id.as_ref());
        let from = table.required("from", "[0.5, 0.4]", shapes::point);
        let to = table.required("to", "[0.5, 0.9]", shapes::point);
        let segment = from.zip(to).and_then(|(from, to)| segment(table, from, to));
        draft.shape = draft
            .checked_id()
            .zip(name)
            .zip(segment)
            .map(|((id, name), segment)| Shape::Line(Line { id, name, segment }));
        draft
    }

    fn named(table: &Table<'_>, kind: &'static str, example: &str) -> Self {
        Self {
            kind,
            id: table.required("id", example, names::identifier),
            camera: table.required("camera", "\"quay-east\" (the id of a camera)", |item: &Item<'_>| {
                item.text().map(|text| item.at(text.to_owned()))
            }),
            shape: None,
        }
    }

    fn checked_id(&self) -> Option<PlaceId> {
        self.id.as_ref().and_then(|id| PlaceId::new(&id.value).ok())
    }
}

fn segment(
    table: &Table<'_>,
    from: Point<crate::geometry::Norm>,
    to: Point<crate::geometry::Norm>,
) -> Option<Segment> {
    let end = table.get("to")?;
    let Some(segment) = Segment::new(from, to) else {
        end.error("is where the line begins: the line has no length", "from and to are its two ends");
        return None;
    };
    if !shapes::touches_picture(&segment) {
        table.reading.error(
            &table.place,
            "the line lies wholly outside the picture",
            "coordinates run from 0 to 1",
        );
        return None;
    }
    let within = |p: Point<_>| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y);
    if !(within(from) && within(to)) {
        let help = "coordinates run from 0 to 1; nothing is ever seen beyond";
        table.reading.warning(&table.place, "the line lies partly outside the picture", help);
    }
    Some(segment)
}
