//! A recording: every frame in order, stamped by the recording's own time.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::handover::{Handover, Keep};
use super::intake::{Intake, Stamping};
use super::pipeline::{OpenError, Session, describe, init, make, make_decoder, make_sink};
use super::source::{EndReason, FrameSource, Next};
use super::stats::IngestStats;
use crate::clock::Stamp;
use crate::ids::CameraId;

/// How fast a recording plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as frames are taken.
    Unpaced,
    /// As it was recorded.
    RealTime,
}

/// One pass over a recording.
pub struct ClipSource(Session);

impl ClipSource {
    /// Opens an MP4, Matroska or AVI file. A frame's stamp is `start` and its time in the recording.
    pub fn open(
        camera: &CameraId,
        path: &Path,
        start: Stamp,
        pace: Pace,
        stats: Arc<IngestStats>,
    ) -> Result<Self, OpenError> {
        init()?;
        let handover = Arc::new(Handover::new(Keep::Every));
        let pipeline = gst::Pipeline::new();
        let demuxer = make(container(path)?)?;
        let source = make("filesrc")?;
        source.set_property("location", path);
        // Passes the decoder's picture on untouched when it is one of the two formats that are watched; recordings,
        // other than cameras, come in many more.
        let convert = make("videoconvert")?;
        let intake = Intake::new(
            camera.clone(),
            Stamping::Recording(start),
            Arc::clone(&handover),
            Arc::clone(&stats),
        );
        let sink = make_sink(intake, &["I420", "NV12"], pace == Pace::RealTime)?;
        pipeline.add_many([&source, &demuxer, &convert, sink.upcast_ref()])?;
        source.link(&demuxer)?;
        convert.link(&sink)?;
        decode_first_video(&pipeline, &demuxer, &convert, &handover);
        let file = path.display().to_string();
        let judge = move |message: &gst::Message| match message.view() {
            gst::MessageView::Eos(_) => Some(EndReason::EndOfStream),
            gst::MessageView::Error(error) => Some(EndReason::Failed(format!("{file}: {}", describe(error)))),
            _ => None,
        };
        Session::start(pipeline, handover, stats, judge).map(Self)
    }
}

impl FrameSource for ClipSource {
    fn next(&mut self, wait: Duration) -> Next {
        self.0.next(wait)
    }
}

/// The demuxer for a file, by how it begins; names lie too often.
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

/// Parser (where one is needed) and decoder for what a demuxer found.
fn decoding(caps: &gst::StructureRef) -> Option<(Option<&'static str>, &'static str)> {
    let number = |field| caps.get::<i32>(field).unwrap_or_default();
    Some(match caps.name().as_str() {
        "video/x-h264" => (Some("h264parse"), "avdec_h264"),
        "video/x-h265" => (Some("h265parse"), "avdec_h265"),
        "video/mpeg" if number("mpegversion") == 4 => (Some("mpeg4videoparse"), "avdec_mpeg4"),
        "video/mpeg" if matches!(number("mpegversion"), 1 | 2) => {
            (Some("mpegvideoparse"), "avdec_mpeg2video")
        }
        "video/x-divx" if matches!(number("divxversion"), 4 | 5) => (Some("mpeg4videoparse"), "avdec_mpeg4"),
        "video/x-xvid" => (Some("mpeg4videoparse"), "avdec_mpeg4"),
        "video/x-divx" if number("divxversion") == 3 => (None, "avdec_msmpeg4"),
        "video/x-msmpeg" if number("msmpegversion") == 43 => (None, "avdec_msmpeg4"),
        "image/jpeg" => (None, "avdec_mjpeg"),
        _ => return None,
    })
}

/// Decodes the first video track; other tracks stay unlinked.
fn decode_first_video(
    pipeline: &gst::Pipeline,
    demuxer: &gst::Element,
    next: &gst::Element,
    handover: &Arc<Handover>,
) {
    let found = Arc::new(AtomicBool::new(false));
    let (pipeline, next) = (pipeline.downgrade(), next.downgrade());
    let (first, ended) = (Arc::clone(&found), Arc::clone(handover));
    demuxer.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let Some(kind) = caps.structure(0) else { return };
        let video = kind.name().starts_with("video/") || kind.name().starts_with("image/");
        let (Some(pipeline), Some(next)) = (pipeline.upgrade(), next.upgrade()) else { return };
        if !video || first.swap(true, Relaxed) {
            return;
        }
        let Some((parser, decoder)) = decoding(kind) else {
            ended.end(EndReason::Unsuitable(format!("recordings in {} cannot be played", kind.name())));
            return;
        };
        if let Err(error) = attach(&pipeline, pad, parser, decoder, &next, &ended) {
            ended.end(EndReason::Failed(error.to_string()));
        }
    });
    let handover = Arc::clone(handover);
    demuxer.connect_no_more_pads(move |_| {
        if !found.load(Relaxed) {
            handover.end(EndReason::Unsuitable("the recording has no video track".into()));
        }
    });
}

fn attach(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    parser: Option<&'static str>,
    decoder: &'static str,
    next: &gst::Element,
    handover: &Arc<Handover>,
) -> Result<(), OpenError> {
    let parser = parser.map(make).transpose()?;
    let decoder = make_decoder(decoder, handover)?;
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
    let sink = first.static_pad("sink").ok_or_else(|| OpenError::Pipeline("no way in".into()))?;
    pad.link(&sink).map_err(|error| OpenError::Pipeline(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
#[path = "clip_tests.rs"]
mod tests;
