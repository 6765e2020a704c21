//! NanoDet (Lyu 2020) with the generalised focal loss head (Li et al. 2020, arXiv 2006.04388).
//!
//! One map of scores and one of boxes for each stride: 8, 16 and 32, and 4 before them in models for small vessels. Scores
//! `[1, cells, classes]`, after the sigmoid. Boxes `[1, cells, 4 x bins]`: for each side a distribution over `bins` distances from
//! the cell's centre, in strides.

use super::candidates::Candidates;
#[cfg(test)]
use super::format::Example;
use super::format::{DecodeContext, HeadFormat, InputSize, OutputNames, Tensor, expect_shape};
use crate::detect::load_error::ManifestError;

#[derive(Debug)]
pub(super) struct NanoDet;

/// The strides of a model with `levels` maps, three or four.
fn strides(levels: usize) -> impl Iterator<Item = usize> {
    [4, 8, 16, 32].into_iter().skip(4 - levels.clamp(3, 4))
}

impl HeadFormat for NanoDet {
    fn name(&self) -> &'static str {
        "nanodet"
    }

    fn input_multiple(&self) -> usize {
        32
    }

    fn outputs(&self, names: &OutputNames) -> Vec<(&'static str, usize)> {
        let levels = names.get("scores").map_or(0, Vec::len).clamp(3, 4);
        vec![("scores", levels), ("boxes", levels)]
    }

    fn check(&self, input: InputSize, shapes: &[Vec<i64>]) -> Result<usize, ManifestError> {
        let (mut scores, mut sides) = (-1, -1);
        let levels = shapes.len() / 2;
        for (i, stride) in strides(levels).enumerate() {
            let (columns, rows) = input.grid(stride);
            let cells = (columns * rows) as i64;
            expect_shape("outputs.scores", &shapes[i], &[1, cells, scores])?;
            expect_shape("outputs.boxes", &shapes[i + levels], &[1, cells, sides])?;
            (scores, sides) = (shapes[i][2], shapes[i + levels][2]);
        }
        if sides < 8 || sides % 4 != 0 {
            return Err(ManifestError::new(
                "outputs.boxes",
                format!("{sides} values per cell"),
                "4 sides of at least 2 bins",
                "list the maps of box distributions, not of decoded boxes",
            ));
        }
        Ok(scores as usize)
    }

    fn decode(&self, context: &DecodeContext, outputs: &[Tensor], into: &mut Candidates) {
        let (scores, boxes) = outputs.split_at(outputs.len() / 2);
        for ((stride, scores), boxes) in strides(scores.len()).zip(scores).zip(boxes) {
            let (columns, rows) = context.input.grid(stride);
            let sides = boxes.data.len() / (columns * rows);
            let bins = sides / 4;
            let stride = stride as f32;
            let cells = scores.data.chunks_exact(context.scores).zip(boxes.data.chunks_exact(sides));
            for (cell, (scores, sides)) in cells.enumerate() {
                for (class, indices) in &context.classes {
                    let Some(confidence) = into.best_score(indices, context.threshold, |i| scores[i]) else {
                        continue;
                    };
                    let x = ((cell % columns) as f32 + 0.5) * stride;
                    let y = ((cell / columns) as f32 + 0.5) * stride;
                    let mut distances = sides.chunks_exact(bins).map(|bins| expected_bin(bins) * stride);
                    let [left, top, right, bottom] =
                        std::array::from_fn(|_| distances.next().unwrap_or(f32::NAN));
                    into.add(*class, confidence, [x - left, y - top, x + right, y + bottom]);
                }
            }
        }
    }

    #[cfg(test)]
    fn examples(&self) -> Vec<Example> {
        let shapes = |grids: &[i64]| -> Vec<Vec<i64>> {
            [10, 44].iter().flat_map(|&n| grids.iter().map(move |&cells| vec![1, cells, n])).collect()
        };
        let three = "scores = ['s', 't', 'u']\nboxes = ['a', 'b', 'c']";
        let four = "scores = ['r', 's', 't', 'u']\nboxes = ['z', 'a', 'b', 'c']";
        vec![
            Example { outputs: three, shapes: shapes(&[64, 16, 4]) },
            Example { outputs: four, shapes: shapes(&[256, 64, 16, 4]) },
        ]
    }

    #[cfg(test)]
    fn recorded_side(&self) -> usize {
        416
    }
}

/// The mean bin under the softmax of `logits`.
fn expected_bin(logits: &[f32]) -> f32 {
    // Subtracting the largest keeps the exponentials finite and does not change the result.
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let p = (logit - largest).exp();
        sum += p;
        weighted += p * bin as f32;
    }
    weighted / sum
}
