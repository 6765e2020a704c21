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
    /// Topic segment and name of the box.
    pub id: SiteId,
    /// What staff call it.
    pub name: String,
    /// In which schedules are read.
    pub time_zone: TimeZone,
    /// Where it is, for the times of the sun; always there where a schedule speaks of the sun.
    pub position: Option<GeoPosition>,
    /// Days that schedules may except or single out.
    pub holidays: Holidays,
    /// The detector.
    pub model: Model,
    /// Where alerts go.
    pub broker: Broker,
    /// The logbook file.
    pub logbook: PathBuf,
    /// Where the key is read from that signs the chain of events; `None` where it is not signed.
    pub signing_key: Option<SecretSource>,
    /// How long rows are kept.
    pub retention: Retention,
    /// Where metrics and the health page listen.
    pub health: SocketAddr,
    /// In the order of the file, never empty.
    pub cameras: Vec<Camera>,
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// SHA-256 of the file's bytes and of its list of holidays, in hex: which configuration a logbook row was made under.
    pub hash: String,
}

/// The detector's files.
#[derive(Clone, Debug)]
pub struct Model {
    /// Manifest beside the model file.
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
    /// User and where the password comes from.
    pub login: Option<Login>,
}

/// A user name and the place of its password. Never the password.
#[derive(Clone, Debug)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Where the password is read from when it is needed.
    pub password: SecretSource,
}

/// How long rows are kept, and how large the logbook may be.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Looks with their detections.
    pub detections: Duration,
    /// One row for each vessel that was followed.
    pub tracks: Duration,
    /// Pictures of alerts.
    pub pictures: Duration,
    /// Signals with their answers, alerts, silences, visits that have ended, camera states, blind spells, clock readings.
    pub events: Duration,
    /// Bytes; what is beyond goes, the oldest first: detections, then pictures, then events of more than 30 days ago.
    pub max_size: Option<u64>,
}

/// How RTP packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtpTransport {
    /// Interleaved in the RTSP connection.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Where a camera's frames come from.
#[derive(Clone, Debug)]
pub enum Stream {
    /// `rtsp://` or `rtsps://`, without credentials.
    Rtsp {
        /// The camera's address.
        url: url::Url,
        /// Asked of the camera.
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
    /// Topic segment, logbook name.
    pub id: CameraId,
    /// What staff call it.
    pub name: String,
    /// Where frames come from.
    pub stream: Stream,
    /// What it sends.
    pub codec: Codec,
    /// How often the detector should look; what the box can give may be less.
    pub detect_fps: f32,
    /// Whether the sweep covers the frame as a whole.
    pub whole_frame: bool,
    /// Regions looked at besides: the tiles of the sweep.
    pub regions: Vec<BBox<Norm>>,
    /// Where vessels can be; `None`: wherever the camera looks.
    pub water: Option<Polygon>,
    /// A picture older than this means the camera has stalled.
    pub stall_after: Duration,
    /// Time for the first picture of a session.
    pub first_frame_within: Duration,
    /// Where on the ground it sees what, if it was surveyed.
    pub calibration: Option<Calibration>,
    /// Blacked out before a picture leaves memory.
    pub privacy_masks: Vec<Polygon>,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Site {
    /// How far back rules look at visits that are over.
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
            Some(format!("rule {} was to be reviewed{owner} until {due}: is it still right?", rule.id))
        })
    }
}
