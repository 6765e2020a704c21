//! A simulated camera and detector for tests of the planner. The detector finds a boat that lies in a crop and has enough pixels
//! in the input. It finds a part of a boat that a border cuts, and it gives a low confidence to boats that are slightly too
//! small.

use std::time::Duration;

use proptest::prelude::*;

use super::{PassContext, PassResult, PlannerConfig, PriorityArea, RegionPlanner, TrackedVessel};
use crate::clock::MonoTime;
use crate::geometry::{BBox, FrameSize, Px};

pub(super) const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
pub(super) const INPUT_PX: f32 = 416.0;
/// Pixels in the input that the detector needs to find a boat.
pub(super) const FOUND_FROM_PX: f32 = 20.0;
/// Pixels in the input that it needs to find a boat with a low confidence.
pub(super) const LOW_CONFIDENCE_FROM_PX: f32 = 10.0;

pub(super) fn config(detect_fps: f32) -> PlannerConfig {
    PlannerConfig {
        water: None,
        regions: Vec::new(),
        whole_frame: true,
        detect_fps,
        input_px: INPUT_PX as u32,
        calibration: None,
    }
}

/// A boat that appears at `from_s`. Position, length and speed in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct MovingBoat {
    pub(super) from_s: f32,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) long: f32,
    pub(super) speed: [f32; 2],
}

impl MovingBoat {
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

/// The box that the detector finds of a boat in a crop, and whether it is the whole boat.
pub(super) fn found(b: &BBox<Px>, crop: &BBox<Px>) -> Option<(BBox<Px>, bool)> {
    let part = b.intersection(crop)?;
    let whole = part.area() > 0.999 * b.area();
    (shown_px(&part, crop) >= FOUND_FROM_PX && part.area() > 0.3 * b.area()).then_some((part, whole))
}

pub(super) fn shown_px(part: &BBox<Px>, crop: &BBox<Px>) -> f32 {
    INPUT_PX * (part.width() / crop.width()).max(part.height() / crop.height())
}

/// Whether the detector finds a boat in a crop with a low confidence.
pub(super) fn found_with_low_confidence(b: &BBox<Px>, crop: &BBox<Px>) -> bool {
    b.intersection(crop) == Some(*b) && shown_px(b, crop) >= LOW_CONFIDENCE_FROM_PX
}

pub(super) struct PlannerSimulation {
    pub(super) planner: RegionPlanner,
    pub(super) frame: FrameSize,
    pub(super) period_s: f32,
    pub(super) boats: Vec<MovingBoat>,
    pub(super) moving_cells: Vec<bool>,
    pub(super) pass: u32,
    /// When each boat was found as a whole, in seconds.
    pub(super) hits: Vec<Vec<f32>>,
    /// Inferences of each pass.
    pub(super) inferences: Vec<usize>,
    pub(super) crops: Vec<BBox<Px>>,
}

impl PlannerSimulation {
    pub(super) fn new(config: PlannerConfig, frame: FrameSize, boats: Vec<MovingBoat>) -> Self {
        let period_s = 1.0 / config.detect_fps;
        let hits = vec![Vec::new(); boats.len()];
        let planner = RegionPlanner::new(config);
        Self {
            planner,
            frame,
            period_s,
            boats,
            moving_cells: Vec::new(),
            pass: 0,
            hits,
            inferences: Vec::new(),
            crops: Vec::new(),
        }
    }

    pub(super) fn now_s(&self) -> f32 {
        self.pass as f32 * self.period_s
    }

    pub(super) fn now(&self) -> MonoTime {
        MonoTime::from_boot(Duration::from_secs_f32(100.0 + self.now_s()))
    }

    /// Makes a pass that fails; returns its crops.
    pub(super) fn fail(&mut self) -> Vec<BBox<Px>> {
        let (at, frame, moving_cells) = (self.now(), self.frame, &self.moving_cells);
        let context = PassContext { at, frame, moving_cells, priority_areas: &[] };
        let crops = self.planner.plan(&context);
        self.planner.pass_failed();
        self.inferences.push(crops.len());
        self.pass += 1;
        crops
    }

    pub(super) fn step(&mut self, priority_areas: &[PriorityArea<'_>]) {
        let (t, at) = (self.now_s(), self.now());
        let (frame, moving_cells) = (self.frame, &self.moving_cells);
        self.crops = self.planner.plan(&PassContext { at, frame, moving_cells, priority_areas });
        self.inferences.push(self.crops.len());
        let (mut vessels, mut unassigned, mut cuts, mut low_confidence) =
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
            // As in the tracker: a vessel from the third hit on, lost after five seconds.
            let hits = &self.hits[id];
            match hits.last() {
                Some(last) if hits.len() >= 3 && t - last <= 5.0 => {
                    let guess = if whole { Some(b) } else { boat.at(*last, self.frame) };
                    // As in the tracker: stationary after five seconds at one place.
                    let moves = boat.speed != [0.0; 2] || t - boat.from_s < 5.0;
                    let velocity = moves.then_some(boat.speed);
                    let vessel = |bbox| TrackedVessel { id: id as u64, bbox, detected: whole, velocity };
                    vessels.extend(guess.map(vessel));
                }
                Some(_) if whole => unassigned.push(b),
                _ if seen.is_empty() && self.crops.iter().any(|crop| found_with_low_confidence(&b, crop)) => {
                    low_confidence.push(b)
                }
                _ => {}
            }
        }
        self.planner.record(&PassResult {
            vessels: &vessels,
            unassigned: &unassigned,
            cut: &cuts,
            low_confidence: &low_confidence,
        });
        self.pass += 1;
    }

    pub(super) fn run(&mut self, seconds: f32) {
        let end = self.now_s() + seconds;
        while self.now_s() < end {
            self.step(&[]);
        }
    }

    /// Asserts that no series of passes had more than `per_pass` inferences for each pass, plus four.
    pub(super) fn assert_within_budget(&self, per_pass: usize) {
        for from in 0..self.inferences.len() {
            let mut spent = 0;
            for (n, inferences) in self.inferences[from..].iter().enumerate() {
                spent += inferences;
                assert!(spent <= per_pass * (n + 1) + 4, "{spent} inferences in {} passes", n + 1);
            }
        }
    }

    pub(super) fn longest_gap(&self, boat: usize) -> f32 {
        let hits = &self.hits[boat];
        hits.windows(2).map(|pair| pair[1] - pair[0]).fold(self.now_s() - hits.last().unwrap(), f32::max)
    }

    pub(super) fn inferences_per_pass(&self) -> f32 {
        self.inferences.iter().sum::<usize>() as f32 / self.inferences.len() as f32
    }
}

pub(super) fn boats(most: usize) -> impl Strategy<Value = Vec<MovingBoat>> {
    let boat = (0.0..1700.0f32, 0.0..950.0f32, 32.0..400.0f32, -60.0..60.0f32, -8.0..8.0f32);
    prop::collection::vec(boat, 0..=most).prop_map(|boats| {
        let boat = |(x, y, long, vx, vy)| MovingBoat { from_s: 0.0, x, y, long, speed: [vx, vy] };
        boats.into_iter().map(boat).collect()
    })
}
