//! Drawing functions for the fixed background of a scene.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::noise::NoiseField;

/// A part of a picture: left, top, width and height in pixels.
pub(crate) type Part = [u32; 4];

/// Blends two colours; `t` = 0 gives the first.
pub(crate) fn blend(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * t.clamp(0.0, 1.0))
}

pub(crate) fn colour(v: [f32; 3]) -> Rgb<u8> {
    Rgb(v.map(|c| c.round().clamp(0.0, 255.0) as u8))
}

pub(crate) fn value(p: Rgb<u8>) -> [f32; 3] {
    p.0.map(f32::from)
}

/// Fills rows `from..to` with a gradient.
pub(crate) fn gradient(on: &mut RgbImage, from: u32, to: u32, top: [f32; 3], low: [f32; 3]) {
    for y in from..to {
        let c = colour(blend(top, low, (y - from) as f32 / (to - from).max(1) as f32));
        for x in 0..on.width() {
            on.put_pixel(x, y, c);
        }
    }
}

/// Pastes `part` of a photograph, scaled to `size`, with its left edge at `x` and its lower edge at row `foot`. It fades in
/// over `soft` pixels from its left edge.
pub(crate) fn paste(
    on: &mut RgbImage,
    photo: &RgbImage,
    part: Part,
    size: (u32, u32),
    x: u32,
    foot: u32,
    soft: u32,
) {
    let piece = imageops::crop_imm(photo, part[0], part[1], part[2], part[3]).to_image();
    let piece = imageops::resize(&piece, size.0, size.1, FilterType::CatmullRom);
    for (px, py, p) in piece.enumerate_pixels() {
        let (tx, ty) = (x + px, foot - size.1 + py);
        if tx < on.width() {
            let t = if soft == 0 { 1.0 } else { px as f32 / soft as f32 };
            let under = value(*on.get_pixel(tx, ty));
            on.put_pixel(tx, ty, colour(blend(under, value(*p), t)));
        }
    }
}

/// Reflects the rows above `line` in the water below it, over `depth` rows and with less and less strength.
pub(crate) fn reflect(on: &mut RgbImage, line: u32, depth: u32, strength: f32) {
    for row in 0..depth.min(line) {
        let t = strength * (1.0 - row as f32 / depth as f32);
        for x in 0..on.width() {
            let above = value(*on.get_pixel(x, line - 1 - row));
            let under = value(*on.get_pixel(x, line + row));
            on.put_pixel(x, line + row, colour(blend(under, above, t)));
        }
    }
}

/// Draws a quay of rough stone between two rows.
pub(crate) fn quay(on: &mut RgbImage, from: u32, to: u32, stone: [f32; 3]) {
    let field = NoiseField(41);
    for y in from..to {
        let row = (y - from) / 9;
        for x in 0..on.width() {
            let brick = (x + (row % 2) * 17) / 34;
            let joint = (x + (row % 2) * 17) % 34 < 2 || (y - from).is_multiple_of(9);
            let shade =
                1.0 + 0.16 * field.at(brick as f32 * 1.7, row as f32 * 1.3) - if joint { 0.22 } else { 0.0 };
            // Weed makes the foot darker.
            let wet = 1.0 - 0.45 * ((y - from) as f32 / (to - from) as f32).powi(2);
            let edge = if y - from < 4 { 1.35 } else { 1.0 };
            on.put_pixel(x, y, colour(stone.map(|c| c * shade * wet * edge)));
        }
    }
}

/// Changes the colour of rows `from..to`.
pub(crate) fn grade(on: &mut RgbImage, from: u32, to: u32, change: impl Fn(u32, u32, [f32; 3]) -> [f32; 3]) {
    for y in from..to {
        for x in 0..on.width() {
            let p = value(*on.get_pixel(x, y));
            on.put_pixel(x, y, colour(change(x, y, p)));
        }
    }
}
