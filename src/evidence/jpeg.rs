//! JPEG encoding, with the qualities of all pictures that leave the program.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError, RgbImage};

/// Of the pictures of events, 1 to 100. Small enough to be sent with every alert.
pub(super) const EVENT_QUALITY: u8 = 80;
/// Of whole pictures for labelling, 1 to 100. Higher, because a model would learn the encoder's artefacts too.
pub(super) const TRAINING_QUALITY: u8 = 92;

pub(super) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    let mut jpeg = Vec::with_capacity(64 * 1024);
    JpegEncoder::new_with_quality(&mut jpeg, quality).encode(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}
