//! How a vessel looks at one length: its hull in the light of the scene, its wake, its lamps.

use image::{Rgba, RgbaImage};

use crate::composition::Light;
use crate::lights::{glow, streak};
use crate::noise::NoiseField;
use crate::picture::{Picture, Sprite, scaled};
use crate::vessel::Vessel;
use crate::weather::{WakeSize, Weather};

/// How a vessel looks at one length.
#[derive(Debug)]
pub(crate) struct Appearance {
    /// The part above the waterline.
    pub(crate) hull: Sprite,
    wake: Sprite,
    lamps: Vec<LampSprites>,
    /// How strongly the water reflects the hull, 0 to 1.
    reflectivity: f32,
}

/// A lit lamp.
#[derive(Debug)]
struct LampSprites {
    glow: Sprite,
    reflection: Sprite,
    /// The middle of the glow, from the top left corner of the hull, in pixels.
    at: [i32; 2],
    /// Height above the waterline, in pixels.
    height: i32,
}

impl Appearance {
    /// Makes the appearance of `vessel` from the `drawing` of the whole vessel, at `length` pixels and with its waterline at
    /// row `water`.
    pub(crate) fn new(
        drawing: &RgbaImage,
        vessel: &Vessel,
        length: u32,
        water: f32,
        light: &Light,
        weather: &Weather,
    ) -> Self {
        let height = (drawing.height() * length / drawing.width()).max(2);
        let mut hull = scaled(drawing, length, height);
        let afloat = ((height as f32 * (1.0 - vessel.drawing.draught())) as u32).max(1);
        hull = image::imageops::crop_imm(&hull, 0, 0, length, afloat).to_image();
        if !vessel.to_right {
            image::imageops::flip_horizontal_in_place(&mut hull);
        }
        let lamps_at: Vec<[f32; 2]> = vessel
            .lamps
            .iter()
            .map(|lamp| {
                let across = if vessel.to_right { lamp.at[0] } else { 1.0 - lamp.at[0] };
                [across * length as f32, lamp.at[1] * height as f32]
            })
            .collect();
        light_hull(&mut hull, vessel.tint, &lamps_at, water, light, weather);
        let lamps = vessel.lamps.iter().zip(&lamps_at).map(|(lamp, &[x, y])| {
            let size = (lamp.glow * length as f32).max(4.0);
            LampSprites {
                glow: glow(size, lamp.colour),
                reflection: streak(size * 0.5, size * 1.8, lamp.colour, 0.32),
                at: [x as i32, y as i32],
                height: (afloat as f32 - y).max(0.0) as i32,
            }
        });
        let lamps = lamps.collect();
        let foam = [f32::from(light.foam); 3];
        let foam = weather.haze.map_or(foam, |haze| haze.over(water, foam));
        let wake = wake(length, vessel, foam.map(|c| c as u8), weather.wake);
        Self { hull: Sprite::new(&hull), wake, lamps, reflectivity: weather.reflectivity }
    }

    /// Draws the vessel with its wake, its reflection and its lamps, with its left edge at `left` and its waterline at row
    /// `water`.
    pub(crate) fn draw_on(&self, picture: &mut Picture, left: i32, water: i32, seconds: f32, speed: f32) {
        let hull = &self.hull;
        let ripple = |row: usize| {
            let row = row as f32;
            ((row * 0.35 + seconds * 3.0).sin() * (1.0 + row * 0.03)).round() as i32
        };
        let depth = hull.height as f32 * 0.45;
        hull.draw_rows(picture, left, water, true, &|row| {
            (ripple(row), self.reflectivity * (1.0 - row as f32 / depth))
        });
        for lamp in &self.lamps {
            let x = left + lamp.at[0] - lamp.reflection.width as i32 / 2;
            lamp.reflection.draw_rows(picture, x, water + lamp.height / 3, false, &|row| {
                (ripple(row) * 2, 0.75 + 0.25 * (row as f32 * 0.5 + seconds * 5.0).sin())
            });
        }
        let strength = (speed.abs() / 60.0).min(1.2);
        if strength > 0.05 {
            let wake = &self.wake;
            let wake_left = if speed > 0.0 {
                left + hull.tight[2] as i32 - wake.width as i32
            } else {
                left + hull.tight[0] as i32
            };
            let above = wake.height as i32 / 3;
            wake.draw_rows(picture, wake_left, water - above, false, &|_| (0, strength.min(1.0)));
        }
        let top = water - hull.height as i32;
        hull.draw_on(picture, left, top);
        for LampSprites { glow, at: [x, y], .. } in &self.lamps {
            glow.draw_on(picture, left + x - glow.width as i32 / 2, top + y - glow.height as i32 / 2);
        }
    }
}

/// Changes the colours of a hull to what sky, lamps and fog make of them.
fn light_hull(
    hull: &mut RgbaImage,
    tint: [f32; 3],
    lamps_at: &[[f32; 2]],
    water: f32,
    light: &Light,
    weather: &Weather,
) {
    let reach = hull.width() as f32 * 0.22;
    for (x, y, p) in hull.enumerate_pixels_mut() {
        let near_lamps: f32 = lamps_at
            .iter()
            .map(|[lx, ly]| {
                let d = ((x as f32 - lx).powi(2) + (y as f32 - ly).powi(2)) / (reach * reach);
                (-d).exp()
            })
            .sum();
        let warm = [1.0, 0.86, 0.62];
        for c in 0..3 {
            let gain = light.sky[c] + light.deck * near_lamps.min(1.4) * warm[c];
            p[c] = (f32::from(p[c]) * tint[c] * gain).clamp(0.0, 255.0) as u8;
        }
        if let Some(haze) = &weather.haze {
            let through = haze.over(water, [p[0], p[1], p[2]].map(f32::from));
            for c in 0..3 {
                p[c] = through[c].round() as u8;
            }
        }
    }
}

/// Foam along the hull and a trail behind it that fades.
fn wake(length: u32, vessel: &Vessel, foam: [u8; 3], size: WakeSize) -> Sprite {
    let (width, height) = (length as f32 * size.length, (length as f32 * size.breadth).max(6.0));
    let field = NoiseField(u64::from(vessel.id) * 77);
    Sprite::new(&RgbaImage::from_fn(width as u32, height as u32, |x, y| {
        // 0 at the bow, 1 at the end of the trail.
        let back = if vessel.to_right { 1.0 - x as f32 / width } else { x as f32 / width };
        let down = y as f32 / height;
        let thick = 0.35 + 0.5 * back;
        let body = (1.0 - ((down - 0.45) / thick).powi(2)).max(0.0);
        let fade = (1.0 - back).powf(1.2) * (back * 30.0).min(1.0);
        let froth = 0.6 + 0.4 * field.at(x as f32 / 9.0, y as f32 / 2.5);
        Rgba([foam[0], foam[1], foam[2], (body * fade * froth * 190.0) as u8])
    }))
}
