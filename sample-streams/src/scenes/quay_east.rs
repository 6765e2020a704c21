//! Quay east by night: lamps and their reflections, two moored vessels, and vessels that come after curfew.

use anyhow::Result;
use image::RgbImage;
use test_support::Rng;

use super::background::{blend, grade, gradient, paste, quay, reflect};
use crate::composition::{Composition, Light};
use crate::lights::{glow, streak};
use crate::material::{self, Drawing};
use crate::noise::NoiseField;
use crate::picture::Picture;
use crate::vessel::{Lamp, Vessel};
use crate::water::Waves;

const SHORE: u32 = 420;
const SODIUM: [f32; 3] = [255.0, 190.0, 96.0];
const WHITE: [f32; 3] = [255.0, 246.0, 222.0];
const RED: [f32; 3] = [255.0, 62.0, 44.0];
const GREEN: [f32; 3] = [70.0, 255.0, 130.0];

pub(super) fn composition() -> Result<Composition> {
    let photo = material::harbour_photograph()?;
    let mut back = RgbImage::new(1920, 1080);
    let sky = ([10.0, 15.0, 30.0], [30.0, 37.0, 56.0]);
    // The hillside on both sides of the barge in the photograph, joined without the barge.
    gradient(&mut back, 0, SHORE, [235.0; 3], [235.0; 3]);
    let mirrored = image::imageops::flip_horizontal(&photo);
    for (photo, part, x) in [
        (&photo, [0u32, 205u32, 440u32, 275u32], 0u32),
        (&mirrored, [0, 205, 270, 275], 520),
        (&mirrored, [590, 205, 434, 275], 800),
        (&photo, [744, 205, 280, 275], 1310),
        (&photo, [0, 205, 240, 275], 1605),
    ] {
        let size = ((part[2] as f32 * 1.4) as u32, (part[3] as f32 * 1.4) as u32);
        paste(&mut back, photo, part, size, x, SHORE - 30, if x == 0 { 0 } else { 90 });
    }
    let field = NoiseField(5);
    grade(&mut back, 0, SHORE, |x, y, p| {
        let above = blend(sky.0, sky.1, y as f32 / SHORE as f32);
        let light = (p[0] + p[1] + p[2]) / 3.0;
        // The pale sky of the photograph becomes night, the land becomes dark with some light on it.
        let is_sky =
            ((light - 150.0) / 50.0).clamp(0.0, 1.0) * (1.0 - (y as f32 - 150.0) / 130.0).clamp(0.0, 1.0);
        let town = 0.75 + 0.25 * field.at(x as f32 / 90.0, y as f32 / 60.0);
        let land = [0.17, 0.18, 0.215].map(|g| 5.0 + light * g * town);
        blend(land, above, is_sky)
    });
    quay(&mut back, SHORE - 34, SHORE, [52.0, 47.0, 42.0]);
    gradient(&mut back, SHORE, 1080, [33.0, 38.0, 50.0], [13.0, 18.0, 28.0]);
    reflect(&mut back, SHORE, 150, 0.5);
    let mut background = Picture::from_rgb(&back);
    lamps(&mut background);
    let waves =
        Waves { top: SHORE as usize, strength: [10.0, 24.0], size: [12.0, 80.0], speed: 34.0, seed: 31 };
    let light = Light { sky: [0.54, 0.57, 0.66], deck: 0.5, foam: 84, noise: 4 };
    Ok(Composition::fine(background, waves, light, [-300.0, 600.0], vessels()))
}

/// Lamps along the quay and some lit windows on the hill.
fn lamps(on: &mut Picture) {
    for x in [130, 480, 830, 1180, 1530, 1850] {
        streak(26.0, 430.0, SODIUM, 0.55).draw_on(on, x - 13, SHORE as i32);
        glow(70.0, SODIUM).draw_on(on, x - 70, SHORE as i32 - 96 - 70);
    }
    let mut rng = Rng::new(12);
    for _ in 0..34 {
        let x = (rng.unit_f32() * 1900.0) as i32;
        let y = 230 + (rng.unit_f32() * 130.0) as i32;
        let warm = blend(SODIUM, WHITE, rng.unit_f32());
        glow(3.0 + rng.unit_f32() * 3.0, warm).draw_on(on, x, y);
    }
}

fn vessels() -> Vec<Vessel> {
    let lamp = |x: f32, y: f32, colour: [f32; 3], glow: f32| Lamp { at: [x, y], colour, glow };
    let tug = [
        lamp(0.6, 0.04, WHITE, 0.08),
        lamp(0.55, 0.45, SODIUM, 0.05),
        lamp(0.93, 0.5, GREEN, 0.05),
        lamp(0.2, 0.6, WHITE, 0.05),
    ];
    let cutter = [
        lamp(0.31, 0.08, WHITE, 0.07),
        lamp(0.52, 0.42, SODIUM, 0.06),
        lamp(0.9, 0.5, RED, 0.05),
        lamp(0.15, 0.6, WHITE, 0.04),
    ];
    let launch = [lamp(0.41, 0.06, WHITE, 0.07), lamp(0.5, 0.4, SODIUM, 0.06), lamp(0.9, 0.45, RED, 0.05)];
    let sailing = Vessel::sailing;
    vec![
        Vessel::moored(1, Drawing::Launch, 380.0, 1500.0, 520.0, false).lit(&launch),
        Vessel::moored(2, Drawing::Launch, 350.0, 250.0, 492.0, true).tinted([0.85, 0.95, 1.0]).lit(&launch),
        // The night passage: into the inner basin and out again.
        sailing(3, Drawing::Tug, 340.0, &[(0.8, -230.0, 750.0), (27.5, 2270.0, 770.0)]).lit(&tug),
        // Passes the far side of the basin, just outside.
        sailing(4, Drawing::Launch, 330.0, &[(20.0, 2250.0, 565.0), (46.0, -320.0, 575.0)]).lit(&launch),
        // A second passage, from the other side.
        sailing(5, Drawing::Trawler, 360.0, &[(33.0, 2280.0, 800.0), (59.0, -350.0, 760.0)]).lit(&cutter),
    ]
}
