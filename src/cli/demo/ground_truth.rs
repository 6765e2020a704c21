//! The ground truth of the sample streams, held against what staff heard.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::Site;

/// A signal that the streams must raise, in seconds of the clip.
#[derive(Clone, Debug, Deserialize)]
struct Listed {
    camera: String,
    rule: String,
    opens_s: f64,
}

/// What the streams must raise.
pub(super) struct Truth(Vec<Listed>);

/// What was heard.
#[derive(Default)]
pub(super) struct Heard(Vec<(String, String)>);

impl Heard {
    pub(super) fn note(&mut self, alert: &Map<String, Value>) {
        let text = |key: &str| alert.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("phase") == "opened" {
            self.0.push((text("camera"), text("rule")));
        }
    }

    pub(super) fn openings_of(&self, camera: &str) -> usize {
        self.0.iter().filter(|(at, _)| at == camera).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads `<camera>.signals.json` of each camera.
pub(super) fn read(streams: &Path, site: &Site) -> anyhow::Result<Truth> {
    let mut listed = Vec::new();
    for camera in &site.cameras {
        let path = streams.join(format!("{}.signals.json", camera.id));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing: `make streams` draws it", path.display()))?;
        let of_camera: Vec<Listed> =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        listed.extend(of_camera);
    }
    Ok(Truth(listed))
}

impl Truth {
    /// When the last signal of the clips opens.
    pub(super) fn last_opens(&self) -> Duration {
        Duration::from_secs_f64(self.0.iter().map(|listed| listed.opens_s).fold(0.0, f64::max))
    }

    /// One line: how many of the listed signals were heard, which were missed, which came on top.
    pub(super) fn verdict(&self, heard: &Heard) -> String {
        let mut left = heard.0.clone();
        let mut missed = Vec::new();
        for listed in &self.0 {
            match left.iter().position(|(camera, rule)| *camera == listed.camera && *rule == listed.rule) {
                Some(at) => drop(left.swap_remove(at)),
                None => missed.push(format!(
                    "{} at {} s on {}",
                    listed.rule,
                    listed.opens_s.round(),
                    listed.camera
                )),
            }
        }
        let extra: Vec<String> = left.iter().map(|(camera, rule)| format!("{rule} on {camera}")).collect();
        let tail = |what: &str, list: &[String]| {
            if list.is_empty() { String::new() } else { format!("; {what}: {}", list.join(", ")) }
        };
        format!(
            "Ground truth of the streams: {} signals listed, {} heard{}{}.",
            self.0.len(),
            self.0.len() - missed.len(),
            tail("missed", &missed),
            tail("not listed", &extra)
        )
    }
}
