//! Acknowledgements of signals.

use rusqlite::{OptionalExtension, params};

use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::entry::Acknowledgement;
use crate::logbook::integrity::deletion_receipts;

/// Writes an acknowledgement; once, however often the broker delivers it.
pub(super) fn write(context: WriteContext<'_>, given: &Acknowledgement) -> Result<Written, Failure> {
    let connection = context.connection;
    let (at, offset) = context.local(given.at);
    let id = given.signal.0.to_string();
    let signal: Option<i64> = connection
        .prepare_cached("SELECT seq FROM signal WHERE id = ?1")?
        .query_row([&id], |row| row.get(0))
        .optional()?;
    // When a signal is being removed, the receipt already lists its acknowledgements: a new one would be left behind.
    let is_kept = match signal {
        Some(seq) => !deletion_receipts::is_pending(connection, "signal", seq)?,
        None => false,
    };
    if !is_kept {
        return Err(Failure::Rejected(format!("the acknowledged signal {id} is not in the logbook")));
    }
    connection
        .prepare_cached(
            "INSERT INTO acknowledgement (signal, at, utc_offset, by, verdict, note)
             SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM signal WHERE id = ?1
             ON CONFLICT (signal, by, verdict, note) DO NOTHING",
        )?
        .execute(params![id, at, offset, given.by, given.verdict.as_str(), given.note])?;
    Ok(Written::default())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::logbook::testing::{SOON, at, column, notified_signal, open};
    use crate::logbook::{Entry, StaffVerdict};
    use crate::rules::SignalId;

    fn given(signal: u128, seconds: f64, verdict: StaffVerdict) -> Entry {
        let signal = SignalId(uuid::Uuid::from_u128(signal));
        let (by, note) = ("desk 2".into(), String::new());
        Entry::Acknowledgement(Acknowledgement { signal, at: at(seconds).wall, by, verdict, note })
    }

    #[test]
    fn an_acknowledgement_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        sender.send(notified_signal(1, 2.0)).unwrap();
        sender.send(given(1, 12.5, StaffVerdict::Acknowledged)).unwrap();
        sender.send(given(1, 13.0, StaffVerdict::Acknowledged)).unwrap();
        sender.send(given(2, 13.0, StaffVerdict::Acknowledged)).unwrap();
        writer.flush(SOON).unwrap();
        let rows = "SELECT signal || ' ' || by || ' ' || verdict || ' ' || seconds_after_opening FROM v_acknowledgements";
        assert_eq!(column(&path, rows), ["1 desk 2 acknowledged 10.5"]);
        assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 1);
        sender.send(given(1, 20.0, StaffVerdict::FalseAlarm)).unwrap();
        writer.flush(SOON).unwrap();
        assert_eq!(
            column(&path, "SELECT acknowledged FROM v_signals"),
            ["false alarm by desk 2"],
            "the last verdict"
        );
    }
}
