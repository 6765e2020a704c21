//! Small objects that are not vessels: buoys, gulls, old wakes, drops on the lens.

use crate::noise::NoiseField;
use crate::picture::Sprite;

/// A round patch of light that hides nothing; `strength` is its opacity in the middle, 0 to 255.
pub(super) fn veil(radius: f32, colour: [f32; 3], strength: f32) -> Sprite {
    let side = (radius * 2.0) as u32 + 1;
    Sprite::new(&image::RgbaImage::from_fn(side, side, |x, y| {
        let off = ((x as f32 - radius).powi(2) + (y as f32 - radius).powi(2)).sqrt() / radius;
        let fade = (1.0 - off).clamp(0.0, 1.0);
        let [r, g, b] = colour.map(|c| c as u8);
        image::Rgba([r, g, b, (strength * fade.powf(0.8)) as u8])
    }))
}

/// A buoy: a can with a pole, `side` pixels wide.
pub(super) fn buoy(side: f32, colour: [f32; 3]) -> Sprite {
    let (width, height) = (side.ceil() as u32, (side * 1.6).ceil() as u32);
    Sprite::new(&image::RgbaImage::from_fn(width, height, |x, y| {
        let (across, down) = (x as f32 / side * 2.0 - 1.0, y as f32 / height as f32);
        let pole = down < 0.45 && across.abs() < 0.18;
        let can = down >= 0.45 && across.abs() < 0.55 + 0.45 * (down - 0.45);
        let shade = 1.0 - 0.35 * (across + 0.3).abs();
        let [r, g, b] = colour.map(|c| (c * shade).clamp(0.0, 255.0) as u8);
        image::Rgba([r, g, b, if pole || can { 255 } else { 0 }])
    }))
}

/// A gull: `side` pixels from wing tip to wing tip, or from bill to tail when it sits.
pub(super) fn gull(side: f32, sits: bool, colour: [f32; 3]) -> Sprite {
    let (width, height) = (side.ceil() as u32, (side * 0.5).ceil() as u32);
    Sprite::new(&image::RgbaImage::from_fn(width, height, |x, y| {
        let (across, down) = (x as f32 / side * 2.0 - 1.0, y as f32 / height as f32 * 2.0 - 1.0);
        let body = (across / if sits { 0.9 } else { 0.3 }).powi(2) + ((down - 0.4) / 0.45).powi(2) < 1.0;
        let wing = !sits && (down - (0.5 - 1.1 * across.abs().sqrt())).abs() < 0.26 * (1.1 - across.abs());
        let head = sits && (across - 0.7).hypot(0.5 * (down + 0.3)) < 0.2;
        let shade = if across.abs() > 0.8 { 0.35 } else { 1.0 - 0.25 * (down + 1.0) / 2.0 };
        let [r, g, b] = colour.map(|c| (c * shade).clamp(0.0, 255.0) as u8);
        image::Rgba([r, g, b, if body || wing || head { 255 } else { 0 }])
    }))
}

/// Foam that a vessel left behind minutes ago.
pub(super) fn old_wake(size: [f32; 2], foam: f32, seed: u64) -> Sprite {
    let field = NoiseField(seed);
    Sprite::new(&image::RgbaImage::from_fn(size[0] as u32, size[1] as u32, |x, y| {
        let (along, across) = (x as f32 / size[0] * 2.0 - 1.0, y as f32 / size[1] * 2.0 - 1.0);
        let body = (1.0 - along.powi(2)).max(0.0) * (1.0 - across.powi(2)).max(0.0);
        let froth = 0.5 + 0.5 * field.at(x as f32 / 11.0, y as f32 / 2.6);
        image::Rgba([foam as u8, foam as u8, foam as u8, (body * froth * 150.0) as u8])
    }))
}
