//! Table recovery: copies what can be read of a damaged table, from both ends up to the damage, then by halves around it.

use std::collections::{BTreeSet, VecDeque};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Statement, params_from_iter};

use crate::logbook::error::code;
use crate::logbook::ranges::Ranges;

/// How often the damaged parts of a table are halved; what is not readable then is lost.
const PROBES: usize = 4096;

/// How far the end of a table is searched when no other table tells where it is.
const SEARCH_LIMIT: i64 = 1 << 24;

/// What was copied of a table.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct RecoveredRows {
    /// Rows that were copied.
    pub(super) rows: u64,
    /// Rows that were read and not copied: they do not fit the schema, or the row that they belong to is missing.
    pub(super) unfit: u64,
    /// Row numbers that could not be read, first and last. Some of them may never have existed.
    pub(super) unread: Vec<(i64, i64)>,
    /// Rows of other tables that were lost and made up, because these rows refer to them.
    pub(super) stand_ins: Vec<(&'static str, i64)>,
}

impl RecoveredRows {
    /// Every row was copied.
    pub(super) fn is_whole(&self) -> bool {
        self.unfit == 0 && self.unread.is_empty() && self.stand_ins.is_empty()
    }

    /// The row numbers that could not be read.
    pub(super) fn unread_ids(&self) -> Ranges {
        let mut ids = Ranges::default();
        self.unread.iter().for_each(|&(first, last)| ids.add(first, last));
        ids
    }
}

/// Copies the rows of `table` that meet the condition `which` (empty: all). Numbers stay the same. Fails only when `to`
/// cannot be written or `from` has no such table.
pub(super) fn copy(
    from: &Connection,
    to: &Connection,
    table: &str,
    which: &str,
) -> rusqlite::Result<RecoveredRows> {
    let columns = columns(from, table)?;
    let known: BTreeSet<String> = self::columns(to, table)?.into_iter().collect();
    let columns: Vec<String> = columns.into_iter().filter(|column| known.contains(column)).collect();
    let places = (1..=columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
    let listed = columns.join(", ");
    let mut insert = to.prepare(&format!("INSERT INTO {table} ({listed}) VALUES ({places})"))?;
    let mut copied = RecoveredRows::default();
    let parents = ["start", "camera"].map(|parent| columns.iter().position(|column| column == parent));
    let mut stand_ins = BTreeSet::new();
    let unread = read(from, table, &listed, which, |row| {
        let values: Vec<ToSqlOutput<'_>> = (0..columns.len())
            .map(|n| row.get_ref(n).map(ToSqlOutput::Borrowed))
            .collect::<Result<_, _>>()?;
        let readable = |value: &ToSqlOutput<'_>| match value {
            ToSqlOutput::Borrowed(ValueRef::Text(text)) => std::str::from_utf8(text).is_ok(),
            _ => true,
        };
        if !values.iter().all(readable) {
            copied.unfit += 1;
            return Ok(());
        }
        for (parent, column) in ["start", "camera"].into_iter().zip(parents) {
            let id = column.map(|n| row.get_ref(n)).transpose()?;
            if let Some(ValueRef::Integer(id)) = id
                && stand_in(to, parent, id)?
            {
                stand_ins.insert((parent, id));
            }
        }
        match insert.execute(params_from_iter(&values)) {
            Ok(_) => copied.rows += 1,
            Err(cause) => match code(&cause) {
                Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
                    copied.unfit += 1;
                }
                _ => return Err(cause),
            },
        }
        Ok(())
    })?;
    Ok(RecoveredRows { unread, stand_ins: stand_ins.into_iter().collect(), ..copied })
}

/// The integers in `column` of the rows that meet `which`, as far as they can be read.
pub(super) fn numbers(
    from: &Connection,
    table: &str,
    column: &str,
    which: &str,
) -> rusqlite::Result<Vec<i64>> {
    let mut found = Vec::new();
    let key = key(from, table)?;
    read(from, table, &format!("{key}, {column}"), which, |row| {
        if let ValueRef::Integer(number) = row.get_ref(1)? {
            found.push(number);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Copies the counters of row numbers of those tables that meet the condition `which`.
pub(super) fn copy_sequences(from: &Connection, to: &Connection, which: &str) -> rusqlite::Result<()> {
    let mut statement = from.prepare(&format!("SELECT name, seq FROM sqlite_sequence WHERE {which}"))?;
    let sequences = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for sequence in sequences {
        let (name, seq): (String, i64) = sequence?;
        if to.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (&name, seq))? == 0 {
            to.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (&name, seq))?;
        }
    }
    Ok(())
}

/// Columns that are stored.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY pk DESC, cid")?;
    let columns: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if columns.is_empty() { Err(rusqlite::Error::QueryReturnedNoRows) } else { Ok(columns) }
}

/// The column that numbers the rows; first of [`columns`].
fn key(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    columns(connection, table)?.into_iter().next().ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Makes a row that was lost and that other rows refer to; returns whether it was missing.
fn stand_in(to: &Connection, table: &str, id: i64) -> rusqlite::Result<bool> {
    let known: Option<i64> = to
        .prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?1"))?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(false);
    }
    let insert = match table {
        "camera" => "INSERT OR IGNORE INTO camera (id, name) VALUES (?1, 'lost-' || ?1)",
        _ => {
            "INSERT INTO start (id, at, utc_offset, mode, version, config_hash, model_hash, time_zone, first_vessel)
             VALUES (?1, 0, 0, 'lost', '', '', '', 'UTC', 1)"
        }
    };
    Ok(to.execute(insert, [id])? > 0)
}

/// In which direction rows are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScanDirection {
    Up,
    Down,
}

/// The result of a scan.
#[derive(Clone, Copy, Default)]
struct Scanned {
    /// The numbers between which no row was missed, first and last.
    complete: Option<(i64, i64)>,
    /// The scan reached the end of the table.
    ended: bool,
}

/// The two statements that scan a table.
struct TableScan<'a> {
    up: Statement<'a>,
    down: Statement<'a>,
}

impl TableScan<'_> {
    /// Scans from `start` through the numbers from `first` to `last`, up to an unreadable row or to the known row beside
    /// them. A damaged page may hide rows: only the step from one row to the next is certain, not the result of a search
    /// for a number, nor the apparent end of a page. `start` may be a known row beside the numbers. An error of `taken`
    /// ends the scan.
    fn run(
        &mut self,
        direction: ScanDirection,
        start: i64,
        (first, last): (i64, i64),
        taken: &mut impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Scanned> {
        let mut scanned = Scanned::default();
        let statement = if direction == ScanDirection::Up { &mut self.up } else { &mut self.down };
        let Ok(mut rows) = statement.query([start]) else { return Ok(scanned) };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Scanned { ended: true, ..scanned }),
                Err(_unreadable) => return Ok(scanned),
            };
            let Ok(id) = row.get::<_, i64>(0) else { return Ok(scanned) };
            let (lowest, highest) = scanned.complete.unwrap_or((id, id));
            // A damaged page may refer to itself.
            let advances = match (direction, scanned.complete) {
                (ScanDirection::Up, None) => id >= start,
                (ScanDirection::Down, None) => id <= start,
                (ScanDirection::Up, Some(_)) => id > highest,
                (ScanDirection::Down, Some(_)) => id < lowest,
            };
            let inside = (first..=last).contains(&id);
            if !advances || (!inside && scanned.complete.is_none() && id != start) {
                return Ok(scanned);
            }
            if inside {
                taken(row)?;
            } else if scanned.complete.is_some() {
                match direction {
                    ScanDirection::Up if id - 1 == last => scanned.complete = Some((lowest, last)),
                    ScanDirection::Down if id == first - 1 => scanned.complete = Some((first, highest)),
                    _ => {}
                }
                return Ok(scanned);
            }
            scanned.complete = Some((lowest.min(id), highest.max(id)));
        }
    }
}

/// Passes every readable row to `taken`; the key is the first column of `listed`. Returns the numbers that cannot be read,
/// in order.
fn read(
    from: &Connection,
    table: &str,
    listed: &str,
    which: &str,
    mut taken: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<Vec<(i64, i64)>> {
    let key = key(from, table)?;
    let which = if which.is_empty() { String::new() } else { format!("AND ({which})") };
    let query = |compared, order| {
        format!(
            "SELECT {listed} FROM {table} NOT INDEXED WHERE {key} {compared} ?1 {which} ORDER BY {key} {order}"
        )
    };
    let mut scan =
        TableScan { up: from.prepare(&query(">=", "ASC"))?, down: from.prepare(&query("<=", "DESC"))? };
    let up = scan.run(ScanDirection::Up, 0, (0, i64::MAX), &mut taken)?;
    if up.ended {
        return Ok(Vec::new());
    }
    let first = up.complete.map_or(0, |(_, highest)| highest.saturating_add(1));
    let last = match scan.run(ScanDirection::Down, i64::MAX, (first, i64::MAX), &mut taken)?.complete {
        Some((lowest, _)) => lowest - 1,
        None => end(from, table).filter(|&end| end >= first).unwrap_or(first.saturating_add(SEARCH_LIMIT)),
    };
    let (mut gaps, mut unread) = (VecDeque::from([(first, last)]), Vec::new());
    let mut probes = 0;
    while let Some((first, last)) = gaps.pop_front() {
        if first > last {
            continue;
        }
        if probes >= PROBES {
            unread.push((first, last));
            continue;
        }
        probes += 1;
        let middle = last - (last - first) / 2;
        let above = scan.run(ScanDirection::Up, middle, (first, last), &mut taken)?.complete;
        // From a row that was read, so that none between the two is missed.
        let (start, below) = above.map_or((middle - 1, middle - 1), |(lowest, _)| (lowest, lowest - 1));
        let below = scan.run(ScanDirection::Down, start, (first, below), &mut taken)?.complete;
        match (below.or(above), above.or(below)) {
            (Some((lowest, _)), Some((_, highest))) => {
                gaps.extend([(first, lowest - 1), (highest.saturating_add(1), last)]);
            }
            _ if first == last => unread.push((first, last)),
            _ => gaps.extend([(first, middle - 1), (middle, last)]),
        }
    }
    unread.sort_unstable();
    Ok(joined(unread))
}

/// The last number of a table, from other tables.
fn end(from: &Connection, table: &str) -> Option<i64> {
    let number = |query: &str| from.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    match table {
        "pass" => number("SELECT max(id) >> 8 FROM detection")
            .or_else(|| number("SELECT max(last_pass) FROM track")),
        "look" => number("SELECT max(id) >> 8 FROM detection")
            .or_else(|| number("SELECT max(last_look) FROM track")),
        "detection" => number("SELECT (max(id) + 1) << 8 FROM pass")
            .or_else(|| number("SELECT (max(id) + 1) << 8 FROM look")),
        "start" => number("SELECT max(start) FROM pass").or_else(|| number("SELECT max(start) FROM look")),
        _ => from
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0))
            .optional()
            .ok()
            .flatten(),
    }
}

/// Joins ranges that touch.
fn joined(ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if before.1.saturating_add(1) >= first => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}
