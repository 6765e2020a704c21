//! A small scene for tests, from the project's own drawings: one moored vessel and one that passes.

use anyhow::Result;
use image::RgbImage;

use super::background::{gradient, quay};
use crate::composition::{Composition, Light};
use crate::material::Drawing;
use crate::picture::Picture;
use crate::vessel::Vessel;
use crate::water::Waves;

pub(super) fn composition() -> Result<Composition> {
    let mut back = RgbImage::new(640, 360);
    gradient(&mut back, 0, 120, [90.0, 124.0, 160.0], [176.0, 188.0, 196.0]);
    quay(&mut back, 100, 124, [112.0, 106.0, 98.0]);
    gradient(&mut back, 124, 360, [128.0, 141.0, 150.0], [52.0, 74.0, 92.0]);
    let waves = Waves { top: 124, strength: [5.0, 12.0], size: [6.0, 40.0], speed: 20.0, seed: 3 };
    let light = Light { sky: [1.0; 3], deck: 0.0, foam: 225, noise: 0 };
    let vessels = vec![
        Vessel::moored(1, Drawing::Coaster, 240.0, 470.0, 150.0, true),
        Vessel::sailing(2, Drawing::Tug, 190.0, &[(0.2, -200.0, 290.0), (5.8, 840.0, 290.0)]),
    ];
    Ok(Composition::fine(Picture::from_rgb(&back), waves, light, [-200.0, 200.0], vessels))
}
