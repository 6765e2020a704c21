//! Log lines: to the journal when systemd reads them, else to standard error.
//!
//! The journal keeps an event's fields for searches. A line on standard error has only those fields that its message does
//! not contain, so that it says each fact once.

use std::fmt;
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged when `HAVENWACHT_LOG` is not set: all of Havenwacht from `INFO`, only warnings of the crates it uses.
/// ONNX Runtime reports its start-up at `INFO`. The MQTT library warns of each refused message; the relay says the same in
/// words, once a minute.
const DEFAULT_FILTER: &str = "warn,havenwacht=info,rumqttc=off";

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// journald, with fields.
    Journal,
    /// Standard error, as text.
    Stderr,
}

/// Starts logging for this process. `HAVENWACHT_LOG` sets another filter, such as `havenwacht=debug`.
///
/// A second call changes nothing.
pub fn start_logging() -> LogTarget {
    let filter = EnvFilter::try_from_env("HAVENWACHT_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // systemd sets JOURNAL_STREAM when standard error is the journal's socket.
    let journal =
        std::env::var_os("JOURNAL_STREAM").is_some().then(|| tracing_journald::layer().ok()).flatten();
    let target = if journal.is_some() { LogTarget::Journal } else { LogTarget::Stderr };
    let stderr = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .event_format(LineFormat)
    });
    // Fails only when logging runs already.
    let _already = tracing_subscriber::registry().with(filter).with(journal).with(stderr).try_init();
    target
}

/// `time LEVEL message (field: value)`. Lines of other crates, and those below `INFO`, also have their origin.
struct LineFormat;

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        let level = *event.metadata().level();
        match level {
            Level::ERROR if writer.has_ansi_escapes() => write!(writer, " \x1b[31m{level:>5}\x1b[0m ")?,
            Level::WARN if writer.has_ansi_escapes() => write!(writer, " \x1b[33m{level:>5}\x1b[0m ")?,
            _ => write!(writer, " {level:>5} ")?,
        }
        let mut text = EventText::default();
        event.record(&mut text);
        let origin = event.metadata().target();
        if !origin.starts_with("havenwacht") || level > Level::INFO {
            write!(writer, "{origin}: ")?;
        }
        writeln!(writer, "{text}")
    }
}

#[derive(Default)]
struct EventText {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for EventText {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl fmt::Display for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let unsaid = self.fields.iter().filter(|(_, value)| !contains_words(&self.message, value));
        let unsaid: Vec<_> = unsaid.map(|(name, value)| format!("{name}: {value}")).collect();
        if unsaid.is_empty() { Ok(()) } else { write!(f, " ({})", unsaid.join(", ")) }
    }
}

/// True when `text` contains `words`, and not as part of longer words or numbers.
fn contains_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + words.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_each_fact_once() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(LineFormat);
        let subscriber =
            tracing_subscriber::registry().with(EnvFilter::new("warn,havenwacht=debug")).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let camera = "quay-east";
            tracing::warn!(camera, retries = 2, "camera {camera} is stalled for 20 s");
            tracing::debug!(camera, "a frame was dropped");
            tracing::info!(target: "ort::logging", "session created");
            tracing::warn!(target: "ort::logging", code = 3, "no such provider");
        });
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let without_time: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(
            without_time,
            [
                " WARN camera quay-east is stalled for 20 s (retries: 2)",
                "DEBUG havenwacht::telemetry::logging::tests: a frame was dropped (camera: quay-east)",
                " WARN ort::logging: no such provider (code: 3)",
            ]
        );
    }
}
