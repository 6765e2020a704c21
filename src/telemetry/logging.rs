//! Log lines to the journal when systemd reads us, else to standard error.
//!
//! `journalctl` shows the message and keeps the fields for searches: a message names what it is about by itself.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Where log lines went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// journald, with fields.
    Journal,
    /// Standard error, as text.
    Stderr,
}

/// Starts logging for the process; `HAVENWACHT_LOG` filters (`info` when unset, for instance `havenwacht=debug`).
///
/// A second call changes nothing.
pub fn start_logging() -> LogTarget {
    let filter = EnvFilter::try_from_env("HAVENWACHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // systemd sets JOURNAL_STREAM when standard error is the journal's own socket.
    let journal =
        std::env::var_os("JOURNAL_STREAM").is_some().then(|| tracing_journald::layer().ok()).flatten();
    let target = if journal.is_some() { LogTarget::Journal } else { LogTarget::Stderr };
    let stderr = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(is_terminal())
            .with_target(true)
    });
    // Fails only when logging runs already, which is what the caller wants.
    let _already = tracing_subscriber::registry().with(filter).with(journal).with(stderr).try_init();
    target
}

fn is_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}
