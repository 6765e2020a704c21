//! Converts rows from Y'CbCr to the model's channels.

use super::manifest::{ChannelOrder, Input, TensorLayout};
use crate::frame::Colorimetry;

/// The affine map from Y'CbCr to the tensor. Colour values are clamped to 0..255 before they are normalised.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColourRow<'a> {
    input: &'a Input,
    channels: [Channel; 3],
}

/// One channel: `clamp(y * luma + u * cb + v * cr + offset) * scale + shift`.
#[derive(Clone, Copy, Debug)]
struct Channel {
    luma: f32,
    cb: f32,
    cr: f32,
    offset: f32,
    scale: f32,
    shift: f32,
}

impl Channel {
    #[inline]
    fn value(&self, y: f32, u: f32, v: f32) -> f32 {
        let value = y * self.luma + u * self.cb + v * self.cr + self.offset;
        value.clamp(0.0, 255.0) * self.scale + self.shift
    }
}

impl<'a> ColourRow<'a> {
    /// The map for rows whose values are multiplied by `unit`.
    pub(super) fn new(colorimetry: Colorimetry, input: &'a Input, unit: f32) -> Self {
        let rgb = matrix(colorimetry);
        let channels = std::array::from_fn(|c| {
            let row = match input.colour {
                ChannelOrder::Rgb => rgb[c],
                ChannelOrder::Bgr => rgb[2 - c],
            };
            let [luma, cb, cr, offset] = row;
            Channel {
                luma: luma / unit,
                cb: cb / unit,
                cr: cr / unit,
                offset,
                scale: 1.0 / input.std[c],
                shift: -input.mean[c] / input.std[c],
            }
        });
        Self { input, channels }
    }

    /// Writes `width` pixels to row `row` of the tensor, beginning at column `left`.
    pub(super) fn write(
        &self,
        (y, u, v): (&[f32], &[f32], &[f32]),
        tensor: &mut [f32],
        row: usize,
        left: usize,
        width: usize,
    ) {
        let at = row * self.input.width + left;
        match self.input.layout {
            TensorLayout::Nhwc => {
                let (pixels, _) = tensor[at * 3..(at + width) * 3].as_chunks_mut::<3>();
                for (((pixel, &y), &u), &v) in pixels.iter_mut().zip(y).zip(u).zip(v) {
                    *pixel = [0, 1, 2].map(|c: usize| self.channels[c].value(y, u, v));
                }
            }
            TensorLayout::Nchw => {
                let planes = tensor.chunks_exact_mut(self.input.width * self.input.height);
                for (plane, channel) in planes.zip(&self.channels) {
                    for (((out, &y), &u), &v) in plane[at..at + width].iter_mut().zip(y).zip(u).zip(v) {
                        *out = channel.value(y, u, v);
                    }
                }
            }
        }
    }
}

/// For each of R', G' and B' (0..255): the factors of Y, Cb and Cr (0..255), and the offset. ITU-R BT.601-7 and BT.709-6.
fn matrix(colorimetry: Colorimetry) -> [[f32; 4]; 3] {
    let (kr, kb) = if colorimetry.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) };
    let kg = 1.0 - kr - kb;
    let (y, c, black) =
        if colorimetry.full_range { (1.0, 1.0, 0.0) } else { (255.0 / 219.0, 255.0 / 224.0, 16.0) };
    let row = |cb: f32, cr: f32| [y, cb * c, cr * c, -(black * y) - 128.0 * c * (cb + cr)];
    let (cr_red, cb_blue) = (2.0 * (1.0 - kr), 2.0 * (1.0 - kb));
    [row(0.0, cr_red), row(-cb_blue * kb / kg, -cr_red * kr / kg), row(cb_blue, 0.0)]
}
