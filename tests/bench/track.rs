//! The cost of a tracker step: `cargo bench --bench track`.

use std::time::Duration;

use divan::Bencher;
use havenwacht::clock::MonoTime;
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::track::{ClutterMap, Tracker, TrackerConfig, TrackerInput, VesselCounter};

fn main() {
    divan::main();
}

/// Detections of a full harbour at 4 passes a second. Vessels lie in rows so close that neighbours compete for a box, and half
/// of them move. Every fifth detection is missing; every seventh has a low confidence.
fn detections(vessels: usize, pass: usize) -> (Vec<Detection>, MonoTime) {
    let detections = (0..vessels)
        .filter(|vessel| !(vessel + pass).is_multiple_of(5))
        .map(|vessel| {
            let (column, row) = (vessel % 10, vessel / 10);
            let sailed = if vessel % 2 == 0 { (pass % 400) as f32 } else { 0.0 };
            let jitter = ((vessel * 7 + pass * 13) % 11) as f32 * 0.3;
            Detection {
                class: Class::Vessel,
                confidence: if (vessel + pass).is_multiple_of(7) { 0.3 } else { 0.8 },
                bbox: BBox::from_xywh(80.0 * column as f32 + sailed + jitter, 60.0 * row as f32, 100.0, 70.0),
            }
        })
        .collect();
    (detections, MonoTime::from_boot(Duration::from_millis(250 * pass as u64)))
}

#[divan::bench(args = [10, 50])]
fn step(bencher: Bencher<'_, '_>, vessels: usize) {
    let mut tracker = Tracker::new(TrackerConfig::default(), ClutterMap::default());
    let mut ids = VesselCounter::default();
    let size = FrameSize { width: 1920, height: 1080 };
    let regions = [BBox::new(0.0, 0.0, 1920.0, 1080.0)];
    let mut pass = 0;
    bencher
        .with_inputs(|| {
            pass += 1;
            detections(vessels, pass)
        })
        .bench_local_refs(|(detections, at)| {
            let input = TrackerInput {
                detections,
                size,
                regions: &regions,
                input_px: 416.0,
                shift: [0.0, 0.0],
                at: *at,
            };
            tracker.step(&input, &mut ids)
        });
}
