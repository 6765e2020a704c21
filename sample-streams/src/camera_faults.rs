//! Scenes with a camera fault, one for each cause of an outage, and scenes that resemble a fault and are none.
//!
//! Each is drawn as a variant, somewhat larger than what the camera shows of it. The fault changes the picture before it is
//! encoded. Beside each clip a JSON file says which cause must be found, and from when to when.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use sha2::{Digest, Sha256};
use test_support::Rng;

use crate::encode::{Codec, Encoder};
use crate::files;
use crate::material::Drawing;
use crate::picture::Picture;
use crate::renderer::Renderer;
use crate::variants::{Theme, Variant};
use crate::vessel::Vessel;

/// Raised whenever the same scene would give other files.
const DRAWING_VERSION: u32 = 2;
/// Frames a second: four for each detection pass at one pass a second.
const FPS: u32 = 4;
/// Size of what the camera shows.
const SHOWN: (usize, usize) = (640, 360);
/// Size of what is drawn around it: left and right, above and below.
const BORDER: (usize, usize) = (32, 18);
/// Constant rate factor of the clips.
const QUALITY: u32 = 26;

/// What happens to a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The camera encodes the last picture of its sensor again and again.
    Frozen,
    /// The lens is covered; the sensor's noise remains.
    Black,
    /// The sun shines into the lens.
    Overexposed,
    /// Dense fog in front of the lens.
    LowContrast,
    /// The lens is out of focus.
    Defocused,
    /// The camera was turned by a twentieth of the picture, horizontally and vertically.
    SceneChange,
    /// One frame in ten arrives.
    LowFrameRate,
    /// No frame arrives.
    SignalLoss,
    /// A ship that is longer than the picture passes close by.
    LargeShip,
}

/// One scene.
#[derive(Debug, Clone, Copy)]
pub struct FaultScene {
    /// Its name; the names of its files have hyphens for spaces.
    pub id: &'static str,
    theme: Theme,
    fault: Option<Fault>,
    /// When the fault begins, when it ends, and the length of the clip, in seconds.
    seconds: [u32; 3],
    /// The cause that must be found, by its name in the logbook.
    cause: Option<&'static str>,
}

const fn outage(cause: &'static str, theme: Theme, fault: Fault, seconds: [u32; 3]) -> FaultScene {
    FaultScene { id: cause, theme, fault: Some(fault), seconds, cause: Some(cause) }
}

const fn harmless(id: &'static str, theme: Theme, fault: Option<Fault>, seconds: [u32; 3]) -> FaultScene {
    FaultScene { id, theme, fault, seconds, cause: None }
}

/// All scenes. Before a fault there is time to learn the usual picture, after it time to recover.
pub const SCENES: [FaultScene; 16] = [
    outage("frozen", Theme::Day, Fault::Frozen, [26, 50, 60]),
    outage("black", Theme::Dusk, Fault::Black, [26, 38, 48]),
    outage("overexposed", Theme::Glare, Fault::Overexposed, [26, 42, 54]),
    outage("low contrast", Theme::Fog, Fault::LowContrast, [26, 48, 64]),
    outage("defocused", Theme::Day, Fault::Defocused, [26, 48, 64]),
    outage("scene change", Theme::Day, Fault::SceneChange, [26, 44, 60]),
    outage("low frame rate", Theme::Day, Fault::LowFrameRate, [26, 46, 60]),
    outage("signal loss", Theme::Day, Fault::SignalLoss, [26, 36, 40]),
    FaultScene { id: "frozen-night", ..outage("frozen", Theme::Night, Fault::Frozen, [26, 50, 60]) },
    FaultScene {
        id: "scene-change-night",
        ..outage("scene change", Theme::Night, Fault::SceneChange, [26, 44, 60])
    },
    harmless("night", Theme::Night, None, [0, 0, 60]),
    harmless("calm-fog", Theme::Fog, None, [0, 0, 60]),
    harmless("rain", Theme::Rain, None, [0, 0, 50]),
    harmless("shake", Theme::Shake, None, [0, 0, 50]),
    harmless("passing-glare", Theme::Glare, Some(Fault::Overexposed), [30, 37, 50]),
    harmless("large-ship", Theme::Day, Some(Fault::LargeShip), [26, 60, 70]),
];

/// The ground truth of a scene.
#[derive(Debug, Serialize)]
struct FaultTruth {
    cause: Option<&'static str>,
    from_s: u32,
    to_s: u32,
    seconds: u32,
}

impl FaultScene {
    fn path(&self, folder: &Path, extension: &str) -> PathBuf {
        folder.join(format!("{}.{extension}", self.id.replace(' ', "-")))
    }

    fn stamp(&self) -> String {
        files::hex(&Sha256::digest(format!("{DRAWING_VERSION} {self:?}")))
    }

    /// Whether its files are in `folder` and drawn by this version.
    pub fn is_current(&self, folder: &Path) -> bool {
        ["mp4", "json"].iter().all(|extension| self.path(folder, extension).is_file())
            && std::fs::read_to_string(self.path(folder, "stamp")).is_ok_and(|stamp| stamp == self.stamp())
    }

    /// Draws its files into `folder`.
    pub fn draw(&self, folder: &Path) -> Result<()> {
        files::create_folder(folder)?;
        // Without the stamp, existing files do not count as complete.
        let _removed = std::fs::remove_file(self.path(folder, "stamp"));
        self.encode(&self.path(folder, "mp4"))?;
        let [from_s, to_s, seconds] = self.seconds;
        let truth = FaultTruth { cause: self.cause, from_s, to_s, seconds };
        files::write(&self.path(folder, "json"), &format!("{}\n", serde_json::to_string_pretty(&truth)?))?;
        files::write(&self.path(folder, "stamp"), &self.stamp())
    }

    fn encode(&self, path: &Path) -> Result<()> {
        let mut renderer = self.renderer()?;
        let mut encoder = Encoder::start(Codec::H264, QUALITY, SHOWN, [FPS, 1], path)?;
        let [from, to, seconds] = self.seconds.map(|second| second * FPS);
        let mut last = None;
        for index in 0..seconds {
            let fault = self.fault.filter(|_| (from..to).contains(&index));
            let arrives = match fault {
                Some(Fault::SignalLoss) => false,
                Some(Fault::LowFrameRate) => (index - from) % 10 == 9,
                _ => true,
            };
            if !arrives {
                encoder.skip();
                continue;
            }
            let picture = match (fault, &last) {
                (Some(Fault::Frozen), Some(last)) => Picture::clone(last),
                _ => shown(&renderer.draw(index).0, fault, index),
            };
            encoder.push(picture.clone())?;
            last = Some(picture);
        }
        encoder.finish()
    }

    fn renderer(&self) -> Result<Renderer> {
        let size = (SHOWN.0 + 2 * BORDER.0, SHOWN.1 + 2 * BORDER.1);
        let [from, to, seconds] = self.seconds;
        let variant = Variant { theme: self.theme, number: 0, seed: 7, seconds, size };
        let mut composition = variant.prepare()?.composition;
        if self.fault == Some(Fault::LargeShip) {
            // As long as two pictures and as high as three quarters of one, with its waterline near the lower edge.
            let (width, foot) = (size.0 as f32, size.1 as f32 * 0.96);
            let [horizon, reference] = composition.rows;
            let length = 2.0 * width * (reference - horizon) / (foot - horizon);
            let (begin, end) = (from as f32, to as f32);
            let waypoints = [(begin, -1.1 * width, foot), (end, 2.1 * width, foot)];
            composition.vessels.push(Vessel::sailing(99, Drawing::Coaster, length, &waypoints));
        }
        Renderer::new(composition, seconds as f32, FPS as f32)
    }
}

/// What a camera with this fault makes of a drawing.
fn shown(drawn: &Picture, fault: Option<Fault>, index: u32) -> Picture {
    let turned = fault == Some(Fault::SceneChange);
    let (left, top) = if turned { (2 * BORDER.0, 2 * BORDER.1) } else { BORDER };
    let mut picture = drawn.part(left, top, SHOWN.0, SHOWN.1);
    let mut change_luma = |change: &dyn Fn(f32) -> f32| {
        let luma = picture.planes_mut().0;
        luma.iter_mut().for_each(|pixel| *pixel = change(f32::from(*pixel)).clamp(16.0, 235.0) as u8);
    };
    match fault {
        Some(Fault::Black) => {
            let mut rng = Rng::new(u64::from(index));
            let luma = picture.planes_mut().0;
            luma.iter_mut().for_each(|pixel| *pixel = 16 + rng.below(4) as u8);
        }
        Some(Fault::Overexposed) => change_luma(&|luma| luma * 1.2 + 120.0),
        Some(Fault::LowContrast) => change_luma(&|luma| 160.0 + 0.02 * (luma - 160.0)),
        Some(Fault::Defocused) => (0..2).for_each(|_| blur(&mut picture, SHOWN.0 / 120)),
        _ => {}
    }
    picture
}

/// Replaces each pixel by the mean over `reach` pixels either way, first along rows, then along columns.
fn blur(picture: &mut Picture, reach: usize) {
    let (width, height) = (picture.width, picture.height);
    let luma = picture.planes_mut().0;
    let mean = |line: &[u8], at: usize| {
        let near = &line[at.saturating_sub(reach)..(at + reach + 1).min(line.len())];
        (near.iter().map(|&value| u32::from(value)).sum::<u32>() / near.len() as u32) as u8
    };
    for row in luma.chunks_exact_mut(width) {
        let sharp = row.to_vec();
        row.iter_mut().enumerate().for_each(|(x, pixel)| *pixel = mean(&sharp, x));
    }
    for x in 0..width {
        let column: Vec<u8> = (0..height).map(|y| luma[y * width + x]).collect();
        (0..height).for_each(|y| luma[y * width + x] = mean(&column, y));
    }
}
