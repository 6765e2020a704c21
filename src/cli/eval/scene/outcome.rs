//! What one scene came to, in counts that add up over scenes, and the figures that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::boxes::{Size, Verdict, judge};
use super::material::Scene;
use super::playback::{Cost, Moment, Playback, Rejected};
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

/// A vessel that comes in is to be found within this time.
const NOTICED_WITHIN_S: f64 = 3.0;

/// Who was taken for a vessel, and who was not.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Identities {
    /// Followed, and never on a vessel of the truth.
    pub(super) false_vessels: usize,
    /// Vessels that were asked for in a look or more.
    pub(super) asked_for: usize,
    /// Those of them that were never followed.
    pub(super) never_followed: usize,
    /// Those that came into the picture after the first look and stayed for [`NOTICED_WITHIN_S`] at least ...
    pub(super) came_in: usize,
    /// ... and were found within that time.
    pub(super) noticed: usize,
    /// The same of those that were smaller than medium when they came in.
    pub(super) small_came_in: usize,
    /// See above.
    pub(super) small_noticed: usize,
}

impl Identities {
    fn new(played: &Playback, verdicts: &[Vec<Verdict>]) -> Self {
        let (mut followed, mut right) = (BTreeSet::new(), BTreeSet::new());
        let (mut asked, mut known) = (BTreeSet::new(), BTreeSet::new());
        for (moment, verdicts) in played.moments.iter().zip(verdicts) {
            asked.extend(moment.truth.iter().filter(|t| t.is_asked_for()).map(|t| t.vessel));
            for (found, verdict) in moment.found.iter().zip(verdicts) {
                let Some(number) = found.followed else { continue };
                followed.insert(number);
                if *verdict != Verdict::False {
                    right.insert(number);
                }
                if let Verdict::Hit(n) = verdict {
                    known.insert(moment.truth[*n].vessel);
                }
            }
        }
        let newcomers: Vec<_> =
            asked.iter().filter_map(|vessel| Newcomer::new(*vessel, played, verdicts)).collect();
        let small: Vec<_> = newcomers.iter().filter(|new| new.size < Size::Medium).collect();
        Self {
            false_vessels: followed.difference(&right).count(),
            asked_for: asked.len(),
            never_followed: asked.difference(&known).count(),
            came_in: newcomers.len(),
            noticed: newcomers.iter().filter(|new| new.noticed).count(),
            small_came_in: small.len(),
            small_noticed: small.iter().filter(|new| new.noticed).count(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.false_vessels += other.false_vessels;
        self.asked_for += other.asked_for;
        self.never_followed += other.never_followed;
        self.came_in += other.came_in;
        self.noticed += other.noticed;
        self.small_came_in += other.small_came_in;
        self.small_noticed += other.small_noticed;
    }
}

/// A vessel that came into the picture.
struct Newcomer {
    /// When it came in.
    size: Size,
    noticed: bool,
}

impl Newcomer {
    /// `None` for one that was there at the first look, or was gone before it had to be found.
    fn new(vessel: i64, played: &Playback, verdicts: &[Vec<Verdict>]) -> Option<Self> {
        let shown =
            |moment: &Moment| moment.truth.iter().position(|t| t.vessel == vessel && t.is_asked_for());
        let first = played.moments.iter().position(|moment| shown(moment).is_some()).filter(|n| *n > 0)?;
        let came_in = &played.moments[first];
        let by_s = came_in.at_s + NOTICED_WITHIN_S;
        let stayed = played.moments[first..].iter().take_while(|moment| shown(moment).is_some());
        if stayed.last()?.at_s < by_s {
            return None;
        }
        let found = |(moment, verdicts): (&Moment, &Vec<Verdict>)| {
            shown(moment).is_some_and(|n| verdicts.contains(&Verdict::Hit(n)))
        };
        let looks = played.moments[first..].iter().zip(&verdicts[first..]);
        let noticed = looks.take_while(|(moment, _)| moment.at_s <= by_s + 1e-6).any(found);
        Some(Self { size: Size::of(&came_in.truth[shown(came_in)?].bbox), noticed })
    }
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
