//! What is measured in a single picture: brightness, contrast, sharpness.

use crate::frame::{Picture, Thumbnail};

/// Rows of the picture that sharpness is measured in.
const ROWS: usize = 60;
/// An edge is a luma step over 1/120 of the picture's width, divided into 8 parts. Its sharpness is the share of the step
/// that lies in the steepest part.
const EDGE_WIDTH: usize = 120;
const PARTS: usize = 8;
/// This share of all steps, the strongest, are edges.
const EDGE_SHARE: f32 = 0.01;
/// No edge has a smaller step, in levels.
const LEAST_STEP: f32 = 8.0;
/// With fewer edges sharpness is not measured.
const FEWEST_EDGES: u32 = 100;
/// Sharpness of a picture is that of its sharper edges: this share of the edges is softer. A soft background does not
/// mean that the lens is out of focus.
const SOFTER_SHARE: f32 = 0.75;
/// From this level on a pixel counts as clipped: as bright as the sensor can measure.
pub(super) const CLIPPED: f32 = 250.0;

/// Measures of one picture. Levels run from 0, black, to 255, white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImageMeasures {
    /// The level that 98 % of the picture is below.
    pub(super) brightest: f32,
    /// Median level.
    pub(super) median: f32,
    /// Share of the picture that is clipped, 0 to 1.
    pub(super) clipped: f32,
    /// The difference between neighbouring thumbnail pixels that 99 % are below, in levels.
    pub(super) contrast: f32,
    /// Sharpness of the sharper edges: 1 when the whole step lies within two pixels of 1920, 1/8 for an even slope.
    /// `None` where there are too few edges.
    pub(super) sharpness: Option<f32>,
}

impl ImageMeasures {
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

fn ranked(values: &mut [f32], rank: usize) -> f32 {
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}

fn sharpness(picture: &Picture) -> Option<f32> {
    let (width, height) = picture.plane_extent(0);
    let part = (width / (EDGE_WIDTH * PARTS)).max(1);
    let edge = part * PARTS;
    // Names and clocks that cameras write into the picture are always sharp. They stand in its top and bottom rows,
    // which are left out.
    let rows = || (0..ROWS).map(|place| picture.row(0, height / 10 + place * (height - height / 5) / ROWS));
    let mut steps = [0u32; 256];
    for row in rows() {
        for (&left, &right) in row.iter().zip(row.iter().skip(edge)) {
            steps[usize::from(left.abs_diff(right))] += 1;
        }
    }
    let least = (quantile(&steps, 1.0 - EDGE_SHARE) / 2.0).max(LEAST_STEP);
    let mut ratios = [0u32; 256];
    for row in rows() {
        for (at, (&left, &right)) in row.iter().zip(row.iter().skip(edge)).enumerate() {
            let step = left.abs_diff(right);
            if f32::from(step) < least {
                continue;
            }
            let of_part = |n: usize| row[at + n * part].abs_diff(row[at + (n + 1) * part]);
            let largest = (0..PARTS).map(of_part).fold(0, u8::max).min(step);
            ratios[usize::from(largest) * 255 / usize::from(step)] += 1;
        }
    }
    (ratios.iter().sum::<u32>() >= FEWEST_EDGES).then(|| quantile(&ratios, SOFTER_SHARE) / 255.0)
}

/// The value that this share of all counted values is below, interpolated between whole values.
fn quantile(counts: &[u32; 256], share: f32) -> f32 {
    let mut left = counts.iter().sum::<u32>() as f32 * share;
    for (value, &count) in counts.iter().enumerate() {
        let count = count as f32;
        if count > 0.0 && count >= left {
            return (value as f32 - 0.5 + left / count).max(0.0);
        }
        left -= count;
    }
    0.0
}
