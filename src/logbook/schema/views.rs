//! The views: dropped and created again when a logbook's views differ from `views.sql`.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// One file for all views; macros are expanded by [`script`].
const SOURCE: &str = include_str!("views.sql");

/// Creates the views of this version, if the file does not have exactly these. Part of the caller's transaction.
pub(in crate::logbook) fn update(connection: &Connection) -> rusqlite::Result<()> {
    if are_current(connection)? {
        return Ok(());
    }
    for name in definitions(connection)?.keys() {
        connection.execute_batch(&format!("DROP VIEW \"{}\"", name.replace('"', "\"\"")))?;
    }
    connection.execute_batch(&script("CREATE VIEW"))
}

/// Whether the file has the views of this version, and no others.
pub(in crate::logbook) fn are_current(connection: &Connection) -> rusqlite::Result<bool> {
    let script = script("CREATE VIEW");
    let statements = script.split(';').filter_map(|part| part.find("CREATE VIEW").map(|at| &part[at..]));
    let found = definitions(connection)?;
    let mut wanted = 0;
    for statement in statements {
        wanted += 1;
        let name = statement.split_whitespace().nth(2).unwrap_or_default();
        if found.get(name).map(String::as_str) != Some(statement) {
            return Ok(false);
        }
    }
    Ok(found.len() == wanted)
}

/// Creates the views for this connection alone, in front of those in the file: for reading a file that another build
/// wrote and that must not be changed.
pub(in crate::logbook) fn create_temporary(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&script("CREATE TEMP VIEW"))
}

fn definitions(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    connection
        .prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'view'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// `views.sql` without comments and macros.
fn script(create: &str) -> String {
    let statements: String =
        SOURCE.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    let expanded = expand(&statements, "LOCAL_TIME", |arguments| {
        let [at, offset] = arguments else { panic!("LOCAL_TIME takes a time and an offset: {arguments:?}") };
        format!(
            "strftime('%Y-%m-%d %H:%M:%S', ({at} + {offset} * 900000) / 1000.0, 'unixepoch') || \
             iif({offset} < 0, ' -', ' +') || \
             printf('%02d:%02d', abs({offset}) / 4, abs({offset}) % 4 * 15)"
        )
    });
    let expanded = expand(&expanded, "UTC_TIME", |arguments| {
        let [at] = arguments else { panic!("UTC_TIME takes a time: {arguments:?}") };
        format!("strftime('%Y-%m-%dT%H:%M:%fZ', {at} / 1000.0, 'unixepoch')")
    });
    expanded.replace("CREATE VIEW", create)
}

/// Replaces each `name(argument, ...)`; arguments are column names.
fn expand(text: &str, name: &str, replacement: impl Fn(&[&str]) -> String) -> String {
    let call = format!("{name}(");
    let mut parts = text.split(call.as_str());
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (arguments, rest) = part.split_once(')').unwrap_or((part, ""));
        let arguments: Vec<_> = arguments.split(',').map(str::trim).collect();
        expanded += &replacement(&arguments);
        expanded += rest;
    }
    expanded
}
