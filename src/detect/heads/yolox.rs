//! YOLOX (Ge et al. 2021, arXiv 2107.08430) exported without its decoding, as upstream's ONNX files are:
//! `[1, cells of strides 8, 16 and 32, 5 + classes]`; offset of the middle from the cell's corner in strides, logarithm of
//! the extent in strides, objectness and scores past the sigmoid. Confidence is objectness times score.

use super::{Candidates, Head, Manifest, STRIDES, expect_shape};
use crate::detect::refusal::LoadError;

pub(super) fn check(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<usize, LoadError> {
    let (w, h) = (manifest.input.width, manifest.input.height);
    let cells: usize = STRIDES.into_iter().map(|stride| (w / stride) * (h / stride)).sum();
    expect_shape(manifest, "outputs.predictions", &shapes[0], &[1, cells as i64, -1])?;
    let values = shapes[0][2];
    if values < 6 {
        return Err(manifest.refuse(
            "outputs.predictions",
            format!("{values} values a cell"),
            "4 for the box, 1 objectness and at least 1 score",
            "check `head`",
        ));
    }
    Ok(values as usize - 5)
}

pub(super) fn decode(head: &Head, map: &[f32], into: &mut Candidates) {
    let mut cells = map.chunks_exact(5 + head.scores);
    for stride in STRIDES {
        let (columns, rows) = head.grid(stride);
        let stride = stride as f32;
        for (index, cell) in cells.by_ref().take(columns * rows).enumerate() {
            for (class, indices) in &head.classes {
                let Some(confidence) = into.score(indices, head.floor, |i| cell[4] * cell[5 + i]) else {
                    continue;
                };
                let x = ((index % columns) as f32 + cell[0]) * stride;
                let y = ((index / columns) as f32 + cell[1]) * stride;
                let (w, h) = (cell[2].exp() * stride, cell[3].exp() * stride);
                into.offer(*class, confidence, [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]);
            }
        }
    }
}
