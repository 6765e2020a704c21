//! `logbook export`: all rows of one kind as CSV.

use std::io::Write;

use clap::Args;

use super::list::KindArg;
use super::source::{Rows, Source};

/// What is exported.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Rows of which kind.
    #[arg(value_enum)]
    pub kind: KindArg,
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
    /// Which rows.
    #[command(flatten)]
    pub rows: Rows,
}

pub(super) fn export(args: &ExportArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let filter = args.rows.filter(None);
    Ok(args.source.open()?.export(args.kind.into(), &filter, |row| write_csv(row, out))??)
}

/// RFC 4180: commas, CRLF, quotes where they are needed.
fn write_csv(row: &[String], out: &mut impl Write) -> std::io::Result<()> {
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"', '\r', '\n']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}
