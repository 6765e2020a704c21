//! What one scene came to, in counts that add up over scenes, and the figures that follow from them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::boxes::{Size, Verdict, judge};
use super::identities::Identities;
use super::material::Scene;
use super::playback::{Cost, Playback, Rejected};
use super::signals::{Answers, SignalCounts, SignalFigures, answer, share};
use crate::cli::eval::track::mot::{Frames, Row};
use crate::cli::eval::track::scores::{Scores, Tally};
use crate::geometry::{BBox, Px};

/// Counts over one or several scenes.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) scenes: usize,
    /// Boxes of the truth that were asked for, and those found, by size.
    pub(super) by_size: BTreeMap<Size, [usize; 2]>,
    pub(super) false_boxes: usize,
    pub(super) recorded_s: f64,
    pub(super) tracks: Tally,
    pub(super) signals: SignalCounts,
    pub(super) identities: Identities,
    pub(super) rejected: Rejected,
    pub(super) cost: Cost,
}

/// What they come to; `None` where there is nothing to divide by.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) scenes: usize,
    pub(super) recorded_s: f64,
    pub(super) signals: SignalFigures,
    pub(super) detections: DetectionFigures,
    pub(super) tracks: Scores,
    pub(super) identities: Identities,
    pub(super) rejected: Rejected,
    pub(super) cost: CostFigures,
}

#[derive(Debug, Serialize)]
pub(super) struct DetectionFigures {
    pub(super) truth: usize,
    pub(super) hits: usize,
    #[serde(rename = "false")]
    pub(super) false_boxes: usize,
    pub(super) recall: Option<f64>,
    pub(super) precision: Option<f64>,
    pub(super) false_per_minute: Option<f64>,
    pub(super) by_size: Vec<SizeFigures>,
}

#[derive(Debug, Serialize)]
pub(super) struct SizeFigures {
    pub(super) size: Size,
    pub(super) truth: usize,
    pub(super) recall: Option<f64>,
}

/// Costs depend on the machine and on what else it does; nothing else in a report does.
#[derive(Debug, Serialize)]
pub(super) struct CostFigures {
    pub(super) runs_per_look: Option<f64>,
    /// Processor time of the watch's thread for each detector run: the model, and what is done before and after it.
    pub(super) cpu_ms_per_run: Option<f64>,
    /// Of the watch's thread, for each second of one camera.
    pub(super) watch_cpu_s_per_camera_s: Option<f64>,
    /// Of the whole process, decoding among it.
    pub(super) all_cpu_s_per_camera_s: Option<f64>,
}

/// A scene scored.
#[derive(Debug)]
pub(super) struct Outcome {
    /// For each look, for each detection.
    pub(super) verdicts: Vec<Vec<Verdict>>,
    pub(super) answers: Answers,
    pub(super) counts: Counts,
}

impl Outcome {
    pub(super) fn new(scene: &Scene, played: &Playback) -> Self {
        let verdicts: Vec<Vec<Verdict>> = played.moments.iter().map(|m| judge(&m.truth, &m.found)).collect();
        let answers = answer(&scene.listed, &played.raised);
        let mut counts = Counts {
            scenes: 1,
            recorded_s: played.cost.recorded_s,
            tracks: tally(played, &verdicts),
            signals: SignalCounts::new(&scene.listed, &played.raised, &answers, played.cost.recorded_s),
            identities: Identities::new(played, &verdicts),
            rejected: played.rejected,
            cost: played.cost,
            ..Counts::default()
        };
        for (moment, verdicts) in played.moments.iter().zip(&verdicts) {
            counts.false_boxes += verdicts.iter().filter(|v| **v == Verdict::False).count();
            for (n, truth) in moment.truth.iter().enumerate().filter(|(_, t)| t.is_asked_for()) {
                let [asked, hit] = counts.by_size.entry(Size::of(&truth.bbox)).or_default();
                *asked += 1;
                *hit += usize::from(verdicts.contains(&Verdict::Hit(n)));
            }
        }
        Self { verdicts, answers, counts }
    }
}

/// Identities: the vessels that were asked for, and the boxes that were taken for a vessel; looks are the frames.
fn tally(played: &Playback, verdicts: &[Vec<Verdict>]) -> Tally {
    let row = |id: i64, b: &BBox<Px>, confidence: f32| {
        let [x0, y0, x1, y1] = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
        Row { id, xywh: [x0, y0, x1 - x0, y1 - y0], confidence: confidence.into(), visibility: 1.0 }
    };
    let (mut truth, mut tracks) = (Frames::new(), Frames::new());
    for (number, (moment, verdicts)) in (1..).zip(played.moments.iter().zip(verdicts)) {
        let asked = moment.truth.iter().filter(|t| t.is_asked_for());
        truth.insert(number, asked.map(|t| row(t.vessel, &t.bbox, 1.0)).collect());
        let counted = moment.found.iter().zip(verdicts).filter(|(_, v)| **v != Verdict::Ignored);
        let followed = counted.filter_map(|(f, _)| Some(row(f.followed? as i64, &f.bbox, f.confidence)));
        tracks.insert(number, followed.collect());
    }
    Tally::new(&truth, &tracks)
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.scenes += other.scenes;
        for (size, [asked, hit]) in &other.by_size {
            let sum = self.by_size.entry(*size).or_default();
            sum[0] += asked;
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

    pub(super) fn figures(&self) -> Figures {
        let [truth, hits] = self.by_size.values().fold([0, 0], |sum, n| [sum[0] + n[0], sum[1] + n[1]]);
        let by_size = Size::ALL.map(|size| {
            let [truth, hits] = self.by_size.get(&size).copied().unwrap_or_default();
            SizeFigures { size, truth, recall: share(hits, truth) }
        });
        let per = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let cost = self.cost;
        Figures {
            scenes: self.scenes,
            recorded_s: self.recorded_s,
            signals: self.signals.figures(),
            detections: DetectionFigures {
                truth,
                hits,
                false_boxes: self.false_boxes,
                recall: share(hits, truth),
                precision: share(hits, hits + self.false_boxes),
                false_per_minute: per(self.false_boxes as f64 * 60.0, self.recorded_s),
                by_size: by_size.into(),
            },
            tracks: self.tracks.scores(),
            identities: self.identities,
            rejected: self.rejected,
            cost: CostFigures {
                runs_per_look: per(cost.runs as f64, cost.looks as f64),
                cpu_ms_per_run: per(cost.watch.as_secs_f64() * 1e3, cost.runs as f64),
                watch_cpu_s_per_camera_s: per(cost.watch.as_secs_f64(), cost.recorded_s),
                all_cpu_s_per_camera_s: per(cost.all.as_secs_f64(), cost.recorded_s),
            },
        }
    }
}
