//! The page for people: the state, and one row a camera.

use super::health::{CameraHealth, Health};

const STYLE: &str = "body{font:16px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem;color:#123}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #cde}\
.good{color:#064}.bad{color:#a00;font-weight:600}.small{color:#567;font-size:.85rem}";

/// The page as HTML. It reloads every 5 s.
pub(super) fn page(health: &Health) -> String {
    let rows: String = health.cameras.iter().map(camera_row).collect();
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>\
         <title>{site}: Havenwacht</title><style>{STYLE}</style>\
         <h1>{site}</h1><p class={class}>{summary}</p>{problems}\
         <table><tr><th>Camera<th>State<th>Since (UTC)<th>Frames<th>Detection passes<th>Passes a second<th>Detections\
         <th>Vessels<th>Signals</tr>{rows}</table>\
         <p>Logbook {path}: {entries} written. Alerts: {delivered} delivered, {undelivered} waiting.\
         <p class=small>Havenwacht {version}, running since {started:.0}. <a href=/health>health</a>, \
         <a href=/metrics>metrics</a></html>",
        site = escape(&health.site_name),
        class = class(health.is_healthy()),
        summary = escape(&health.summary()),
        problems = problems(health),
        entries = counted_entries(health.logbook.entries),
        path = escape(&health.logbook.path),
        delivered = health.alerts.delivered,
        undelivered = health.alerts.undelivered,
        version = escape(&health.version),
        started = health.started_at,
    )
}

fn counted_entries(entries: u64) -> String {
    if entries == 1 { "1 entry".into() } else { format!("{entries} entries") }
}

/// One paragraph for each problem.
fn problems(health: &Health) -> String {
    let late = health.late_loops.iter().map(|name| format!("not responding: {name}"));
    let logbook = health.logbook.problem.iter().map(|problem| format!("logbook: {problem}"));
    let alerts = health.alerts.problem.iter().map(|problem| format!("alerts: {problem}"));
    late.chain(logbook)
        .chain(alerts)
        .map(|problem| format!("<p class=bad>{}</p>", escape(&problem)))
        .collect()
}

fn camera_row(camera: &CameraHealth) -> String {
    let reason = if camera.is_streaming() { String::new() } else { format!(": {}", escape(&camera.reason)) };
    let outage = camera.outage.as_ref().map_or(String::new(), |outage| {
        format!("; {} since {:.0}: {}", escape(&outage.cause), outage.since, escape(&outage.text))
    });
    format!(
        "<tr><td>{id}<td class={class}>{state}{reason}{outage}<td>{since:.0}<td>{received}<td>{passes}\
         <td>{detect_fps:.1} of {wanted:.1}<td>{detections}<td>{tracks}<td>{signals}</tr>",
        id = escape(&camera.id),
        class = class(camera.is_healthy()),
        state = camera.state,
        since = camera.since,
        received = camera.received,
        passes = camera.passes,
        detect_fps = camera.detect_fps,
        wanted = camera.detect_fps_wanted,
        detections = camera.detections,
        tracks = camera.tracks,
        signals = camera.signals,
    )
}

fn class(healthy: bool) -> &'static str {
    if healthy { "good" } else { "bad" }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::health::tests::health;

    #[test]
    fn the_page_shows_outages_and_problems_and_escapes_them() {
        let mut health = health();
        health.logbook.problem = Some("the disk is <full>".into());
        let page = page(&health);
        assert!(page.contains("<p class=bad>logbook: the disk is &lt;full&gt;</p>"), "{page}");
        assert!(page.contains("backing-off: pictures of 1920x1080; signal loss since "), "{page}");
        assert!(page.contains("no picture for &lt;15 s&gt;"), "{page}");
        assert!(page.contains("<td>3.9 of 4.0"), "{page}");
    }
}
