//! Plays a scene through the pipeline of the daemon, as `replay` does with a recording.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::annotated_scene::AnnotatedScene;
use super::signals::RaisedSignal;
use super::vessels::{DetectedVessel, TrueVessel};
use crate::cli::recording::Recording;
use crate::clock::{MonoTime, Stamp, processor_time};
use crate::daemon::{PipelineStats, Pipelines};
use crate::detect::{Class, OnnxDetector};
use crate::evidence;
use crate::frame::Frame;
use crate::geometry::{BBox, FrameSize, Px};
use crate::logbook::Entry;
use crate::regions::FixedPlan;
use crate::rules::Phase;
use crate::rules::ResumeState;
use crate::track::TrackState;

/// One detection pass, with the true vessels of its frame.
#[derive(Debug)]
pub(super) struct PlayedPass {
    /// Seconds from the start of the clip.
    pub(super) at_s: f64,
    pub(super) frame_seq: u64,
    pub(super) found: Vec<DetectedVessel>,
    pub(super) truth: Vec<TrueVessel>,
    /// The inspected regions.
    pub(super) regions: Vec<BBox<Px>>,
}

/// The cost of a scene.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlaybackCost {
    pub(super) passes: u64,
    pub(super) inferences: u64,
    pub(super) recorded_s: f64,
    /// Processor time of the pipeline's thread.
    pub(super) pipeline: Duration,
    /// Processor time of the whole process, with decoding.
    pub(super) process: Duration,
}

impl PlaybackCost {
    pub(super) fn add(&mut self, other: &Self) {
        self.passes += other.passes;
        self.inferences += other.inferences;
        self.recorded_s += other.recorded_s;
        self.pipeline += other.pipeline;
        self.process += other.process;
    }
}

/// Rejected boxes, by reason.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct RejectedBoxes {
    /// Not finite, without area, or beyond the limit per inference.
    pub(super) malformed: u64,
    /// Cut by a tile's border; the place is inspected again.
    pub(super) cut: u64,
    /// Above the high threshold, but the track was never confirmed.
    pub(super) unconfirmed: u64,
    /// Above the high threshold, but faster than any vessel.
    pub(super) too_fast: u64,
    /// Outside the water.
    pub(super) outside_water: u64,
    /// Smaller than any vessel, by the camera's calibration.
    pub(super) too_small: u64,
}

impl RejectedBoxes {
    fn new(stats: &PipelineStats) -> Self {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            malformed: of(&stats.rejected_boxes),
            cut: of(&stats.cut_boxes),
            unconfirmed: of(&stats.unconfirmed_boxes),
            too_fast: of(&stats.too_fast),
            outside_water: of(&stats.outside_water),
            too_small: of(&stats.too_small),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.malformed += other.malformed;
        self.cut += other.cut;
        self.unconfirmed += other.unconfirmed;
        self.too_fast += other.too_fast;
        self.outside_water += other.outside_water;
        self.too_small += other.too_small;
    }
}

/// Everything that the playback of a scene gave.
#[derive(Debug)]
pub(super) struct Playback {
    pub(super) passes: Vec<PlayedPass>,
    pub(super) raised: Vec<RaisedSignal>,
    pub(super) size: FrameSize,
    /// Width and height of the detector's input.
    pub(super) input: [f32; 2],
    pub(super) cost: PlaybackCost,
    pub(super) rejected: RejectedBoxes,
}

/// Plays the scene with the model of its site file, or with `model`. The region planner chooses the regions, unless a `fixed`
/// plan is given. `progress` gets the time of each pass.
pub(super) fn play(
    scene: &AnnotatedScene,
    model: Option<&Path>,
    fixed: Option<FixedPlan>,
    progress: &dyn Fn(f64),
) -> anyhow::Result<Playback> {
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: scene.description.start };
    let site = Arc::new(scene.site.clone());
    let manifest = model.unwrap_or(&site.model.manifest);
    let detector = OnnxDetector::load(manifest, &site.model.runtime, site.model.threads)?;
    let thresholds = detector.manifest().thresholds;
    let input = [detector.manifest().input.width as f32, detector.manifest().input.height as f32];
    let mut pipelines =
        Pipelines::new(site.clone(), Box::new(detector), thresholds, 1, &ResumeState::default());
    if let Some(fixed) = fixed {
        pipelines.use_fixed_plan(fixed);
    }
    let stats = pipelines.stats();
    let mut recording = Recording::open(&site.cameras[scene.camera], &scene.clip, start)?;

    let (mut passes, mut raised) = (Vec::new(), Vec::new());
    let mut size = FrameSize { width: 1, height: 1 };
    let mut pipeline = Duration::ZERO;
    let (_, process_before) = processor_time();
    while let Some(frame) = recording.next_due()? {
        let (before, _) = processor_time();
        let entries = pipelines.process(scene.camera, &frame)?;
        pipeline += processor_time().0.saturating_sub(before);
        size = frame.picture.size;
        note(entries, &frame, scene, thresholds.high, &mut passes, &mut raised);
        if let Some(pass) = passes.last_mut() {
            let last = pipelines.last_pass(scene.camera);
            pass.regions.clone_from(&last.regions);
            // Vessels outside the inspected regions count at their predicted places.
            let not_inspected = last.tracks.iter().filter(|t| t.state == TrackState::NotInspected);
            pass.found.extend(not_inspected.map(|track| DetectedVessel {
                bbox: track.bbox,
                confidence: thresholds.high,
                number: Some(track.vessel.0),
            }));
        }
        progress(frame.stamp.mono.since_boot().as_secs_f64());
    }
    // Up to the last pass, as in `replay`.
    let recorded_s = passes.last().map_or(0.0, |m: &PlayedPass| m.at_s);
    let cost = PlaybackCost {
        passes: stats[scene.camera].passes.load(Ordering::Relaxed),
        inferences: stats[scene.camera].inferences.load(Ordering::Relaxed),
        recorded_s,
        pipeline,
        process: processor_time().1.saturating_sub(process_before),
    };
    let rejected = RejectedBoxes::new(&stats[scene.camera]);
    Ok(Playback { passes, raised, size, input, cost, rejected })
}

/// Adds the results of a pass. Boxes below the high threshold only count when they belong to a vessel, as in the daemon.
fn note(
    entries: Vec<Entry>,
    frame: &Frame,
    scene: &AnnotatedScene,
    high_threshold: f32,
    passes: &mut Vec<PlayedPass>,
    raised: &mut Vec<RaisedSignal>,
) {
    let at_s = frame.stamp.mono.since_boot().as_secs_f64();
    for entry in entries {
        match entry {
            Entry::Pass(pass) => {
                let vessels = pass.detections.iter().filter(|(d, _)| d.class == Class::Vessel);
                let counted =
                    vessels.filter(|(d, vessel)| d.confidence >= high_threshold || vessel.is_some());
                let found = counted.map(|(d, vessel)| DetectedVessel {
                    bbox: d.bbox,
                    confidence: d.confidence,
                    number: vessel.map(|vessel| vessel.0),
                });
                let truth = truth_at(scene, at_s);
                let regions = Vec::new();
                passes.push(PlayedPass {
                    at_s,
                    frame_seq: frame.seq,
                    found: found.collect(),
                    truth,
                    regions,
                });
            }
            Entry::Signal(signal) if signal.event.phase == Phase::Opened => raised.push(RaisedSignal {
                rule: signal.event.rule.to_string(),
                place: signal.event.place.to_string(),
                opened_s: at_s,
                vessel: signal.event.vessel.map_or(0, |v| v.0),
                bbox: signal.event.bbox,
                text: signal.event.text,
            }),
            _ => {}
        }
    }
}

/// The true vessels of the frame at time `at_s`.
fn truth_at(scene: &AnnotatedScene, at_s: f64) -> Vec<TrueVessel> {
    let number = (at_s * scene.description.frames_per_second).round() as u32 + 1;
    let rows = scene.truth.get(&number).into_iter().flatten();
    rows.map(|row| {
        let [x, y, w, h] = row.xywh.map(|v| v as f32);
        TrueVessel { vessel: row.id, bbox: BBox::from_xywh(x, y, w, h), visibility: row.visibility as f32 }
    })
    .collect()
}

/// A part of a picture: its box in pixels of the frame, and its JPEG.
pub(super) type Excerpt = (BBox<Px>, Vec<u8>);

/// Pictures of a scene with the camera's privacy masks: one for each of `wanted` (frame number, subject), in their order.
pub(super) fn pictures(scene: &AnnotatedScene, wanted: &[(u64, BBox<Px>)]) -> anyhow::Result<Vec<Excerpt>> {
    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: scene.description.start };
    let camera = &scene.site.cameras[scene.camera];
    let numbers: BTreeSet<u64> = wanted.iter().map(|(number, _)| *number).collect();
    let mut recording = Recording::open(camera, &scene.clip, start)?;
    let mut parts = BTreeMap::new();
    while let Some(frame) = recording.next_due()? {
        if !numbers.contains(&frame.seq) {
            continue;
        }
        for (place, (_, subject)) in wanted.iter().enumerate().filter(|(_, (number, _))| *number == frame.seq)
        {
            parts.insert(place, evidence::plain_crop(&frame.picture, *subject, &camera.privacy_masks)?);
        }
    }
    Ok(parts.into_values().collect())
}
