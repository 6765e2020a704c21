//! What the demo prints: alerts in plain words, a line of state, the summary.

use std::io::{IsTerminal, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

use crate::web::Health;

/// Writes to the terminal: lines that stay, and below them one that moves. In a file or a pipe, lines alone.
pub(super) struct DemoOutput {
    bar: Option<ProgressBar>,
    last_state: String,
}

impl DemoOutput {
    /// A teller of a show that lasts `seconds`; `None`: until stopped.
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

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        let print = || {
            // The reader of a closed pipe has heard enough.
            let _closed = writeln!(std::io::stdout(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// The line of state: drawn anew on a terminal, else printed when it has changed and `tick` says so.
    pub(super) fn state(&mut self, elapsed_s: u64, line: String, tick: bool) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(elapsed_s.min(bar.length().unwrap_or(elapsed_s)));
                bar.set_message(line);
            }
            None if tick && line != self.last_state => {
                self.say(&format!("  ... {line}"));
                self.last_state = line;
            }
            None => {}
        }
    }

    /// Takes the moving line away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// An alert as staff would read it aloud; `None` for messages that are no opening of a signal.
pub(super) fn in_words(alert: &Map<String, Value>) -> Option<String> {
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

/// Reads the daemon's health page.
pub fn read_health(port: u16) -> Option<Health> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_head, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// The table at the end: what each camera's frames became.
pub(super) fn summary(health: &Health, delivered: impl Fn(&str) -> usize) -> String {
    let head = [
        "camera",
        "frames",
        "looked at",
        "newer came",
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
