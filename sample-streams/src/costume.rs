//! A vessel's picture at one length: its hull in the light of the scene, its wake, its lamps.

use image::{Rgba, RgbaImage};

use crate::noise::Field;
use crate::picture::{Picture, Sprite, scaled};
use crate::stage::Light;
use crate::vessel::Vessel;
use crate::weather::{Wash, Weather};

/// A vessel's picture at one length.
#[derive(Debug)]
pub(crate) struct Costume {
    /// What lies above the waterline.
    pub(crate) hull: Sprite,
    wake: Sprite,
    /// Glows with their middle from the top left corner of the hull, and height above the waterline.
    glows: Vec<(Sprite, Sprite, [i32; 2], i32)>,
    /// How strongly the water mirrors it.
    mirror: f32,
}

impl Costume {
    /// Dresses `vessel`, whose whole picture is `source`, at `length` pixels and with its waterline at row `water`.
    pub(crate) fn new(
        source: &RgbaImage,
        vessel: &Vessel,
        length: u32,
        water: f32,
        light: &Light,
        weather: &Weather,
    ) -> Self {
        let height = (source.height() * length / source.width()).max(2);
        let mut image = scaled(source, length, height);
        let afloat = ((height as f32 * (1.0 - vessel.art.draught())) as u32).max(1);
        image = image::imageops::crop_imm(&image, 0, 0, length, afloat).to_image();
        let mirrored = vessel.art.faces_right() != vessel.to_right;
        if mirrored {
            image::imageops::flip_horizontal_in_place(&mut image);
        }
        // Lamps are placed from stern to bow.
        let spot = |at: [f32; 2]| {
            let across = if vessel.to_right { at[0] } else { 1.0 - at[0] };
            [across * length as f32, at[1] * height as f32]
        };
        for (x, y, p) in image.enumerate_pixels_mut() {
            let lamps: f32 = vessel
                .lamps
                .iter()
                .map(|lamp| {
                    let [lx, ly] = spot(lamp.at);
                    let reach = length as f32 * 0.22;
                    let d = ((x as f32 - lx).powi(2) + (y as f32 - ly).powi(2)) / (reach * reach);
                    (-d).exp()
                })
                .sum();
            let warm = [1.0, 0.86, 0.62];
            for c in 0..3 {
                let gain = light.sky[c] + light.deck * lamps.min(1.4) * warm[c];
                p[c] = (f32::from(p[c]) * vessel.tint[c] * gain).clamp(0.0, 255.0) as u8;
            }
            if let Some(haze) = &weather.haze {
                let through = haze.over(water, [p[0], p[1], p[2]].map(f32::from));
                for c in 0..3 {
                    p[c] = through[c].round() as u8;
                }
            }
        }
        let glows = vessel
            .lamps
            .iter()
            .map(|lamp| {
                let [x, y] = spot(lamp.at);
                let size = (lamp.glow * length as f32).max(4.0);
                let above = (afloat as f32 - y).max(0.0);
                (
                    glow(size, lamp.colour),
                    streak(size * 0.5, size * 1.8, lamp.colour, 0.32),
                    [x as i32, y as i32],
                    above as i32,
                )
            })
            .collect();
        let foam = weather
            .haze
            .map_or([f32::from(light.foam); 3], |haze| haze.over(water, [f32::from(light.foam); 3]));
        let wake = wake(length, vessel, foam.map(|c| c as u8), weather.wash);
        Self { hull: Sprite::new(&image), wake, glows, mirror: weather.mirror }
    }

    /// Lays the vessel with its wake, its reflection and its lamps on the water.
    pub(crate) fn float(&self, picture: &mut Picture, left: i32, water: i32, seconds: f32, speed: f32) {
        let hull = &self.hull;
        let ripple = |row: usize| {
            let row = row as f32;
            ((row * 0.35 + seconds * 3.0).sin() * (1.0 + row * 0.03)).round() as i32
        };
        let depth = hull.height as f32 * 0.45;
        hull.lay_rows(picture, left, water, true, &|row| {
            (ripple(row), self.mirror * (1.0 - row as f32 / depth))
        });
        for (_, streak, [x, _], above) in &self.glows {
            streak.lay_rows(picture, left + x - streak.width as i32 / 2, water + above / 3, false, &|row| {
                (ripple(row) * 2, 0.75 + 0.25 * (row as f32 * 0.5 + seconds * 5.0).sin())
            });
        }
        let pace = (speed.abs() / 60.0).min(1.2);
        if pace > 0.05 {
            let wake = &self.wake;
            let stern = if speed > 0.0 {
                left + hull.tight[2] as i32 - wake.width as i32
            } else {
                left + hull.tight[0] as i32
            };
            let above = wake.height as i32 / 3;
            wake.lay_rows(picture, stern, water - above, false, &|_| (0, pace.min(1.0)));
        }
        hull.lay(picture, left, water - hull.height as i32);
        for (glow, _, [x, y], _) in &self.glows {
            let (gx, gy) =
                (left + x - glow.width as i32 / 2, water - hull.height as i32 + y - glow.height as i32 / 2);
            glow.lay(picture, gx, gy);
        }
    }
}

/// A soft round light of `radius` pixels.
pub fn glow(radius: f32, colour: [f32; 3]) -> Sprite {
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
pub fn streak(width: f32, length: f32, colour: [f32; 3], strength: f32) -> Sprite {
    Sprite::new(&RgbaImage::from_fn(width.ceil() as u32 + 1, length.ceil() as u32, |x, y| {
        let across = (x as f32 - width / 2.0) / (width / 2.0);
        let fade = (1.0 - y as f32 / length).powf(1.3) * (1.0 - across * across).clamp(0.0, 1.0);
        Rgba([colour[0] as u8, colour[1] as u8, colour[2] as u8, (fade * strength * 255.0) as u8])
    }))
}

/// Foam along the hull and a fading trail behind it.
fn wake(length: u32, vessel: &Vessel, foam: [u8; 3], wash: Wash) -> Sprite {
    let (width, height) = (length as f32 * wash.length, (length as f32 * wash.breadth).max(6.0));
    let field = Field(u64::from(vessel.id) * 77);
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
