//! What a set of scenes came to, as a table and as JSON.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::Strategy;
use super::causes::Failure;
use super::outcome::{Counts, Figures};

/// Scores of the watch on a set of scenes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The model that was named; `None` for the one of each scene's site file.
    pub(super) model: Option<PathBuf>,
    pub(super) look: Strategy,
    /// By what went wrong, the worst first.
    pub(super) scenes: Vec<SceneReport>,
    /// The scenes of each condition, in the order of their names; a scene counts in each of its own.
    pub(super) conditions: Vec<ConditionReport>,
    pub(super) total: Figures,
}

#[derive(Debug, Serialize)]
pub(super) struct SceneReport {
    pub(super) name: String,
    pub(super) conditions: Vec<String>,
    pub(super) figures: Figures,
    pub(super) failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConditionReport {
    pub(super) name: String,
    pub(super) figures: Figures,
}

impl Report {
    /// From the counts and failures of each scene.
    pub(super) fn new(
        model: Option<PathBuf>,
        look: Strategy,
        scored: Vec<(String, Vec<String>, Counts, Vec<Failure>)>,
    ) -> Self {
        let mut names: Vec<String> = scored.iter().flat_map(|s| s.1.clone()).collect();
        names.sort();
        names.dedup();
        let over = |which: &dyn Fn(&[String]) -> bool| {
            let mut sum = Counts::default();
            scored.iter().filter(|s| which(&s.1)).for_each(|s| sum.add(&s.2));
            sum.figures()
        };
        let conditions = names
            .into_iter()
            .map(|name| ConditionReport { figures: over(&|all| all.contains(&name)), name })
            .collect();
        let total = over(&|_| true);
        let scene = |(name, conditions, counts, failures): (String, Vec<String>, Counts, Vec<Failure>)| {
            SceneReport { name, conditions, figures: counts.figures(), failures }
        };
        let mut scenes: Vec<SceneReport> = scored.into_iter().map(scene).collect();
        scenes.sort_by(|a, b| {
            b.wrong_signals()
                .cmp(&a.wrong_signals())
                .then(a.recall().total_cmp(&b.recall()))
                .then(a.name.cmp(&b.name))
        });
        Self { model, look, scenes, conditions, total }
    }
}

impl SceneReport {
    /// Signals missed or false.
    pub(super) fn wrong_signals(&self) -> usize {
        self.figures.signals.missed + self.figures.signals.extra
    }

    fn recall(&self) -> f64 {
        self.figures.detections.recall.unwrap_or(1.0)
    }
}

/// A share in percent, or a dash.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |s| format!("{:.1}", s * 100.0))
}

/// A number with so many digits, or a dash.
pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.digits$}"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Signals: of one rule and place, opened from {:.0} s before to {:.0} s after the listed time. Detections: \
             overlap 0.5.\nSizes by the root of the box's area: tiny < 16 px, small < 32, medium < 96, large.\n",
            super::signals::EARLY_S,
            super::signals::LATE_S
        )?;
        writeln!(
            f,
            "{:<12} {:>6} | {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} | {:>6} {:>6} {:>6} | {:>5} {:>5} {:>4}",
            "condition",
            "scenes",
            "listed",
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
            row(f, &condition.name, &condition.figures)?;
        }
        row(f, "total", &self.total)?;
        writeln!(f)?;
        let sizes = self.total.detections.by_size.iter().filter(|s| s.truth > 0);
        let sizes: Vec<String> =
            sizes.map(|s| format!("{} {} % of {}", s.size.name(), percent(s.recall), s.truth)).collect();
        writeln!(f, "recall by size: {}", sizes.join(", "))?;
        let Figures { cost, identities, rejected, .. } = &self.total;
        writeln!(
            f,
            "vessels: {} of {} never followed, and {} followed that were none; of {} that came in, {} were found within 3 s\n\
             boxes not believed: {} outside the water, {} too small, {} too fast, {} unconfirmed, {} cut by a tile's border, {} malformed",
            identities.never_followed,
            identities.asked_for,
            identities.false_vessels,
            identities.newcomers.came_in,
            identities.newcomers.noticed,
            rejected.outside_water,
            rejected.too_small,
            rejected.too_fast,
            rejected.unconfirmed,
            rejected.cut,
            rejected.malformed
        )?;
        writeln!(
            f,
            "cost: {} runs a look, {} ms of processor a run, {} s of processor for a second of a camera ({} with decoding)",
            number(cost.runs_per_look, 2),
            number(cost.cpu_ms_per_run, 1),
            number(cost.watch_cpu_s_per_camera_s, 3),
            number(cost.all_cpu_s_per_camera_s, 3)
        )?;
        for scene in self.scenes.iter().filter(|s| s.wrong_signals() > 0) {
            writeln!(f, "\n{} ({})", scene.name, scene.conditions.join(", "))?;
            for failure in scene.failures.iter().filter(|x| x.what <= super::causes::What::FalseSignal) {
                writeln!(f, "  {}\n    {}", failure.what_happened, failure.likely_cause)?;
            }
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, figures: &Figures) -> fmt::Result {
    let [
        listed,
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
    ] = cells(figures);
    writeln!(
        f,
        "{name:<12} {:>6} | {listed:>6} {precision:>6} {recall:>6} {delay:>6} {p95:>6} {a_day:>7} | \
         {box_precision:>6} {box_recall:>6} {a_minute:>6} | {hota:>5} {idf1:>5} {switches:>4}",
        figures.scenes
    )
}

/// The figures of a row, in the order in which the table and the page show them.
pub(super) fn cells(figures: &Figures) -> [String; 12] {
    let (signals, boxes, tracks) = (&figures.signals, &figures.detections, &figures.tracks);
    [
        signals.listed.to_string(),
        percent(signals.precision),
        percent(signals.recall),
        number(signals.delay_median_s, 2),
        number(signals.delay_p95_s, 2),
        number(signals.false_per_camera_day, 0),
        percent(boxes.precision),
        percent(boxes.recall),
        number(boxes.false_per_minute, 2),
        number(Some(tracks.hota), 3),
        number(Some(tracks.idf1), 3),
        tracks.id_switches.to_string(),
    ]
}
