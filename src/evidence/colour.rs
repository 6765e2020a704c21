//! Y'CbCr to R'G'B' for single pixels. Only for the rare pictures of events; detection has a faster conversion.

use crate::frame::{Picture, PixelFormat};

/// The colour of pixel (`x`, `y`), clamped to the picture. ITU-R BT.601 or BT.709, limited or full range.
pub(super) fn rgb_at(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    let x = x.min(picture.size.width as usize - 1);
    let y = y.min(picture.size.height as usize - 1);
    let luma = f32::from(picture.row(0, y)[x]);
    let (cb, cr) = match picture.format {
        PixelFormat::I420 => (picture.row(1, y / 2)[x / 2], picture.row(2, y / 2)[x / 2]),
        PixelFormat::Nv12 => {
            let row = picture.row(1, y / 2);
            (row[x / 2 * 2], row[x / 2 * 2 + 1])
        }
    };
    let (cb, cr) = (f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let (luma, chroma) = if picture.colorimetry.full_range {
        (luma, 1.0)
    } else {
        ((luma - 16.0) * 255.0 / 219.0, 255.0 / 224.0)
    };
    // Kr and Kb of the two standards give all four coefficients.
    let (kr, kb) = if picture.colorimetry.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) };
    let (cb, cr) = (cb * chroma, cr * chroma);
    let red = luma + 2.0 * (1.0 - kr) * cr;
    let blue = luma + 2.0 * (1.0 - kb) * cb;
    let green = (luma - kr * red - kb * blue) / (1.0 - kr - kb);
    [red, green, blue].map(|v| v.round().clamp(0.0, 255.0) as u8)
}
