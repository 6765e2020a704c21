//! `logbook list`: the newest rows of one kind as a table.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::source::{Rows, Source};
use super::table::write_table;
use crate::logbook::Listing;

/// What is listed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Rows of which kind.
    #[arg(value_enum)]
    pub kind: KindArg,
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
    /// Which rows.
    #[command(flatten)]
    pub rows: Rows,
    /// The newest rows, at most this many.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

/// Kinds of rows that can be listed and exported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Every box of every detection pass.
    Detections,
    /// Every track of a vessel.
    Tracks,
    /// Every signal.
    Signals,
    /// Every message to staff.
    Alerts,
    /// Every change of a camera's state.
    CameraStates,
    /// Every suppressed signal, with the reason.
    Suppressed,
    /// Every stay at a berth.
    Visits,
    /// Every reading of the machine's clocks.
    Clock,
    /// Every time in which a camera gave no usable picture.
    Outages,
}

impl From<KindArg> for Listing {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Detections => Self::Detections,
            KindArg::Tracks => Self::Tracks,
            KindArg::Signals => Self::Signals,
            KindArg::Alerts => Self::Alerts,
            KindArg::CameraStates => Self::CameraStates,
            KindArg::Suppressed => Self::Suppressed,
            KindArg::Visits => Self::Visits,
            KindArg::Clock => Self::Clock,
            KindArg::Outages => Self::Outages,
        }
    }
}

pub(super) fn list(args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let table = args.source.open()?.list(args.kind.into(), &args.rows.filter(Some(args.limit)))?;
    Ok(write_table(&table, out)?)
}
