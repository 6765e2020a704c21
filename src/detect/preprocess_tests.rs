//! Compares the preprocessor with a simple reference in floating point.

use bytes::Bytes;
use proptest::prelude::*;
use test_support::Rng;

use super::manifest::{ChannelOrder, Input, Resize, TensorLayout};
use super::preprocess::{PixelRect, Preprocessor};
use crate::frame::{Colorimetry, Picture, PixelFormat, Plane};
use crate::geometry::{BBox, FrameSize};

/// A sample of a plane, by column and row.
fn sample(picture: &Picture, channel: usize, x: usize, y: usize) -> f64 {
    let (plane, x) = match (channel, picture.format) {
        (0, _) => (0, x),
        (c, PixelFormat::I420) => (c, x),
        (c, PixelFormat::Nv12) => (1, 2 * x + c - 1),
    };
    f64::from(picture.row(plane, y)[x])
}

/// Shares of the samples `first..end` in output `i` of `n` over `from..to`.
fn shares(from: f64, to: f64, first: usize, end: usize, n: usize, i: usize) -> Vec<(usize, f64)> {
    let scale = (to - from) / n as f64;
    let raw: Vec<(usize, f64)> = if scale > 1.0 {
        let (a, b) = (from + scale * i as f64, from + scale * (i + 1) as f64);
        (first..end).map(|k| (k, (b.min(k as f64 + 1.0) - a.max(k as f64)).max(0.0))).collect()
    } else {
        let centre = (from + scale * (i as f64 + 0.5) - 0.5).clamp(first as f64, end as f64 - 1.0);
        (first..end).map(|k| (k, (1.0 - (centre - k as f64).abs()).max(0.0))).collect()
    };
    let total: f64 = raw.iter().map(|(_, s)| s).sum();
    raw.into_iter().filter(|(_, s)| *s > 0.0).map(|(k, s)| (k, s / total)).collect()
}

/// Channel `channel` (0 Y, 1 Cb, 2 Cr) of `region`, scaled to `w` x `h`.
fn scaled(picture: &Picture, channel: usize, region: PixelRect, (w, h): (usize, usize)) -> Vec<f64> {
    let every = if channel == 0 { 1 } else { 2 };
    let axis = |at: usize, extent: usize, frame: u32, n: usize| -> Vec<Vec<(usize, f64)>> {
        let samples = (frame as usize).div_ceil(every);
        let (first, end) = (at / every, (at + extent).div_ceil(every).min(samples));
        let to = ((at + extent) as f64 / every as f64).min(samples as f64);
        (0..n).map(|i| shares(at as f64 / every as f64, to, first, end, n, i)).collect()
    };
    let across = axis(region.x, region.width, picture.size.width, w);
    let down = axis(region.y, region.height, picture.size.height, h);
    let mut out = Vec::new();
    for row in &down {
        for column in &across {
            out.push(
                row.iter()
                    .flat_map(|(y, wy)| {
                        column.iter().map(move |(x, wx)| sample(picture, channel, *x, *y) * wx * wy)
                    })
                    .sum(),
            );
        }
    }
    out
}

fn rgb(c: Colorimetry, y: f64, cb: f64, cr: f64) -> [f64; 3] {
    let (y, cb, cr) = if c.full_range {
        (y, cb - 128.0, cr - 128.0)
    } else {
        ((y - 16.0) / 219.0 * 255.0, (cb - 128.0) / 224.0 * 255.0, (cr - 128.0) / 224.0 * 255.0)
    };
    let (kr, kb) = if c.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) };
    let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|v| v.clamp(0.0, 255.0))
}

/// The tensor of `region` before normalisation, in values of 0 to 255, as height x width x channels.
fn reference(picture: &Picture, region: PixelRect, input: &Input) -> Vec<[f64; 3]> {
    let (w, h) = (input.width as f64, input.height as f64);
    let (mut width, mut height) = (input.width, input.height);
    if input.resize == Resize::Letterbox {
        let scale = (w / region.width as f64).min(h / region.height as f64);
        width = ((region.width as f64 * scale).round() as usize).clamp(1, input.width);
        height = ((region.height as f64 * scale).round() as usize).clamp(1, input.height);
    }
    let planes = [0, 1, 2].map(|c| scaled(picture, c, region, (width, height)));
    let (left, top) = ((input.width - width) / 2, (input.height - height) / 2);
    let mut out = vec![[114.0; 3]; input.width * input.height];
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let mut value = rgb(picture.colorimetry, planes[0][at], planes[1][at], planes[2][at]);
            if input.colour == ChannelOrder::Bgr {
                value.reverse();
            }
            out[(y + top) * input.width + x + left] = value;
        }
    }
    out
}

/// The largest and the mean difference between preprocessor and reference, in values of 0 to 255.
fn difference(picture: &Picture, region: PixelRect, input: &Input) -> (f64, f64) {
    let pixels = input.width * input.height;
    // A value that no picture has, so that an unwritten pixel is noticed.
    let mut tensor = vec![1e9; pixels * 3];
    Preprocessor::new(input).fill(picture, region, &mut tensor);
    let (mut most, mut sum) = (0.0f64, 0.0);
    for (i, expected) in reference(picture, region, input).iter().enumerate() {
        for (c, expected) in expected.iter().enumerate() {
            let at = match input.layout {
                TensorLayout::Nhwc => 3 * i + c,
                TensorLayout::Nchw => c * pixels + i,
            };
            let value = f64::from(tensor[at]) * f64::from(input.std[c]) + f64::from(input.mean[c]);
            let off = (value - expected).abs();
            (most, sum) = (most.max(off), sum + off);
        }
    }
    (most, sum / (pixels * 3) as f64)
}

fn picture(
    format: PixelFormat,
    (w, h): (usize, usize),
    padding: usize,
    colorimetry: Colorimetry,
    seed: u32,
    smooth: bool,
) -> Picture {
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let (luma, chroma) = match format {
        PixelFormat::I420 => (w + padding, cw + padding),
        PixelFormat::Nv12 => (w + padding, 2 * cw + padding),
    };
    let plane = |offset, stride| Plane { offset, stride };
    let planes = match format {
        PixelFormat::I420 => {
            [plane(3, luma), plane(3 + luma * h, chroma), plane(3 + luma * h + chroma * ch, chroma)]
        }
        PixelFormat::Nv12 => [plane(3, luma), plane(3 + luma * h, chroma), plane(3 + luma * h, chroma)],
    };
    let length = 3 + luma * h + chroma * ch * if format == PixelFormat::I420 { 2 } else { 1 };
    let mut rng = Rng::new(seed.into());
    let data: Vec<u8> = (0..length)
        .map(|i| if smooth { (128.0 + 100.0 * (i as f32 / 37.0).sin()) as u8 } else { rng.next_u64() as u8 })
        .collect();
    let size = FrameSize { width: w as u32, height: h as u32 };
    Picture::new(format, size, colorimetry, planes, Bytes::from(data)).unwrap()
}

fn input(nchw: bool, bgr: bool, letterbox: bool, (width, height): (usize, usize)) -> Input {
    Input {
        name: "image".to_owned(),
        layout: if nchw { TensorLayout::Nchw } else { TensorLayout::Nhwc },
        width,
        height,
        colour: if bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb },
        resize: if letterbox { Resize::Letterbox } else { Resize::Stretch },
        mean: if bgr { [103.53, 116.28, 123.675] } else { [0.0; 3] },
        std: if bgr { [57.375, 57.12, 58.395] } else { [1.0; 3] },
    }
}

/// Largest error. Weights are rounded to 1/256 down and 1/16384 along; white noise gives the largest errors.
const MAX_ERROR: f64 = 6.0;
/// Largest mean error over a tensor. It is only reached in regions of a few pixels.
const MAX_MEAN_ERROR: f64 = 2.0;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_preprocessor_matches_the_reference(
        size in (2usize..200, 2usize..160), padding in 0usize..9, seed in any::<u32>(), (smooth, nv12) in any::<(bool, bool)>(),
        (bt709, full_range) in any::<(bool, bool)>(), (nchw, bgr, letterbox) in any::<(bool, bool, bool)>(),
        to in (8usize..80, 8usize..80), corners in (0.0..1.0f32, 0.0..1.0f32, 0.0..1.0f32, 0.0..1.0f32), whole in prop::bool::weighted(0.2),
    ) {
        let format = if nv12 { PixelFormat::Nv12 } else { PixelFormat::I420 };
        let picture = picture(format, size, padding, Colorimetry { bt709, full_range }, seed, smooth);
        let (x0, y0, x1, y1) = if whole { (0.0, 0.0, 1.0, 1.0) } else { corners };
        let region = PixelRect::around(BBox::new(x0, y0, x1, y1), picture.size);
        let (most, mean) = difference(&picture, region, &input(nchw, bgr, letterbox, to));
        prop_assert!(most < MAX_ERROR && mean < MAX_MEAN_ERROR, "off by {} at most, {} on average", most, mean);
    }
}

#[test]
fn a_full_hd_frame_matches_the_reference() {
    let colorimetry = Colorimetry { bt709: true, full_range: false };
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let picture = picture(format, (1920, 1080), 64, colorimetry, 5, false);
        let whole = PixelRect::around(BBox::new(0.0, 0.0, 1.0, 1.0), picture.size);
        let (most, mean) = difference(&picture, whole, &input(false, false, false, (300, 300)));
        assert!(most < 2.0 && mean < 0.25, "{most} at most, {mean} on average");
    }
}

#[test]
fn a_hull_of_two_pixels_keeps_its_brightness() {
    let colorimetry = Colorimetry { bt709: true, full_range: true };
    for row in 100..110 {
        let (w, h) = (640, 360);
        let mut data = vec![128u8; w * h * 3 / 2];
        data[..w * h].fill(20);
        data[row * w..(row + 2) * w].fill(220);
        let plane = |offset, stride| Plane { offset, stride };
        let planes = [plane(0, w), plane(w * h, w / 2), plane(w * h * 5 / 4, w / 2)];
        let size = FrameSize { width: 640, height: 360 };
        let picture = Picture::new(PixelFormat::I420, size, colorimetry, planes, Bytes::from(data)).unwrap();
        let input = input(false, false, false, (64, 64));
        let mut tensor = vec![0.0; 64 * 64 * 3];
        Preprocessor::new(&input).fill(&picture, PixelRect { x: 0, y: 0, width: w, height: h }, &mut tensor);
        let light: f32 = (0..64).map(|y| tensor[y * 64 * 3] - 20.0).sum();
        // Two rows that are brighter by 200; one output covers 5.625 rows.
        assert!((light - 2.0 * 200.0 / 5.625).abs() < 1.0, "row {row}: {light}");
    }
}

#[test]
fn boxes_map_back_to_the_frame() {
    let size = FrameSize { width: 1920, height: 1080 };
    let region = PixelRect::around(BBox::new(0.25, 0.5, 0.5, 1.0), size);
    assert_eq!(region, PixelRect { x: 480, y: 540, width: 480, height: 540 });
    let picture =
        picture(PixelFormat::I420, (1920, 1080), 0, Colorimetry { bt709: true, full_range: true }, 1, true);
    let mut tensor = vec![0.0; 320 * 320 * 3];
    let letterbox =
        Preprocessor::new(&input(true, false, true, (320, 320))).fill(&picture, region, &mut tensor);
    assert_eq!((letterbox.left, letterbox.top, letterbox.width, letterbox.height), (18, 0, 284, 320));
    let all = letterbox.to_frame(BBox::new(18.0, 0.0, 302.0, 320.0)).unwrap();
    assert_eq!(all, region.bbox());
    // Boxes are clipped to the region; a box in the grey part gives nothing.
    assert_eq!(
        letterbox.to_frame(BBox::new(0.0, 0.0, 160.0, 160.0)).unwrap(),
        BBox::new(480.0, 540.0, 720.0, 810.0)
    );
    assert_eq!(letterbox.to_frame(BBox::new(0.0, 0.0, 17.0, 100.0)), None);
}
