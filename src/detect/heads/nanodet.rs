//! NanoDet (Lyu 2020) with the generalised focal loss head (Li et al. 2020, arXiv 2006.04388). For strides 8, 16 and 32,
//! and before them 4 where the model has a level for small vessels: scores `[1, cells, classes]` past the sigmoid, and boxes `[1, cells, 4 x bins]`, for each side a distribution over
//! `bins` distances from the cell's middle, in strides.

use super::{Candidates, Head, Manifest, Tensor, expect_shape};
use crate::detect::refusal::LoadError;

/// The strides of `levels` maps, three or four.
fn strides(levels: usize) -> impl Iterator<Item = usize> {
    [4, 8, 16, 32].into_iter().skip(4 - levels.clamp(3, 4))
}

pub(super) fn check(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<usize, LoadError> {
    let (mut scores, mut sides) = (-1, -1);
    let levels = shapes.len() / 2;
    for (i, stride) in strides(levels).enumerate() {
        let cells = ((manifest.input.width / stride) * (manifest.input.height / stride)) as i64;
        expect_shape(manifest, "outputs.scores", &shapes[i], &[1, cells, scores])?;
        expect_shape(manifest, "outputs.boxes", &shapes[i + levels], &[1, cells, sides])?;
        (scores, sides) = (shapes[i][2], shapes[i + levels][2]);
    }
    if sides < 8 || sides % 4 != 0 {
        return Err(manifest.refuse(
            "outputs.boxes",
            format!("{sides} values a cell"),
            "4 sides of at least 2 bins",
            "list the maps of box distributions, not of decoded boxes",
        ));
    }
    Ok(scores as usize)
}

pub(super) fn decode(head: &Head, scores: &[Tensor], boxes: &[Tensor], into: &mut Candidates) {
    for ((stride, scores), boxes) in strides(scores.len()).zip(scores).zip(boxes) {
        let (columns, rows) = head.grid(stride);
        let sides = boxes.data.len() / (columns * rows);
        let bins = sides / 4;
        let stride = stride as f32;
        let cells = scores.data.chunks_exact(head.scores).zip(boxes.data.chunks_exact(sides));
        for (cell, (scores, sides)) in cells.enumerate() {
            for (class, indices) in &head.classes {
                let Some(confidence) = into.score(indices, head.floor, |i| scores[i]) else { continue };
                let x = ((cell % columns) as f32 + 0.5) * stride;
                let y = ((cell / columns) as f32 + 0.5) * stride;
                let mut distances = sides.chunks_exact(bins).map(|bins| expected_bin(bins) * stride);
                let [left, top, right, bottom] =
                    std::array::from_fn(|_| distances.next().unwrap_or(f32::NAN));
                into.offer(*class, confidence, [x - left, y - top, x + right, y + bottom]);
            }
        }
    }
}

/// The mean bin under the softmax of `logits`.
fn expected_bin(logits: &[f32]) -> f32 {
    // Taking the largest away keeps the exponentials finite and changes nothing else.
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let p = (logit - largest).exp();
        sum += p;
        weighted += p * bin as f32;
    }
    weighted / sum
}
