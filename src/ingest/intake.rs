//! What a pipeline's streaming thread does with a decoded sample: check, count, stamp, hand over.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gstreamer as gst;

use super::handover::{Handover, Offer};
use super::picture::Layout;
use super::source::EndReason;
use super::stats::{IngestStats, count};
use crate::clock::{Clock, Stamp};
use crate::frame::Frame;
use crate::ids::CameraId;

/// Where a frame's stamp comes from.
pub(super) enum Stamping {
    /// The moment of arrival: a camera's own clock drifts and steps.
    Arrival(Arc<dyn Clock>),
    /// The recording's time after its start.
    Recording(Stamp),
}

pub(super) struct Intake {
    pub(super) camera: CameraId,
    pub(super) stamping: Stamping,
    pub(super) handover: Arc<Handover>,
    pub(super) stats: Arc<IngestStats>,
    layout: Option<(gst::Caps, Layout)>,
    /// Running time of the last frame.
    last: Option<Duration>,
}

impl Intake {
    pub(super) fn new(
        camera: CameraId,
        stamping: Stamping,
        handover: Arc<Handover>,
        stats: Arc<IngestStats>,
    ) -> Self {
        Self { camera, stamping, handover, stats, layout: None, last: None }
    }

    /// Called by the streaming thread for every decoded picture.
    pub(super) fn accept(&mut self, sample: &gst::Sample) -> Result<gst::FlowSuccess, gst::FlowError> {
        let seq = self.stats.received.fetch_add(1, Relaxed);
        self.stats.decoded();
        let (Some(caps), Some(buffer)) = (sample.caps_owned(), sample.buffer_owned()) else {
            count(&self.stats.dropped_corrupt);
            return Ok(gst::FlowSuccess::Ok);
        };
        let time = self.running_time(sample, &buffer);
        if buffer.flags().intersects(gst::BufferFlags::CORRUPTED | gst::BufferFlags::DECODE_ONLY) {
            count(&self.stats.dropped_corrupt);
            return Ok(gst::FlowSuccess::Ok);
        }
        let picture = match self.layout(caps) {
            Ok(layout) => layout.picture(buffer),
            Err(reason) => {
                count(&self.stats.dropped_corrupt);
                self.handover.end(EndReason::Unsuitable(reason));
                return Err(gst::FlowError::Error);
            }
        };
        let picture = match picture {
            Ok(picture) => picture,
            Err(reason) => {
                count(&self.stats.dropped_corrupt);
                tracing::debug!(camera = %self.camera, reason, "a decoded picture was dropped");
                return Ok(gst::FlowSuccess::Ok);
            }
        };
        let stamp = match &self.stamping {
            Stamping::Arrival(clock) => clock.now(),
            Stamping::Recording(start) => {
                Stamp { mono: start.mono + time, wall: start.wall.checked_add(time).unwrap_or(start.wall) }
            }
        };
        match self.handover.offer(Frame { camera: self.camera.clone(), seq, stamp, picture }) {
            Offer::Kept => Ok(gst::FlowSuccess::Ok),
            Offer::Overwrote => {
                count(&self.stats.dropped_overwritten);
                Ok(gst::FlowSuccess::Ok)
            }
            Offer::Closed => {
                count(&self.stats.dropped_overwritten);
                Err(gst::FlowError::Flushing)
            }
        }
    }

    fn layout(&mut self, caps: gst::Caps) -> Result<&Layout, String> {
        let known = self.layout.as_ref().is_some_and(|(seen, _)| *seen == caps);
        if !known {
            let layout = Layout::from_caps(&caps)?;
            if let Some((_, before)) = &self.layout
                && (before.size, before.format) != (layout.size, layout.format)
            {
                count(&self.stats.caps_changes);
                let (from, to) = (before.size, layout.size);
                tracing::info!(camera = %self.camera, ?from, ?to, "the picture changed its size");
            }
            self.layout = Some((caps, layout));
        }
        self.layout.as_ref().map(|(_, layout)| layout).ok_or_else(String::new)
    }

    /// Time since the stream's start; never before the last one, so that a recording's time only runs forward.
    fn running_time(&mut self, sample: &gst::Sample, buffer: &gst::BufferRef) -> Duration {
        let said = sample
            .segment()
            .and_then(|segment| segment.downcast_ref::<gst::ClockTime>())
            .and_then(|segment| segment.to_running_time(buffer.pts()?))
            .map(Duration::from);
        let last = self.last;
        if let (Some(said), Some(last)) = (said, last)
            && said < last
        {
            count(&self.stats.pts_backwards);
        }
        // A frame without a time (old AVI files) follows its predecessor by its duration, or at 25 frames a second.
        let follows = || {
            let step = buffer.duration().map_or(Duration::from_millis(40), Duration::from);
            last.map_or(Duration::ZERO, |last| last + step)
        };
        let time = said.unwrap_or_else(follows).max(last.unwrap_or_default());
        // A live stream's time may start over; its stamps come from arrival.
        self.last =
            Some(if matches!(self.stamping, Stamping::Arrival(_)) { said.unwrap_or(time) } else { time });
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::geometry::FrameSize;
    use crate::ingest::handover::Keep;
    use crate::ingest::source::Next;

    fn intake() -> Intake {
        gst::init().unwrap();
        let stamping = Stamping::Arrival(Arc::new(SystemClock::default()));
        let camera = CameraId::new("quay").unwrap();
        Intake::new(camera, stamping, Arc::new(Handover::new(Keep::Newest)), Arc::default())
    }

    fn sample(width: usize, height: usize, ms: u64, flags: gst::BufferFlags) -> gst::Sample {
        let caps = format!("video/x-raw,format=I420,framerate=25/1,width={width},height={height}");
        let mut buffer = gst::Buffer::from_slice(vec![0u8; width * height * 3 / 2]);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_mseconds(ms));
        writable.set_flags(flags);
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(gst::ClockTime::ZERO);
        gst::Sample::builder().buffer(&buffer).caps(&caps.parse().unwrap()).segment(&segment).build()
    }

    fn next_size(intake: &Intake) -> Option<FrameSize> {
        match intake.handover.next(Duration::ZERO) {
            Next::Frame(frame) => Some(frame.picture.size),
            _ => None,
        }
    }

    #[test]
    fn a_camera_that_flips_its_resolution_goes_on_and_is_counted() {
        let mut intake = intake();
        for (i, (w, h)) in [(64, 32), (64, 32), (32, 64), (64, 32)].into_iter().enumerate() {
            intake.accept(&sample(w, h, i as u64 * 40, gst::BufferFlags::empty())).unwrap();
            assert_eq!(next_size(&intake), Some(FrameSize { width: w as u32, height: h as u32 }));
        }
        assert_eq!(intake.stats.caps_changes.load(Relaxed), 2);
    }

    #[test]
    fn damaged_frames_are_dropped_and_every_frame_is_accounted_for() {
        let mut intake = intake();
        let flags = [
            gst::BufferFlags::empty(),
            gst::BufferFlags::CORRUPTED,
            gst::BufferFlags::DECODE_ONLY,
            gst::BufferFlags::DISCONT,
            gst::BufferFlags::empty(),
        ];
        for (i, flags) in flags.into_iter().enumerate() {
            intake.accept(&sample(8, 8, i as u64 * 40, flags)).unwrap();
        }
        let Next::Frame(newest) = intake.handover.next(Duration::ZERO) else { panic!("no frame") };
        assert_eq!(newest.seq, 4, "numbers count dropped frames too");
        let stats = &intake.stats;
        let counted =
            [&stats.received, &stats.dropped_corrupt, &stats.dropped_overwritten].map(|c| c.load(Relaxed));
        assert_eq!(counted, [5, 2, 2], "received = corrupt + overwritten + the one taken");
    }

    #[test]
    fn frames_that_come_and_give_no_picture_are_counted() {
        let mut intake = intake();
        let stats = Arc::clone(&intake.stats);
        for came in [1, 1, 4, 0, 1] {
            (0..came).for_each(|_| stats.came());
            intake.accept(&sample(8, 8, 0, gst::BufferFlags::empty())).unwrap();
        }
        assert_eq!(stats.dropped_undecodable.load(Relaxed), 3, "of four, one became a picture");
        (0..2).for_each(|_| stats.came());
        stats.session_over();
        stats.session_over();
        assert_eq!(stats.dropped_undecodable.load(Relaxed), 5);
    }

    #[test]
    fn time_that_runs_backwards_is_counted_and_a_recordings_clock_stands_still_meanwhile() {
        let mut intake = intake();
        let start = SystemClock::default().now();
        intake.stamping = Stamping::Recording(start);
        let offsets: Vec<_> = [0, 40, 20, 80]
            .into_iter()
            .map(|ms| {
                intake.accept(&sample(8, 8, ms, gst::BufferFlags::empty())).unwrap();
                let Next::Frame(frame) = intake.handover.next(Duration::ZERO) else { panic!("no frame") };
                frame.stamp.mono.since(start.mono).as_millis()
            })
            .collect();
        assert_eq!(offsets, [0, 40, 40, 80]);
        assert_eq!(intake.stats.pts_backwards.load(Relaxed), 1);
    }

    #[test]
    fn a_picture_past_the_size_limit_ends_the_session_before_it_is_mapped() {
        let mut intake = intake();
        let huge: gst::Caps =
            "video/x-raw,format=I420,framerate=25/1,width=7680,height=4320".parse().unwrap();
        let sample = gst::Sample::builder().buffer(&gst::Buffer::new()).caps(&huge).build();
        assert_eq!(intake.accept(&sample), Err(gst::FlowError::Error));
        let Next::Ended(EndReason::Unsuitable(reason)) = intake.handover.next(Duration::ZERO) else {
            panic!("not ended")
        };
        assert!(reason.contains("7680x4320"), "{reason}");
    }
}
