//! Rows go on purpose only: planned, receipted, then carried out a little at a time between commits.
//!
//! A pass walks through the holdings in the order of [`Holding::PLANNED`]: what goes is written in a receipt of its own
//! transaction, then the rows go, then the receipt is done. A receipt that is not done is carried on first of all, also
//! after a crash.

use std::time::Duration;

use rusqlite::Connection;

use super::holdings::{Holding, Keeping};
use super::ids::Ids;
use super::plan::{Plan, Walk};
use super::receipts::{self, Act, OpenReceipt, Receipt};
use super::store::Store;
use crate::clock::{Clock, MonoTime};
use crate::config::{self, Retention};

/// Longest stretch for which removal keeps commits waiting, as far as a single step of it fits into this.
pub(super) const STRETCH: Duration = Duration::from_millis(50);

/// Pause between two stretches, from one pass to the next, and after an error.
const PAUSE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_secs(3600);
const REST: Duration = Duration::from_secs(600);

/// Events younger than this stay, however large the logbook is.
const FLOOR: Duration = Duration::from_secs(30 * 86_400);

/// Rows that go in one transaction: as many as fit in a few milliseconds, within these bounds.
const CHUNK: [u64; 3] = [4, 50, 1000];

/// A transaction longer than this is followed by a smaller one; one shorter than a quarter of it by a larger.
const STEP: Duration = Duration::from_millis(16);

/// Pages given back to the file system in one transaction.
const PAGES: u64 = 128;

/// Free pages that stay in the file for the rows to come.
const SLACK_PAGES: u64 = 1024;

/// Longest time that room is made in one go while the disk is full.
const PATIENCE: Duration = Duration::from_secs(2);

/// The removal of rows.
pub(super) struct Removal {
    kept: Retention,
    due: MonoTime,
    pass: Option<Pass>,
    going: Option<OpenReceipt>,
    chunk: u64,
    /// Nothing larger goes in one transaction.
    largest_chunk: u64,
}

/// A way through the holdings.
struct Pass {
    begun: MonoTime,
    left: std::slice::Iter<'static, Holding>,
    walk: Option<Walk>,
    /// The disk is full, and so many bytes are still to be given back.
    full: Option<u64>,
    /// Free pages at the last look.
    free: u64,
}

/// What a step has removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) looks: u64,
    pub(super) events: u64,
}

impl Removed {
    fn of(holding: Holding, rows: u64) -> Self {
        match holding {
            Holding::Look => Self { looks: rows, events: 0 },
            // Parts of events.
            Holding::Picture | Holding::SignalStep | Holding::Acknowledgement | Holding::VisitStep => {
                Self::default()
            }
            _ => Self { looks: 0, events: rows },
        }
    }

    fn add(&mut self, more: Self) {
        self.looks += more.looks;
        self.events += more.events;
    }
}

impl Removal {
    pub(super) fn new(kept: Retention, now: MonoTime) -> Self {
        let [_, chunk, largest_chunk] = CHUNK;
        Self { kept, due: now + PAUSE, pass: None, going: None, chunk, largest_chunk }
    }

    /// Works for at most [`STRETCH`], when it is time.
    pub(super) fn step(&mut self, store: &Store, clock: &dyn Clock) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        if begun < self.due {
            return Ok(removed);
        }
        // Also after an error: a full disk is not asked again at once.
        self.due = begun + REST;
        let (mut now, mut longest) = (begun, Duration::ZERO);
        // Another step only if it is likely to fit.
        while now.since(begun) + longest < STRETCH {
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

    /// Lets the oldest rows go that may go, worth about `wanted` bytes, and gives their pages back. The writer has nothing
    /// better to do: the disk is full. `reserve`: about so many bytes can be written to begin with. `between` is called
    /// after every step.
    pub(super) fn make_room(
        &mut self,
        store: &Store,
        clock: &dyn Clock,
        [wanted, reserve]: [u64; 2],
        between: impl Fn(),
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        self.pass = Some(Pass::new(begun, Some(wanted)));
        // A look and its detections change less than a kilobyte of pages.
        self.largest_chunk = (reserve / 4096).clamp(CHUNK[0], CHUNK[2]);
        self.chunk = self.chunk.min(self.largest_chunk);
        let outcome = loop {
            match self.turn(store, clock) {
                Ok(Some(some)) => removed.add(some),
                Ok(None) => break Ok(removed),
                Err(cause) => break Err(cause),
            }
            between();
            if clock.mono().since(begun) > PATIENCE {
                break Ok(removed);
            }
        };
        self.pass = None;
        self.largest_chunk = CHUNK[2];
        self.due = clock.mono() + EVERY;
        outcome
    }

    /// One short step; `None` when there is nothing to do until the next pass.
    fn turn(&mut self, store: &Store, clock: &dyn Clock) -> rusqlite::Result<Option<Removed>> {
        if self.going.is_none() {
            self.going = receipts::first_open(&store.connection)?;
        }
        if let Some(going) = self.going.take() {
            return self.carry_out(going, &store.connection, clock).map(Some);
        }
        let mut pass = self.pass.take().unwrap_or_else(|| Pass::new(clock.mono(), None));
        let more = match pass.walk.take() {
            Some(mut walk) => {
                if !walk.step(&store.connection)? {
                    pass.walk = Some(walk);
                } else if let Some(plan) = walk.plan(&store.connection)? {
                    pass.full = pass.full.map(|wanted| wanted.saturating_sub(plan.bytes));
                    promise(&plan, store, clock)?;
                }
                true
            }
            None => match pass.left.next() {
                Some(&holding) if pass.full != Some(0) => {
                    pass.walk = Some(self.walk(holding, pass.full, &store.connection, clock)?);
                    true
                }
                _ => pass.shrink(&store.connection)?,
            },
        };
        if more {
            self.pass = Some(pass);
            return Ok(Some(Removed::default()));
        }
        self.due = pass.begun + EVERY;
        Ok(None)
    }

    /// How far back rows of this holding stay now, and why.
    fn walk(
        &self,
        holding: Holding,
        full: Option<u64>,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Walk> {
        let now = clock.now().wall.as_millisecond();
        let before = |age: Duration| now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let kept = match holding.keeping() {
            Keeping::Detections => self.kept.detections,
            Keeping::Tracks => self.kept.tracks,
            Keeping::Pictures => self.kept.pictures,
            Keeping::Events => self.kept.events,
        };
        let permitted = match holding.keeping() {
            Keeping::Detections | Keeping::Pictures => i64::MAX,
            Keeping::Tracks | Keeping::Events => before(kept).max(before(FLOOR)),
        };
        if let Some(wanted) = full {
            return Ok(Walk::new(holding, Act::DiskFull, permitted, wanted, "the disk was full".into()));
        }
        if let Some(limit) = self.kept.max_size {
            let used = used_bytes(connection)?;
            if used > limit {
                let (used_text, limit_text) = (config::written_size(used), config::written_size(limit));
                let why = format!("the logbook was larger than {limit_text}: {used_text}");
                return Ok(Walk::new(holding, Act::Size, permitted, used - limit, why));
            }
        }
        let why = format!("older than {}", config::written(kept));
        Ok(Walk::new(holding, Act::Age, before(kept), u64::MAX, why))
    }

    /// Lets some of the rows of a receipt go; with the last of them it is done.
    fn carry_out(
        &mut self,
        mut going: OpenReceipt,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let some = going.ids.take(self.chunk);
        let transaction = connection.unchecked_transaction()?;
        let rows = going.holding.remove(&transaction, &some)?;
        if going.ids.is_empty() {
            receipts::set_done(&transaction, going.id, clock.now().wall)?;
        }
        transaction.commit()?;
        let took = clock.mono().since(begun);
        if took > STEP {
            self.chunk = (self.chunk / 2).max(CHUNK[0]);
        } else if took < STEP / 4 {
            self.chunk = (self.chunk * 2).min(self.largest_chunk);
        }
        let removed = Removed::of(going.holding, rows);
        self.going = (!going.ids.is_empty()).then_some(going);
        Ok(removed)
    }
}

impl Pass {
    fn new(begun: MonoTime, full: Option<u64>) -> Self {
        Self { begun, left: Holding::PLANNED.iter(), walk: None, full, free: u64::MAX }
    }

    /// Gives free pages back to the file system, some at a time. False when there are none too many.
    fn shrink(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let (slack, pages) = if self.full.is_some() { (0, PAGES / 8) } else { (SLACK_PAGES, PAGES) };
        let free = number(connection, "freelist_count")?;
        if free <= slack || free >= self.free {
            return Ok(false);
        }
        self.free = free;
        let mut vacuum =
            connection.prepare(&format!("PRAGMA incremental_vacuum({})", pages.min(free - slack)))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(true)
    }
}

/// Writes the receipts of a plan in a transaction of their own; what goes with a row goes before it.
fn promise(plan: &Plan, store: &Store, clock: &dyn Clock) -> rusqlite::Result<()> {
    let at = clock.now().wall;
    let transaction = store.connection.unchecked_transaction()?;
    let write = |holding: Holding, ids: &Ids| {
        let receipt = Receipt { act: plan.act, kind: holding.name(), ids, why: &plan.why };
        receipts::write(&transaction, &store.zone, store.start, at, &receipt)
    };
    for (child, ids) in plan.children.iter().filter(|(_, ids)| !ids.is_empty()) {
        write(*child, ids)?;
    }
    write(plan.holding, &plan.ids)?;
    transaction.commit()
}

/// Bytes of the pages that hold something.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = number(connection, "page_count")?.saturating_sub(number(connection, "freelist_count")?);
    Ok(pages * number(connection, "page_size")?)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
