//! Gathers the rooms' counters into one state of the watch.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use strum::VariantArray as _;

use super::clocks::ClockStats;
use super::heartbeat::Heartbeats;
use super::turns::Rates;
use super::watch::WatchStats;
use crate::alerts::RelayStats;
use crate::camera_health::Cause;
use crate::camera_state::CameraChange;
use crate::clock::{self, Clock};
use crate::config::Site;
use crate::ingest::IngestStats;
use crate::logbook::WriterStats;
use crate::web::{AlertsHealth, CameraHealth, ClockHealth, Health, LogbookHealth, OutageHealth};

/// Each camera's last change of state; `None` before the first.
pub(super) type LastChanges = Arc<Vec<Mutex<Option<CameraChange>>>>;

/// Where the counters are.
pub(super) struct Status {
    pub(super) site: Arc<Site>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) started_at: Timestamp,
    pub(super) hearts: Heartbeats,
    pub(super) ingest: Vec<Arc<IngestStats>>,
    /// Each camera's last change of state.
    pub(super) changes: LastChanges,
    pub(super) watch: Vec<Arc<WatchStats>>,
    pub(super) rates: Rates,
    pub(super) writer: Arc<WriterStats>,
    pub(super) relay: Arc<RelayStats>,
    pub(super) clocks: Arc<ClockStats>,
}

fn of(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

impl Status {
    /// The state at this moment.
    pub(super) fn read(&self) -> Health {
        Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.site.id.to_string(),
            site_name: self.site.name.clone(),
            started_at: self.started_at,
            read_at: self.clock.now().wall,
            late_loops: self
                .hearts
                .late()
                .into_iter()
                .map(|(name, silent)| format!("{name} ({} s)", silent.as_secs()))
                .collect(),
            cameras: (0..self.site.cameras.len()).map(|index| self.camera(index)).collect(),
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
                problem: self.relay.last_error(),
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

    fn camera(&self, index: usize) -> CameraHealth {
        let (camera, ingest, watch) = (&self.site.cameras[index], &self.ingest[index], &self.watch[index]);
        let change = self.changes[index].lock().unwrap_or_else(PoisonError::into_inner).clone();
        let a_second = |thousandths: &AtomicU32| thousandths.load(Relaxed) as f32 / 1000.0;
        let (now_ms, seen_ms) =
            (self.clock.mono().since_boot().as_millis() as u64, of(&watch.oldest_seen_ms));
        CameraHealth {
            id: camera.id.to_string(),
            state: change.as_ref().map_or_else(Default::default, |c| c.state),
            reason: change.as_ref().map_or_else(String::new, |c| c.reason.clone()),
            since: change.as_ref().map_or(self.started_at, |c| c.at.wall),
            outage: watch.outage().map(|outage| OutageHealth {
                cause: outage.cause.as_str().to_owned(),
                since: outage.began.wall,
                text: outage.text,
            }),
            camera_outages: Cause::VARIANTS
                .iter()
                .zip(&watch.camera_outages)
                .map(|(cause, count)| (cause.as_str().to_owned(), of(count)))
                .collect(),
            retries: change.as_ref().map_or(0, |c| c.retries),
            sessions: of(&ingest.sessions),
            received: of(&ingest.received),
            passes: of(&watch.looks),
            dropped_overwritten: of(&ingest.dropped_overwritten),
            dropped_corrupt: of(&ingest.dropped_corrupt),
            dropped_undecodable: of(&ingest.dropped_undecodable),
            failed_passes: of(&watch.failed_looks),
            rejected_boxes: of(&watch.rejected_boxes),
            caps_changes: of(&ingest.caps_changes),
            detect_fps_wanted: camera.detect_fps,
            detect_fps: a_second(&self.rates[index].looks),
            inferences_per_second: a_second(&self.rates[index].runs),
            inferences: of(&watch.runs),
            oldest_unseen_s: (seen_ms > 0).then(|| now_ms.saturating_sub(seen_ms) as f32 / 1000.0),
            swept_within_s: self.rates[index].swept_within_s(of(&watch.swept_within_ms), camera.detect_fps),
            cut_boxes: of(&watch.cut_boxes),
            unconfirmed_boxes: of(&watch.unconfirmed_boxes),
            too_fast: of(&watch.too_fast),
            outside_water: of(&watch.outside_water),
            too_small: of(&watch.too_small),
            detections: of(&watch.detections),
            tracks: of(&watch.tracks),
            signals: of(&watch.signals),
            suppressed: of(&watch.suppressed),
        }
    }
}

/// Resident memory of this process; 0 where `/proc` does not tell.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
