//! `havenwacht acknowledge`: acknowledges a signal from the command line.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use uuid::Uuid;

use crate::alerts;
use crate::clock::{Clock, SystemClock};
use crate::config::Site;
use crate::logbook::{Acknowledgement, LogbookError, Reader, StaffVerdict};
use crate::rules::SignalId;

/// The broker must accept the message within this.
const DEADLINE: Duration = Duration::from_secs(5);

/// Acknowledge a signal: somebody has seen it, so it is not escalated.
#[derive(Debug, Args)]
pub struct AcknowledgeArgs {
    /// Number or id of the signal, as in `logbook list signals` or in the alert (`signal_id`).
    signal: String,
    /// Site file, which names the broker and the logbook.
    #[arg(long)]
    config: PathBuf,
    /// Who acknowledges it; the user name by default.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The verdict is `false alarm` instead of `acknowledged`.
    #[arg(long)]
    false_alarm: bool,
    /// A note for the logbook.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Sends the acknowledgement to the daemon through the site's broker, and reports when the broker has it.
pub fn acknowledge(args: &AcknowledgeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let site = super::load_site(&args.config)?;
    let acknowledgement = Acknowledgement {
        signal: signal_id(&args.signal, &site)?,
        at: SystemClock::default().now().wall,
        by: args
            .by
            .clone()
            .or_else(|| std::env::var("USER").ok())
            .context("who acknowledges it? name them with --by NAME")?,
        verdict: if args.false_alarm { StaffVerdict::FalseAlarm } else { StaffVerdict::Acknowledged },
        note: args.note.clone(),
    };
    alerts::acknowledge(&site.broker, &site.id, &acknowledgement, DEADLINE)?;
    let Acknowledgement { signal, by, verdict, .. } = acknowledgement;
    let verdict = verdict.as_str();
    Ok(writeln!(out, "signal {}: {verdict} by {by}; the broker has the message for the daemon", signal.0)?)
}

/// The signal's id. Without a logbook on this machine an id is taken as it is.
fn signal_id(text: &str, site: &Site) -> anyhow::Result<SignalId> {
    let reader = match (Reader::open(&site.logbook), Uuid::parse_str(text)) {
        (Err(LogbookError::Missing { .. }), Ok(id)) => return Ok(SignalId(id)),
        (reader, _) => reader.context("cannot look up the signal")?,
    };
    let path = site.logbook.display();
    reader.signal_id(text)?.with_context(|| {
        format!("{path} has no signal `{text}`; `havenwacht logbook list signals` lists them")
    })
}
