//! Points, polygons, lines and regions in fractions of the picture.

use super::reader::ValueReader;
use crate::geometry::{BBox, Norm, Point, Polygon, PolygonError, Segment};

/// Coordinates may lie this far outside the picture. Farther out they are probably in another unit.
const STRAY: f64 = 1.0;

fn coordinate(item: &ValueReader<'_>) -> Option<f32> {
    let value = item.any_number()?;
    if !(-STRAY..=1.0 + STRAY).contains(&value) {
        let pixels = "this looks like pixels: divide x by the picture's width and y by its height";
        let help = if value > 2.0 { pixels } else { "0 is the left or upper edge, 1 the right or lower" };
        item.error(format!("{value} is far outside the picture, which runs from 0 to 1"), help);
        return None;
    }
    Some(value as f32)
}

fn coordinates<const N: usize>(item: &ValueReader<'_>, meaning: &str) -> Option<[f32; N]> {
    fixed(item, meaning, coordinate)
}

/// A list of `N` numbers.
pub(super) fn numbers<const N: usize>(item: &ValueReader<'_>, meaning: &str) -> Option<[f64; N]> {
    fixed(item, meaning, ValueReader::any_number)
}

fn fixed<'a, T, const N: usize>(
    item: &ValueReader<'a>,
    meaning: &str,
    read: impl Fn(&ValueReader<'a>) -> Option<T>,
) -> Option<[T; N]> {
    let items = item.list()?;
    let read: Vec<Option<T>> = items.iter().map(read).collect();
    if items.len() != N {
        // As in [0,10, 0,55].
        let comma =
            if items.len() == 2 * N { "; decimals are written with a point, such as 0.55" } else { "" };
        item.error(format!("has {} numbers", items.len()), format!("{meaning}: {N} numbers{comma}"));
        return None;
    }
    read.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// A point, `[x, y]`.
pub(super) fn point(item: &ValueReader<'_>) -> Option<Point<Norm>> {
    coordinates(item, "a point is [x, y]").map(|[x, y]| Point::new(x, y))
}

/// A range, `[least, most]`.
pub(super) fn span(item: &ValueReader<'_>, unit: &str) -> Option<[f64; 2]> {
    let items = item.list()?;
    let read: Option<Vec<f64>> = items.iter().map(ValueReader::any_number).collect();
    let help = format!("the minimum and the maximum in {unit}: [8, 14]");
    match read?.as_slice() {
        &[least, most] if 0.0 <= least && least < most && most.is_finite() => Some([least, most]),
        _ => {
            item.error("is not a range from a minimum to a maximum", help);
            None
        }
    }
}

/// A polygon, `[[x, y], ...]`, at least partly within the picture.
pub(super) fn polygon(item: &ValueReader<'_>, what: &str) -> Option<Polygon> {
    let read: Vec<_> = item.list()?.iter().map(point).collect();
    let mut corners = read.into_iter().collect::<Option<Vec<_>>>()?;
    // Drawing tools repeat the first corner at the end. Here the outline closes by itself.
    if corners.len() > 3 && corners.first() == corners.last() {
        corners.pop();
    }
    let polygon = match Polygon::new(corners) {
        Ok(polygon) => polygon,
        Err(error) => {
            let help = match error {
                PolygonError::SelfCrossing => "list the corners in order round the outline",
                _ => "at least three corners round an area: [[0.1, 0.5], [0.6, 0.5], [0.6, 0.9]]",
            };
            item.error(error.to_string(), help);
            return None;
        }
    };
    let (area, outside) = (polygon.area(), polygon.area_outside(&[picture()]));
    if outside >= area * 0.999 {
        item.error(format!("the {what} lies wholly outside the picture"), "coordinates run from 0 to 1");
        return None;
    }
    if outside > area * 0.001 {
        item.warning(
            format!("the {what} lies partly outside the picture ({:.0} %)", outside / area * 100.0),
            "coordinates run from 0 to 1; nothing is detected outside",
        );
    }
    Some(polygon)
}

/// The polygon without the holes in the list.
pub(super) fn with_holes(polygon: Polygon, list: &ValueReader<'_>) -> Option<Polygon> {
    let items = list.list()?;
    let read: Vec<_> = items.iter().map(|item| self::polygon(item, "hole")).collect();
    let holed = polygon.with_holes(read.into_iter().collect::<Option<_>>()?);
    match holed {
        Ok(holed) => Some(holed),
        Err(error) => {
            let at = match error {
                PolygonError::HoleOutside(index) | PolygonError::HolesOverlap(_, index) => items.get(index),
                _ => None,
            };
            let help = "each hole must lie within the polygon and must not overlap another hole: holes = [[[x, y], [x, y], [x, y]]]";
            at.unwrap_or(list).error(error.to_string(), help);
            None
        }
    }
}

/// The whole picture.
pub(super) fn picture() -> Polygon {
    rectangle(&BBox::new(0.0, 0.0, 1.0, 1.0))
}

/// A box as a polygon.
pub(super) fn rectangle(b: &BBox<Norm>) -> Polygon {
    let corners = [(b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1)];
    #[expect(clippy::expect_used, reason = "regions are read with area, and the picture has some")]
    Polygon::new(corners.map(|(x, y)| Point::new(x, y)).to_vec()).expect("a box with area is a polygon")
}

/// Whether any of the segment lies within the picture (Liang and Barsky's clipping, 1984).
pub(super) fn touches_picture(line: &Segment) -> bool {
    let (dx, dy) = (line.to.x - line.from.x, line.to.y - line.from.y);
    let (mut enters, mut leaves) = (0.0f32, 1.0f32);
    let edges = [(-dx, line.from.x), (dx, 1.0 - line.from.x), (-dy, line.from.y), (dy, 1.0 - line.from.y)];
    for (slope, room) in edges {
        if slope == 0.0 {
            if room < 0.0 {
                return false;
            }
        } else if slope < 0.0 {
            enters = enters.max(room / slope);
        } else {
            leaves = leaves.min(room / slope);
        }
    }
    enters <= leaves
}

/// A region, `[left, top, right, bottom]`, within the picture and with an area above zero.
pub(super) fn region(item: &ValueReader<'_>) -> Option<BBox<Norm>> {
    let [x0, y0, x1, y1] = coordinates(item, "a region is [left, top, right, bottom]")?;
    if [x0, y0, x1, y1].iter().any(|v| !(0.0..=1.0).contains(v)) {
        item.error("reaches outside the picture", "left, top, right and bottom run from 0 to 1");
        return None;
    }
    if x1 <= x0 || y1 <= y0 {
        let size = x0 + x1 <= 1.0 && y0 + y1 <= 1.0 && x1 > 0.0 && y1 > 0.0;
        let help = if size {
            let (right, bottom) = (x0 + x1, y0 + y1);
            format!("did you mean width and height? then it is [{x0}, {y0}, {right}, {bottom}]")
        } else {
            "left, top, right, bottom: right is more than left, bottom more than top".to_owned()
        };
        item.error("has no area", help);
        return None;
    }
    if x1 - x0 < 0.02 || y1 - y0 < 0.02 {
        item.error(
            "is narrower than 2 % of the picture",
            "the detector sees a region as a picture of its own",
        );
        return None;
    }
    Some(BBox::new(x0, y0, x1, y1))
}
