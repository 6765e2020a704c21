//! Simple polygons, the shape of zones.

use geo::orient::{Direction, Orient};
use geo::{Area as _, BooleanOps, CoordsIter, Validation};

use super::{Norm, Point};

/// The part of the smaller of two shapes that rounding can explain.
const SLIVER: f64 = 1e-4;

/// A simple polygon in normalised coordinates: at least three corners, edges that do not cross, an area above zero. It
/// can have holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    corners: Vec<Point<Norm>>,
    holes: Vec<Vec<Point<Norm>>>,
}

/// Why corners give no polygon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolygonError {
    /// Fewer than three.
    #[error("a polygon needs at least 3 corners, this has {0}")]
    TooFew(usize),
    /// A corner is not a number.
    #[error("corner {0} is not a finite number")]
    NotFinite(usize),
    /// Two edges cross or touch.
    #[error("its edges cross: list the corners in order round the outline")]
    SelfCrossing,
    /// All corners on one line.
    #[error("it has no area: its corners lie on one line")]
    NoArea,
    /// A hole that is not wholly within the outline, counted from 0.
    #[error("holes[{0}] reaches outside the outline")]
    HoleOutside(usize),
    /// Two holes that share area, counted from 0.
    #[error("holes[{0}] and holes[{1}] overlap")]
    HolesOverlap(usize, usize),
}

impl Polygon {
    /// Checks that the corners, in order round the outline, enclose an area once.
    pub fn new(corners: Vec<Point<Norm>>) -> Result<Self, PolygonError> {
        if corners.len() < 3 {
            return Err(PolygonError::TooFew(corners.len()));
        }
        if let Some(at) = corners.iter().position(|p| !(p.x.is_finite() && p.y.is_finite())) {
            return Err(PolygonError::NotFinite(at + 1));
        }
        let outline = geo::Polygon::new(ring(&corners), Vec::new());
        // Validation reports corners on one line as self-crossing. This reason is easier to understand.
        if outline.unsigned_area() < 1e-9 && !has_extent(&outline) {
            return Err(PolygonError::NoArea);
        }
        if !outline.is_valid() {
            return Err(PolygonError::SelfCrossing);
        }
        Ok(Self { corners, holes: Vec::new() })
    }

    /// The polygon without `holes`, each of which lies within it and shares no area with another. What holes in
    /// `holes` themselves leave out is filled.
    pub fn with_holes(self, holes: Vec<Self>) -> Result<Self, PolygonError> {
        for (index, hole) in holes.iter().enumerate() {
            if hole.area_outside(std::slice::from_ref(&self)) > hole.area() * SLIVER {
                return Err(PolygonError::HoleOutside(index));
            }
            let overlaps = |other: &Self| {
                let shared = hole.area() - hole.area_outside(std::slice::from_ref(other));
                shared > hole.area().min(other.area()) * SLIVER
            };
            if let Some(other) = holes[..index].iter().position(overlaps) {
                return Err(PolygonError::HolesOverlap(other, index));
            }
        }
        Ok(Self { corners: self.corners, holes: holes.into_iter().map(|hole| hole.corners).collect() })
    }

    /// The corners in order round the outline.
    pub fn corners(&self) -> &[Point<Norm>] {
        &self.corners
    }

    /// The outline and the outlines of the holes, each as corners in order.
    pub fn rings(&self) -> impl Iterator<Item = &[Point<Norm>]> {
        std::iter::once(self.corners.as_slice()).chain(self.holes.iter().map(Vec::as_slice))
    }

    /// Its area as a fraction of the picture's.
    pub fn area(&self) -> f64 {
        self.shape().unsigned_area()
    }

    /// The part of its area that none of `others` covers.
    pub fn area_outside(&self, others: &[Self]) -> f64 {
        let others: Vec<_> = others.iter().map(Self::shape).collect();
        geo::MultiPolygon::from(self.shape()).difference(&geo::unary_union(&others)).unsigned_area()
    }

    pub(super) fn shape(&self) -> geo::Polygon<f64> {
        let holes = self.holes.iter().map(|hole| ring(hole)).collect();
        // A union treats an outline with the opposite orientation as a hole.
        geo::Polygon::new(ring(&self.corners), holes).orient(Direction::Default)
    }

    /// True when `p` lies inside and in no hole (even-odd rule; a point on an outline may fall either way).
    pub fn contains(&self, p: Point<Norm>) -> bool {
        self.rings().fold(false, |inside, ring| inside ^ encloses(ring, p))
    }
}

fn encloses(corners: &[Point<Norm>], p: Point<Norm>) -> bool {
    let mut inside = false;
    let mut before = corners[corners.len() - 1];
    for &corner in corners {
        if (corner.y > p.y) != (before.y > p.y) {
            let crossing = before.x + (p.y - before.y) / (corner.y - before.y) * (corner.x - before.x);
            inside ^= p.x < crossing;
        }
        before = corner;
    }
    inside
}

fn ring(corners: &[Point<Norm>]) -> geo::LineString<f64> {
    corners.iter().map(|p| (f64::from(p.x), f64::from(p.y))).collect::<Vec<_>>().into()
}

/// False when all corners lie on one line.
fn has_extent(outline: &geo::Polygon<f64>) -> bool {
    let corners: Vec<_> = outline.exterior().coords_iter().collect();
    let (a, rest) = (corners[0], &corners[1..]);
    let Some(b) = rest.iter().find(|b| (b.x - a.x).hypot(b.y - a.y) > 1e-6) else { return false };
    rest.iter().any(|c| ((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)).abs() > 1e-9)
}

#[cfg(test)]
mod tests {
    use geo::Contains;
    use proptest::prelude::*;

    use super::*;

    fn polygon(corners: &[(f32, f32)]) -> Result<Polygon, PolygonError> {
        Polygon::new(corners.iter().map(|&(x, y)| Point::new(x, y)).collect())
    }

    #[test]
    fn each_way_to_draw_no_polygon_has_its_reason() {
        assert_eq!(polygon(&[(0.0, 0.0), (1.0, 0.0)]), Err(PolygonError::TooFew(2)));
        assert_eq!(polygon(&[(0.0, 0.0), (1.0, f32::NAN), (0.0, 1.0)]), Err(PolygonError::NotFinite(2)));
        assert_eq!(polygon(&[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]), Err(PolygonError::NoArea));
        let bow_tie = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)];
        assert_eq!(polygon(&bow_tie), Err(PolygonError::SelfCrossing));
    }

    #[test]
    fn what_is_covered_by_two_together_is_covered() {
        let zone = polygon(&[(0.2, 0.2), (0.8, 0.2), (0.8, 0.4), (0.2, 0.4)]).unwrap();
        let left = polygon(&[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]).unwrap();
        let right = polygon(&[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]).unwrap();
        assert!((zone.area() - 0.12).abs() < 1e-6);
        assert!((zone.area_outside(&[]) - 0.12).abs() < 1e-6);
        assert!((zone.area_outside(std::slice::from_ref(&left)) - 0.06).abs() < 1e-6);
        assert!(zone.area_outside(&[left, right]) < 1e-6);
    }

    #[test]
    fn a_hole_lies_within_the_polygon_and_is_excluded() {
        let square = |x: f32, y: f32, side: f32| {
            polygon(&[(x, y), (x + side, y), (x + side, y + side), (x, y + side)]).unwrap()
        };
        let whole = square(0.1, 0.1, 0.8);
        let holed = whole.clone().with_holes(vec![square(0.2, 0.2, 0.2), square(0.4, 0.2, 0.2)]).unwrap();
        assert!((holed.area() - 0.56).abs() < 1e-6);
        assert!(holed.contains(Point::new(0.15, 0.15)) && holed.contains(Point::new(0.7, 0.7)));
        assert!(!holed.contains(Point::new(0.3, 0.3)) && !holed.contains(Point::new(0.5, 0.3)));
        assert!((square(0.2, 0.2, 0.2).area_outside(&[holed]) - 0.04).abs() < 1e-6);
        let refused = |holes: &[Polygon]| whole.clone().with_holes(holes.to_vec()).unwrap_err();
        assert_eq!(refused(&[square(0.2, 0.2, 0.1), square(0.8, 0.5, 0.2)]), PolygonError::HoleOutside(1));
        assert_eq!(
            refused(&[square(0.2, 0.2, 0.2), square(0.3, 0.3, 0.2)]),
            PolygonError::HolesOverlap(0, 1)
        );
        assert_eq!(
            refused(&[square(0.2, 0.2, 0.3), square(0.3, 0.3, 0.1)]),
            PolygonError::HolesOverlap(0, 1)
        );
    }

    proptest! {
        #[test]
        fn inside_means_what_the_geometry_library_means(
            radii in proptest::collection::vec(0.1..0.5f32, 3..9), x in 0.0..1.0f32, y in 0.0..1.0f32,
        ) {
            // A star round the middle never crosses itself.
            let n = radii.len() as f32;
            let corners: Vec<_> = radii.iter().enumerate().map(|(i, r)| {
                let angle = i as f32 / n * std::f32::consts::TAU;
                (0.5 + r * angle.cos(), 0.5 + r * angle.sin())
            }).collect();
            let ours = polygon(&corners).unwrap();
            let ring: geo::LineString<f64> =
                corners.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect::<Vec<_>>().into();
            let theirs = geo::Polygon::new(ring, vec![]);
            prop_assert_eq!(ours.contains(Point::new(x, y)), theirs.contains(&geo::Point::new(f64::from(x), f64::from(y))));
        }
    }
}
