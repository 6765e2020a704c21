//! The output layout that YOLOv8 made common, and that later anchor-free detectors kept: `[1, 4 + classes, cells]`,
//! channels first; middle and extent in pixels of the input, scores past the sigmoid, no objectness.

use super::{Candidates, Head, Manifest, Tensor, expect_shape};
use crate::detect::refusal::LoadError;

pub(super) fn check(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<usize, LoadError> {
    expect_shape(manifest, "outputs.predictions", &shapes[0], &[1, -1, -1])?;
    let (values, cells) = (shapes[0][1], shapes[0][2]);
    // Channels last is the one mistake that would decode to nonsense without a complaint.
    if values < 5 || values > cells {
        return Err(manifest.refuse(
            "outputs.predictions",
            format!("an output of shape {:?}", shapes[0]),
            "[1, 4 + classes, cells], fewer channels than cells",
            "export the model without NMS and without a transposed output",
        ));
    }
    Ok(values as usize - 4)
}

pub(super) fn decode(head: &Head, map: &Tensor, into: &mut Candidates) {
    let cells = map.data.len() / (4 + head.scores);
    let at = |channel: usize, cell: usize| map.data[channel * cells + cell];
    for cell in 0..cells {
        for (class, indices) in &head.classes {
            let Some(confidence) = into.score(indices, head.floor, |i| at(4 + i, cell)) else { continue };
            let [x, y, w, h] = std::array::from_fn(|channel| at(channel, cell));
            into.offer(*class, confidence, [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]);
        }
    }
}
