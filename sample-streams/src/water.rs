//! Water: two layers of ripples that scroll against each other over a fixed picture.

use crate::noise::NoiseField;
use crate::picture::Picture;
use crate::weather::Glitter;

/// The ripples of a scene.
#[derive(Debug, Clone, Copy)]
pub struct Waves {
    /// First row of water.
    pub top: usize,
    /// Contrast of the ripples in percent of the brightness, far and near.
    pub strength: [f32; 2],
    /// Width of a ripple in pixels, far and near.
    pub size: [f32; 2],
    /// Speed of the nearest ripples in pixels a second.
    pub speed: f32,
    /// Seed of the ripples.
    pub seed: u64,
}

/// Ripples that are drawn once and put over the background with another offset in each frame.
#[derive(Debug)]
pub struct Water {
    waves: Waves,
    width: usize,
    height: usize,
    layers: [Vec<i8>; 2],
    /// How much a ripple glitters, for each pixel of the water; empty without sun.
    flashes: Vec<u8>,
}

/// Height from which a ripple glitters.
const FLASH_FROM: i16 = 6;
/// Pixels over which the end of a layer blends into its beginning.
const SEAM: usize = 256;

impl Water {
    /// Prepares the ripples for pictures of `width` x `height`.
    pub fn new(waves: Waves, glitter: Option<Glitter>, width: usize, height: usize) -> Self {
        let layer = |seed: u64| {
            let field = NoiseField(seed);
            let rows = height - waves.top;
            let mut out = vec![0i8; rows * width * 2];
            let mut depth = 0.0;
            for row in 0..rows {
                let near = row as f32 / rows as f32;
                let size = waves.size[0] + (waves.size[1] - waves.size[0]) * near;
                let strength = waves.strength[0] + (waves.strength[1] - waves.strength[0]) * near;
                depth += 7.0 / size;
                let value = |x: usize| {
                    let x = x as f32 / size;
                    field.at(x, depth) + 0.6 * field.at(x * 2.7 + 31.0, depth * 2.3)
                };
                let line = &mut out[row * width * 2..][..width * 2];
                for x in 0..width {
                    let mut v = value(x);
                    if x < SEAM {
                        let t = x as f32 / SEAM as f32;
                        v = v * t + value(x + width) * (1.0 - t);
                    }
                    // 1.28: 128 steps are 100 percent.
                    let level = (v * strength * 1.28).clamp(-63.0, 63.0) as i8;
                    line[x] = level;
                    line[x + width] = level;
                }
            }
            out
        };
        let rows = height - waves.top;
        let flashes = glitter.map_or(Vec::new(), |glitter| {
            let near = |row: usize| row as f32 / rows as f32;
            (0..rows).flat_map(|row| (0..width).map(move |x| glitter.weight(x, near(row)))).collect()
        });
        Self { waves, width, height, layers: [layer(waves.seed), layer(waves.seed ^ 0x5eed)], flashes }
    }

    /// Draws the ripples at the time `seconds`.
    pub fn draw_on(&self, picture: &mut Picture, seconds: f32) {
        let rows = self.height - self.waves.top;
        let width = self.width;
        let luma = &mut picture.data[self.waves.top * width..self.height * width];
        for (row, line) in luma.chunks_exact_mut(width).enumerate() {
            let near = 0.25 + 0.75 * row as f32 / rows as f32;
            let drift = (seconds * self.waves.speed * near) as usize;
            let start = row * width * 2;
            let one = &self.layers[0][start + drift % width..][..width];
            let other = &self.layers[1][start + width - 1 - (drift * 4 / 5) % width..][..width];
            for ((pixel, a), b) in line.iter_mut().zip(one).zip(other) {
                let still = i16::from(*pixel);
                let ripple = i16::from(*a) + i16::from(*b);
                *pixel = (still + ((still * ripple) >> 7)).clamp(16, 235) as u8;
            }
            if !self.flashes.is_empty() {
                let flashes = &self.flashes[row * width..][..width];
                for (((pixel, a), b), flash) in line.iter_mut().zip(one).zip(other).zip(flashes) {
                    let crest = (i16::from(*a) + i16::from(*b) - FLASH_FROM).max(0);
                    let light = (crest * i16::from(*flash)) >> 4;
                    *pixel = (i16::from(*pixel) + light).min(235) as u8;
                }
            }
        }
    }
}
