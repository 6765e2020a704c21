//! The checked site file: every value in its domain type, every reference resolved.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::secret::SecretSource;
use crate::codec::Codec;
use crate::geometry::{BBox, Calibration, Norm, Polygon};
use crate::ids::{CameraId, SiteId};
use crate::rules::{Calendar, CameraRules, GeoPosition, Holidays, Line, Rule, Zone};

/// A whole site file, checked.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in topics.
    pub id: SiteId,
    /// The name that staff read.
    pub name: String,
    /// The time zone of schedules and of local times.
    pub time_zone: TimeZone,
    /// Its position, for sunrise and sunset. Present where a schedule uses the sun.
    pub position: Option<GeoPosition>,
    /// Days that schedules can include or exclude.
    pub holidays: Holidays,
    /// The detector.
    pub model: ModelConfig,
    /// The broker that gets the alerts.
    pub broker: Broker,
    /// The logbook file.
    pub logbook: PathBuf,
    /// The source of the key that signs the chain of events; `None` without signatures.
    pub signing_key: Option<SecretSource>,
    /// How long rows are kept.
    pub retention: Retention,
    /// The address of the health page and the metrics.
    pub health: SocketAddr,
    /// In the order of the file, never empty.
    pub cameras: Vec<Camera>,
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// SHA-256 of the site file and its holidays, in hex. The logbook has it for each start.
    pub hash: String,
}

/// The detector's files.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The manifest beside the model file.
    pub manifest: PathBuf,
    /// ONNX Runtime's shared library.
    pub runtime: PathBuf,
    /// Threads one inference may use.
    pub threads: u16,
}

/// The MQTT broker.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name and the source of the password.
    pub login: Option<Login>,
    /// How the connection is encrypted; `None`: not at all.
    pub tls: Option<BrokerTls>,
}

/// How the connection to the broker is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerTls {
    /// PEM file with the certificates of the authorities that may have signed the broker's.
    pub ca_file: PathBuf,
    /// What this box shows.
    pub client: Option<ClientCertificate>,
    /// The name in the broker's certificate, where it is not the host.
    pub server_name: Option<String>,
}

/// The certificate by which the broker knows this box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file.
    pub cert_file: PathBuf,
    /// The source of its private key, which is read when it is needed.
    pub key: SecretSource,
}

/// A user name and the source of its password.
#[derive(Clone, Debug)]
pub struct Login {
    /// User name.
    pub username: String,
    /// The source of the password, which is read when it is needed.
    pub password: SecretSource,
}

/// How long rows are kept, and how large the logbook may be.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Detection passes with their detections.
    pub detections: Duration,
    /// Tracks, a row for each vessel.
    pub tracks: Duration,
    /// Pictures of alerts.
    pub pictures: Duration,
    /// Signals with acknowledgements, alerts, suppressions, ended visits, camera states, camera outages, clock readings.
    pub events: Duration,
    /// Bytes. Above it the oldest rows are deleted: detections, then pictures, then events older than 30 days.
    pub max_size: Option<u64>,
}

/// The transport of RTP packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtpTransport {
    /// Over the RTSP connection (interleaved).
    Tcp,
    /// In UDP datagrams.
    Udp,
}

/// The source of a camera's frames.
#[derive(Clone, Debug)]
pub enum Stream {
    /// `rtsp://` or `rtsps://`, without credentials.
    Rtsp {
        /// The camera's address.
        url: url::Url,
        /// The transport to request.
        transport: RtpTransport,
        /// User and password, given to the source element, never part of the URL.
        login: Option<Login>,
    },
    /// A recording, played once in real time (`run`) or as fast as possible (`replay`).
    Clip(PathBuf),
}

/// A configured camera.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Its name in topics and in the logbook.
    pub id: CameraId,
    /// The name that staff read.
    pub name: String,
    /// The source of its frames.
    pub stream: Stream,
    /// The codec that it sends.
    pub codec: Codec,
    /// Wanted detection passes a second. A slow box gives fewer.
    pub detect_fps: f32,
    /// The false vessels per day that tracks are confirmed for.
    pub false_vessels_per_day: f32,
    /// Whether the sweep includes the whole frame.
    pub whole_frame: bool,
    /// The tiles of the sweep, where the site file gives them.
    pub regions: Vec<BBox<Norm>>,
    /// Where vessels can be; `None`: in the whole picture.
    pub water: Option<Polygon>,
    /// The camera has stalled when its last frame is older than this.
    pub stall_after: Duration,
    /// Time limit for the first frame of a session.
    pub first_frame_within: Duration,
    /// Its calibration, if it has surveyed points.
    pub calibration: Option<Calibration>,
    /// Made black before a picture leaves memory.
    pub privacy_masks: Vec<Polygon>,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Site {
    /// How far back rules need visits that have ended.
    pub fn visit_history(&self) -> Duration {
        self.rules.iter().map(|rule| rule.condition.history()).max().unwrap_or_default()
    }

    /// By what schedules are read.
    pub fn calendar(&self) -> Calendar {
        let Self { time_zone, position, holidays, .. } = self;
        Calendar { time_zone: time_zone.clone(), position: *position, holidays: holidays.clone() }
    }

    /// `camera` with its rules, for the engine.
    pub fn rules_of(&self, camera: &Camera) -> CameraRules {
        CameraRules {
            camera: camera.id.clone(),
            camera_name: camera.name.clone(),
            zones: camera.zones.clone(),
            calibration: camera.calibration.clone(),
            rules: self.rules.iter().filter(|rule| rule.camera == camera.id).cloned().collect(),
            calendar: self.calendar(),
        }
    }

    /// The rules whose review is overdue on `today`, in words.
    pub fn overdue(&self, today: Date) -> impl Iterator<Item = String> {
        self.rules.iter().filter_map(move |rule| {
            let due = rule.review_by.filter(|due| *due < today)?;
            let owner = rule.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
            Some(format!("the review of rule {}{owner} was due on {due}: is it still right?", rule.id))
        })
    }
}
