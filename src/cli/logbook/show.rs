//! `logbook show`: all about one signal or one vessel.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::Args;

use super::source::Source;
use super::table::{write_record, write_section};
use crate::logbook::{Reader, SignalRecord, VesselRecord};

/// What is shown.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Number or id of a signal, or `vessel:` and its number.
    pub what: String,
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
}

pub(super) fn show(args: &ShowArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let reader = args.source.open()?;
    match args.what.strip_prefix("vessel:") {
        Some(number) => show_vessel(&reader, number, out),
        None => show_signal(&reader, &args.what, out),
    }
}

fn show_vessel(reader: &Reader, number: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let number = number.parse().with_context(|| format!("`{number}` is not the number of a vessel"))?;
    let Some(VesselRecord { track, signals, suppressed, visits }) = reader.vessel(number)? else {
        bail!("the logbook has no vessel {number}; `logbook list tracks` shows the numbers")
    };
    write_record(&track, out)?;
    write_section("signals", &signals, out)?;
    write_section("suppressed", &suppressed, out)?;
    Ok(write_section("visits", &visits, out)?)
}

fn show_signal(reader: &Reader, name: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(SignalRecord { signal, steps, alerts, acknowledgements }) = reader.signal(name)? else {
        bail!(
            "the logbook has no signal `{name}`; `logbook list signals` shows the numbers, `vessel:7` names a vessel"
        )
    };
    write_record(&signal, out)?;
    write_section("steps", &steps, out)?;
    write_section("alerts", &alerts, out)?;
    Ok(write_section("acknowledgements", &acknowledgements, out)?)
}
