//! Sealing detections: one digest a stretch of looks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};

use super::Digest;
use crate::clock::MonoTime;
use crate::logbook::ranges::Ranges;
use crate::logbook::store::local;

/// A stretch is sealed when it is this long, in time or in looks: some tens of milliseconds of reading.
const LONGEST: Duration = Duration::from_secs(600);
const MOST_LOOKS: i64 = 8192;

/// Looks that are written and not sealed yet, and the digest of what was written: nobody can change a row before it is
/// sealed, and nothing has to be read again.
#[derive(Clone, Debug)]
pub(in crate::logbook) struct Seals {
    /// The last look that is sealed.
    sealed: i64,
    /// The last look that is written.
    written: i64,
    /// When the first look of the stretch was made.
    since: Option<MonoTime>,
    stretch: Stretch,
}

/// What a stretch holds: each look, followed by its detections, in the order of their numbers.
#[derive(Clone, Debug)]
struct Stretch {
    looks: i64,
    detections: i64,
    hash: Sha256,
}

/// A stretch that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) looks: i64,
    pub(super) detections: i64,
    pub(super) digest: Digest,
}

/// A look's row: number, start, time in milliseconds, offset in quarters of an hour, frame, width and height.
pub(in crate::logbook) type LookRow = [i64; 7];

/// A detection's row behind its number and vessel: class, confidence, left, top, width and height.
pub(in crate::logbook) type BoxRow = [i64; 6];

impl Stretch {
    fn new() -> Self {
        Self { looks: 0, detections: 0, hash: Sha256::new_with_prefix(b"havenwacht seal 1") }
    }

    fn look(&mut self, row: &LookRow, camera: &str) {
        self.looks += 1;
        self.hash.update(b"look");
        row.iter().for_each(|number| self.hash.update(number.to_be_bytes()));
        self.hash.update((camera.len() as u64).to_be_bytes());
        self.hash.update(camera);
    }

    fn detection(&mut self, id: i64, vessel: Option<i64>, row: &BoxRow) {
        self.detections += 1;
        let mut bytes = [0; 4 + 9 * 8];
        bytes[..4].copy_from_slice(b"box ");
        let known = i64::from(vessel.is_some());
        let numbers = [id, known, vessel.unwrap_or(0)].into_iter().chain(row.iter().copied());
        for (place, number) in bytes[4..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        self.hash.update(bytes);
    }

    fn complete(self) -> Contents {
        Contents { looks: self.looks, detections: self.detections, digest: self.hash.finalize().into() }
    }
}

impl Seals {
    /// Where the logbook's seals end, and its looks. What a cut off start left unsealed is read.
    pub(in crate::logbook) fn resume(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let sealed = number("SELECT ifnull(max(last_look), 0) FROM seal")?;
        let written = number("SELECT ifnull(max(id), 0) FROM look")?.max(sealed);
        Ok(Self { sealed, written, since: None, stretch: Stretch::new() })
    }

    /// The number of the next look. Numbers are never given twice, also when old looks have gone.
    pub(in crate::logbook) fn next_look(&self) -> i64 {
        self.written + 1
    }

    /// A look was written, made `at`.
    pub(in crate::logbook) fn look(&mut self, row: &LookRow, camera: &str, at: MonoTime) {
        self.since.get_or_insert(at);
        self.written = row[0];
        self.stretch.look(row, camera);
    }

    /// A detection of the last look was written.
    pub(in crate::logbook) fn detection(&mut self, id: i64, vessel: Option<i64>, row: &BoxRow) {
        self.stretch.detection(id, vessel, row);
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
        let stretch = std::mem::replace(&mut self.stretch, Stretch::new());
        if self.since.take().is_some() {
            put(connection, zone, start, at, (self.sealed + 1, self.written), &stretch.complete())?;
            self.sealed = self.written;
        }
        Ok(())
    }

    /// Seals what an earlier start, or an earlier schema, left unsealed, as it stands.
    pub(in crate::logbook) fn seal_rest(
        &mut self,
        connection: &Connection,
        zone: &TimeZone,
        start: i64,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        while self.sealed < self.written {
            let (first, last) = (self.sealed + 1, self.written.min(self.sealed + MOST_LOOKS));
            put(connection, zone, start, at, (first, last), &contents(connection, first, last)?)?;
            self.sealed = last;
        }
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
        for (first, last) in stretches {
            put(connection, zone, start, at, (first, last), &contents(connection, first, last)?)?;
        }
        Ok(())
    }
}

fn put(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    at: Timestamp,
    (first, last): (i64, i64),
    found: &Contents,
) -> rusqlite::Result<()> {
    let (at, offset) = local(zone, at);
    connection
        .prepare_cached(
            "INSERT INTO seal (start, at, utc_offset, first_look, last_look, looks, detections, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![start, at, offset, first, last, found.looks, found.detections, found.digest])?;
    Ok(())
}

/// Reads looks `first` to `last` with their detections. A detection whose look is gone is taken in where it stands.
pub(super) fn contents(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<Contents> {
    let mut stretch = Stretch::new();
    let mut looks = connection.prepare_cached(
        "SELECT look.id, start, at, utc_offset, frame, frame_width, frame_height, camera.name
         FROM look JOIN camera ON camera.id = look.camera WHERE look.id BETWEEN ?1 AND ?2 ORDER BY look.id",
    )?;
    let mut detections = connection.prepare_cached(
        "SELECT id, vessel, class, confidence, x, y, width, height FROM detection WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    )?;
    let (mut looks, mut detections) =
        (looks.query([first, last])?, detections.query([first << 8, (last << 8) + 255])?);
    let mut next = detections.next()?;
    loop {
        let look = looks.next()?;
        let id = look.map_or(Ok(i64::MAX), |row| row.get::<_, i64>(0))?;
        // First what belongs to looks before this one.
        while let Some(row) = next {
            let detection: i64 = row.get(0)?;
            if detection >> 8 >= id {
                break;
            }
            stretch.detection(detection, row.get(1)?, &numbers(row, 2)?);
            next = detections.next()?;
        }
        let Some(row) = look else { break };
        stretch.look(&numbers(row, 0)?, row.get_ref(7)?.as_str()?);
    }
    Ok(stretch.complete())
}

fn numbers<const N: usize>(row: &Row<'_>, from: usize) -> rusqlite::Result<[i64; N]> {
    let mut numbers = [0; N];
    for (column, number) in numbers.iter_mut().enumerate() {
        *number = row.get(from + column)?;
    }
    Ok(numbers)
}
