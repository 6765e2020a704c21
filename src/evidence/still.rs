//! Still pictures from files, as a decoder would hand them over: what models are scored on, and tests look at.

use std::path::Path;

use bytes::Bytes;
use image::{ImageReader, RgbImage};

use crate::frame::{Colorimetry, Picture, PictureError, PixelFormat, Plane};
use crate::geometry::FrameSize;

/// As JFIF has it (ITU-T T.871): BT.601, all of 0..255.
const JFIF: Colorimetry = Colorimetry { bt709: false, full_range: true };

/// Why a file gives no picture.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// It is no JPEG or PNG, or a broken one.
    #[error(transparent)]
    Broken(#[from] image::ImageError),
    /// It has no pixels.
    #[error(transparent)]
    Empty(#[from] PictureError),
}

/// The extent of the picture in a file, in pixels; reads its head alone.
pub fn size(path: &Path) -> Result<FrameSize, StillError> {
    let (width, height) = reader(path)?.into_dimensions()?;
    Ok(FrameSize { width, height })
}

/// Reads a JPEG or PNG as I420, BT.601 in full range. A turn asked for in Exif is not made: boxes drawn on a picture
/// count its pixels as they are stored.
pub fn read(path: &Path) -> Result<Picture, StillError> {
    Ok(i420(&reader(path)?.decode()?.to_rgb8())?)
}

/// What a file is, is seen from its first bytes: names lie.
fn reader(path: &Path) -> std::io::Result<ImageReader<std::io::BufReader<std::fs::File>>> {
    ImageReader::open(path)?.with_guessed_format()
}

/// R'G'B' to Y'CbCr, chroma averaged over the pixels it stands for.
fn i420(rgb: &RgbImage) -> Result<Picture, PictureError> {
    let (w, h) = (rgb.width() as usize, rgb.height() as usize);
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut data = vec![0_u8; w * h + 2 * cw * ch];
    // Of each chroma sample: sums of Cb and Cr, and of how many pixels.
    let mut chroma = vec![[0.0_f32; 3]; cw * ch];
    for (x, y, pixel) in rgb.enumerate_pixels() {
        let (x, y) = (x as usize, y as usize);
        let [r, g, b] = pixel.0.map(f32::from);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        data[y * w + x] = luma.round() as u8;
        let [cb, cr, n] = &mut chroma[y / 2 * cw + x / 2];
        *cb += (b - luma) / 1.772;
        *cr += (r - luma) / 1.402;
        *n += 1.0;
    }
    let (cb_plane, cr_plane) = data[w * h..].split_at_mut(cw * ch);
    for ((cb_out, cr_out), [cb, cr, n]) in cb_plane.iter_mut().zip(cr_plane).zip(chroma) {
        // Casts end at 255, where pure blue and pure red would come to 256.
        *cb_out = (128.0 + cb / n).round() as u8;
        *cr_out = (128.0 + cr / n).round() as u8;
    }
    let planes =
        [(0, w), (w * h, cw), (w * h + cw * ch, cw)].map(|(offset, stride)| Plane { offset, stride });
    let size = FrameSize { width: rgb.width(), height: rgb.height() };
    Picture::new(PixelFormat::I420, size, JFIF, planes, Bytes::from(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::colour::rgb_at;

    #[test]
    fn colours_come_back_as_they_went_in_also_at_odd_edges() {
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [200, 120, 40]];
        for colour in colours {
            let picture = i420(&RgbImage::from_pixel(5, 3, image::Rgb(colour))).unwrap();
            for (x, y) in [(0, 0), (2, 1), (4, 2)] {
                let back = rgb_at(&picture, x, y);
                let near = back.iter().zip(&colour).all(|(a, b)| a.abs_diff(*b) <= 2);
                assert!(near, "{colour:?} came back as {back:?} at {x},{y}");
            }
        }
    }

    #[test]
    fn a_file_is_read_by_what_it_holds_and_a_text_file_is_no_picture() {
        let folder = tempfile::tempdir().unwrap();
        let png = folder.path().join("quay.jpg");
        let drawn = RgbImage::from_pixel(6, 4, image::Rgb([10, 20, 30]));
        drawn.save_with_format(&png, image::ImageFormat::Png).unwrap();
        let extent = FrameSize { width: 6, height: 4 };
        assert_eq!((size(&png).unwrap(), read(&png).unwrap().size), (extent, extent));
        let text = folder.path().join("quay.png");
        std::fs::write(&text, "no picture").unwrap();
        assert!(matches!(read(&text), Err(StillError::Broken(_))));
        assert!(matches!(size(&folder.path().join("gone.png")), Err(StillError::Unreadable(_))));
    }
}
