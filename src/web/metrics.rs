//! The state as Prometheus metrics. `docs/integration.md` describes them.

use super::health::{CameraHealth, Health};
use crate::telemetry::MetricsPage;

/// The text of `/metrics`.
pub(super) fn metrics(health: &Health) -> String {
    let page = MetricsPage::new();
    for camera in &health.cameras {
        camera_metrics(&page, camera);
        let share = f64::from(health.share_of_inferences(camera));
        page.gauge("havenwacht_inferences_share", &[("camera", &camera.id)], share);
    }
    site_metrics(&page, health);
    page.render()
}

fn camera_metrics(page: &MetricsPage, camera: &CameraHealth) {
    let labels = [("camera", camera.id.as_str())];
    for (name, value) in [
        ("havenwacht_camera_up", flag(camera.is_streaming())),
        ("havenwacht_camera_outage", flag(camera.outage.is_some())),
        ("havenwacht_detect_fps", camera.detect_fps.into()),
        ("havenwacht_detect_fps_wanted", camera.detect_fps_wanted.into()),
        ("havenwacht_inferences_per_second", camera.inferences_per_second.into()),
        ("havenwacht_swept_within_seconds", camera.swept_within_s.into()),
    ] {
        page.gauge(name, &labels, value);
    }
    if let Some(seconds) = camera.oldest_unseen_s {
        page.gauge("havenwacht_oldest_unseen_seconds", &labels, seconds.into());
    }
    for (name, count) in [
        ("havenwacht_frames_received_total", camera.received),
        ("havenwacht_detection_passes_total", camera.passes),
        ("havenwacht_detection_passes_failed_total", camera.failed_passes),
        ("havenwacht_caps_changes_total", camera.caps_changes),
        ("havenwacht_sessions_total", camera.sessions),
        ("havenwacht_inferences_total", camera.inferences),
        ("havenwacht_detections_total", camera.detections),
        ("havenwacht_tracks_total", camera.tracks),
        ("havenwacht_signals_total", camera.signals),
        ("havenwacht_signals_suppressed_total", camera.suppressed),
    ] {
        page.counter(name, &labels, count);
    }
    let by = |name, label, text: &str, count| {
        page.counter(name, &[("camera", camera.id.as_str()), (label, text)], count);
    };
    for (cause, count) in &camera.camera_outages {
        by("havenwacht_camera_outages_total", "cause", cause, *count);
    }
    for (reason, count) in [
        ("overwritten", camera.dropped_overwritten),
        ("corrupt", camera.dropped_corrupt),
        ("undecodable", camera.dropped_undecodable),
    ] {
        by("havenwacht_frames_dropped_total", "reason", reason, count);
    }
    for (reason, count) in [
        ("malformed", camera.rejected_boxes),
        ("cut", camera.cut_boxes),
        ("unconfirmed", camera.unconfirmed_boxes),
        ("too-fast", camera.too_fast),
        ("outside-water", camera.outside_water),
        ("too-small", camera.too_small),
    ] {
        by("havenwacht_boxes_rejected_total", "reason", reason, count);
    }
}

fn site_metrics(page: &MetricsPage, health: &Health) {
    for (name, count) in [
        ("havenwacht_logbook_entries_total", health.logbook.entries),
        ("havenwacht_logbook_commits_total", health.logbook.commits),
        ("havenwacht_detections_not_written_total", health.logbook.unwritten_detections),
        ("havenwacht_alerts_delivered_total", health.alerts.delivered),
        ("havenwacht_alerts_expired_total", health.alerts.expired),
        ("havenwacht_clock_steps_total", health.clock.steps),
    ] {
        page.counter(name, &[], count);
    }
    for refused in &health.alerts.refused {
        let labels = [("message", refused.message.as_str()), ("reason", &refused.reason)];
        page.counter("havenwacht_messages_refused_total", &labels, refused.count);
    }
    for (name, value) in [
        ("havenwacht_logbook_queued", health.logbook.queued as f64),
        ("havenwacht_logbook_problem", flag(health.logbook.problem.is_some())),
        ("havenwacht_alerts_undelivered", health.alerts.undelivered as f64),
        ("havenwacht_broker_connected", flag(health.alerts.connected)),
        ("havenwacht_late_loops", health.late_loops.len() as f64),
        ("havenwacht_clock_set", flag(health.clock.is_set)),
        ("havenwacht_resident_bytes", health.resident_bytes as f64),
    ] {
        page.gauge(name, &[], value);
    }
    if let Some(synchronised) = health.clock.synchronised {
        page.gauge("havenwacht_clock_synchronised", &[], flag(synchronised));
    }
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::health::tests::health;

    #[test]
    fn the_integration_guide_describes_every_metric() {
        let guide = include_str!("../../docs/integration.md");
        let page = metrics(&health());
        let names = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let missing: Vec<_> = names.filter(|name| !guide.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "docs/integration.md does not describe {missing:?}");
        let described = guide.split('`').filter(|word| word.starts_with("havenwacht_"));
        let gone: Vec<_> = described.filter(|name| !page.contains(&format!("# TYPE {name} "))).collect();
        assert!(gone.is_empty(), "docs/integration.md describes {gone:?}, which do not exist");
    }
}
