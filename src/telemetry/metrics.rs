//! Metrics in Prometheus' text form, read from the rooms' own counters when somebody asks.

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// A page of metrics under construction: rooms count in plain atomics, the page copies them at scrape time.
pub struct MetricsPage {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Default for MetricsPage {
    fn default() -> Self {
        Self::new()
    }
}

impl MetricsPage {
    /// An empty page.
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        Self { recorder, handle }
    }

    /// A count that only grows. `labels`: name and value.
    pub fn counter(&self, name: &'static str, labels: &[(&'static str, &str)], value: u64) {
        self.recorder.register_counter(&key(name, labels), &METADATA).absolute(value);
    }

    /// A value that goes up and down.
    pub fn gauge(&self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        self.recorder.register_gauge(&key(name, labels), &METADATA).set(value);
    }

    /// The page as text.
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_shows_name_labels_and_value() {
        let page = MetricsPage::new();
        page.counter("havenwacht_frames_received_total", &[("camera", "quay-east")], 41);
        page.gauge("havenwacht_outbox_undelivered", &[], 2.0);
        let text = page.render();
        assert!(text.contains("havenwacht_frames_received_total{camera=\"quay-east\"} 41"), "{text}");
        assert!(text.contains("havenwacht_outbox_undelivered 2"), "{text}");
    }
}
