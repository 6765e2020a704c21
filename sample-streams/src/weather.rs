//! Weather: fog, rain, the low sun on the water, wind that shakes the camera.

use std::f32::consts::TAU;

use test_support::Rng;

use crate::noise::NoiseField;
use crate::picture::Picture;

/// The weather of a scene. By default it is fine and the camera does not move.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Fog.
    pub haze: Option<Haze>,
    /// Rain.
    pub rain: Option<Rainfall>,
    /// The low sun on the waves.
    pub glitter: Option<Glitter>,
    /// Wind that shakes the camera.
    pub shake: Option<Shake>,
    /// How strongly the water reflects a vessel at its waterline, 0 to 1.
    pub reflectivity: f32,
    /// The size of wakes.
    pub wake: WakeSize,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            haze: None,
            rain: None,
            glitter: None,
            shake: None,
            reflectivity: 0.26,
            wake: WakeSize { length: 1.7, breadth: 0.055 },
        }
    }
}

/// The size of a wake, in lengths of its vessel.
#[derive(Debug, Clone, Copy)]
pub struct WakeSize {
    /// From the bow to its end.
    pub length: f32,
    /// Its breadth.
    pub breadth: f32,
}

/// Fog: thin near the camera, dense at the horizon.
#[derive(Debug, Clone, Copy)]
pub struct Haze {
    /// Its colour.
    pub colour: [f32; 3],
    /// Share of the fog's colour in a pixel: at the first of `rows` and above, and at the last.
    pub thick: [f32; 2],
    /// First row of the water, and last row of the picture.
    pub rows: [f32; 2],
}

impl Haze {
    /// The share of fog in what is at row `row`.
    pub fn at(&self, row: f32) -> f32 {
        let [top, low] = self.rows;
        let near = ((row - top) / (low - top)).clamp(0.0, 1.0);
        self.thick[1] + (self.thick[0] - self.thick[1]) * (1.0 - near).powf(1.5)
    }

    /// The colour `rgb` seen through the fog at row `row`.
    pub fn over(&self, row: f32, rgb: [f32; 3]) -> [f32; 3] {
        let share = self.at(row);
        [0, 1, 2].map(|c| rgb[c] + (self.colour[c] - rgb[c]) * share)
    }
}

/// The strength of rain.
#[derive(Debug, Clone, Copy)]
pub struct Rainfall {
    /// Streaks for each million pixels.
    pub streaks: f32,
    /// Brightness steps that the brightest streak adds.
    pub bright: f32,
    /// Slant of a streak: pixels to the right for each pixel down.
    pub lean: f32,
    /// Seed of the streaks.
    pub seed: u64,
}

/// A picture of streaks, larger than the frame; each frame shows another part of it.
#[derive(Debug)]
pub(crate) struct Rain {
    sheet: Vec<u8>,
    side: [usize; 2],
    seed: u64,
}

impl Rain {
    pub(crate) fn new(shower: Rainfall, width: usize, height: usize) -> Self {
        let side = [width * 2, height * 2];
        let mut sheet = vec![0u8; side[0] * side[1]];
        let mut rng = Rng::new(shower.seed);
        let count = (shower.streaks * (side[0] * side[1]) as f32 / 1e6) as usize;
        for _ in 0..count {
            let (x, y) = (rng.unit_f32() * side[0] as f32, (rng.unit_f32() * side[1] as f32) as usize);
            let near = rng.unit_f32();
            let length = (height as f32 * (0.012 + 0.05 * near * near)) as usize;
            let bright = shower.bright * (0.35 + 0.65 * near);
            for row in 0..length {
                let fade = 1.0 - (2.0 * row as f32 / length as f32 - 1.0).abs();
                let at = (x + row as f32 * shower.lean) as usize % side[0];
                let pixel = &mut sheet[(y + row) % side[1] * side[0] + at];
                *pixel = pixel.saturating_add((bright * fade) as u8);
            }
        }
        Self { sheet, side, seed: shower.seed }
    }

    /// Draws the rain of frame `index`.
    pub(crate) fn draw_on(&self, picture: &mut Picture, index: u32) {
        let mut rng = Rng::new(self.seed ^ (u64::from(index) << 20));
        let mut start = |extent: usize| rng.next_u64() as usize % extent;
        let (left, top) = (start(self.side[0] - picture.width), start(self.side[1] - picture.height));
        let width = picture.width;
        let luma = width * picture.height;
        for (row, line) in picture.data[..luma].chunks_exact_mut(width).enumerate() {
            let wet = &self.sheet[(top + row) * self.side[0] + left..][..width];
            for (pixel, drop) in line.iter_mut().zip(wet) {
                *pixel = pixel.saturating_add(*drop).min(235);
            }
        }
    }
}

/// The low sun on the waves: high ripples glitter.
#[derive(Debug, Clone, Copy)]
pub struct Glitter {
    /// Column of the sun, in pixels.
    pub x: f32,
    /// Half the breadth of its path on the water, far and near, in pixels.
    pub breadth: [f32; 2],
    /// Brightness of the glitter, 0 to 1.
    pub strength: f32,
}

impl Glitter {
    /// How much a ripple glitters, 0 to 255, at a column and at a distance from the horizon (0) to the camera (1).
    pub(crate) fn weight(&self, x: usize, near: f32) -> u8 {
        let breadth = self.breadth[0] + (self.breadth[1] - self.breadth[0]) * near;
        let off = (x as f32 - self.x) / breadth;
        (255.0 * self.strength * (-off * off).exp()) as u8
    }
}

/// Wind that shakes the camera: slow swaying in gusts, and a fast tremble.
#[derive(Debug, Clone, Copy)]
pub struct Shake {
    /// Pixels by which the drawing is larger than the picture on each side; even.
    pub margin: usize,
    /// Largest shift, in pixels; less than the margin.
    pub amplitude: f32,
    /// Seed of the gusts.
    pub seed: u64,
}

impl Shake {
    /// The top left corner of the picture in the drawing.
    pub(crate) fn window(&self, seconds: f32) -> [usize; 2] {
        let field = NoiseField(self.seed);
        let gust = 0.45 + 0.55 * field.at(seconds * 0.35, 7.5).abs();
        let sway = |hertz: f32, phase: f32| (TAU * (hertz * seconds + phase)).sin();
        let tremble = |row: f32| 0.35 * field.at(seconds * 9.0, row);
        let along = |hertz: f32, phase: f32, row: f32| {
            let share = gust * (0.65 * sway(hertz, phase) + tremble(row));
            (self.margin as f32 + self.amplitude * share).round() as usize
        };
        [along(1.1, 0.1, 0.5), along(1.7, 0.6, 3.5)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fog_is_denser_at_a_distance_up_to_its_limit() {
        let haze = Haze { colour: [200.0; 3], thick: [0.8, 0.2], rows: [100.0, 500.0] };
        assert_eq!((haze.at(20.0), haze.at(100.0), haze.at(500.0)), (0.8, 0.8, 0.2));
        assert!(haze.at(200.0) > haze.at(300.0));
        let visible = haze.over(100.0, [0.0; 3]);
        assert!((visible[0] - 160.0).abs() < 0.01, "{visible:?}");
    }

    #[test]
    fn a_shaken_camera_stays_within_the_drawing() {
        let shake = Shake { margin: 12, amplitude: 10.0, seed: 5 };
        let windows: Vec<_> = (0..600).map(|n| shake.window(n as f32 / 12.5)).collect();
        assert!(windows.iter().flatten().all(|&v| v <= 24), "{windows:?}");
        let widest = |i: usize| {
            let of = windows.iter().map(|w| w[i]);
            of.clone().max().unwrap_or(0) - of.min().unwrap_or(0)
        };
        assert!(widest(0) >= 6 && widest(1) >= 6);
    }
}
