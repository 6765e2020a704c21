//! Seals: one digest for each interval of detection passes and their detections.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};

use crate::clock::MonoTime;
use crate::logbook::context::WriteContext;
use crate::logbook::ranges::Ranges;
use crate::logbook::values::Digest;

/// An interval is sealed when it is this long or holds this many passes: some tens of milliseconds of reading.
const LONGEST: Duration = Duration::from_secs(600);
const MOST_PASSES: i64 = 8192;

/// Which passes are written and not sealed yet, and the digest of what was written: nobody can change a row before it is
/// sealed, and no row is read again.
#[derive(Clone, Debug)]
pub(in crate::logbook) struct Seals {
    /// The last pass that is sealed.
    sealed: i64,
    /// The last pass that is written.
    written: i64,
    /// When the first pass of the interval was made.
    since: Option<MonoTime>,
    interval: SealInterval,
}

/// The content of an interval: each pass followed by its detections, in the order of their numbers.
#[derive(Clone, Debug)]
struct SealInterval {
    passes: i64,
    detections: i64,
    hash: Sha256,
}

/// An interval that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SealContents {
    pub(super) passes: i64,
    pub(super) detections: i64,
    pub(super) digest: Digest,
}

/// The row of a pass: number, start, time in milliseconds, offset in quarters of an hour, frame, width and height.
type PassRow = [i64; 7];

/// The row of a detection after its number and vessel: class, confidence, left, top, width and height.
pub(in crate::logbook) type BoxRow = [i64; 6];

impl SealInterval {
    fn new() -> Self {
        Self { passes: 0, detections: 0, hash: Sha256::new_with_prefix(b"havenwacht seal 1") }
    }

    fn add_pass(&mut self, row: &PassRow, camera: &str) {
        self.passes += 1;
        self.hash.update(b"look");
        row.iter().for_each(|number| self.hash.update(number.to_be_bytes()));
        self.hash.update((camera.len() as u64).to_be_bytes());
        self.hash.update(camera);
    }

    fn add_detection(&mut self, id: i64, vessel: Option<i64>, row: &BoxRow) {
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

    fn complete(self) -> SealContents {
        SealContents { passes: self.passes, detections: self.detections, digest: self.hash.finalize().into() }
    }
}

impl Seals {
    /// Continues after the last seal and the last pass of the logbook.
    pub(in crate::logbook) fn resume(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let sealed = number("SELECT ifnull(max(last_pass), 0) FROM seal")?;
        let written = number("SELECT ifnull(max(id), 0) FROM pass")?.max(sealed);
        Ok(Self { sealed, written, since: None, interval: SealInterval::new() })
    }

    /// The number of the next pass. No number is given twice, also when old passes are removed.
    pub(in crate::logbook) fn next_pass(&self) -> i64 {
        self.written + 1
    }

    /// A pass was written that was made `at`.
    pub(in crate::logbook) fn add_pass(&mut self, row: &PassRow, camera: &str, at: MonoTime) {
        self.since.get_or_insert(at);
        self.written = row[0];
        self.interval.add_pass(row, camera);
    }

    /// A detection of the last pass was written.
    pub(in crate::logbook) fn add_detection(&mut self, id: i64, vessel: Option<i64>, row: &BoxRow) {
        self.interval.add_detection(id, vessel, row);
    }

    /// Whether the interval must be sealed; `at` is the time of its newest pass.
    pub(in crate::logbook) fn due(&self, at: MonoTime) -> bool {
        self.written - self.sealed >= MOST_PASSES
            || self.since.is_some_and(|since| at.since(since) >= LONGEST)
    }

    /// Seals what is written, in the present transaction.
    pub(in crate::logbook) fn seal(
        &mut self,
        context: WriteContext<'_>,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let interval = std::mem::replace(&mut self.interval, SealInterval::new());
        if self.since.take().is_some() {
            write_seal(context, at, (self.sealed + 1, self.written), &interval.complete())?;
            self.sealed = self.written;
        }
        Ok(())
    }

    /// Seals what an earlier start, or an earlier schema, left unsealed, as it is now.
    pub(in crate::logbook) fn seal_rest(
        &mut self,
        context: WriteContext<'_>,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        while self.sealed < self.written {
            let (first, last) = (self.sealed + 1, self.written.min(self.sealed + MOST_PASSES));
            write_seal(context, at, (first, last), &contents(context.connection, first, last)?)?;
            self.sealed = last;
        }
        Ok(())
    }

    /// Writes a new seal for every interval from which detections have been erased.
    pub(in crate::logbook) fn renew(
        &self,
        context: WriteContext<'_>,
        at: Timestamp,
        detections: &Ranges,
    ) -> rusqlite::Result<()> {
        let mut intervals = BTreeSet::new();
        let mut statement = context.connection.prepare(
            "SELECT DISTINCT first_pass, last_pass FROM seal WHERE first_pass <= ?2 AND last_pass >= ?1",
        )?;
        for (first, last) in detections.iter() {
            let mut rows = statement.query([first >> 8, last >> 8])?;
            while let Some(row) = rows.next()? {
                intervals.insert((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            }
        }
        for (first, last) in intervals {
            write_seal(context, at, (first, last), &contents(context.connection, first, last)?)?;
        }
        Ok(())
    }
}

fn write_seal(
    context: WriteContext<'_>,
    at: Timestamp,
    (first, last): (i64, i64),
    found: &SealContents,
) -> rusqlite::Result<()> {
    let (at, offset) = context.local(at);
    context
        .connection
        .prepare_cached(
            "INSERT INTO seal (start, at, utc_offset, first_pass, last_pass, passes, detections, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            context.start,
            at,
            offset,
            first,
            last,
            found.passes,
            found.detections,
            found.digest
        ])?;
    Ok(())
}

/// Reads passes `first` to `last` with their detections. A detection whose pass is missing counts at its place.
pub(super) fn contents(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<SealContents> {
    let mut interval = SealInterval::new();
    let mut passes = connection.prepare_cached(
        "SELECT pass.id, start, at, utc_offset, frame, frame_width, frame_height, camera.name
         FROM pass JOIN camera ON camera.id = pass.camera WHERE pass.id BETWEEN ?1 AND ?2 ORDER BY pass.id",
    )?;
    let mut detections = connection.prepare_cached(
        "SELECT id, vessel, class, confidence, x, y, width, height FROM detection WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    )?;
    let (mut passes, mut detections) =
        (passes.query([first, last])?, detections.query([first << 8, (last << 8) + 255])?);
    let mut next = detections.next()?;
    loop {
        let pass = passes.next()?;
        let id = pass.map_or(Ok(i64::MAX), |row| row.get::<_, i64>(0))?;
        // First the detections of passes before this one.
        while let Some(row) = next {
            let detection: i64 = row.get(0)?;
            if detection >> 8 >= id {
                break;
            }
            interval.add_detection(detection, row.get(1)?, &numbers(row, 2)?);
            next = detections.next()?;
        }
        let Some(row) = pass else { break };
        interval.add_pass(&numbers(row, 0)?, row.get_ref(7)?.as_str()?);
    }
    Ok(interval.complete())
}

fn numbers<const N: usize>(row: &Row<'_>, from: usize) -> rusqlite::Result<[i64; N]> {
    let mut numbers = [0; N];
    for (column, number) in numbers.iter_mut().enumerate() {
        *number = row.get(from + column)?;
    }
    Ok(numbers)
}
