//! What one picture says of itself: how dark, how bright, how much contrast, how sharp.

use crate::frame::{Picture, Thumbnail};

/// Rows of the picture that are read for sharpness.
const ROWS: usize = 60;
/// An edge is a step of the luma over this part of the picture's width; sharp is how much of it one of so many parts of
/// that way makes up.
const WAY: usize = 120;
const PARTS: usize = 8;
/// The strongest so large a part of all steps are edges.
const EDGES: f32 = 0.01;
/// No edge has a smaller step, in grey levels.
const LEAST_STEP: f32 = 8.0;
/// With fewer edges nothing is said of sharpness.
const FEWEST: u32 = 100;
/// Of the edges, so large a part is softer than what is told: a soft background is no lens out of focus.
const SOFTER: f32 = 0.75;
/// A level from which a pixel is as bright as the sensor can tell.
const CLIPPED: f32 = 250.0;

/// Measures of one picture. Levels run from 0, black, to 255, white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measures {
    /// Level that all but a fiftieth of the picture stays under.
    pub(super) brightest: f32,
    /// Level in the middle.
    pub(super) median: f32,
    /// Part of the picture at the sensor's end, 0 to 1.
    pub(super) clipped: f32,
    /// Levels between neighbours among the small pixels that all but a hundredth stay under.
    pub(super) contrast: f32,
    /// Part of the sharper edges' steps that is made within an eighth of their way: 1 for an edge within two pixels of
    /// 1920, an eighth for an even slope. `None` where there are no edges.
    pub(super) sharpness: Option<f32>,
}

impl Measures {
    pub(super) fn of(picture: &Picture, thumbnail: &Thumbnail) -> Self {
        let (black, scale) = if picture.colorimetry.full_range { (0.0, 1.0) } else { (16.0, 255.0 / 219.0) };
        let level = |luma: &f32| ((luma - black) * scale).clamp(0.0, 255.0);
        let mut levels: Vec<f32> = thumbnail.luma.iter().map(level).collect();
        let cells = levels.len();
        let clipped = levels.iter().filter(|&&level| level >= CLIPPED).count() as f32 / cells as f32;
        let across = thumbnail.luma.chunks(Thumbnail::WIDTH);
        let mut steps: Vec<f32> =
            across.flat_map(|row| row.windows(2)).map(|pair| (pair[0] - pair[1]).abs() * scale).collect();
        let last = steps.len() - steps.len() / 100;
        Self {
            brightest: ranked(&mut levels, cells - cells / 50),
            median: ranked(&mut levels, cells / 2),
            clipped,
            contrast: ranked(&mut steps, last),
            sharpness: sharpness(picture),
        }
    }
}

fn ranked(values: &mut [f32], place: usize) -> f32 {
    *values.select_nth_unstable_by(place, f32::total_cmp).1
}

fn sharpness(picture: &Picture) -> Option<f32> {
    let (width, height) = picture.plane_extent(0);
    let part = (width / (WAY * PARTS)).max(1);
    let way = part * PARTS;
    // Names and clocks that cameras write into the picture are always sharp; they stand along its upper and lower edge.
    let rows = || (0..ROWS).map(|place| picture.row(0, height / 10 + place * (height - height / 5) / ROWS));
    let mut steps = [0u32; 256];
    for row in rows() {
        for (&left, &right) in row.iter().zip(row.iter().skip(way)) {
            steps[usize::from(left.abs_diff(right))] += 1;
        }
    }
    let least = (under(&steps, 1.0 - EDGES) / 2.0).max(LEAST_STEP);
    let mut ratios = [0u32; 256];
    for row in rows() {
        for (at, (&left, &right)) in row.iter().zip(row.iter().skip(way)).enumerate() {
            let step = left.abs_diff(right);
            if f32::from(step) < least {
                continue;
            }
            let of_part = |n: usize| row[at + n * part].abs_diff(row[at + (n + 1) * part]);
            let largest = (0..PARTS).map(of_part).fold(0, u8::max).min(step);
            ratios[usize::from(largest) * 255 / usize::from(step)] += 1;
        }
    }
    (ratios.iter().sum::<u32>() >= FEWEST).then(|| under(&ratios, SOFTER) / 255.0)
}

/// The value that so large a part of all is under, between whole ones.
fn under(counts: &[u32; 256], part: f32) -> f32 {
    let mut left = counts.iter().sum::<u32>() as f32 * part;
    for (value, &count) in counts.iter().enumerate() {
        let count = count as f32;
        if count > 0.0 && count >= left {
            return (value as f32 - 0.5 + left / count).max(0.0);
        }
        left -= count;
    }
    0.0
}
