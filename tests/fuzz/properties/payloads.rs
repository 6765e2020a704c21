//! For any message on `acknowledge`, it is rejected or written to the logbook and read back. For any signal, its alert fits
//! the schema and is in the outbox unchanged.

use std::collections::HashSet;
use std::path::Path;

use havenwacht::alerts::payload::{self, StoredPayload};
use havenwacht::alerts::read_acknowledgement;
use havenwacht::config::{Severity, Site, check_text};
use havenwacht::geometry::BBox;
use havenwacht::logbook::{Entry, LogbookSender, Outbox, OutboxAlert, Reader, SignalEntry, Writer};
use havenwacht::rules::{Phase, SignalEvent};
use havenwacht::track::VesselId;
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::bytes::Bytes;
use super::sample_logbook as sample;

const SITE: &str = include_str!("../../../config/example.toml");
const SCHEMA: &str = include_str!("../../../config/alert.schema.json");

/// A site with a logbook, and what was written there.
pub(crate) struct Payloads {
    site: Site,
    schema: Value,
    writer: Writer,
    sender: LogbookSender,
    reader: Reader,
    outbox: Outbox,
    /// Signals that were written.
    pub(crate) opened: HashSet<Uuid>,
    alerts: i64,
}

impl Payloads {
    /// Opens a logbook in a folder of [`super::site_folder`].
    pub(crate) fn new(folder: &Path) -> Self {
        let text = SITE.replace("/var/lib/havenwacht/", "");
        let (site, _) = check_text("site.toml", &text, &folder.join("config")).expect("the example");
        let path = folder.join("logbook.sqlite");
        let (writer, sender) = sample::open(&path);
        let (reader, outbox) =
            (Reader::open(&path).expect("a logbook"), Outbox::open(&path).expect("a logbook"));
        let schema = serde_json::from_str(SCHEMA).expect("the schema");
        Self { site, schema, writer, sender, reader, outbox, opened: HashSet::new(), alerts: 0 }
    }

    /// Checks these bytes twice: as an acknowledgement, and as a signal.
    pub(crate) fn check(&mut self, data: &[u8]) {
        self.check_acknowledgement(data);
        self.check_alert(&mut Bytes(data));
    }

    fn check_acknowledgement(&mut self, message: &[u8]) {
        let at = sample::at(60_000);
        let Ok(acknowledged) = read_acknowledgement(message, at.wall) else { return };
        for (text, most) in [(&acknowledged.by, 64), (&acknowledged.note, 500)] {
            assert!(text.chars().count() <= most && !text.contains(char::is_control), "{text:?}");
        }
        assert!(!acknowledged.by.is_empty());
        let signal = acknowledged.signal.0;
        if self.opened.insert(signal) {
            let event = sample::event(signal, Phase::Opened, sample::at(1000));
            self.send(Entry::Signal(SignalEntry { event, alert: None }));
        }
        self.send(Entry::Acknowledgement(acknowledged.clone()));
        self.writer.flush(sample::LIMIT).expect("a flushed logbook");
        let found = self.reader.signal(&signal.to_string()).expect("a logbook").expect("the signal");
        let row = [
            "2026-06-01 22:14:00 +02:00",
            &acknowledged.by,
            acknowledged.verdict.as_str(),
            &acknowledged.note,
        ];
        assert!(
            found.acknowledgements.rows.iter().any(|found| found[..4] == row),
            "{row:?} not in {:?}",
            found.acknowledgements.rows
        );
    }

    fn check_alert(&mut self, bytes: &mut Bytes<'_>) {
        let event = event(bytes);
        let (camera_name, picture) = (text(bytes), text(bytes).into_bytes());
        let picture = (!picture.is_empty()).then_some(picture);
        let alert = payload::alert(&event, &self.site, &camera_name, picture);
        let published = sample::at(90_000).wall;
        let stored = StoredPayload::parse(&alert.payload).expect("an object");
        assert_eq!(stored.picture_topic().is_some(), alert.picture.is_some());
        let message = stored.sent(1, published, 1, bytes.u8() > 127, None);
        let message: Map<String, Value> = serde_json::from_str(&message).expect("JSON");
        check_schema(&message, &self.schema);
        assert_eq!(message["text"], event.text);
        self.check_outbox(event, alert);
    }

    /// An alert with finite measured values is in the outbox unchanged.
    fn check_outbox(&mut self, event: SignalEvent, alert: OutboxAlert) {
        let facts = &event.facts;
        let measured = [facts.measured, facts.threshold, facts.margin].iter().all(|n| n.is_finite());
        if !measured || !self.opened.insert(event.signal.0) {
            return;
        }
        if event.phase != Phase::Opened {
            let opening = SignalEvent { phase: Phase::Opened, ..event.clone() };
            self.send(Entry::Signal(SignalEntry { event: opening, alert: None }));
        }
        let at = Timestamp::from_millisecond(event.at.wall.as_millisecond()).expect("a time");
        self.send(Entry::Signal(SignalEntry { event, alert: Some(alert.clone()) }));
        self.writer.flush(sample::LIMIT).expect("a flushed logbook");
        let rows = self.outbox.undelivered(self.alerts, 2).expect("an outbox");
        let [row] = rows.as_slice() else { panic!("{} alerts for one", rows.len()) };
        self.alerts = row.seq;
        assert_eq!((&row.topic, &row.payload, &row.picture), (&alert.topic, &alert.payload, &alert.picture));
        assert_eq!(row.at, at);
    }

    fn send(&self, entry: Entry) {
        self.sender.send(entry).expect("a writer");
    }
}

/// Any signal that a rule could raise.
fn event(bytes: &mut Bytes<'_>) -> SignalEvent {
    let phase = [Phase::Opened, Phase::Updated, Phase::Escalated, Phase::Closed][usize::from(bytes.u8() % 4)];
    let id = Uuid::from_bytes(bytes.array());
    // From 1970, where a clock that is not set begins, to the year 3084.
    let [a, b, c, d, e, f] = bytes.array();
    let milliseconds = i64::from_be_bytes([0, 0, a % 32, b, c, d, e, f]);
    let mut event = sample::event(id, phase, sample::at(0));
    event.at.wall = Timestamp::from_millisecond(milliseconds).expect("a time");
    event.severity = [Severity::Info, Severity::Warning, Severity::Alert][usize::from(bytes.u8() % 3)];
    let vessel = u64::from_be_bytes(bytes.array());
    event.vessel = (vessel != 0).then_some(VesselId(vessel));
    let mut number = || f64::from_be_bytes(bytes.array());
    (event.facts.measured, event.facts.threshold, event.facts.margin) = (number(), number(), number());
    let corner: [u8; 4] = bytes.array();
    let [x0, y0, x1, y1] = corner.map(|byte| f32::from(byte) / 255.0);
    event.bbox = BBox::new(x0, y0, x1, y1);
    event.text = text(bytes);
    event.rule_name = text(bytes);
    event.place_name = text(bytes);
    event.facts.condition = text(bytes);
    event.facts.schedule = text(bytes);
    event
}

/// Up to 255 bytes, as text.
fn text(bytes: &mut Bytes<'_>) -> String {
    let length = usize::from(bytes.u8()).min(bytes.0.len());
    let (text, rest) = bytes.0.split_at(length);
    bytes.0 = rest;
    String::from_utf8_lossy(text).into_owned()
}

/// Checks a message against the schema: required fields, unknown fields and types.
fn check_schema(message: &Map<String, Value>, schema: &Value) {
    for name in schema["required"].as_array().expect("a list") {
        let name = name.as_str().expect("a name");
        assert!(message.contains_key(name), "{name} is missing");
    }
    for (name, value) in message {
        let schema_of = &schema["properties"][name];
        assert!(schema_of.is_object(), "{name} is not in the schema");
        let types =
            schema_of["type"].as_array().map_or(vec![&schema_of["type"]], |types| types.iter().collect());
        assert!(
            types.into_iter().any(|kind| is_a(value, kind, schema_of)),
            "{name} is {value}, should be {schema_of}"
        );
    }
}

fn is_a(value: &Value, kind: &Value, schema: &Value) -> bool {
    let known = schema["enum"].as_array().is_none_or(|known| known.contains(value));
    let constant = schema["const"].is_null() || schema["const"] == *value;
    let is = match (kind.as_str(), value) {
        (Some("null"), Value::Null) | (Some("boolean"), Value::Bool(_)) => true,
        (Some("integer"), Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Some("number"), Value::Number(_)) => true,
        (Some("string"), Value::String(text)) => match schema["format"].as_str() {
            Some("uuid") => text.len() == 36 && Uuid::parse_str(text).is_ok(),
            // The format of RFC 3339, and a valid time.
            Some("date-time") => text.as_bytes().get(10) == Some(&b'T') && text.parse::<Timestamp>().is_ok(),
            _ => true,
        },
        (Some("array"), Value::Array(items)) => {
            let (least, most) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
            let count = items.len() as u64;
            let item = &schema["items"];
            least.is_none_or(|least| count >= least)
                && most.is_none_or(|most| count <= most)
                && items.iter().all(|value| is_a(value, &item["type"], item))
        }
        _ => false,
    };
    is && known && constant
}
