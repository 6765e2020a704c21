//! Collects the modules' counters into one state of the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::Timestamp;
use strum::VariantArray as _;

use super::clock_monitor::ClockStats;
use super::heartbeat::Heartbeats;
use super::pipeline::PipelineStats;
use crate::alerts::RelayStats;
use crate::camera_health::Cause;
use crate::clock::{self, Clock};
use crate::config::{Camera, Site};
use crate::logbook::WriterStats;
use crate::web::{
    AlertsHealth, CameraHealth, ClockHealth, Health, LogbookHealth, OutageHealth, RefusedHealth,
};

/// Where the counters are.
pub(super) struct StatusReader {
    pub(super) site: Arc<Site>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) started_at: Timestamp,
    pub(super) heartbeats: Heartbeats,
    /// In the order of the site file.
    pub(super) pipelines: Vec<Arc<PipelineStats>>,
    pub(super) writer: Arc<WriterStats>,
    pub(super) relay: Arc<RelayStats>,
    pub(super) clocks: Arc<ClockStats>,
}

fn of(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

impl StatusReader {
    /// The state at this moment.
    pub(super) fn read(&self) -> Health {
        let late = self.heartbeats.late().into_iter();
        let alert_problems: Vec<_> =
            self.relay.last_error().into_iter().chain(self.relay.problems()).collect();
        let refused = self.relay.refusals().into_iter().map(|(message, reason, count)| RefusedHealth {
            message: message.to_owned(),
            reason: reason.as_str().to_owned(),
            count,
        });
        Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.site.id.to_string(),
            site_name: self.site.name.clone(),
            started_at: self.started_at,
            read_at: self.clock.now().wall,
            late_loops: late.map(|(name, since)| format!("{name} ({} s)", since.as_secs())).collect(),
            cameras: self
                .site
                .cameras
                .iter()
                .zip(&self.pipelines)
                .map(|(camera, stats)| self.camera(camera, stats))
                .collect(),
            logbook: LogbookHealth {
                path: self.site.logbook.display().to_string(),
                entries: of(&self.writer.entries),
                commits: of(&self.writer.commits),
                queued: of(&self.writer.waiting),
                unwritten_detections: of(&self.writer.unwritten_detections),
                problem: Some(self.writer.problems().join("; ")).filter(|problems| !problems.is_empty()),
            },
            alerts: AlertsHealth {
                connected: self.relay.connected.load(Relaxed),
                delivered: of(&self.relay.delivered),
                undelivered: of(&self.relay.undelivered),
                expired: of(&self.relay.expired),
                refused: refused.collect(),
                problem: Some(alert_problems.join("; ")).filter(|problems| !problems.is_empty()),
            },
            clock: ClockHealth {
                is_set: clock::is_set(self.clock.now().wall),
                synchronised: self.clocks.synchronised(),
                steps: of(&self.clocks.steps),
                last_step_s: self.clocks.last_step_ms.load(Relaxed) as f64 / 1000.0,
            },
            resident_bytes: resident_bytes(),
        }
    }

    fn camera(&self, camera: &Camera, stats: &PipelineStats) -> CameraHealth {
        let (ingest, change) = (&stats.ingest, stats.state());
        let (now_ms, seen_ms) =
            (self.clock.mono().since_boot().as_millis() as u64, of(&stats.oldest_seen_ms));
        let outages = Cause::VARIANTS.iter().zip(&stats.camera_outages);
        CameraHealth {
            id: camera.id.to_string(),
            state: change.as_ref().map_or_else(Default::default, |c| c.state),
            reason: change.as_ref().map_or_else(String::new, |c| c.reason.clone()),
            since: change.as_ref().map_or(self.started_at, |c| c.at.wall),
            outage: stats.outage().map(|outage| OutageHealth {
                cause: outage.cause.as_str().to_owned(),
                since: outage.began.wall,
                text: outage.text,
            }),
            camera_outages: outages.map(|(cause, count)| (cause.to_string(), of(count))).collect(),
            retries: change.as_ref().map_or(0, |c| c.retries),
            sessions: of(&ingest.sessions),
            received: of(&ingest.received),
            passes: of(&stats.passes),
            dropped_overwritten: of(&ingest.dropped_overwritten),
            dropped_corrupt: of(&ingest.dropped_corrupt),
            dropped_undecodable: of(&ingest.dropped_undecodable),
            failed_passes: of(&stats.failed_passes),
            rejected_boxes: of(&stats.rejected_boxes),
            caps_changes: of(&ingest.caps_changes),
            detect_fps_wanted: camera.detect_fps,
            detect_fps: stats.passes_per_s(),
            inferences_per_second: stats.inferences_per_s(),
            inferences: of(&stats.inferences),
            oldest_unseen_s: (seen_ms > 0).then(|| now_ms.saturating_sub(seen_ms) as f32 / 1000.0),
            swept_within_s: stats.swept_within_s(camera.detect_fps),
            cut_boxes: of(&stats.cut_boxes),
            unconfirmed_boxes: of(&stats.unconfirmed_boxes),
            too_fast: of(&stats.too_fast),
            outside_water: of(&stats.outside_water),
            too_small: of(&stats.too_small),
            detections: of(&stats.detections),
            tracks: of(&stats.tracks),
            signals: of(&stats.signals),
            suppressed: of(&stats.suppressed),
        }
    }
}

/// Resident memory of this process; 0 where `/proc` does not show it.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
