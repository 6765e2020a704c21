//! Encodes frames into an MP4 file as they are drawn.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::picture::Picture;

/// The codec of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264 by x264.
    H264,
    /// H.265 by x265.
    H265,
}

impl Codec {
    /// The GStreamer elements from the encoder on. One thread and no reordered frames give the same bytes every time and
    /// little work for the decoder. `quality` is the constant rate factor.
    fn chain(self, quality: u32) -> String {
        match self {
            Codec::H264 => format!(
                "x264enc speed-preset=veryfast pass=qual quantizer={quality} bframes=0 key-int-max=50 threads=1 \
                 rc-lookahead=10 ! video/x-h264,profile=high ! h264parse"
            ),
            Codec::H265 => format!(
                "x265enc speed-preset=ultrafast key-int-max=50 \
                 option-string=\"crf={quality}:bframes=0:min-keyint=50:scenecut=0:open-gop=0:pools=none:frame-threads=1:wpp=0:log-level=0\" \
                 ! h265parse"
            ),
        }
    }
}

/// Writes one MP4 file.
#[derive(Debug)]
pub struct Encoder {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    fps: [u32; 2],
    frames: u32,
}

impl Encoder {
    /// Starts a file of frames of `size` at `path`, `fps[0]` frames in `fps[1]` seconds.
    pub fn start(
        codec: Codec,
        quality: u32,
        size: (usize, usize),
        fps: [u32; 2],
        path: &Path,
    ) -> Result<Self> {
        gst::init()?;
        let caps = format!(
            "video/x-raw,format=I420,width={},height={},framerate={}/{},interlace-mode=progressive,\
             pixel-aspect-ratio=1/1,colorimetry=bt709",
            size.0, size.1, fps[0], fps[1]
        );
        let bytes = size.0 * size.1 * 3 / 2;
        let description = format!(
            "appsrc name=source format=time block=true max-bytes={} caps={caps} ! {} ! mp4mux ! filesink name=file",
            bytes * 4,
            codec.chain(quality)
        );
        let pipeline = gst::parse::launch(&description)
            .context("cannot set up the encoder: the GStreamer plugins good, bad and ugly are needed")?
            .downcast::<gst::Pipeline>()
            .map_err(|_| anyhow!("not a pipeline"))?;
        let source = pipeline
            .by_name("source")
            .and_then(|e| e.downcast::<gst_app::AppSrc>().ok())
            .context("no element source")?;
        pipeline
            .by_name("file")
            .context("no element file")?
            .set_property("location", path.to_string_lossy().as_ref());
        pipeline.set_state(gst::State::Playing).context("cannot start the encoder")?;
        Ok(Self { pipeline, source, fps, frames: 0 })
    }

    /// Adds the next frame; waits while the encoder is busy.
    pub fn push(&mut self, picture: Picture) -> Result<()> {
        let mut buffer = gst::Buffer::from_slice(picture.data);
        let [pictures, seconds] = self.fps.map(u64::from);
        let at = |n: u32| gst::ClockTime::from_nseconds(u64::from(n) * seconds * 1_000_000_000 / pictures);
        let fresh = buffer.get_mut().context("a fresh buffer has one owner")?;
        fresh.set_pts(at(self.frames));
        fresh.set_duration(at(self.frames + 1) - at(self.frames));
        self.frames += 1;
        if let Err(e) = self.source.push_buffer(buffer) {
            bail!("{}", self.reason().unwrap_or_else(|| format!("the encoder accepts no frames: {e}")));
        }
        Ok(())
    }

    /// Leaves out one frame: its time passes without a picture.
    pub fn skip(&mut self) {
        self.frames += 1;
    }

    /// Completes the file.
    pub fn finish(self) -> Result<()> {
        self.source.end_of_stream().map_err(|e| anyhow!("the encoder does not end: {e}"))?;
        let reason = self.reason();
        match reason {
            Some(reason) => bail!("{reason}"),
            None => Ok(()),
        }
    }

    /// Waits for the end of the stream. Gives the reason when the encoder failed.
    fn reason(&self) -> Option<String> {
        let bus = self.pipeline.bus()?;
        let message = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(120),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        );
        match message.as_ref().map(|m| m.view()) {
            Some(gst::MessageView::Error(e)) => Some(format!("the encoder failed: {}", e.error())),
            Some(_) => None,
            None => Some("the encoder did not end within two minutes".to_owned()),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let _stopped = self.pipeline.set_state(gst::State::Null);
    }
}
