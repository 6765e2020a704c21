//! What the rooms hand to the writer.

use super::acknowledgements::Acknowledgement;
use crate::camera_health::OutageChange;
use crate::camera_state::CameraChange;
use crate::clock::{ClockReading, Stamp};
use crate::detect::Detection;
use crate::ids::CameraId;
use crate::rules::{SignalEvent, Suppression, VisitEvent};
use crate::track::{Track, VesselId};

/// One thing to write. Entries are written in the order in which they are handed over.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is boxed on its way to the writer")]
pub enum Entry {
    /// A look: its detections and what became of the tracks.
    Look(LookEntry),
    /// A signal's step and, when staff are told, its alert: one transaction.
    Signal(SignalEntry),
    /// A camera changed its state.
    Camera(CameraChange),
    /// What became of an alert on its way to the broker.
    Delivery(DeliveryNote),
    /// A rule's silence; adds to the row of the same start, rule, vessel and reason.
    Suppressed(Suppression),
    /// A step in a vessel's stay at a berth.
    Visit(VisitEvent),
    /// A camera became blind, or sees again.
    Outage(OutageStep),
    /// What staff answered to a signal.
    Acknowledged(Acknowledgement),
    /// What the machine's clocks said, when that is worth a row.
    Clock(ClockReading),
}

/// The daemon's (or a replay's) start: everything written after it belongs to it.
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
    /// `run`, `replay`.
    pub mode: &'static str,
    /// Zone in which the views show local time.
    pub time_zone: String,
}

/// One look at one frame.
#[derive(Debug)]
pub struct LookEntry {
    /// Which camera.
    pub camera: CameraId,
    /// When the frame was taken.
    pub at: Stamp,
    /// The frame's number.
    pub frame_seq: u64,
    /// Frame width and height in pixels.
    pub frame_size: crate::geometry::FrameSize,
    /// What was seen, each with the vessel it was taken for.
    pub detections: Vec<(Detection, Option<VesselId>)>,
    /// Vessels that are followed, and those whose track ended with this look. Rows of open tracks keep up with them.
    pub tracks: Vec<Track>,
}

/// A signal's step.
#[derive(Debug)]
pub struct SignalEntry {
    /// What the engine said.
    pub event: SignalEvent,
    /// What staff are told, when they are.
    pub alert: Option<OutboxAlert>,
}

/// A message for staff, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxAlert {
    /// Time-ordered, unique; staff's systems drop repeats by it.
    pub id: uuid::Uuid,
    /// MQTT topic.
    pub topic: String,
    /// JSON object without the delivery fields (`published_at`, `attempt`, `historical`), which the relay adds.
    pub payload: String,
    /// JPEG with the box drawn, after privacy masks.
    pub picture: Option<Vec<u8>>,
}

/// The beginning or the end of a blind spell.
#[derive(Clone, Debug, PartialEq)]
pub struct OutageStep {
    /// The spell: the same recording and site file give the same.
    pub id: uuid::Uuid,
    /// Which camera.
    pub camera: CameraId,
    /// What became of it.
    pub change: OutageChange,
}

/// The relay's word on an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryNote {
    /// The alert's number in the outbox.
    pub seq: i64,
    /// When.
    pub at: jiff::Timestamp,
    /// How often it was sent since the last note.
    pub attempts: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The broker confirmed it.
    Delivered,
    /// Sent, the connection broke before the broker confirmed it; it stays in the outbox.
    Unconfirmed,
    /// Too old to be sent.
    Expired,
}
