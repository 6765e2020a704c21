//! The tracker on sequences of detections made by hand.

mod association;
mod clutter;
mod confirmation;
mod inspection;
mod life;
mod properties;

use std::collections::BTreeSet;
use std::time::Duration;

use super::{ClutterMap, Track, TrackState, Tracker, TrackerConfig, TrackerInput, VesselCounter, VesselId};
use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize, Px};

const SIZE: FrameSize = FrameSize { width: 1920, height: 1080 };
const WHOLE: BBox<Px> = BBox::new(0.0, 0.0, 1920.0, 1080.0);
const LEFT: BBox<Px> = BBox::new(0.0, 0.0, 960.0, 1080.0);
const RIGHT: BBox<Px> = BBox::new(960.0, 0.0, 1920.0, 1080.0);

fn at(seconds: f64) -> MonoTime {
    MonoTime::from_boot(Duration::from_secs_f64(1000.0 + seconds))
}

/// A detection, by the centre of its box.
fn detection(x: f64, y: f64, width: f64, height: f64, confidence: f32) -> Detection {
    let bbox =
        BBox::from_xywh((x - width / 2.0) as f32, (y - height / 2.0) as f32, width as f32, height as f32);
    Detection { class: Class::Vessel, confidence, bbox }
}

/// A motor yacht at the quay.
fn yacht(x: f64) -> Detection {
    detection(x, 500.0, 120.0, 50.0, 0.8)
}

/// A tracker with its own vessel counter.
struct Fixture {
    tracker: Tracker,
    ids: VesselCounter,
}

impl Fixture {
    fn new() -> Self {
        Self {
            tracker: Tracker::new(TrackerConfig::default(), ClutterMap::default()),
            ids: VesselCounter::default(),
        }
    }

    fn pass(&mut self, seconds: f64, detections: &[Detection]) -> Vec<Track> {
        self.pass_over(seconds, detections, &[WHOLE], [0.0, 0.0])
    }

    fn pass_over(
        &mut self,
        seconds: f64,
        detections: &[Detection],
        regions: &[BBox<Px>],
        shift: [f32; 2],
    ) -> Vec<Track> {
        let input = TrackerInput { detections, size: SIZE, regions, input_px: 416.0, shift, at: at(seconds) };
        self.tracker.step(&input, &mut self.ids)
    }

    /// Makes a pass; returns the vessel number of each detection.
    fn numbers(&mut self, seconds: f64, detections: &[Detection]) -> Vec<Option<u64>> {
        self.pass(seconds, detections);
        self.tracker.assignments().iter().map(|vessel| vessel.map(|v| v.0)).collect()
    }
}

/// Times of `rate` passes a second, from 0 to `until` seconds.
fn times(rate: f64, until: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |pass| f64::from(pass) / rate).take_while(move |&t| t <= until)
}
