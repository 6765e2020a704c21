//! The picture of an event: a crop around the vessel, black under the privacy masks, with the box drawn, as JPEG. And
//! whole pictures with the same masks, for people who label them.

pub mod calibration_grid;
mod colour;
mod drawing;
mod jpeg;
pub mod still_image;

use image::{Rgb, RgbImage};

use crate::frame::Picture;
use crate::geometry::{BBox, FrameSize, Point, Polygon, Px};

/// Least width of the crop in pixels: staff must recognise the place.
const MIN_CROP_WIDTH: f32 = 640.0;
/// Wider pictures are scaled down to this width: a picture is sent with every alert.
const MAX_WIDTH: u32 = 960;
const BOX_COLOUR: Rgb<u8> = Rgb([255, 220, 0]);

/// Draws the event's picture as JPEG, at most 960 pixels wide.
///
/// Pixels under a mask are black before anything else is done; the box is drawn last.
pub fn draw(picture: &Picture, subject: BBox<Px>, masks: &[Polygon]) -> Result<Vec<u8>, image::ImageError> {
    let (mut drawn, crop, scale) = cut(picture, subject, masks);
    let to_drawn = |x: f32, y: f32| (((x - crop.x0) / scale) as i64, ((y - crop.y0) / scale) as i64);
    outline(&mut drawn, to_drawn(subject.x0, subject.y0), to_drawn(subject.x1, subject.y1));
    jpeg::encode(&drawn, jpeg::EVENT_QUALITY)
}

/// The crop that [`draw`] shows, in pixels of the picture, and its JPEG without the box.
pub fn plain_crop(
    picture: &Picture,
    subject: BBox<Px>,
    masks: &[Polygon],
) -> Result<(BBox<Px>, Vec<u8>), image::ImageError> {
    let (drawn, crop, _) = cut(picture, subject, masks);
    Ok((crop, jpeg::encode(&drawn, jpeg::EVENT_QUALITY)?))
}

/// The masked crop around the subject, its place in the picture, and how many pixels of the picture became one.
fn cut(picture: &Picture, subject: BBox<Px>, masks: &[Polygon]) -> (RgbImage, BBox<Px>, f32) {
    let crop = crop_around(subject, picture.size);
    let scale = (crop.width() / MAX_WIDTH as f32).max(1.0);
    let (width, height) = ((crop.width() / scale) as u32, (crop.height() / scale) as u32);
    let drawn = RgbImage::from_fn(width.max(1), height.max(1), |x, y| {
        // Nearest pixel: evidence shows what the camera gave, not an interpolation.
        let at = Point::<Px>::new(crop.x0 + (x as f32 + 0.5) * scale, crop.y0 + (y as f32 + 0.5) * scale);
        shown(picture, masks, at)
    });
    (drawn, crop, scale)
}

/// The whole picture as JPEG in full resolution, with nothing drawn on it; black under the masks, as in [`draw`].
pub fn whole(picture: &Picture, masks: &[Polygon]) -> Result<Vec<u8>, image::ImageError> {
    let drawn = RgbImage::from_fn(picture.size.width, picture.size.height, |x, y| {
        shown(picture, masks, Point::new(x as f32 + 0.5, y as f32 + 0.5))
    });
    jpeg::encode(&drawn, jpeg::TRAINING_QUALITY)
}

/// The colour of a pixel as it may leave memory: black under a mask.
fn shown(picture: &Picture, masks: &[Polygon], at: Point<Px>) -> Rgb<u8> {
    let masked = masks.iter().any(|mask| mask.contains(picture.size.normalise(at)));
    if masked { Rgb([0, 0, 0]) } else { Rgb(colour::rgb_at(picture, at.x as usize, at.y as usize)) }
}

/// Twice the subject in 16:9, at least [`MIN_CROP_WIDTH`], moved and cut to lie within the frame.
fn crop_around(subject: BBox<Px>, size: FrameSize) -> BBox<Px> {
    let (frame_w, frame_h) = (size.width as f32, size.height as f32);
    let width =
        (subject.width() * 2.0).max(subject.height() * 2.0 * 16.0 / 9.0).max(MIN_CROP_WIDTH).min(frame_w);
    let height = (width * 9.0 / 16.0).min(frame_h);
    let centre = subject.centre();
    let x0 = (centre.x - width / 2.0).clamp(0.0, frame_w - width);
    let y0 = (centre.y - height / 2.0).clamp(0.0, frame_h - height);
    BBox::from_xywh(x0.floor(), y0.floor(), width.floor(), height.floor())
}

fn outline(picture: &mut RgbImage, (x0, y0): (i64, i64), (x1, y1): (i64, i64)) {
    let mut dot = |x: i64, y: i64| {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && x < picture.width()
            && y < picture.height()
        {
            picture.put_pixel(x, y, BOX_COLOUR);
        }
    };
    for thick in 0..2 {
        for x in x0..=x1 {
            dot(x, y0 + thick);
            dot(x, y1 - thick);
        }
        for y in y0..=y1 {
            dot(x0 + thick, y);
            dot(x1 - thick, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::{Colorimetry, PixelFormat, Plane};

    /// A 1280x720 picture of one grey, luma 180.
    fn grey() -> Picture {
        let (w, h) = (1280, 720);
        let mut data = vec![180; w * h];
        data.resize(w * h * 3 / 2, 128);
        let planes = [
            Plane { offset: 0, stride: w },
            Plane { offset: w * h, stride: w / 2 },
            Plane { offset: w * h * 5 / 4, stride: w / 2 },
        ];
        let size = FrameSize { width: 1280, height: 720 };
        let colorimetry = Colorimetry { bt709: true, full_range: false };
        Picture::new(PixelFormat::I420, size, colorimetry, planes, Bytes::from(data)).unwrap()
    }

    fn decode(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory(jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn pixels_under_a_privacy_mask_are_black() {
        let left_half = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)];
        let mask = Polygon::new(left_half.map(|(x, y)| Point::new(x, y)).to_vec()).unwrap();
        let subject = BBox::new(600.0, 300.0, 700.0, 380.0); // across the mask's edge, at x 640
        let drawn = decode(&draw(&grey(), subject, &[mask]).unwrap());
        assert_eq!(drawn.dimensions(), (640, 360));
        // The crop begins at x 330, so the edge lies at 310; JPEG blurs it by a block, and the box is drawn on top.
        for (x, y, pixel) in drawn.enumerate_pixels().filter(|(x, y, _)| *x < 250 && *y < 360) {
            assert!(pixel.0.iter().all(|&v| v < 20), "{x},{y}: {pixel:?}");
        }
        assert!(drawn.get_pixel(500, 20).0.iter().all(|&v| v > 150), "beside the mask the picture shows");
    }

    #[test]
    fn the_vessel_is_outlined_at_the_edge_of_the_picture() {
        for subject in [BBox::new(0.0, 0.0, 90.0, 60.0), BBox::new(1200.0, 640.0, 1280.0, 720.0)] {
            let drawn = decode(&draw(&grey(), subject, &[]).unwrap());
            let yellow = drawn.pixels().filter(|p| p.0[0] > 200 && p.0[2] < 120).count();
            assert!(yellow > 200, "{subject:?}: {yellow} outline pixels");
        }
    }

    #[test]
    fn a_picture_is_small_enough_for_an_alert() {
        let whole = BBox::new(0.0, 0.0, 1280.0, 720.0);
        let jpeg = draw(&grey(), whole, &[]).unwrap();
        assert_eq!(decode(&jpeg).width(), MAX_WIDTH);
        assert!(jpeg.len() < 100_000, "{}", jpeg.len());
    }
}
