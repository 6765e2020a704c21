//! The schema: migrations, views, and comparison of a file's schema with what it should be.

#[cfg(test)]
mod tests;
mod views;

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};

use super::integrity::chain;

pub(super) use views::{are_current as views_are_current, create_temporary as create_temporary_views};

/// "HAVW" in the SQLite header.
pub(super) const APPLICATION_ID: i32 = 0x4841_5657;

/// Migration n makes `user_version` n. A migration never changes once it is released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_logbook.sql"),
    include_str!("migrations/002_reasons.sql"),
    include_str!("migrations/003_guarantees.sql"),
    include_str!("migrations/004_vocabulary.sql"),
];

/// The schema of this version.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// The first schema with a hash chain.
pub(super) const FIRST_WITH_CHAIN: usize = 3;

/// The first schema whose views come from `views.sql`.
const FIRST_WITH_VIEW_FILE: usize = 4;

/// Every table of every version; a table comes after those that its rows refer to.
const TABLES: &[&str] = &[
    "start",
    "camera",
    "look",
    "pass",
    "detection",
    "track",
    "signal",
    "signal_step",
    "alert",
    "acknowledgement",
    "suppressed",
    "visit",
    "visit_step",
    "camera_state",
    "blind_spell",
    "camera_outage",
    "clock_reading",
    "seal",
    "receipt",
    "link",
];

/// Today's name of a table, by the name that an earlier version gave it.
pub(super) fn current_name(table: &str) -> &str {
    match table {
        "look" => "pass",
        "blind_spell" => "camera_outage",
        current => current,
    }
}

/// Brings an opened logbook to the schema and the views of this version: all in one transaction, or nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, VERSION)
}

/// Brings a logbook to a schema: an earlier one for the recovery of a damaged file of that version.
pub(super) fn migrate_to(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    let done: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(done).unwrap_or(0);
    if done >= version && (version < FIRST_WITH_VIEW_FILE || views::are_current(connection)?) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().take(version).skip(done) {
        transaction.execute_batch(migration)?;
    }
    if version >= FIRST_WITH_VIEW_FILE {
        views::update(&transaction)?;
    }
    if version == VERSION && done < FIRST_WITH_CHAIN {
        chain::link_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i32::try_from(version).unwrap_or(i32::MAX))?;
    transaction.commit()
}

/// An empty logbook of this version, in memory.
pub(super) fn fresh() -> rusqlite::Result<Connection> {
    fresh_of(VERSION)
}

/// An empty logbook of a version, in memory.
pub(super) fn fresh_of(version: usize) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    migrate_to(&mut connection, version)?;
    Ok(connection)
}

/// The tables of this version; a table comes after those that its rows refer to.
pub(super) fn tables() -> rusqlite::Result<Vec<&'static str>> {
    tables_of(VERSION)
}

/// The tables of a version, in the same order.
pub(super) fn tables_of(version: usize) -> rusqlite::Result<Vec<&'static str>> {
    let found = definitions(&fresh_of(version)?)?;
    Ok(TABLES.iter().copied().filter(|table| found.contains_key(&format!("table {table}"))).collect())
}

/// Every table, index and view (`view v_alerts`) with its definition.
pub(super) fn definitions(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    connection
        .prepare(
            "SELECT type || ' ' || name, sql FROM sqlite_schema
             WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A table whose definition differs from the one that this version of the schema has.
pub(super) fn altered_table(connection: &Connection, version: usize) -> rusqlite::Result<Option<String>> {
    let (found, wanted) = (definitions(connection)?, definitions(&fresh_of(version)?)?);
    Ok(wanted
        .into_iter()
        .filter(|(name, _)| name.starts_with("table "))
        .find(|(name, definition)| found.get(name) != Some(definition))
        .map(|(name, _)| name))
}
