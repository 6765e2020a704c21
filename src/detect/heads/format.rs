//! What a head must provide.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::candidates::Candidates;
use crate::detect::class::Class;
use crate::detect::load_error::ManifestError;

/// How the outputs of a family of models are decoded.
pub trait HeadFormat: Debug + Sync {
    /// The value of `head` in a manifest.
    fn name(&self) -> &'static str;

    /// Width and height of the model's input must be multiples of this.
    fn input_multiple(&self) -> usize;

    /// The lists of output names that `[outputs]` must have, in the head's order, and the length of each. `names` is what the
    /// manifest has, for heads whose number of outputs varies.
    fn outputs(&self, names: &OutputNames) -> Vec<(&'static str, usize)>;

    /// Checks the shapes of the outputs, in the order of [`outputs`](Self::outputs), as many as that asks for. Returns the number
    /// of scores in a cell or anchor.
    fn check(&self, input: InputSize, shapes: &[Vec<i64>]) -> Result<usize, ManifestError>;

    /// Decodes the outputs of one inference, whose shapes were checked, into candidates.
    fn decode(&self, context: &DecodeContext, outputs: &[Tensor], into: &mut Candidates);

    /// Example models for tests, of 64 x 64 pixels and 10 scores.
    #[cfg(test)]
    fn examples(&self) -> Vec<Example>;

    /// Side of the model's input in the recording `tests/data/heads/NAME.txt`.
    #[cfg(test)]
    fn recorded_side(&self) -> usize;
}

/// The lists of output names in a manifest, by key.
pub type OutputNames = BTreeMap<String, Vec<String>>;

/// An example of a model for tests.
#[cfg(test)]
#[derive(Debug)]
pub struct Example {
    /// The lines of `[outputs]`.
    pub outputs: &'static str,
    /// Shapes of the outputs.
    pub shapes: Vec<Vec<i64>>,
}

/// Size of the model's input, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct InputSize {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
}

impl InputSize {
    /// Columns and rows of a grid with cells of `stride` pixels.
    pub(super) fn grid(self, stride: usize) -> (usize, usize) {
        (self.width / stride, self.height / stride)
    }
}

/// What decoding needs beside the outputs.
#[derive(Clone, Debug)]
pub struct DecodeContext {
    /// Size of the model's input.
    pub input: InputSize,
    /// Score indices of each class that is wanted.
    pub classes: Vec<(Class, Vec<usize>)>,
    /// Boxes below this score are left out.
    pub threshold: f32,
    /// Scores in a cell or anchor, for all classes of the model.
    pub scores: usize,
}

/// One output of an inference.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Extents, slowest first.
    pub shape: &'a [i64],
    /// Values in that order.
    pub data: &'a [f32],
}

impl Tensor<'_> {
    /// Whether it has this shape, and a value for each element.
    pub(in crate::detect) fn has_shape(&self, shape: &[i64]) -> bool {
        let elements = shape.iter().try_fold(1, |n: usize, &extent| n.checked_mul(extent.try_into().ok()?));
        self.shape == shape && elements == Some(self.data.len())
    }
}

/// An error unless an output has the shape `expected`; `-1` there means any extent.
pub(super) fn expect_shape(key: &str, found: &[i64], expected: &[i64]) -> Result<(), ManifestError> {
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| *e < 0 || f == e);
    if fits {
        return Ok(());
    }
    let extents: Vec<_> =
        expected.iter().map(|&e| if e < 0 { "any".to_owned() } else { e.to_string() }).collect();
    Err(ManifestError::new(
        key,
        format!("an output of shape {found:?}"),
        format!("[{}]", extents.join(", ")),
        "check `head`, the input's size and the order of the outputs",
    ))
}
