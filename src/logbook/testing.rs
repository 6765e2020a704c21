//! Entries for tests.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::camera_health::{Cause, Outage, OutageChange, OutageEnd};
use crate::clock::{Clock, MonoTime, SimulatedClock, Stamp, SystemClock};
use crate::config::{Retention, Severity};
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize};
use crate::ids::{CameraId, PlaceId, RuleId};
use crate::rules::{
    Facts, Phase, SignalEvent, SignalId, Suppression, SuppressionReason, Visit, VisitEvent, VisitId,
    VisitStep,
};
use crate::track::{Track, TrackState, VesselId};

pub(crate) const BEGIN: &str = "2026-06-01T20:13:00Z";

/// `seconds` after `BEGIN`.
pub(crate) fn at(seconds: f64) -> Stamp {
    let since = SignedDuration::from_secs_f64(seconds);
    Stamp {
        mono: MonoTime::from_boot(Duration::from_secs_f64(3600.0 + seconds)),
        wall: BEGIN.parse::<Timestamp>().unwrap() + since,
    }
}

pub(crate) fn start() -> StartEntry {
    StartEntry {
        at: at(0.0),
        version: "0.1.0".into(),
        config_hash: "c0".into(),
        model_hash: "f0".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    }
}

pub(crate) fn options() -> WriterOptions {
    WriterOptions::new(Arc::new(SystemClock::default()))
}

pub(crate) fn options_at(wall: &str) -> (WriterOptions, Arc<SimulatedClock>) {
    let clock = Arc::new(SimulatedClock::new(wall.parse().unwrap()));
    (WriterOptions::new(clock.clone() as Arc<dyn Clock>), clock)
}

/// Detections and tracks are kept so long, pictures and events so long.
pub(crate) fn retention(detections: Duration, events: Duration) -> Retention {
    Retention { detections, tracks: detections, pictures: events, events, max_size: None }
}

pub(crate) fn open(path: &Path) -> (Writer, LogbookSender) {
    Writer::open(path, &start(), options()).unwrap()
}

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn camera() -> CameraId {
    CameraId::new("quay-east").unwrap()
}

pub(crate) fn vessel_at(x: f32, vessel: Option<u64>) -> (Detection, Option<VesselId>) {
    let bbox = BBox::from_xywh(x, 500.4, 120.0, 60.0);
    (Detection { class: Class::Vessel, confidence: 0.8125, bbox }, vessel.map(VesselId))
}

pub(crate) fn track(vessel: u64, state: TrackState, seconds: f64) -> Track {
    Track {
        vessel: VesselId(vessel),
        state,
        bbox: BBox::from_xywh(400.0, 500.0, 120.0, 60.0),
        detection: None,
        first_seen: at(seconds - 2.0).mono,
        first_bbox: BBox::from_xywh(390.0, 500.0, 120.0, 60.0),
        seen_bbox: BBox::from_xywh(400.0, 500.0, 120.0, 60.0),
        confidence: 0.8,
        last_seen: at(seconds).mono,
        hits: 3,
        velocity: Some([0.0; 2]),
    }
}

pub(crate) fn pass(
    seconds: f64,
    detections: Vec<(Detection, Option<VesselId>)>,
    tracks: Vec<Track>,
) -> Entry {
    Entry::Pass(PassEntry {
        camera: camera(),
        at: at(seconds),
        frame_seq: (seconds * 25.0) as u64,
        frame_size: FrameSize { width: 1920, height: 1080 },
        detections,
        tracks,
    })
}

pub(crate) fn event(number: u128, phase: Phase, seconds: f64) -> SignalEvent {
    SignalEvent {
        signal: SignalId(Uuid::from_u128(number)),
        phase,
        at: at(seconds),
        since: at(seconds - 1.0),
        camera: camera(),
        rule: RuleId::new("night-passage").unwrap(),
        rule_name: "Night passage".into(),
        kind: "presence",
        place: PlaceId::new("inner-basin").unwrap(),
        place_name: "Inner basin".into(),
        severity: Severity::Alert,
        vessel: Some(VesselId(7)),
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        facts: facts(),
        text: "vessel 7 entered Inner basin, 00:43 after curfew".into(),
        alert: true,
    }
}

/// An opened signal with its alert.
pub(crate) fn notified_signal(number: u128, seconds: f64) -> Entry {
    let alert = OutboxAlert {
        id: Uuid::from_u128(number << 64),
        topic: "havenwacht/sample-harbour/alert/quay-east/night-passage".into(),
        payload: format!(r#"{{"schema":1,"number":{number}}}"#),
        picture: None,
    };
    Entry::Signal(SignalEntry { event: event(number, Phase::Opened, seconds), alert: Some(alert) })
}

pub(crate) fn signal_step(number: u128, phase: Phase, seconds: f64) -> Entry {
    Entry::Signal(SignalEntry { event: event(number, phase, seconds), alert: None })
}

pub(crate) fn facts() -> Facts {
    Facts {
        condition: "a vessel is in Inner basin for 1s".into(),
        measured: 1.5,
        threshold: 1.0,
        margin: 0.0,
        unit: "s",
        schedule: "every day 21:30 to 05:30 the next day".into(),
    }
}

/// `times` passes up to the second, at four passes a second.
pub(crate) fn suppression(reason: SuppressionReason, seconds: f64, times: u32) -> Suppression {
    Suppression {
        camera: camera(),
        rule: RuleId::new("night-passage").unwrap(),
        vessel: Some(VesselId(7)),
        reason,
        since: at(seconds - f64::from(times - 1) * 0.25).wall,
        at: at(seconds),
        times,
        facts: facts(),
        text: "vessel 7 is in Inner basin; live again at 21:30".into(),
    }
}

/// Of the vessel with the same number as the visit, since second 0.
pub(crate) fn visit(number: u64, step: VisitStep, seconds: f64) -> VisitEvent {
    let visit = Visit {
        id: VisitId(Uuid::from_u128(number.into())),
        camera: camera(),
        berth: PlaceId::new("berth-3").unwrap(),
        vessel: VesselId(number),
        began: at(0.0).wall,
        arrived: true,
        last_seen: at(seconds).wall,
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        length_m: None,
        ended: None,
    };
    VisitEvent { step, at: at(seconds), visit }
}

/// A camera outage that began at this second, and its end.
pub(crate) fn outage(number: u128, cause: Cause, began: f64, ended: Option<(f64, OutageEnd)>) -> OutageStep {
    let reading = (cause != Cause::SignalLoss).then_some(15.0);
    let text = cause.in_words().to_owned();
    let outage = Outage { cause, began: at(began), measured: reading, threshold: reading, unit: "s", text };
    let change = match ended {
        Some((seconds, how)) => OutageChange::Ended(outage, at(seconds), how),
        None => OutageChange::Began(outage),
    };
    OutageStep { id: Uuid::from_u128(number), camera: camera(), change }
}

/// One column of text, as plain `sqlite3` would show it.
pub(crate) fn column(path: &Path, query: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let shown = |row: &rusqlite::Row<'_>| {
        Ok(match row.get(0)? {
            rusqlite::types::Value::Null => String::new(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(bytes) => format!("{} bytes", bytes.len()),
        })
    };
    statement.query_map([], shown).unwrap().collect::<Result<_, _>>().unwrap()
}
