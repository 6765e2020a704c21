//! The source pictures of the scenes: own drawings of vessels, and two photographs. All are compiled in.

use anyhow::{Context, Result, anyhow};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use image::{RgbImage, RgbaImage};

/// A river panorama: a far bank under clouds.
const RIVER: &[u8] = include_bytes!("../material/boat.jpg");
/// The harbour of Nagasaki about 1865.
const HARBOUR: &[u8] = include_bytes!("../material/nagasaki.jpg");

/// The drawing of a vessel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drawing {
    /// A small container ship.
    Coaster,
    /// A harbour tug.
    Tug,
    /// A fishing cutter.
    Cutter,
    /// A fishing vessel with tall rigging.
    Trawler,
    /// A motor launch.
    Launch,
    /// A rigid inflatable boat.
    Rib,
    /// A small sailing yacht under sail.
    Yacht,
    /// A two-masted schooner under sail.
    Schooner,
}

impl Drawing {
    const ALL: [Self; 8] = [
        Self::Coaster,
        Self::Tug,
        Self::Cutter,
        Self::Trawler,
        Self::Launch,
        Self::Rib,
        Self::Yacht,
        Self::Schooner,
    ];

    /// Its SVG file, with the bow to the right.
    fn svg(self) -> &'static [u8] {
        match self {
            Drawing::Coaster => include_bytes!("../drawings/coaster.svg"),
            Drawing::Tug => include_bytes!("../drawings/tug.svg"),
            Drawing::Cutter => include_bytes!("../drawings/cutter.svg"),
            Drawing::Trawler => include_bytes!("../drawings/trawler.svg"),
            Drawing::Launch => include_bytes!("../drawings/launch.svg"),
            Drawing::Rib => include_bytes!("../drawings/rib.svg"),
            Drawing::Yacht => include_bytes!("../drawings/yacht.svg"),
            Drawing::Schooner => include_bytes!("../drawings/schooner.svg"),
        }
    }

    /// The share of its height that is under water.
    pub fn draught(self) -> f32 {
        match self {
            Drawing::Coaster => 0.16,
            Drawing::Trawler => 0.13,
            Drawing::Tug => 0.15,
            Drawing::Cutter => 0.2,
            Drawing::Launch => 0.12,
            Drawing::Rib => 0.14,
            Drawing::Yacht => 0.05,
            Drawing::Schooner => 0.05,
        }
    }
}

/// The bytes of every source picture: when one changes, the clips are out of date.
pub(crate) fn sources() -> impl Iterator<Item = &'static [u8]> {
    Drawing::ALL.into_iter().map(Drawing::svg).chain([RIVER, HARBOUR])
}

/// The river panorama.
pub(crate) fn river() -> Result<RgbImage> {
    photograph(RIVER)
}

/// The harbour photograph.
pub(crate) fn harbour_photograph() -> Result<RgbImage> {
    photograph(HARBOUR)
}

fn photograph(jpeg: &[u8]) -> Result<RgbImage> {
    Ok(image::load_from_memory(jpeg).context("cannot read a photograph")?.to_rgb8())
}

/// The picture of a vessel at the size of its drawing, transparent around it.
pub fn picture_of(drawing: Drawing) -> Result<RgbaImage> {
    render_svg(drawing.svg()).with_context(|| format!("cannot draw {drawing:?}"))
}

/// Renders an SVG file at its own size with GStreamer's `rsvgdec`.
fn render_svg(svg: &'static [u8]) -> Result<RgbaImage> {
    gst::init()?;
    let pipeline = gst::parse::launch(
        "appsrc name=svg caps=image/svg+xml ! rsvgdec ! videoconvert ! appsink name=out sync=false caps=video/x-raw,format=RGBA",
    )
    .context("cannot draw SVG: GStreamer's rsvgdec comes with the Debian package gstreamer1.0-plugins-bad")?
    .downcast::<gst::Pipeline>()
    .map_err(|_| anyhow!("not a pipeline"))?;
    let element = |name: &str| pipeline.by_name(name).ok_or_else(|| anyhow!("no element {name}"));
    let source = element("svg")?.downcast::<gst_app::AppSrc>().map_err(|_| anyhow!("not an appsrc"))?;
    let sink = element("out")?.downcast::<gst_app::AppSink>().map_err(|_| anyhow!("not an appsink"))?;
    pipeline.set_state(gst::State::Playing)?;
    source.push_buffer(gst::Buffer::from_slice(svg))?;
    source.end_of_stream()?;
    let sample = sink.pull_sample();
    pipeline.set_state(gst::State::Null)?;
    let sample = sample.context("rsvgdec gave no picture")?;
    let caps = sample.caps().context("a picture without caps")?;
    let field = |name: &str| -> Result<u32> {
        let structure = caps.structure(0).context("caps without structure")?;
        Ok(u32::try_from(structure.get::<i32>(name)?)?)
    };
    let (width, height) = (field("width")?, field("height")?);
    let map = sample.buffer().context("a sample without buffer")?.map_readable()?;
    RgbaImage::from_raw(width, height, map.to_vec()).context("a picture of the wrong size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_drawings_are_transparent_outside_and_solid_inside() {
        let tug = picture_of(Drawing::Tug).unwrap();
        assert_eq!(tug.get_pixel(2, 2)[3], 0);
        assert_eq!(tug.get_pixel(200, 180)[3], 255);
    }
}
