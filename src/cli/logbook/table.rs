//! Tables on the terminal.

use std::io::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::logbook::TextTable;

/// A table with a header; `(none)` without rows.
pub(super) fn write_table(table: &TextTable, out: &mut impl Write) -> std::io::Result<()> {
    if table.rows.is_empty() {
        return writeln!(out, "(none)");
    }
    let mut drawn = without_lines();
    drawn.set_header(&table.columns).add_rows(&table.rows);
    write_drawn(&mut drawn, out)
}

/// A table below a title.
pub(super) fn write_section(title: &str, table: &TextTable, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "\n{title}")?;
    write_table(table, out)
}

/// Records, with a line for each value.
pub(super) fn write_record(table: &TextTable, out: &mut impl Write) -> std::io::Result<()> {
    for row in &table.rows {
        let mut drawn = without_lines();
        drawn.add_rows(table.columns.iter().zip(row).map(|(name, value)| [name, value]));
        if let Some(names) = drawn.column_mut(0) {
            names.set_cell_alignment(CellAlignment::Right);
        }
        write_drawn(&mut drawn, out)?;
    }
    Ok(())
}

fn without_lines() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn write_drawn(table: &mut Table, out: &mut impl Write) -> std::io::Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}
