//! The sections that occur once: site, model, broker, logbook, retention, health.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::holidays;
use super::reader::{TableReader, ValueReader, short};
use super::secret::SecretSource;
use super::site::{Broker, ModelConfig, Retention};
use super::{credentials, files, host, identifier, suggest, tls};
use crate::ids::SiteId;
use crate::rules::{GeoPosition, Holidays, format_duration};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Where brokers expect TLS.
const TLS_PORT: u16 = 8883;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Limits of the logbook's size. A smaller logbook has no room for a day.
const SMALLEST: u64 = 50_000_000;
const LARGEST: u64 = 100_000_000_000_000;

/// A value that may be absent.
pub(super) enum OptionalValue<T> {
    Absent,
    /// Its error was reported.
    Invalid,
    Valid(T),
}

/// The values of those sections; `None` where an error was reported.
pub(super) struct Sections {
    pub(super) id: Option<SiteId>,
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<TimeZone>,
    pub(super) position: OptionalValue<GeoPosition>,
    pub(super) holidays: OptionalValue<Holidays>,
    pub(super) model: Option<ModelConfig>,
    pub(super) broker: Option<Broker>,
    pub(super) logbook: Option<PathBuf>,
    pub(super) signing_key: Option<SecretSource>,
    pub(super) retention: Retention,
    pub(super) health: SocketAddr,
}

impl Sections {
    pub(super) fn read(root: &TableReader<'_>) -> Self {
        let site = root.section(
            "site",
            Some("add [site] with id = \"my-harbour\" and time_zone = \"Europe/Amsterdam\""),
        );
        let id = site.as_ref().and_then(|site| site.required("id", "\"my-harbour\"", identifier::identifier));
        Self {
            name: site.as_ref().and_then(|site| identifier::name_or(site, id.as_ref())),
            time_zone: site
                .as_ref()
                .and_then(|site| site.required("time_zone", "\"Europe/Amsterdam\"", time_zone)),
            position: site.as_ref().map_or(OptionalValue::Absent, position),
            holidays: site
                .as_ref()
                .and_then(|site| site.get("holidays"))
                .map_or(OptionalValue::Absent, |item| {
                    holidays::read(&item).map_or(OptionalValue::Invalid, OptionalValue::Valid)
                }),
            id: id.and_then(|id| SiteId::new(&id.value).ok()),
            model: root
                .section("model", Some("add [model] with manifest = \"...\" and runtime = \"...\""))
                .and_then(|section| model(&section)),
            broker: root
                .section("broker", Some("add [broker] with host = \"127.0.0.1\""))
                .and_then(|section| broker(&section)),
            logbook: root
                .section("logbook", Some("add [logbook] with path = \"/var/lib/havenwacht/logbook.sqlite\""))
                .and_then(|s| {
                    s.required("path", "\"/var/lib/havenwacht/logbook.sqlite\"", files::in_a_folder)
                }),
            signing_key: root.section("logbook", None).and_then(|section| credentials::signing_key(&section)),
            retention: retention(root),
            health: root
                .section("health", None)
                .and_then(|section| section.optional("listen", listen))
                .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464)),
        }
    }
}

fn time_zone(item: &ValueReader<'_>) -> Option<TimeZone> {
    let name = item.text()?;
    // `TimeZone::get` also accepts the local time of the box. Schedules must not depend on the box.
    if let Some(zone) = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some()) {
        return Some(zone);
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
    let city =
        known.iter().find(|zone| zone.rsplit('/').next().is_some_and(|c| c.eq_ignore_ascii_case(name)));
    let near = city.map(String::as_str).or_else(|| suggest::nearest(name, known.iter().map(String::as_str)));
    item.error(
        format!("\"{}\" is not a time zone of the IANA database", short(name)),
        match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "an area and a city, such as \"Europe/Amsterdam\", which includes summer time".to_owned(),
        },
    );
    None
}

fn position(site: &TableReader<'_>) -> OptionalValue<GeoPosition> {
    let (latitude, longitude) = (site.get("latitude"), site.get("longitude"));
    let (given, missing) = match (&latitude, &longitude) {
        (None, None) => return OptionalValue::Absent,
        (Some(_), Some(_)) => (None, ""),
        (Some(latitude), None) => (Some(latitude), "longitude = 4.26"),
        (None, Some(longitude)) => (Some(longitude), "latitude = 52.10"),
    };
    if let Some(given) = given {
        given.error(
            "has no partner: a position needs latitude and longitude",
            format!("add {missing}, or leave both out"),
        );
    }
    let latitude =
        latitude.and_then(|item| item.number(-90.0..=90.0, "degrees north, negative in the south"));
    let longitude =
        longitude.and_then(|item| item.number(-180.0..=180.0, "degrees east, negative in the west"));
    match latitude.zip(longitude) {
        Some((latitude, longitude)) => OptionalValue::Valid(GeoPosition { latitude, longitude }),
        None => OptionalValue::Invalid,
    }
}

fn model(section: &TableReader<'_>) -> Option<ModelConfig> {
    let manifest = section.required("manifest", "\"/usr/share/havenwacht/models/havenwacht.toml\"", |item| {
        files::existing(
            item,
            "the model's manifest, a TOML file beside the model; `make demo` brings one to models/",
        )
    });
    let runtime = section.required("runtime", "\"/usr/lib/havenwacht/libonnxruntime.so\"", |item| {
        files::existing(
            item,
            "ONNX Runtime's shared library, libonnxruntime.so; `make demo` brings it to models/runtime/",
        )
    });
    let threads = section.optional("threads", |item| item.whole(1..=64, "threads of one inference"));
    Some(ModelConfig { manifest: manifest?, runtime: runtime?, threads: threads.unwrap_or(1) })
}

fn broker(section: &TableReader<'_>) -> Option<Broker> {
    let host = section.required("host", "\"127.0.0.1\"", host::host);
    let encrypted = section.get("tls");
    let usual = if encrypted.is_some() { TLS_PORT } else { 1883 };
    let port = section.optional("port", |item| item.whole(1..=u16::MAX, "a TCP port")).unwrap_or(usual);
    let login = credentials::login(section);
    let tls = match encrypted {
        Some(item) => Some(tls::read(&item)?),
        None => {
            warn_of_the_tls_port(section, port);
            None
        }
    };
    Some(Broker { host: host?, port, login, tls })
}

/// Brokers expect TLS at 8883. Without it, nothing but a broken connection is seen.
fn warn_of_the_tls_port(section: &TableReader<'_>, port: u16) {
    if let Some(item) = section.get("port").filter(|_| port == TLS_PORT) {
        item.warning(
            "8883 is a broker's port for TLS, and no tls is set",
            "tls = { ca_file = \"ca.crt\" }, or port 1883",
        );
    }
}

fn retention(root: &TableReader<'_>) -> Retention {
    const AGES: [&str; 4] = ["detections", "tracks", "pictures", "events"];
    let section = root.section("retention", None);
    let whole = |given: &[Option<Duration>; 4]| {
        let named = |key| section.as_ref().is_some_and(|section| section.get(key).is_some());
        AGES.iter().zip(given).all(|(key, age)| age.is_some() || !named(*key))
    };
    let given = AGES.map(|key| section.as_ref()?.optional(key, |item| item.duration(HOUR..=YEAR * 100)));
    let [detections, tracks, pictures, events] = given;
    let detections = detections.unwrap_or(DAY * 90);
    let events = events.unwrap_or(YEAR * 2);
    let kept = Retention {
        detections,
        tracks: tracks.unwrap_or(detections),
        pictures: pictures.unwrap_or(events),
        events,
        max_size: section.as_ref().and_then(|s| s.optional("max_size", |item| item.size(SMALLEST..=LARGEST))),
    };
    let Some(section) = section.as_ref().filter(|_| whole(&given)) else { return kept };
    if events < detections {
        section.collector.warning(
            &section.place,
            format!(
                "events are kept {}, less than the detections they come from ({})",
                format_duration(events),
                format_duration(detections)
            ),
            "events take little room: keep them at least as long as detections",
        );
    }
    if kept.pictures > events {
        section.collector.warning(
            &section.place,
            format!(
                "pictures are kept {}, but are deleted with their alerts after {}",
                format_duration(kept.pictures),
                format_duration(events)
            ),
            "leave pictures out, or keep events as long",
        );
    }
    kept
}

fn listen(item: &ValueReader<'_>) -> Option<SocketAddr> {
    const HELP: &str = "an address and a port in quotes: \"127.0.0.1:9464\"";
    let text = item.text()?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        let help = match text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
            Some(port) => format!("did you mean \"127.0.0.1:{}\"?", short(port)),
            None => HELP.to_owned(),
        };
        item.error(format!("\"{}\" is not an address with a port", short(text)), help);
        return None;
    };
    if address.port() == 0 {
        item.error("port 0 is not allowed", HELP);
        return None;
    }
    if !address.ip().is_loopback() {
        item.warning(
            format!("{address} can be reached from the network, and the page has no login"),
            "listen on 127.0.0.1 and put a web server with a login in front",
        );
    }
    Some(address)
}

impl ModelConfig {
    /// Width of the model's input in pixels, from its manifest; `None` where the manifest cannot be read.
    pub fn input_width(&self) -> Option<u32> {
        let manifest: toml::Table = std::fs::read_to_string(&self.manifest).ok()?.parse().ok()?;
        manifest.get("input")?.get("width")?.as_integer()?.try_into().ok().filter(|width| *width > 0)
    }
}
