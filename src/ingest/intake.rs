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
use crate::names::CameraId;

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
