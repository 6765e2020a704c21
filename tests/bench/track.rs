//! What a look costs the tracker: `cargo bench --bench track`.

use std::time::Duration;

use divan::Bencher;
use havenwacht::clock::MonoTime;
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::track::{Tracker, TrackerConfig, TrackerInput, VesselCounter};

fn main() {
    divan::main();
}

/// A full harbour: vessels in rows so close that neighbours compete for a box, half of them sailing, at 4 looks a
/// second. Every fifth detection is missing, every seventh is weak.
fn harbour(vessels: usize, look: usize) -> (Vec<Detection>, MonoTime) {
    let detections = (0..vessels)
        .filter(|vessel| !(vessel + look).is_multiple_of(5))
        .map(|vessel| {
            let (column, row) = (vessel % 10, vessel / 10);
            let sailed = if vessel % 2 == 0 { (look % 400) as f32 } else { 0.0 };
            let jitter = ((vessel * 7 + look * 13) % 11) as f32 * 0.3;
            Detection {
                class: Class::Vessel,
                confidence: if (vessel + look).is_multiple_of(7) { 0.3 } else { 0.8 },
                bbox: BBox::from_xywh(80.0 * column as f32 + sailed + jitter, 60.0 * row as f32, 100.0, 70.0),
            }
        })
        .collect();
    (detections, MonoTime::from_boot(Duration::from_millis(250 * look as u64)))
}

#[divan::bench(args = [10, 50])]
fn step(bencher: Bencher<'_, '_>, vessels: usize) {
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut ids = VesselCounter::default();
    let size = FrameSize { width: 1920, height: 1080 };
    let looked = [BBox::new(0.0, 0.0, 1920.0, 1080.0)];
    let mut look = 0;
    bencher
        .with_inputs(|| {
            look += 1;
            harbour(vessels, look)
        })
        .bench_local_refs(|(detections, at)| {
            let input = TrackerInput { detections, size, regions: &looked, shift: [0.0, 0.0], at: *at };
            tracker.step(&input, &mut ids)
        });
}
