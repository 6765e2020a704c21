//! Scores of the tracker, as a table and as JSON.

use std::fmt;

use serde::Serialize;

use super::mot::MotFrames;
use super::scores::{TrackScores, TrackTally};

/// Scores of the tracker on a set of sequences.
#[derive(Debug, Serialize)]
pub struct TrackReport {
    /// Frame rate of the recording.
    frames_per_second: f64,
    /// One in this many frames was used.
    every: u32,
    /// Results for each first frame.
    offsets: Vec<FrameOffset>,
    /// Mean of the combined scores over the offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<ScoreStatistics>,
    /// Standard deviation of the sample of combined scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_deviation: Option<ScoreStatistics>,
}

/// All sequences, from one first frame on.
#[derive(Debug, Serialize)]
pub(super) struct FrameOffset {
    first_frame: u32,
    sequences: Vec<SequenceEntry>,
    /// Scores of the summed counts of all sequences; `None` without annotations.
    combined: Option<TrackScores>,
    #[serde(skip)]
    tally: Option<TrackTally>,
}

/// One sequence.
#[derive(Debug, Serialize)]
struct SequenceEntry {
    name: String,
    tracked: TrackingSummary,
    scores: Option<TrackScores>,
}

/// Results of the tracker on a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TrackingSummary {
    /// Number of frames, with those without a box.
    pub(super) frames: u32,
    /// Number of detections.
    pub(super) detections: usize,
    /// Number of confirmed vessels.
    pub(super) vessels: usize,
    /// Number of detections assigned to a vessel.
    pub(super) rows: usize,
}

impl TrackingSummary {
    pub(super) fn new(frames: u32, detections: &MotFrames, tracks: &MotFrames) -> Self {
        // Vessels are numbered from 1, and each has a detection.
        let vessels = tracks.values().flatten().map(|row| row.id as usize).max().unwrap_or(0);
        let count = |frames: &MotFrames| frames.values().map(Vec::len).sum();
        Self { frames, detections: count(detections), vessels, rows: count(tracks) }
    }
}

impl fmt::Display for TrackingSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, detections, vessels, rows } = self;
        write!(f, "{frames} frames, {detections} detections, {rows} of them assigned to {vessels} vessels")
    }
}

impl FrameOffset {
    pub(super) fn new(first_frame: u32) -> Self {
        Self { first_frame, sequences: Vec::new(), combined: None, tally: None }
    }

    pub(super) fn add(&mut self, name: &str, tracked: TrackingSummary, tally: Option<TrackTally>) {
        let scores = tally.map(|tally| tally.scores());
        self.sequences.push(SequenceEntry { name: name.to_owned(), tracked, scores });
        if let Some(tally) = tally {
            *self.tally.get_or_insert_default() += &tally;
        }
        self.combined = self.tally.map(|tally| tally.scores());
    }
}

/// Means or deviations of [`TrackScores`]; switches may be fractions.
#[derive(Clone, Copy, Debug, Serialize)]
struct ScoreStatistics {
    hota: f64,
    det_a: f64,
    ass_a: f64,
    mota: f64,
    idf1: f64,
    id_switches: f64,
}

impl From<&TrackScores> for ScoreStatistics {
    fn from(s: &TrackScores) -> Self {
        Self {
            hota: s.hota,
            det_a: s.det_a,
            ass_a: s.ass_a,
            mota: s.mota,
            idf1: s.idf1,
            id_switches: s.id_switches as f64,
        }
    }
}

impl ScoreStatistics {
    /// A statistic of each score.
    fn over(all: &[Self], statistic: fn(&[f64]) -> f64) -> Self {
        let of = |score: fn(&Self) -> f64| statistic(&all.iter().map(score).collect::<Vec<_>>());
        Self {
            hota: of(|f| f.hota),
            det_a: of(|f| f.det_a),
            ass_a: of(|f| f.ass_a),
            mota: of(|f| f.mota),
            idf1: of(|f| f.idf1),
            id_switches: of(|f| f.id_switches),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn standard_deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

impl TrackReport {
    pub(super) fn new(frames_per_second: f64, every: u32, offsets: Vec<FrameOffset>) -> Self {
        let combined: Vec<_> =
            offsets.iter().filter_map(|offset| offset.combined.as_ref().map(ScoreStatistics::from)).collect();
        let over = |statistic| (combined.len() > 1).then(|| ScoreStatistics::over(&combined, statistic));
        let (mean, standard_deviation) = (over(mean), over(standard_deviation));
        Self { frames_per_second, every, offsets, mean, standard_deviation }
    }

    #[cfg(test)]
    pub(super) fn tracked(&self) -> TrackingSummary {
        self.offsets[0].sequences[0].tracked
    }

    #[cfg(test)]
    pub(super) fn combined(&self) -> Vec<TrackScores> {
        self.offsets.iter().filter_map(|offset| offset.combined).collect()
    }
}

impl fmt::Display for TrackReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.offsets.iter().all(|offset| offset.combined.is_none()) {
            for SequenceEntry { name, tracked, .. } in
                self.offsets.iter().flat_map(|offset| &offset.sequences)
            {
                let gap = if name.is_empty() { "" } else { ": " };
                writeln!(f, "{name}{gap}{tracked}")?;
            }
            return Ok(());
        }
        let Self { frames_per_second, every, .. } = self;
        let rate = frames_per_second / f64::from(*every);
        writeln!(f, "{rate} passes per second; HOTA to IDF1 in percent; IDSW: identity switches\n")?;
        writeln!(
            f,
            "{:<24}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}",
            "sequence",
            "HOTA",
            "DetA",
            "AssA",
            "MOTA",
            "IDF1",
            "IDSW",
            "truth",
            "hits",
            "missed",
            "false",
            "ids",
            "tracks"
        )?;
        for offset in &self.offsets {
            if *every > 1 {
                writeln!(f, "frames {}, {}, ...", offset.first_frame, offset.first_frame + every)?;
            }
            for SequenceEntry { name, scores, .. } in &offset.sequences {
                if let Some(scores) = scores.filter(|_| !name.is_empty()) {
                    write_scores(f, name, &scores)?;
                }
            }
            if let Some(combined) = &offset.combined {
                write_scores(f, "combined", combined)?;
            }
        }
        for (name, statistics) in [("mean", self.mean), ("standard deviation", self.standard_deviation)] {
            if let Some(statistics) = statistics {
                write_figures(f, name, &statistics)?;
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

fn write_scores(f: &mut fmt::Formatter<'_>, name: &str, scores: &TrackScores) -> fmt::Result {
    write_figures(f, name, &scores.into())?;
    let TrackScores { true_boxes, hits, missed, false_boxes, true_ids, track_ids, .. } = scores;
    writeln!(f, "  {true_boxes:>6}  {hits:>6}  {missed:>6}  {false_boxes:>6}  {true_ids:>6}  {track_ids:>6}")
}

fn write_figures(f: &mut fmt::Formatter<'_>, name: &str, statistics: &ScoreStatistics) -> fmt::Result {
    let ScoreStatistics { hota, det_a, ass_a, mota, idf1, id_switches } = statistics;
    write!(f, "{name:<24}")?;
    for share in [hota, det_a, ass_a, mota, idf1] {
        write!(f, "  {:>6.2}", 100.0 * share)?;
    }
    let digits = if id_switches.fract() == 0.0 { 0 } else { 1 };
    write!(f, "  {id_switches:>6.digits$}")
}
