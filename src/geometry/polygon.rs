//! Simple polygons, as technicians draw zones.

use geo::{Area, BooleanOps, CoordsIter, Validation};

use super::{Norm, Point};

/// A simple polygon in normalised coordinates: at least three corners, edges that do not cross, some area.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    corners: Vec<Point<Norm>>,
}

/// Why corners do not make a polygon.
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
        let outline = outline(&corners);
        // Corners on one line make a ring that validation calls self-crossing; the plainer reason comes first.
        if outline.unsigned_area() < 1e-9 && !has_extent(&outline) {
            return Err(PolygonError::NoArea);
        }
        if !outline.is_valid() {
            return Err(PolygonError::SelfCrossing);
        }
        Ok(Self { corners })
    }

    /// The corners in order round the outline.
    pub fn corners(&self) -> &[Point<Norm>] {
        &self.corners
    }

    /// Its area as a fraction of the picture's.
    pub fn area(&self) -> f64 {
        self.outline().unsigned_area()
    }

    /// The part of its area that none of `others` covers.
    pub fn area_outside(&self, others: &[Self]) -> f64 {
        let outlines: Vec<_> = others.iter().map(Self::outline).collect();
        geo::MultiPolygon::from(self.outline()).difference(&geo::unary_union(&outlines)).unsigned_area()
    }

    fn outline(&self) -> geo::Polygon<f64> {
        outline(&self.corners)
    }

    /// True when `p` lies inside (even-odd rule; a point on the outline may fall either way).
    pub fn contains(&self, p: Point<Norm>) -> bool {
        let mut inside = false;
        let mut before = self.corners[self.corners.len() - 1];
        for &corner in &self.corners {
            if (corner.y > p.y) != (before.y > p.y) {
                let crossing = before.x + (p.y - before.y) / (corner.y - before.y) * (corner.x - before.x);
                inside ^= p.x < crossing;
            }
            before = corner;
        }
        inside
    }
}

fn outline(corners: &[Point<Norm>]) -> geo::Polygon<f64> {
    let ring: geo::LineString<f64> =
        corners.iter().map(|p| (f64::from(p.x), f64::from(p.y))).collect::<Vec<_>>().into();
    geo::Polygon::new(ring, Vec::new())
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
