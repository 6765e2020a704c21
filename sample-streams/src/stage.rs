//! Puts a scene's background, water and vessels together, frame by frame.

use std::collections::HashMap;

use anyhow::Result;
use image::{Rgba, RgbaImage};

use crate::material::{Art, Material};
use crate::noise::{Chance, Field};
use crate::picture::{Picture, Sprite, scaled};
use crate::truth::Seen;
use crate::vessel::Vessel;
use crate::water::{Water, Waves};

/// The light on the vessels of a scene.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// Multiplies the colours of what is lit by the sky alone.
    pub sky: [f32; 3],
    /// Brightness that a vessel's own lamps give the deck round them.
    pub deck: f32,
    /// Brightness of foam, 0..255.
    pub foam: u8,
    /// Largest step of the sensor's noise.
    pub noise: i8,
}

/// Everything a scene is made of.
#[derive(Debug)]
pub struct Setting {
    /// The still picture under water and vessels.
    pub background: Picture,
    /// The water over it.
    pub waves: Waves,
    /// The light.
    pub light: Light,
    /// The row of the horizon of the perspective, and the row at which a vessel has its stated length.
    pub rows: [f32; 2],
    /// Who is there.
    pub vessels: Vec<Vessel>,
}

/// A vessel's picture at one length.
#[derive(Debug)]
struct Costume {
    hull: Sprite,
    wake: Sprite,
    /// Glows with their middle from the top left corner of the hull, and height above the waterline.
    glows: Vec<(Sprite, Sprite, [i32; 2], i32)>,
}

/// A setting made ready to be drawn.
#[derive(Debug)]
pub struct Stage {
    setting: Setting,
    seconds: f32,
    fps: f32,
    water: Water,
    sources: HashMap<Art, RgbaImage>,
    wardrobe: HashMap<u32, (u32, Costume)>,
    grain: Vec<i8>,
}

impl Stage {
    /// Makes a setting of `seconds` at `fps` frames a second ready.
    pub fn new(setting: Setting, material: Option<&Material>, seconds: f32, fps: f32) -> Result<Self> {
        let mut sources = HashMap::new();
        for vessel in &setting.vessels {
            if let std::collections::hash_map::Entry::Vacant(e) = sources.entry(vessel.art) {
                let image = match material {
                    Some(material) => material.vessel(vessel.art)?,
                    None => crate::material::own(vessel.art)?,
                };
                e.insert(image);
            }
        }
        let (width, height) = (setting.background.width, setting.background.height);
        let mut chance = Chance::new(0x9a1e);
        let noise = f32::from(setting.light.noise);
        // Grain two pixels wide survives the coder, and costs it less than finer grain that does not.
        let grain = (0..width * 64)
            .map(|_| ((chance.unit() + chance.unit() + chance.unit() - 1.5) / 1.5 * noise).round() as i8)
            .flat_map(|v| [v, v])
            .collect();
        let water = Water::new(setting.waves, width, height);
        Ok(Self { setting, seconds, fps, water, sources, wardrobe: HashMap::new(), grain })
    }

    /// Draws frame `index` (from 0) and tells what is in it.
    pub fn draw(&mut self, index: u32) -> (Picture, Vec<Seen>) {
        let seconds = index as f32 / self.fps;
        let mut picture = self.setting.background.clone();
        self.water.lay(&mut picture, seconds);
        let mut order: Vec<(usize, f32, f32)> = self
            .setting
            .vessels
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let (x, y) = v.place(seconds);
                (i, x, y + v.heave(seconds, self.seconds))
            })
            .collect();
        order.sort_by(|a, b| a.2.total_cmp(&b.2));
        let mut cast: Vec<(u32, i32, i32)> = Vec::new();
        for &(i, x, y) in &order {
            let length = self.length(i, y);
            if x + length * 1.8 < 0.0 || x - length * 1.8 > picture.width as f32 {
                continue;
            }
            let id = self.setting.vessels[i].id;
            self.dress(i, length.round() as u32);
            let costume = &self.wardrobe[&id].1;
            let (left, water) = ((x - costume.hull.width as f32 / 2.0).round() as i32, y.round() as i32);
            let speed = self.setting.vessels[i].speed(seconds);
            float(&mut picture, costume, left, water, seconds, speed);
            cast.push((id, left, water - costume.hull.height as i32));
        }
        self.grain_over(&mut picture, index);
        let seen = self.seen(&picture, &cast);
        (picture, seen)
    }

    fn length(&self, vessel: usize, y: f32) -> f32 {
        let [horizon, reference] = self.setting.rows;
        self.setting.vessels[vessel].length * (y.round() - horizon) / (reference - horizon)
    }

    /// Has the vessel's costume ready at a length, to the next even number of pixels.
    fn dress(&mut self, vessel: usize, length: u32) {
        let vessel = &self.setting.vessels[vessel];
        let length = (length + 1) & !1;
        if self.wardrobe.get(&vessel.id).is_some_and(|(have, _)| *have == length) {
            return;
        }
        let source = &self.sources[&vessel.art];
        let costume = costume(source, vessel, length, &self.setting.light);
        self.wardrobe.insert(vessel.id, (length, costume));
    }

    fn grain_over(&self, picture: &mut Picture, index: u32) {
        if self.setting.light.noise == 0 {
            return;
        }
        let mut chance = Chance::new(u64::from(index / 2));
        let width = picture.width;
        let luma = width * picture.height;
        for pair in picture.data[..luma].chunks_mut(width * 2) {
            let start = (chance.bits() as usize % (self.grain.len() - width)) & !1;
            for line in pair.chunks_mut(width) {
                for (pixel, grain) in line.iter_mut().zip(&self.grain[start..start + width]) {
                    *pixel = pixel.saturating_add_signed(*grain);
                }
            }
        }
    }

    /// The boxes of the vessels in `cast`, which runs from far to near.
    fn seen(&self, picture: &Picture, cast: &[(u32, i32, i32)]) -> Vec<Seen> {
        let (width, height) = (picture.width as i32, picture.height as i32);
        let mut seen = Vec::new();
        for (n, &(id, left, top)) in cast.iter().enumerate() {
            let hull = &self.wardrobe[&id].1.hull;
            let [x0, y0, x1, y1] = hull.tight.map(|v| v as i32);
            let (x0, y0) = ((left + x0).max(0), (top + y0).max(0));
            let (x1, y1) = ((left + x1).min(width), (top + y1).min(height));
            if x1 - x0 < 4 || y1 - y0 < 4 {
                continue;
            }
            // One probe in nine pixels tells well enough what share of the vessel shows.
            let (mut whole, mut shown) = (0u32, 0u32);
            for y in (0..hull.height as i32).step_by(3) {
                for x in (0..hull.width as i32).step_by(3) {
                    if hull.opacity(x, y) < 100 {
                        continue;
                    }
                    whole += 1;
                    let (px, py) = (left + x, top + y);
                    let inside = px >= 0 && py >= 0 && px < width && py < height;
                    let hidden = cast[n + 1..]
                        .iter()
                        .any(|&(other, l, t)| self.wardrobe[&other].1.hull.opacity(px - l, py - t) >= 100);
                    shown += u32::from(inside && !hidden);
                }
            }
            let visibility = shown as f32 / whole.max(1) as f32;
            seen.push(Seen { id, left: x0, top: y0, width: x1 - x0, height: y1 - y0, visibility });
        }
        seen.sort_by_key(|s| s.id);
        seen
    }
}

/// Lays a vessel with its wake, its reflection and its lamps on the water.
fn float(picture: &mut Picture, costume: &Costume, left: i32, water: i32, seconds: f32, speed: f32) {
    let hull = &costume.hull;
    let ripple = |row: usize| {
        let row = row as f32;
        ((row * 0.35 + seconds * 3.0).sin() * (1.0 + row * 0.03)).round() as i32
    };
    let depth = hull.height as f32 * 0.45;
    hull.lay_rows(picture, left, water, true, &|row| (ripple(row), 0.26 * (1.0 - row as f32 / depth)));
    for (_, streak, [x, _], above) in &costume.glows {
        streak.lay_rows(picture, left + x - streak.width as i32 / 2, water + above / 3, false, &|row| {
            (ripple(row) * 2, 0.75 + 0.25 * (row as f32 * 0.5 + seconds * 5.0).sin())
        });
    }
    let pace = (speed.abs() / 60.0).min(1.2);
    if pace > 0.05 {
        let wake = &costume.wake;
        let stern = if speed > 0.0 {
            left + hull.tight[2] as i32 - wake.width as i32
        } else {
            left + hull.tight[0] as i32
        };
        let above = wake.height as i32 / 3;
        wake.lay_rows(picture, stern, water - above, false, &|_| (0, pace.min(1.0)));
    }
    hull.lay(picture, left, water - hull.height as i32);
    for (glow, _, [x, y], _) in &costume.glows {
        let (gx, gy) =
            (left + x - glow.width as i32 / 2, water - hull.height as i32 + y - glow.height as i32 / 2);
        glow.lay(picture, gx, gy);
    }
}

fn costume(source: &RgbaImage, vessel: &Vessel, length: u32, light: &Light) -> Costume {
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
    Costume { hull: Sprite::new(&image), wake: wake(length, vessel, light.foam), glows }
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
fn wake(length: u32, vessel: &Vessel, foam: u8) -> Sprite {
    let (width, height) = (length as f32 * 1.7, (length as f32 * 0.055).max(6.0));
    let field = Field(u64::from(vessel.id) * 77);
    Sprite::new(&RgbaImage::from_fn(width as u32, height as u32, |x, y| {
        // 0 at the bow, 1 at the end of the trail.
        let back = if vessel.to_right { 1.0 - x as f32 / width } else { x as f32 / width };
        let down = y as f32 / height;
        let thick = 0.35 + 0.5 * back;
        let body = (1.0 - ((down - 0.45) / thick).powi(2)).max(0.0);
        let fade = (1.0 - back).powf(1.2) * (back * 30.0).min(1.0);
        let froth = 0.6 + 0.4 * field.at(x as f32 / 9.0, y as f32 / 2.5);
        Rgba([foam, foam, foam, (body * fade * froth * 190.0) as u8])
    }))
}
