//! Erasing personal data on request: the contents go, a receipt stays, and the chain stays whole.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params_from_iter};

use super::chain::SigningKey;
use super::entry::StartEntry;
use super::error::{LogbookError, sql};
use super::ranges::Ranges;
use super::store::{Store, integer};

/// What is to be erased. Conditions that are given must all hold.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Of what.
    pub what: Personal,
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Of this camera.
    pub camera: Option<String>,
    /// Of this vessel (detections, and the pictures of its signals).
    pub vessel: Option<u64>,
    /// Of this person (answers).
    pub by: Option<String>,
    /// On whose word, for the receipt; it stays.
    pub why: String,
}

/// What may be about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// The pictures of alerts.
    Pictures,
    /// Boxes, of vessels and of people.
    Detections,
    /// What staff answered, with their names and notes.
    Answers,
}

/// Erases from the logbook at `path`, which no watch may be writing. Gives the number of pictures, boxes or answers.
///
/// What is erased is overwritten in the file, and the write-ahead log is emptied. Stretches of detections get a new seal. The act is an
/// event of the start `by`, whose `mode` says so.
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
    let gone = store.erase(by.at.wall, |connection| carry_out(connection, erasure)).map_err(sql("erase"))?;
    store.end(by.at.wall).map_err(sql("close the logbook"))?;
    Ok(gone)
}

/// Rows that went: of which kind in receipts, which numbers, and how many.
pub(super) struct Erased {
    pub(super) kind: &'static str,
    pub(super) ids: Ranges,
    pub(super) rows: usize,
    pub(super) why: String,
}

fn carry_out(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<Erased> {
    let (kind, table, remove) = match erasure.what {
        Personal::Pictures => (
            "picture",
            "SELECT alert.seq FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera
             WHERE picture IS NOT NULL AND alert.at >= ?1 AND alert.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND ?5 IS NULL ORDER BY alert.seq",
            "UPDATE alert SET picture = NULL WHERE seq BETWEEN ?1 AND ?2",
        ),
        Personal::Detections => (
            "detection",
            "SELECT detection.id FROM detection JOIN look ON look.id = detection.look JOIN camera ON camera.id = look.camera
             WHERE look.at >= ?1 AND look.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND ?5 IS NULL ORDER BY detection.id",
            "DELETE FROM detection WHERE id BETWEEN ?1 AND ?2",
        ),
        Personal::Answers => (
            "acknowledgement",
            "SELECT acknowledgement.id FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal
               JOIN camera ON camera.id = signal.camera
             WHERE acknowledgement.at >= ?1 AND acknowledgement.at < ?2 AND (?3 IS NULL OR camera.name = ?3)
               AND (?4 IS NULL OR vessel = ?4) AND (?5 IS NULL OR by = ?5) ORDER BY acknowledgement.id",
            "DELETE FROM acknowledgement WHERE id BETWEEN ?1 AND ?2",
        ),
    };
    let Erasure { from, until, camera, vessel, by, why, .. } = erasure;
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
    Ok(Erased { kind, ids, rows, why: why.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::testing::{SOON, at, column, look, open, start, told, vessel_at};
    use crate::logbook::{Entry, Evidence, Reader};

    fn erasure(what: Personal) -> Erasure {
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

    fn kept() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        for second in 0..10 {
            let seen = vec![vessel_at(100.0, Some(7)), vessel_at(500.0, Some(8))];
            sender.send(look(f64::from(second), seen, vec![])).unwrap();
        }
        for number in 1..=2 {
            let mut entry = told(number, 5.0 * number as f64);
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
    fn what_is_erased_is_in_no_byte_of_the_file_and_the_chain_stays_whole() {
        let (_folder, path) = kept();
        let needle = b"a face that was asked";
        let holds =
            |path: &Path| std::fs::read(path).unwrap().windows(needle.len()).any(|part| part == needle);
        assert!(holds(&path));
        let part = Erasure { until: at(7.0).wall, ..erasure(Personal::Pictures) };
        assert_eq!(erase(&path, &by(), None, &part).unwrap(), 1);
        assert!(holds(&path), "the second picture stays");
        assert_eq!(erase(&path, &by(), None, &erasure(Personal::Pictures)).unwrap(), 1);
        assert!(!holds(&path));
        assert_eq!(std::fs::metadata(path.with_extension("sqlite-wal")).map_or(0, |wal| wal.len()), 0);
        let verified = Reader::open(&path).unwrap().verify(&Evidence::default(), |_| ()).unwrap();
        assert_eq!(verified.faults, []);
        let receipts = "SELECT act || ' ' || kind || ' ' || ids || ' ' || why FROM receipt";
        assert_eq!(column(&path, receipts), ["erased picture 1 request 12", "erased picture 2 request 12"]);
    }

    #[test]
    fn a_vessels_boxes_go_and_the_others_stay_under_a_new_seal() {
        let (_folder, path) = kept();
        let part = Erasure { vessel: Some(7), ..erasure(Personal::Detections) };
        assert_eq!(erase(&path, &by(), None, &part).unwrap(), 10);
        assert_eq!(column(&path, "SELECT DISTINCT vessel FROM detection"), ["8"]);
        let verify = || Reader::open(&path).unwrap().verify(&Evidence::default(), |_| ()).unwrap();
        let verified = verify();
        assert_eq!(verified.faults, []);
        assert_eq!((verified.looks, verified.detections), (10, 10));
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
    fn nothing_is_erased_under_a_running_watch_nor_where_there_is_no_logbook() {
        let (folder, path) = kept();
        let (_writer, _sender) = open(&path);
        let refused = erase(&path, &by(), None, &erasure(Personal::Answers));
        assert!(matches!(refused, Err(LogbookError::InUse { .. })));
        let none = folder.path().join("none.sqlite");
        let refused = erase(&none, &by(), None, &erasure(Personal::Answers));
        assert!(matches!(refused, Err(LogbookError::Missing { .. })));
        assert!(!none.exists());
    }
}
