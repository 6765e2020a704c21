//! How well tracks agree with the truth: HOTA, CLEAR and identity scores.
//!
//! HOTA (Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", 2021) weighs finding boxes and
//! keeping identities alike, at overlaps from 0.05 to 0.95; CLEAR (Bernardin and Stiefelhagen, "Evaluating Multiple Object
//! Tracking Performance", 2008) counts mistakes at an overlap of 0.5; the identity score (Ristani et al., "Performance Measures
//! and a Data Set for Multi-Target, Multi-Camera Tracking", 2016) asks how much of each identity one track holds. Details that
//! the papers leave open are as in TrackEval, so that figures can be compared with published ones.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use super::mot::{Frames, Row};
use crate::track::assign;

/// Overlaps at which HOTA is taken: 0.05 to 0.95.
const OVERLAPS: usize = 19;
/// Overlap from which CLEAR and identity scores take a box for found.
const FOUND: f64 = 0.5;
/// How much more it weighs in CLEAR to go on with the track of the frame before than to overlap well.
const GOING_ON: f64 = 1000.0;

/// Counts over one or several sequences, from which the scores follow: sequences are combined by adding their counts up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::cli::eval) struct Tally {
    true_boxes: u64,
    track_boxes: u64,
    true_ids: u64,
    track_ids: u64,
    /// Found boxes by overlap ...
    hota_hits: [u64; OVERLAPS],
    /// ... and the sum, over them, of how well their true and their track's identity agree.
    agreement: [f64; OVERLAPS],
    clear_hits: u64,
    switches: u64,
    identity_hits: u64,
}

/// Scores from 0 to 1 (MOTA may be negative), and counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::cli::eval) struct Scores {
    /// Geometric mean of the next two, mean over all overlaps.
    pub(in crate::cli::eval) hota: f64,
    /// Detection accuracy.
    pub(in crate::cli::eval) det_a: f64,
    /// Association accuracy.
    pub(in crate::cli::eval) ass_a: f64,
    /// 1 less the share of misses, false boxes and switches.
    pub(in crate::cli::eval) mota: f64,
    /// Share of boxes under the right identity.
    pub(in crate::cli::eval) idf1: f64,
    /// How often a true identity went over to another track.
    pub(in crate::cli::eval) id_switches: u64,
    /// Boxes of the truth.
    pub(in crate::cli::eval) true_boxes: u64,
    /// Those found, at an overlap of 0.5 ...
    pub(in crate::cli::eval) hits: u64,
    /// ... and not found.
    pub(in crate::cli::eval) missed: u64,
    /// Boxes of tracks where nothing is.
    #[serde(rename = "false")]
    pub(in crate::cli::eval) false_boxes: u64,
    /// Identities of the truth.
    pub(in crate::cli::eval) true_ids: u64,
    /// Tracks.
    pub(in crate::cli::eval) track_ids: u64,
}

/// One frame: which identities are there, counted from 0, and how much each true box overlaps each track's.
struct Moment {
    truth: Vec<usize>,
    tracks: Vec<usize>,
    overlap: Vec<Vec<f64>>,
}

impl Tally {
    /// Compares the tracks of a sequence with its truth.
    pub(in crate::cli::eval) fn new(truth: &Frames, tracks: &Frames) -> Self {
        let (true_names, track_names) = (names(truth), names(tracks));
        let none = Vec::new();
        let frames: Vec<_> = truth.keys().chain(tracks.keys().filter(|f| !truth.contains_key(f))).collect();
        let mut frames: Vec<u32> = frames.into_iter().copied().collect();
        frames.sort_unstable();
        let moments: Vec<_> = frames
            .iter()
            .map(|frame| {
                let (drawn, found) = (truth.get(frame).unwrap_or(&none), tracks.get(frame).unwrap_or(&none));
                Moment {
                    truth: drawn.iter().map(|row| true_names[&row.id]).collect(),
                    tracks: found.iter().map(|row| track_names[&row.id]).collect(),
                    overlap: drawn.iter().map(|d| found.iter().map(|f| iou(d, f)).collect()).collect(),
                }
            })
            .collect();
        let sightings = |of: fn(&Moment) -> &[usize], names: usize| {
            let mut counts = vec![0.0; names];
            moments.iter().flat_map(of).for_each(|&id| counts[id] += 1.0);
            counts
        };
        let lives = Lives {
            truth: sightings(|m| &m.truth, true_names.len()),
            tracks: sightings(|m| &m.tracks, track_names.len()),
        };
        let mut tally = Self {
            true_boxes: truth.values().map(|boxes| boxes.len() as u64).sum(),
            track_boxes: tracks.values().map(|boxes| boxes.len() as u64).sum(),
            true_ids: true_names.len() as u64,
            track_ids: track_names.len() as u64,
            ..Self::default()
        };
        tally.hota(&moments, &lives);
        tally.clear(&moments, &lives);
        tally.identity(&moments, &lives);
        tally
    }

    fn hota(&mut self, moments: &[Moment], lives: &Lives) {
        // How well two identities fit over the whole sequence decides which boxes are paired where several overlap.
        let mut together = lives.pairs();
        for moment in moments {
            for (t, row) in moment.overlap.iter().enumerate() {
                for (k, &overlap) in row.iter().enumerate() {
                    let column: f64 = moment.overlap.iter().map(|row| row[k]).sum();
                    let joint = row.iter().sum::<f64>() + column - overlap;
                    if joint > f64::EPSILON {
                        together[moment.truth[t]][moment.tracks[k]] += overlap / joint;
                    }
                }
            }
        }
        let mut hits = vec![lives.pairs(); OVERLAPS];
        for Moment { truth, tracks, overlap } in moments {
            let fit = |t: usize, k: usize| {
                let both = together[truth[t]][tracks[k]];
                overlap[t][k] * both / (lives.truth[truth[t]] + lives.tracks[tracks[k]] - both)
            };
            for (t, k) in assign(truth.len(), tracks.len(), |t, k| Some(fit(t, k))) {
                for (step, hits) in hits.iter_mut().enumerate() {
                    if overlap[t][k] >= 0.05 + 0.05 * step as f64 - f64::EPSILON {
                        hits[truth[t]][tracks[k]] += 1.0;
                    }
                }
            }
        }
        for (step, hits) in hits.iter().enumerate() {
            for (t, row) in hits.iter().enumerate() {
                for (k, &both) in row.iter().enumerate().filter(|(_, both)| **both > 0.0) {
                    self.hota_hits[step] += both as u64;
                    self.agreement[step] += both * both / (lives.truth[t] + lives.tracks[k] - both);
                }
            }
        }
    }

    fn clear(&mut self, moments: &[Moment], lives: &Lives) {
        // The track that each true identity was last found in, and in the frame before.
        let mut last = vec![None; lives.truth.len()];
        let mut before = last.clone();
        for Moment { truth, tracks, overlap } in moments.iter().filter(|m| !m.is_one_sided()) {
            let fit = |t: usize, k: usize| {
                let going_on = if before[truth[t]] == Some(tracks[k]) { GOING_ON } else { 0.0 };
                (overlap[t][k] >= FOUND - f64::EPSILON).then(|| going_on + overlap[t][k])
            };
            let pairs = assign(truth.len(), tracks.len(), fit);
            before.fill(None);
            for (t, k) in pairs {
                let was = last[truth[t]].replace(tracks[k]);
                self.switches += u64::from(was.is_some_and(|track| track != tracks[k]));
                self.clear_hits += 1;
                before[truth[t]] = Some(tracks[k]);
            }
        }
    }

    fn identity(&mut self, moments: &[Moment], lives: &Lives) {
        let mut together = lives.pairs();
        for moment in moments {
            for (t, row) in moment.overlap.iter().enumerate() {
                for (k, _) in row.iter().enumerate().filter(|(_, overlap)| **overlap >= FOUND) {
                    together[moment.truth[t]][moment.tracks[k]] += 1.0;
                }
            }
        }
        let pairs = assign(lives.truth.len(), lives.tracks.len(), |t, k| Some(together[t][k]));
        self.identity_hits = pairs.into_iter().map(|(t, k)| together[t][k] as u64).sum();
    }

    /// What the counts come to.
    pub(in crate::cli::eval) fn scores(&self) -> Scores {
        let mean = |of: &dyn Fn(usize) -> f64| (0..OVERLAPS).map(of).sum::<f64>() / OVERLAPS as f64;
        let boxes = self.true_boxes + self.track_boxes;
        let det_a = |step: usize| share(self.hota_hits[step] as f64, boxes - self.hota_hits[step]);
        let ass_a = |step: usize| share(self.agreement[step], self.hota_hits[step]);
        let (missed, false_boxes) = (self.true_boxes - self.clear_hits, self.track_boxes - self.clear_hits);
        let mistakes = (false_boxes + self.switches) as f64;
        Scores {
            hota: mean(&|step| (det_a(step) * ass_a(step)).sqrt()),
            det_a: mean(&det_a),
            ass_a: mean(&ass_a),
            mota: share(self.clear_hits as f64 - mistakes, self.true_boxes),
            idf1: share(2.0 * self.identity_hits as f64, boxes),
            id_switches: self.switches,
            true_boxes: self.true_boxes,
            hits: self.clear_hits,
            missed,
            false_boxes,
            true_ids: self.true_ids,
            track_ids: self.track_ids,
        }
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.true_boxes += other.true_boxes;
        self.track_boxes += other.track_boxes;
        self.true_ids += other.true_ids;
        self.track_ids += other.track_ids;
        for step in 0..OVERLAPS {
            self.hota_hits[step] += other.hota_hits[step];
            self.agreement[step] += other.agreement[step];
        }
        self.clear_hits += other.clear_hits;
        self.switches += other.switches;
        self.identity_hits += other.identity_hits;
    }
}

/// In how many frames each identity has a box.
struct Lives {
    truth: Vec<f64>,
    tracks: Vec<f64>,
}

impl Lives {
    /// A number for each true identity and track.
    fn pairs(&self) -> Vec<Vec<f64>> {
        vec![vec![0.0; self.tracks.len()]; self.truth.len()]
    }
}

impl Moment {
    fn is_one_sided(&self) -> bool {
        self.truth.is_empty() || self.tracks.is_empty()
    }
}

/// Every id that occurs, counted from 0.
fn names(frames: &Frames) -> BTreeMap<i64, usize> {
    let mut names: BTreeMap<_, _> = frames.values().flatten().map(|row| (row.id, 0)).collect();
    names.values_mut().enumerate().for_each(|(index, name)| *name = index);
    names
}

fn iou(a: &Row, b: &Row) -> f64 {
    let [ax, ay, aw, ah] = a.xywh;
    let [bx, by, bw, bh] = b.xywh;
    let along = |a0: f64, a1: f64, b0: f64, b1: f64| (a1.min(b1) - a0.max(b0)).max(0.0);
    let shared = along(ax, ax + aw, bx, bx + bw) * along(ay, ay + ah, by, by + bh);
    let area = |x: f64, y: f64, w: f64, h: f64| (x + w - x) * (y + h - y);
    shared / (area(ax, ay, aw, ah) + area(bx, by, bw, bh) - shared)
}

/// Nothing of nothing is 0.
fn share(part: f64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part / of as f64 }
}
