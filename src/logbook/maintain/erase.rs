//! Erasure of personal data on request: the contents go, a receipt stays, and the chain still verifies.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params_from_iter};

use crate::logbook::entry::StartEntry;
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::integrity::deletion_receipts::{self, Receipt, RemovalCause};
use crate::logbook::integrity::key::SigningKey;
use crate::logbook::ranges::Ranges;
use crate::logbook::values::integer;
use crate::logbook::write::store::Store;

/// What is to be erased: rows that meet all given conditions.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Of what.
    pub what: PersonalData,
    /// From this time on.
    pub from: Timestamp,
    /// Before this time.
    pub until: Timestamp,
    /// Of this camera.
    pub camera: Option<String>,
    /// Of this vessel (detections, and the pictures of its signals).
    pub vessel: Option<u64>,
    /// Of this person (acknowledgements).
    pub by: Option<String>,
    /// On whose request; it is kept in the receipt.
    pub why: String,
}

/// Data that may be about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalData {
    /// The pictures of alerts.
    Pictures,
    /// Boxes, of vessels and of people.
    Detections,
    /// Acknowledgements of staff, with their names and notes.
    Acknowledgements,
}

/// Erases from the logbook at `path`, which no other process may be writing. Returns the number of pictures, boxes or
/// acknowledgements.
///
/// The data are overwritten in the file, and the write-ahead log is emptied. Intervals of detections get a new seal. The
/// erasure is an event of the start `by`.
pub fn erase(
    path: &Path,
    by: &StartEntry,
    key: Option<SigningKey>,
    erasure: &Erasure,
) -> Result<u64, LogbookError> {
    if !path.exists() {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let mut store = Store::open(path, by, key)?;
    store.connection.pragma_update(None, "secure_delete", true).map_err(sql("prepare to erase"))?;
    let erased = erase_rows(&mut store, by.at.wall, erasure).map_err(sql("erase"))?;
    store.end(by.at.wall).map_err(sql("close the logbook"))?;
    Ok(erased)
}

/// One transaction: the deletion, its receipt, and new seals for the intervals of erased detections.
fn erase_rows(store: &mut Store, at: Timestamp, erasure: &Erasure) -> rusqlite::Result<u64> {
    store.write_events(|context, seals| {
        let (kind, ids, rows) = delete(context.connection, erasure)?;
        if rows == 0 {
            return Ok(0);
        }
        let receipt = Receipt { cause: RemovalCause::Erased, kind, ids: &ids, why: &erasure.why };
        let id = deletion_receipts::write(context, at, &receipt)?;
        deletion_receipts::set_done(context.connection, id, at)?;
        if erasure.what == PersonalData::Detections {
            seals.renew(context, at, &ids)?;
        }
        Ok(rows as u64)
    })
}

/// Deletes; returns the kind in receipts, the numbers of the rows, and how many there were.
fn delete(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<(&'static str, Ranges, usize)> {
    let (kind, table, remove) = match erasure.what {
        PersonalData::Pictures => (
            "picture",
            "SELECT alert.seq FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera
             WHERE picture IS NOT NULL AND alert.at >= ?1 AND alert.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND ?5 IS NULL ORDER BY alert.seq",
            "UPDATE alert SET picture = NULL WHERE seq BETWEEN ?1 AND ?2",
        ),
        PersonalData::Detections => (
            "detection",
            "SELECT detection.id FROM detection JOIN pass ON pass.id = detection.pass JOIN camera ON camera.id = pass.camera
             WHERE pass.at >= ?1 AND pass.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND ?5 IS NULL ORDER BY detection.id",
            "DELETE FROM detection WHERE id BETWEEN ?1 AND ?2",
        ),
        PersonalData::Acknowledgements => (
            "acknowledgement",
            "SELECT acknowledgement.id FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal
               JOIN camera ON camera.id = signal.camera
             WHERE acknowledgement.at >= ?1 AND acknowledgement.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND (?5 IS NULL OR by = ?5) ORDER BY acknowledgement.id",
            "DELETE FROM acknowledgement WHERE id BETWEEN ?1 AND ?2",
        ),
    };
    let Erasure { from, until, camera, vessel, by, .. } = erasure;
    let asked: [rusqlite::types::Value; 5] = [
        from.as_millisecond().into(),
        until.as_millisecond().into(),
        camera.clone().into(),
        vessel.map(integer).into(),
        by.clone().into(),
    ];
    let ids: Ranges = connection
        .prepare(table)?
        .query_map(params_from_iter(asked), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare(remove)?;
    let rows =
        ids.iter().map(|(first, last)| statement.execute([first, last])).sum::<rusqlite::Result<usize>>()?;
    Ok((kind, ids, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::testing::{SOON, at, column, notified_signal, open, pass, start, vessel_at};
    use crate::logbook::{Entry, Reader, TrustAnchors};

    fn erasure(what: PersonalData) -> Erasure {
        Erasure {
            what,
            from: at(0.0).wall,
            until: at(1000.0).wall,
            camera: None,
            vessel: None,
            by: None,
            why: "request 12".into(),
        }
    }

    fn sample() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        for second in 0..10 {
            let seen = vec![vessel_at(100.0, Some(7)), vessel_at(500.0, Some(8))];
            sender.send(pass(f64::from(second), seen, vec![])).unwrap();
        }
        for number in 1..=2 {
            let mut entry = notified_signal(number, 5.0 * number as f64);
            if let Entry::Signal(signal) = &mut entry {
                signal.alert.as_mut().unwrap().picture =
                    Some(b"a face that was asked to be forgotten".to_vec());
            }
            sender.send(entry).unwrap();
        }
        writer.close(at(20.0).wall, SOON).unwrap();
        (folder, path)
    }

    fn by() -> StartEntry {
        StartEntry { mode: "erase", at: at(30.0), ..start() }
    }

    #[test]
    fn erased_data_are_in_no_byte_and_the_chain_verifies() {
        let (_folder, path) = sample();
        let needle = b"a face that was asked";
        let holds =
            |path: &Path| std::fs::read(path).unwrap().windows(needle.len()).any(|part| part == needle);
        assert!(holds(&path));
        let part = Erasure { until: at(7.0).wall, ..erasure(PersonalData::Pictures) };
        assert_eq!(erase(&path, &by(), None, &part).unwrap(), 1);
        assert!(holds(&path), "the second picture stays");
        assert_eq!(erase(&path, &by(), None, &erasure(PersonalData::Pictures)).unwrap(), 1);
        assert!(!holds(&path));
        assert_eq!(std::fs::metadata(path.with_extension("sqlite-wal")).map_or(0, |wal| wal.len()), 0);
        let verified = Reader::open(&path).unwrap().verify(&TrustAnchors::default(), |_| ()).unwrap();
        assert_eq!(verified.faults, []);
        let receipts = "SELECT act || ' ' || kind || ' ' || ids || ' ' || why FROM receipt";
        assert_eq!(column(&path, receipts), ["erased picture 1 request 12", "erased picture 2 request 12"]);
    }

    #[test]
    fn erased_detections_of_a_vessel_get_a_new_seal() {
        let (_folder, path) = sample();
        let part = Erasure { vessel: Some(7), ..erasure(PersonalData::Detections) };
        assert_eq!(erase(&path, &by(), None, &part).unwrap(), 10);
        assert_eq!(column(&path, "SELECT DISTINCT vessel FROM detection"), ["8"]);
        let verify = || Reader::open(&path).unwrap().verify(&TrustAnchors::default(), |_| ()).unwrap();
        let verified = verify();
        assert_eq!(verified.faults, []);
        assert_eq!((verified.passes, verified.detections), (10, 10));
        let further = "UPDATE detection SET x = 1 WHERE vessel = 8";
        Connection::open(&path).unwrap().execute_batch(further).unwrap();
        assert_eq!(verify().faults.len(), 1, "the new seal holds");
        assert_eq!(
            erase(&path, &by(), None, &part).unwrap(),
            0,
            "nothing is left, and no receipt is written"
        );
        assert_eq!(column(&path, "SELECT count(*) FROM receipt"), ["1"]);
    }

    #[test]
    fn a_running_or_missing_logbook_is_not_erased() {
        let (folder, path) = sample();
        let (_writer, _sender) = open(&path);
        let error = erase(&path, &by(), None, &erasure(PersonalData::Acknowledgements));
        assert!(matches!(error, Err(LogbookError::InUse { .. })));
        let none = folder.path().join("none.sqlite");
        let error = erase(&none, &by(), None, &erasure(PersonalData::Acknowledgements));
        assert!(matches!(error, Err(LogbookError::Missing { .. })));
        assert!(!none.exists());
    }
}
