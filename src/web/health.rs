//! The state of the daemon in one value. The page, `/health`, the metrics, the demo and `systemctl status` show it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::camera_state::CameraState;
use crate::telemetry::counted;

/// The state of the daemon. Counts are since its start.
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
    /// When this state was read.
    pub read_at: Timestamp,
    /// Loops whose heartbeat is late; empty when all run.
    pub late_loops: Vec<String>,
    /// In the order of the site file.
    pub cameras: Vec<CameraHealth>,
    /// The logbook's writer.
    pub logbook: LogbookHealth,
    /// The alert relay.
    pub alerts: AlertsHealth,
    /// The wall clock.
    pub clock: ClockHealth,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
}

/// The state of one camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CameraHealth {
    /// Camera id.
    pub id: String,
    /// What its session is doing.
    pub state: CameraState,
    /// Why.
    pub reason: String,
    /// When this state began.
    pub since: Timestamp,
    /// Why it gives no usable picture; `None` while it does.
    pub outage: Option<OutageHealth>,
    /// Camera outages begun, for each cause.
    pub camera_outages: Vec<(String, u64)>,
    /// Sessions tried since the last good one.
    pub retries: u32,
    /// Sessions begun.
    pub sessions: u64,
    /// Frames decoded.
    pub received: u64,
    /// Detection passes.
    pub passes: u64,
    /// Detection passes that failed.
    pub failed_passes: u64,
    /// Frames that a newer one replaced before a detection pass.
    pub dropped_overwritten: u64,
    /// Frames that the decoder called corrupt.
    pub dropped_corrupt: u64,
    /// Frames that could not be decoded.
    pub dropped_undecodable: u64,
    /// Changes of picture size or format.
    pub caps_changes: u64,
    /// Detection passes a second that the site file asks for.
    pub detect_fps_wanted: f32,
    /// Detection passes a second over the last seconds.
    pub detect_fps: f32,
    /// Inferences.
    pub inferences: u64,
    /// Inferences a second over the last seconds.
    pub inferences_per_second: f32,
    /// Age of the part of the water that was inspected longest ago, in seconds; `None` before the first detection pass.
    pub oldest_unseen_s: Option<f32>,
    /// Seconds within which all water is inspected at the present rate.
    pub swept_within_s: f32,
    /// Boxes with impossible values.
    pub rejected_boxes: u64,
    /// Boxes that the border of a region cut; their region is moved and inspected again.
    pub cut_boxes: u64,
    /// Boxes above the high threshold that were not confirmed by later passes.
    pub unconfirmed_boxes: u64,
    /// Boxes above the high threshold that moved faster than any vessel.
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
    /// Signals suppressed: logged and not sent.
    pub suppressed: u64,
}

/// A camera outage that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutageHealth {
    /// A cause, such as `signal loss` (`config/camera-health.md` lists them).
    pub cause: String,
    /// When it began.
    pub since: Timestamp,
    /// A sentence for people.
    pub text: String,
}

/// The state of the logbook's writer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogbookHealth {
    /// Path of the file.
    pub path: String,
    /// Entries written.
    pub entries: u64,
    /// Transactions.
    pub commits: u64,
    /// Entries that wait for the writer.
    pub queued: u64,
    /// Detections dropped because the logbook could not be written for long.
    pub unwritten_detections: u64,
    /// What is wrong, while it is.
    pub problem: Option<String>,
}

/// The state of the wall clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClockHealth {
    /// False until somebody has set it: schedules and times are then wrong.
    pub is_set: bool,
    /// True when a time server controls it; `None` where the system does not say.
    pub synchronised: Option<bool>,
    /// Steps, forward or back.
    pub steps: u64,
    /// Seconds of the last step, negative when back; 0 before the first.
    pub last_step_s: f64,
}

/// The state of the alert relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlertsHealth {
    /// True while the broker is connected.
    pub connected: bool,
    /// Alerts that the broker accepted.
    pub delivered: u64,
    /// Alerts that wait.
    pub undelivered: u64,
    /// Alerts too old to send.
    pub expired: u64,
    /// Messages that the broker refused, for each kind and reason.
    pub refused: Vec<RefusedHealth>,
    /// What is wrong, while it is.
    pub problem: Option<String>,
}

/// Messages that the broker refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefusedHealth {
    /// `alert`, `picture` or `presence` (status, camera states, head of the chain).
    pub message: String,
    /// A word, such as `not-authorised`.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl Health {
    /// True when nothing needs a person: no late loop, every camera streams a usable picture, the logbook is written, the
    /// broker is connected and accepts the alerts, the clock is set.
    pub fn is_healthy(&self) -> bool {
        self.late_loops.is_empty()
            && self.clock.is_set
            && self.logbook.problem.is_none()
            && self.alerts.connected
            && self.alerts.problem.is_none()
            && self.cameras.iter().all(CameraHealth::is_healthy)
    }

    /// One line: cameras, outages, detection rate and each camera's share of it, age of the oldest view, alerts.
    pub fn summary(&self) -> String {
        let streaming = self.cameras.iter().filter(|camera| camera.is_streaming()).count();
        let passes: f32 = self.cameras.iter().map(|camera| camera.detect_fps).sum();
        let mut parts = Vec::new();
        if !self.clock.is_set {
            parts.push("THE CLOCK IS NOT SET".to_owned());
        }
        parts.push(format!("{streaming} of {} streaming", counted(self.cameras.len() as u64, "camera")));
        let outages: Vec<_> = self.cameras.iter().filter_map(CameraHealth::outage_summary).collect();
        if !outages.is_empty() {
            parts.push(format!("OUTAGE: {}", outages.join(", ")));
        }
        let share = |camera: &CameraHealth| {
            format!("{} {:.0} %", camera.id, 100.0 * self.share_of_inferences(camera))
        };
        let shares: Vec<_> = self.cameras.iter().map(share).collect();
        parts.push(format!(
            "{passes:.1} detection passes and {:.1} inferences a second ({})",
            self.inferences_per_second(),
            shares.join(", ")
        ));
        if let Some(oldest) = self.cameras.iter().filter_map(|camera| camera.oldest_unseen_s).reduce(f32::max)
        {
            parts.push(format!("all water inspected within the last {oldest:.1} s"));
        }
        parts.push(format!("{} waiting", counted(self.alerts.undelivered, "alert")));
        parts.push(match (self.alerts.connected, &self.alerts.problem) {
            (true, None) => "broker connected".to_owned(),
            (true, Some(problem)) => format!("BROKER: {problem}"),
            (false, _) => "broker not connected".to_owned(),
        });
        parts.join(", ")
    }

    fn inferences_per_second(&self) -> f32 {
        self.cameras.iter().map(|camera| camera.inferences_per_second).sum()
    }

    /// The camera's part of all inferences, 0 to 1; 0 while there are none.
    pub(super) fn share_of_inferences(&self, camera: &CameraHealth) -> f32 {
        camera.inferences_per_second / self.inferences_per_second().max(f32::MIN_POSITIVE)
    }
}

impl CameraHealth {
    pub(super) fn is_streaming(&self) -> bool {
        self.state == CameraState::Streaming
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.is_streaming() && self.outage.is_none()
    }

    fn outage_summary(&self) -> Option<String> {
        self.outage.as_ref().map(|outage| format!("{} ({})", self.id, outage.cause))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two cameras: one streams, one has lost its signal.
    pub(in crate::web) fn health() -> Health {
        let camera = |id: &str| CameraHealth {
            id: id.into(),
            state: CameraState::Streaming,
            reason: "pictures of 1920x1080".into(),
            since: Timestamp::UNIX_EPOCH,
            outage: None,
            camera_outages: vec![("signal loss".into(), 1)],
            retries: 0,
            sessions: 1,
            received: 41,
            passes: 12,
            failed_passes: 0,
            dropped_overwritten: 29,
            dropped_corrupt: 0,
            dropped_undecodable: 0,
            caps_changes: 0,
            detect_fps_wanted: 4.0,
            detect_fps: 3.9,
            inferences: 24,
            inferences_per_second: 7.8,
            oldest_unseen_s: Some(1.2),
            swept_within_s: 2.0,
            rejected_boxes: 0,
            cut_boxes: 0,
            unconfirmed_boxes: 0,
            too_fast: 0,
            outside_water: 0,
            too_small: 0,
            detections: 10,
            tracks: 1,
            signals: 1,
            suppressed: 0,
        };
        let outage = OutageHealth {
            cause: "signal loss".into(),
            since: Timestamp::UNIX_EPOCH,
            text: "no picture for <15 s>".into(),
        };
        let roads = CameraHealth {
            state: CameraState::BackingOff,
            outage: Some(outage),
            detect_fps: 0.0,
            inferences_per_second: 0.0,
            oldest_unseen_s: None,
            ..camera("roads")
        };
        Health {
            version: "0.1.0".into(),
            site: "sample-harbour".into(),
            site_name: "Sample harbour".into(),
            started_at: Timestamp::UNIX_EPOCH,
            read_at: Timestamp::UNIX_EPOCH,
            late_loops: Vec::new(),
            cameras: vec![camera("quay-east"), roads],
            logbook: LogbookHealth {
                path: "logbook.sqlite".into(),
                entries: 100,
                commits: 10,
                queued: 0,
                unwritten_detections: 0,
                problem: None,
            },
            alerts: AlertsHealth {
                connected: true,
                delivered: 3,
                undelivered: 1,
                expired: 0,
                refused: vec![RefusedHealth {
                    message: "alert".into(),
                    reason: "not-authorised".into(),
                    count: 2,
                }],
                problem: None,
            },
            clock: ClockHealth { is_set: true, synchronised: Some(true), steps: 0, last_step_s: 0.0 },
            resident_bytes: 1 << 28,
        }
    }

    #[test]
    fn the_summary_names_outages_and_rates() {
        assert_eq!(
            health().summary(),
            "1 of 2 cameras streaming, OUTAGE: roads (signal loss), 3.9 detection passes and 7.8 inferences a second \
             (quay-east 100 %, roads 0 %), all water inspected within the last 1.2 s, 1 alert waiting, broker connected"
        );
    }

    #[test]
    fn an_outage_an_unset_clock_or_a_lost_broker_is_unhealthy() {
        let mut health = health();
        assert!(!health.is_healthy());
        health.cameras.truncate(1);
        assert!(health.is_healthy());
        for spoil in [
            |h: &mut Health| h.clock.is_set = false,
            |h: &mut Health| h.alerts.connected = false,
            |h: &mut Health| h.alerts.problem = Some("the broker refuses 1 alert".into()),
        ] {
            let mut spoiled = health.clone();
            spoil(&mut spoiled);
            assert!(!spoiled.is_healthy());
        }
    }
}
