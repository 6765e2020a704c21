//! The roads: small vessels far out, off a low coast.

use anyhow::Result;
use image::RgbImage;

use super::background::{blend, grade, gradient, paste, reflect};
use crate::composition::{Composition, Light};
use crate::material::{self, Drawing};
use crate::picture::Picture;
use crate::vessel::Vessel;
use crate::water::Waves;

const SHORE: u32 = 430;

pub(super) fn composition() -> Result<Composition> {
    let mut river = material::river()?;
    // The mirrored photograph: another coast than in the inner harbour.
    image::imageops::flip_horizontal_in_place(&mut river);
    let mut back = RgbImage::new(1920, 1080);
    // The far bank from a greater distance: the panorama without the tall ship.
    let scale = 1920.0 / 860.0;
    let tall = (112.0 * scale) as u32;
    paste(&mut back, &river, [29, 18, 860, 112], (1920, tall), 0, SHORE, 0);
    let top = SHORE - tall;
    let edge: [f32; 3] = [0, 1, 2]
        .map(|c| (0..1920).map(|x| f32::from(back.get_pixel(x, top + 2).0[c])).sum::<f32>() / 1920.0);
    gradient(&mut back, 0, top, [58.0, 92.0, 132.0], edge);
    grade(&mut back, top, top + 60, |_, y, p| blend(edge, p, (y - top) as f32 / 60.0));
    // Haze over the land.
    grade(&mut back, SHORE - 90, SHORE, |_, y, p| {
        blend(p, [176.0, 186.0, 194.0], 0.42 * (y + 90 - SHORE) as f32 / 90.0)
    });
    gradient(&mut back, SHORE, 1080, [140.0, 154.0, 162.0], [44.0, 72.0, 88.0]);
    reflect(&mut back, SHORE, 60, 0.4);
    let waves =
        Waves { top: SHORE as usize, strength: [4.0, 15.0], size: [9.0, 110.0], speed: 55.0, seed: 23 };
    let light = Light { sky: [0.97, 0.98, 1.0], deck: 0.0, foam: 220, noise: 0 };
    Ok(Composition::fine(Picture::from_rgb(&back), waves, light, [200.0, 600.0], vessels()))
}

fn vessels() -> Vec<Vessel> {
    let sailing = Vessel::sailing;
    vec![
        // At anchor outside every zone.
        Vessel::moored(1, Drawing::Coaster, 230.0, 1640.0, 520.0, false),
        Vessel::moored(2, Drawing::Trawler, 165.0, 250.0, 508.0, true),
        // Over the pilot line in the direction that counts.
        sailing(3, Drawing::Tug, 160.0, &[(0.8, -110.0, 622.0), (24.6, 2040.0, 630.0)]),
        // Enters the anchorage, stays too long and leaves.
        sailing(
            4,
            Drawing::Tug,
            140.0,
            &[(9.0, 2040.0, 712.0), (22.0, 1180.0, 724.0), (38.0, 1170.0, 724.0), (56.0, 2060.0, 760.0)],
        ),
        // Outbound under sail: over the pilot line in the other direction.
        sailing(5, Drawing::Schooner, 190.0, &[(39.0, 2040.0, 572.0), (58.8, -130.0, 584.0)]),
        // Along the near edge of the anchorage, outside it.
        sailing(6, Drawing::Trawler, 150.0, &[(30.0, -140.0, 862.0), (58.5, 2080.0, 862.0)]),
    ]
}
