//! The scoreboard: a row has the measured effects of a fault and their limits.
//!
//! Every figure has a limit, and [`Row::record`] fails when a figure is beyond it, so the limits in the table were enforced.
//! Each row is also a file in `target/scoreboard`; `make faults` makes the table from these files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The head of the table. It is a file others the rows, so that the table is the text of all files in order.
const HEAD: &str = "| # | fault | runs | lost | repeated | detected s | recovered s | other | limit |\n\
     |--:|---|--:|--:|--:|--:|--:|---|---|\n";

/// A figure and its upper limit.
#[derive(Clone, Copy, Debug)]
struct Limited<T> {
    value: T,
    at_most: T,
}

/// A figure without its own column, such as memory, with its limit.
#[derive(Clone, Debug)]
struct OtherFigure {
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

/// One row of the scoreboard. Figures that do not apply to a fault are left out.
#[must_use = "only a recorded row counts"]
#[derive(Debug)]
pub(crate) struct Row {
    number: u8,
    fault: &'static str,
    runs: usize,
    lost: Option<Limited<u64>>,
    repeated: Option<Limited<u64>>,
    detected: Option<Limited<Duration>>,
    recovered: Option<Limited<Duration>>,
    others: Vec<OtherFigure>,
}

impl Row {
    /// A row for `runs` rounds of `fault`, which has `number` in the scoreboard. Times are those of the slowest round.
    pub(crate) fn new(number: u8, fault: &'static str, runs: usize) -> Self {
        Self {
            number,
            fault,
            runs,
            lost: None,
            repeated: None,
            detected: None,
            recovered: None,
            others: Vec::new(),
        }
    }

    /// Lost alerts and committed events. None may be lost.
    pub(crate) fn lost(mut self, value: usize) -> Self {
        self.lost = Some(Limited { value: value as u64, at_most: 0 });
        self
    }

    /// Alerts that arrived more than once.
    pub(crate) fn repeated(mut self, value: usize, at_most: usize) -> Self {
        self.repeated = Some(Limited { value: value as u64, at_most: at_most as u64 });
        self
    }

    /// Time until the fault was detected.
    pub(crate) fn detected(mut self, value: Duration, at_most: Duration) -> Self {
        self.detected = Some(Limited { value, at_most });
        self
    }

    /// Time from the end of the fault until everything worked again.
    pub(crate) fn recovered(mut self, value: Duration, at_most: Duration) -> Self {
        self.recovered = Some(Limited { value, at_most });
        self
    }

    /// Another figure with an upper limit.
    pub(crate) fn at_most(mut self, what: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        self.others.push(OtherFigure { what, unit, value, limit: Limit::AtMost(limit) });
        self
    }

    /// Another figure with a lower limit.
    pub(crate) fn at_least(mut self, what: &'static str, value: f64, unit: &'static str, limit: f64) -> Self {
        self.others.push(OtherFigure { what, unit, value, limit: Limit::AtLeast(limit) });
        self
    }

    /// Writes the row, then fails if a figure is beyond its limit.
    pub(crate) fn record(self) {
        let exceeded = self.exceeded();
        self.write(&self.line(&exceeded));
        assert!(exceeded.is_empty(), "{}: {}", self.fault, exceeded.join("; "));
    }

    /// Writes a row that says that this machine does not permit the fault. A limit that was not tested is not met.
    pub(crate) fn not_permitted(self, why: &str) {
        let line = format!(
            "| {} | {} | 0 | | | | | **not permitted here: {}** | not tested |\n",
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

    /// The figures that are beyond their limits, in words.
    fn exceeded(&self) -> Vec<String> {
        let counts = [("lost", self.lost), ("repeated", self.repeated)];
        let times = [("detected", self.detected), ("recovered", self.recovered)];
        let counts = counts.into_iter().filter_map(|(what, figure)| Some((what, figure?)));
        let times = times.into_iter().filter_map(|(what, figure)| Some((what, figure?)));
        let counts = counts
            .filter(|(_, figure)| figure.value > figure.at_most)
            .map(|(what, figure)| format!("{what} {}, at most {} allowed", figure.value, figure.at_most));
        let times = times
            .filter(|(_, figure)| figure.value > figure.at_most)
            .map(|(what, figure)| format!("{what} after {:?}, {:?} allowed", figure.value, figure.at_most));
        let others = self
            .others
            .iter()
            .filter(|b| !b.is_within_limit())
            .map(|b| format!("{b}, {} allowed", b.limit(b.unit)));
        counts.chain(times).chain(others).collect()
    }

    fn line(&self, exceeded: &[String]) -> String {
        let count = |figure: Option<Limited<u64>>| figure.map(|f| f.value.to_string()).unwrap_or_default();
        let seconds = |figure: Option<Limited<Duration>>| {
            figure.map(|f| format!("{:.1}", f.value.as_secs_f64())).unwrap_or_default()
        };
        let others: Vec<_> = self.others.iter().map(ToString::to_string).collect();
        let mut line = format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} ",
            self.number,
            self.fault,
            self.runs,
            count(self.lost),
            count(self.repeated),
            seconds(self.detected),
            seconds(self.recovered),
            others.join("; "),
            self.limits(),
        );
        if !exceeded.is_empty() {
            // Writing to a String cannot fail.
            let _ok = write!(line, "**exceeded: {}** ", exceeded.join("; "));
        }
        line + "|\n"
    }

    /// The limits, in words.
    fn limits(&self) -> String {
        let mut all = Vec::new();
        all.extend(self.lost.map(|figure| format!("lost {}", figure.at_most)));
        all.extend(self.repeated.map(|figure| format!("repeated <= {}", figure.at_most)));
        all.extend(self.detected.map(|figure| format!("detected <= {} s", figure.at_most.as_secs_f64())));
        all.extend(self.recovered.map(|figure| format!("recovered <= {} s", figure.at_most.as_secs_f64())));
        all.extend(self.others.iter().map(|b| format!("{} {}", b.what, b.limit(b.unit))));
        all.join(", ")
    }
}

impl OtherFigure {
    fn is_within_limit(&self) -> bool {
        // NaN is within no limit.
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

impl std::fmt::Display for OtherFigure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", format!("{} {} {}", self.what, figure(self.value), self.unit).trim_end())
    }
}

/// Whole numbers without decimals, large numbers with one, small numbers with two.
fn figure(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The folder of the rows.
fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("scoreboard")
}

#[test]
#[should_panic(
    expected = "lost 1, at most 0 allowed; recovered after 6s, 5s allowed; WAL 17 MB, <= 16 MB allowed"
)]
fn a_row_beyond_its_limit_fails() {
    let row = Row::new(99, "a fault of the scoreboard itself", 1)
        .lost(1)
        .repeated(2, 2)
        .recovered(Duration::from_secs(6), Duration::from_secs(5))
        .at_most("WAL", 17.0, "MB", 16.0)
        .at_least("syncs", 1.0, "", 1.0);
    let exceeded = row.exceeded();
    assert!(row.line(&exceeded).contains("**exceeded: lost 1"), "the table shows it");
    assert!(exceeded.is_empty(), "{}", exceeded.join("; "));
}

#[test]
fn the_table_shows_the_enforced_limits() {
    let row = Row::new(8, "a kill", 3).lost(0).repeated(4, 8).at_most("memory", 3.25, "MB", 10.0);
    assert_eq!(row.exceeded(), [""; 0]);
    assert_eq!(
        row.line(&[]),
        "| 8 | a kill | 3 | 0 | 4 |  |  | memory 3.25 MB | lost 0, repeated <= 8, memory <= 10 MB |\n"
    );
    assert_eq!(HEAD.lines().next().unwrap().matches('|').count(), row.line(&[]).matches('|').count());
}
