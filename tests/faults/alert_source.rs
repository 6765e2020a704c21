//! The daemon's writer and relay in this process, without cameras: tests raise alerts by the thousand, at the cost of
//! their commits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use havenwacht::alerts::{Relay, RelayStats, payload};
use havenwacht::clock::{Clock, SystemClock};
use havenwacht::config::{Severity, Site, check_text};
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::ids::{CameraId, PlaceId, RuleId};
use havenwacht::logbook::{
    Entry, LogbookError, LogbookSender, PassEntry, SignalEntry, StartEntry, Writer, WriterOptions,
};
use havenwacht::rules::{Facts, Phase, SignalEvent, SignalId};
use havenwacht::track::VesselId;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::paths::root;

/// The cameras of the site.
pub(crate) const CAMERAS: [&str; 2] = ["inner-harbour", "quay-east"];

/// A site of two cameras whose broker is at `port`.
pub(crate) fn site(folder: &Path, port: u16) -> Site {
    let mut text = format!(
        "[site]\nid = \"test-harbour\"\ntime_zone = \"Europe/Amsterdam\"\n[model]\nmanifest = \"{root}/models/havenwacht.toml\"\n\
         runtime = \"{root}/models/runtime/libonnxruntime.so\"\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\n\
         [logbook]\npath = \"logbook.sqlite\"\n",
        root = root().display()
    );
    for id in CAMERAS {
        text += &format!(
            "[[camera]]\nid = \"{id}\"\nurl = \"rtsp://127.0.0.1:9/{id}\"\ncodec = \"h264\"\ndetect_fps = 3.0\n\
             [[zone]]\nid = \"{id}-all\"\nname = \"All of {id}\"\ncamera = \"{id}\"\n\
             polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n\
             [[rule]]\nid = \"{id}-seen\"\nname = \"Vessel seen\"\nkind = \"presence\"\nzone = \"{id}-all\"\n\
             severity = \"info\"\nconfirm = \"0s\"\nclear = \"2s\"\ncooldown = \"5s\"\n"
        );
    }
    check_text("site.toml", &text, folder).unwrap().0
}

/// Opens the logbook at `path` as the daemon does.
pub(crate) fn open(path: &Path) -> (Writer, LogbookSender) {
    try_open(path).unwrap()
}

/// As [`open`], where opening may fail.
pub(crate) fn try_open(path: &Path) -> Result<(Writer, LogbookSender), LogbookError> {
    let clock = SystemClock::default();
    let start = StartEntry {
        at: clock.now(),
        version: "0".into(),
        config_hash: "0".into(),
        model_hash: "0".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    };
    Writer::open(path, &start, WriterOptions::new(Arc::new(clock)))
}

/// Signal number `number`, which opens now, with its alert. Odd numbers belong to the second camera.
pub(crate) fn signal_entry(site: &Site, number: u64, picture: Option<Vec<u8>>) -> SignalEntry {
    let id = CAMERAS[usize::from(number % 2 == 1)];
    let at = SystemClock::default().now();
    let event = SignalEvent {
        // Unique over all starts of a logbook.
        signal: SignalId(Uuid::now_v7()),
        phase: Phase::Opened,
        at,
        since: at,
        camera: CameraId::new(id).unwrap(),
        rule: RuleId::new(&format!("{id}-seen")).unwrap(),
        rule_name: "Vessel seen".into(),
        kind: "presence",
        place: PlaceId::new(&format!("{id}-all")).unwrap(),
        place_name: format!("All of {id}"),
        severity: Severity::Info,
        vessel: Some(VesselId(number + 1)),
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        facts: Facts {
            condition: "a vessel is in the picture".into(),
            measured: 1.0,
            threshold: 1.0,
            margin: 0.0,
            unit: "s",
            schedule: "always".into(),
        },
        text: format!("vessel {} entered", number + 1),
        alert: true,
    };
    let alert = payload::alert(&event, site, id, picture);
    SignalEntry { event, alert: Some(alert) }
}

/// A detection pass with five detections.
pub(crate) fn pass_entry(number: u64) -> Entry {
    let detection = |i: u8| {
        let bbox = BBox::from_xywh(f32::from(i) * 90.0, 400.0, 80.0, 40.0);
        (Detection { class: Class::Vessel, confidence: 0.8, bbox }, None)
    };
    Entry::Pass(PassEntry {
        camera: CameraId::new(CAMERAS[0]).unwrap(),
        at: SystemClock::default().now(),
        frame_seq: number,
        frame_size: FrameSize { width: 1920, height: 1080 },
        detections: (0..5).map(detection).collect(),
        tracks: Vec::new(),
    })
}

/// A writer and a relay.
pub(crate) struct AlertSource {
    pub(crate) folder: TempDir,
    pub(crate) site: Site,
    pub(crate) writer: Writer,
    pub(crate) logbook: LogbookSender,
    relay: Option<Relay>,
    runtime: Runtime,
    raised: u64,
}

impl AlertSource {
    /// A new logbook. The relay does not run yet; it will connect to a broker at `port`.
    pub(crate) fn new(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (writer, logbook) = open(&folder.path().join("logbook.sqlite"));
        let site = site(folder.path(), port);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { folder, site, writer, logbook, relay: None, runtime, raised: 0 }
    }

    /// Starts the relay. Acknowledgements are ignored.
    pub(crate) fn start_relay(&mut self) -> Arc<RelayStats> {
        let (acknowledged, _) = std::sync::mpsc::sync_channel(1);
        let clock = Arc::new(SystemClock::default());
        let relay = Relay::start(&self.runtime, &self.site, &self.writer, clock, acknowledged, || ());
        self.relay.insert(relay).stats()
    }

    /// Raises an alert.
    pub(crate) fn raise(&mut self, picture: Option<Vec<u8>>) {
        let entry = signal_entry(&self.site, self.raised, picture);
        self.raised += 1;
        self.logbook.send(Entry::Signal(entry)).unwrap();
    }

    /// Raises `count` alerts and waits until they are on disk.
    pub(crate) fn raise_many(&mut self, count: u64) {
        (0..count).for_each(|_| self.raise(None));
        self.writer.flush(Duration::from_secs(20)).unwrap();
    }

    /// Number of alerts in the logbook that meet the SQL condition.
    pub(crate) fn count(&self, condition: &str) -> u64 {
        count(&self.path(), condition)
    }

    /// Ids of all alerts, in the order of the outbox.
    pub(crate) fn ids(&self) -> Vec<String> {
        ids(&self.path())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("logbook.sqlite")
    }
}

/// Stops the relay, so that a broker in this process sees the end of the session.
impl Drop for AlertSource {
    fn drop(&mut self) {
        if let Some(relay) = self.relay.take() {
            self.runtime.block_on(relay.stop(Duration::from_secs(2)));
        }
    }
}

/// Number of alerts in the logbook at `path` that meet the SQL condition.
pub(crate) fn count(path: &Path, condition: &str) -> u64 {
    let logbook = Connection::open(path).unwrap();
    logbook
        .query_row(&format!("select count(*) from alert where {condition}"), [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs()
}

/// Ids of all alerts of the logbook at `path`, in the order of the outbox.
pub(crate) fn ids(path: &Path) -> Vec<String> {
    let logbook = Connection::open(path).unwrap();
    let mut rows = logbook.prepare("select id from alert order by seq").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
