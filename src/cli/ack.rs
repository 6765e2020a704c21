//! `havenwacht ack`: answers a signal from the command line.

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

/// A broker that has not confirmed by then is not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answer a signal: somebody has seen it, so it is not told again more urgently.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// Number or id of the signal, as in `logbook list signals` or in the alert (`signal_id`).
    signal: String,
    /// Site file: whose broker, whose logbook.
    #[arg(long)]
    config: PathBuf,
    /// Who answers; the name of the user, if nothing is said.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// There was nothing.
    #[arg(long)]
    false_alarm: bool,
    /// What there is to say about it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Sends the answer to the watch by way of the site's broker, and says so when the broker has it.
pub fn ack(args: &AckArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let site = super::load_site(&args.config)?;
    let answered = Acknowledgement {
        signal: signal(&args.signal, &site)?,
        at: SystemClock::default().now().wall,
        by: args.by.clone().or_else(|| std::env::var("USER").ok()).context("say who answers with --by")?,
        answer: if args.false_alarm { StaffVerdict::FalseAlarm } else { StaffVerdict::Acknowledged },
        note: args.note.clone(),
    };
    alerts::answer(&site.broker, &site.id, &answered, PATIENCE)?;
    let Acknowledgement { signal, by, answer, .. } = answered;
    Ok(writeln!(out, "signal {}: {} by {by}; the broker has it for the watch", signal.0, answer.as_str())?)
}

/// The signal that is meant. A desk that has no logbook at hand can name an id.
fn signal(name: &str, site: &Site) -> anyhow::Result<SignalId> {
    let reader = match (Reader::open(&site.logbook), Uuid::parse_str(name)) {
        (Err(LogbookError::Missing { .. }), Ok(id)) => return Ok(SignalId(id)),
        (reader, _) => reader.context("looking the signal up")?,
    };
    let path = site.logbook.display();
    reader
        .signal_id(name)?
        .with_context(|| format!("{path} knows no signal `{name}`; `logbook list signals` shows them"))
}
