//! The area of a rule: one zone or several.

use geo::Area as _;

use super::{BBox, Norm, Point, Polygon};

/// One or more polygons, which may overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    polygons: Vec<Polygon>,
}

impl From<Polygon> for Area {
    fn from(polygon: Polygon) -> Self {
        Self { polygons: vec![polygon] }
    }
}

impl Area {
    /// The union of `areas`; `None` without any.
    pub fn union<'a>(areas: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let polygons: Vec<_> = areas.into_iter().flat_map(|area| area.polygons.iter().cloned()).collect();
        (!polygons.is_empty()).then_some(Self { polygons })
    }

    /// Never empty.
    pub fn polygons(&self) -> &[Polygon] {
        &self.polygons
    }

    /// True when `p` lies in one of the polygons.
    pub fn contains(&self, p: Point<Norm>) -> bool {
        self.polygons.iter().any(|polygon| polygon.contains(p))
    }

    /// Its area as a fraction of the picture's. Overlaps count once.
    pub fn area(&self) -> f64 {
        self.shape().unsigned_area()
    }

    /// The part of [`Self::area`] that none of `others` covers.
    pub fn area_outside(&self, others: &[Polygon]) -> f64 {
        let others: Vec<_> = others.iter().map(Polygon::shape).collect();
        geo::BooleanOps::difference(&self.shape(), &geo::unary_union(&others)).unsigned_area()
    }

    /// The smallest box around it.
    pub fn bounds(&self) -> BBox<Norm> {
        let corners = self.polygons.iter().flat_map(Polygon::corners);
        let boxes = corners.map(|corner| BBox::new(corner.x, corner.y, corner.x, corner.y));
        boxes.reduce(|all, one| all.union(&one)).unwrap_or(BBox::new(0.0, 0.0, 1.0, 1.0))
    }

    fn shape(&self) -> geo::MultiPolygon<f64> {
        let shapes: Vec<_> = self.polygons.iter().map(Polygon::shape).collect();
        geo::unary_union(&shapes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_counts_shared_area_once() {
        let square = |x: f32, side: f32| {
            let corners = [(x, 0.2), (x + side, 0.2), (x + side, 0.2 + side), (x, 0.2 + side)];
            Polygon::new(corners.map(|(x, y)| Point::new(x, y)).to_vec()).unwrap()
        };
        let (left, right) = (Area::from(square(0.1, 0.4)), Area::from(square(0.3, 0.4)));
        let both = Area::union([&left, &right]).unwrap();
        assert!(both.contains(Point::new(0.15, 0.3)) && both.contains(Point::new(0.65, 0.3)));
        assert!(!both.contains(Point::new(0.75, 0.3)));
        assert!((both.area() - 0.24).abs() < 1e-6);
        assert!((both.area_outside(&[square(0.1, 0.4)]) - 0.08).abs() < 1e-6);
        assert_eq!(Area::union([]), None);
    }
}
