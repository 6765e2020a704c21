//! Arguments that several subcommands share: which logbook, which rows.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::cli::site::load_site;
use crate::clock::{Clock as _, SystemClock};
use crate::logbook::{Filter, Reader};

/// Which logbook.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// Logbook file.
    #[arg(long)]
    pub(super) logbook: Option<PathBuf>,
    /// Site file that names the logbook.
    #[arg(long)]
    pub(super) config: Option<PathBuf>,
}

impl Source {
    pub(super) fn open(&self) -> anyhow::Result<Reader> {
        Ok(Reader::open(&self.path()?)?)
    }

    /// The logbook that was named, or that the site file names.
    pub(super) fn path(&self) -> anyhow::Result<PathBuf> {
        match (&self.logbook, &self.config) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(config)) => Ok(load_site(config)?.logbook),
            (None, None) => bail!("name a logbook with --logbook, or a site file with --config"),
        }
    }
}

/// Which rows.
#[derive(Debug, Args)]
pub struct Rows {
    /// From this time (2026-06-01T20:00:00Z) on, or for the last 90m, 12h or 3d.
    #[arg(long, value_parser = time)]
    pub(super) since: Option<Timestamp>,
    /// Only of this camera.
    #[arg(long)]
    pub(super) camera: Option<String>,
    /// Only of this rule (signals, alerts, suppressed).
    #[arg(long)]
    pub(super) rule: Option<String>,
}

impl Rows {
    /// As a filter of the logbook.
    pub fn filter(&self, limit: Option<u32>) -> Filter {
        Filter { since: self.since, camera: self.camera.clone(), rule: self.rule.clone(), limit }
    }
}

/// A time, or how long ago it was.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = match text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
        Some(days) => days.checked_mul(24).and_then(SignedDuration::try_from_hours),
        None => text.parse().ok(),
    };
    ago.and_then(|ago: SignedDuration| SystemClock::default().now().wall.checked_sub(ago).ok()).ok_or_else(
        || format!("`{text}` is neither a time (2026-06-01T20:00:00Z) nor a duration (90m, 12h, 3d)"),
    )
}
