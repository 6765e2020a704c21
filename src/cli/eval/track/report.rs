//! What the tracker scored, as a table and as JSON.

use std::fmt;

use serde::Serialize;

use super::mot::Frames;
use super::scores::{Scores, Tally};

/// Scores of the tracker on a set of sequences.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Of the recording.
    frames_per_second: f64,
    /// One of so many frames was looked at.
    every: u32,
    /// One for each frame that may be the first.
    phases: Vec<Phase>,
    /// Of the combined scores over the phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<Figures>,
    /// The same; of the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_deviation: Option<Figures>,
}

/// All sequences, from one first frame on.
#[derive(Debug, Serialize)]
pub(super) struct Phase {
    first_frame: u32,
    sequences: Vec<Entry>,
    /// Over all sequences, by adding up their counts; none without a truth.
    combined: Option<Scores>,
    #[serde(skip)]
    tally: Option<Tally>,
}

/// One sequence.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    tracked: Summary,
    scores: Option<Scores>,
}

/// What a run of the tracker over a sequence came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    /// Frames stepped, those without a box included.
    pub(super) looks: u32,
    /// Boxes read.
    pub(super) detections: usize,
    /// Vessels confirmed.
    pub(super) vessels: usize,
    /// Detections that were taken for a vessel.
    pub(super) rows: usize,
}

impl Summary {
    pub(super) fn new(looks: u32, detections: &Frames, tracks: &Frames) -> Self {
        // Vessels are numbered from 1 on, and each number was seen.
        let vessels = tracks.values().flatten().map(|row| row.id as usize).max().unwrap_or(0);
        let count = |frames: &Frames| frames.values().map(Vec::len).sum();
        Self { looks, detections: count(detections), vessels, rows: count(tracks) }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, detections, vessels, rows } = self;
        write!(f, "{looks} frames, {detections} detections, {rows} of them taken for {vessels} vessels")
    }
}

impl Phase {
    pub(super) fn new(first_frame: u32) -> Self {
        Self { first_frame, sequences: Vec::new(), combined: None, tally: None }
    }

    pub(super) fn add(&mut self, name: &str, tracked: Summary, tally: Option<Tally>) {
        let scores = tally.map(|tally| tally.scores());
        self.sequences.push(Entry { name: name.to_owned(), tracked, scores });
        if let Some(tally) = tally {
            *self.tally.get_or_insert_default() += &tally;
        }
        self.combined = self.tally.map(|tally| tally.scores());
    }
}

/// The scores of [`Scores`] alone, as means or deviations; switches may be broken numbers here.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    hota: f64,
    det_a: f64,
    ass_a: f64,
    mota: f64,
    idf1: f64,
    id_switches: f64,
}

impl From<&Scores> for Figures {
    fn from(s: &Scores) -> Self {
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

impl Figures {
    /// A statistic of each figure.
    fn over(all: &[Self], statistic: fn(&[f64]) -> f64) -> Self {
        let of = |figure: fn(&Self) -> f64| statistic(&all.iter().map(figure).collect::<Vec<_>>());
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

impl Report {
    pub(super) fn new(frames_per_second: f64, every: u32, phases: Vec<Phase>) -> Self {
        let combined: Vec<_> =
            phases.iter().filter_map(|phase| phase.combined.as_ref().map(Figures::from)).collect();
        let over = |statistic| (combined.len() > 1).then(|| Figures::over(&combined, statistic));
        let (mean, standard_deviation) = (over(mean), over(standard_deviation));
        Self { frames_per_second, every, phases, mean, standard_deviation }
    }

    #[cfg(test)]
    pub(super) fn tracked(&self) -> Summary {
        self.phases[0].sequences[0].tracked
    }

    #[cfg(test)]
    pub(super) fn combined(&self) -> Vec<Scores> {
        self.phases.iter().filter_map(|phase| phase.combined).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.phases.iter().all(|phase| phase.combined.is_none()) {
            for Entry { name, tracked, .. } in self.phases.iter().flat_map(|phase| &phase.sequences) {
                let gap = if name.is_empty() { "" } else { ": " };
                writeln!(f, "{name}{gap}{tracked}")?;
            }
            return Ok(());
        }
        let Self { frames_per_second, every, .. } = self;
        let looks = frames_per_second / f64::from(*every);
        writeln!(f, "{looks} looks a second; HOTA to IDF1 in percent, IDSW: switches of identity\n")?;
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
        for phase in &self.phases {
            if *every > 1 {
                writeln!(f, "frames {}, {}, ...", phase.first_frame, phase.first_frame + every)?;
            }
            for Entry { name, scores, .. } in &phase.sequences {
                if let Some(scores) = scores.filter(|_| !name.is_empty()) {
                    write_scores(f, name, &scores)?;
                }
            }
            if let Some(combined) = &phase.combined {
                write_scores(f, "combined", combined)?;
            }
        }
        for (name, figures) in [("mean", self.mean), ("standard deviation", self.standard_deviation)] {
            if let Some(figures) = figures {
                write_figures(f, name, &figures)?;
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

fn write_scores(f: &mut fmt::Formatter<'_>, name: &str, scores: &Scores) -> fmt::Result {
    write_figures(f, name, &scores.into())?;
    let Scores { true_boxes, hits, missed, false_boxes, true_ids, track_ids, .. } = scores;
    writeln!(f, "  {true_boxes:>6}  {hits:>6}  {missed:>6}  {false_boxes:>6}  {true_ids:>6}  {track_ids:>6}")
}

fn write_figures(f: &mut fmt::Formatter<'_>, name: &str, figures: &Figures) -> fmt::Result {
    let Figures { hota, det_a, ass_a, mota, idf1, id_switches } = figures;
    write!(f, "{name:<24}")?;
    for share in [hota, det_a, ass_a, mota, idf1] {
        write!(f, "  {:>6.2}", 100.0 * share)?;
    }
    let digits = if id_switches.fract() == 0.0 { 0 } else { 1 };
    write!(f, "  {id_switches:>6.digits$}")
}
