//! What the pipeline writes to the logbook.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::overload_tests::{frames, site};
use super::{CLUTTER_INTERVAL, Pipelines};
use crate::clock::{Clock, SimulatedClock};
use crate::daemon::LearntClutter;
use crate::detect::{Class, DetectError, Detection, DetectionPass, Detector, Thresholds};
use crate::frame::Frame;
use crate::geometry::testing::Mast;
use crate::geometry::{BBox, Norm, Point, Polygon, Px};
use crate::logbook::testing::{column, options, start};
use crate::logbook::{Entry, Writer};
use crate::rules::ResumeState;
use crate::track::{CLUTTER_GRID, ClutterCell, ClutterMap};
use test_support::Rng;

/// Finds the same boxes in every pass.
struct ConstantDetector(Vec<Detection>);

impl Detector for ConstantDetector {
    fn input_px(&self) -> u32 {
        416
    }

    fn detect(&mut self, _frame: &Frame, regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError> {
        Ok(DetectionPass {
            detections: self.0.clone(),
            inferences: regions.len() as u32,
            ..DetectionPass::default()
        })
    }
}

fn vessel(bbox: BBox<Px>) -> Detection {
    Detection { class: Class::Vessel, confidence: 0.9, bbox }
}

const THRESHOLDS: Thresholds = Thresholds { high: 0.5, low: 0.5, iou: 0.5, confidence: None };

#[test]
fn impossible_boxes_are_counted_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(folder.path());
    let mast = Mast { height: 12.0, tilt: 8.0, azimuth: 0.0, focal: 1400.0 };
    let places = [(40.0, -12.0), (40.0, 15.0), (150.0, -60.0), (150.0, 60.0), (80.0, 0.0)];
    site.cameras[0].calibration = mast.calibrated(&places, &mut Rng::new(3), 0.0).ok();
    let corners = [(0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
    site.cameras[0].water = Polygon::new(corners.to_vec()).ok();
    let clock = SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap());
    let frame = frames(&site, clock.now()).swap_remove(0);
    let at = |x0, y0, x1, y1| vessel(frame.picture.size.box_to_pixels(BBox::new(x0, y0, x1, y1)));
    // Some fifty metres away, where a metre is 27 px of a picture of 1920.
    let boat = at(0.30, 0.55, 0.40, 0.62);
    let gull = at(0.50, 0.613, 0.508, 0.62);
    let on_the_quay = at(0.30, 0.1, 0.40, 0.2);
    let detector = ConstantDetector(vec![boat, gull, on_the_quay]);
    let mut pipelines =
        Pipelines::new(Arc::new(site), Box::new(detector), THRESHOLDS, 1, &ResumeState::default());
    let entries = pipelines.process(0, &frame).unwrap();
    let [Entry::Pass(pass)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(pass.detections.iter().map(|(d, _)| *d).collect::<Vec<_>>(), [boat]);
    let stats = &pipelines.stats()[0];
    let counts = [&stats.too_small, &stats.outside_water, &stats.detections];
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [1, 1, 1]);
}

#[test]
fn the_row_of_an_open_track_is_kept_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(site(folder.path()));
    let path = folder.path().join("l.sqlite");
    let (writer, sender) = Writer::open(&path, &start(), options()).unwrap();
    let clock = SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap());
    let mut frame = frames(&site, clock.now()).swap_remove(0);
    let moored = ConstantDetector(vec![vessel(BBox::from_xywh(400.0, 500.0, 300.0, 100.0))]);
    let mut pipelines = Pipelines::new(site, Box::new(moored), THRESHOLDS, 1, &ResumeState::default());
    for seq in 0..240 {
        (frame.seq, frame.stamp) = (seq, clock.now());
        pipelines.process(0, &frame).unwrap().into_iter().for_each(|entry| sender.send(entry).unwrap());
        clock.advance(Duration::from_millis(250));
    }
    writer.flush(Duration::from_secs(20)).unwrap();
    let behind = "SELECT track.state || ' ' || (max(pass.at) - last_seen <= 10000) FROM track, pass";
    assert_eq!(column(&path, behind), ["open 1"], "what a power cut would leave");
}

#[test]
fn clutter_maps_continue_and_are_handed_out_from_time_to_time_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(site(folder.path()));
    let clock = SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap());
    let cell = ClutterCell { ended: 8.0, inspected_s: 3600.0 };
    let map = ClutterMap::from_cells(vec![cell; CLUTTER_GRID[0] * CLUTTER_GRID[1]]).unwrap();
    let cameras = [(site.cameras[1].id.clone(), map.clone()), ("gone".parse().unwrap(), map.clone())].into();
    let (sender, mut learnt) = watch::channel(LearntClutter { saved: clock.now().wall, cameras });
    let mut frame = frames(&site, clock.now()).swap_remove(1);
    let detector = Box::new(ConstantDetector(Vec::new()));
    let mut pipelines = Pipelines::new(site.clone(), detector, THRESHOLDS, 1, &ResumeState::default());
    pipelines.resume_clutter(sender, clock.mono());

    clock.advance(CLUTTER_INTERVAL - Duration::from_secs(1));
    pipelines.tick(clock.now(), |_| None);
    assert!(!learnt.has_changed().unwrap());
    clock.advance(Duration::from_secs(1));
    pipelines.tick(clock.now(), |_| None);
    let first = learnt.borrow_and_update().clone();
    assert_eq!(first.saved, clock.now().wall);
    let ids: Vec<_> = site.cameras.iter().map(|camera| camera.id.clone()).collect();
    assert!(first.cameras.keys().eq(&ids), "all cameras of the site file, and no others");
    assert_eq!((&first.cameras[&ids[0]], &first.cameras[&ids[1]]), (&ClutterMap::default(), &map));
    pipelines.tick(clock.now(), |_| None);
    assert!(!learnt.has_changed().unwrap());

    for seq in 0..2 {
        (frame.seq, frame.stamp) = (seq, clock.now());
        pipelines.process(1, &frame).unwrap();
        clock.advance(Duration::from_secs(1));
    }
    pipelines.finish(clock.now());
    let last = learnt.borrow_and_update().clone();
    assert_eq!(last.saved, clock.now().wall);
    assert_ne!(last.cameras[&ids[1]], map, "it was inspected for another second");
}
