//! The state of the watch in one value: the page, the metrics, the demo and `systemctl status` all read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::camera_state::CameraState;
use crate::telemetry::MetricsPage;

/// The state of the watch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Health {
    /// Version of Havenwacht.
    pub version: String,
    /// Site id.
    pub site: String,
    /// Site name.
    pub site_name: String,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// Loops that do not turn; empty when all is well.
    pub late_loops: Vec<String>,
    /// In the order of the site file.
    pub cameras: Vec<CameraHealth>,
    /// The writer.
    pub logbook: LogbookHealth,
    /// The relay.
    pub alerts: AlertsHealth,
    /// The wall clock.
    pub clock: ClockHealth,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
}

/// The state of one camera. Counts since the daemon's start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CameraHealth {
    /// Camera id.
    pub id: String,
    /// What its sessions are doing.
    pub state: CameraState,
    /// Why.
    pub reason: String,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// Why it gives no usable picture; `None` while it sees.
    pub outage: Option<OutageHealth>,
    /// Outage spells begun, for each cause.
    pub camera_outages: Vec<(String, u64)>,
    /// Sessions tried since the last good one.
    pub retries: u32,
    /// Sessions begun.
    pub sessions: u64,
    /// Frames decoded.
    pub received: u64,
    /// Frames looked at.
    pub looked_at: u64,
    /// Frames that a newer one replaced before their turn: those between two looks.
    pub dropped_newer_came: u64,
    /// Frames the decoder called corrupt.
    pub dropped_corrupt: u64,
    /// Frames that came and gave no picture: spoiled on the way, or built on one that was.
    pub dropped_undecodable: u64,
    /// Looks that failed.
    pub failed_looks: u64,
    /// Boxes that made no sense.
    pub rejected_boxes: u64,
    /// Changes of picture size or format.
    pub caps_changes: u64,
    /// Asked for by the site file.
    pub looks_per_second_wanted: f32,
    /// Had over the last seconds.
    pub detect_fps: f32,
    /// Detector runs.
    pub runs: u64,
    /// Detector runs a second over the last seconds.
    pub runs_per_second: f32,
    /// For how long the place of the water unseen longest has not been seen, in seconds; `None` before the first look.
    pub oldest_unseen_s: Option<f32>,
    /// No place stays unseen for longer at the rate at which looks came over the last seconds.
    pub swept_within_s: f32,
    /// Boxes that a region's border cut: looked at again rather than believed.
    pub cut_boxes: u64,
    /// Sure boxes that came again too seldom to be a vessel's.
    pub unconfirmed_boxes: u64,
    /// Sure boxes of what moved faster than any vessel.
    pub too_fast: u64,
    /// Boxes outside the water.
    pub outside_water: u64,
    /// Boxes smaller than any vessel, where the camera is calibrated.
    pub too_small: u64,
    /// Detections.
    pub detections: u64,
    /// Tracks confirmed.
    pub tracks: u64,
    /// Signals opened.
    pub signals: u64,
    /// Signals opened within a cooldown: logged, not told.
    pub suppressed: u64,
}

/// A blind spell that lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutageHealth {
    /// `away`, `black`, `washed out`, `fog`, `frozen`, `moved`, `out of focus`, `slow`.
    pub cause: String,
    /// Since when.
    pub since: Timestamp,
    /// For people.
    pub text: String,
}

/// The state of the logbook's writer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogbookHealth {
    /// Where the file lies.
    pub path: String,
    /// Entries written: looks, signals, changes of state.
    pub entries: u64,
    /// Commits.
    pub commits: u64,
    /// Entries waiting for the writer.
    pub queued: u64,
    /// Detections given up because the logbook could not be written for long.
    pub unwritten_detections: u64,
    /// The last failure, while it lasts.
    pub problem: Option<String>,
}

/// The state of the wall clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClockHealth {
    /// Whether somebody has set it; until then schedules and times mean nothing.
    pub is_set: bool,
    /// Whether a time server holds it; `None` where the system does not say.
    pub synchronised: Option<bool>,
    /// How often it was put forward or back since the daemon's start.
    pub steps: u64,
    /// By how many seconds it was put forward (or back: negative) the last time; 0 before the first.
    pub last_step_s: f64,
}

/// The state of the alert relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlertsHealth {
    /// Whether the broker is connected.
    pub connected: bool,
    /// Alerts the broker has confirmed.
    pub delivered: u64,
    /// Alerts that wait.
    pub undelivered: u64,
    /// Alerts too old to send.
    pub expired: u64,
    /// The last failure, while it lasts.
    pub problem: Option<String>,
}

impl Health {
    /// True when every loop turns, every camera streams and sees, the logbook takes rows, the broker is there and the clock is set.
    pub fn is_well(&self) -> bool {
        self.late_loops.is_empty()
            && self.clock.is_set
            && self.logbook.problem.is_none()
            && self.alerts.connected
            && self
                .cameras
                .iter()
                .all(|camera| camera.state == CameraState::Streaming && camera.outage.is_none())
    }

    /// One line: cameras up of all, which are blind, looks and runs a second and whose they are, the water unseen longest, alerts waiting.
    pub fn line(&self) -> String {
        let up = self.cameras.iter().filter(|camera| camera.state == CameraState::Streaming).count();
        let outage =
            |camera: &CameraHealth| Some(format!("{} ({})", camera.id, camera.outage.as_ref()?.cause));
        let outage: Vec<_> = self.cameras.iter().filter_map(outage).collect();
        let outage =
            if outage.is_empty() { String::new() } else { format!(", BLIND: {}", outage.join(", ")) };
        let looks: f32 = self.cameras.iter().map(|camera| camera.detect_fps).sum();
        let unseen = self.cameras.iter().filter_map(|camera| camera.oldest_unseen_s).reduce(f32::max);
        let unseen =
            unseen.map_or(String::new(), |seconds| format!(", no place unseen for more than {seconds:.1} s"));
        let share =
            |camera: &CameraHealth| format!("{} {:.0} %", camera.id, 100.0 * self.share_of_runs(camera));
        let shares: Vec<_> = self.cameras.iter().map(share).collect();
        format!(
            "{}{up} of {} cameras streaming{outage}, {looks:.1} looks and {:.1} runs a second ({}){unseen}, {} alerts waiting, broker {}",
            if self.clock.is_set { "" } else { "THE CLOCK IS NOT SET, " },
            self.cameras.len(),
            self.runs_per_second(),
            shares.join(", "),
            self.alerts.undelivered,
            if self.alerts.connected { "connected" } else { "away" },
        )
    }

    /// Detector runs a second of all cameras.
    fn runs_per_second(&self) -> f32 {
        self.cameras.iter().map(|camera| camera.runs_per_second).sum()
    }

    /// Of those, the part that one takes; 0 while there are none.
    fn share_of_runs(&self, camera: &CameraHealth) -> f32 {
        camera.runs_per_second / self.runs_per_second().max(f32::MIN_POSITIVE)
    }

    /// Prometheus metrics.
    pub fn metrics(&self) -> String {
        let page = MetricsPage::new();
        for camera in &self.cameras {
            let of = [("camera", camera.id.as_str())];
            let dropped = |reason, count| {
                page.counter(
                    "havenwacht_frames_dropped_total",
                    &[("camera", &camera.id), ("reason", reason)],
                    count,
                );
            };
            dropped("newer-came", camera.dropped_newer_came);
            dropped("corrupt", camera.dropped_corrupt);
            dropped("undecodable", camera.dropped_undecodable);
            page.gauge(
                "havenwacht_camera_up",
                &of,
                f64::from(u8::from(camera.state == CameraState::Streaming)),
            );
            page.gauge("havenwacht_camera_outage", &of, f64::from(u8::from(camera.outage.is_some())));
            for (cause, count) in &camera.camera_outages {
                let of = [("camera", camera.id.as_str()), ("cause", cause)];
                page.counter("havenwacht_camera_outages_total", &of, *count);
            }
            page.gauge("havenwacht_looks_per_second", &of, f64::from(camera.detect_fps));
            page.gauge("havenwacht_looks_per_second_wanted", &of, f64::from(camera.looks_per_second_wanted));
            page.gauge("havenwacht_runs_per_second", &of, f64::from(camera.runs_per_second));
            page.gauge("havenwacht_runs_share", &of, f64::from(self.share_of_runs(camera)));
            page.gauge("havenwacht_swept_within_seconds", &of, f64::from(camera.swept_within_s));
            if let Some(seconds) = camera.oldest_unseen_s {
                page.gauge("havenwacht_oldest_unseen_seconds", &of, f64::from(seconds));
            }
            let rejected = |reason, count| {
                page.counter(
                    "havenwacht_boxes_rejected_total",
                    &[("camera", &camera.id), ("reason", reason)],
                    count,
                );
            };
            rejected("malformed", camera.rejected_boxes);
            rejected("cut", camera.cut_boxes);
            rejected("unconfirmed", camera.unconfirmed_boxes);
            rejected("too-fast", camera.too_fast);
            rejected("outside-water", camera.outside_water);
            rejected("too-small", camera.too_small);
            for (name, count) in [
                ("havenwacht_frames_received_total", camera.received),
                ("havenwacht_frames_looked_at_total", camera.looked_at),
                ("havenwacht_looks_failed_total", camera.failed_looks),
                ("havenwacht_caps_changes_total", camera.caps_changes),
                ("havenwacht_sessions_total", camera.sessions),
                ("havenwacht_detector_runs_total", camera.runs),
                ("havenwacht_detections_total", camera.detections),
                ("havenwacht_tracks_total", camera.tracks),
                ("havenwacht_signals_total", camera.signals),
                ("havenwacht_signals_suppressed_total", camera.suppressed),
            ] {
                page.counter(name, &of, count);
            }
        }
        for (name, count) in [
            ("havenwacht_logbook_entries_total", self.logbook.entries),
            ("havenwacht_logbook_commits_total", self.logbook.commits),
            ("havenwacht_detections_not_written_total", self.logbook.unwritten_detections),
            ("havenwacht_alerts_delivered_total", self.alerts.delivered),
            ("havenwacht_alerts_expired_total", self.alerts.expired),
            ("havenwacht_clock_steps_total", self.clock.steps),
        ] {
            page.counter(name, &[], count);
        }
        for (name, value) in [
            ("havenwacht_logbook_queued", self.logbook.queued as f64),
            ("havenwacht_logbook_problem", f64::from(u8::from(self.logbook.problem.is_some()))),
            ("havenwacht_alerts_undelivered", self.alerts.undelivered as f64),
            ("havenwacht_broker_connected", f64::from(u8::from(self.alerts.connected))),
            ("havenwacht_late_loops", self.late_loops.len() as f64),
            ("havenwacht_clock_set", f64::from(u8::from(self.clock.is_set))),
            ("havenwacht_resident_bytes", self.resident_bytes as f64),
        ] {
            page.gauge(name, &[], value);
        }
        if let Some(synchronised) = self.clock.synchronised {
            page.gauge("havenwacht_clock_synchronised", &[], f64::from(u8::from(synchronised)));
        }
        page.render()
    }
}
