//! Puts a scene's background, water and vessels together, frame by frame.

use std::collections::HashMap;

use anyhow::Result;
use image::RgbaImage;

use crate::costume::Costume;
use crate::material::{Art, Material};
use crate::noise::Chance;
use crate::picture::{Picture, Sprite};
use crate::truth::Seen;
use crate::vessel::Vessel;
use crate::water::{Water, Waves};
use crate::weather::{Rain, Weather};

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
    /// What the weather does to the picture.
    pub weather: Weather,
    /// What drifts on the water and is no vessel.
    pub flotsam: Vec<Flotsam>,
    /// What stands between the vessels and the camera, from far to near.
    pub covers: Vec<Cover>,
}

/// A thing that is no vessel: it is drawn under the vessels, and no truth knows it.
#[derive(Debug)]
pub struct Flotsam {
    /// What it looks like.
    pub sprite: Sprite,
    /// Where its top left corner is at the start, in pixels.
    pub at: [f32; 2],
    /// How it drifts, in pixels a second.
    pub drift: [f32; 2],
}

/// A thing before the vessels; what is behind its opaque parts is hidden.
#[derive(Debug)]
pub struct Cover {
    /// What it looks like.
    pub sprite: Sprite,
    /// Where its top left corner is, in pixels.
    pub at: [i32; 2],
}

/// Opacity from which a pixel hides what is behind it.
const OPAQUE: u8 = 100;

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
    rain: Option<Rain>,
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
        let water = Water::new(setting.waves, setting.weather.glitter, width, height);
        let rain = setting.weather.rain.map(|shower| Rain::new(shower, width, height));
        Ok(Self { setting, seconds, fps, water, sources, wardrobe: HashMap::new(), grain, rain })
    }

    /// Draws frame `index` (from 0) and tells what is in it.
    pub fn draw(&mut self, index: u32) -> (Picture, Vec<Seen>) {
        let seconds = index as f32 / self.fps;
        let mut picture = self.setting.background.clone();
        self.water.lay(&mut picture, seconds);
        for flotsam in &self.setting.flotsam {
            let [x, y] = [0, 1].map(|i| (flotsam.at[i] + flotsam.drift[i] * seconds).round() as i32);
            flotsam.sprite.lay(&mut picture, x, y);
        }
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
            self.dress(i, length.round() as u32, y);
            let costume = &self.wardrobe[&id].1;
            let (left, water) = ((x - costume.hull.width as f32 / 2.0).round() as i32, y.round() as i32);
            let speed = self.setting.vessels[i].speed(seconds);
            costume.float(&mut picture, left, water, seconds, speed);
            cast.push((id, left, water - costume.hull.height as i32));
        }
        for cover in &self.setting.covers {
            cover.sprite.lay(&mut picture, cover.at[0], cover.at[1]);
        }
        if let Some(rain) = &self.rain {
            rain.fall(&mut picture, index);
        }
        let Some(shake) = &self.setting.weather.shake else {
            self.grain_over(&mut picture, index);
            let whole = [0, 0, picture.width as i32, picture.height as i32];
            return (picture, self.seen(whole, &cast));
        };
        let [left, top] = shake.window(seconds);
        let (width, height) = (picture.width - 2 * shake.margin, picture.height - 2 * shake.margin);
        let mut picture = picture.part(left, top, width, height);
        self.grain_over(&mut picture, index);
        let seen = self.seen([left as i32, top as i32, width as i32, height as i32], &cast);
        (picture, seen)
    }

    fn length(&self, vessel: usize, y: f32) -> f32 {
        let [horizon, reference] = self.setting.rows;
        self.setting.vessels[vessel].length * (y.round() - horizon) / (reference - horizon)
    }

    /// Has the vessel's costume ready at a length, to the next even number of pixels.
    fn dress(&mut self, vessel: usize, length: u32, water: f32) {
        let vessel = &self.setting.vessels[vessel];
        let length = (length + 1) & !1;
        if self.wardrobe.get(&vessel.id).is_some_and(|(have, _)| *have == length) {
            return;
        }
        let source = &self.sources[&vessel.art];
        let costume = Costume::new(source, vessel, length, water, &self.setting.light, &self.setting.weather);
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

    /// The boxes of the vessels in `cast`, which runs from far to near, in the part of the drawing (left, top, width and
    /// height) that the camera sees.
    fn seen(&self, [left_edge, top_edge, width, height]: [i32; 4], cast: &[(u32, i32, i32)]) -> Vec<Seen> {
        let mut seen = Vec::new();
        for (n, &(id, left, top)) in cast.iter().enumerate() {
            let hull = &self.wardrobe[&id].1.hull;
            let [x0, y0, x1, y1] = hull.tight.map(|v| v as i32);
            let (x0, y0) = ((left + x0 - left_edge).max(0), (top + y0 - top_edge).max(0));
            let (x1, y1) = ((left + x1 - left_edge).min(width), (top + y1 - top_edge).min(height));
            if x1 - x0 < 4 || y1 - y0 < 4 {
                continue;
            }
            // One probe in nine pixels tells well enough what share of the vessel shows.
            let (mut whole, mut shown) = (0u32, 0u32);
            for y in (0..hull.height as i32).step_by(3) {
                for x in (0..hull.width as i32).step_by(3) {
                    if hull.opacity(x, y) < OPAQUE {
                        continue;
                    }
                    whole += 1;
                    let (px, py) = (left + x, top + y);
                    let inside = (left_edge..left_edge + width).contains(&px)
                        && (top_edge..top_edge + height).contains(&py);
                    let behind = |sprite: &Sprite, l: i32, t: i32| sprite.opacity(px - l, py - t) >= OPAQUE;
                    let hidden =
                        cast[n + 1..].iter().any(|&(o, l, t)| behind(&self.wardrobe[&o].1.hull, l, t))
                            || self.setting.covers.iter().any(|c| behind(&c.sprite, c.at[0], c.at[1]));
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
