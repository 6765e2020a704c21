//! A bridge in front of the vessels: a deck over the water, and a pier that hides the vessels behind it.

use image::{Rgba, RgbaImage};

use super::style::Style;
use crate::composition::Foreground;
use crate::noise::NoiseField;
use crate::picture::Sprite;

/// The first and the last column of a pier, in pixels of the drawing.
pub(super) type Pier = [f32; 2];

/// The deck and the pier; nothing without a pier.
pub(super) fn foreground(style: &Style, pier: Option<Pier>) -> Vec<Foreground> {
    let Some([left, right]) = pier else { return Vec::new() };
    let (width, height) = style.canvas.whole();
    let unit = style.canvas.unit;
    let concrete = [136.0, 134.0, 130.0];
    let lit = [0, 1, 2].map(|c| (concrete[c] * style.ambient[c]).max(14.0));
    let field = NoiseField(u64::from(width) ^ left.to_bits() as u64);
    let tone = |x: u32, y: u32, shade: f32| {
        let stain =
            1.0 + 0.1 * field.at(x as f32 / 14.0, y as f32 / 60.0) + 0.04 * field.at(x as f32, y as f32);
        let [r, g, b] = lit.map(|c| (c * stain * shade).clamp(0.0, 255.0) as u8);
        Rgba([r, g, b, 255])
    };
    let (top, thick) = (style.canvas.shore * 0.52, 34.0 * unit);
    let deck = RgbaImage::from_fn(width, (thick + 14.0 * unit) as u32, |x, y| {
        let rail = 14.0 * unit;
        let (row, post) = (y as f32, (x as f32 / unit) as u32 % 26 < 2);
        match row {
            row if row >= rail + thick * 0.8 => tone(x, y, 0.45),
            row if row >= rail => tone(x, y, 1.0),
            row if row < 3.0 * unit || post => tone(x, y, 0.6),
            _ => Rgba([0; 4]),
        }
    });
    let base = height as f32 - top - thick;
    let column = RgbaImage::from_fn((right - left) as u32, base as u32, |x, y| {
        // A round pier: lit on one side, dark on the other, with weed at its foot.
        let across = x as f32 / (right - left);
        let wet = if y as f32 > base * 0.86 { 0.55 } else { 1.0 };
        tone(x + left as u32, y, (1.12 - 0.55 * across) * wet)
    });
    vec![
        Foreground { sprite: Sprite::new(&column), at: [left as i32, (top + thick) as i32] },
        Foreground { sprite: Sprite::new(&deck), at: [0, (top - 14.0 * unit) as i32] },
    ]
}
