//! Axis-aligned boxes.

use std::marker::PhantomData;

use super::Point;

/// An axis-aligned box in unit `U`, `x0 <= x1` and `y0 <= y1` by construction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BBox<U> {
    /// Left edge.
    pub x0: f32,
    /// Top edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Bottom edge.
    pub y1: f32,
    unit: PhantomData<U>,
}

impl<U: Copy> BBox<U> {
    /// The box between two opposite corners, given in any order.
    pub const fn new(xa: f32, ya: f32, xb: f32, yb: f32) -> Self {
        Self { x0: xa.min(xb), y0: ya.min(yb), x1: xa.max(xb), y1: ya.max(yb), unit: PhantomData }
    }

    /// A box from its top left corner and its extent.
    pub fn from_xywh(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self::new(x, y, x + width, y + height)
    }

    /// Width in unit `U`.
    pub fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    /// Height in unit `U`.
    pub fn height(&self) -> f32 {
        self.y1 - self.y0
    }

    /// The larger of width and height.
    pub fn longer_side(&self) -> f32 {
        self.width().max(self.height())
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The middle.
    pub fn centre(&self) -> Point<U> {
        Point::new((self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0)
    }

    /// Where a vessel meets the water: the middle of the lower edge, the anchor for zones and lines.
    pub fn waterline(&self) -> Point<U> {
        Point::new((self.x0 + self.x1) / 2.0, self.y1)
    }

    /// True when every edge is a finite number.
    pub fn is_finite(&self) -> bool {
        [self.x0, self.y0, self.x1, self.y1].iter().all(|v| v.is_finite())
    }

    /// The part within `other`; `None` when they share no area.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x0, y0) = (self.x0.max(other.x0), self.y0.max(other.y0));
        let (x1, y1) = (self.x1.min(other.x1), self.y1.min(other.y1));
        (x0 < x1 && y0 < y1).then(|| Self::new(x0, y0, x1, y1))
    }

    /// The smallest box around both.
    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.x0.min(other.x0), self.y0.min(other.y0), self.x1.max(other.x1), self.y1.max(other.y1))
    }

    /// Shared area over joint area, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other).map_or(0.0, |b| b.area());
        let joint = self.area() + other.area() - shared;
        if joint > 0.0 { shared / joint } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::Px;

    fn any_box() -> impl Strategy<Value = BBox<Px>> {
        (-100.0..2000.0f32, -100.0..1200.0f32, 0.0..500.0f32, 0.0..500.0f32)
            .prop_map(|(x, y, w, h)| BBox::from_xywh(x, y, w, h))
    }

    proptest! {
        #[test]
        fn overlap_is_symmetric_and_between_zero_and_one(a in any_box(), b in any_box()) {
            let iou = a.iou(&b);
            prop_assert!((0.0..=1.0 + 1e-5).contains(&iou));
            prop_assert_eq!(iou, b.iou(&a));
        }

        #[test]
        fn a_union_holds_both(a in any_box(), b in any_box()) {
            let u = a.union(&b);
            prop_assert!(u.x0 <= a.x0.min(b.x0) && u.y1 >= a.y1.max(b.y1));
        }
    }

    #[test]
    fn iou_is_one_with_itself_and_zero_apart() {
        let a = BBox::<Px>::new(10.0, 10.0, 30.0, 20.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&BBox::new(30.0, 10.0, 40.0, 20.0)), 0.0);
        assert_eq!(a.iou(&BBox::new(20.0, 10.0, 40.0, 20.0)), 1.0 / 3.0);
    }
}
