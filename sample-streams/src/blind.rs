//! Scenes in which a camera goes blind, each for another cause, and scenes in which it seems to and does not.
//!
//! A harbour is drawn as for a variant, a little larger than what the camera shows of it; what befalls the camera is done
//! to the picture before it is coded. Beside each clip lies what must be found in it and from when to when.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::encode::{Codec, Encoder};
use crate::material::Art;
use crate::noise::Chance;
use crate::picture::Picture;
use crate::stage::Stage;
use crate::variants::{Theme, Variant};
use crate::vessel::Vessel;

/// Raised whenever the same scene would give other files.
const EDITION: u32 = 1;
/// Pictures a second: four for each look of a camera that is looked at once a second.
const FPS: u32 = 4;
/// What the camera shows.
const SHOWN: (usize, usize) = (640, 360);
/// What is drawn round it, left and right, and above and below.
const AROUND: (usize, usize) = (32, 18);
/// Constant rate factor of the clips.
const QUALITY: u32 = 26;

/// What befalls a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The sensor's last picture is coded again and again.
    Frozen,
    /// A cap on the lens; the sensor's noise remains.
    Black,
    /// The sun into the lens.
    Glare,
    /// Fog right up to the lens.
    Fog,
    /// The lens is turned.
    OutOfFocus,
    /// The camera is turned by a twentieth of the picture, across and down.
    Moved,
    /// One picture in ten comes.
    Slow,
    /// None comes.
    Away,
    /// A ship longer than the picture passes close by.
    BigShip,
}

/// One scene.
#[derive(Debug, Clone, Copy)]
pub struct BlindScene {
    /// Its name, and that of its files.
    pub id: &'static str,
    theme: Theme,
    fault: Option<Fault>,
    /// When the fault begins and ends, and the clip ends, in seconds.
    seconds: [u32; 3],
    /// The cause that must be found, as the logbook has it.
    cause: Option<&'static str>,
}

const fn blind(id: &'static str, theme: Theme, fault: Fault, seconds: [u32; 3]) -> BlindScene {
    BlindScene { id, theme, fault: Some(fault), seconds, cause: Some(id) }
}

const fn sees(id: &'static str, theme: Theme, fault: Option<Fault>, seconds: [u32; 3]) -> BlindScene {
    BlindScene { id, theme, fault, seconds, cause: None }
}

/// All of them. Before a fault there is time to learn what is usual, and after it time to see again.
pub const SCENES: [BlindScene; 16] = [
    blind("frozen", Theme::Day, Fault::Frozen, [26, 50, 60]),
    blind("black", Theme::Dusk, Fault::Black, [26, 38, 48]),
    blind("washed out", Theme::Glare, Fault::Glare, [26, 42, 54]),
    blind("fog", Theme::Fog, Fault::Fog, [26, 48, 64]),
    blind("out of focus", Theme::Day, Fault::OutOfFocus, [26, 48, 64]),
    blind("moved", Theme::Day, Fault::Moved, [26, 44, 60]),
    blind("slow", Theme::Day, Fault::Slow, [26, 46, 60]),
    blind("away", Theme::Day, Fault::Away, [26, 36, 40]),
    BlindScene {
        cause: Some("frozen"),
        ..sees("frozen-night", Theme::Night, Some(Fault::Frozen), [26, 50, 60])
    },
    BlindScene {
        cause: Some("moved"),
        ..sees("moved-night", Theme::Night, Some(Fault::Moved), [26, 44, 60])
    },
    sees("night", Theme::Night, None, [0, 0, 60]),
    sees("calm-fog", Theme::Fog, None, [0, 0, 60]),
    sees("rain", Theme::Rain, None, [0, 0, 50]),
    sees("shake", Theme::Shake, None, [0, 0, 50]),
    sees("passing-glare", Theme::Glare, Some(Fault::Glare), [30, 37, 50]),
    sees("big-ship", Theme::Day, Some(Fault::BigShip), [26, 60, 70]),
];

/// What must be found in a scene.
#[derive(Debug, Serialize)]
struct Truth {
    cause: Option<&'static str>,
    from_s: u32,
    to_s: u32,
    seconds: u32,
}

impl BlindScene {
    fn path(&self, folder: &Path, ending: &str) -> PathBuf {
        folder.join(format!("{}.{ending}", self.id.replace(' ', "-")))
    }

    fn stamp(&self) -> String {
        let mut text = String::new();
        for byte in Sha256::digest(format!("{EDITION} {self:?}")) {
            // Writing to a String cannot fail.
            let _ok = write!(text, "{byte:02x}");
        }
        text
    }

    /// Whether its files are in `folder`, drawn by this edition.
    pub fn is_current(&self, folder: &Path) -> bool {
        ["mp4", "json"].iter().all(|ending| self.path(folder, ending).is_file())
            && std::fs::read_to_string(self.path(folder, "stamp")).is_ok_and(|have| have == self.stamp())
    }

    /// Draws its files into `folder`.
    pub fn draw(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        // Without the stamp, whatever stands here does not count as done.
        let _gone = std::fs::remove_file(self.path(folder, "stamp"));
        self.encode(&self.path(folder, "mp4"))?;
        let [from_s, to_s, seconds] = self.seconds;
        let truth = Truth { cause: self.cause, from_s, to_s, seconds };
        self.put(folder, "json", &format!("{}\n", serde_json::to_string_pretty(&truth)?))?;
        self.put(folder, "stamp", &self.stamp())
    }

    fn put(&self, folder: &Path, ending: &str, text: &str) -> Result<()> {
        let path = self.path(folder, ending);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn encode(&self, path: &Path) -> Result<()> {
        let mut stage = self.stage()?;
        let mut encoder = Encoder::start(Codec::H264, QUALITY, SHOWN, [FPS, 1], path)?;
        let [from, to, seconds] = self.seconds.map(|second| second * FPS);
        let mut last = None;
        for index in 0..seconds {
            let fault = self.fault.filter(|_| (from..to).contains(&index));
            let comes = match fault {
                Some(Fault::Away) => false,
                Some(Fault::Slow) => (index - from) % 10 == 9,
                _ => true,
            };
            if !comes {
                encoder.skip();
                continue;
            }
            let picture = match (fault, &last) {
                (Some(Fault::Frozen), Some(last)) => Picture::clone(last),
                _ => shown(&stage.draw(index).0, fault, index),
            };
            encoder.push(picture.clone())?;
            last = Some(picture);
        }
        encoder.finish()
    }

    fn stage(&self) -> Result<Stage> {
        let size = (SHOWN.0 + 2 * AROUND.0, SHOWN.1 + 2 * AROUND.1);
        let [from, to, seconds] = self.seconds;
        let variant = Variant { theme: self.theme, number: 0, seed: 7, seconds, size };
        let mut setting = variant.work_out()?.setting;
        if self.fault == Some(Fault::BigShip) {
            // As long as two pictures and as high as three quarters of one, with its waterline near the lower edge.
            let (width, foot) = (size.0 as f32, size.1 as f32 * 0.96);
            let [horizon, reference] = setting.rows;
            let length = 2.0 * width * (reference - horizon) / (foot - horizon);
            let (begin, end) = (from as f32, to as f32);
            let marks = [(begin, -1.1 * width, foot), (end, 2.1 * width, foot)];
            setting.vessels.push(Vessel::sailing(99, Art::Coaster, length, &marks));
        }
        Stage::new(setting, None, seconds as f32, FPS as f32)
    }
}

/// What the camera makes of a drawing.
fn shown(drawn: &Picture, fault: Option<Fault>, index: u32) -> Picture {
    let (left, top) = if fault == Some(Fault::Moved) { (2 * AROUND.0, 2 * AROUND.1) } else { AROUND };
    let mut picture = drawn.part(left, top, SHOWN.0, SHOWN.1);
    let mut each = |change: &dyn Fn(f32) -> f32| {
        let luma = picture.planes_mut().0;
        luma.iter_mut().for_each(|pixel| *pixel = change(f32::from(*pixel)).clamp(16.0, 235.0) as u8);
    };
    match fault {
        Some(Fault::Black) => {
            let mut chance = Chance::new(u64::from(index));
            let luma = picture.planes_mut().0;
            luma.iter_mut().for_each(|pixel| *pixel = 16 + (chance.bits() % 4) as u8);
        }
        Some(Fault::Glare) => each(&|luma| luma * 1.2 + 120.0),
        Some(Fault::Fog) => each(&|luma| 160.0 + 0.02 * (luma - 160.0)),
        Some(Fault::OutOfFocus) => (0..2).for_each(|_| blur(&mut picture, SHOWN.0 / 120)),
        _ => {}
    }
    picture
}

/// The mean over so many pixels either way, across and down.
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
