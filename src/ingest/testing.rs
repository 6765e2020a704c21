//! Frames and recordings for the tests of this module.

use std::path::PathBuf;

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;

use crate::clock::{MonoTime, Stamp};
use crate::frame::{Colorimetry, Frame, Picture, PixelFormat, Plane};
use crate::geometry::FrameSize;
use crate::ids::CameraId;

/// A 2x2 grey frame.
pub(crate) fn frame(seq: u64) -> Frame {
    let planes =
        [Plane { offset: 0, stride: 2 }, Plane { offset: 4, stride: 1 }, Plane { offset: 5, stride: 1 }];
    let colorimetry = Colorimetry { bt709: false, full_range: false };
    let size = FrameSize { width: 2, height: 2 };
    let picture =
        Picture::new(PixelFormat::I420, size, colorimetry, planes, Bytes::from_static(&[128; 6])).unwrap();
    let stamp = Stamp { mono: MonoTime::default(), wall: "2026-06-01T20:00:00Z".parse().unwrap() };
    Frame { camera: CameraId::new("test").unwrap(), seq, stamp, picture }
}

/// Encodes a moving test picture, 25 frames a second, into a folder that lives as long as its guard.
pub(crate) fn make_clip(name: &str, frames: u32, size: &str, encode: &str) -> (tempfile::TempDir, PathBuf) {
    gst::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let (width, height) = size.split_once('x').unwrap();
    let line = format!(
        "videotestsrc pattern=ball num-buffers={frames} ! \
         video/x-raw,width={width},height={height},framerate=25/1 ! {encode} ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = pipeline.bus().unwrap().timed_pop_filtered(
        gst::ClockTime::from_seconds(60),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(matches!(end.as_ref().map(|m| m.view()), Some(gst::MessageView::Eos(_))), "{name}: {end:?}");
    (folder, path)
}
