//! Saves what can be read of a damaged logbook into a new one.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::chain::Chain;
use super::checkup::{self, Checkup};
use super::copying::{copy, copy_sequences};
use super::error::{LogbookError, sql};
use super::ranges::Ranges;
use super::receipts::{self, Act, Receipt};
use super::{beside, open};

/// What came of a salvage.
#[derive(Clone, Debug)]
pub struct Salvaged {
    /// Each table, in the order in which they were read.
    pub kinds: Vec<SalvagedKind>,
    /// What the new logbook's check found, its chain of events left out: that has the gaps that are told here.
    pub checkup: Checkup,
}

/// What came of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalvagedKind {
    /// The table.
    pub table: &'static str,
    /// Rows that came.
    pub rows: u64,
    /// Rows whose contents do not fit the schema, or whose signal or visit is lost.
    pub unfit: u64,
    /// Numbers of rows that could not be read, such as `7-40,52`; some of them may never have existed.
    pub unread: String,
    /// Rows of other tables that were lost and that these refer to, such as `camera 2`.
    pub stand_ins: Vec<String>,
    /// The table as such could not be read.
    pub lost: Option<String>,
}

impl SalvagedKind {
    /// Everything that this table held came.
    pub fn is_whole(&self) -> bool {
        self.unfit == 0 && self.unread.is_empty() && self.stand_ins.is_empty() && self.lost.is_none()
    }
}

impl Salvaged {
    /// Everything came.
    pub fn is_whole(&self) -> bool {
        self.kinds.iter().all(SalvagedKind::is_whole)
    }
}

/// Reads what can be read of `damaged` into a logbook `new`, which must not exist. `damaged` stays as it is. What could not
/// be read is written in receipts of the new logbook. `progress` hears of every table before it is read.
pub fn salvage(
    damaged: &Path,
    new: &Path,
    now: Timestamp,
    mut progress: impl FnMut(&str),
) -> Result<Salvaged, LogbookError> {
    for file in [new.to_owned(), beside(new, "-wal")] {
        if file.exists() {
            return Err(LogbookError::Exists { path: file });
        }
    }
    let from = open::damaged(damaged)?;
    let version = open::version_of(&from, damaged)?;
    let mut to = open::of_version(new, version)?;
    let mut kinds = Vec::new();
    let mut holdings = Vec::new();
    let transaction = to.transaction().map_err(sql("write the new logbook"))?;
    for table in open::tables_of(version).map_err(sql("read the schema"))? {
        progress(table);
        let (kind, ids) = match copy(&from, &transaction, table, "") {
            Ok(copied) => {
                let ids = copied.unread_ids();
                let stand_ins =
                    copied.stand_ins.iter().map(|(parent, id)| format!("{parent} {id}")).collect();
                let (rows, unfit, unread) = (copied.rows, copied.unfit, ids.to_string());
                (SalvagedKind { table, rows, unfit, unread, stand_ins, lost: None }, ids)
            }
            Err(cause) if open::is_full(&cause) => return Err(sql("write the new logbook")(cause)),
            Err(cause) => {
                let (rows, unfit, unread, stand_ins) = Default::default();
                let lost = Some(cause.to_string());
                (SalvagedKind { table, rows, unfit, unread, stand_ins, lost }, Ranges::default())
            }
        };
        if !kind.is_whole() {
            holdings.push((table, ids, kind.unfit));
        }
        kinds.push(kind);
    }
    // Where numbers had got to may itself be unreadable; then they go on after what was read.
    let _unread = copy_sequences(&from, &transaction, "1");
    transaction.commit().map_err(sql("write the new logbook"))?;
    open::migrate(&mut to).map_err(sql("bring the new logbook's schema up to date"))?;
    note(&to, damaged, now, &holdings).map_err(sql("write receipts into the new logbook"))?;
    open::fold(&to).map_err(sql("write the new logbook"))?;
    drop(to);
    progress("check");
    Ok(Salvaged { kinds, checkup: checkup::check_rows(new, |_part| ())? })
}

/// Writes down what is missing, as a removal is written down.
fn note(
    to: &rusqlite::Connection,
    damaged: &Path,
    now: Timestamp,
    missing: &[(&str, Ranges, u64)],
) -> rusqlite::Result<()> {
    let start: Option<i64> = to.query_row("SELECT max(id) FROM start", [], |row| row.get(0))?;
    let Some(start) = start.filter(|_| !missing.is_empty()) else { return Ok(()) };
    let chain = Chain::resume(to, None)?;
    let transaction = to.unchecked_transaction()?;
    for (kind, ids, unfit) in missing {
        let why = match unfit {
            0 => format!("could not be read from {}", damaged.display()),
            unfit => format!("could not be read from {}; {unfit} rows did not fit", damaged.display()),
        };
        let receipt = Receipt { act: Act::Damaged, kind, ids, why: &why };
        let id = receipts::write(&transaction, &TimeZone::UTC, start, now, &receipt)?;
        receipts::set_done(&transaction, id, now)?;
    }
    chain.extend(&transaction)?;
    transaction.commit()
}
