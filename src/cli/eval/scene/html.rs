//! The report as one HTML file that needs nothing else: curves, and pictures of what went wrong.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::boxes::Verdict;
use super::causes::{Failure, What};
use super::chart;
use super::material::Scene;
use super::outcome::{Figures, Outcome};
use super::playback::{Part, Playback, pictures};
use super::report::{Report, cells, number, percent};
use crate::geometry::{BBox, Px};

/// Pictures of one scene at most: a page that nobody can open helps nobody.
const PICTURES_PER_SCENE: usize = 4;

/// Writing to a String cannot fail.
macro_rules! put {
    ($out:expr, $($text:tt)*) => { let _ok = write!($out, $($text)*); };
}

/// The part of the page about one scene.
#[derive(Debug)]
pub(super) struct Section {
    name: String,
    body: String,
}

/// `raw` as text of a page.
pub(super) fn text(raw: &str) -> String {
    raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Section {
    /// Charts and failures of a scene; plays it again for the pictures.
    pub(super) fn new(
        scene: &Scene,
        played: &Playback,
        outcome: &Outcome,
        failures: &[Failure],
    ) -> anyhow::Result<Self> {
        let mut body = String::new();
        put!(body, "<h3>Signals</h3>{}", chart::signals(scene, played, outcome));
        put!(
            body,
            "<h3>Vessels to be found, found, and false boxes</h3>{}",
            chart::detections(played, outcome)
        );
        let shown = &failures[..failures.len().min(PICTURES_PER_SCENE)];
        let wanted: Vec<_> = shown.iter().map(|f| (played.moments[f.moment].frame_seq, f.subject)).collect();
        let parts = if wanted.is_empty() { Vec::new() } else { pictures(scene, &wanted)? };
        if !failures.is_empty() {
            body += "<h3>What went wrong</h3>";
        }
        for (failure, part) in shown.iter().zip(&parts) {
            put!(
                body,
                "<div class=\"failure\">{}<div>{}</div></div>",
                picture(failure, part, played, outcome),
                words(failure)
            );
        }
        for failure in &failures[shown.len()..] {
            put!(body, "<div>{}</div>", words(failure));
        }
        Ok(Self { name: scene.name.clone(), body })
    }
}

fn words(failure: &Failure) -> String {
    let what = match failure.what {
        What::MissedSignal => "Signal missed",
        What::FalseSignal => "False signal",
        What::MissedVessel => "Vessel missed",
        What::FalseVessel => "False vessel",
    };
    format!(
        "<p><span class=\"tag\">{what}</span> <span class=\"when\">at {:.1} s</span><br>{}</p><p><b>Likely cause:</b> {}</p>",
        failure.at_s,
        text(&failure.what_happened),
        text(&failure.likely_cause)
    )
}

/// The picture of a failure with what is there (yellow), what was found (blue) and what is false (red).
fn picture(failure: &Failure, (crop, jpeg): &Part, played: &Playback, outcome: &Outcome) -> String {
    let (moment, verdicts) = (&played.moments[failure.moment], &outcome.verdicts[failure.moment]);
    let [x, y, w, h] = [crop.x0, crop.y0, crop.width(), crop.height()];
    let mut out = format!(
        "<svg viewBox=\"{x} {y} {w} {h}\" role=\"img\"><title>{}</title>",
        text(&failure.what_happened)
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
    moment.truth.iter().for_each(|t| frame(&t.bbox, "true"));
    for (found, verdict) in moment.found.iter().zip(verdicts) {
        frame(&found.bbox, if *verdict == Verdict::False { "wrong" } else { "seen" });
    }
    out + "</svg>"
}

/// The whole page; `sections` are those of the report's scenes, in any order.
pub(super) fn page(report: &Report, sections: &[Section]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Havenwacht: scenes</title>\n<style>{}</style>\n<h1>How well the watch does</h1>\n",
        include_str!("page.css")
    );
    put!(
        out,
        "<p class=\"note\">{} scenes, {:.1} minutes of recording{}. A signal counts when one of its rule and place opens from \
         {:.0} s before to {:.0} s after the time at which it must. A vessel is found when a box overlaps its own by half; of a \
         vessel that shows by less than half nothing is asked. HOTA and IDF1 say how well vessels keep their identity, 1 at best; a \
         switch is a vessel that became another.</p>\n",
        report.scenes.len(),
        report.total.recorded_s / 60.0,
        report
            .model
            .as_ref()
            .map_or(String::new(), |m| format!(", model {}", text(&m.display().to_string()))),
        super::signals::EARLY_S,
        super::signals::LATE_S
    );
    table(&mut out, report);
    put!(
        out,
        "<h3>Vessels found, by size in the frame</h3>{}",
        chart::sizes(&report.total.detections.by_size)
    );
    out += "<p class=\"note\">Size is the square root of the box's area: tiny below 16 px, small below 32, medium below 96, \
            large from there on. Tiny and small ones are found when a region of the camera shows them larger.</p>\n";
    index(&mut out, report);
    out += "<h2>Scene by scene</h2><p class=\"note\">Circles are when a signal must open (dashed red: it did not), bars are when \
            one opened (red: it must not). In the pictures yellow is where a vessel is, blue a detection that is right, red one \
            that is false.</p>\n";
    for scene in &report.scenes {
        let name = text(&scene.name);
        put!(
            out,
            "<h2 id=\"{name}\">{name} <span class=\"when\">{}</span></h2>",
            text(&scene.conditions.join(", "))
        );
        if let Some(section) = sections.iter().find(|section| section.name == scene.name) {
            out += &section.body;
        }
        out.push('\n');
    }
    out
}

fn table(out: &mut String, report: &Report) {
    *out += "<table><tr><th></th><th></th><th class=\"group\" colspan=\"6\">Signals</th>\
             <th class=\"group\" colspan=\"3\">Detections</th><th class=\"group\" colspan=\"3\">Tracks</th></tr>\
             <tr><th>Condition</th><th>scenes</th><th class=\"left\">listed</th><th>precision</th><th>recall</th>\
             <th>delay, median</th><th>95 %</th><th>false a day</th><th class=\"left\">precision</th><th>recall</th>\
             <th>false a minute</th><th class=\"left\">HOTA</th><th>IDF1</th><th>switches</th></tr>";
    for condition in &report.conditions {
        row(out, "", &condition.name, &condition.figures);
    }
    row(out, "total", "total", &report.total);
    *out += "</table>\n";
    let cost = &report.total.cost;
    put!(
        out,
        "<p class=\"note\">Cost on this machine: {} detector runs a look, {} ms of processor time a run, {} s for each second of \
         a camera ({} s with decoding).</p>",
        number(cost.runs_per_look, 2),
        number(cost.cpu_ms_per_run, 1),
        number(cost.watch_cpu_s_per_camera_s, 3),
        number(cost.all_cpu_s_per_camera_s, 3)
    );
}

fn row(out: &mut String, class: &str, name: &str, figures: &Figures) {
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
    let with = |told: String, unit: &str| if told == "-" { told } else { format!("{told} {unit}") };
    let share = |value: Option<f64>, told: String| {
        let class = if value.is_some_and(|v| v < 0.95) { "bad" } else { "" };
        format!("<td class=\"{class}\">{}</td>", with(told, "%"))
    };
    put!(
        out,
        "<tr class=\"{class}\"><td>{}</td><td>{}</td><td class=\"left\">{listed}</td>{}{}<td>{}</td><td>{}</td><td>{a_day}</td>\
         <td class=\"left\">{}</td><td>{}</td><td>{a_minute}</td><td class=\"left\">{hota}</td><td>{idf1}</td>\
         <td>{switches}</td></tr>",
        text(name),
        figures.scenes,
        share(figures.signals.precision, precision),
        share(figures.signals.recall, recall),
        with(delay, "s"),
        with(p95, "s"),
        with(box_precision, "%"),
        with(box_recall, "%")
    );
}

/// The scenes, the worst first.
fn index(out: &mut String, report: &Report) {
    *out += "<h2>Scenes, the worst first</h2><table><tr><th>Scene</th><th>signals missed</th><th>false</th><th>recall of \
             vessels</th><th>false boxes a minute</th><th>switches</th><th class=\"cause\">first cause</th></tr>";
    for scene in &report.scenes {
        let (signals, boxes) = (&scene.figures.signals, &scene.figures.detections);
        let count =
            |n: usize| if n > 0 { format!("<td class=\"bad\">{n}</td>") } else { "<td>0</td>".to_owned() };
        let cause = shortened(scene.failures.first().map_or("", |f| &f.likely_cause));
        put!(
            out,
            "<tr><td><a href=\"#{name}\">{name}</a></td>{}{}<td>{} %</td><td>{}</td><td>{}</td><td class=\"note\">{}</td></tr>",
            count(signals.missed),
            count(signals.extra),
            percent(boxes.recall),
            number(boxes.false_per_minute, 1),
            scene.figures.tracks.id_switches,
            text(&cause),
            name = text(&scene.name)
        );
    }
    *out += "</table>\n";
}

/// The first words of a sentence, enough to know it by.
fn shortened(sentence: &str) -> String {
    const LETTERS: usize = 90;
    match sentence.char_indices().nth(LETTERS) {
        None => sentence.to_owned(),
        Some((end, _)) => format!("{} …", sentence[..end].rsplit_once(' ').map_or("", |(words, _)| words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_site_file_says_cannot_break_the_page() {
        assert_eq!(text("<b> & \"x\""), "&lt;b&gt; &amp; &quot;x&quot;");
    }
}
