//! Lines, rings and labels drawn on a picture.

use std::ops::Range;

use image::{Rgb, RgbImage};

/// Letters of 5 x 7 pixels: rows from the top, the leftmost pixel in the highest of five bits.
const LETTERS: [(char, [u8; 7]); 15] = [
    ('0', [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110]),
    ('1', [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110]),
    ('2', [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111]),
    ('3', [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110]),
    ('4', [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010]),
    ('5', [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110]),
    ('6', [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110]),
    ('7', [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000]),
    ('8', [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110]),
    ('9', [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100]),
    ('.', [0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100]),
    ('E', [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111]),
    ('N', [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001]),
    ('S', [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110]),
    ('W', [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001]),
];

/// A picture with what was drawn on it, and the places of its labels.
pub(super) struct Drawing {
    picture: RgbImage,
    labels: Vec<[f32; 4]>,
}

impl Drawing {
    pub(super) fn new(picture: RgbImage) -> Self {
        Self { picture, labels: Vec::new() }
    }

    pub(super) fn into_picture(self) -> RgbImage {
        self.picture
    }

    /// A straight line with smooth edges.
    pub(super) fn line(&mut self, a: [f32; 2], b: [f32; 2], colour: [u8; 3], thick: f32, opaque: f32) {
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let square = (dx * dx + dy * dy).max(1e-6);
        let distance = |x: f32, y: f32| {
            let along = (((x - a[0]) * dx + (y - a[1]) * dy) / square).clamp(0.0, 1.0);
            (x - a[0] - along * dx).hypot(y - a[1] - along * dy)
        };
        let low = [a[0].min(b[0]), a[1].min(b[1])];
        let high = [a[0].max(b[0]), a[1].max(b[1])];
        self.brush(low, high, colour, thick, opaque, distance);
    }

    /// A circle, not filled.
    pub(super) fn ring(&mut self, middle: [f32; 2], radius: f32, colour: [u8; 3], thick: f32) {
        let distance = |x: f32, y: f32| ((x - middle[0]).hypot(y - middle[1]) - radius).abs();
        let [low, high] = [-radius, radius].map(|r| middle.map(|m| m + r));
        self.brush(low, high, colour, thick, 1.0, distance);
    }

    /// Halves the brightness of a rectangle.
    pub(super) fn darken(&mut self, across: Range<u32>, down: Range<u32>) {
        for y in down.start..down.end.min(self.picture.height()) {
            for x in across.start..across.end.min(self.picture.width()) {
                self.picture.get_pixel_mut(x, y).0.iter_mut().for_each(|part| *part /= 2);
            }
        }
    }

    /// Writes `text` in [`LETTERS`] on a dark background, with its upper left corner at `at`. An `optional` label is left
    /// out where it would cover another.
    pub(super) fn label(&mut self, at: [f32; 2], text: &str, colour: [u8; 3], unit: f32, optional: bool) {
        let dot = (2.0 * unit).round().max(1.0);
        let (width, height) = (text.chars().count() as f32 * 6.0 * dot, 8.0 * dot);
        let [x, y] = at.map(f32::round);
        let frame = [x, y, x + width + dot, y + height + dot];
        let overlaps = |other: &[f32; 4]| {
            frame[0] < other[2] && other[0] < frame[2] && frame[1] < other[3] && other[1] < frame[3]
        };
        if optional && self.labels.iter().any(overlaps) {
            return;
        }
        self.labels.push(frame);
        self.fill(frame, [0; 3], 0.55);
        for (index, letter) in text.chars().enumerate() {
            let Some((_, rows)) = LETTERS.iter().find(|(known, _)| *known == letter) else { continue };
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    let left = x + dot + (index as f32 * 6.0 + column as f32) * dot;
                    let top = y + dot + row as f32 * dot;
                    self.fill([left, top, left + dot, top + dot], colour, 1.0);
                }
            }
        }
    }

    fn fill(&mut self, [x0, y0, x1, y1]: [f32; 4], colour: [u8; 3], opaque: f32) {
        for y in y0.max(0.0) as u32..y1.max(0.0) as u32 {
            for x in x0.max(0.0) as u32..x1.max(0.0) as u32 {
                self.blend(x, y, colour, opaque);
            }
        }
    }

    /// Colours the pixels whose `distance` from a shape is at most half of `thick`; `low` and `high` are the corners of the
    /// shape's bounding box.
    fn brush(
        &mut self,
        low: [f32; 2],
        high: [f32; 2],
        colour: [u8; 3],
        thick: f32,
        opaque: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        let first = low.map(|v| (v - thick - 1.0).max(0.0) as u32);
        let last = high.map(|v| (v + thick + 1.0).max(0.0) as u32);
        for y in first[1]..last[1].min(self.picture.height()) {
            for x in first[0]..last[0].min(self.picture.width()) {
                let inside = thick / 2.0 + 0.5 - distance(x as f32 + 0.5, y as f32 + 0.5);
                if inside > 0.0 {
                    self.blend(x, y, colour, opaque * inside.min(1.0));
                }
            }
        }
    }

    fn blend(&mut self, x: u32, y: u32, colour: [u8; 3], opaque: f32) {
        if let Some(Rgb(pixel)) = self.picture.get_pixel_mut_checked(x, y) {
            for (part, new) in pixel.iter_mut().zip(colour) {
                *part = (f32::from(*part) + (f32::from(new) - f32::from(*part)) * opaque).round() as u8;
            }
        }
    }
}
