//! `havenwacht logbook erase`: takes personal data out on request, and leaves a receipt.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::logbook::moment;
use crate::clock::{Clock as _, SystemClock};
use crate::logbook::{self, Erasure, Personal, SigningKey, StartEntry};

/// What is erased, and why.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// What goes.
    #[arg(value_enum)]
    what: What,
    /// Site file that names the logbook.
    #[arg(long)]
    config: PathBuf,
    /// From this moment (2026-06-01T20:00:00Z) or this long ago (90m, 12h, 3d) on.
    #[arg(long, value_parser = moment)]
    from: Timestamp,
    /// Before this moment.
    #[arg(long, value_parser = moment)]
    until: Timestamp,
    /// Of this camera only.
    #[arg(long)]
    camera: Option<String>,
    /// Of this vessel only.
    #[arg(long)]
    vessel: Option<u64>,
    /// Answers of this person only.
    #[arg(long)]
    by: Option<String>,
    /// On whose word: stays in the logbook, so name a request and no person.
    #[arg(long)]
    why: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// The pictures of alerts.
    Pictures,
    /// Boxes, of vessels and of people.
    Detections,
    /// What staff answered, with their names and notes.
    Answers,
}

pub(super) fn erase(args: &EraseArgs, out: &mut impl Write) -> anyhow::Result<()> {
    anyhow::ensure!(args.from < args.until, "--from is not before --until");
    anyhow::ensure!(args.by.is_none() || matches!(args.what, What::Answers), "--by is for answers only");
    let site = super::load_site(&args.config)?;
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
        what: match args.what {
            What::Pictures => Personal::Pictures,
            What::Detections => Personal::Detections,
            What::Answers => Personal::Answers,
        },
        from: args.from,
        until: args.until,
        camera: args.camera.clone(),
        vessel: args.vessel,
        by: args.by.clone(),
        why: args.why.clone(),
    };
    match logbook::erase(&site.logbook, &start, key, &erasure)? {
        0 => writeln!(out, "nothing fits: nothing was erased")?,
        rows => writeln!(
            out,
            "{rows} erased; the receipt is the newest row of v_receipts, and `logbook verify` knows of it"
        )?,
    }
    Ok(())
}
