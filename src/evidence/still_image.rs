//! Still images from files, in the form in which a decoder gives them. Models are evaluated on them.

use std::path::Path;

use bytes::Bytes;
use image::{ImageReader, RgbImage};

use crate::frame::{Colorimetry, Picture, PictureError, PixelFormat, Plane};
use crate::geometry::FrameSize;

/// Of JFIF (ITU-T T.871): BT.601, full range.
const JFIF: Colorimetry = Colorimetry { bt709: false, full_range: true };

/// Why a file cannot be read as a picture.
#[derive(Debug, thiserror::Error)]
pub enum StillImageError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// It is not a JPEG or PNG, or it is damaged.
    #[error(transparent)]
    Broken(#[from] image::ImageError),
    /// It has no pixels.
    #[error(transparent)]
    Empty(#[from] PictureError),
}

/// The size of the picture in a file, in pixels; reads the file's header only.
pub fn size(path: &Path) -> Result<FrameSize, StillImageError> {
    let (width, height) = reader(path)?.into_dimensions()?;
    Ok(FrameSize { width, height })
}

/// Reads a JPEG or PNG as I420, BT.601 in full range. A rotation in its Exif data is not applied: boxes that people drew
/// on a picture refer to its pixels as they are stored.
pub fn read(path: &Path) -> Result<Picture, StillImageError> {
    Ok(i420(&reader(path)?.decode()?.to_rgb8())?)
}

/// The format is found by the file's first bytes, because names lie.
fn reader(path: &Path) -> std::io::Result<ImageReader<std::io::BufReader<std::fs::File>>> {
    ImageReader::open(path)?.with_guessed_format()
}

/// R'G'B' to Y'CbCr; chroma is averaged over the pixels that share it.
fn i420(rgb: &RgbImage) -> Result<Picture, PictureError> {
    let (w, h) = (rgb.width() as usize, rgb.height() as usize);
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut data = vec![0_u8; w * h + 2 * cw * ch];
    // For each chroma sample: the sums of Cb and Cr, and the number of pixels.
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
        // The casts saturate at 255; pure blue and pure red would give 256.
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
    fn colours_survive_conversion_at_odd_edges() {
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
    fn a_file_is_read_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let png = folder.path().join("quay.jpg");
        let drawn = RgbImage::from_pixel(6, 4, image::Rgb([10, 20, 30]));
        drawn.save_with_format(&png, image::ImageFormat::Png).unwrap();
        let extent = FrameSize { width: 6, height: 4 };
        assert_eq!((size(&png).unwrap(), read(&png).unwrap().size), (extent, extent));
        let text = folder.path().join("quay.png");
        std::fs::write(&text, "not a picture").unwrap();
        assert!(matches!(read(&text), Err(StillImageError::Broken(_))));
        assert!(matches!(size(&folder.path().join("gone.png")), Err(StillImageError::Unreadable(_))));
    }
}
