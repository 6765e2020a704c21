//! The cost of a detection pass on one core: the inference on one thread, and the preprocessing and suppression beside it.
//! Compare medians.

use std::path::Path;

use bytes::Bytes;
use divan::{Bencher, black_box};
use havenwacht::detect::heads::Candidate;
use havenwacht::detect::manifest::{ChannelOrder, Input, Resize, TensorLayout};
use havenwacht::detect::preprocess::{PixelRect, Preprocessor};
use havenwacht::detect::{Class, OnnxDetector, nms};
use havenwacht::frame::{Colorimetry, Picture, PixelFormat, Plane};
use havenwacht::geometry::{BBox, FrameSize};
use test_support::Rng;

fn main() {
    divan::main();
}

const FORMATS: [PixelFormat; 2] = [PixelFormat::I420, PixelFormat::Nv12];

fn noise(n: usize) -> impl Iterator<Item = u32> {
    let mut rng = Rng::new(1);
    (0..n).map(move |_| rng.next_u64() as u32 >> 8)
}

fn full_hd(format: PixelFormat) -> Picture {
    let (w, h) = (1920, 1080);
    let data: Bytes = noise(w * h * 3 / 2).map(|v| v as u8).collect::<Vec<_>>().into();
    let plane = |offset, stride| Plane { offset, stride };
    let planes = match format {
        PixelFormat::I420 => [plane(0, w), plane(w * h, w / 2), plane(w * h * 5 / 4, w / 2)],
        PixelFormat::Nv12 => [plane(0, w), plane(w * h, w), plane(w * h, w)],
    };
    let colorimetry = Colorimetry { bt709: true, full_range: false };
    Picture::new(format, FrameSize { width: 1920, height: 1080 }, colorimetry, planes, data)
        .unwrap_or_else(|e| panic!("{e}"))
}

fn ssdlite() -> Input {
    Input {
        name: String::new(),
        layout: TensorLayout::Nhwc,
        width: 300,
        height: 300,
        colour: ChannelOrder::Rgb,
        resize: Resize::Stretch,
        mean: [0.0; 3],
        std: [1.0; 3],
    }
}

fn nanodet() -> Input {
    Input {
        layout: TensorLayout::Nchw,
        width: 416,
        height: 416,
        colour: ChannelOrder::Bgr,
        mean: [103.53, 116.28, 123.675],
        std: [57.375, 57.12, 58.395],
        ..ssdlite()
    }
}

fn fill(bencher: Bencher, format: PixelFormat, input: &Input, region: PixelRect) {
    let picture = full_hd(format);
    let mut preprocessor = Preprocessor::new(input);
    let mut tensor = vec![0.0; input.width * input.height * 3];
    bencher.bench_local(|| preprocessor.fill(black_box(&picture), region, &mut tensor));
}

const WHOLE: PixelRect = PixelRect { x: 0, y: 0, width: 1920, height: 1080 };
const REGION: PixelRect = PixelRect { x: 640, y: 400, width: 640, height: 480 };

#[divan::bench(args = FORMATS)]
fn whole_frame_to_300(bencher: Bencher, format: PixelFormat) {
    fill(bencher, format, &ssdlite(), WHOLE);
}

#[divan::bench(args = FORMATS)]
fn whole_frame_to_416(bencher: Bencher, format: PixelFormat) {
    fill(bencher, format, &nanodet(), WHOLE);
}

#[divan::bench(args = FORMATS)]
fn region_to_300(bencher: Bencher, format: PixelFormat) {
    fill(bencher, format, &ssdlite(), REGION);
}

#[divan::bench(args = FORMATS)]
fn region_to_416(bencher: Bencher, format: PixelFormat) {
    fill(bencher, format, &nanodet(), REGION);
}

/// Inference alone. SSDLite is skipped unless `models/setup.sh ssdlite` has fetched it.
#[divan::bench(args = ["ssdlite", "havenwacht"])]
fn inference(bencher: Bencher, name: &str) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let manifest = models.join(format!("{name}.toml"));
    let Ok(mut detector) = OnnxDetector::load(&manifest, &models.join("runtime/libonnxruntime.so"), 1) else {
        return;
    };
    bencher.bench_local(|| detector.infer_only());
}

/// A full harbour gives some hundred boxes before suppression.
#[divan::bench(args = [20, 200, 2000])]
fn suppress(bencher: Bencher, boxes: usize) {
    let values: Vec<f32> = noise(boxes * 5).map(|v| (v % 1000) as f32).collect();
    let candidates: Vec<_> = values
        .as_chunks::<5>()
        .0
        .iter()
        .map(|&[p, x, y, w, h]| Candidate {
            class: Class::Vessel,
            confidence: p / 1000.0,
            bbox: BBox::from_xywh(x, y, w / 10.0 + 1.0, h / 20.0 + 1.0),
        })
        .collect();
    bencher.with_inputs(|| candidates.clone()).bench_local_values(|mut c| {
        nms::suppress(&mut c, 0.5);
        c
    });
}
