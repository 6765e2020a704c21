//! What the demo prints: a line for each alert, the present state, the table at the end.

use std::io::{IsTerminal, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

use crate::web::Health;

/// Prints lines and, on a terminal, a progress bar with the present state below them.
pub(super) struct DemoOutput {
    bar: Option<ProgressBar>,
    last_state: String,
}

impl DemoOutput {
    /// For a demo that lasts `seconds`; `None`: until stopped.
    pub(super) fn new(seconds: Option<u64>) -> Self {
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = ProgressBar::new(seconds.unwrap_or(0));
            let form = if seconds.is_some() { "[{bar:30}] {pos}/{len} s  {msg}" } else { "{elapsed}  {msg}" };
            bar.set_style(
                ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        Self { bar, last_state: String::new() }
    }

    /// Prints a line.
    pub(super) fn print(&self, line: &str) {
        let print = || {
            // Fails when the reader has closed the pipe.
            let _closed = writeln!(std::io::stdout(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// The present state. Without a terminal it is a line, printed when it has changed and `print` is true.
    pub(super) fn state(&mut self, elapsed_s: u64, line: String, print: bool) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(elapsed_s.min(bar.length().unwrap_or(elapsed_s)));
                bar.set_message(line);
            }
            None if print && line != self.last_state => {
                self.print(&format!("  ... {line}"));
                self.last_state = line;
            }
            None => {}
        }
    }

    /// Removes the progress bar.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// An alert as a line; `None` unless its signal opened.
pub(super) fn alert_line(alert: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| alert.get(key)?.as_str();
    if text("phase")? != "opened" {
        return None;
    }
    let clock = text("local_time")?.split('T').nth(1)?.get(..8)?.to_owned();
    let late = if alert.get("historical")?.as_bool()? { " (late)" } else { "" };
    Some(format!(
        "{clock} {}, camera {}, {}{late}",
        text("rule_name")?.to_uppercase(),
        text("camera")?,
        text("text")?
    ))
}

/// Reads the daemon's `/health` on this machine's `port`.
pub fn read_health(port: u16) -> Option<Health> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    let (_head, body) = response.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// The table at the end: one row of counts a camera.
pub(super) fn summary(health: &Health, delivered: impl Fn(&str) -> usize) -> String {
    let head = [
        "camera",
        "frames",
        "passes",
        "replaced",
        "corrupt",
        "detections",
        "vessels",
        "signals",
        "delivered",
    ];
    let line = |cells: [String; 9]| {
        let [camera, counts @ ..] = cells;
        let counts: String = counts.iter().map(|cell| format!(" {cell:>10}")).collect();
        format!("{camera:<14}{counts}\n")
    };
    let rows = health.cameras.iter().map(|camera| {
        let counts = [
            camera.received,
            camera.passes,
            camera.dropped_overwritten,
            camera.dropped_corrupt,
            camera.detections,
            camera.tracks,
            camera.signals,
            delivered(&camera.id) as u64,
        ];
        let mut cells = counts.map(|count| count.to_string()).to_vec();
        cells.insert(0, camera.id.clone());
        line(std::array::from_fn(|i| cells[i].clone()))
    });
    std::iter::once(line(head.map(str::to_owned))).chain(rows).collect()
}
