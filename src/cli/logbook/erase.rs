//! `logbook erase`: deletes personal data on request, and leaves a receipt.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::source::time;
use crate::cli::site::load_site;
use crate::clock::{Clock as _, SystemClock};
use crate::logbook::{self, Erasure, PersonalData, SigningKey, StartEntry};

/// What is erased, and why.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Which data.
    #[arg(value_enum)]
    data: DataArg,
    /// Site file that names the logbook.
    #[arg(long)]
    config: PathBuf,
    /// From this time (2026-06-01T20:00:00Z) on, or for the last 90m, 12h or 3d.
    #[arg(long, value_parser = time)]
    from: Timestamp,
    /// Before this time.
    #[arg(long, value_parser = time)]
    until: Timestamp,
    /// Only of this camera.
    #[arg(long)]
    camera: Option<String>,
    /// Only of this vessel.
    #[arg(long)]
    vessel: Option<u64>,
    /// Only acknowledgements by this person.
    #[arg(long)]
    by: Option<String>,
    /// On whose request. It stays in the logbook: name a request, not a person.
    #[arg(long)]
    why: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DataArg {
    /// The pictures of alerts.
    Pictures,
    /// Boxes, of vessels and of people.
    Detections,
    /// Acknowledgements of staff, with their names and notes.
    Acknowledgements,
}

pub(super) fn erase(args: &EraseArgs, out: &mut impl Write) -> anyhow::Result<()> {
    anyhow::ensure!(args.from < args.until, "--from is not before --until");
    let data = match args.data {
        DataArg::Pictures => PersonalData::Pictures,
        DataArg::Detections => PersonalData::Detections,
        DataArg::Acknowledgements => PersonalData::Acknowledgements,
    };
    anyhow::ensure!(
        args.by.is_none() || data == PersonalData::Acknowledgements,
        "--by is for acknowledgements only"
    );
    let site = load_site(&args.config)?;
    let key =
        site.signing_key.as_ref().map(|source| anyhow::Ok(SigningKey::read(&source.read()?)?)).transpose()?;
    let start = StartEntry {
        at: SystemClock::default().now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: site.hash.clone(),
        model_hash: String::new(),
        mode: "erase",
        time_zone: site.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    };
    let erasure = Erasure {
        what: data,
        from: args.from,
        until: args.until,
        camera: args.camera.clone(),
        vessel: args.vessel,
        by: args.by.clone(),
        why: args.why.clone(),
    };
    match logbook::erase(&site.logbook, &start, key, &erasure)? {
        0 => writeln!(out, "no row matches: nothing was erased")?,
        rows => writeln!(out, "{rows} erased; the receipt is the newest row of v_receipts")?,
    }
    Ok(())
}
