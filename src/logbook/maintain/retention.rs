//! Retention: rows are planned, recorded in a receipt, and then deleted in small steps between commits.
//!
//! A round goes through the kinds of rows in the order of [`RowKind::PLANNED`]. The receipt is written in a transaction of its
//! own, then the rows are deleted, then the receipt is marked as done. A receipt that is not done is continued first, also
//! after a crash.
//!
//! No row is removed for its age by a wall clock that may be wrong ([`row_age::clock_is_trusted`]). Rows that were written
//! before the clock was set are removed with those that were written after.

use std::time::Duration;

use rusqlite::Connection;

use super::retention_plan::{RetentionPlan, RetentionSearch};
use super::row_kinds::{RetentionClass, RowKind};
use crate::clock::{Clock, MonoTime};
use crate::config::{self, Retention};
use crate::logbook::integrity::deletion_receipts::{self, PendingReceipt, Receipt, RemovalCause};
use crate::logbook::read::row_age;
use crate::logbook::write::store::Store;

/// The longest time that removal delays commits. A step that has begun is finished; steps are kept to [`STEP`].
pub(in crate::logbook) const LONGEST_DELAY: Duration = Duration::from_millis(50);

/// The pause after such a time, between two rounds, and after an error.
const PAUSE: Duration = Duration::from_secs(1);
const ROUND_EVERY: Duration = Duration::from_secs(3600);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(600);

/// Younger events are kept, however large the logbook is.
const YOUNGEST_EVENT: Duration = Duration::from_secs(30 * 86_400);

/// Rows that one transaction deletes: smallest, first and largest number.
const CHUNK: [u64; 3] = [4, 50, 1000];

/// After a longer transaction the next one is smaller; after one of less than a quarter of this it is larger.
const STEP: Duration = Duration::from_millis(16);

/// Pages that one transaction returns to the file system.
const PAGES: u64 = 128;

/// Free pages that stay in the file for new rows.
const FREE_PAGES_KEPT: u64 = 1024;

/// The least number of bytes that are freed at a time on a full disk.
const LEAST_ROOM: u64 = 64 << 10;

/// The longest time that room is made at a time on a full disk.
const LONGEST_ROOM_MAKING: Duration = Duration::from_secs(2);

/// The removal of rows.
pub(in crate::logbook) struct Removal {
    retention: Retention,
    due: MonoTime,
    round: Option<RemovalRound>,
    pending: Option<PendingReceipt>,
    chunk: u64,
    largest_chunk: u64,
}

/// One round through the kinds of rows.
struct RemovalRound {
    begun: MonoTime,
    left: std::slice::Iter<'static, RowKind>,
    search: Option<RetentionSearch>,
    /// Room to make, whatever the age of the rows.
    wanted: Option<WantedRoom>,
    /// Free pages before the last step, and how many of them stay.
    free: Option<u64>,
    kept_free: u64,
}

/// Room that is to be made.
struct WantedRoom {
    cause: RemovalCause,
    bytes: u64,
    why: String,
    /// The most pages that are returned to a full disk at a time. The others stay free in the file, which then need not grow.
    pages: u64,
}

/// What a step has removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::logbook) struct Removed {
    pub(in crate::logbook) passes: u64,
    pub(in crate::logbook) events: u64,
}

impl Removed {
    fn of(kind: RowKind, rows: u64) -> Self {
        match kind {
            RowKind::Pass => Self { passes: rows, events: 0 },
            // Parts of events.
            RowKind::Picture | RowKind::SignalStep | RowKind::Acknowledgement | RowKind::VisitStep => {
                Self::default()
            }
            _ => Self { passes: 0, events: rows },
        }
    }

    fn add(&mut self, more: Self) {
        self.passes += more.passes;
        self.events += more.events;
    }
}

impl Removal {
    pub(in crate::logbook) fn new(retention: Retention, now: MonoTime) -> Self {
        let [_, chunk, largest_chunk] = CHUNK;
        Self { retention, due: now + PAUSE, round: None, pending: None, chunk, largest_chunk }
    }

    /// Removes rows for at most [`LONGEST_DELAY`], when it is time.
    pub(in crate::logbook) fn step(
        &mut self,
        store: &mut Store,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        if begun < self.due {
            return Ok(removed);
        }
        // Applies after an error: a full disk is not tried again at once.
        self.due = begun + PAUSE_AFTER_ERROR;
        let (mut now, mut longest) = (begun, Duration::ZERO);
        // Another step only if it is likely to fit.
        while now == begun || now.since(begun) + longest.max(STEP) <= LONGEST_DELAY {
            let Some(some) = self.turn(store, clock)? else {
                return Ok(removed);
            };
            removed.add(some);
            let after = clock.mono();
            longest = longest.max(after.since(now));
            now = after;
        }
        self.due = now + PAUSE;
        Ok(removed)
    }

    /// Removes the oldest rows that may be removed on a full disk: about `wanted` bytes or a quarter of the logbook, and
    /// returns their pages to the file system. `reserve`: about this many bytes can be written at first. `between` is
    /// called after every step.
    pub(in crate::logbook) fn make_room(
        &mut self,
        store: &mut Store,
        clock: &dyn Clock,
        [wanted, reserve]: [u64; 2],
        between: impl Fn(&Connection),
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        // A small logbook on a disk that other files fill is not emptied at once.
        let wanted = wanted.min(used_bytes(&store.connection)? / 4).max(LEAST_ROOM);
        let (why, pages) = ("the disk was full".into(), 2 * reserve / 4096);
        let wanted = WantedRoom { cause: RemovalCause::DiskFull, bytes: wanted, why, pages };
        self.round = Some(RemovalRound::new(begun, Some(wanted)));
        // A pass and its detections change less than a kilobyte of pages.
        self.largest_chunk = (reserve / 4096).clamp(CHUNK[0], CHUNK[2]);
        self.chunk = self.chunk.min(self.largest_chunk);
        let outcome = loop {
            match self.turn(store, clock) {
                Ok(Some(some)) => removed.add(some),
                Ok(None) => break Ok(removed),
                Err(cause) => break Err(cause),
            }
            between(&store.connection);
            if clock.mono().since(begun) > LONGEST_ROOM_MAKING {
                break Ok(removed);
            }
        };
        self.round = None;
        self.largest_chunk = CHUNK[2];
        self.due = clock.mono() + ROUND_EVERY;
        outcome
    }

    /// One short step; `None` when there is nothing to do until the next round.
    fn turn(&mut self, store: &mut Store, clock: &dyn Clock) -> rusqlite::Result<Option<Removed>> {
        if self.pending.is_none() {
            self.pending = deletion_receipts::first_pending(&store.connection)?;
            // Some of its rows may have been deleted before a crash.
            if let Some(pending) = &mut self.pending
                && let Some(first) = pending.kind.first_present(&store.connection, &pending.ids)?
            {
                pending.ids.cut_before(first);
            }
        }
        if let Some(pending) = self.pending.take() {
            return self.delete(pending, &store.connection, clock).map(Some);
        }
        let mut round = match self.round.take() {
            Some(round) => round,
            None => RemovalRound::new(clock.mono(), self.too_large(&store.connection)?),
        };
        let more = match round.search.take() {
            Some(mut search) => {
                if !search.step(&store.connection)? {
                    round.search = Some(search);
                } else if let Some(plan) = search.plan(&store.connection)? {
                    write_receipts(&plan, store, clock)?;
                    round.will_free(plan.bytes);
                }
                true
            }
            None => match round.left.next() {
                Some(&kind) if !round.is_enough() => {
                    round.search =
                        Some(self.search(kind, round.wanted.as_ref(), &store.connection, clock)?);
                    true
                }
                _ => round.shrink(&store.connection)?,
            },
        };
        if more {
            self.round = Some(round);
            return Ok(Some(Removed::default()));
        }
        self.due = round.begun + ROUND_EVERY;
        Ok(None)
    }

    /// By how much the logbook is larger than it may be.
    fn too_large(&self, connection: &Connection) -> rusqlite::Result<Option<WantedRoom>> {
        let Some(limit) = self.retention.max_size else { return Ok(None) };
        let used = used_bytes(connection)?;
        let [is, may_be] = [used, limit].map(config::format_size);
        let why = format!("the logbook was larger than {may_be}: {is}");
        Ok((used > limit).then(|| WantedRoom {
            cause: RemovalCause::Size,
            bytes: used - limit,
            why,
            pages: u64::MAX,
        }))
    }

    /// The search for rows of this kind that may be removed now.
    fn search(
        &self,
        kind: RowKind,
        wanted: Option<&WantedRoom>,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<RetentionSearch> {
        let now = clock.now();
        let now_ms = now.wall.as_millisecond();
        let now_boot_ms = i64::try_from(now.mono.since_boot().as_millis()).unwrap_or(i64::MAX);
        let is_trusted = row_age::clock_is_trusted(connection, now_ms, now_boot_ms)?;
        let before = |age: Duration| match i64::try_from(age.as_millis()) {
            Ok(age) if is_trusted => now_ms.saturating_sub(age),
            _ => i64::MIN,
        };
        let kept = match kind.retention() {
            RetentionClass::Detections => self.retention.detections,
            RetentionClass::Tracks => self.retention.tracks,
            RetentionClass::Pictures => self.retention.pictures,
            RetentionClass::Events => self.retention.events,
        };
        let Some(wanted) = wanted else {
            let why = format!("older than {}", config::format_duration(kept));
            return Ok(RetentionSearch::new(kind, RemovalCause::Age, before(kept), u64::MAX, why));
        };
        let permitted = match kind.retention() {
            RetentionClass::Detections | RetentionClass::Pictures => i64::MAX,
            RetentionClass::Tracks | RetentionClass::Events => before(kept).max(before(YOUNGEST_EVENT)),
        };
        Ok(RetentionSearch::new(kind, wanted.cause, permitted, wanted.bytes, wanted.why.clone()))
    }

    /// Deletes some of the rows of a receipt. With the last of them the receipt is done.
    fn delete(
        &mut self,
        mut pending: PendingReceipt,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let some = pending.ids.take(self.chunk);
        let transaction = connection.unchecked_transaction()?;
        let rows = pending.kind.remove(&transaction, &some)?;
        if pending.ids.is_empty() {
            deletion_receipts::set_done(&transaction, pending.id, clock.now().wall)?;
        }
        transaction.commit()?;
        let took = clock.mono().since(begun);
        if took > STEP {
            self.chunk = (self.chunk / 2).max(CHUNK[0]);
        } else if took < STEP / 4 {
            self.chunk = (self.chunk * 2).min(self.largest_chunk);
        }
        let removed = Removed::of(pending.kind, rows);
        self.pending = (!pending.ids.is_empty()).then_some(pending);
        Ok(removed)
    }
}

impl RemovalRound {
    fn new(begun: MonoTime, wanted: Option<WantedRoom>) -> Self {
        let left = RowKind::PLANNED.iter();
        Self { begun, left, search: None, wanted, free: None, kept_free: FREE_PAGES_KEPT }
    }

    /// A plan will free this many bytes. A logbook that is small enough then continues with rows that are too old.
    fn will_free(&mut self, bytes: u64) {
        let Some(wanted) = &mut self.wanted else { return };
        wanted.bytes = wanted.bytes.saturating_sub(bytes);
        if wanted.bytes == 0 && wanted.cause == RemovalCause::Size {
            self.wanted = None;
        }
    }

    /// Whether a full disk has enough room.
    fn is_enough(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.bytes == 0)
    }

    /// Returns some free pages to the file system; `false` when there are not too many.
    fn shrink(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let free = number(connection, "freelist_count")?;
        let full = self.wanted.as_ref().filter(|wanted| wanted.cause == RemovalCause::DiskFull);
        if let (None, Some(full)) = (self.free, full) {
            self.kept_free = free - (free / 2).min(full.pages);
        }
        // Each page is written twice: a small disk has no room for many at a time.
        let pages = if full.is_some() { PAGES / 8 } else { PAGES };
        if free <= self.kept_free || self.free.is_some_and(|before| free >= before) {
            return Ok(false);
        }
        self.free = Some(free);
        let kept = self.kept_free;
        let mut vacuum =
            connection.prepare(&format!("PRAGMA incremental_vacuum({})", pages.min(free - kept)))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(true)
    }
}

/// Writes the receipts of a plan in a transaction of their own; rows that refer to a row are deleted before it.
fn write_receipts(plan: &RetentionPlan, store: &mut Store, clock: &dyn Clock) -> rusqlite::Result<()> {
    let at = clock.now().wall;
    let parts = plan.children.iter().filter(|(_, ids)| !ids.is_empty());
    store.write_events(|context, _seals| {
        for (kind, ids) in parts.map(|(child, ids)| (*child, ids)).chain([(plan.kind, &plan.ids)]) {
            let receipt = Receipt { cause: plan.cause, kind: kind.name(), ids, why: &plan.why };
            deletion_receipts::write(context, at, &receipt)?;
        }
        Ok(())
    })
}

/// Bytes of the pages in use.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = number(connection, "page_count")?.saturating_sub(number(connection, "freelist_count")?);
    Ok(pages * number(connection, "page_size")?)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
