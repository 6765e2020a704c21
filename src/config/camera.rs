//! `[[camera]]`.

use std::time::Duration;

use url::Url;

use super::collector::{Located, Location};
use super::host::{ADDRESS_HELP, is_impossible_address};
use super::reader::{TableReader, ValueReader, short};
use super::site::{Camera, RtpTransport, Stream};
use super::{calibration, credentials, files, identifier, shapes};
use crate::codec::Codec;
use crate::ids::CameraId;

/// One an hour: most rules need more than a false vessel to raise a false signal.
const FALSE_VESSELS_PER_DAY: f32 = 24.0;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A camera as far as it could be read.
pub(super) struct CameraDraft {
    pub(super) place: Location,
    pub(super) id: Option<Located<String>>,
    pub(super) url: Option<Located<String>>,
    /// Without its zones and lines.
    pub(super) camera: Option<Camera>,
}

impl CameraDraft {
    pub(super) fn read(table: &TableReader<'_>) -> Self {
        let id = table.required("id", "\"quay-east\"", identifier::identifier);
        let name = identifier::name_or(table, id.as_ref());
        let url = table.required("url", "\"rtsp://192.0.2.10:554/stream1\"", |item| {
            source(item).map(|found| item.at(found))
        });
        let codecs: Vec<_> = Codec::all().iter().map(|codec| (codec.spec().key, *codec)).collect();
        let codec =
            table.required("codec", "\"h264\" or \"h265\": the camera's own web page shows which", |item| {
                item.choice(&codecs)
            });
        let transport = table.optional("transport", |item| {
            item.choice(&[("tcp", RtpTransport::Tcp), ("udp", RtpTransport::Udp)])
        });
        let login = credentials::login(table);
        let detect_fps = table
            .optional("detect_fps", |item| item.number(0.1..=30.0, "detection passes a second"))
            .unwrap_or(4.0);
        let false_vessels_per_day = table
            .optional("false_vessels_per_day", |item| item.number(0.01..=10000.0, "false vessels a day"))
            .unwrap_or(FALSE_VESSELS_PER_DAY.into());
        let whole_frame = table.optional("whole_frame", ValueReader::boolean).unwrap_or(true);
        let regions = list(table, "regions", shapes::region);
        let water = table.optional("water", |item| shapes::polygon(item, "water"));
        let stall_after = table.optional("stall_after", |item| item.duration(SECOND..=MINUTE * 10));
        let first_frame_within =
            table.optional("first_frame_within", |item| item.duration(SECOND..=MINUTE * 10));
        let privacy_masks = list(table, "privacy_masks", |item| shapes::polygon(item, "mask"));
        let calibration = table.section("calibration", None).map(|table| calibration::read(&table));

        if !whole_frame
            && table.get("water").is_none()
            && table.get("regions").is_none_or(|item| item.list().is_some_and(|l| l.is_empty()))
        {
            let help = "leave whole_frame = false out, or add water = [[x, y], ...] or regions = [[left, top, right, bottom]]";
            table.collector.error(
                &table.place,
                "has nothing to inspect: no whole frame, no water and no regions",
                help,
            );
        }
        if whole_frame && let Some(item) = table.get("regions") {
            for (index, region) in regions.iter().enumerate() {
                if region.area() > 0.98 {
                    let place = item.place.item(index, item.place.span.clone());
                    let help = "leave this region out, or set whole_frame = false";
                    table.collector.warning(
                        &place,
                        "is the whole frame, which the sweep includes already",
                        help,
                    );
                }
            }
        }
        let stream = match &url {
            Some(Located { value: StreamAddress::Clip(path), .. }) => {
                for key in ["transport", "username", "password_file", "password_credential"] {
                    if let Some(item) = table.get(key) {
                        item.error(
                            "has no meaning for a recording",
                            "leave it out, or give an rtsp:// address",
                        );
                    }
                }
                Some(Stream::Clip(path.clone()))
            }
            Some(Located { value: StreamAddress::Rtsp(url), .. }) => {
                let transport = transport.unwrap_or(RtpTransport::Tcp);
                Some(Stream::Rtsp { url: url.clone(), transport, login })
            }
            None => None,
        };
        let camera = || {
            Some(Camera {
                id: CameraId::new(&id.as_ref()?.value).ok()?,
                name: name?,
                stream: stream?,
                codec: codec?,
                detect_fps: detect_fps as f32,
                false_vessels_per_day: false_vessels_per_day as f32,
                whole_frame,
                regions,
                water,
                stall_after: stall_after.unwrap_or(SECOND * 5),
                first_frame_within: first_frame_within.unwrap_or(SECOND * 15),
                privacy_masks,
                calibration: match calibration {
                    None => None,
                    Some(read) => Some(read?),
                },
                zones: Vec::new(),
                lines: Vec::new(),
            })
        };
        let camera = camera();
        let url = url.map(|url| Located { value: url.value.to_string(), place: url.place });
        Self { place: table.place.clone(), id, url, camera }
    }
}

fn list<'a, T>(
    table: &TableReader<'a>,
    key: &'static str,
    read: impl Fn(&ValueReader<'a>) -> Option<T>,
) -> Vec<T> {
    table.optional(key, ValueReader::list).unwrap_or_default().iter().filter_map(read).collect()
}

enum StreamAddress {
    Rtsp(Url),
    Clip(std::path::PathBuf),
}

impl std::fmt::Display for StreamAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rtsp(url) => url.fmt(f),
            Self::Clip(path) => path.display().fmt(f),
        }
    }
}

/// Where frames come from. No message repeats an address that may hold a password.
fn source(item: &ValueReader<'_>) -> Option<StreamAddress> {
    let text = item.text()?;
    let Some((scheme, rest)) = text.split_once("://") else {
        if text.contains('@') {
            item.error("is no rtsp:// address, and seems to hold a password", credentials::HELP);
            return None;
        }
        let meaning = "a recording to play, or the address of a camera: rtsp://192.0.2.10:554/stream1";
        return files::existing(item, meaning).map(StreamAddress::Clip);
    };
    if seems_to_hold_a_login(rest) {
        item.error("holds a user name or a password: addresses end up in logs", credentials::HELP);
        return None;
    }
    let lower = rest.to_lowercase();
    if ["password=", "passwd=", "pwd=", "pass="].iter().any(|key| lower.contains(key)) {
        let help = format!("{}; most cameras take that too", credentials::HELP);
        item.error("holds a password in its path: addresses end up in logs", help);
        return None;
    }
    if !matches!(scheme, "rtsp" | "rtsps") {
        let help = match scheme {
            "file" => "a recording is given as a plain path, without file://",
            "http" | "https" => {
                "not the camera's web page: its RTSP address, such as rtsp://192.0.2.10:554/stream1"
            }
            _ => "an address that begins with rtsp:// or rtsps://, or the path of a recording",
        };
        item.error(format!("{}:// is not understood", short(scheme)), help);
        return None;
    }
    match Url::parse(text) {
        Ok(url) if url.host_str().is_none_or(str::is_empty) => {
            item.error("names no host", "rtsp://192.0.2.10:554/stream1");
            None
        }
        Ok(url) if url.host_str().is_some_and(is_impossible_address) => {
            item.error(format!("{} is no address", short(url.host_str().unwrap_or_default())), ADDRESS_HELP);
            None
        }
        Ok(url) if url.port() == Some(0) => {
            item.error("port 0 is no port", "554 is RTSP's own, and can be left out");
            None
        }
        Ok(url) => {
            warn_of_a_secret(item, &url);
            Some(StreamAddress::Rtsp(url))
        }
        Err(cause) => {
            item.error(format!("is no address: {cause}"), "rtsp://192.0.2.10:554/stream1");
            None
        }
    }
}

/// Whether an address, without its scheme, seems to hold a user name or a password. Some cameras have an @ in their path
/// (`/cam@1`); and a password with a slash in it (`user:pa/ss@host`) pushes its own @ into what looks like the path.
fn seems_to_hold_a_login(rest: &str) -> bool {
    let (authority, path) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    let Some((_, after)) = path.rsplit_once('@').filter(|_| !authority.contains('@')) else {
        return authority.contains('@');
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let next = after.split(['/', '?', '#']).next().unwrap_or_default();
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_a_host = |text: &str| text.contains(['.', ':']) || text.starts_with('[');
    let is_an_address =
        |text: &str| text.starts_with('[') || text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    // `name:12/34@10`: a name, and a password that begins with digits.
    let usual = port.is_empty() || port.ends_with("554");
    !is_number(port) || is_a_host(next) || !(is_an_address(host) || usual)
}

/// Warns when a value in the query may be a secret. Cameras need some of them, so it is no error.
fn warn_of_a_secret(item: &ValueReader<'_>, url: &Url) {
    const WORDS: [&str; 11] = [
        "token",
        "secret",
        "auth",
        "apikey",
        "api_key",
        "signature",
        "credential",
        "loginpas",
        "pass",
        "psw",
        "pw",
    ];
    let keys: Vec<String> = url.query_pairs().map(|(key, _)| key.to_lowercase()).collect();
    // The word, not the key: a key without a value may be the secret itself.
    if let Some(word) = WORDS.iter().find(|word| keys.iter().any(|key| key.contains(*word))) {
        item.warning(
            format!("`{word}` in the address may be a secret: addresses end up in logs"),
            "a username and a password_file, if the camera takes them",
        );
    }
}
