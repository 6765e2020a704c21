//! Clips that are made on the spot, small enough to cost next to nothing.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gstreamer as gst;
use gstreamer::prelude::*;

/// A minute of a moving test picture, 320x240 at 25 frames a second with a key frame every second.
pub(crate) fn h264_clip() -> &'static Path {
    static CLIP: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    &CLIP.get_or_init(|| encode("h264.mp4", "x264enc key-int-max=25 bitrate=300 speed-preset=ultrafast")).1
}

/// The same in H.265.
pub(crate) fn h265_clip() -> &'static Path {
    static CLIP: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let encoder = "x265enc key-int-max=25 bitrate=300 speed-preset=ultrafast ! h265parse";
    &CLIP.get_or_init(|| encode("h265.mp4", encoder)).1
}

fn encode(name: &str, encoder: &str) -> (tempfile::TempDir, PathBuf) {
    gst::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc pattern=ball num-buffers=1500 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! \
         {encoder} ! mp4mux ! filesink location={}",
        path.display()
    ))
    .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = pipeline.bus().unwrap().timed_pop_filtered(
        gst::ClockTime::from_seconds(120),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(matches!(end.as_ref().map(|m| m.view()), Some(gst::MessageView::Eos(_))), "{name}: {end:?}");
    (folder, path)
}
