//! A motion cue: what stirs in the picture, and how the camera shook, from a luma picture of 96 x 54 ([`Thumbnail`]).
//!
//! It may say where to look sooner, and never what is there: waves move everywhere. A cell's noise is learnt, so one
//! that always moves says nothing; a change of the light says nothing either.
//!
//! The camera's shake is the shift that lays the picture on its slow background: the best whole step, then
//! Lucas and Kanade's method ("An Iterative Image Registration Technique", 1981) for the fraction, each cell weighing less
//! the noisier it is and the worse it fits, so that neither water nor a passing vessel carries the picture along.

use std::time::Duration;

use crate::clock::MonoTime;
use crate::frame::Thumbnail;
use crate::geometry::FrameSize;
use crate::regions::{CELLS, COLUMNS};

const WIDTH: usize = Thumbnail::WIDTH;
const HEIGHT: usize = Thumbnail::HEIGHT;
/// Small pixels along a side of a cell of [`crate::regions`].
const PER_CELL: usize = WIDTH / COLUMNS;
/// The background takes in what is new within about this time.
const SETTLES_IN: Duration = Duration::from_secs(10);
/// A change counts when it is this many grey levels, and this many times a pixel's usual change.
const LEVELS: f32 = 4.0;
const TIMES_NOISE: f32 = 4.0;
/// The usual change of a pixel nothing is known of.
const FIRST_NOISE: f32 = 2.0;
/// When this part of the picture has changed, it is another picture.
const ANOTHER: f32 = 0.5;
/// Shifts are searched for within so many small pixels either way.
const REACH: i32 = 3;
/// Steps of refinement at most.
const STEPS: usize = 12;
/// A shift that explains less than this part of the change is none.
const EXPLAINS: f32 = 0.15;

type Luma = Vec<f32>;

/// What a look's picture says beside the ones before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Motion {
    /// Cells that changed against the background, row by row; empty when nothing is known yet.
    pub stirred: Vec<bool>,
    /// How far all that stands still has moved since the look before, rightward and downward in pixels of the frame.
    pub shift: [f32; 2],
}

/// Watches the small pictures of one camera.
#[derive(Clone, Debug, Default)]
pub struct MotionCue {
    known: Option<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    size: FrameSize,
    at: MonoTime,
    background: Luma,
    noise: Vec<f32>,
    /// Of the last picture against the background, in small pixels.
    shift: [f32; 2],
}

impl MotionCue {
    /// Takes in the picture of a look made `at`, later than the one before.
    pub fn look(&mut self, picture: &Thumbnail, at: MonoTime) -> Motion {
        let luma = smooth(&picture.luma);
        let size = picture.size;
        let Some(known) = self.known.as_mut().filter(|known| known.size == size) else {
            let noise = vec![FIRST_NOISE; luma.len()];
            self.known = Some(Known { size, at, background: luma, noise, shift: [0.0; 2] });
            return Motion::default();
        };
        let before = known.shift;
        known.shift = known.find_shift(&luma);
        let [sx, sy] = known.shift;
        let still: Luma = places().map(|(x, y)| sample(&luma, x as f32 + sx, y as f32 + sy)).collect();
        let stirred = known.take_in(&still, at);
        let changed = stirred.iter().filter(|stirs| **stirs).count();
        if changed as f32 > ANOTHER * CELLS as f32 {
            self.known = None;
            return Motion::default();
        }
        let scale = [size.width as f32 / WIDTH as f32, size.height as f32 / HEIGHT as f32];
        let shift = [(sx - before[0]) * scale[0], (sy - before[1]) * scale[1]];
        Motion { stirred, shift }
    }
}

impl Known {
    /// Compares a picture laid on the background with it, then learns from it.
    fn take_in(&mut self, still: &Luma, at: MonoTime) -> Vec<bool> {
        let learn = 1.0 - (-at.since(self.at).as_secs_f32() / SETTLES_IN.as_secs_f32()).exp();
        self.at = at;
        let light = median(still.iter().zip(&self.background).map(|(new, old)| new - old).collect());
        let mut stirred = vec![false; CELLS];
        for (i, (x, y)) in places().enumerate() {
            let difference = still[i] - self.background[i] - light;
            let change = difference.abs();
            if change > LEVELS + TIMES_NOISE * self.noise[i] {
                stirred[(y / PER_CELL) * COLUMNS + x / PER_CELL] = true;
            }
            self.background[i] += light + learn * difference;
            self.noise[i] += learn * (change.min(LEVELS + TIMES_NOISE * self.noise[i]) - self.noise[i]);
        }
        stirred
    }

    /// The shift of `luma` against the background, in small pixels: `luma(x + shift)` is `background(x)`.
    fn find_shift(&self, luma: &Luma) -> [f32; 2] {
        let steps = (-REACH..=REACH).flat_map(|dy| (-REACH..=REACH).map(move |dx| [dx as f32, dy as f32]));
        let unmoved = self.misfit(luma, [0.0; 2]);
        let mut shift = steps
            .map(|step| (self.misfit(luma, step), step))
            .fold((unmoved, [0.0; 2]), |best, tried| if tried.0 < best.0 { tried } else { best })
            .1;
        for _ in 0..STEPS {
            let Some([dx, dy]) = self.refine(luma, shift) else { break };
            shift = [shift[0] + dx, shift[1] + dy];
            if dx.hypot(dy) < 5e-3 {
                break;
            }
        }
        let within = shift.iter().all(|s| s.abs() <= REACH as f32 + 0.5);
        if within && self.misfit(luma, shift) < (1.0 - EXPLAINS) * unmoved { shift } else { [0.0; 2] }
    }

    /// How badly `luma`, shifted, fits the background: differences beyond a few grey levels count the same.
    fn misfit(&self, luma: &Luma, shift: [f32; 2]) -> f32 {
        let residual = |(x, y): (usize, usize)| -> f32 {
            let i = y * WIDTH + x;
            let new: f32 = sample(luma, x as f32 + shift[0], y as f32 + shift[1]);
            ((new - self.background[i]).abs() / (1.0 + self.noise[i])).min(LEVELS)
        };
        inner().map(residual).sum()
    }

    /// One step of Lucas and Kanade's; `None` where the picture has no structure to hold on to.
    fn refine(&self, luma: &Luma, shift: [f32; 2]) -> Option<[f32; 2]> {
        let (mut xx, mut xy, mut yy, mut bx, mut by) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for (x, y) in inner() {
            let i = y * WIDTH + x;
            let gx = (self.background[i + 1] - self.background[i - 1]) / 2.0;
            let gy = (self.background[i + WIDTH] - self.background[i - WIDTH]) / 2.0;
            let residual = sample(luma, x as f32 + shift[0], y as f32 + shift[1]) - self.background[i];
            let scale = 1.0 + self.noise[i];
            // Cauchy's weight: what does not fit is not part of what stands still.
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

fn places() -> impl Iterator<Item = (usize, usize)> {
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
}

/// Those from which every shift stays within the picture.
fn inner() -> impl Iterator<Item = (usize, usize)> {
    let edge = REACH as usize + 1;
    (edge..HEIGHT - edge).flat_map(move |y| (edge..WIDTH - edge).map(move |x| (x, y)))
}

/// Between the small pixels, by their distance; beyond the edge the edge goes on.
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

/// Sharp edges cannot be told from what lies between the small pixels once the picture shifts by less than one.
fn smooth(sharp: &Luma) -> Luma {
    let along = |luma: &Luma, by: usize, at: usize, last: usize, i: usize| {
        let before = if at == 0 { luma[i] } else { luma[i - by] };
        let after = if at == last { luma[i] } else { luma[i + by] };
        (before + 2.0 * luma[i] + after) / 4.0
    };
    let across: Luma = places().map(|(x, y)| along(sharp, 1, x, WIDTH - 1, y * WIDTH + x)).collect();
    places().map(|(x, y)| along(&across, WIDTH, y, HEIGHT - 1, y * WIDTH + x)).collect()
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

    /// A quay: dark and bright patches without a pattern.
    fn quay(x: f32, y: f32) -> f32 {
        let hash = ((x / 37.0).floor() * 12.9898 + (y / 29.0).floor() * 78.233).sin() * 43_758.547;
        60.0 + 120.0 * (hash - hash.floor())
    }

    fn at(look: u32) -> MonoTime {
        MonoTime::from_boot(Duration::from_millis(1000 + 250 * u64::from(look)))
    }

    #[test]
    fn a_shake_is_told_to_a_sixth_of_a_small_pixel_even_with_a_vessel_passing() {
        let mut cue = MotionCue::default();
        let mut told = [0.0; 2];
        for look in 0..40 {
            let (sx, sy) =
                if look < 4 { (0.0, 0.0) } else { (6.0 * (look as f32).sin(), 3.0 * (look as f32).cos()) };
            let vessel = |x: f32, y: f32| (x - 20.0 * look as f32).abs() < 60.0 && (y - 300.0).abs() < 25.0;
            let shown = picture(|x, y| if vessel(x, y) { 240.0 } else { quay(x - sx, y - sy) });
            let motion = cue.look(&shown, at(look));
            told = [told[0] + motion.shift[0], told[1] + motion.shift[1]];
            // A small pixel covers ten of the picture's.
            let off = (told[0] - sx).abs().max((told[1] - sy).abs());
            assert!(off < 10.0 / 6.0, "{look}: {told:?} for {sx} {sy}");
        }
    }

    #[test]
    fn a_vessel_stirs_the_cells_it_is_in_and_no_others_and_light_stirs_nothing() {
        let mut cue = MotionCue::default();
        for look in 0..60 {
            let light = 10.0 * (look as f32 / 5.0).sin();
            let left = if look < 50 { -500.0 } else { 300.0 + 12.0 * (look - 50) as f32 };
            let inside = |x: f32, y: f32| x >= left && x < left + 60.0 && (300.0..330.0).contains(&y);
            let shown = picture(|x, y| light + if inside(x, y) { 20.0 } else { quay(x, y) });
            let motion = cue.look(&shown, at(look));
            assert_eq!(motion.shift, [0.0; 2], "{look}");
            let stirred: Vec<_> = (0..motion.stirred.len()).filter(|&cell| motion.stirred[cell]).collect();
            assert_eq!(stirred.is_empty(), look < 50, "{look}: {stirred:?}");
            for cell in stirred {
                let (x, y) = ((cell % COLUMNS) as f32 * 30.0, (cell / COLUMNS) as f32 * 30.0);
                // To within a cell: small pictures are smooth. Behind it, what the background has begun to forget.
                assert!(
                    (270.0..=left + 90.0).contains(&x) && (270.0..=330.0).contains(&y),
                    "{look}: {x} {y}"
                );
            }
        }
    }

    #[test]
    fn water_that_always_moves_says_nothing_once_it_is_known() {
        let mut cue = MotionCue::default();
        let mut stirred = 0;
        for look in 0..160 {
            let t = look as f32;
            let wave = |x: f32, y: f32| 25.0 * (x / 23.0 + 1.7 * t).sin() * (y / 17.0 - 2.3 * t).cos();
            let shown = picture(|x, y| if y > 270.0 { 110.0 + wave(x, y) } else { quay(x, y) });
            let motion = cue.look(&shown, at(look));
            assert_eq!(motion.shift, [0.0; 2], "{look}");
            if look >= 100 {
                stirred += motion.stirred.iter().filter(|stirs| **stirs).count();
            }
        }
        assert!(stirred < 60, "{stirred} cells in 60 looks");
    }

    #[test]
    fn another_picture_is_begun_with_anew() {
        let mut cue = MotionCue::default();
        for look in 0..8 {
            cue.look(&picture(quay), at(look));
        }
        assert_eq!(cue.look(&picture(|x, y| 255.0 - quay(y, x)), at(8)), Motion::default());
    }
}
