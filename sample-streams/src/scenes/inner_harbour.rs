//! Inner harbour by day: a moored fleet along the far quay, and traffic that crosses in front of it.

use anyhow::Result;
use image::RgbImage;

use super::background::{gradient, paste, quay, reflect};
use crate::composition::{Composition, Light};
use crate::material::{self, Drawing};
use crate::picture::Picture;
use crate::vessel::Vessel;
use crate::water::Waves;

const SHORE: u32 = 372;

pub(super) fn composition() -> Result<Composition> {
    let river = material::river()?;
    let mut back = RgbImage::new(1920, 1080);
    gradient(&mut back, SHORE, 1080, [128.0, 141.0, 150.0], [52.0, 74.0, 92.0]);
    // The far bank without the tall ship at its left end.
    paste(&mut back, &river, [330, 16, 620, 114], (1920, 352), 0, 352, 0);
    quay(&mut back, 336, SHORE, [112.0, 106.0, 98.0]);
    reflect(&mut back, SHORE, 120, 0.55);
    let waves =
        Waves { top: SHORE as usize, strength: [5.0, 13.0], size: [14.0, 90.0], speed: 46.0, seed: 11 };
    let light = Light { sky: [1.0; 3], deck: 0.0, foam: 225, noise: 0 };
    Ok(Composition::fine(Picture::from_rgb(&back), waves, light, [-300.0, 600.0], vessels()))
}

fn vessels() -> Vec<Vessel> {
    let moored = Vessel::moored;
    let sailing = Vessel::sailing;
    vec![
        // The fleet along the quay, outside every zone.
        moored(1, Drawing::Coaster, 430.0, 250.0, 418.0, true),
        moored(2, Drawing::Cutter, 300.0, 640.0, 424.0, false),
        moored(3, Drawing::Tug, 290.0, 960.0, 420.0, true),
        moored(4, Drawing::Launch, 300.0, 1290.0, 426.0, false).tinted([0.95, 0.97, 1.0]),
        moored(5, Drawing::Cutter, 310.0, 1650.0, 420.0, true).tinted([1.1, 0.75, 0.7]),
        // Inbound over the harbour mouth, from left to right.
        sailing(6, Drawing::Tug, 330.0, &[(0.6, -330.0, 620.0), (27.0, 2260.0, 640.0)]),
        // Outbound: crosses the same line in the other direction.
        sailing(7, Drawing::Schooner, 360.0, &[(14.0, 2200.0, 690.0), (46.0, -300.0, 700.0)]),
        // Passes beyond the near end of the line.
        sailing(8, Drawing::Launch, 330.0, &[(24.0, -300.0, 985.0), (52.0, 2250.0, 985.0)]),
        // Comes to the fuel berth, stays too long and leaves stern first.
        sailing(
            10,
            Drawing::Launch,
            310.0,
            &[(1.6, -230.0, 810.0), (8.5, 365.0, 845.0), (22.0, 365.0, 845.0), (29.5, -240.0, 830.0)],
        ),
        // Inbound: the second crossing that counts.
        sailing(9, Drawing::Cutter, 330.0, &[(33.0, -330.0, 610.0), (58.8, 2250.0, 610.0)]),
    ]
}
