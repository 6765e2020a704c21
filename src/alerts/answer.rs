//! What staff answer to an alert, as a message; and the way to send one.

use std::time::Duration;

use jiff::Timestamp;
use rumqttc::{Client, Event, Incoming, QoS};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::transport::LinkError;
use super::{mqtt, topics};
use crate::clock::{Clock, SystemClock};
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::{Acknowledgement, StaffVerdict};
use crate::rules::SignalId;

/// The longest message that is read.
const MAX_BYTES: usize = 4 << 10;
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// The longest note, in characters.
const MAX_NOTE: usize = 500;

/// The message. Further fields are nobody's business here.
#[derive(Debug, Serialize, Deserialize)]
struct Wire {
    signal_id: Uuid,
    by: String,
    answer: String,
    #[serde(default)]
    note: String,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// Nobody writes that much.
    #[error("{0} bytes; at most {MAX_BYTES} are read")]
    Long(usize),
    /// Not the message that is expected.
    #[error(
        "not an answer: {0}; it looks like {{\"signal_id\": \"...\", \"by\": \"desk 2\", \"answer\": \"acknowledged\"}}"
    )]
    Shape(String),
    /// An unknown answer.
    #[error("`{0}` is no answer; say `acknowledged` or `false alarm`")]
    Unknown(String),
    /// A name or a note that cannot be kept.
    #[error("`{field}` must have {least} to {most} characters that can be printed")]
    Text {
        /// Which field.
        field: &'static str,
        /// Least characters.
        least: usize,
        /// Most characters.
        most: usize,
    },
}

/// Reads an answer that came at `at`. Its texts are single lines that a terminal can show.
pub fn read_answer(message: &[u8], at: Timestamp) -> Result<Acknowledgement, BadAnswer> {
    if message.len() > MAX_BYTES {
        return Err(BadAnswer::Long(message.len()));
    }
    let wire: Wire = serde_json::from_slice(message).map_err(|why| BadAnswer::Shape(why.to_string()))?;
    let answer = [StaffVerdict::Acknowledged, StaffVerdict::FalseAlarm]
        .into_iter()
        .find(|answer| answer.as_str() == wire.answer)
        .ok_or_else(|| BadAnswer::Unknown(wire.answer.chars().take(40).collect()))?;
    let by = text("by", &wire.by, 1, MAX_NAME)?;
    let note = text("note", &wire.note, 0, MAX_NOTE)?;
    Ok(Acknowledgement { signal: SignalId(wire.signal_id), at, by, answer, note })
}

/// A line of text. It ends up on terminals, so it may not hold anything that steers one.
fn text(field: &'static str, text: &str, least: usize, most: usize) -> Result<String, BadAnswer> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (least..=most).contains(&line.chars().count()) && !line.contains(char::is_control);
    if fits { Ok(line) } else { Err(BadAnswer::Text { field, least, most }) }
}

/// Why an answer did not get to the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsentAnswer {
    /// It would not be understood.
    #[error(transparent)]
    Bad(#[from] BadAnswer),
    /// The broker did not take it.
    #[error("the broker at {host}:{port} did not take the answer: {cause}")]
    Broker {
        /// Of the site file.
        host: String,
        /// Of the site file.
        port: u16,
        /// Why.
        cause: LinkError,
    },
}

/// Sends an answer to the watch of `site` by way of its broker; waits at most `patience` until the broker has it.
pub fn answer(
    broker: &Broker,
    site: &SiteId,
    answered: &Acknowledgement,
    patience: Duration,
) -> Result<(), UnsentAnswer> {
    let Acknowledgement { signal, by, answer, note, .. } = answered;
    let wire =
        Wire { signal_id: signal.0, by: by.clone(), answer: answer.as_str().into(), note: note.clone() };
    let message = serde_json::to_vec(&wire).unwrap_or_default();
    read_answer(&message, answered.at)?;
    publish(broker, site, message, patience).map_err(|cause| UnsentAnswer::Broker {
        host: broker.host.clone(),
        port: broker.port,
        cause,
    })
}

fn publish(broker: &Broker, site: &SiteId, message: Vec<u8>, patience: Duration) -> Result<(), LinkError> {
    let failed = |why: &dyn std::fmt::Display| LinkError(why.to_string());
    let name = format!("havenwacht-{site}-answer-{}", std::process::id());
    let (client, mut connection) = Client::new(mqtt::options(broker, &name)?, 4);
    client.try_publish(topics::answer(site), QoS::AtLeastOnce, false, message).map_err(|why| failed(&why))?;
    let clock = SystemClock::default();
    let until = clock.mono() + patience;
    loop {
        match connection.recv_timeout(until.since(clock.mono())) {
            Ok(Ok(Event::Incoming(Incoming::PubAck(_)))) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(why)) => return Err(failed(&why)),
            Err(_late) => return Err(LinkError(format!("no confirmation within {patience:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn message(by: &str, answer: &str, note: &str) -> Vec<u8> {
        let wire =
            Wire { signal_id: Uuid::from_u128(7), by: by.into(), answer: answer.into(), note: note.into() };
        serde_json::to_vec(&wire).unwrap()
    }

    #[test]
    fn an_answer_says_who_what_and_to_which_signal() {
        let plain = br#"{"signal_id": "00000000-0000-0000-0000-000000000007", "by": "desk 2", "answer": "acknowledged", "more": 1}"#;
        let answered = read_answer(plain, AT).unwrap();
        assert_eq!((answered.signal, answered.by.as_str()), (SignalId(Uuid::from_u128(7)), "desk 2"));
        assert_eq!((answered.answer, answered.note.as_str()), (StaffVerdict::Acknowledged, ""));
        let noted = read_answer(&message(" desk  2 ", "false alarm", "the patrol\nboat"), AT).unwrap();
        assert_eq!(
            (noted.answer, noted.by.as_str(), noted.note.as_str()),
            (StaffVerdict::FalseAlarm, "desk 2", "the patrol boat")
        );
    }

    #[test]
    fn what_is_no_answer_is_refused_with_the_reason() {
        let reason = |message: &[u8]| read_answer(message, AT).unwrap_err().to_string();
        assert!(reason(b"OK").contains("not an answer"));
        assert!(reason(b"{}").contains("signal_id"));
        assert!(reason(&vec![b' '; MAX_BYTES + 1]).contains("4097 bytes"));
        assert!(reason(&message("desk 2", "maybe", "")).contains("`maybe` is no answer"));
        assert!(reason(&message("", "acknowledged", "")).contains("`by` must have 1 to 64"));
        assert!(reason(&message("desk\u{1b}[2J", "acknowledged", "")).contains("`by`"));
        assert!(reason(&message(&"x".repeat(65), "acknowledged", "")).contains("`by`"));
        assert!(reason(&message("desk", "acknowledged", &"x".repeat(501))).contains("`note`"));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        proptest::proptest!(|(bytes: Vec<u8>, cut in 0usize..200)| {
            let _refused = read_answer(&bytes, AT);
            let whole = message("desk 2", "acknowledged", "ä");
            let _cut = read_answer(&whole[..cut.min(whole.len())], AT);
        });
    }
}
