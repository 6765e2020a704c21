//! Recovery: copies what can be read of a damaged logbook into a new one.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table_recovery::{copy, copy_sequences};
use crate::logbook::context::WriteContext;
use crate::logbook::error::{LogbookError, is_full, sql};
use crate::logbook::files::beside;
use crate::logbook::integrity::chain::Chain;
use crate::logbook::integrity::deletion_receipts::{self, Receipt, RemovalCause};
use crate::logbook::integrity::integrity_check::{IntegrityReport, check_without_chain};
use crate::logbook::ranges::Ranges;
use crate::logbook::{open, schema};

/// The result of a recovery.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Each table, in the order in which they were read.
    pub tables: Vec<RecoveredTable>,
    /// The check of the new logbook, without its chain: that has the gaps that are listed here.
    pub report: IntegrityReport,
}

/// What was recovered of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredTable {
    /// Its name.
    pub table: &'static str,
    /// Rows that were copied.
    pub rows: u64,
    /// Rows that do not fit the schema, or whose signal or visit is lost.
    pub unfit: u64,
    /// Numbers of rows that could not be read, such as `7-40,52`. Some of them may never have existed.
    pub unread: String,
    /// Rows of other tables that were lost and made up, because these rows refer to them, such as `camera 2`.
    pub stand_ins: Vec<String>,
    /// Why no row could be read at all.
    pub lost: Option<String>,
}

impl RecoveredTable {
    /// Every row was copied.
    pub fn is_whole(&self) -> bool {
        self.unfit == 0 && self.unread.is_empty() && self.stand_ins.is_empty() && self.lost.is_none()
    }
}

impl Recovery {
    /// Every row of every table was copied.
    pub fn is_whole(&self) -> bool {
        self.tables.iter().all(RecoveredTable::is_whole)
    }
}

/// Copies what can be read of `damaged` into a logbook `new`, which must not exist. `damaged` is not changed. Receipts of the
/// new logbook record what could not be read. `progress` gets the name of each table before it is read.
pub fn recover(
    damaged: &Path,
    new: &Path,
    now: Timestamp,
    mut progress: impl FnMut(&str),
) -> Result<Recovery, LogbookError> {
    for file in [new.to_owned(), beside(new, "-wal")] {
        if file.exists() {
            return Err(LogbookError::Exists { path: file });
        }
    }
    let from = open::damaged(damaged)?;
    let version = open::version_of(&from, damaged)?;
    let mut to = open::new_of_version(new, version)?;
    let mut tables = Vec::new();
    let mut losses = Vec::new();
    let transaction = to.transaction().map_err(sql("write the new logbook"))?;
    for table in schema::tables_of(version).map_err(sql("read the schema"))? {
        progress(table);
        let (recovered, ids) = match copy(&from, &transaction, table, "") {
            Ok(copied) => {
                let ids = copied.unread_ids();
                let stand_ins =
                    copied.stand_ins.iter().map(|(parent, id)| format!("{parent} {id}")).collect();
                let (rows, unfit, unread) = (copied.rows, copied.unfit, ids.to_string());
                (RecoveredTable { table, rows, unfit, unread, stand_ins, lost: None }, ids)
            }
            Err(cause) if is_full(&cause) => return Err(sql("write the new logbook")(cause)),
            Err(cause) => {
                let (rows, unfit, unread, stand_ins) = Default::default();
                let lost = Some(cause.to_string());
                (RecoveredTable { table, rows, unfit, unread, stand_ins, lost }, Ranges::default())
            }
        };
        if !recovered.is_whole() {
            losses.push((table, ids, recovered.unfit));
        }
        tables.push(recovered);
    }
    // The counters may be unreadable too; then numbers continue after the last row that was read.
    let _unread = copy_sequences(&from, &transaction, "1");
    transaction.commit().map_err(sql("write the new logbook"))?;
    drop(to);
    let to = open::update_new(new)?;
    write_receipts(&to, damaged, now, &losses).map_err(sql("write receipts into the new logbook"))?;
    open::checkpoint(&to).map_err(sql("write the new logbook"))?;
    drop(to);
    progress("check");
    Ok(Recovery { tables, report: check_without_chain(new, |_part| ())? })
}

/// Records what is missing, as a removal is recorded.
fn write_receipts(
    to: &rusqlite::Connection,
    damaged: &Path,
    now: Timestamp,
    missing: &[(&str, Ranges, u64)],
) -> rusqlite::Result<()> {
    let start: Option<i64> = to.query_row("SELECT max(id) FROM start", [], |row| row.get(0))?;
    let Some(start) = start.filter(|_| !missing.is_empty()) else { return Ok(()) };
    let chain = Chain::resume(to, None)?;
    let transaction = to.unchecked_transaction()?;
    let context = WriteContext { connection: &transaction, zone: &TimeZone::UTC, start };
    for (kind, ids, unfit) in missing {
        let why = match unfit {
            0 => format!("could not be read from {}", damaged.display()),
            unfit => format!("could not be read from {}; {unfit} rows did not fit", damaged.display()),
        };
        let receipt =
            Receipt { cause: RemovalCause::Damaged, kind: schema::current_name(kind), ids, why: &why };
        let id = deletion_receipts::write(context, now, &receipt)?;
        deletion_receipts::set_done(&transaction, id, now)?;
    }
    chain.extend(&transaction)?;
    transaction.commit()
}
