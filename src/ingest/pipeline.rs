//! What camera and clip pipelines share: elements by name, the decoder, the bus, tear-down.
//!
//! Pipelines are explicit. Nothing is plugged by autodetection (`decodebin`): what a stream claims to be must not choose
//! which parser reads it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::delivery::Delivery;
use super::picture::too_large;
use super::source::{EndReason, Next};
use super::stats::IngestStats;
use super::teardown::tear_down;
use crate::config::SecretError;
use crate::geometry::FrameSize;

/// Why a session could not be opened.
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
    /// A file is not in a container that can be read.
    #[error("{path} is not a recording that can be played: give an MP4, Matroska or AVI file")]
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
    let missing = |_| OpenError::MissingElement { element, package: package(element) };
    gst::ElementFactory::make(element).build().map_err(missing)
}

/// The Debian package that brings an element.
fn package(element: &str) -> &'static str {
    match element {
        "appsink" | "videoconvert" => "gstreamer1.0-plugins-base",
        "filesrc" => "libgstreamer1.0-0",
        "qtdemux" | "matroskademux" | "avidemux" => "gstreamer1.0-plugins-good",
        rtp if rtp.starts_with("rt") => "gstreamer1.0-plugins-good",
        decoder if decoder.starts_with("avdec_") => "gstreamer1.0-libav",
        _ => "gstreamer1.0-plugins-bad",
    }
}

/// Sets a property that not every version of an element has.
fn set_if_known(element: &gst::Element, property: &str, value: impl Into<gst::glib::Value>) {
    if element.has_property(property) {
        element.set_property_from_value(property, &value.into());
    }
}

/// A decoder on one thread (a box decodes several cameras on two cores) that gives no damaged pictures.
pub(super) fn make_decoder(
    element: &'static str,
    delivery: &Arc<Delivery>,
) -> Result<gst::Element, OpenError> {
    let decoder = make(element)?;
    set_if_known(&decoder, "max-threads", 1i32);
    set_if_known(&decoder, "output-corrupt", false);
    set_if_known(&decoder, "qos", false);
    // A damaged stream is used as long as some pictures come out of it; the stall timeout decides.
    set_if_known(&decoder, "max-errors", -1i32);
    if let Some(pad) = decoder.static_pad("sink") {
        let delivery = Arc::clone(delivery);
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            match info.event().and_then(|event| announced_size(event)).and_then(too_large) {
                Some(reason) => {
                    delivery.end(EndReason::Unsuitable(reason));
                    gst::PadProbeReturn::Drop
                }
                None => gst::PadProbeReturn::Ok,
            }
        });
    }
    Ok(decoder)
}

/// The picture's size in a CAPS event: known from the stream's headers, before the decoder allocates memory.
fn announced_size(event: &gst::EventRef) -> Option<FrameSize> {
    let gst::EventView::Caps(caps) = event.view() else { return None };
    let structure = caps.caps().structure(0)?;
    let extent = |name| structure.get::<i32>(name).ok().and_then(|v| u32::try_from(v).ok());
    Some(FrameSize { width: extent("width")?, height: extent("height")? })
}

/// A running pipeline. Dropping it tears the pipeline down, off the streaming threads, within a deadline.
pub(super) struct PipelineSession {
    pipeline: gst::Pipeline,
    delivery: Arc<Delivery>,
    stats: Arc<IngestStats>,
}

impl PipelineSession {
    /// Starts the pipeline; `end_of` says which messages on its bus end the session, and why.
    pub(super) fn start(
        pipeline: gst::Pipeline,
        delivery: Arc<Delivery>,
        stats: Arc<IngestStats>,
        end_of: impl Fn(&gst::Message) -> Option<EndReason> + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let session = Self { pipeline, delivery: Arc::clone(&delivery), stats };
        let bus = session.pipeline.bus().ok_or_else(|| OpenError::Pipeline("it has no bus".into()))?;
        // In the posting thread, so that a lost camera is known at once. Nothing is left to pile up on the bus.
        bus.set_sync_handler(move |_, message| {
            if let Some(reason) = end_of(message) {
                delivery.end(reason);
            }
            gst::BusSyncReply::Drop
        });
        match session.pipeline.set_state(gst::State::Playing) {
            Ok(_) => Ok(session),
            Err(_) => match session.delivery.wait_for_end(Duration::ZERO) {
                Some(reason) => Err(OpenError::Pipeline(reason.to_string())),
                None => Err(OpenError::Pipeline("it does not start".into())),
            },
        }
    }

    pub(super) fn wait_for_end(&self, timeout: Duration) -> Option<EndReason> {
        self.delivery.wait_for_end(timeout)
    }

    pub(super) fn next(&self, timeout: Duration) -> Next {
        self.delivery.next(timeout)
    }
}

impl Drop for PipelineSession {
    fn drop(&mut self) {
        let left = self.delivery.close();
        self.stats.dropped_overwritten.fetch_add(u64::from(left), Relaxed);
        let pipeline = self.pipeline.clone();
        tear_down(&self.stats, move || {
            // Whether it succeeds changes nothing: the pipeline is dropped next.
            pipeline.set_state(gst::State::Null).ok();
        });
    }
}

/// Starts GStreamer; repeated calls are free.
pub(super) fn init() -> Result<(), OpenError> {
    gst::init().map_err(|error| OpenError::Start(error.to_string()))
}
