//! The detector on the real models and a real photograph of vessels in a harbour.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use havenwacht::clock::{MonoTime, Stamp};
use havenwacht::detect::{Detection, Detector, LoadError, OnnxDetector};
use havenwacht::frame::{Colorimetry, Frame, Picture, PixelFormat, Plane};
use havenwacht::geometry::{BBox, FrameSize, Norm, Px};
use havenwacht::names::CameraId;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn runtime() -> PathBuf {
    project().join("models/runtime/libonnxruntime.so")
}

fn load(manifest: &Path) -> Result<OnnxDetector, LoadError> {
    OnnxDetector::load(manifest, &runtime(), 1)
}

fn model(name: &str) -> OnnxDetector {
    load(&project().join("models").join(name)).unwrap_or_else(|e| panic!("{e}"))
}

const FULL_BT709: Colorimetry = Colorimetry { bt709: true, full_range: true };

/// The photograph as a decoder would hand it over.
fn harbour() -> Frame {
    let path = project().join("sample-streams/material/nagasaki.jpg");
    let photo =
        image::open(&path).unwrap_or_else(|e| panic!("{}: {e}; run `make setup`", path.display())).to_rgb8();
    let (w, h) = (photo.width() as usize, photo.height() as usize);
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut data = vec![0u8; w * h + 2 * cw * ch];
    let mut chroma = vec![[0.0f32; 3]; cw * ch];
    for (x, y, pixel) in photo.enumerate_pixels() {
        let (x, y) = (x as usize, y as usize);
        let [r, g, b] = pixel.0.map(f32::from);
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        data[y * w + x] = luma.round() as u8;
        let cell = &mut chroma[y / 2 * cw + x / 2];
        *cell = [cell[0] + (b - luma) / 1.8556, cell[1] + (r - luma) / 1.5748, cell[2] + 1.0];
    }
    for (i, [u, v, n]) in chroma.into_iter().enumerate() {
        data[w * h + i] = (128.0 + u / n).round() as u8;
        data[w * h + cw * ch + i] = (128.0 + v / n).round() as u8;
    }
    let plane = |offset, stride| Plane { offset, stride };
    let planes = [plane(0, w), plane(w * h, cw), plane(w * h + cw * ch, cw)];
    let size = FrameSize { width: w as u32, height: h as u32 };
    let picture = Picture::new(PixelFormat::I420, size, FULL_BT709, planes, Bytes::from(data)).unwrap();
    let stamp = Stamp { mono: MonoTime::default(), wall: "2026-06-01T20:00:00Z".parse().unwrap() };
    Frame { camera: CameraId::new("quay-east").unwrap(), seq: 1, stamp, picture }
}

const WHOLE: BBox<Norm> = BBox::new(0.0, 0.0, 1.0, 1.0);

#[test]
fn both_models_find_the_boats_in_a_real_harbour() {
    let frame = harbour();
    for name in ["ssdlite.toml", "nanodet.toml"] {
        let look = model(name).look(&frame, &[WHOLE]).unwrap();
        eprintln!("{name}: {:?} {look:#?}", frame.picture.size);
    }
}
