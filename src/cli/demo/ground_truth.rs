//! The signals that the sample streams must raise, and the verdict on those that staff received.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::Site;
use crate::telemetry::counted;

/// A camera kept up when it had at least this part of its `detect_fps`. With fewer passes a vessel may pass a zone or a
/// line between two of them, so a missed alert then says nothing about Havenwacht.
const KEPT_UP: f32 = 0.75;

/// Exit code when the box was too slow: `EX_TEMPFAIL` of sysexits.h, "try again".
const TOO_SLOW: u8 = 75;

/// A signal that the streams must raise.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExpectedSignal {
    camera: String,
    rule: String,
    /// Second of the clip.
    opens_s: f64,
}

impl fmt::Display for ExpectedSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} at {:.0} s", self.rule, self.camera, self.opens_s)
    }
}

/// Reads `<camera>.signals.json` of each camera.
pub(super) fn read(streams: &Path, site: &Site) -> anyhow::Result<Vec<ExpectedSignal>> {
    let mut expected = Vec::new();
    for camera in &site.cameras {
        let path = streams.join(format!("{}.signals.json", camera.id));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing: `make streams` draws it", path.display()))?;
        let of_camera: Vec<ExpectedSignal> =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        expected.extend(of_camera);
    }
    Ok(expected)
}

/// Second of the clips at which the last expected signal opens.
pub(super) fn last_opening(expected: &[ExpectedSignal]) -> Duration {
    Duration::from_secs_f64(expected.iter().map(|signal| signal.opens_s).fold(0.0, f64::max))
}

/// An alert about a signal that opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReceivedAlert {
    pub(super) camera: String,
    pub(super) rule: String,
}

impl ReceivedAlert {
    /// `None` for the other phases of a signal.
    pub(super) fn of_opening(alert: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| Some(alert.get(key)?.as_str()?.to_owned());
        (text("phase")? == "opened").then_some(())?;
        Some(Self { camera: text("camera")?, rule: text("rule")? })
    }
}

impl fmt::Display for ReceivedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.rule, self.camera)
    }
}

/// Detection passes a second of one camera, over the whole demo.
#[derive(Clone, Debug)]
pub(super) struct PassRate {
    pub(super) camera: String,
    pub(super) measured: f32,
    pub(super) wanted: f32,
}

impl fmt::Display for PassRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.1} of {:.1}", self.camera, self.measured, self.wanted)
    }
}

/// What the demo found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DemoVerdict {
    /// Every expected alert was received.
    Complete,
    /// Alerts were missed on a box that kept up: a fault of Havenwacht.
    Missed,
    /// Alerts were missed on a box that was too slow.
    TooSlow,
}

impl DemoVerdict {
    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self::Complete => ExitCode::SUCCESS,
            Self::Missed => ExitCode::FAILURE,
            Self::TooSlow => ExitCode::from(TOO_SLOW),
        }
    }
}

/// The received alerts, compared with the ground truth.
pub(super) struct DemoResult {
    expected: usize,
    missed: Vec<ExpectedSignal>,
    unexpected: Vec<ReceivedAlert>,
    slow: Vec<PassRate>,
}

impl DemoResult {
    pub(super) fn new(expected: &[ExpectedSignal], received: &[ReceivedAlert], rates: &[PassRate]) -> Self {
        let mut unexpected = received.to_vec();
        let mut missed = expected.to_vec();
        missed.retain(|signal| {
            let found = unexpected.iter().position(|a| a.camera == signal.camera && a.rule == signal.rule);
            found.map(|index| unexpected.swap_remove(index)).is_none()
        });
        let slow = rates.iter().filter(|rate| rate.measured < KEPT_UP * rate.wanted).cloned().collect();
        Self { expected: expected.len(), missed, unexpected, slow }
    }

    pub(super) fn verdict(&self) -> DemoVerdict {
        match (self.missed.is_empty(), self.slow.is_empty()) {
            (true, _) => DemoVerdict::Complete,
            (false, true) => DemoVerdict::Missed,
            (false, false) => DemoVerdict::TooSlow,
        }
    }
}

impl fmt::Display for DemoResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = self.expected - self.missed.len();
        write!(f, "{} expected, {received} received.", counted(self.expected as u64, "alert"))?;
        list(f, "Not expected", &self.unexpected)?;
        list(f, "Missed", &self.missed)?;
        match self.verdict() {
            DemoVerdict::Complete => Ok(()),
            DemoVerdict::Missed => {
                write!(f, "\nThe box kept up with the cameras, so this is a fault of Havenwacht.")
            }
            DemoVerdict::TooSlow => {
                f.write_str("\nTHE BOX WAS TOO SLOW, so the missed alerts say nothing about Havenwacht.")?;
                list(f, "Detection passes a second, reached of wanted", &self.slow)?;
                write!(
                    f,
                    "\nStop other programs and run the demo again. A camera needs {:.0} % of its detect_fps.",
                    100.0 * KEPT_UP
                )
            }
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, what: &str, items: &[T]) -> fmt::Result {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    if items.is_empty() { Ok(()) } else { write!(f, "\n{what}: {}.", items.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(received: &[&str], measured: f32) -> DemoResult {
        let expected =
            |rule: &str, opens_s| ExpectedSignal { camera: "quay-east".into(), rule: rule.into(), opens_s };
        let received: Vec<_> = received
            .iter()
            .map(|rule| ReceivedAlert { camera: "quay-east".into(), rule: (*rule).into() })
            .collect();
        let rates = [
            PassRate { camera: "quay-east".into(), measured, wanted: 4.0 },
            PassRate { camera: "roads".into(), measured: 3.9, wanted: 4.0 },
        ];
        DemoResult::new(&[expected("passage", 11.4), expected("passage", 40.0)], &received, &rates)
    }

    #[test]
    fn all_alerts_received_is_a_success_at_any_speed() {
        for measured in [4.0, 1.0] {
            let result = result(&["passage", "passage"], measured);
            assert_eq!(result.verdict(), DemoVerdict::Complete);
            assert_eq!(result.to_string(), "2 alerts expected, 2 received.");
        }
        assert_eq!(
            result(&["passage", "stay", "passage"], 4.0).to_string(),
            "2 alerts expected, 2 received.\nNot expected: stay on quay-east."
        );
    }

    #[test]
    fn a_missed_alert_on_a_box_that_kept_up_is_a_failure() {
        let result = result(&["passage"], KEPT_UP * 4.0);
        assert_eq!(result.verdict(), DemoVerdict::Missed);
        assert_eq!(
            result.to_string(),
            "2 alerts expected, 1 received.\nMissed: passage on quay-east at 40 s.\n\
             The box kept up with the cameras, so this is a fault of Havenwacht."
        );
    }

    #[test]
    fn a_missed_alert_on_a_slow_box_is_no_verdict_on_havenwacht() {
        let result = result(&[], 2.9);
        assert_eq!(result.verdict(), DemoVerdict::TooSlow);
        assert_eq!(
            result.to_string(),
            "2 alerts expected, 0 received.\nMissed: passage on quay-east at 11 s, passage on quay-east at 40 s.\n\
             THE BOX WAS TOO SLOW, so the missed alerts say nothing about Havenwacht.\n\
             Detection passes a second, reached of wanted: quay-east 2.9 of 4.0.\n\
             Stop other programs and run the demo again. A camera needs 75 % of its detect_fps."
        );
    }
}
