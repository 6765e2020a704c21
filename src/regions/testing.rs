//! A simulated harbour: its detector finds what lies wholly in a crop with enough pixels in the input, of what a border cuts it
//! finds the part, and of what is a little too small it is not sure.

use std::time::Duration;

use proptest::prelude::*;

use super::{Attention, Care, Outcome, Scene, Scope, Vessel};
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Px};

pub(super) const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
pub(super) const INPUT_PX: f32 = 416.0;
/// What the simulated detector needs.
pub(super) const SEEN_FROM_PX: f32 = 20.0;
/// What it needs to suspect something.
pub(super) const FAINT_FROM_PX: f32 = 10.0;

pub(super) fn scope(detect_fps: f32) -> Scope {
    Scope {
        water: None,
        regions: Vec::new(),
        whole_frame: true,
        detect_fps,
        input_px: INPUT_PX as u32,
        calibration: None,
    }
}

/// Where it is at a time, in pixels; it comes in at `from_s`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boat {
    pub(super) from_s: f32,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) long: f32,
    pub(super) speed: [f32; 2],
}

impl Boat {
    pub(super) fn still(x: f32, y: f32, long: f32) -> Self {
        Self { from_s: 0.0, x, y, long, speed: [0.0, 0.0] }
    }

    pub(super) fn at(&self, t: f32, frame: FrameSize) -> Option<BBox<Px>> {
        let t = t - self.from_s;
        let (x, y) = (self.x + self.speed[0] * t, self.y + self.speed[1] * t);
        let picture = frame.bounds();
        let b = BBox::from_xywh(x, y, self.long, self.long * 0.4).intersection(&picture)?;
        (t >= 0.0).then_some(b)
    }
}

/// What the detector makes of a boat in a crop: nothing, the whole, or a part.
pub(super) fn found(b: &BBox<Px>, crop: &BBox<Px>) -> Option<(BBox<Px>, bool)> {
    let part = b.intersection(crop)?;
    let whole = part.area() > 0.999 * b.area();
    (shown_px(&part, crop) >= SEEN_FROM_PX && part.area() > 0.3 * b.area()).then_some((part, whole))
}

pub(super) fn shown_px(part: &BBox<Px>, crop: &BBox<Px>) -> f32 {
    INPUT_PX * (part.width() / crop.width()).max(part.height() / crop.height())
}

/// Whether the detector suspects a boat in a crop in which it does not find it.
pub(super) fn suspected(b: &BBox<Px>, crop: &BBox<Px>) -> bool {
    b.intersection(crop) == Some(*b) && shown_px(b, crop) >= FAINT_FROM_PX
}

pub(super) struct Harbour {
    pub(super) attention: Attention,
    pub(super) frame: FrameSize,
    pub(super) period_s: f32,
    pub(super) boats: Vec<Boat>,
    pub(super) stirred: Vec<bool>,
    pub(super) look: u32,
    /// Times each boat was found whole.
    pub(super) hits: Vec<Vec<f32>>,
    /// Runs of each look.
    pub(super) runs: Vec<usize>,
    pub(super) crops: Vec<BBox<Px>>,
}

impl Harbour {
    pub(super) fn new(scope: Scope, frame: FrameSize, boats: Vec<Boat>) -> Self {
        let period_s = 1.0 / scope.detect_fps;
        let hits = vec![Vec::new(); boats.len()];
        let attention = Attention::new(scope);
        Self {
            attention,
            frame,
            period_s,
            boats,
            stirred: Vec::new(),
            look: 0,
            hits,
            runs: Vec::new(),
            crops: Vec::new(),
        }
    }

    pub(super) fn now_s(&self) -> f32 {
        self.look as f32 * self.period_s
    }

    pub(super) fn now(&self) -> MonoTime {
        MonoTime::from_boot(Duration::from_secs_f32(100.0 + self.now_s()))
    }

    /// A look that the detector fails: the crops it was to be given.
    pub(super) fn fail(&mut self) -> Vec<BBox<Px>> {
        let scene = Scene { at: self.now(), frame: self.frame, stirred: &self.stirred, cares: &[] };
        let crops = self.attention.choose(&scene);
        self.attention.look_failed();
        self.runs.push(crops.len());
        self.look += 1;
        crops
    }

    pub(super) fn step(&mut self, cares: &[Care<'_>]) {
        let (t, at) = (self.now_s(), self.now());
        let scene = Scene { at, frame: self.frame, stirred: &self.stirred, cares };
        self.crops = self.attention.choose(&scene);
        self.runs.push(self.crops.len());
        let (mut vessels, mut sightings, mut cuts, mut faint) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, boat) in self.boats.iter().enumerate() {
            let Some(b) = boat.at(t, self.frame) else { continue };
            let seen: Vec<_> = self.crops.iter().filter_map(|crop| found(&b, crop)).collect();
            let whole = seen.iter().any(|(_, whole)| *whole);
            if whole {
                self.hits[id].push(t);
            } else if let Some((part, _)) = seen.first() {
                cuts.push(*part);
            }
            // A vessel from its third hit on, as the tracker has it; lost after five seconds.
            let hits = &self.hits[id];
            match hits.last() {
                Some(last) if hits.len() >= 3 && t - last <= 5.0 => {
                    let guess = if whole { Some(b) } else { boat.at(*last, self.frame) };
                    // As the tracker has it, too: it stands still when it has for five seconds.
                    let moves = boat.speed != [0.0; 2] || t - boat.from_s < 5.0;
                    let velocity = moves.then_some(boat.speed);
                    vessels.extend(guess.map(|bbox| Vessel { id: id as u64, bbox, seen: whole, velocity }));
                }
                Some(_) if whole => sightings.push(b),
                _ if seen.is_empty() && self.crops.iter().any(|crop| suspected(&b, crop)) => faint.push(b),
                _ => {}
            }
        }
        self.attention.learn(&Outcome {
            vessels: &vessels,
            sightings: &sightings,
            cut: &cuts,
            faint: &faint,
        });
        self.look += 1;
    }

    pub(super) fn run(&mut self, seconds: f32) {
        let end = self.now_s() + seconds;
        while self.now_s() < end {
            self.step(&[]);
        }
    }

    /// No stretch of looks had more runs than two for each, and four.
    pub(super) fn assert_within_budget(&self, per_look: usize) {
        for from in 0..self.runs.len() {
            let mut spent = 0;
            for (n, runs) in self.runs[from..].iter().enumerate() {
                spent += runs;
                assert!(spent <= per_look * (n + 1) + 4, "{spent} runs in {} looks", n + 1);
            }
        }
    }

    pub(super) fn longest_gap(&self, boat: usize) -> f32 {
        let hits = &self.hits[boat];
        hits.windows(2).map(|pair| pair[1] - pair[0]).fold(self.now_s() - hits.last().unwrap(), f32::max)
    }

    pub(super) fn runs_per_look(&self) -> f32 {
        self.runs.iter().sum::<usize>() as f32 / self.runs.len() as f32
    }
}

pub(super) fn boats(most: usize) -> impl Strategy<Value = Vec<Boat>> {
    let boat = (0.0..1700.0f32, 0.0..950.0f32, 32.0..400.0f32, -60.0..60.0f32, -8.0..8.0f32);
    prop::collection::vec(boat, 0..=most).prop_map(|boats| {
        let boat = |(x, y, long, vx, vy)| Boat { from_s: 0.0, x, y, long, speed: [vx, vy] };
        boats.into_iter().map(boat).collect()
    })
}
