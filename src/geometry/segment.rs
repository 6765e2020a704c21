//! Directed line segments, the shape of lines.

use super::{Norm, Point};

/// A directed segment in normalised coordinates; `from` and `to` differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Where it begins.
    pub from: Point<Norm>,
    /// Where it ends.
    pub to: Point<Norm>,
}

/// A side of a segment, as seen when going from `from` to `to` in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

impl Segment {
    /// A segment, or `None` when both ends are (nearly) one point or not finite.
    pub fn new(from: Point<Norm>, to: Point<Norm>) -> Option<Self> {
        let length = from.distance(to);
        (length.is_finite() && length > 1e-4).then_some(Self { from, to })
    }

    /// Length in normalised units.
    pub fn length(&self) -> f32 {
        self.from.distance(self.to)
    }

    /// Distance of `p` from the nearest point of the segment.
    pub fn distance(&self, p: Point<Norm>) -> f32 {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let along = ((p.x - self.from.x) * dx + (p.y - self.from.y) * dy) / (dx * dx + dy * dy);
        let along = along.clamp(0.0, 1.0);
        p.distance(Point::new(self.from.x + along * dx, self.from.y + along * dy))
    }

    /// Distance of `p` from the infinite line through the segment: positive on the right, negative on the left.
    pub fn signed_distance(&self, p: Point<Norm>) -> f32 {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        // y grows downward, so a positive cross product is clockwise: the right hand.
        (dx * (p.y - self.from.y) - dy * (p.x - self.from.x)) / self.length()
    }

    /// Which side `p` is on, once it is farther than `dead_band` from the line.
    pub fn side(&self, p: Point<Norm>, dead_band: f32) -> Option<Side> {
        let distance = self.signed_distance(p);
        if distance > dead_band {
            Some(Side::Right)
        } else if distance < -dead_band {
            Some(Side::Left)
        } else {
            None
        }
    }

    /// True when the path from `a` to `b` crosses the segment itself, not only the infinite line through it.
    pub fn is_crossed_by(&self, a: Point<Norm>, b: Point<Norm>) -> bool {
        let (da, db) = (self.signed_distance(a), self.signed_distance(b));
        if (da > 0.0) == (db > 0.0) {
            return false;
        }
        let along = da / (da - db);
        let at = Point::<Norm>::new(a.x + along * (b.x - a.x), a.y + along * (b.y - a.y));
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let position = ((at.x - self.from.x) * dx + (at.y - self.from.y) * dy) / (dx * dx + dy * dy);
        (0.0..=1.0).contains(&position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Point<Norm>> {
        (0.0..1.0f32, 0.0..1.0f32).prop_map(|(x, y)| Point::new(x, y))
    }

    #[test]
    fn left_and_right_are_the_walkers() {
        let up = Segment::new(Point::new(0.5, 1.0), Point::new(0.5, 0.0)).unwrap();
        assert_eq!(up.side(Point::new(0.8, 0.5), 0.0), Some(Side::Right));
        assert_eq!(up.side(Point::new(0.2, 0.5), 0.0), Some(Side::Left));
        assert_eq!(up.side(Point::new(0.51, 0.5), 0.02), None);
    }

    #[test]
    fn passing_beyond_the_end_is_no_crossing() {
        let line = Segment::new(Point::new(0.5, 0.4), Point::new(0.5, 0.6)).unwrap();
        assert!(line.is_crossed_by(Point::new(0.4, 0.5), Point::new(0.6, 0.5)));
        assert!(!line.is_crossed_by(Point::new(0.4, 0.7), Point::new(0.6, 0.7)));
    }

    proptest! {
        #[test]
        fn crossing_is_the_same_in_both_directions(a in point(), b in point(), c in point(), d in point()) {
            if let Some(line) = Segment::new(a, b) {
                // A path that starts on the line to within rounding may count from one end only.
                prop_assume!(line.signed_distance(c).abs() > 1e-4 && line.signed_distance(d).abs() > 1e-4);
                let there = line.is_crossed_by(c, d);
                let back = line.is_crossed_by(d, c);
                let grazes = [line.from, line.to].iter().any(|&end| {
                    Segment::new(c, d).is_some_and(|path| path.signed_distance(end).abs() < 1e-4)
                });
                prop_assert!(there == back || grazes);
            }
        }
    }
}
