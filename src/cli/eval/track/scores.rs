//! Tracking scores: HOTA, CLEAR and identity.
//!
//! HOTA (Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", 2021) gives detection and identity
//! equal weight, at overlaps from 0.05 to 0.95. CLEAR (Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking
//! Performance", 2008) counts errors at an overlap of 0.5. The identity score (Ristani et al., "Performance Measures and a
//! Data Set for Multi-Target, Multi-Camera Tracking", 2016) measures how much of each identity one track covers. Details that
//! the papers do not define are as in TrackEval, so that scores can be compared with published ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use serde::Serialize;

use super::mot::{MotBox, MotFrames};
use crate::track::assign;

/// Number of overlaps at which HOTA is computed: 0.05 to 0.95.
const OVERLAPS: usize = 19;
/// Overlap at which CLEAR and the identity score count a box as found.
const MIN_OVERLAP: f64 = 0.5;
/// Extra weight in CLEAR for a pair that continues the previous frame's pair.
const CONTINUATION: f64 = 1000.0;

/// Counts over one or several sequences. The counts of sequences add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::cli::eval) struct TrackTally {
    true_boxes: u64,
    track_boxes: u64,
    true_ids: u64,
    track_ids: u64,
    /// Found boxes, by overlap ...
    hota_hits: [u64; OVERLAPS],
    /// ... and the sum of the agreement between their true identity and their track.
    agreement: [f64; OVERLAPS],
    clear_hits: u64,
    switches: u64,
    identity_hits: u64,
}

/// Scores from 0 to 1 (MOTA may be negative), and counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::cli::eval) struct TrackScores {
    /// Geometric mean of the next two; mean over all overlaps.
    pub(in crate::cli::eval) hota: f64,
    /// Detection accuracy.
    pub(in crate::cli::eval) det_a: f64,
    /// Association accuracy.
    pub(in crate::cli::eval) ass_a: f64,
    /// 1 minus the share of misses, false boxes and switches.
    pub(in crate::cli::eval) mota: f64,
    /// Share of boxes with the correct identity.
    pub(in crate::cli::eval) idf1: f64,
    /// How often a true identity changed to another track.
    pub(in crate::cli::eval) id_switches: u64,
    /// True boxes.
    pub(in crate::cli::eval) true_boxes: u64,
    /// True boxes found, at an overlap of 0.5.
    pub(in crate::cli::eval) hits: u64,
    /// True boxes not found.
    pub(in crate::cli::eval) missed: u64,
    /// Boxes of tracks on nothing.
    #[serde(rename = "false")]
    pub(in crate::cli::eval) false_boxes: u64,
    /// True identities.
    pub(in crate::cli::eval) true_ids: u64,
    /// Tracks.
    pub(in crate::cli::eval) track_ids: u64,
}

/// One frame: the identities in it, counted from 0, and the overlap of each true box with each track's box.
struct FrameOverlaps {
    truth: Vec<usize>,
    tracks: Vec<usize>,
    overlap: Vec<Vec<f64>>,
}

impl TrackTally {
    /// Compares the tracks of a sequence with its truth.
    pub(in crate::cli::eval) fn new(truth: &MotFrames, tracks: &MotFrames) -> Self {
        let (true_indices, track_indices) = (indices(truth), indices(tracks));
        let none = Vec::new();
        let numbers: BTreeSet<u32> = truth.keys().chain(tracks.keys()).copied().collect();
        let frames: Vec<_> = numbers
            .iter()
            .map(|frame| {
                let (drawn, found) = (truth.get(frame).unwrap_or(&none), tracks.get(frame).unwrap_or(&none));
                FrameOverlaps {
                    truth: drawn.iter().map(|row| true_indices[&row.id]).collect(),
                    tracks: found.iter().map(|row| track_indices[&row.id]).collect(),
                    overlap: drawn.iter().map(|d| found.iter().map(|f| iou(d, f)).collect()).collect(),
                }
            })
            .collect();
        let occurrences = |of: fn(&FrameOverlaps) -> &[usize], ids: usize| {
            let mut counts = vec![0.0; ids];
            frames.iter().flat_map(of).for_each(|&id| counts[id] += 1.0);
            counts
        };
        let lengths = IdentityLengths {
            truth: occurrences(|m| &m.truth, true_indices.len()),
            tracks: occurrences(|m| &m.tracks, track_indices.len()),
        };
        let mut tally = Self {
            true_boxes: truth.values().map(|boxes| boxes.len() as u64).sum(),
            track_boxes: tracks.values().map(|boxes| boxes.len() as u64).sum(),
            true_ids: true_indices.len() as u64,
            track_ids: track_indices.len() as u64,
            ..Self::default()
        };
        tally.hota(&frames, &lengths);
        tally.clear(&frames, &lengths);
        tally.identity(&frames, &lengths);
        tally
    }

    fn hota(&mut self, frames: &[FrameOverlaps], lengths: &IdentityLengths) {
        // When several boxes overlap, the agreement of two identities over the whole sequence decides which are paired.
        let mut together = lengths.pairs();
        for frame in frames {
            for (t, row) in frame.overlap.iter().enumerate() {
                for (k, &overlap) in row.iter().enumerate() {
                    let column: f64 = frame.overlap.iter().map(|row| row[k]).sum();
                    let joint = row.iter().sum::<f64>() + column - overlap;
                    if joint > f64::EPSILON {
                        together[frame.truth[t]][frame.tracks[k]] += overlap / joint;
                    }
                }
            }
        }
        let mut hits = vec![lengths.pairs(); OVERLAPS];
        for FrameOverlaps { truth, tracks, overlap } in frames {
            let fit = |t: usize, k: usize| {
                let both = together[truth[t]][tracks[k]];
                overlap[t][k] * both / (lengths.truth[truth[t]] + lengths.tracks[tracks[k]] - both)
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
                    self.agreement[step] += both * both / (lengths.truth[t] + lengths.tracks[k] - both);
                }
            }
        }
    }

    fn clear(&mut self, frames: &[FrameOverlaps], lengths: &IdentityLengths) {
        // For each true identity: its last track, and its track in the previous frame.
        let mut last = vec![None; lengths.truth.len()];
        let mut before = last.clone();
        for FrameOverlaps { truth, tracks, overlap } in frames.iter().filter(|m| !m.is_one_sided()) {
            let fit = |t: usize, k: usize| {
                let continuation = if before[truth[t]] == Some(tracks[k]) { CONTINUATION } else { 0.0 };
                (overlap[t][k] >= MIN_OVERLAP - f64::EPSILON).then(|| continuation + overlap[t][k])
            };
            let pairs = assign(truth.len(), tracks.len(), fit);
            before.fill(None);
            for (t, k) in pairs {
                let previous = last[truth[t]].replace(tracks[k]);
                self.switches += u64::from(previous.is_some_and(|track| track != tracks[k]));
                self.clear_hits += 1;
                before[truth[t]] = Some(tracks[k]);
            }
        }
    }

    fn identity(&mut self, frames: &[FrameOverlaps], lengths: &IdentityLengths) {
        let mut together = lengths.pairs();
        for frame in frames {
            for (t, row) in frame.overlap.iter().enumerate() {
                for (k, _) in row.iter().enumerate().filter(|(_, overlap)| **overlap >= MIN_OVERLAP) {
                    together[frame.truth[t]][frame.tracks[k]] += 1.0;
                }
            }
        }
        let pairs = assign(lengths.truth.len(), lengths.tracks.len(), |t, k| Some(together[t][k]));
        self.identity_hits = pairs.into_iter().map(|(t, k)| together[t][k] as u64).sum();
    }

    /// The scores.
    pub(in crate::cli::eval) fn scores(&self) -> TrackScores {
        let mean = |of: &dyn Fn(usize) -> f64| (0..OVERLAPS).map(of).sum::<f64>() / OVERLAPS as f64;
        let boxes = self.true_boxes + self.track_boxes;
        let det_a = |step: usize| share(self.hota_hits[step] as f64, boxes - self.hota_hits[step]);
        let ass_a = |step: usize| share(self.agreement[step], self.hota_hits[step]);
        let (missed, false_boxes) = (self.true_boxes - self.clear_hits, self.track_boxes - self.clear_hits);
        let errors = (false_boxes + self.switches) as f64;
        TrackScores {
            hota: mean(&|step| (det_a(step) * ass_a(step)).sqrt()),
            det_a: mean(&det_a),
            ass_a: mean(&ass_a),
            mota: share(self.clear_hits as f64 - errors, self.true_boxes),
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

impl AddAssign<&Self> for TrackTally {
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

/// The number of frames in which each identity has a box.
struct IdentityLengths {
    truth: Vec<f64>,
    tracks: Vec<f64>,
}

impl IdentityLengths {
    /// A zero for each pair of a true identity and a track.
    fn pairs(&self) -> Vec<Vec<f64>> {
        vec![vec![0.0; self.tracks.len()]; self.truth.len()]
    }
}

impl FrameOverlaps {
    fn is_one_sided(&self) -> bool {
        self.truth.is_empty() || self.tracks.is_empty()
    }
}

/// The index of every id that occurs, from 0.
fn indices(frames: &MotFrames) -> BTreeMap<i64, usize> {
    let mut indices: BTreeMap<_, _> = frames.values().flatten().map(|row| (row.id, 0)).collect();
    indices.values_mut().enumerate().for_each(|(index, value)| *value = index);
    indices
}

fn iou(a: &MotBox, b: &MotBox) -> f64 {
    let [ax, ay, aw, ah] = a.xywh;
    let [bx, by, bw, bh] = b.xywh;
    let along = |a0: f64, a1: f64, b0: f64, b1: f64| (a1.min(b1) - a0.max(b0)).max(0.0);
    let shared = along(ax, ax + aw, bx, bx + bw) * along(ay, ay + ah, by, by + bh);
    let area = |x: f64, y: f64, w: f64, h: f64| (x + w - x) * (y + h - y);
    shared / (area(ax, ay, aw, ah) + area(bx, by, bw, bh) - shared)
}

/// A share; 0 when the whole is 0.
fn share(part: f64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part / of as f64 }
}
