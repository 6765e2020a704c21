//! The end of a pipeline: what the streaming thread does with each decoded sample (check, count, stamp, deliver).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use super::delivery::{Delivered, Delivery};
use super::picture::PictureLayout;
use super::pipeline::{OpenError, make};
use super::source::EndReason;
use super::stats::{IngestStats, count};
use crate::clock::{Clock, Stamp};
use crate::frame::Frame;
use crate::ids::CameraId;

/// Where a frame's stamp comes from.
pub(super) enum Stamping {
    /// The time of arrival: a camera's own clock drifts and steps.
    Arrival(Arc<dyn Clock>),
    /// The recording's time after its start.
    Recording(Stamp),
}

/// How fast the sink lets pictures through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pacing {
    /// As they come; the sink never blocks the decoder.
    AsDecoded,
    /// By the recording's time stamps, in real time.
    RealTime,
}

/// Handles the samples of one session.
pub(super) struct SampleHandler {
    camera: CameraId,
    stamping: Stamping,
    delivery: Arc<Delivery>,
    stats: Arc<IngestStats>,
    layout: Option<(gst::Caps, PictureLayout)>,
    /// Running time of the last frame.
    last: Option<Duration>,
}

impl SampleHandler {
    pub(super) fn new(
        camera: CameraId,
        stamping: Stamping,
        delivery: Arc<Delivery>,
        stats: Arc<IngestStats>,
    ) -> Self {
        Self { camera, stamping, delivery, stats, layout: None, last: None }
    }

    /// The end of a pipeline that hands each decoded picture to this handler, on the streaming thread. It takes pictures
    /// in `formats`, in any when there are none. It keeps none back: dropping is the slot's task, where it is counted.
    pub(super) fn into_sink(
        mut self,
        formats: &[&str],
        pacing: Pacing,
    ) -> Result<gst_app::AppSink, OpenError> {
        let mut caps = gst::Caps::builder("video/x-raw");
        if !formats.is_empty() {
            caps = caps.field("format", gst::List::new(formats));
        }
        // `make` first, for its message: the builder panics when the plugin is missing.
        make("appsink")?;
        let callbacks = gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| self.accept(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?))
            .build();
        let paced = pacing == Pacing::RealTime;
        let sink = gst_app::AppSink::builder()
            .caps(&caps.build())
            .max_buffers(1)
            .drop(!paced)
            .sync(paced)
            .qos(false)
            .enable_last_sample(false)
            .callbacks(callbacks)
            .build();
        // Without this answer the decoder copies each picture into a buffer without padding.
        if let Some(pad) = sink.static_pad("sink") {
            pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
                if let Some(gst::QueryViewMut::Allocation(query)) =
                    info.query_mut().map(|query| query.view_mut())
                {
                    query.add_allocation_meta::<gst_video::VideoMeta>(None);
                    return gst::PadProbeReturn::Handled;
                }
                gst::PadProbeReturn::Ok
            });
        }
        Ok(sink)
    }

    /// Called by the streaming thread for each decoded picture.
    fn accept(&mut self, sample: &gst::Sample) -> Result<gst::FlowSuccess, gst::FlowError> {
        let seq = self.stats.received.fetch_add(1, Relaxed);
        self.stats.frame_decoded();
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
                self.delivery.end(EndReason::Unsuitable(reason));
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
        let stamp = self.stamp(time);
        match self.delivery.deliver(Frame { camera: self.camera.clone(), seq, stamp, picture }) {
            Delivered::Kept => Ok(gst::FlowSuccess::Ok),
            Delivered::Replaced => {
                count(&self.stats.dropped_overwritten);
                Ok(gst::FlowSuccess::Ok)
            }
            Delivered::Closed => {
                count(&self.stats.dropped_overwritten);
                Err(gst::FlowError::Flushing)
            }
        }
    }

    fn stamp(&self, time: Duration) -> Stamp {
        match &self.stamping {
            Stamping::Arrival(clock) => clock.now(),
            Stamping::Recording(start) => {
                Stamp { mono: start.mono + time, wall: start.wall.checked_add(time).unwrap_or(start.wall) }
            }
        }
    }

    fn layout(&mut self, caps: gst::Caps) -> Result<&PictureLayout, String> {
        let is_same = self.layout.as_ref().is_some_and(|(seen, _)| *seen == caps);
        if !is_same {
            let layout = PictureLayout::from_caps(&caps)?;
            if let Some((_, before)) = &self.layout
                && (before.size, before.format) != (layout.size, layout.format)
            {
                count(&self.stats.caps_changes);
                let (from, to) = (before.size, layout.size);
                tracing::info!(
                    "camera {} changed its picture size from {}x{} to {}x{}",
                    self.camera,
                    from.width,
                    from.height,
                    to.width,
                    to.height
                );
            }
            self.layout = Some((caps, layout));
        }
        self.layout.as_ref().map(|(_, layout)| layout).ok_or_else(String::new)
    }

    /// Time since the start of the stream; never before the last frame's, so that a recording's time only runs forward.
    fn running_time(&mut self, sample: &gst::Sample, buffer: &gst::BufferRef) -> Duration {
        let stated = sample
            .segment()
            .and_then(|segment| segment.downcast_ref::<gst::ClockTime>())
            .and_then(|segment| segment.to_running_time(buffer.pts()?))
            .map(Duration::from);
        let last = self.last;
        if let (Some(stated), Some(last)) = (stated, last)
            && stated < last
        {
            count(&self.stats.pts_backwards);
        }
        // A frame without a time (old AVI files) follows the one before by its duration, or at 25 frames a second.
        let follows = || {
            let step = buffer.duration().map_or(Duration::from_millis(40), Duration::from);
            last.map_or(Duration::ZERO, |last| last + step)
        };
        let time = stated.unwrap_or_else(follows).max(last.unwrap_or_default());
        // A live stream's time may start again from zero; its stamps come from arrival.
        let is_live = matches!(self.stamping, Stamping::Arrival(_));
        self.last = Some(if is_live { stated.unwrap_or(time) } else { time });
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::geometry::FrameSize;
    use crate::ingest::source::Next;
    use crate::ingest::{FrameSlot, LatestFrames};

    /// Of a live camera, with the mailbox it fills.
    fn live() -> (SampleHandler, Arc<LatestFrames>) {
        gst::init().unwrap();
        let frames = Arc::new(LatestFrames::new(1));
        let delivery = Delivery::to_slot(FrameSlot::new(Arc::clone(&frames), 0));
        let stamping = Stamping::Arrival(Arc::new(SystemClock::default()));
        (handler(stamping, delivery), frames)
    }

    fn handler(stamping: Stamping, delivery: Delivery) -> SampleHandler {
        SampleHandler::new(CameraId::new("quay").unwrap(), stamping, Arc::new(delivery), Arc::default())
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

    #[test]
    fn a_change_of_resolution_is_counted_and_followed() {
        let (mut handler, frames) = live();
        for (i, (w, h)) in [(64, 32), (64, 32), (32, 64), (64, 32)].into_iter().enumerate() {
            handler.accept(&sample(w, h, i as u64 * 40, gst::BufferFlags::empty())).unwrap();
            let size = frames.take(0).unwrap().picture.size;
            assert_eq!(size, FrameSize { width: w as u32, height: h as u32 });
        }
        assert_eq!(handler.stats.caps_changes.load(Relaxed), 2);
    }

    #[test]
    fn damaged_frames_are_dropped_and_counted() {
        let (mut handler, frames) = live();
        let flags = [
            gst::BufferFlags::empty(),
            gst::BufferFlags::CORRUPTED,
            gst::BufferFlags::DECODE_ONLY,
            gst::BufferFlags::DISCONT,
            gst::BufferFlags::empty(),
        ];
        for (i, flags) in flags.into_iter().enumerate() {
            handler.accept(&sample(8, 8, i as u64 * 40, flags)).unwrap();
        }
        assert_eq!(frames.take(0).unwrap().seq, 4, "dropped frames have numbers too");
        let stats = &handler.stats;
        let counted =
            [&stats.received, &stats.dropped_corrupt, &stats.dropped_overwritten].map(|c| c.load(Relaxed));
        assert_eq!(counted, [5, 2, 2], "received = corrupt + overwritten + the one taken");
    }

    #[test]
    fn frames_without_a_picture_are_counted() {
        let (mut handler, _frames) = live();
        let stats = Arc::clone(&handler.stats);
        for arrived in [1, 1, 4, 0, 1] {
            (0..arrived).for_each(|_| stats.frame_arrived());
            handler.accept(&sample(8, 8, 0, gst::BufferFlags::empty())).unwrap();
        }
        assert_eq!(stats.dropped_undecodable.load(Relaxed), 3, "of four, one became a picture");
        (0..2).for_each(|_| stats.frame_arrived());
        stats.session_ended();
        stats.session_ended();
        assert_eq!(stats.dropped_undecodable.load(Relaxed), 5);
    }

    #[test]
    fn a_recordings_time_never_runs_backwards() {
        gst::init().unwrap();
        let start = SystemClock::default().now();
        let mut handler = handler(Stamping::Recording(start), Delivery::to_reader());
        let offsets: Vec<_> = [0, 40, 20, 80]
            .into_iter()
            .map(|ms| {
                handler.accept(&sample(8, 8, ms, gst::BufferFlags::empty())).unwrap();
                let Next::Frame(frame) = handler.delivery.next(Duration::ZERO) else { panic!("no frame") };
                frame.stamp.mono.since(start.mono).as_millis()
            })
            .collect();
        assert_eq!(offsets, [0, 40, 40, 80]);
        assert_eq!(handler.stats.pts_backwards.load(Relaxed), 1);
    }

    #[test]
    fn too_large_a_picture_ends_the_session_unmapped() {
        let (mut handler, _frames) = live();
        let huge: gst::Caps =
            "video/x-raw,format=I420,framerate=25/1,width=7680,height=4320".parse().unwrap();
        let sample = gst::Sample::builder().buffer(&gst::Buffer::new()).caps(&huge).build();
        assert_eq!(handler.accept(&sample), Err(gst::FlowError::Error));
        let Some(EndReason::Unsuitable(reason)) = handler.delivery.wait_for_end(Duration::ZERO) else {
            panic!("not ended")
        };
        assert!(reason.contains("7680x4320"), "{reason}");
    }
}
