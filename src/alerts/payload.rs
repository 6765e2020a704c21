//! Payloads: flat JSON with a version, so that any subscriber can read it without this code.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::topic::{Topic, TopicKind};
use crate::camera_health::Outage;
use crate::camera_state::CameraChange;
use crate::clock;
use crate::config::Site;
use crate::ids::SiteId;
use crate::logbook::{ChainHead, MAX_PICTURE_BYTES, OutboxAlert};
use crate::rules::SignalEvent;

/// Version of every payload. Fields may be added under the same version; none is removed or changes its meaning.
const SCHEMA: u32 = 1;

/// An alert as the outbox stores it.
#[derive(Serialize)]
struct StoredAlert<'a> {
    schema: u32,
    alert_id: Uuid,
    signal_id: Uuid,
    site: &'a str,
    site_name: &'a str,
    camera: &'a str,
    camera_name: &'a str,
    rule: &'a str,
    rule_name: &'a str,
    kind: &'a str,
    severity: &'a str,
    place: &'a str,
    place_name: &'a str,
    vessel: Option<u64>,
    phase: &'a str,
    occurred_at: String,
    local_time: String,
    clock_set: bool,
    since: String,
    condition: &'a str,
    measured: f64,
    threshold: f64,
    margin: f64,
    unit: &'a str,
    schedule: &'a str,
    config_hash: &'a str,
    text: &'a str,
    /// x0, y0, x1, y1 in fractions of the picture.
    r#box: [f64; 4],
    picture_topic: Option<String>,
}

/// An alert with what the relay adds when it sends it.
#[derive(Serialize)]
struct SentAlert<'a> {
    #[serde(flatten)]
    alert: &'a Map<String, Value>,
    seq: i64,
    published_at: String,
    attempt: u32,
    historical: bool,
    picture_omitted: Option<&'a str>,
}

#[derive(Serialize)]
struct CameraStateMessage<'a> {
    schema: u32,
    site: &'a str,
    camera: &'a str,
    state: &'a str,
    reason: &'a str,
    retries: u32,
    since: String,
    /// `null` while the picture is usable.
    outage: Option<OutageMessage<'a>>,
}

#[derive(Serialize)]
struct OutageMessage<'a> {
    cause: &'a str,
    since: String,
    text: &'a str,
}

#[derive(Serialize)]
struct StatusMessage<'a> {
    schema: u32,
    site: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// What is wrong with the daemon itself, one sentence each; empty when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<&'a [String]>,
}

/// The alert for one phase of a signal. The same phase of the same recording gives the same alert, with the same id.
///
/// `picture` is a JPEG; it is left out when it is larger than [`MAX_PICTURE_BYTES`].
pub fn alert(event: &SignalEvent, site: &Site, camera_name: &str, picture: Option<Vec<u8>>) -> OutboxAlert {
    let fields =
        SiteFields { id: &site.id, name: &site.name, zone: &site.time_zone, config_hash: &site.hash };
    compose(event, &fields, camera_name, picture)
}

struct SiteFields<'a> {
    id: &'a SiteId,
    name: &'a str,
    zone: &'a TimeZone,
    config_hash: &'a str,
}

fn compose(
    event: &SignalEvent,
    site: &SiteFields<'_>,
    camera_name: &str,
    picture: Option<Vec<u8>>,
) -> OutboxAlert {
    let id = alert_id(event);
    let picture = picture.filter(|jpeg| {
        let fits = jpeg.len() <= MAX_PICTURE_BYTES;
        if !fits {
            let bytes = jpeg.len();
            tracing::warn!(
                "alert {id} is sent without its picture: {bytes} bytes, at most {MAX_PICTURE_BYTES}"
            );
        }
        fits
    });
    let local = event.at.wall.to_zoned_datetime(site.zone.clone());
    let b = &event.bbox;
    let topic = |kind| Topic::new(site.id, kind).to_string();
    let body = StoredAlert {
        schema: SCHEMA,
        alert_id: id,
        signal_id: event.signal.0,
        site: site.id.as_str(),
        site_name: site.name,
        camera: event.camera.as_str(),
        camera_name,
        rule: event.rule.as_str(),
        rule_name: &event.rule_name,
        kind: event.kind,
        severity: event.severity.as_str(),
        place: event.place.as_str(),
        place_name: &event.place_name,
        vessel: event.vessel.map(|v| v.0),
        phase: event.phase.as_str(),
        occurred_at: utc(event.at.wall),
        local_time: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        clock_set: clock::is_set(event.at.wall),
        since: utc(event.since.wall),
        condition: &event.facts.condition,
        measured: event.facts.measured,
        threshold: event.facts.threshold,
        margin: event.facts.margin,
        unit: event.facts.unit,
        schedule: &event.facts.schedule,
        config_hash: site.config_hash,
        text: &event.text,
        r#box: [b.x0, b.y0, b.x1, b.y1].map(|v| (f64::from(v) * 1e4).round() / 1e4),
        picture_topic: picture.is_some().then(|| topic(TopicKind::Picture { alert: id })),
    };
    OutboxAlert {
        id,
        topic: topic(TopicKind::Alert { camera: event.camera.clone(), rule: event.rule.clone() }),
        payload: json(&body),
        picture,
    }
}

/// The payload of an alert as the outbox holds it.
pub struct StoredPayload(Map<String, Value>);

impl StoredPayload {
    /// `None` when the stored text is not a JSON object.
    pub fn parse(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok().map(Self)
    }

    /// The topic of its picture.
    pub fn picture_topic(&self) -> Option<&str> {
        self.0.get("picture_topic")?.as_str()
    }

    /// The message that `config/alert.schema.json` describes. `picture_omitted`: why it goes without its picture.
    pub fn sent(
        mut self,
        seq: i64,
        published_at: Timestamp,
        attempt: u32,
        historical: bool,
        picture_omitted: Option<&str>,
    ) -> String {
        if picture_omitted.is_some() {
            self.0.insert("picture_topic".into(), Value::Null);
        }
        let published_at = utc(published_at);
        json(&SentAlert { alert: &self.0, seq, published_at, attempt, historical, picture_omitted })
    }
}

pub(super) fn camera_state(site: &SiteId, change: &CameraChange, outage: Option<&Outage>) -> String {
    json(&CameraStateMessage {
        schema: SCHEMA,
        site: site.as_str(),
        camera: change.camera.as_str(),
        state: change.state.as_str(),
        reason: &change.reason,
        retries: change.retries,
        since: utc(change.at.wall),
        outage: outage.map(|outage| OutageMessage {
            cause: outage.cause.as_str(),
            since: utc(outage.began.wall),
            text: &outage.text,
        }),
    })
}

pub(super) fn online(site: &SiteId, start: i64, since: Timestamp, problems: &[String]) -> String {
    json(&StatusMessage {
        schema: SCHEMA,
        site: site.as_str(),
        state: "online",
        version: Some(env!("CARGO_PKG_VERSION")),
        start: Some(start),
        since: Some(utc(since)),
        problems: Some(problems),
    })
}

/// The head of the chain: the fields of [`ChainHead::to_json`], and when it was sent.
pub(super) fn head(site: &SiteId, start: i64, now: Timestamp, head: &ChainHead) -> String {
    let mut json = head.to_json();
    json["schema"] = SCHEMA.into();
    json["site"] = site.as_str().into();
    json["start"] = start.into();
    json["at"] = utc(now).into();
    json.to_string()
}

pub(super) fn offline(site: &SiteId) -> String {
    let (schema, site) = (SCHEMA, site.as_str());
    json(&StatusMessage {
        schema,
        site,
        state: "offline",
        version: None,
        start: None,
        since: None,
        problems: None,
    })
}

/// A UUID of version 7: the time, then a digest of signal and phase in place of random bits.
fn alert_id(event: &SignalEvent) -> Uuid {
    let milliseconds = event.at.wall.as_millisecond();
    let mut digest = Sha256::new();
    digest.update(event.signal.0.as_bytes());
    digest.update(event.phase.as_str());
    digest.update(milliseconds.to_be_bytes());
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest.finalize()[..10]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds.max(0).unsigned_abs(), &tail).into_uuid()
}

/// RFC 3339 in UTC, to the millisecond.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Cannot fail: these types have text keys and plain numbers. NaN becomes null.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::testing::event;
    use crate::rules::Phase;

    fn composed(phase: Phase, picture: Option<Vec<u8>>) -> OutboxAlert {
        let id = SiteId::new("sample-harbour").unwrap();
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let site = SiteFields { id: &id, name: "Sample harbour", zone: &zone, config_hash: "c0" };
        compose(&event(7, phase, 63.25), &site, "Quay east", picture)
    }

    #[test]
    fn an_alert_about_a_place_has_no_vessel() {
        let id = SiteId::new("sample-harbour").unwrap();
        let site = SiteFields { id: &id, name: "Sample harbour", zone: &TimeZone::UTC, config_hash: "c0" };
        let event = SignalEvent { vessel: None, ..event(7, Phase::Escalated, 1.0) };
        let payload: Value =
            serde_json::from_str(&compose(&event, &site, "Quay east", None).payload).unwrap();
        assert_eq!((&payload["vessel"], &payload["phase"]), (&Value::Null, &Value::from("escalated")));
    }

    #[test]
    fn an_alert_has_its_documented_fields() {
        let stored = composed(Phase::Opened, Some(vec![0xFF, 0xD8]));
        let payload = StoredPayload::parse(&stored.payload).unwrap();
        let topic = format!("havenwacht/sample-harbour/picture/{}", stored.id);
        assert_eq!(payload.picture_topic(), Some(topic.as_str()));
        let message = payload.sent(3, "2026-06-01T20:14:05Z".parse().unwrap(), 2, false, None);
        let pretty: Value = serde_json::from_str(&message).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&pretty).unwrap());
    }

    #[test]
    fn the_schema_describes_every_field_and_no_other() {
        let schema: Value = serde_json::from_str(include_str!("../../config/alert.schema.json")).unwrap();
        let stored = composed(Phase::Opened, None);
        let payload = StoredPayload::parse(&stored.payload).unwrap();
        let message = payload.sent(1, Timestamp::UNIX_EPOCH, 1, true, None);
        let message: Map<String, Value> = serde_json::from_str(&message).unwrap();
        let mut described: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        described.sort();
        assert_eq!(described, message.keys().collect::<Vec<_>>());
        let mut required: Vec<_> =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        required.sort_unstable();
        assert_eq!(required, described, "every field is required");
        for (name, value) in &message {
            let types = &schema["properties"][name]["type"];
            let found = match value {
                Value::String(_) => "string",
                Value::Number(n) if n.is_f64() => "number",
                Value::Number(_) => "integer",
                Value::Bool(_) => "boolean",
                Value::Array(_) => "array",
                Value::Null => "null",
                Value::Object(_) => "object",
            };
            let fits = types == found || types.as_array().is_some_and(|all| all.contains(&found.into()));
            assert!(fits, "{name} is {found}, the schema says {types}");
        }
    }

    #[test]
    fn alert_ids_depend_on_signal_phase_and_time_only() {
        assert_eq!(composed(Phase::Opened, None), composed(Phase::Opened, None));
        let ids: std::collections::BTreeSet<_> =
            [Phase::Opened, Phase::Updated, Phase::Escalated, Phase::Closed]
                .map(|phase| composed(phase, None).id)
                .into();
        assert_eq!(ids.len(), 4);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn an_alert_without_its_picture_says_why() {
        let stored = composed(Phase::Opened, Some(vec![0xFF, 0xD8]));
        let payload = StoredPayload::parse(&stored.payload).unwrap();
        let message = payload.sent(1, Timestamp::UNIX_EPOCH, 1, false, Some("it is too large"));
        let message: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(
            (&message["picture_topic"], &message["picture_omitted"]),
            (&Value::Null, &"it is too large".into())
        );
    }

    #[test]
    fn an_oversize_picture_is_left_out_of_its_alert() {
        let alert = composed(Phase::Opened, Some(vec![0; MAX_PICTURE_BYTES + 1]));
        assert_eq!(alert.picture, None);
        assert!(alert.payload.contains(r#""picture_topic":null"#));
    }
}
