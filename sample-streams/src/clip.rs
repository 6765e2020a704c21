//! An encoded clip in memory, as access units that can be sent again and again.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

/// A clip as it is sent: encoded frames in order, with parameter sets before every key frame.
#[derive(Debug)]
pub struct Clip {
    /// The GStreamer element that packs its frames into RTP.
    pub payloader: &'static str,
    /// The format of its frames.
    pub caps: gst::Caps,
    units: Vec<gst::Buffer>,
    frame: gst::ClockTime,
}

impl Clip {
    /// Reads an MP4 file of H.264 or H.265 whose frames are in display order.
    pub fn read(path: &Path) -> Result<Self> {
        let context = || format!("cannot serve {}", path.display());
        ensure!(path.is_file(), "cannot serve {}: there is no such file", path.display());
        let h264 = Self::read_as(path, "h264", "rtph264pay");
        match h264 {
            Ok(clip) => Ok(clip),
            Err(_) => Self::read_as(path, "h265", "rtph265pay").with_context(context),
        }
    }

    fn read_as(path: &Path, codec: &str, payloader: &'static str) -> Result<Self> {
        let description = format!(
            "filesrc name=file ! qtdemux ! video/x-{codec} ! {codec}parse config-interval=-1 \
             ! video/x-{codec},stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
        );
        let pipeline = gst::parse::launch(&description)?
            .downcast::<gst::Pipeline>()
            .map_err(|_| anyhow!("not a pipeline"))?;
        pipeline
            .by_name("file")
            .context("no element file")?
            .set_property("location", path.to_string_lossy().as_ref());
        let out = pipeline
            .by_name("out")
            .and_then(|e| e.downcast::<gst_app::AppSink>().ok())
            .context("no element out")?;
        pipeline.set_state(gst::State::Playing)?;
        let bus = pipeline.bus().context("a pipeline without a bus")?;
        let units = Self::units(&out, &bus);
        pipeline.set_state(gst::State::Null)?;
        let (caps, units) = units?;
        let rate = caps
            .structure(0)
            .and_then(|s| s.get::<gst::Fraction>("framerate").ok())
            .filter(|r| r.numer() > 0)
            .context("it states no frame rate")?;
        let frame = gst::ClockTime::SECOND * u64::try_from(rate.denom())? / u64::try_from(rate.numer())?;
        Ok(Self { payloader, caps, units, frame })
    }

    fn units(out: &gst_app::AppSink, bus: &gst::Bus) -> Result<(gst::Caps, Vec<gst::Buffer>)> {
        let mut caps = None;
        let mut units = Vec::new();
        loop {
            if let Some(sample) = out.try_pull_sample(gst::ClockTime::from_mseconds(200)) {
                caps = caps.or_else(|| sample.caps_owned());
                units.push(sample.buffer_owned().context("a sample without a frame")?);
            } else if out.is_eos() {
                break;
            } else if let Some(message) = bus.pop_filtered(&[gst::MessageType::Error])
                && let gst::MessageView::Error(error) = message.view()
            {
                bail!("{}", error.error());
            }
        }
        let first = units.first().context("it has no frames of this codec")?;
        if first.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            bail!("it does not start with a key frame");
        }
        Ok((caps.context("frames without caps")?, units))
    }

    /// This clip followed by `next`, which may have another size: a camera that changes its resolution.
    pub fn then(mut self, next: Self) -> Result<Self> {
        ensure!(self.payloader == next.payloader, "clips in sequence need the same codec");
        self.units.extend(next.units);
        Ok(self)
    }

    /// The number of frames in one loop.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether it has no frames. A clip that was read has some.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Encoded frame `index` of the endless loop, with its time since the loop began.
    pub fn unit(&self, index: u64) -> gst::Buffer {
        let place = (index % self.units.len() as u64) as usize;
        // The copy shares the encoded bytes and has its own timestamps.
        let mut unit = self.units[place].copy();
        if let Some(fresh) = unit.get_mut() {
            let at = self.frame * index;
            fresh.set_pts(at);
            fresh.set_dts(at);
            fresh.set_duration(self.frame);
            if place == 0 {
                fresh.set_flags(gst::BufferFlags::MARKER);
            }
        }
        unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;
    use crate::scenes::{SMALL, Scene};

    #[test]
    fn a_loop_has_steady_times_and_starts_with_a_key_frame() {
        let folder = tempfile::tempdir().unwrap();
        for (scene, payloader) in SMALL.iter().zip(["rtph264pay", "rtph265pay"]) {
            let short = Scene { seconds: 1, ..*scene };
            Output { scene: &short, folder: folder.path() }.draw(&|_| {}).unwrap();
            let clip = Clip::read(&folder.path().join(format!("{}.mp4", scene.id))).unwrap();
            assert_eq!((clip.payloader, clip.len()), (payloader, 25));
            for index in 0..=75 {
                let unit = clip.unit(index);
                assert_eq!(unit.pts(), Some(gst::ClockTime::from_mseconds(40 * index)));
                let key = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
                assert_eq!(key, index % 25 == 0, "frame {index}");
            }
        }
    }

    #[test]
    fn the_error_for_a_bad_file_names_it() {
        gst::init().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.mp4");
        std::fs::write(&path, "Dear harbour master").unwrap();
        assert!(format!("{:#}", Clip::read(&path).unwrap_err()).contains("letter.mp4"));
        assert!(
            format!("{:#}", Clip::read(&folder.path().join("none.mp4")).unwrap_err())
                .contains("no such file")
        );
    }
}
