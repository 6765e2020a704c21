//! What the watch promises of the looks that it hands to the logbook.

use std::sync::Arc;
use std::time::Duration;

use super::overload_promises::{frames, site};
use super::watch::Watch;
use crate::clock::{Clock, SimulatedClock};
use crate::detect::{Class, DetectError, Detection, Detector, Look, Thresholds};
use crate::frame::Frame;
use crate::geometry::{BBox, Norm};
use crate::logbook::Writer;
use crate::logbook::testing::{column, options, start};
use crate::rules::Past;

/// One vessel that lies still.
struct Moored;

impl Detector for Moored {
    fn input_px(&self) -> u32 {
        416
    }

    fn look(&mut self, _frame: &Frame, regions: &[BBox<Norm>]) -> Result<Look, DetectError> {
        let bbox = BBox::from_xywh(400.0, 500.0, 300.0, 100.0);
        let detections = vec![Detection { class: Class::Vessel, confidence: 0.9, bbox }];
        Ok(Look { detections, runs: regions.len() as u32, ..Look::default() })
    }
}

#[test]
fn the_row_of_a_vessel_that_is_still_followed_is_seconds_old_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(site(folder.path()));
    let path = folder.path().join("l.sqlite");
    let (writer, sender) = Writer::open(&path, &start(), options()).unwrap();
    let clock = SimulatedClock::new("2026-06-01T12:00:00Z".parse().unwrap());
    let mut frame = frames(&site, clock.now()).swap_remove(0);
    let believed = Thresholds { confidence: 0.5, floor: 0.5, iou: 0.5 };
    let mut watch = Watch::new(site, Box::new(Moored), believed, 1, &Past::default());
    for seq in 0..240 {
        (frame.seq, frame.stamp) = (seq, clock.now());
        watch.look(0, &frame).unwrap().into_iter().for_each(|entry| sender.send(entry).unwrap());
        clock.advance(Duration::from_millis(250));
    }
    writer.flush(Duration::from_secs(20)).unwrap();
    let behind = "SELECT track.state || ' ' || (max(look.at) - last_seen <= 10000) FROM track, look";
    assert_eq!(column(&path, behind), ["open 1"], "as a power cut would leave it");
}
