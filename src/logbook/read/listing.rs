//! What can be listed and exported, and from which columns of which view.

/// Rows of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Every box of every detection pass.
    Detections,
    /// Every track of a vessel.
    Tracks,
    /// Every signal.
    Signals,
    /// Every message to staff.
    Alerts,
    /// Every change of a camera's state.
    CameraStates,
    /// Every suppressed signal: a rule's condition held, and nothing was sent.
    Suppressed,
    /// Every stay at a berth.
    Visits,
    /// Every reading of the machine's clocks.
    Clock,
    /// Every time in which a camera gave no usable picture.
    Outages,
}

/// How rows are read.
pub(super) struct View {
    pub(super) name: &'static str,
    /// The column that numbers the rows in the order of writing.
    pub(super) key: &'static str,
    /// The UTC time that a row must have reached for [`Filter::since`](super::reader::Filter::since).
    pub(super) time: &'static str,
    /// The expression for [`Filter::rule`](super::reader::Filter::rule).
    pub(super) rule: &'static str,
    /// Columns of a list on a terminal.
    pub(super) listed: &'static str,
    /// Columns of an export.
    pub(super) exported: &'static str,
}

impl Listing {
    /// How it is read.
    pub(super) fn view(self) -> &'static View {
        match self {
            Self::Detections => &DETECTIONS,
            Self::Tracks => &TRACKS,
            Self::Signals => &SIGNALS,
            Self::Alerts => &ALERTS,
            Self::CameraStates => &CAMERA_STATES,
            Self::Suppressed => &SUPPRESSED,
            Self::Visits => &VISITS,
            Self::Clock => &CLOCK,
            Self::Outages => &OUTAGES,
        }
    }
}

const DETECTIONS: View = View {
    name: "v_detections",
    key: "detection",
    time: "utc",
    rule: "NULL",
    listed: "local_time, camera, vessel, class, confidence, x, y, width, height",
    exported: "utc, local_time, camera, vessel, class, confidence, x, y, width, height, frame, frame_width, \
               frame_height",
};

const TRACKS: View = View {
    name: "v_tracks",
    key: "vessel",
    time: "last_seen_utc",
    rule: "NULL",
    listed: "vessel, camera, first_seen, last_seen, seconds, detections, state",
    exported: "vessel, camera, first_seen_utc, last_seen_utc, first_seen, last_seen, seconds, detections, \
               state, x, y, width, height",
};

const SIGNALS: View = View {
    name: "v_signals",
    key: "seq",
    time: "opened_utc",
    rule: "rule_id",
    listed: "seq, opened, closed, severity, rule_id AS rule, camera, vessel, notified, text",
    exported: "id, opened_utc, closed_utc, since_utc, opened, closed, closed_by, severity, rule_id, rule, \
               kind, camera, place_id, place, vessel, notified, acknowledged, condition, measured, threshold, margin, \
               unit, schedule, config_hash, text",
};

const ALERTS: View = View {
    name: "v_alerts",
    key: "seq",
    time: "utc",
    rule: "rule_id",
    listed: "seq, local_time, phase, severity, rule_id AS rule, camera, vessel, delivery, attempts, text",
    exported: "id, utc, local_time, phase, severity, rule_id, rule, camera, vessel, topic, picture_bytes, \
               delivery, delivered, attempts, text",
};

const CAMERA_STATES: View = View {
    name: "v_camera_state",
    key: "id",
    time: "utc",
    rule: "NULL",
    listed: "local_time, camera, state, reason, retries",
    exported: "utc, local_time, camera, state, reason, retries",
};

const SUPPRESSED: View = View {
    name: "v_suppressed",
    key: "id",
    time: "last_utc",
    rule: "rule",
    listed: "first, last, times, rule, camera, vessel, reason, text",
    exported: "first_utc, last_utc, first, last, times, rule, camera, vessel, reason, condition, measured, \
               threshold, margin, unit, schedule, config_hash, text",
};

const VISITS: View = View {
    name: "v_visits",
    key: "seq",
    time: "last_seen_utc",
    rule: "NULL",
    listed: "began, last_seen, ended, how, camera, berth, vessel, arrival, hours, length_m",
    exported: "id, began_utc, last_seen_utc, ended_utc, began, last_seen, ended, how, camera, berth, vessel, \
               arrival, hours, length_m, x0, y0, x1, y1",
};

const CLOCK: View = View {
    name: "(SELECT *, NULL AS camera FROM v_clock)",
    key: "id",
    time: "utc",
    rule: "NULL",
    listed: "local_time, reason, clock_set, synchronised, stepped_s, later_steps_s, true_utc, start",
    exported: "utc, local_time, reason, clock_set, synchronised, stepped_s, later_steps_s, true_utc, \
               seconds_since_boot, boot, start",
};

const OUTAGES: View = View {
    name: "v_camera_outages",
    key: "seq",
    time: "ifnull(ended_utc, '9')",
    rule: "NULL",
    listed: "began, ended, seconds, camera, cause, ended_by, text",
    exported: "id, began_utc, ended_utc, began, ended, seconds, camera, cause, ended_by, measured, threshold, \
               unit, text",
};
