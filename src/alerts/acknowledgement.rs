//! Acknowledgements of staff as MQTT messages: reading one, and sending one to the daemon.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mqtt::MqttSettings;
use super::publish::publish;
use super::topic::{Topic, TopicKind};
use super::transport::{MqttError, MqttMessage};
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::{Acknowledgement, StaffVerdict};
use crate::rules::SignalId;

/// Bytes of the longest message that is read.
const MAX_BYTES: usize = 4 << 10;
/// Characters of the longest name.
const MAX_NAME: usize = 64;
/// Characters of the longest note.
const MAX_NOTE: usize = 500;

/// The message. Other fields are ignored.
#[derive(Debug, Serialize, Deserialize)]
struct AcknowledgePayload {
    signal_id: Uuid,
    by: String,
    verdict: String,
    #[serde(default)]
    note: String,
}

/// What is wrong with an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAcknowledgement {
    /// The message is too long.
    #[error("{0} bytes; at most {MAX_BYTES} are read")]
    TooLong(usize),
    /// The message is not JSON of the expected form.
    #[error(
        "not an acknowledgement: {0}; expected {{\"signal_id\": \"...\", \"by\": \"desk 2\", \"verdict\": \"acknowledged\"}}"
    )]
    BadForm(String),
    /// The verdict is unknown.
    #[error("`{0}` is not a verdict; write `acknowledged` or `false alarm`")]
    UnknownVerdict(String),
    /// A name or a note that cannot be stored.
    #[error("`{field}` must have {least} to {most} printable characters")]
    BadText {
        /// Which field.
        field: &'static str,
        /// Least characters.
        least: usize,
        /// Most characters.
        most: usize,
    },
}

/// Reads an acknowledgement that arrived at `at`. Its texts become single lines without control characters.
pub fn read_acknowledgement(message: &[u8], at: Timestamp) -> Result<Acknowledgement, BadAcknowledgement> {
    if message.len() > MAX_BYTES {
        return Err(BadAcknowledgement::TooLong(message.len()));
    }
    let payload: AcknowledgePayload =
        serde_json::from_slice(message).map_err(|cause| BadAcknowledgement::BadForm(cause.to_string()))?;
    let verdict = [StaffVerdict::Acknowledged, StaffVerdict::FalseAlarm]
        .into_iter()
        .find(|verdict| verdict.as_str() == payload.verdict)
        .ok_or_else(|| BadAcknowledgement::UnknownVerdict(payload.verdict.chars().take(40).collect()))?;
    let by = text("by", &payload.by, 1, MAX_NAME)?;
    let note = text("note", &payload.note, 0, MAX_NOTE)?;
    Ok(Acknowledgement { signal: SignalId(payload.signal_id), at, by, verdict, note })
}

/// A single line. It is shown on terminals, so it may not contain control characters.
fn text(field: &'static str, text: &str, least: usize, most: usize) -> Result<String, BadAcknowledgement> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (least..=most).contains(&line.chars().count()) && !line.contains(char::is_control);
    if fits { Ok(line) } else { Err(BadAcknowledgement::BadText { field, least, most }) }
}

/// Why an acknowledgement was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    /// The daemon would reject it.
    #[error(transparent)]
    Bad(#[from] BadAcknowledgement),
    /// The broker did not accept it.
    #[error("the broker at {host}:{port} did not accept the acknowledgement: {cause}")]
    Broker {
        /// Host of the site file.
        host: String,
        /// Port of the site file.
        port: u16,
        /// Why.
        cause: MqttError,
    },
}

/// Sends an acknowledgement to the daemon of `site` through its broker. Returns when the broker has it, at most `deadline`
/// later.
pub fn acknowledge(
    broker: &Broker,
    site: &SiteId,
    acknowledgement: &Acknowledgement,
    deadline: Duration,
) -> Result<(), AcknowledgeError> {
    let Acknowledgement { signal, by, verdict, note, .. } = acknowledgement;
    let (by, note) = (by.clone(), note.clone());
    let payload = AcknowledgePayload { signal_id: signal.0, by, verdict: verdict.as_str().into(), note };
    let payload = serde_json::to_vec(&payload).unwrap_or_default();
    read_acknowledgement(&payload, acknowledgement.at)?;
    let settings = MqttSettings::new(broker, format!("havenwacht-{site}-acknowledge-{}", std::process::id()));
    let message = MqttMessage::new(&Topic::new(site, TopicKind::Acknowledge), payload);
    publish(settings, vec![message], deadline).map_err(|cause| AcknowledgeError::Broker {
        host: broker.host.clone(),
        port: broker.port,
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn message(by: &str, verdict: &str, note: &str) -> Vec<u8> {
        let (by, verdict, note) = (by.into(), verdict.into(), note.into());
        let payload = AcknowledgePayload { signal_id: Uuid::from_u128(7), by, verdict, note };
        serde_json::to_vec(&payload).unwrap()
    }

    #[test]
    fn an_acknowledgement_is_read_with_its_texts_trimmed() {
        let plain = br#"{"signal_id": "00000000-0000-0000-0000-000000000007", "by": "desk 2", "verdict": "acknowledged", "more": 1}"#;
        let read = read_acknowledgement(plain, AT).unwrap();
        assert_eq!((read.signal, read.by.as_str()), (SignalId(Uuid::from_u128(7)), "desk 2"));
        assert_eq!((read.verdict, read.note.as_str()), (StaffVerdict::Acknowledged, ""));
        let noted =
            read_acknowledgement(&message(" desk  2 ", "false alarm", "the patrol\nboat"), AT).unwrap();
        assert_eq!(
            (noted.verdict, noted.by.as_str(), noted.note.as_str()),
            (StaffVerdict::FalseAlarm, "desk 2", "the patrol boat")
        );
    }

    #[test]
    fn other_messages_are_rejected_with_the_reason() {
        let reason = |message: &[u8]| read_acknowledgement(message, AT).unwrap_err().to_string();
        assert!(reason(b"OK").contains("not an acknowledgement"));
        assert!(reason(b"{}").contains("signal_id"));
        assert!(reason(&vec![b' '; MAX_BYTES + 1]).contains("4097 bytes"));
        assert!(reason(&message("desk 2", "maybe", "")).contains("`maybe` is not a verdict"));
        assert!(reason(&message("", "acknowledged", "")).contains("`by` must have 1 to 64"));
        assert!(reason(&message("desk\u{1b}[2J", "acknowledged", "")).contains("`by`"));
        assert!(reason(&message(&"x".repeat(65), "acknowledged", "")).contains("`by`"));
        assert!(reason(&message("desk", "acknowledged", &"x".repeat(501))).contains("`note`"));
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        proptest::proptest!(|(bytes: Vec<u8>, cut in 0usize..200)| {
            let _rejected = read_acknowledgement(&bytes, AT);
            let whole = message("desk 2", "acknowledged", "ä");
            let _cut = read_acknowledgement(&whole[..cut.min(whole.len())], AT);
        });
    }
}
