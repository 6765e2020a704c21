//! Rows go on purpose only: planned, receipted, then carried out a little at a time between commits.
//!
//! A pass walks through the holdings in the order of [`Holding::PLANNED`]: what goes is written in a receipt of its own
//! transaction, then the rows go, then the receipt is done. A receipt that is not done is carried on first of all, also
//! after a crash.
//!
//! Nothing goes for its age on the word of a clock that may be wrong ([`clocks::tells_age`]); rows that were written before
//! somebody set it go with those that were written after.

use std::time::Duration;

use rusqlite::Connection;

use super::clocks;
use super::holdings::{Holding, Keeping};
use super::plan::{Plan, Walk};
use super::receipts::{self, Act, OpenReceipt, Receipt};
use super::store::Store;
use crate::clock::{Clock, MonoTime};
use crate::config::{self, Retention};

/// Longest stretch for which removal keeps commits waiting. A step that is under way is finished; steps are kept to [`STEP`].
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

/// Bytes that a full disk gets back in one go, at the least.
const SOME: u64 = 64 << 10;

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
    /// So many bytes are still to be given back, whatever their age.
    wanted: Option<Wanted>,
    /// Free pages at the last look, and how many of them stay.
    free: Option<u64>,
    slack: u64,
}

/// Room that is to be made.
struct Wanted {
    act: Act,
    bytes: u64,
    why: String,
    /// The full disk gets at most so many pages back at once. The others stay free in the file, which then need not grow.
    pages: u64,
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
    pub(super) fn step(&mut self, store: &mut Store, clock: &dyn Clock) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        if begun < self.due {
            return Ok(removed);
        }
        // Also after an error: a full disk is not asked again at once.
        self.due = begun + REST;
        let (mut now, mut longest) = (begun, Duration::ZERO);
        // Another step only if it is likely to fit.
        while now == begun || now.since(begun) + longest.max(STEP) <= STRETCH {
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

    /// Lets the oldest rows go that may go, worth about `wanted` bytes or a quarter of the logbook, and gives their pages back. The writer has nothing
    /// better to do: the disk is full. `reserve`: about so many bytes can be written to begin with. `between` is called
    /// after every step.
    pub(super) fn make_room(
        &mut self,
        store: &mut Store,
        clock: &dyn Clock,
        [wanted, reserve]: [u64; 2],
        between: impl Fn(&Connection),
    ) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        // A small logbook on a disk that others fill is not emptied at once.
        let wanted = wanted.min(used_bytes(&store.connection)? / 4).max(SOME);
        let (why, pages) = ("the disk was full".into(), 2 * reserve / 4096);
        let wanted = Wanted { act: Act::DiskFull, bytes: wanted, why, pages };
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
            between(&store.connection);
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
    fn turn(&mut self, store: &mut Store, clock: &dyn Clock) -> rusqlite::Result<Option<Removed>> {
        if self.going.is_none() {
            self.going = receipts::first_open(&store.connection)?;
            // Some of it may have gone in an earlier life.
            if let Some(going) = &mut self.going
                && let Some(first) = going.holding.first_present(&store.connection, &going.ids)?
            {
                going.ids.cut_before(first);
            }
        }
        if let Some(going) = self.going.take() {
            return self.carry_out(going, &store.connection, clock).map(Some);
        }
        let mut pass = match self.pass.take() {
            Some(pass) => pass,
            None => Pass::new(clock.mono(), self.too_much(&store.connection)?),
        };
        let more = match pass.walk.take() {
            Some(mut walk) => {
                if !walk.step(&store.connection)? {
                    pass.walk = Some(walk);
                } else if let Some(plan) = walk.plan(&store.connection)? {
                    promise(&plan, store, clock)?;
                    pass.gives(plan.bytes);
                }
                true
            }
            None => match pass.left.next() {
                Some(&holding) if !pass.is_enough() => {
                    pass.walk = Some(self.walk(holding, pass.wanted.as_ref(), &store.connection, clock)?);
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

    /// By how much the logbook is larger than it may be.
    fn too_much(&self, connection: &Connection) -> rusqlite::Result<Option<Wanted>> {
        let Some(limit) = self.kept.max_size else { return Ok(None) };
        let used = used_bytes(connection)?;
        let [is, may_be] = [used, limit].map(config::format_size);
        let why = format!("the logbook was larger than {may_be}: {is}");
        Ok((used > limit).then(|| Wanted { act: Act::Size, bytes: used - limit, why, pages: u64::MAX }))
    }

    /// How far back rows of this holding stay now, and why.
    fn walk(
        &self,
        holding: Holding,
        wanted: Option<&Wanted>,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Walk> {
        let now = clock.now();
        let now_ms = now.wall.as_millisecond();
        let now_boot_ms = i64::try_from(now.mono.since_boot().as_millis()).unwrap_or(i64::MAX);
        let told = clocks::tells_age(connection, now_ms, now_boot_ms)?;
        let before = |age: Duration| match i64::try_from(age.as_millis()) {
            Ok(age) if told => now_ms.saturating_sub(age),
            _ => i64::MIN,
        };
        let kept = match holding.keeping() {
            Keeping::Detections => self.kept.detections,
            Keeping::Tracks => self.kept.tracks,
            Keeping::Pictures => self.kept.pictures,
            Keeping::Events => self.kept.events,
        };
        let Some(wanted) = wanted else {
            let why = format!("older than {}", config::format_duration(kept));
            return Ok(Walk::new(holding, Act::Age, before(kept), u64::MAX, why));
        };
        let permitted = match holding.keeping() {
            Keeping::Detections | Keeping::Pictures => i64::MAX,
            Keeping::Tracks | Keeping::Events => before(kept).max(before(FLOOR)),
        };
        Ok(Walk::new(holding, wanted.act, permitted, wanted.bytes, wanted.why.clone()))
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
    fn new(begun: MonoTime, wanted: Option<Wanted>) -> Self {
        Self { begun, left: Holding::PLANNED.iter(), walk: None, wanted, free: None, slack: SLACK_PAGES }
    }

    /// So much of what is wanted is under way. A logbook that is small enough goes on with what is too old.
    fn gives(&mut self, bytes: u64) {
        let Some(wanted) = &mut self.wanted else { return };
        wanted.bytes = wanted.bytes.saturating_sub(bytes);
        if wanted.bytes == 0 && wanted.act == Act::Size {
            self.wanted = None;
        }
    }

    /// The full disk has got what it needs.
    fn is_enough(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.bytes == 0)
    }

    /// Gives free pages back to the file system, some at a time. False when there are none too many.
    fn shrink(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let free = number(connection, "freelist_count")?;
        let full = self.wanted.as_ref().filter(|wanted| wanted.act == Act::DiskFull);
        if let (None, Some(full)) = (self.free, full) {
            self.slack = free - (free / 2).min(full.pages);
        }
        // A small disk has no room for many pages at once, each of which is written twice.
        let pages = if full.is_some() { PAGES / 8 } else { PAGES };
        if free <= self.slack || self.free.is_some_and(|before| free >= before) {
            return Ok(false);
        }
        self.free = Some(free);
        let slack = self.slack;
        let mut vacuum =
            connection.prepare(&format!("PRAGMA incremental_vacuum({})", pages.min(free - slack)))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(true)
    }
}

/// Writes the receipts of a plan in a transaction of their own; what goes with a row goes before it.
fn promise(plan: &Plan, store: &mut Store, clock: &dyn Clock) -> rusqlite::Result<()> {
    let at = clock.now().wall;
    let parts = plan.children.iter().filter(|(_, ids)| !ids.is_empty());
    store.note(|transaction, zone, start| {
        for (holding, ids) in parts.map(|(child, ids)| (*child, ids)).chain([(plan.holding, &plan.ids)]) {
            let receipt = Receipt { act: plan.act, kind: holding.name(), ids, why: &plan.why };
            receipts::write(transaction, zone, start, at, &receipt)?;
        }
        Ok(())
    })
}

/// Bytes of the pages that hold something.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = number(connection, "page_count")?.saturating_sub(number(connection, "freelist_count")?);
    Ok(pages * number(connection, "page_size")?)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
