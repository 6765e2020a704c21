//! Sealing detections: one digest a stretch of looks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::Digest;
use super::records::absorb;
use crate::clock::MonoTime;
use crate::logbook::ranges::Ranges;
use crate::logbook::store::local;

/// A stretch is sealed when it is this long, in time or in looks: some tens of milliseconds of reading.
const LONGEST: Duration = Duration::from_secs(600);
const MOST_LOOKS: i64 = 8192;

/// Looks that are written and not sealed yet.
#[derive(Clone, Copy, Debug)]
pub(in crate::logbook) struct Seals {
    /// The last look that is sealed.
    sealed: i64,
    /// The last look that is written.
    written: i64,
    /// When the first look of the stretch was made.
    since: Option<MonoTime>,
}

/// What stands in a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) looks: i64,
    pub(super) detections: i64,
    pub(super) digest: Digest,
}

impl Seals {
    /// Where the logbook's seals end, and its looks.
    pub(in crate::logbook) fn resume(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let sealed = number("SELECT ifnull(max(last_look), 0) FROM seal")?;
        let written = number("SELECT ifnull(max(id), 0) FROM look")?.max(sealed);
        Ok(Self { sealed, written, since: None })
    }

    /// The number of the next look, made `at`. Numbers are never given twice, also when old looks have gone.
    pub(in crate::logbook) fn next_look(&mut self, at: MonoTime) -> i64 {
        self.since.get_or_insert(at);
        self.written += 1;
        self.written
    }

    /// Whether the stretch up to now is to be sealed; `at` is the time of its newest look.
    pub(in crate::logbook) fn due(&self, at: MonoTime) -> bool {
        self.written - self.sealed >= MOST_LOOKS || self.since.is_some_and(|since| at.since(since) >= LONGEST)
    }

    /// Seals what is written, as part of the present transaction.
    pub(in crate::logbook) fn seal(
        &mut self,
        connection: &Connection,
        zone: &TimeZone,
        start: i64,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        while self.sealed < self.written {
            let (first, last) = (self.sealed + 1, self.written.min(self.sealed + MOST_LOOKS));
            put(connection, zone, start, at, first, last)?;
            self.sealed = last;
        }
        self.since = None;
        Ok(())
    }

    /// Seals anew every stretch from which detections have been erased.
    pub(in crate::logbook) fn renew(
        &self,
        connection: &Connection,
        zone: &TimeZone,
        start: i64,
        at: Timestamp,
        detections: &Ranges,
    ) -> rusqlite::Result<()> {
        let mut stretches = BTreeSet::new();
        let mut statement = connection.prepare(
            "SELECT DISTINCT first_look, last_look FROM seal WHERE first_look <= ?2 AND last_look >= ?1",
        )?;
        for (first, last) in detections.iter() {
            let mut rows = statement.query([first >> 8, last >> 8])?;
            while let Some(row) = rows.next()? {
                stretches.insert((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            }
        }
        stretches.into_iter().try_for_each(|(first, last)| put(connection, zone, start, at, first, last))
    }
}

fn put(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    at: Timestamp,
    first: i64,
    last: i64,
) -> rusqlite::Result<()> {
    let found = contents(connection, first, last)?;
    let (at, offset) = local(zone, at);
    connection
        .prepare_cached(
            "INSERT INTO seal (start, at, utc_offset, first_look, last_look, looks, detections, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![start, at, offset, first, last, found.looks, found.detections, found.digest])?;
    Ok(())
}

/// Reads looks `first` to `last` with their detections, in the order of their numbers.
pub(super) fn contents(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<Contents> {
    let mut hash = Sha256::new_with_prefix(b"havenwacht seal 1");
    let mut absorbed = |query: &str, from: i64, to: i64| -> rusqlite::Result<i64> {
        let mut statement = connection.prepare_cached(query)?;
        let mut rows = statement.query([from, to])?;
        let mut count = 0i64;
        while let Some(row) = rows.next()? {
            absorb(&mut hash, row)?;
            count += 1;
        }
        hash.update(count.to_be_bytes());
        Ok(count)
    };
    let looks = absorbed(
        "SELECT look.id, start, camera.name, at, utc_offset, frame, frame_width, frame_height
         FROM look JOIN camera ON camera.id = look.camera WHERE look.id BETWEEN ?1 AND ?2 ORDER BY look.id",
        first,
        last,
    )?;
    let detections = absorbed(
        "SELECT id, vessel, class, confidence, x, y, width, height FROM detection WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        first << 8,
        (last << 8) + 255,
    )?;
    Ok(Contents { looks, detections, digest: hash.finalize().into() })
}
