//! Entries: what other modules hand to the writer.

use jiff::Timestamp;
use strum::{Display, EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::camera_health::OutageChange;
use crate::camera_state::CameraChange;
use crate::clock::{ClockReading, Stamp};
use crate::detect::Detection;
use crate::geometry::FrameSize;
use crate::ids::CameraId;
use crate::rules::{SignalEvent, SignalId, Suppression, VisitEvent};
use crate::track::{Track, VesselId};

/// Something to write. Entries are written in the order in which they are handed over.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is boxed on its way to the writer")]
pub enum Entry {
    /// A detection pass: its detections, and the tracks after it.
    Pass(PassEntry),
    /// A step of a signal and, when staff are notified, its alert: one transaction.
    Signal(SignalEntry),
    /// A camera changed its state.
    CameraState(CameraChange),
    /// What happened to an alert on its way to the broker.
    Delivery(DeliveryNote),
    /// A signal that a rule suppressed. Adds to the row of the same start, camera, rule, vessel and reason.
    Suppressed(Suppression),
    /// A step of a vessel's stay at a berth.
    Visit(VisitEvent),
    /// The beginning or the end of a camera outage.
    Outage(OutageStep),
    /// Staff acknowledged a signal.
    Acknowledgement(Acknowledgement),
    /// A reading of the machine's clocks.
    Clock(ClockReading),
}

/// A start of the daemon, a replay or another writer. Everything that is written after it belongs to it.
#[derive(Clone, Debug)]
pub struct StartEntry {
    /// When.
    pub at: Stamp,
    /// Version of Havenwacht.
    pub version: String,
    /// Hash of the site file.
    pub config_hash: String,
    /// Hash of the model file.
    pub model_hash: String,
    /// What writes: `run`, `replay`, `erase`.
    pub mode: &'static str,
    /// IANA name of the zone in which the views show local time.
    pub time_zone: String,
}

/// One detection pass over one frame.
#[derive(Debug)]
pub struct PassEntry {
    /// The camera.
    pub camera: CameraId,
    /// When the frame was taken.
    pub at: Stamp,
    /// The frame's number in the session.
    pub frame_seq: u64,
    /// Frame width and height in pixels.
    pub frame_size: FrameSize,
    /// The detections, each with the vessel that it was assigned to.
    pub detections: Vec<(Detection, Option<VesselId>)>,
    /// The tracks that are confirmed or lost, and those that ended with this pass.
    pub tracks: Vec<Track>,
}

/// A step of a signal.
#[derive(Debug)]
pub struct SignalEntry {
    /// What the rules engine reported.
    pub event: SignalEvent,
    /// The message to staff, when they are notified.
    pub alert: Option<OutboxAlert>,
}

/// A message to staff, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxAlert {
    /// Unique, and ordered by time. Receivers recognise repeats by it.
    pub id: Uuid,
    /// MQTT topic.
    pub topic: String,
    /// JSON object without the delivery fields (`published_at`, `attempt`, `historical`), which the relay adds.
    pub payload: String,
    /// JPEG with the box drawn, after privacy masks.
    pub picture: Option<Vec<u8>>,
}

/// The beginning or the end of a camera outage.
#[derive(Clone, Debug, PartialEq)]
pub struct OutageStep {
    /// The outage. The same recording and site file give the same id.
    pub id: Uuid,
    /// The camera.
    pub camera: CameraId,
    /// What happened.
    pub change: OutageChange,
}

/// Staff's acknowledgement of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The signal.
    pub signal: SignalId,
    /// When it was given.
    pub at: Timestamp,
    /// By whom, as they call themselves.
    pub by: String,
    /// Acknowledged or false alarm.
    pub verdict: StaffVerdict,
    /// Remark; may be empty.
    pub note: String,
}

/// The content of an acknowledgement.
#[derive(Clone, Copy, Debug, Display, EnumString, Eq, IntoStaticStr, PartialEq)]
#[strum(serialize_all = "lowercase")]
pub enum StaffVerdict {
    /// Somebody takes care of it.
    Acknowledged,
    /// It was nothing.
    #[strum(serialize = "false alarm")]
    FalseAlarm,
}

impl StaffVerdict {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What happened to an alert, reported by the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryNote {
    /// The alert's number in the outbox.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// How often it was sent since the last note.
    pub attempts: u32,
    /// What happened.
    pub outcome: DeliveryOutcome,
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The broker confirmed it.
    Delivered,
    /// It was sent, and the connection broke before the broker confirmed it; it stays in the outbox.
    Unconfirmed,
    /// Too old to be sent.
    Expired,
}
