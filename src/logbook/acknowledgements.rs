//! What staff answer to signals.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

use super::receipts;
use super::store::{Failure, Written, local};
use crate::rules::SignalId;

/// An answer to a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The signal.
    pub signal: SignalId,
    /// When the answer came.
    pub at: Timestamp,
    /// Who answered, as they call themselves: "desk 2".
    pub by: String,
    /// What they answered.
    pub verdict: StaffVerdict,
    /// What they had to say; may be empty.
    pub note: String,
}

/// What staff make of a signal. Either way somebody has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffVerdict {
    /// Seen, and dealt with.
    Acknowledged,
    /// Seen, and there was nothing.
    FalseAlarm,
}

impl StaffVerdict {
    /// As written in the logbook and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::FalseAlarm => "false alarm",
        }
    }
}

/// Writes an answer, once however often it comes.
pub(super) fn write(
    connection: &Connection,
    zone: &TimeZone,
    answered: &Acknowledgement,
) -> Result<Written, Failure> {
    let (at, offset) = local(zone, answered.at);
    let id = answered.signal.0.to_string();
    let signal: Option<i64> = connection
        .prepare_cached("SELECT seq FROM signal WHERE id = ?1")?
        .query_row([&id], |row| row.get(0))
        .optional()?;
    // On its way out is out: its answers are written down already as going with it.
    let known = match signal {
        Some(seq) => !receipts::is_going(connection, "signal", seq)?,
        None => false,
    };
    if !known {
        return Err(Failure::Refused(format!("signal {id} was answered and is not in the logbook")));
    }
    connection
        .prepare_cached(
            "INSERT INTO acknowledgement (signal, at, utc_offset, by, answer, note)
             SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM signal WHERE id = ?1
             ON CONFLICT (signal, by, answer, note) DO NOTHING",
        )?
        .execute(params![id, at, offset, answered.by, answered.verdict.as_str(), answered.note])?;
    Ok(Written::default())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::logbook::Entry;
    use crate::logbook::testing::{SOON, at, column, open, told};

    fn answered(signal: u128, seconds: f64, verdict: StaffVerdict) -> Entry {
        let signal = SignalId(uuid::Uuid::from_u128(signal));
        let (by, note) = ("desk 2".into(), String::new());
        Entry::Acknowledged(Acknowledgement { signal, at: at(seconds).wall, by, verdict, note })
    }

    #[test]
    fn an_answer_is_kept_once_and_only_for_a_signal_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        sender.send(told(1, 2.0)).unwrap();
        sender.send(answered(1, 12.5, StaffVerdict::Acknowledged)).unwrap();
        sender.send(answered(1, 13.0, StaffVerdict::Acknowledged)).unwrap();
        sender.send(answered(2, 13.0, StaffVerdict::Acknowledged)).unwrap();
        writer.flush(SOON).unwrap();
        let rows = "SELECT signal || ' ' || by || ' ' || answer || ' ' || seconds_after_opening FROM v_acknowledgements";
        assert_eq!(column(&path, rows), ["1 desk 2 acknowledged 10.5"]);
        assert_eq!(writer.stats().refused.load(Ordering::Relaxed), 1);
        sender.send(answered(1, 20.0, StaffVerdict::FalseAlarm)).unwrap();
        writer.flush(SOON).unwrap();
        assert_eq!(column(&path, "SELECT answer FROM v_signals"), ["false alarm by desk 2"], "the last word");
    }
}
