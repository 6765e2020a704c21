//! SSD as TensorFlow's Object Detection API exports it: scores `[1, anchors, classes]` past the sigmoid, the background
//! removed; boxes `[1, anchors, 1, 4]` or `[1, anchors, 4]`, already decoded: top, left, bottom, right in 0..1 of the input.

use super::{Candidates, Head, Manifest, expect_shape};
use crate::detect::refusal::LoadError;

pub(super) fn check(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<usize, LoadError> {
    expect_shape(manifest, "outputs.scores", &shapes[0], &[1, -1, -1])?;
    let (anchors, scores) = (shapes[0][1], shapes[0][2]);
    let boxes: &[i64] = if shapes[1].len() == 4 { &[1, anchors, 1, 4] } else { &[1, anchors, 4] };
    expect_shape(manifest, "outputs.boxes", &shapes[1], boxes)?;
    Ok(scores as usize)
}

pub(super) fn decode(head: &Head, scores: &[f32], boxes: &[f32], into: &mut Candidates) {
    let (w, h) = (head.width as f32, head.height as f32);
    let (corners, _) = boxes.as_chunks::<4>();
    for (scores, &[top, left, bottom, right]) in scores.chunks_exact(head.scores).zip(corners) {
        for (class, indices) in &head.classes {
            if let Some(confidence) = into.score(indices, head.floor, |i| scores[i]) {
                into.offer(*class, confidence, [left * w, top * h, right * w, bottom * h]);
            }
        }
    }
}
