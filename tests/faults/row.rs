//! The scoreboard: a row is what a fault did, measured, beside the limits that were enforced.
//!
//! A figure cannot be given without its limit, and [`Row::record`] fails when one is above it: what the table calls a limit is
//! the limit that the run was held to. Each row is also a file under `target/scoreboard`, of which `make faults` makes the table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The columns of a row, as the table's head. It is a file among the rows, so that the table is their text in order.
const HEAD: &str = "| # | fault | runs | lost | repeated | detected s | recovered s | beside | limit |\n\
     |--:|---|--:|--:|--:|--:|--:|---|---|\n";

/// A figure and what it may be at most.
#[derive(Clone, Copy, Debug)]
struct Held<T> {
    value: T,
    at_most: T,
}

/// What no column of its own is for, such as memory; at most or at least so much.
#[derive(Clone, Debug)]
struct Beside {
    what: &'static str,
    unit: &'static str,
    value: f64,
    limit: Limit,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One row of the scoreboard. What does not apply to a fault stays out.
#[must_use = "a row counts when it is recorded"]
#[derive(Debug)]
pub(crate) struct Row {
    number: u8,
    fault: &'static str,
    runs: usize,
    lost: Option<Held<u64>>,
    repeated: Option<Held<u64>>,
    detected: Option<Held<Duration>>,
    recovered: Option<Held<Duration>>,
    beside: Vec<Beside>,
}

impl Row {
    /// A row for `runs` runs of `fault`, which is number `number` of the scoreboard. The longest of the runs counts.
    pub(crate) fn new(number: u8, fault: &'static str, runs: usize) -> Self {
        Self {
            number,
            fault,
            runs,
            lost: None,
            repeated: None,
            detected: None,
            recovered: None,
            beside: Vec::new(),
        }
    }

    /// What was lost: alerts, committed events. Nothing may be.
    pub(crate) fn lost(mut self, value: usize) -> Self {
        self.lost = Some(Held { value: value as u64, at_most: 0 });
        self
    }

    /// What came more than once.
    pub(crate) fn repeated(mut self, value: usize, at_most: usize) -> Self {
        self.repeated = Some(Held { value: value as u64, at_most: at_most as u64 });
        self
    }

    /// How long until the fault was noticed.
    pub(crate) fn detected(mut self, value: Duration, at_most: Duration) -> Self {
        self.detected = Some(Held { value, at_most });
        self
    }

    /// How long until all was well again once the fault had ended.
    pub(crate) fn recovered(mut self, value: Duration, at_most: Duration) -> Self {
        self.recovered = Some(Held { value, at_most });
        self
    }

    /// Another figure, of which less is better.
    pub(crate) fn at_most(mut self, what: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        self.beside.push(Beside { what, unit, value, limit: Limit::AtMost(limit) });
        self
    }

    /// Another figure, of which more is better.
    pub(crate) fn at_least(mut self, what: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        self.beside.push(Beside { what, unit, value, limit: Limit::AtLeast(limit) });
        self
    }

    /// Writes the row down, then fails if a figure is above its limit.
    pub(crate) fn record(self) {
        let above = self.above();
        self.write(&self.line(&above));
        assert!(above.is_empty(), "{}: {}", self.fault, above.join("; "));
    }

    /// Writes down, loudly, that this machine does not let the fault be made. A limit that was not tried is not kept.
    pub(crate) fn not_permitted(self, why: &str) {
        let line = format!(
            "| {} | {} | 0 | | | | | **not permitted here: {}** | not tried |\n",
            self.number,
            self.fault,
            why.trim().replace(['\n', '|'], " ")
        );
        self.write(&line);
    }

    fn write(&self, line: &str) {
        print!("{line}");
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("00-head.row"), HEAD).unwrap();
        std::fs::write(folder.join(self.file_name()), line).unwrap();
    }

    fn file_name(&self) -> String {
        let name: String =
            self.fault.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        format!("{:02}-{name}.row", self.number)
    }

    /// The figures that are above their limits, in words.
    fn above(&self) -> Vec<String> {
        let counts = [("lost", self.lost), ("repeated", self.repeated)];
        let times = [("detected", self.detected), ("recovered", self.recovered)];
        let counts = counts.into_iter().filter_map(|(what, held)| Some((what, held?)));
        let times = times.into_iter().filter_map(|(what, held)| Some((what, held?)));
        let counts = counts
            .filter(|(_, held)| held.value > held.at_most)
            .map(|(what, held)| format!("{what} {}, at most {} allowed", held.value, held.at_most));
        let times = times
            .filter(|(_, held)| held.value > held.at_most)
            .map(|(what, held)| format!("{what} after {:?}, {:?} allowed", held.value, held.at_most));
        let beside =
            self.beside.iter().filter(|b| !b.is_kept()).map(|b| format!("{b}, {} allowed", b.limit(b.unit)));
        counts.chain(times).chain(beside).collect()
    }

    fn line(&self, above: &[String]) -> String {
        let count = |held: Option<Held<u64>>| held.map(|h| h.value.to_string()).unwrap_or_default();
        let seconds = |held: Option<Held<Duration>>| {
            held.map(|h| format!("{:.1}", h.value.as_secs_f64())).unwrap_or_default()
        };
        let beside: Vec<_> = self.beside.iter().map(ToString::to_string).collect();
        let mut line = format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} ",
            self.number,
            self.fault,
            self.runs,
            count(self.lost),
            count(self.repeated),
            seconds(self.detected),
            seconds(self.recovered),
            beside.join("; "),
            self.limits(),
        );
        if !above.is_empty() {
            let _infallible = write!(line, "**above it: {}** ", above.join("; "));
        }
        line + "|\n"
    }

    /// The limits in words.
    fn limits(&self) -> String {
        let mut all = Vec::new();
        all.extend(self.lost.map(|held| format!("lost {}", held.at_most)));
        all.extend(self.repeated.map(|held| format!("repeated <= {}", held.at_most)));
        all.extend(self.detected.map(|held| format!("detected <= {} s", held.at_most.as_secs_f64())));
        all.extend(self.recovered.map(|held| format!("recovered <= {} s", held.at_most.as_secs_f64())));
        all.extend(self.beside.iter().map(|b| format!("{} {}", b.what, b.limit(b.unit))));
        all.join(", ")
    }
}

impl Beside {
    fn is_kept(&self) -> bool {
        // A figure that is no number is above every limit.
        match self.limit {
            Limit::AtMost(limit) => self.value <= limit,
            Limit::AtLeast(limit) => self.value >= limit,
        }
    }

    fn limit(&self, unit: &str) -> String {
        let (sign, limit) = match self.limit {
            Limit::AtMost(limit) => ("<=", limit),
            Limit::AtLeast(limit) => (">=", limit),
        };
        format!("{sign} {} {unit}", figure(limit)).trim_end().to_owned()
    }
}

impl std::fmt::Display for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", format!("{} {} {}", self.what, figure(self.value), self.unit).trim_end())
    }
}

/// Counts without decimals, large figures with one, small ones with two.
fn figure(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Where rows are written.
fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("scoreboard")
}

#[test]
#[should_panic(
    expected = "lost 1, at most 0 allowed; recovered after 6s, 5s allowed; WAL 17 MB, <= 16 MB allowed"
)]
fn a_row_above_its_limit_fails() {
    let row = Row::new(99, "a fault of the scoreboard itself", 1)
        .lost(1)
        .repeated(2, 2)
        .recovered(Duration::from_secs(6), Duration::from_secs(5))
        .at_most("WAL", 17.0, "MB", 16.0)
        .at_least("syncs", 1.0, "", 1.0);
    let above = row.above();
    assert!(row.line(&above).contains("**above it: lost 1"), "and the table says so");
    assert!(above.is_empty(), "{}", above.join("; "));
}

#[test]
fn the_limit_in_the_table_is_the_limit_that_is_enforced() {
    let row = Row::new(8, "a kill", 3).lost(0).repeated(4, 8).at_most("memory", 3.25, "MB", 10.0);
    assert_eq!(row.above(), [""; 0]);
    assert_eq!(
        row.line(&[]),
        "| 8 | a kill | 3 | 0 | 4 |  |  | memory 3.25 MB | lost 0, repeated <= 8, memory <= 10 MB |\n"
    );
    assert_eq!(HEAD.lines().next().unwrap().matches('|').count(), row.line(&[]).matches('|').count());
}
