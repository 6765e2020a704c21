//! Charts of the report, as inline SVG.

use super::annotated_scene::AnnotatedScene;
use super::markup::{escape, put};
use super::playback::Playback;
use super::report::percent;
use super::scores::{ScoredScene, SizeRecall};
use crate::cli::eval::matching::Verdict;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;

/// Seconds to pixels.
fn across(at_s: f64, recorded_s: f64) -> f64 {
    LEFT + (WIDTH - LEFT - 10.0) * (at_s / recorded_s.max(1e-9)).clamp(0.0, 1.0)
}

/// Over the clip: the numbers of vessels to find, of those found, and of false boxes.
pub(super) fn detections(played: &Playback, scored: &ScoredScene) -> String {
    let (height, foot) = (110.0, 92.0);
    let counts: Vec<(f64, [usize; 3])> = played
        .passes
        .iter()
        .zip(&scored.verdicts)
        .map(|(pass, verdicts)| {
            let present = pass.truth.iter().filter(|t| t.must_be_found()).count();
            let found = verdicts.iter().filter(|v| matches!(v, Verdict::Hit(_))).count();
            let false_boxes = verdicts.iter().filter(|v| **v == Verdict::False).count();
            (pass.at_s, [present, found, false_boxes])
        })
        .collect();
    let most = counts.iter().flat_map(|(_, n)| n).copied().max().unwrap_or(1).max(1);
    let row = |n: usize| foot - (foot - 12.0) * n as f64 / most as f64;
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    put!(out, "<title>vessels to find, vessels found and false boxes over time</title>");
    for n in [0, most] {
        put!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            WIDTH - 10.0,
            y = row(n)
        );
        put!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{n}</text>", LEFT - 6.0, row(n) + 4.0);
    }
    for (which, class) in ["present", "found", "false"].iter().enumerate() {
        let points: Vec<String> = counts
            .iter()
            .map(|(at_s, n)| format!("{:.1},{:.1}", across(*at_s, played.cost.recorded_s), row(n[which])))
            .collect();
        put!(out, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
        put!(out, "<text class=\"{class}\" x=\"4\" y=\"{}\">{class}</text>", 24 + 18 * which);
    }
    axis(&mut out, height, played.cost.recorded_s);
    out + "</svg>"
}

/// One row for each rule: when its signals were expected, and when they opened.
pub(super) fn signals(scene: &AnnotatedScene, played: &Playback, scored: &ScoredScene) -> String {
    let rules: Vec<&str> = scene.site.rules.iter().map(|rule| rule.id.as_str()).collect();
    let height = 26.0 * rules.len() as f64 + 22.0;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>signals, expected and raised</title>"
    );
    for (lane, rule) in rules.iter().enumerate() {
        let y = 14.0 + 26.0 * lane as f64;
        put!(out, "<text x=\"4\" y=\"{}\">{}</text>", y + 4.0, escape(rule));
        put!(out, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>", WIDTH - 10.0);
        let matched = |n: usize| scored.signals.pairs.iter().any(|pair| pair.0 == n);
        for (n, expected) in scene.expected.iter().enumerate().filter(|(_, l)| l.rule == *rule) {
            let class = if matched(n) { "expected" } else { "expected missed" };
            let x = across(expected.opens_s, played.cost.recorded_s);
            put!(out, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"8\"/>");
        }
        for (n, raised) in played.raised.iter().enumerate().filter(|(_, r)| r.rule == *rule) {
            let class = if scored.signals.extra.contains(&n) { "raised extra" } else { "raised" };
            let x = across(raised.opened_s, played.cost.recorded_s);
            put!(out, "<path class=\"{class}\" d=\"M{x:.1} {}v16\"/>", y - 8.0);
        }
    }
    axis(&mut out, height, played.cost.recorded_s);
    out + "</svg>"
}

/// The time axis in seconds.
fn axis(out: &mut String, height: f64, recorded_s: f64) {
    let step = if recorded_s > 300.0 {
        60.0
    } else if recorded_s > 60.0 {
        15.0
    } else {
        5.0
    };
    let mut at_s = 0.0;
    while at_s <= recorded_s {
        let x = across(at_s, recorded_s);
        put!(out, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{at_s} s</text>", height - 2.0);
        at_s += step;
    }
}

/// Recall by size.
pub(super) fn sizes(sizes: &[SizeRecall]) -> String {
    let height = 24.0 * sizes.len() as f64 + 4.0;
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>recall by size</title>");
    for (lane, size) in sizes.iter().enumerate() {
        let y = 24.0 * lane as f64;
        put!(out, "<text x=\"4\" y=\"{}\">{} ({} vessels)</text>", y + 16.0, size.size.as_str(), size.truth);
        let full = WIDTH - LEFT - 70.0;
        put!(out, "<rect class=\"empty\" x=\"{LEFT}\" y=\"{}\" width=\"{full}\" height=\"16\"/>", y + 4.0);
        let share = size.recall.unwrap_or(0.0);
        put!(
            out,
            "<rect class=\"full\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"16\"/>",
            y + 4.0,
            full * share
        );
        let recall = percent(size.recall);
        put!(out, "<text x=\"{}\" y=\"{}\">{recall} %</text>", WIDTH - 60.0, y + 16.0);
    }
    out + "</svg>"
}
