//! Draws a scene's background, water and vessels, frame by frame.

use std::collections::HashMap;

use anyhow::Result;
use image::RgbaImage;
use test_support::Rng;

use crate::appearance::Appearance;
use crate::composition::Composition;
use crate::material::{Drawing, picture_of};
use crate::picture::{Picture, Sprite};
use crate::truth::TruthBox;
use crate::water::Water;
use crate::weather::Rain;

/// Opacity from which a pixel hides what is behind it.
const OPAQUE: u8 = 100;

/// A composition that is ready to be drawn.
#[derive(Debug)]
pub struct Renderer {
    composition: Composition,
    seconds: f32,
    fps: f32,
    water: Water,
    drawings: HashMap<Drawing, RgbaImage>,
    /// The appearance of each vessel, by its number, with the length for which it was made.
    appearances: HashMap<u32, (u32, Appearance)>,
    grain: Vec<i8>,
    rain: Option<Rain>,
}

/// A vessel that was drawn: its number and the top left corner of its hull.
type Placed = (u32, i32, i32);

impl Renderer {
    /// Prepares a composition of `seconds` at `fps` frames a second.
    pub fn new(composition: Composition, seconds: f32, fps: f32) -> Result<Self> {
        let mut drawings = HashMap::new();
        for vessel in &composition.vessels {
            if let std::collections::hash_map::Entry::Vacant(entry) = drawings.entry(vessel.drawing) {
                entry.insert(picture_of(vessel.drawing)?);
            }
        }
        let (width, height) = (composition.background.width, composition.background.height);
        let grain = grain(width, f32::from(composition.light.noise));
        let water = Water::new(composition.waves, composition.weather.glitter, width, height);
        let rain = composition.weather.rain.map(|rainfall| Rain::new(rainfall, width, height));
        Ok(Self { composition, seconds, fps, water, drawings, appearances: HashMap::new(), grain, rain })
    }

    /// Draws frame `index`, from 0, and gives the boxes of the vessels in it.
    pub fn draw(&mut self, index: u32) -> (Picture, Vec<TruthBox>) {
        let seconds = index as f32 / self.fps;
        let mut picture = self.composition.background.clone();
        self.water.draw_on(&mut picture, seconds);
        for object in &self.composition.floating {
            let [x, y] = [0, 1].map(|i| (object.at[i] + object.drift[i] * seconds).round() as i32);
            object.sprite.draw_on(&mut picture, x, y);
        }
        let placed = self.draw_vessels(&mut picture, seconds);
        for front in &self.composition.foreground {
            front.sprite.draw_on(&mut picture, front.at[0], front.at[1]);
        }
        if let Some(rain) = &self.rain {
            rain.draw_on(&mut picture, index);
        }
        let Some(shake) = &self.composition.weather.shake else {
            self.add_grain(&mut picture, index);
            let whole = [0, 0, picture.width as i32, picture.height as i32];
            return (picture, self.boxes(whole, &placed));
        };
        let [left, top] = shake.window(seconds);
        let (width, height) = (picture.width - 2 * shake.margin, picture.height - 2 * shake.margin);
        let mut picture = picture.part(left, top, width, height);
        self.add_grain(&mut picture, index);
        let boxes = self.boxes([left as i32, top as i32, width as i32, height as i32], &placed);
        (picture, boxes)
    }

    /// Draws the vessels from far to near.
    fn draw_vessels(&mut self, picture: &mut Picture, seconds: f32) -> Vec<Placed> {
        let mut order: Vec<(usize, f32, f32)> = self
            .composition
            .vessels
            .iter()
            .enumerate()
            .map(|(i, vessel)| {
                let (x, y) = vessel.position(seconds);
                (i, x, y + vessel.heave(seconds, self.seconds))
            })
            .collect();
        order.sort_by(|a, b| a.2.total_cmp(&b.2));
        let mut placed = Vec::new();
        for &(i, x, y) in &order {
            let length = self.length(i, y);
            if x + length * 1.8 < 0.0 || x - length * 1.8 > picture.width as f32 {
                continue;
            }
            let id = self.composition.vessels[i].id;
            self.prepare_appearance(i, length.round() as u32, y);
            let appearance = &self.appearances[&id].1;
            let (left, water) = ((x - appearance.hull.width as f32 / 2.0).round() as i32, y.round() as i32);
            let speed = self.composition.vessels[i].speed(seconds);
            appearance.draw_on(picture, left, water, seconds, speed);
            placed.push((id, left, water - appearance.hull.height as i32));
        }
        placed
    }

    fn length(&self, vessel: usize, y: f32) -> f32 {
        let [horizon, reference] = self.composition.rows;
        self.composition.vessels[vessel].length * (y.round() - horizon) / (reference - horizon)
    }

    /// Makes the vessel's appearance at a length, rounded up to an even number of pixels, unless it exists.
    fn prepare_appearance(&mut self, vessel: usize, length: u32, water: f32) {
        let vessel = &self.composition.vessels[vessel];
        let length = (length + 1) & !1;
        if self.appearances.get(&vessel.id).is_some_and(|(made_for, _)| *made_for == length) {
            return;
        }
        let drawing = &self.drawings[&vessel.drawing];
        let (light, weather) = (&self.composition.light, &self.composition.weather);
        let appearance = Appearance::new(drawing, vessel, length, water, light, weather);
        self.appearances.insert(vessel.id, (length, appearance));
    }

    fn add_grain(&self, picture: &mut Picture, index: u32) {
        if self.composition.light.noise == 0 {
            return;
        }
        let mut rng = Rng::new(u64::from(index / 2));
        let width = picture.width;
        let luma = width * picture.height;
        for pair in picture.data[..luma].chunks_mut(width * 2) {
            let start = (rng.next_u64() as usize % (self.grain.len() - width)) & !1;
            for line in pair.chunks_mut(width) {
                for (pixel, grain) in line.iter_mut().zip(&self.grain[start..start + width]) {
                    *pixel = pixel.saturating_add_signed(*grain);
                }
            }
        }
    }

    /// The boxes of the vessels in `placed`, which runs from far to near, in the part of the drawing (left, top, width and
    /// height) that the camera shows.
    fn boxes(&self, view: [i32; 4], placed: &[Placed]) -> Vec<TruthBox> {
        let [view_left, view_top, view_width, view_height] = view;
        let mut boxes = Vec::new();
        for (n, &(id, left, top)) in placed.iter().enumerate() {
            let hull = &self.appearances[&id].1.hull;
            let [x0, y0, x1, y1] = hull.tight.map(|v| v as i32);
            let (x0, y0) = ((left + x0 - view_left).max(0), (top + y0 - view_top).max(0));
            let (x1, y1) = ((left + x1 - view_left).min(view_width), (top + y1 - view_top).min(view_height));
            if x1 - x0 < 4 || y1 - y0 < 4 {
                continue;
            }
            let visibility = self.visibility(view, (left, top), hull, &placed[n + 1..]);
            boxes.push(TruthBox { id, left: x0, top: y0, width: x1 - x0, height: y1 - y0, visibility });
        }
        boxes.sort_by_key(|b| b.id);
        boxes
    }

    /// The share of a hull that is in the view and that neither `nearer` vessels nor the foreground hide.
    fn visibility(&self, view: [i32; 4], (left, top): (i32, i32), hull: &Sprite, nearer: &[Placed]) -> f32 {
        let [view_left, view_top, view_width, view_height] = view;
        let (mut whole, mut visible) = (0u32, 0u32);
        // One pixel in nine gives the share well enough.
        for y in (0..hull.height as i32).step_by(3) {
            for x in (0..hull.width as i32).step_by(3) {
                if hull.opacity(x, y) < OPAQUE {
                    continue;
                }
                whole += 1;
                let (px, py) = (left + x, top + y);
                let inside = (view_left..view_left + view_width).contains(&px)
                    && (view_top..view_top + view_height).contains(&py);
                let hides = |sprite: &Sprite, l: i32, t: i32| sprite.opacity(px - l, py - t) >= OPAQUE;
                let hidden = nearer.iter().any(|&(id, l, t)| hides(&self.appearances[&id].1.hull, l, t))
                    || self.composition.foreground.iter().any(|f| hides(&f.sprite, f.at[0], f.at[1]));
                visible += u32::from(inside && !hidden);
            }
        }
        visible as f32 / whole.max(1) as f32
    }
}

/// Sensor noise of 64 lines. Grain two pixels wide survives the encoder, and costs it less than finer grain that does not.
fn grain(width: usize, noise: f32) -> Vec<i8> {
    let mut rng = Rng::new(0x9a1e);
    (0..width * 64)
        .map(|_| ((rng.unit_f32() + rng.unit_f32() + rng.unit_f32() - 1.5) / 1.5 * noise).round() as i8)
        .flat_map(|v| [v, v])
        .collect()
}
