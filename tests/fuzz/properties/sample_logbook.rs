//! Logbooks with sample entries of one night.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use havenwacht::clock::{MonoTime, SimulatedClock, Stamp};
use havenwacht::config::Severity;
use havenwacht::geometry::BBox;
use havenwacht::ids::{CameraId, PlaceId, RuleId};
use havenwacht::logbook::{LogbookSender, StartEntry, Writer, WriterOptions};
use havenwacht::rules::{Facts, Phase, SignalEvent, SignalId};
use havenwacht::track::VesselId;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The limit for writes; longer than any disk takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// When the daemon started; all entries are within the next hour.
pub(crate) const START: Timestamp = Timestamp::constant(1_780_344_780, 0);

/// The time `milliseconds` after [`START`].
pub(crate) fn at(milliseconds: u32) -> Stamp {
    Stamp {
        mono: MonoTime::from_boot(Duration::from_millis(u64::from(milliseconds) + 3_600_000)),
        wall: START + SignedDuration::from_millis(milliseconds.into()),
    }
}

/// Opens a new logbook in Dutch time.
pub(crate) fn open(path: &Path) -> (Writer, LogbookSender) {
    let start = StartEntry {
        at: at(0),
        version: "0.1.0".into(),
        config_hash: "c0".into(),
        model_hash: "f0".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    };
    let options = WriterOptions::new(Arc::new(SimulatedClock::new(START)));
    Writer::open(path, &start, options).expect("a new logbook")
}

/// A signal about vessel 7 at night.
pub(crate) fn event(id: Uuid, phase: Phase, at: Stamp) -> SignalEvent {
    SignalEvent {
        signal: SignalId(id),
        phase,
        at,
        since: at.before(Duration::from_secs(2)),
        camera: CameraId::new("quay-east").expect("a name"),
        rule: RuleId::new("night-passage").expect("a name"),
        rule_name: "Night passage".into(),
        kind: "presence",
        place: PlaceId::new("inner-basin").expect("a name"),
        place_name: "Inner basin".into(),
        severity: Severity::Alert,
        vessel: Some(VesselId(7)),
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        facts: Facts {
            condition: "a vessel is in Inner basin\r\nfor 2s".into(),
            measured: 2.5,
            threshold: 2.0,
            margin: 0.0,
            unit: "s",
            schedule: "every day 21:30 to 05:30 the next day".into(),
        },
        text: "vessel 7 entered \"Inner basin\", 00:43 after curfew".into(),
        alert: true,
    }
}
