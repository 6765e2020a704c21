//! Points, boxes, polygons, segments, and calibrations to the ground. No I/O, no clock.
//!
//! A unit is part of the type: [`Px`] for pixels of one frame, [`Norm`] for fractions of its width and height
//! (0,0 top left; 1,1 bottom right), the unit of zones, and [`Metre`] for the ground. Mixing units does
//! not compile.

mod area;
mod bbox;
mod calibration;
mod homography;
pub(crate) mod matrix;
mod polygon;
mod segment;
mod survey;
#[cfg(test)]
pub(crate) mod testing;

use std::marker::PhantomData;

pub use area::Area;
pub use bbox::BBox;
pub use calibration::{Calibration, CalibrationError, Fix, Residual};
pub use polygon::{Polygon, PolygonError};
pub use segment::{Segment, Side};
pub use survey::{Origin, Survey};

/// Unit: pixels of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Px;

/// Unit: fractions of a frame's width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm;

/// Unit: metres on the ground, x eastward and y northward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metre;

/// A point in unit `U`; y grows downward in pictures, northward on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<U> {
    /// To the right; east on the ground.
    pub x: f32,
    /// Down; north on the ground.
    pub y: f32,
    unit: PhantomData<U>,
}

impl<U> Point<U> {
    /// A point at (`x`, `y`).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y, unit: PhantomData }
    }

    /// Euclidean distance in unit `U`.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Width and height of a frame in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl FrameSize {
    /// From pixels to fractions.
    pub fn normalise(self, p: Point<Px>) -> Point<Norm> {
        Point::new(p.x / self.width as f32, p.y / self.height as f32)
    }

    /// From fractions to pixels.
    pub fn to_pixels(self, p: Point<Norm>) -> Point<Px> {
        Point::new(p.x * self.width as f32, p.y * self.height as f32)
    }

    /// A normalised box in pixels.
    pub fn box_to_pixels(self, b: BBox<Norm>) -> BBox<Px> {
        let (w, h) = (self.width as f32, self.height as f32);
        BBox::new(b.x0 * w, b.y0 * h, b.x1 * w, b.y1 * h)
    }

    /// The whole picture.
    pub fn bounds(self) -> BBox<Px> {
        BBox::new(0.0, 0.0, self.width as f32, self.height as f32)
    }

    /// A box in pixels in fractions.
    pub fn box_to_fractions(self, b: BBox<Px>) -> BBox<Norm> {
        let (w, h) = (self.width as f32, self.height as f32);
        BBox::new(b.x0 / w, b.y0 / h, b.x1 / w, b.y1 / h)
    }
}
