//! The report on a set of scenes, as a table and as JSON.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::failures::{FailureKind, SceneFailure};
use super::scores::{SceneCounts, SceneScores};
use super::signals::{EARLY_S, LATE_S};
use super::strategy::RegionStrategy;

/// Scores on a set of scenes.
#[derive(Debug, Serialize)]
pub struct SceneReport {
    /// The given model; `None` for the one of each scene's site file.
    pub(super) model: Option<PathBuf>,
    pub(super) regions: RegionStrategy,
    /// The worst first.
    pub(super) scenes: Vec<SceneEntry>,
    /// Scores by condition, by name; a scene counts in each of its conditions.
    pub(super) conditions: Vec<ConditionEntry>,
    pub(super) total: SceneScores,
}

#[derive(Debug, Serialize)]
pub(super) struct SceneEntry {
    pub(super) name: String,
    pub(super) conditions: Vec<String>,
    pub(super) scores: SceneScores,
    pub(super) failures: Vec<SceneFailure>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConditionEntry {
    pub(super) name: String,
    pub(super) scores: SceneScores,
}

impl SceneReport {
    /// A report of the counts and failures of each scene.
    pub(super) fn new(
        model: Option<PathBuf>,
        regions: RegionStrategy,
        scored: Vec<(String, Vec<String>, SceneCounts, Vec<SceneFailure>)>,
    ) -> Self {
        let mut names: Vec<String> = scored.iter().flat_map(|s| s.1.clone()).collect();
        names.sort();
        names.dedup();
        let over = |which: &dyn Fn(&[String]) -> bool| {
            let mut sum = SceneCounts::default();
            scored.iter().filter(|s| which(&s.1)).for_each(|s| sum.add(&s.2));
            sum.scores()
        };
        let conditions = names
            .into_iter()
            .map(|name| ConditionEntry { scores: over(&|all| all.contains(&name)), name })
            .collect();
        let total = over(&|_| true);
        let scene =
            |(name, conditions, counts, failures): (String, Vec<String>, SceneCounts, Vec<SceneFailure>)| {
                SceneEntry { name, conditions, scores: counts.scores(), failures }
            };
        let mut scenes: Vec<SceneEntry> = scored.into_iter().map(scene).collect();
        scenes.sort_by(|a, b| {
            b.wrong_signals()
                .cmp(&a.wrong_signals())
                .then(a.recall().total_cmp(&b.recall()))
                .then(a.name.cmp(&b.name))
        });
        Self { model, regions, scenes, conditions, total }
    }
}

impl SceneEntry {
    /// Number of missed and false signals.
    pub(super) fn wrong_signals(&self) -> usize {
        self.scores.signals.missed + self.scores.signals.extra
    }

    fn recall(&self) -> f64 {
        self.scores.detections.recall.unwrap_or(1.0)
    }
}

/// A share in percent, or a dash.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |s| format!("{:.1}", s * 100.0))
}

/// A number with the given digits, or a dash.
pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.digits$}"))
}

impl fmt::Display for SceneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Signals: same rule and place, from {:.0} s before to {:.0} s after the expected time. Detections: IoU 0.5.\n\
             Sizes by the square root of the box's area: tiny < 16 px, small < 32 px, medium < 96 px, large.\n",
            EARLY_S, LATE_S
        )?;
        writeln!(
            f,
            "{:<12} {:>6} | {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} | {:>6} {:>6} {:>6} | {:>5} {:>5} {:>4}",
            "condition",
            "scenes",
            "expect",
            "prec%",
            "rec%",
            "delay",
            "p95 s",
            "f/day",
            "prec%",
            "rec%",
            "f/min",
            "HOTA",
            "IDF1",
            "IDsw"
        )?;
        for condition in &self.conditions {
            row(f, &condition.name, &condition.scores)?;
        }
        row(f, "total", &self.total)?;
        writeln!(f)?;
        write_totals(f, &self.total)?;
        for scene in self.scenes.iter().filter(|s| s.wrong_signals() > 0) {
            writeln!(f, "\n{} ({})", scene.name, scene.conditions.join(", "))?;
            for failure in scene.failures.iter().filter(|x| x.kind <= FailureKind::FalseSignal) {
                writeln!(f, "  {}\n    {}", failure.what_happened, failure.likely_cause)?;
            }
        }
        Ok(())
    }
}

/// The lines below the table: sizes, vessels, rejected boxes and cost.
fn write_totals(f: &mut fmt::Formatter<'_>, total: &SceneScores) -> fmt::Result {
    let sizes = total.detections.by_size.iter().filter(|s| s.truth > 0);
    let sizes: Vec<String> =
        sizes.map(|s| format!("{} {} % of {}", s.size.as_str(), percent(s.recall), s.truth)).collect();
    writeln!(f, "recall by size: {}", sizes.join(", "))?;
    let SceneScores { cost, identities, rejected, .. } = total;
    writeln!(
        f,
        "vessels: {} of {} never tracked, {} tracked falsely; {} appeared, {} of them found within 3 s\n\
         rejected boxes: {} outside the water, {} too small, {} too fast, {} unconfirmed, {} cut by a border, {} malformed",
        identities.never_tracked,
        identities.to_find,
        identities.false_vessels,
        identities.newcomers.appeared,
        identities.newcomers.found_in_time,
        rejected.outside_water,
        rejected.too_small,
        rejected.too_fast,
        rejected.unconfirmed,
        rejected.cut,
        rejected.malformed
    )?;
    writeln!(
        f,
        "cost: {} inferences per pass, {} ms CPU per inference, {} s CPU per second of a camera ({} s with decoding)",
        number(cost.inferences_per_pass, 2),
        number(cost.cpu_ms_per_inference, 1),
        number(cost.pipeline_cpu_s_per_camera_s, 3),
        number(cost.process_cpu_s_per_camera_s, 3)
    )
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, scores: &SceneScores) -> fmt::Result {
    let [
        expected,
        precision,
        recall,
        delay,
        p95,
        a_day,
        box_precision,
        box_recall,
        a_minute,
        hota,
        idf1,
        switches,
    ] = cells(scores);
    writeln!(
        f,
        "{name:<12} {:>6} | {expected:>6} {precision:>6} {recall:>6} {delay:>6} {p95:>6} {a_day:>7} | \
         {box_precision:>6} {box_recall:>6} {a_minute:>6} | {hota:>5} {idf1:>5} {switches:>4}",
        scores.scenes
    )
}

/// The cells of a row, in the order of the table and of the page.
pub(super) fn cells(scores: &SceneScores) -> [String; 12] {
    let (signals, vessels, tracks) = (&scores.signals, &scores.detections, &scores.tracks);
    [
        signals.expected.to_string(),
        percent(signals.precision),
        percent(signals.recall),
        number(signals.delay_median_s, 2),
        number(signals.delay_p95_s, 2),
        number(signals.false_per_camera_day, 0),
        percent(vessels.precision),
        percent(vessels.recall),
        number(vessels.false_per_minute, 2),
        number(Some(tracks.hota), 3),
        number(Some(tracks.idf1), 3),
        tracks.id_switches.to_string(),
    ]
}
