//! Counts of one or several scenes, and the scores computed from them.

use std::collections::BTreeMap;

use serde::Serialize;
use strum::VariantArray as _;

use super::annotated_scene::AnnotatedScene;
use super::identities::Identities;
use super::playback::{Playback, PlaybackCost, RejectedBoxes};
use super::signals::{SignalCounts, SignalMatches, SignalScores, match_signals, share};
use super::vessels::{SizeClass, verdicts, xywh};
use crate::cli::eval::matching::Verdict;
use crate::cli::eval::track::mot::{MotBox, MotFrames};
use crate::cli::eval::track::scores::{TrackScores, TrackTally};
use crate::geometry::{BBox, Px};

/// Counts over one or several scenes.
#[derive(Clone, Debug, Default)]
pub(super) struct SceneCounts {
    pub(super) scenes: usize,
    /// Numbers of true boxes that had to be found, and of those found, by size.
    pub(super) by_size: BTreeMap<SizeClass, [usize; 2]>,
    pub(super) false_boxes: usize,
    pub(super) recorded_s: f64,
    pub(super) tracks: TrackTally,
    pub(super) signals: SignalCounts,
    pub(super) identities: Identities,
    pub(super) rejected: RejectedBoxes,
    pub(super) cost: PlaybackCost,
}

/// Scores of the counts; `None` when nothing can be divided.
#[derive(Debug, Serialize)]
pub(super) struct SceneScores {
    pub(super) scenes: usize,
    pub(super) recorded_s: f64,
    pub(super) signals: SignalScores,
    pub(super) detections: DetectionScores,
    pub(super) tracks: TrackScores,
    pub(super) identities: Identities,
    pub(super) rejected: RejectedBoxes,
    pub(super) cost: CostRates,
}

#[derive(Debug, Serialize)]
pub(super) struct DetectionScores {
    pub(super) truth: usize,
    pub(super) hits: usize,
    #[serde(rename = "false")]
    pub(super) false_boxes: usize,
    pub(super) recall: Option<f64>,
    pub(super) precision: Option<f64>,
    pub(super) false_per_minute: Option<f64>,
    pub(super) by_size: Vec<SizeRecall>,
}

#[derive(Debug, Serialize)]
pub(super) struct SizeRecall {
    pub(super) size: SizeClass,
    pub(super) truth: usize,
    pub(super) recall: Option<f64>,
}

/// Costs depend on the machine and its load; the rest of a report does not.
#[derive(Debug, Serialize)]
pub(super) struct CostRates {
    pub(super) inferences_per_pass: Option<f64>,
    /// Processor time of the pipeline's thread for each inference, with pre- and postprocessing.
    pub(super) cpu_ms_per_inference: Option<f64>,
    /// Processor time of the pipeline's thread for each second of one camera.
    pub(super) pipeline_cpu_s_per_camera_s: Option<f64>,
    /// The same for the whole process, with decoding.
    pub(super) process_cpu_s_per_camera_s: Option<f64>,
}

/// A scored scene.
#[derive(Debug)]
pub(super) struct ScoredScene {
    /// For each pass, a verdict for each detection.
    pub(super) verdicts: Vec<Vec<Verdict>>,
    pub(super) signals: SignalMatches,
    pub(super) counts: SceneCounts,
}

impl ScoredScene {
    pub(super) fn new(scene: &AnnotatedScene, played: &Playback) -> Self {
        let verdicts: Vec<Vec<Verdict>> =
            played.passes.iter().map(|pass| verdicts(&pass.truth, &pass.found)).collect();
        let signals = match_signals(&scene.expected, &played.raised);
        let mut counts = SceneCounts {
            scenes: 1,
            recorded_s: played.cost.recorded_s,
            tracks: tally(played, &verdicts),
            signals: SignalCounts::new(&scene.expected, &played.raised, &signals, played.cost.recorded_s),
            identities: Identities::new(played, &verdicts),
            rejected: played.rejected,
            cost: played.cost,
            ..SceneCounts::default()
        };
        for (pass, verdicts) in played.passes.iter().zip(&verdicts) {
            counts.false_boxes += verdicts.iter().filter(|v| **v == Verdict::False).count();
            for (n, truth) in pass.truth.iter().enumerate().filter(|(_, t)| t.must_be_found()) {
                let [to_find, hit] = counts.by_size.entry(SizeClass::of(&truth.bbox)).or_default();
                *to_find += 1;
                *hit += usize::from(verdicts.contains(&Verdict::Hit(n)));
            }
        }
        Self { verdicts, signals, counts }
    }
}

/// Counts for the tracking scores. Passes are the frames; truth is the vessels that must be found.
fn tally(played: &Playback, verdicts: &[Vec<Verdict>]) -> TrackTally {
    let mot_box = |id: i64, b: &BBox<Px>, confidence: f32| MotBox {
        id,
        xywh: xywh(b),
        confidence: confidence.into(),
        visibility: 1.0,
    };
    let (mut truth, mut tracks) = (MotFrames::new(), MotFrames::new());
    for (number, (pass, verdicts)) in (1..).zip(played.passes.iter().zip(verdicts)) {
        let to_find = pass.truth.iter().filter(|t| t.must_be_found());
        truth.insert(number, to_find.map(|t| mot_box(t.vessel, &t.bbox, 1.0)).collect());
        let counted = pass.found.iter().zip(verdicts).filter(|(_, v)| **v != Verdict::Ignored);
        let tracked = counted.filter_map(|(f, _)| Some(mot_box(f.number? as i64, &f.bbox, f.confidence)));
        tracks.insert(number, tracked.collect());
    }
    TrackTally::new(&truth, &tracks)
}

impl SceneCounts {
    pub(super) fn add(&mut self, other: &Self) {
        self.scenes += other.scenes;
        for (size, [to_find, hit]) in &other.by_size {
            let sum = self.by_size.entry(*size).or_default();
            sum[0] += to_find;
            sum[1] += hit;
        }
        self.false_boxes += other.false_boxes;
        self.recorded_s += other.recorded_s;
        self.tracks += &other.tracks;
        self.signals.add(&other.signals);
        self.identities.add(&other.identities);
        self.rejected.add(&other.rejected);
        self.cost.add(&other.cost);
    }

    pub(super) fn scores(&self) -> SceneScores {
        let [truth, hits] = self.by_size.values().fold([0, 0], |sum, n| [sum[0] + n[0], sum[1] + n[1]]);
        let by_size = SizeClass::VARIANTS.iter().map(|&size| {
            let [truth, hits] = self.by_size.get(&size).copied().unwrap_or_default();
            SizeRecall { size, truth, recall: share(hits, truth) }
        });
        let per = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let cost = self.cost;
        SceneScores {
            scenes: self.scenes,
            recorded_s: self.recorded_s,
            signals: self.signals.scores(),
            detections: DetectionScores {
                truth,
                hits,
                false_boxes: self.false_boxes,
                recall: share(hits, truth),
                precision: share(hits, hits + self.false_boxes),
                false_per_minute: per(self.false_boxes as f64 * 60.0, self.recorded_s),
                by_size: by_size.collect(),
            },
            tracks: self.tracks.scores(),
            identities: self.identities,
            rejected: self.rejected,
            cost: CostRates {
                inferences_per_pass: per(cost.inferences as f64, cost.passes as f64),
                cpu_ms_per_inference: per(cost.pipeline.as_secs_f64() * 1e3, cost.inferences as f64),
                pipeline_cpu_s_per_camera_s: per(cost.pipeline.as_secs_f64(), cost.recorded_s),
                process_cpu_s_per_camera_s: per(cost.process.as_secs_f64(), cost.recorded_s),
            },
        }
    }
}
