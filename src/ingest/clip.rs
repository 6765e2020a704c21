//! Recordings, stamped by their own time: played into a camera's slot in real time, or read frame by frame.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::appsink::{Pacing, SampleHandler, Stamping};
use super::delivery::Delivery;
use super::failure::describe;
use super::latest_frame::FrameSlot;
use super::pipeline::{OpenError, PipelineSession, init, make, make_decoder};
use super::source::{EndReason, FrameSource, Next};
use super::stats::IngestStats;
use crate::clock::Stamp;
use crate::codec::{self, Decoding};
use crate::ids::CameraId;

/// A recording in place of a camera: plays once, in real time, into the camera's slot.
pub struct ClipSource(PipelineSession);

impl ClipSource {
    /// Opens an MP4, Matroska or AVI file. A frame's stamp is `start` plus its time in the recording.
    pub fn open(
        camera: &CameraId,
        path: &Path,
        start: Stamp,
        slot: FrameSlot,
        stats: Arc<IngestStats>,
    ) -> Result<Self, OpenError> {
        open(camera, path, start, Delivery::to_slot(slot), Pacing::RealTime, stats).map(Self)
    }
}

impl FrameSource for ClipSource {
    fn wait_for_end(&mut self, timeout: Duration) -> Option<EndReason> {
        self.0.wait_for_end(timeout)
    }
}

/// A recording that is read frame by frame, as fast as frames are taken; none is dropped.
pub struct ClipReader(PipelineSession);

impl ClipReader {
    /// Opens an MP4, Matroska or AVI file. A frame's stamp is `start` plus its time in the recording.
    pub fn open(
        camera: &CameraId,
        path: &Path,
        start: Stamp,
        stats: Arc<IngestStats>,
    ) -> Result<Self, OpenError> {
        open(camera, path, start, Delivery::to_reader(), Pacing::AsDecoded, stats).map(Self)
    }

    /// Waits at most `timeout` for the next frame.
    pub fn next(&mut self, timeout: Duration) -> Next {
        self.0.next(timeout)
    }
}

fn open(
    camera: &CameraId,
    path: &Path,
    start: Stamp,
    delivery: Delivery,
    pacing: Pacing,
    stats: Arc<IngestStats>,
) -> Result<PipelineSession, OpenError> {
    init()?;
    let delivery = Arc::new(delivery);
    let pipeline = gst::Pipeline::new();
    let demuxer = make(container(path)?)?;
    let source = make("filesrc")?;
    source.set_property("location", path);
    // Passes the decoder's picture on untouched when it is in one of the two formats that are used; recordings, unlike
    // cameras, come in many more.
    let convert = make("videoconvert")?;
    let stamping = Stamping::Recording(start);
    let handler = SampleHandler::new(camera.clone(), stamping, Arc::clone(&delivery), Arc::clone(&stats));
    let sink = handler.into_sink(&["I420", "NV12"], pacing)?;
    pipeline.add_many([&source, &demuxer, &convert, sink.upcast_ref()])?;
    source.link(&demuxer)?;
    convert.link(&sink)?;
    decode_first_video(&pipeline, &demuxer, &convert, &delivery);
    let file = path.display().to_string();
    let end_of = move |message: &gst::Message| match message.view() {
        gst::MessageView::Eos(_) => Some(EndReason::EndOfStream),
        gst::MessageView::Error(error) => Some(EndReason::Failed(format!("{file}: {}", describe(error)))),
        _ => None,
    };
    PipelineSession::start(pipeline, delivery, stats, end_of)
}

/// The demuxer for a file, by its first bytes; names lie too often.
fn container(path: &Path) -> Result<&'static str, OpenError> {
    let unreadable = |cause| OpenError::Unreadable { path: path.to_owned(), cause };
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(12).read_to_end(&mut head)).map_err(unreadable)?;
    match head.as_slice() {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' '] => Ok("avidemux"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Ok("matroskademux"),
        [_, _, _, _, kind @ ..]
            if [&b"ftyp"[..], b"moov", b"mdat", b"free", b"wide", b"skip"]
                .iter()
                .any(|k| kind.starts_with(k)) =>
        {
            Ok("qtdemux")
        }
        _ => Err(OpenError::UnknownContainer { path: path.to_owned() }),
    }
}

/// Decodes the first video track; other tracks stay unlinked.
fn decode_first_video(
    pipeline: &gst::Pipeline,
    demuxer: &gst::Element,
    next: &gst::Element,
    delivery: &Arc<Delivery>,
) {
    let found = Arc::new(AtomicBool::new(false));
    let (pipeline, next) = (pipeline.downgrade(), next.downgrade());
    let (first, ended) = (Arc::clone(&found), Arc::clone(delivery));
    demuxer.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let Some(track) = caps.structure(0) else { return };
        let video = track.name().starts_with("video/") || track.name().starts_with("image/");
        let (Some(pipeline), Some(next)) = (pipeline.upgrade(), next.upgrade()) else { return };
        if !video || first.swap(true, Relaxed) {
            return;
        }
        let Some(decoding) = codec::decoding(track.name(), |field| track.get::<i32>(field).ok()) else {
            ended.end(EndReason::Unsuitable(format!("recordings in {} cannot be played", track.name())));
            return;
        };
        if let Err(error) = attach(&pipeline, pad, decoding, &next, &ended) {
            ended.end(EndReason::Failed(error.to_string()));
        }
    });
    let delivery = Arc::clone(delivery);
    demuxer.connect_no_more_pads(move |_| {
        if !found.load(Relaxed) {
            delivery.end(EndReason::Unsuitable("the recording has no video track".into()));
        }
    });
}

fn attach(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    decoding: Decoding,
    next: &gst::Element,
    delivery: &Arc<Delivery>,
) -> Result<(), OpenError> {
    let parser = decoding.parser.map(make).transpose()?;
    let decoder = make_decoder(decoding.decoder, delivery)?;
    pipeline.add(&decoder)?;
    decoder.link(next)?;
    let mut first = decoder.clone();
    if let Some(parser) = parser {
        pipeline.add(&parser)?;
        parser.link(&decoder)?;
        first = parser;
    }
    decoder.sync_state_with_parent()?;
    first.sync_state_with_parent()?;
    let no_pad = || OpenError::Pipeline(format!("{} has no sink pad", first.name()));
    let sink = first.static_pad("sink").ok_or_else(no_pad)?;
    pad.link(&sink).map_err(|error| OpenError::Pipeline(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
#[path = "clip_tests.rs"]
mod tests;
