//! The report as one self-contained HTML file, with charts and with pictures of failures.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::annotated_scene::AnnotatedScene;
use super::chart;
use super::failures::{FailureKind, SceneFailure};
use super::markup::{escape, put};
use super::playback::{Excerpt, Playback, pictures};
use super::report::{SceneReport, cells, number, percent};
use super::scores::{SceneScores, ScoredScene};
use super::signals::{EARLY_S, LATE_S};
use crate::cli::eval::matching::Verdict;
use crate::geometry::{BBox, Px};

/// The most pictures of one scene, so that the page stays small.
const PICTURES_PER_SCENE: usize = 4;

/// The part of the page about one scene.
#[derive(Debug)]
pub(super) struct Section {
    name: String,
    body: String,
}

impl Section {
    /// Charts and failures of a scene. Plays the clip again for the pictures.
    pub(super) fn new(
        scene: &AnnotatedScene,
        played: &Playback,
        scored: &ScoredScene,
        failures: &[SceneFailure],
    ) -> anyhow::Result<Self> {
        let mut body = String::new();
        put!(body, "<h3>Signals</h3>{}", chart::signals(scene, played, scored));
        put!(
            body,
            "<h3>Vessels to find, vessels found and false boxes</h3>{}",
            chart::detections(played, scored)
        );
        let shown = &failures[..failures.len().min(PICTURES_PER_SCENE)];
        let wanted: Vec<_> = shown.iter().map(|f| (played.passes[f.pass].frame_seq, f.subject)).collect();
        let parts = if wanted.is_empty() { Vec::new() } else { pictures(scene, &wanted)? };
        if !failures.is_empty() {
            body += "<h3>Failures</h3>";
        }
        for (failure, part) in shown.iter().zip(&parts) {
            put!(
                body,
                "<div class=\"failure\">{}<div>{}</div></div>",
                picture(failure, part, played, scored),
                description(failure)
            );
        }
        for failure in &failures[shown.len()..] {
            put!(body, "<div>{}</div>", description(failure));
        }
        Ok(Self { name: scene.name.clone(), body })
    }
}

fn description(failure: &SceneFailure) -> String {
    let what = match failure.kind {
        FailureKind::MissedSignal => "Signal missed",
        FailureKind::FalseSignal => "False signal",
        FailureKind::MissedVessel => "Vessel missed",
        FailureKind::FalseVessel => "False vessel",
    };
    format!(
        "<p><span class=\"tag\">{what}</span> <span class=\"when\">at {:.1} s</span><br>{}</p><p><b>Likely cause:</b> {}</p>",
        failure.at_s,
        escape(&failure.what_happened),
        escape(&failure.likely_cause)
    )
}

/// The picture of a failure: true vessels yellow, correct detections blue, false detections red.
fn picture(
    failure: &SceneFailure,
    (crop, jpeg): &Excerpt,
    played: &Playback,
    scored: &ScoredScene,
) -> String {
    let (pass, verdicts) = (&played.passes[failure.pass], &scored.verdicts[failure.pass]);
    let [x, y, w, h] = [crop.x0, crop.y0, crop.width(), crop.height()];
    let mut out = format!(
        "<svg viewBox=\"{x} {y} {w} {h}\" role=\"img\"><title>{}</title>",
        escape(&failure.what_happened)
    );
    put!(
        out,
        "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" href=\"data:image/jpeg;base64,{}\"/>",
        BASE64.encode(jpeg)
    );
    let mut frame = |b: &BBox<Px>, class: &str| {
        put!(
            out,
            "<rect class=\"box {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            b.x0,
            b.y0,
            b.width(),
            b.height()
        );
    };
    pass.truth.iter().for_each(|t| frame(&t.bbox, "true"));
    for (found, verdict) in pass.found.iter().zip(verdicts) {
        frame(&found.bbox, if *verdict == Verdict::False { "wrong" } else { "seen" });
    }
    out + "</svg>"
}

/// The whole page; `sections` are those of the report's scenes, in any order.
pub(super) fn page(report: &SceneReport, sections: &[Section]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Havenwacht: scenes</title>\n<style>{}</style>\n<h1>Evaluation of annotated scenes</h1>\n",
        include_str!("page.css")
    );
    put!(
        out,
        "<p class=\"note\">{} scenes, {:.1} minutes of recording{}. An expected signal counts as raised when a signal of the same \
         rule and place opens from {:.0} s before to {:.0} s after the expected time. A vessel is found when a box overlaps its true \
         box by at least half (IoU). A vessel of which less than half is visible need not be found. HOTA and IDF1 measure how well \
         vessels keep their identity; the best value is 1. A switch is a vessel whose number changed.</p>\n",
        report.scenes.len(),
        report.total.recorded_s / 60.0,
        report
            .model
            .as_ref()
            .map_or(String::new(), |m| format!(", model {}", escape(&m.display().to_string()))),
        EARLY_S,
        LATE_S
    );
    table(&mut out, report);
    put!(
        out,
        "<h3>Vessels found, by size in the frame</h3>{}",
        chart::sizes(&report.total.detections.by_size)
    );
    out += "<p class=\"note\">Size is the square root of the box's area: tiny below 16 px, small below 32 px, medium below 96 px, \
            large from 96 px. Tiny and small vessels are only found in a region that shows them larger.</p>\n";
    index(&mut out, report);
    out += "<h2>Scene by scene</h2><p class=\"note\">Circles: expected signals (dashed red when missed). Bars: raised signals (red when \
            false). In the pictures: yellow for true vessels, blue for correct detections, red for false ones.</p>\n";
    for scene in &report.scenes {
        let name = escape(&scene.name);
        put!(
            out,
            "<h2 id=\"{name}\">{name} <span class=\"when\">{}</span></h2>",
            escape(&scene.conditions.join(", "))
        );
        if let Some(section) = sections.iter().find(|section| section.name == scene.name) {
            out += &section.body;
        }
        out.push('\n');
    }
    out
}

fn table(out: &mut String, report: &SceneReport) {
    *out += "<table><tr><th></th><th></th><th class=\"group\" colspan=\"6\">Signals</th>\
             <th class=\"group\" colspan=\"3\">Detections</th><th class=\"group\" colspan=\"3\">Tracks</th></tr>\
             <tr><th>Condition</th><th>scenes</th><th class=\"left\">expected</th><th>precision</th><th>recall</th>\
             <th>delay, median</th><th>95 %</th><th>false per day</th><th class=\"left\">precision</th><th>recall</th>\
             <th>false per minute</th><th class=\"left\">HOTA</th><th>IDF1</th><th>switches</th></tr>";
    for condition in &report.conditions {
        row(out, "", &condition.name, &condition.scores);
    }
    row(out, "total", "total", &report.total);
    *out += "</table>\n";
    let cost = &report.total.cost;
    put!(
        out,
        "<p class=\"note\">PlaybackCost on this machine: {} inferences per pass, {} ms of processor time per inference, {} s for each \
         second of a camera ({} s with decoding).</p>",
        number(cost.inferences_per_pass, 2),
        number(cost.cpu_ms_per_inference, 1),
        number(cost.pipeline_cpu_s_per_camera_s, 3),
        number(cost.process_cpu_s_per_camera_s, 3)
    );
}

fn row(out: &mut String, class: &str, name: &str, scores: &SceneScores) {
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
    let with = |text: String, unit: &str| if text == "-" { text } else { format!("{text} {unit}") };
    let share = |value: Option<f64>, text: String| {
        let class = if value.is_some_and(|v| v < 0.95) { "bad" } else { "" };
        format!("<td class=\"{class}\">{}</td>", with(text, "%"))
    };
    put!(
        out,
        "<tr class=\"{class}\"><td>{}</td><td>{}</td><td class=\"left\">{expected}</td>{}{}<td>{}</td><td>{}</td><td>{a_day}</td>\
         <td class=\"left\">{}</td><td>{}</td><td>{a_minute}</td><td class=\"left\">{hota}</td><td>{idf1}</td>\
         <td>{switches}</td></tr>",
        escape(name),
        scores.scenes,
        share(scores.signals.precision, precision),
        share(scores.signals.recall, recall),
        with(delay, "s"),
        with(p95, "s"),
        with(box_precision, "%"),
        with(box_recall, "%")
    );
}

/// The scenes, the worst first.
fn index(out: &mut String, report: &SceneReport) {
    *out += "<h2>Scenes, the worst first</h2><table><tr><th>Scene</th><th>signals missed</th><th>signals false</th><th>vessels \
             found</th><th>false boxes per minute</th><th>switches</th><th class=\"cause\">first likely cause</th></tr>";
    for scene in &report.scenes {
        let (signals, vessels) = (&scene.scores.signals, &scene.scores.detections);
        let count =
            |n: usize| if n > 0 { format!("<td class=\"bad\">{n}</td>") } else { "<td>0</td>".to_owned() };
        let cause = shortened(scene.failures.first().map_or("", |f| &f.likely_cause));
        put!(
            out,
            "<tr><td><a href=\"#{name}\">{name}</a></td>{}{}<td>{} %</td><td>{}</td><td>{}</td><td class=\"note\">{}</td></tr>",
            count(signals.missed),
            count(signals.extra),
            percent(vessels.recall),
            number(vessels.false_per_minute, 1),
            scene.scores.tracks.id_switches,
            escape(&cause),
            name = escape(&scene.name)
        );
    }
    *out += "</table>\n";
}

/// The beginning of a sentence.
fn shortened(sentence: &str) -> String {
    const LETTERS: usize = 90;
    match sentence.char_indices().nth(LETTERS) {
        None => sentence.to_owned(),
        Some((end, _)) => format!("{} …", sentence[..end].rsplit_once(' ').map_or("", |(words, _)| words)),
    }
}
