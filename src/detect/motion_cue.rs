//! The motion cue: which cells of the picture move, and how far the camera moved, from a luma picture of 96 x 54
//! ([`Thumbnail`]).
//!
//! The cue only says where to inspect sooner, never what is there, because waves move everywhere. It learns the noise of each
//! pixel, so that constant motion gives no cue. A change of the light gives no cue either.
//!
//! The camera's motion is the shift that best aligns the picture with a slow background: first the best whole step, then
//! the method of Lucas and Kanade ("An Iterative Image Registration Technique", 1981) for the fraction. Noisy pixels and pixels
//! that fit badly weigh less, so that water and passing vessels do not influence the shift.

use std::time::Duration;

use crate::clock::MonoTime;
use crate::frame::Thumbnail;
use crate::geometry::FrameSize;
use crate::regions::{CELLS, COLUMNS};

const WIDTH: usize = Thumbnail::WIDTH;
const HEIGHT: usize = Thumbnail::HEIGHT;
/// Thumbnail pixels along a side of a cell of [`crate::regions`].
const PER_CELL: usize = WIDTH / COLUMNS;
/// Time constant with which the background follows the picture.
const BACKGROUND_TIME: Duration = Duration::from_secs(10);
/// A pixel moves when it changes by more than this many grey levels plus this many times its usual change.
const MIN_LEVELS: f32 = 4.0;
const NOISE_FACTOR: f32 = 4.0;
/// Usual change of a new pixel.
const FIRST_NOISE: f32 = 2.0;
/// When more than this share of the picture changed, the scene is a different one.
const NEW_SCENE: f32 = 0.5;
/// The largest shift that is searched for, in thumbnail pixels in each direction.
const MAX_SHIFT: i32 = 3;
/// The most refinement steps.
const MAX_STEPS: usize = 12;
/// A shift must reduce the misfit by at least this share.
const MIN_GAIN: f32 = 0.15;

type Luma = Vec<f32>;

/// What changed since the previous passes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneMotion {
    /// For each cell, row by row, whether it changed against the background; empty while there is no background.
    pub moving_cells: Vec<bool>,
    /// How far stationary things moved in the picture since the previous pass, rightward and downward in pixels of the frame.
    pub shift: [f32; 2],
}

/// Computes the motion cue of one camera.
#[derive(Clone, Debug, Default)]
pub struct MotionCue {
    background: Option<Background>,
}

#[derive(Clone, Debug)]
struct Background {
    size: FrameSize,
    at: MonoTime,
    luma: Luma,
    /// Usual change of each pixel, in grey levels.
    noise: Vec<f32>,
    /// Shift of the last picture against the background, in thumbnail pixels.
    shift: [f32; 2],
}

impl MotionCue {
    /// Adds the picture of a pass at time `at`, later than the previous one.
    pub fn observe(&mut self, picture: &Thumbnail, at: MonoTime) -> SceneMotion {
        let luma = smooth(&picture.luma);
        let size = picture.size;
        let Some(background) = self.background.as_mut().filter(|b| b.size == size) else {
            let noise = vec![FIRST_NOISE; luma.len()];
            self.background = Some(Background { size, at, luma, noise, shift: [0.0; 2] });
            return SceneMotion::default();
        };
        let before = background.shift;
        background.shift = background.find_shift(&luma);
        let [sx, sy] = background.shift;
        let aligned: Luma = pixels().map(|(x, y)| sample(&luma, x as f32 + sx, y as f32 + sy)).collect();
        let moving_cells = background.update(&aligned, at);
        let changed = moving_cells.iter().filter(|moves| **moves).count();
        if changed as f32 > NEW_SCENE * CELLS as f32 {
            self.background = None;
            return SceneMotion::default();
        }
        let scale = [size.width as f32 / WIDTH as f32, size.height as f32 / HEIGHT as f32];
        let shift = [(sx - before[0]) * scale[0], (sy - before[1]) * scale[1]];
        SceneMotion { moving_cells, shift }
    }
}

impl Background {
    /// Compares an aligned picture with the background, then updates the background.
    fn update(&mut self, aligned: &Luma, at: MonoTime) -> Vec<bool> {
        let learn = 1.0 - (-at.since(self.at).as_secs_f32() / BACKGROUND_TIME.as_secs_f32()).exp();
        self.at = at;
        let light = median(aligned.iter().zip(&self.luma).map(|(new, old)| new - old).collect());
        let mut moving_cells = vec![false; CELLS];
        for (i, (x, y)) in pixels().enumerate() {
            let difference = aligned[i] - self.luma[i] - light;
            let change = difference.abs();
            if change > MIN_LEVELS + NOISE_FACTOR * self.noise[i] {
                moving_cells[(y / PER_CELL) * COLUMNS + x / PER_CELL] = true;
            }
            self.luma[i] += light + learn * difference;
            self.noise[i] += learn * (change.min(MIN_LEVELS + NOISE_FACTOR * self.noise[i]) - self.noise[i]);
        }
        moving_cells
    }

    /// The shift of `luma` against the background, in thumbnail pixels: `luma(x + shift)` equals `background(x)`.
    fn find_shift(&self, luma: &Luma) -> [f32; 2] {
        let steps = (-MAX_SHIFT..=MAX_SHIFT)
            .flat_map(|dy| (-MAX_SHIFT..=MAX_SHIFT).map(move |dx| [dx as f32, dy as f32]));
        let unmoved = self.misfit(luma, [0.0; 2]);
        let mut shift = steps
            .map(|step| (self.misfit(luma, step), step))
            .fold((unmoved, [0.0; 2]), |best, tried| if tried.0 < best.0 { tried } else { best })
            .1;
        for _ in 0..MAX_STEPS {
            let Some([dx, dy]) = self.refine(luma, shift) else { break };
            shift = [shift[0] + dx, shift[1] + dy];
            if dx.hypot(dy) < 5e-3 {
                break;
            }
        }
        let within = shift.iter().all(|s| s.abs() <= MAX_SHIFT as f32 + 0.5);
        if within && self.misfit(luma, shift) < (1.0 - MIN_GAIN) * unmoved { shift } else { [0.0; 2] }
    }

    /// How badly the shifted `luma` fits the background. Differences are limited to a few grey levels.
    fn misfit(&self, luma: &Luma, shift: [f32; 2]) -> f32 {
        let residual = |(x, y): (usize, usize)| -> f32 {
            let i = y * WIDTH + x;
            let new: f32 = sample(luma, x as f32 + shift[0], y as f32 + shift[1]);
            ((new - self.luma[i]).abs() / (1.0 + self.noise[i])).min(MIN_LEVELS)
        };
        inner_pixels().map(residual).sum()
    }

    /// One step of the method of Lucas and Kanade; `None` when the picture has too little structure.
    fn refine(&self, luma: &Luma, shift: [f32; 2]) -> Option<[f32; 2]> {
        let (mut xx, mut xy, mut yy, mut bx, mut by) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for (x, y) in inner_pixels() {
            let i = y * WIDTH + x;
            let gx = (self.luma[i + 1] - self.luma[i - 1]) / 2.0;
            let gy = (self.luma[i + WIDTH] - self.luma[i - WIDTH]) / 2.0;
            let residual = sample(luma, x as f32 + shift[0], y as f32 + shift[1]) - self.luma[i];
            let scale = 1.0 + self.noise[i];
            // Cauchy's weight: pixels that do not fit are not part of the stationary scene.
            let weight = f64::from(1.0 / (scale * scale * (1.0 + (residual / (2.0 * scale)).powi(2))));
            let (gx, gy, residual) = (f64::from(gx), f64::from(gy), f64::from(residual));
            xx += weight * gx * gx;
            xy += weight * gx * gy;
            yy += weight * gy * gy;
            bx -= weight * gx * residual;
            by -= weight * gy * residual;
        }
        let determinant = xx * yy - xy * xy;
        if determinant <= 1e-3 * (xx + yy).powi(2) || xx + yy < 1.0 {
            return None;
        }
        Some([((yy * bx - xy * by) / determinant) as f32, ((xx * by - xy * bx) / determinant) as f32])
    }
}

fn pixels() -> impl Iterator<Item = (usize, usize)> {
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
}

/// Pixels from which every shift stays within the picture.
fn inner_pixels() -> impl Iterator<Item = (usize, usize)> {
    let edge = MAX_SHIFT as usize + 1;
    (edge..HEIGHT - edge).flat_map(move |y| (edge..WIDTH - edge).map(move |x| (x, y)))
}

/// Bilinear interpolation; the edge is repeated beyond the picture.
fn sample(luma: &Luma, x: f32, y: f32) -> f32 {
    let (x, y) = (x.clamp(0.0, (WIDTH - 1) as f32), y.clamp(0.0, (HEIGHT - 1) as f32));
    let (left, top) = ((x as usize).min(WIDTH - 2), (y as usize).min(HEIGHT - 2));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let i = top * WIDTH + left;
    let upper = luma[i] + fx * (luma[i + 1] - luma[i]);
    let lower = luma[i + WIDTH] + fx * (luma[i + WIDTH + 1] - luma[i + WIDTH]);
    upper + fy * (lower - upper)
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Smooths the picture. Without it, sharp edges would pass like changes when the picture shifts by a fraction of a pixel.
fn smooth(sharp: &Luma) -> Luma {
    let along = |luma: &Luma, by: usize, at: usize, last: usize, i: usize| {
        let before = if at == 0 { luma[i] } else { luma[i - by] };
        let after = if at == last { luma[i] } else { luma[i + by] };
        (before + 2.0 * luma[i] + after) / 4.0
    };
    let across: Luma = pixels().map(|(x, y)| along(sharp, 1, x, WIDTH - 1, y * WIDTH + x)).collect();
    pixels().map(|(x, y)| along(&across, WIDTH, y, HEIGHT - 1, y * WIDTH + x)).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::{Colorimetry, Picture, PixelFormat, Plane};

    const SIZE: FrameSize = FrameSize { width: 960, height: 540 };

    /// A picture whose luma is a function of the pixel.
    fn picture(luma: impl Fn(f32, f32) -> f32) -> Thumbnail {
        let (w, h) = (SIZE.width as usize, SIZE.height as usize);
        let mut data: Vec<u8> =
            (0..w * h).map(|i| luma((i % w) as f32, (i / w) as f32).clamp(0.0, 255.0) as u8).collect();
        data.resize(w * h * 3 / 2, 128);
        let plane = |offset, stride| Plane { offset, stride };
        let planes = [plane(0, w), plane(w * h, w / 2), plane(w * h * 5 / 4, w / 2)];
        let colours = Colorimetry { bt709: true, full_range: false };
        Thumbnail::of(&Picture::new(PixelFormat::I420, SIZE, colours, planes, Bytes::from(data)).unwrap())
    }

    /// A quay: dark and bright patches.
    fn quay(x: f32, y: f32) -> f32 {
        let hash = ((x / 37.0).floor() * 12.9898 + (y / 29.0).floor() * 78.233).sin() * 43_758.547;
        60.0 + 120.0 * (hash - hash.floor())
    }

    fn at(pass: u32) -> MonoTime {
        MonoTime::from_boot(Duration::from_millis(1000 + 250 * u64::from(pass)))
    }

    #[test]
    fn a_shift_is_found_while_a_vessel_passes() {
        let mut cue = MotionCue::default();
        let mut total = [0.0; 2];
        for pass in 0..40 {
            let (sx, sy) =
                if pass < 4 { (0.0, 0.0) } else { (6.0 * (pass as f32).sin(), 3.0 * (pass as f32).cos()) };
            let vessel = |x: f32, y: f32| (x - 20.0 * pass as f32).abs() < 60.0 && (y - 300.0).abs() < 25.0;
            let shown = picture(|x, y| if vessel(x, y) { 240.0 } else { quay(x - sx, y - sy) });
            let motion = cue.observe(&shown, at(pass));
            total = [total[0] + motion.shift[0], total[1] + motion.shift[1]];
            // Accurate to a sixth of a thumbnail pixel, which covers ten pixels of the picture.
            let off = (total[0] - sx).abs().max((total[1] - sy).abs());
            assert!(off < 10.0 / 6.0, "{pass}: {total:?} for {sx} {sy}");
        }
    }

    #[test]
    fn only_the_cells_of_a_vessel_move() {
        let mut cue = MotionCue::default();
        for pass in 0..60 {
            let light = 10.0 * (pass as f32 / 5.0).sin();
            let left = if pass < 50 { -500.0 } else { 300.0 + 12.0 * (pass - 50) as f32 };
            let inside = |x: f32, y: f32| x >= left && x < left + 60.0 && (300.0..330.0).contains(&y);
            let shown = picture(|x, y| light + if inside(x, y) { 20.0 } else { quay(x, y) });
            let motion = cue.observe(&shown, at(pass));
            assert_eq!(motion.shift, [0.0; 2], "{pass}");
            let moving_cells: Vec<_> =
                (0..motion.moving_cells.len()).filter(|&cell| motion.moving_cells[cell]).collect();
            assert_eq!(moving_cells.is_empty(), pass < 50, "{pass}: {moving_cells:?}");
            for cell in moving_cells {
                let (x, y) = ((cell % COLUMNS) as f32 * 30.0, (cell / COLUMNS) as f32 * 30.0);
                // One cell of margin because of the smoothing. Cells behind the vessel move until the background has recovered.
                assert!(
                    (270.0..=left + 90.0).contains(&x) && (270.0..=330.0).contains(&y),
                    "{pass}: {x} {y}"
                );
            }
        }
    }

    #[test]
    fn constant_waves_give_no_cue_after_a_while() {
        let mut cue = MotionCue::default();
        let mut moving_cells = 0;
        for pass in 0..160 {
            let t = pass as f32;
            let wave = |x: f32, y: f32| 25.0 * (x / 23.0 + 1.7 * t).sin() * (y / 17.0 - 2.3 * t).cos();
            let shown = picture(|x, y| if y > 270.0 { 110.0 + wave(x, y) } else { quay(x, y) });
            let motion = cue.observe(&shown, at(pass));
            assert_eq!(motion.shift, [0.0; 2], "{pass}");
            if pass >= 100 {
                moving_cells += motion.moving_cells.iter().filter(|moves| **moves).count();
            }
        }
        assert!(moving_cells < 60, "{moving_cells} cells in 60 passes");
    }

    #[test]
    fn a_new_scene_resets_the_background() {
        let mut cue = MotionCue::default();
        for pass in 0..8 {
            cue.observe(&picture(quay), at(pass));
        }
        assert_eq!(cue.observe(&picture(|x, y| 255.0 - quay(y, x)), at(8)), SceneMotion::default());
    }
}
