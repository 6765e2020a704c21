//! Lamps and their reflections on the water.

use image::{Rgba, RgbaImage};

use crate::picture::Sprite;

/// A soft round light of `radius` pixels.
pub(crate) fn glow(radius: f32, colour: [f32; 3]) -> Sprite {
    let side = (radius * 2.0).ceil() as u32 + 1;
    Sprite::new(&RgbaImage::from_fn(side, side, |x, y| {
        let d = ((x as f32 - radius).powi(2) + (y as f32 - radius).powi(2)).sqrt() / radius;
        let core = (1.0 - d * 3.2).clamp(0.0, 1.0);
        let halo = (1.0 - d).clamp(0.0, 1.0).powi(2) * 0.55;
        let white = |c: f32| (c + (255.0 - c) * core) as u8;
        Rgba([white(colour[0]), white(colour[1]), white(colour[2]), ((core + halo).min(1.0) * 255.0) as u8])
    }))
}

/// The long reflection of a light on the water, `width` x `length` pixels.
pub(crate) fn streak(width: f32, length: f32, colour: [f32; 3], strength: f32) -> Sprite {
    Sprite::new(&RgbaImage::from_fn(width.ceil() as u32 + 1, length.ceil() as u32, |x, y| {
        let across = (x as f32 - width / 2.0) / (width / 2.0);
        let fade = (1.0 - y as f32 / length).powf(1.3) * (1.0 - across * across).clamp(0.0, 1.0);
        Rgba([colour[0] as u8, colour[1] as u8, colour[2] as u8, (fade * strength * 255.0) as u8])
    }))
}
