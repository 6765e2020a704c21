//! `logbook tail`: what is new, in plain words.

use std::io::Write;
use std::time::Duration;

use clap::Args;

use super::source::Source;

/// How often the logbook is read: a message must appear soon after the event.
const READ_EVERY: Duration = Duration::from_millis(500);

/// What is shown.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
    /// How many of the last rows of each kind to begin with.
    #[arg(long, default_value_t = 10)]
    pub(super) last: u32,
    /// Do not wait for more.
    #[arg(long)]
    pub(super) once: bool,
}

pub(super) fn tail(args: &TailArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let reader = args.source.open()?;
    let mut position = reader.position(args.last)?;
    loop {
        for news in reader.news(&mut position)? {
            writeln!(out, "{}  {}", news.local_time, news.text)?;
        }
        out.flush()?;
        if args.once {
            return Ok(());
        }
        std::thread::sleep(READ_EVERY);
    }
}
