//! Sizes, speeds and lamps of the vessels in variants.

use crate::material::Drawing;
use crate::vessel::Lamp;

/// Length in the picture, in pixels at scale 1. Not to scale: small boats would be dots beside ships.
pub(super) fn length(drawing: Drawing) -> f32 {
    match drawing {
        Drawing::Coaster => 330.0,
        Drawing::Tug => 205.0,
        Drawing::Trawler => 190.0,
        Drawing::Schooner | Drawing::Cutter => 170.0,
        Drawing::Launch => 130.0,
        Drawing::Yacht => 112.0,
        Drawing::Rib => 92.0,
    }
}

/// Slowest and fastest speed, in lengths of the vessel a second.
pub(super) fn speeds(drawing: Drawing) -> [f32; 2] {
    match drawing {
        Drawing::Coaster => [0.13, 0.22],
        Drawing::Launch => [0.4, 0.75],
        Drawing::Rib => [1.1, 2.2],
        _ => [0.24, 0.45],
    }
}

/// The masthead light, the deck lights and the side light that faces the camera.
pub(super) fn lamps(drawing: Drawing, to_right: bool) -> Vec<Lamp> {
    let (white, warm) = ([255.0, 246.0, 222.0], [255.0, 190.0, 96.0]);
    let side = if to_right { [70.0, 255.0, 130.0] } else { [255.0, 62.0, 44.0] };
    let lamp = |x: f32, y: f32, colour: [f32; 3], glow: f32| Lamp { at: [x, y], colour, glow };
    match drawing {
        Drawing::Rib => vec![lamp(0.23, 0.06, white, 0.07), lamp(0.85, 0.5, side, 0.06)],
        Drawing::Yacht => vec![lamp(0.52, 0.02, white, 0.05), lamp(0.9, 0.84, side, 0.05)],
        Drawing::Launch => {
            vec![lamp(0.41, 0.06, white, 0.07), lamp(0.5, 0.4, warm, 0.06), lamp(0.9, 0.45, side, 0.05)]
        }
        Drawing::Coaster => vec![
            lamp(0.12, 0.08, white, 0.05),
            lamp(0.1, 0.4, warm, 0.04),
            lamp(0.55, 0.5, warm, 0.04),
            lamp(0.95, 0.5, side, 0.04),
        ],
        _ => vec![
            lamp(0.5, 0.05, white, 0.08),
            lamp(0.53, 0.43, warm, 0.05),
            lamp(0.92, 0.5, side, 0.05),
            lamp(0.18, 0.6, white, 0.04),
        ],
    }
}
