//! The small web server: `/` for people, `/health` and `/metrics` for machines. It writes nothing.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::health::{CameraHealth, Health};
use crate::camera_state::CameraState;

/// Answers on `listener` until the returned future is dropped. `read` gives the state at this moment.
pub async fn serve(
    listener: TcpListener,
    read: Arc<dyn Fn() -> Health + Send + Sync>,
) -> std::io::Result<()> {
    let (for_page, for_health, for_metrics) = (read.clone(), read.clone(), read);
    let app = Router::new()
        .route("/", get(move || async move { Html(page(&for_page())) }))
        .route("/health", get(move || async move { health(&for_health()) }))
        .route("/metrics", get(move || async move { metrics(&for_metrics()) }));
    axum::serve(listener, app).await
}

/// The state as JSON; 200 when well, 503 when not.
fn health(health: &Health) -> Response {
    let status = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_string_pretty(health) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(cause) => (StatusCode::INTERNAL_SERVER_ERROR, cause.to_string()).into_response(),
    }
}

fn metrics(health: &Health) -> Response {
    let kind = "text/plain; version=0.0.4";
    ([(header::CONTENT_TYPE, kind)], health.metrics()).into_response()
}

fn page(health: &Health) -> String {
    let rows: String = health.cameras.iter().map(camera_row).collect();
    let problem = |name: &str, problem: &Option<String>| {
        problem.as_ref().map_or(String::new(), |t| format!("<p class=bad>{name}: {}</p>", escaped(t)))
    };
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>\
         <title>{site}: Havenwacht</title><style>{STYLE}</style>\
         <h1>{site}</h1><p class={mood}>{line}</p>{late}{logbook}{alerts}\
         <table><tr><th>Camera<th>State<th>Since (UTC)<th>Frames<th>Looked at<th>Looks a second<th>Detections\
         <th>Vessels<th>Signals</tr>{rows}</table>\
         <p>{entries} entries written to the logbook {path}; {delivered} alerts delivered, {undelivered} waiting.\
         <p class=small>Havenwacht {version}, on watch since {started:.0}. <a href=/health>health</a>, \
         <a href=/metrics>metrics</a></html>",
        site = escaped(&health.site_name),
        mood = if health.is_well() { "good" } else { "bad" },
        line = escaped(&health.line()),
        late = if health.late_loops.is_empty() {
            String::new()
        } else {
            format!("<p class=bad>stuck: {}</p>", escaped(&health.late_loops.join(", ")))
        },
        logbook = problem("logbook", &health.logbook.problem),
        alerts = problem("alerts", &health.alerts.problem),
        entries = health.logbook.entries,
        path = escaped(&health.logbook.path),
        delivered = health.alerts.delivered,
        undelivered = health.alerts.undelivered,
        version = escaped(&health.version),
        started = health.started_at,
    )
}

const STYLE: &str = "body{font:16px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem;color:#123}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #cde}\
.good{color:#064}.bad{color:#a00;font-weight:600}.small{color:#567;font-size:.85rem}";

fn camera_row(camera: &CameraHealth) -> String {
    let streams = camera.state == CameraState::Streaming;
    let good = streams && camera.outage.is_none();
    let mut reason = if streams { String::new() } else { format!(": {}", escaped(&camera.reason)) };
    if let Some(outage) = &camera.outage {
        reason += &format!("; blind since {:.0}: {}", outage.since, escaped(&outage.text));
    }
    format!(
        "<tr><td>{id}<td class={mood}>{state}{reason}<td>{since:.0}<td>{received}<td>{looked}\
         <td>{looks:.1} of {wanted:.1}<td>{detections}<td>{tracks}<td>{signals}</tr>",
        id = escaped(&camera.id),
        mood = if good { "good" } else { "bad" },
        state = camera.state,
        since = camera.since,
        received = camera.received,
        looked = camera.looked_at,
        looks = camera.detect_fps,
        wanted = camera.looks_per_second_wanted,
        detections = camera.detections,
        tracks = camera.tracks,
        signals = camera.signals,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
