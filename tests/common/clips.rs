//! Small clips that tests make when they need them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gstreamer as gst;
use gstreamer::prelude::*;

/// One minute of a moving test picture: 320x240, 25 frames a second, a key frame every second.
pub(crate) fn h264_clip() -> &'static Path {
    static CLIP: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    &CLIP.get_or_init(|| make_clip("h264.mp4", 1500, "320x240")).1
}

/// The same picture with another length and size, in a folder that lasts as long as its guard.
pub(crate) fn make_clip(name: &str, frames: u32, size: &str) -> (tempfile::TempDir, PathBuf) {
    encode(name, frames, size, "x264enc key-int-max=25 bitrate=300 speed-preset=ultrafast")
}

/// Encodes a moving test picture.
pub(crate) fn encode(name: &str, frames: u32, size: &str, encoder: &str) -> (tempfile::TempDir, PathBuf) {
    let (width, height) = size.split_once('x').unwrap();
    let pictures = format!(
        "videotestsrc pattern=ball num-buffers={frames} ! \
         video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! {encoder}"
    );
    write(name, &pictures)
}

/// Writes a clip from a pipeline that ends in encoded frames, in a folder that lasts as long as its guard.
pub(crate) fn write(name: &str, pictures: &str) -> (tempfile::TempDir, PathBuf) {
    gst::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let pipeline =
        gst::parse::launch(&format!("{pictures} ! mp4mux ! filesink location={}", path.display())).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = pipeline.bus().unwrap().timed_pop_filtered(
        gst::ClockTime::from_seconds(120),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(matches!(end.as_ref().map(|m| m.view()), Some(gst::MessageView::Eos(_))), "{name}: {end:?}");
    (folder, path)
}
