//! What camera and clip pipelines share: elements by name, the end of the pipeline, the bus, tear-down.
//!
//! Pipelines are explicit. Nothing is plugged in by guess (`decodebin`): what a stream claims to be must not choose
//! which parser reads it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use super::handover::Handover;
use super::intake::Intake;
use super::picture::too_large;
use super::source::{EndReason, Next};
use super::stats::IngestStats;
use super::teardown::tear_down;
use crate::config::SecretError;
use crate::geometry::FrameSize;

/// Why a session could not even begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    Start(String),
    /// A plugin is not installed.
    #[error("GStreamer has no element `{element}`: install the package {package}")]
    MissingElement {
        /// Factory name.
        element: &'static str,
        /// Debian package that brings it.
        package: &'static str,
    },
    /// The camera's password cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A recording cannot be read.
    #[error("cannot read the recording {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A recording is no known container.
    #[error("{path} is no recording that can be played: it begins like none of MP4, Matroska or AVI")]
    UnknownContainer {
        /// Which file.
        path: std::path::PathBuf,
    },
    /// GStreamer refused to put the pipeline together.
    #[error("the pipeline cannot be built: {0}")]
    Pipeline(String),
}

impl From<gst::glib::BoolError> for OpenError {
    fn from(error: gst::glib::BoolError) -> Self {
        Self::Pipeline(error.message.to_string())
    }
}

/// Makes an element, or says which package is missing.
pub(super) fn make(element: &'static str) -> Result<gst::Element, OpenError> {
    gst::ElementFactory::make(element).build().map_err(|_| {
        let package = match element {
            "rtspsrc" | "rtph264depay" | "rtph265depay" | "qtdemux" | "matroskademux" | "avidemux" => {
                "gstreamer1.0-plugins-good"
            }
            "appsink" | "videoconvert" => "gstreamer1.0-plugins-base",
            "filesrc" => "libgstreamer1.0-0",
            decoder if decoder.starts_with("avdec_") => "gstreamer1.0-libav",
            _ => "gstreamer1.0-plugins-bad",
        };
        OpenError::MissingElement { element, package }
    })
}

/// Sets a property that not every version of an element has.
fn set_if_known(element: &gst::Element, property: &str, value: impl Into<gst::glib::Value>) {
    if element.has_property(property) {
        element.set_property_from_value(property, &value.into());
    }
}

/// A decoder on one thread (a box watches several cameras on two cores) that keeps damaged pictures to itself.
pub(super) fn make_decoder(
    element: &'static str,
    handover: &Arc<Handover>,
) -> Result<gst::Element, OpenError> {
    let decoder = make(element)?;
    set_if_known(&decoder, "max-threads", 1i32);
    set_if_known(&decoder, "output-corrupt", false);
    set_if_known(&decoder, "qos", false);
    // A damaged stream is no reason to give up as long as some pictures come; the stall watch decides.
    set_if_known(&decoder, "max-errors", -1i32);
    if let Some(pad) = decoder.static_pad("sink") {
        let handover = Arc::clone(handover);
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            match info.event().and_then(|event| announced_size(event)).and_then(too_large) {
                Some(reason) => {
                    handover.end(EndReason::Unsuitable(reason));
                    gst::PadProbeReturn::Drop
                }
                None => gst::PadProbeReturn::Ok,
            }
        });
    }
    Ok(decoder)
}

/// The picture's size in a CAPS event: known from the stream's headers, before the decoder allocates anything.
fn announced_size(event: &gst::EventRef) -> Option<FrameSize> {
    let gst::EventView::Caps(caps) = event.view() else { return None };
    let structure = caps.caps().structure(0)?;
    let extent = |name| structure.get::<i32>(name).ok().and_then(|v| u32::try_from(v).ok());
    Some(FrameSize { width: extent("width")?, height: extent("height")? })
}

/// The end of a pipeline: every decoded picture goes to `intake` on the streaming thread. The sink holds nothing back
/// and never blocks the decoder; dropping is the hand-over's business, where it is counted.
pub(super) fn make_sink(
    mut intake: Intake,
    formats: &[&str],
    paced: bool,
) -> Result<gst_app::AppSink, OpenError> {
    let mut caps = gst::Caps::builder("video/x-raw");
    if !formats.is_empty() {
        caps = caps.field("format", gst::List::new(formats));
    }
    // `make` first, for its message: the builder panics when the plugin is missing.
    make("appsink")?;
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| intake.accept(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?))
        .build();
    let sink = gst_app::AppSink::builder()
        .caps(&caps.build())
        .max_buffers(1)
        .drop(!paced)
        .sync(paced)
        .qos(false)
        .enable_last_sample(false)
        .callbacks(callbacks)
        .build();
    // Without this promise the decoder copies each picture into a buffer without padding.
    if let Some(pad) = sink.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
            if let Some(gst::QueryViewMut::Allocation(query)) = info.query_mut().map(|query| query.view_mut())
            {
                query.add_allocation_meta::<gst_video::VideoMeta>(None);
                return gst::PadProbeReturn::Handled;
            }
            gst::PadProbeReturn::Ok
        });
    }
    Ok(sink)
}

/// A running pipeline. Dropping it tears the pipeline down, off the streaming threads, within a deadline.
pub(super) struct Session {
    pipeline: gst::Pipeline,
    handover: Arc<Handover>,
    stats: Arc<IngestStats>,
}

impl Session {
    /// Starts the pipeline; `judge` says which messages on its bus end the session, and why.
    pub(super) fn start(
        pipeline: gst::Pipeline,
        handover: Arc<Handover>,
        stats: Arc<IngestStats>,
        judge: impl Fn(&gst::Message) -> Option<EndReason> + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let session = Self { pipeline, handover: Arc::clone(&handover), stats };
        let bus = session.pipeline.bus().ok_or_else(|| OpenError::Pipeline("no bus".into()))?;
        // In the posting thread, so that a lost camera is known at once. Nothing is left to pile up on the bus.
        bus.set_sync_handler(move |_, message| {
            if let Some(reason) = judge(message) {
                handover.end(reason);
            }
            gst::BusSyncReply::Drop
        });
        match session.pipeline.set_state(gst::State::Playing) {
            Ok(_) => Ok(session),
            Err(_) => match session.handover.next(Duration::ZERO) {
                Next::Ended(reason) => Err(OpenError::Pipeline(reason.to_string())),
                _ => Err(OpenError::Pipeline("it does not start".into())),
            },
        }
    }

    pub(super) fn next(&self, wait: Duration) -> Next {
        self.handover.next(wait)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let left = self.handover.close();
        self.stats.dropped_overwritten.fetch_add(left as u64, Relaxed);
        let pipeline = self.pipeline.clone();
        tear_down(&self.stats, move || {
            // Its outcome changes nothing: the pipeline is dropped next.
            pipeline.set_state(gst::State::Null).ok();
        });
    }
}

/// An error message as one sentence: GStreamer's text and the last line of its debug text, which names the cause.
pub(super) fn describe(error: &gst::message::Error) -> String {
    let text = error.error().message().trim_end_matches('.').to_owned();
    let debug = error.debug();
    let cause = debug.as_deref().and_then(|debug| debug.lines().last()).map(str::trim).unwrap_or_default();
    if cause.is_empty() || cause.contains(&text) || cause.contains("():") {
        text
    } else {
        format!("{text}: {}", cause.trim_end_matches('.'))
    }
}

/// Starts GStreamer; repeated calls are free.
pub(super) fn init() -> Result<(), OpenError> {
    gst::init().map_err(|error| OpenError::Start(error.to_string()))
}
