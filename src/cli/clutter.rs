//! `havenwacht clutter`: what the cameras have learnt to distrust.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Camera, Site};
use crate::daemon::{LearntClutter, clutter_path, read_clutter};
use crate::track::{CLUTTER_GRID, ClutterMap, ClutterPlace};

/// The places that are listed.
const LISTED: usize = 10;
/// What the map shows: a character, and from how many unconfirmed tracks a day on it stands for a place. The limit of the test
/// grows with the logarithm of their number.
const MARKS: [(char, f32); 10] = [
    (' ', 0.0),
    ('.', 10.0),
    (':', 30.0),
    ('-', 100.0),
    ('=', 300.0),
    ('+', 1000.0),
    ('*', 3000.0),
    ('#', 10_000.0),
    ('%', 3000.0),
    ('@', 10_000.0),
];

/// Show where each camera has learnt to distrust boxes: the places where they come and go without a vessel.
#[derive(Debug, Args)]
pub struct ClutterArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// Only this camera of the site file.
    #[arg(long, value_name = "ID")]
    camera: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ClutterSummary {
    file: PathBuf,
    /// `None`: there is no file.
    saved: Option<Timestamp>,
    cameras: Vec<CameraClutter>,
}

#[derive(Serialize)]
struct CameraClutter {
    camera: String,
    #[serde(skip)]
    name: String,
    inspected_s: f32,
    highest: Vec<ListedPlace>,
    columns: usize,
    rows: usize,
    /// Row by row.
    unconfirmed_per_day: Vec<f32>,
}

#[derive(Serialize)]
struct ListedPlace {
    x: f32,
    y: f32,
    unconfirmed_per_day: f32,
    limit_raised: f32,
}

impl CameraClutter {
    fn new(camera: &Camera, map: &ClutterMap) -> Self {
        let places = map.places(camera.false_vessels_per_day);
        let mut known: Vec<_> = places.iter().filter(|place| place.is_known).collect();
        known.sort_by(|a, b| b.ended_per_day.total_cmp(&a.ended_per_day));
        let listed = |place: &&ClutterPlace| ListedPlace {
            x: place.centre.x,
            y: place.centre.y,
            unconfirmed_per_day: place.ended_per_day,
            limit_raised: place.limit_raised,
        };
        Self {
            camera: camera.id.to_string(),
            name: camera.name.clone(),
            inspected_s: map.inspected().as_secs_f32(),
            highest: known.iter().take(LISTED).map(listed).collect(),
            columns: CLUTTER_GRID[0],
            rows: CLUTTER_GRID[1],
            unconfirmed_per_day: places.iter().map(|place| place.ended_per_day).collect(),
        }
    }
}

/// Writes to `out` what the cameras of a site have learnt.
pub fn clutter(args: &ClutterArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let site = super::load_site(&args.config)?;
    let cameras = match &args.camera {
        Some(id) => std::slice::from_ref(&site.cameras[super::camera_index(&site, id)?]),
        None => &site.cameras,
    };
    let file = clutter_path(&site.logbook);
    let learnt = read_clutter(&file).with_context(|| format!("the clutter maps of {}", file.display()))?;
    let map = |camera: &Camera| learnt.as_ref().and_then(|learnt| learnt.cameras.get(&camera.id));
    let written = if args.json {
        let known = cameras.iter().filter_map(|camera| Some(CameraClutter::new(camera, map(camera)?)));
        let summary = ClutterSummary {
            saved: learnt.as_ref().map(|learnt| learnt.saved),
            cameras: known.collect(),
            file: file.clone(),
        };
        serde_json::to_writer_pretty(&mut *out, &summary)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        write_text(&site, cameras, &file, learnt.as_ref(), out)
    };
    match written {
        // The reader has closed the pipe (`clutter | head`).
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn write_text(
    site: &Site,
    cameras: &[Camera],
    file: &Path,
    learnt: Option<&LearntClutter>,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(learnt) = learnt else {
        return writeln!(
            out,
            "Nothing was learnt yet: there is no file {}. The daemon saves it every ten minutes and when it stops.",
            file.display()
        );
    };
    let saved = site.time_zone.to_datetime(learnt.saved).strftime("%-d %B %Y %H:%M");
    writeln!(out, "Saved on {saved}, {}.", site.time_zone.iana_name().unwrap_or_default())?;
    let mut some = false;
    for camera in cameras {
        match learnt.cameras.get(&camera.id).filter(|map| !map.is_empty()) {
            Some(map) => write_camera(&CameraClutter::new(camera, map), out)?,
            None => writeln!(out, "\n{} ({}): nothing was learnt yet.", camera.name, camera.id)?,
        }
        some |= learnt.cameras.get(&camera.id).is_some_and(|map| !map.is_empty());
    }
    if some { write_legend(out) } else { Ok(()) }
}

fn write_camera(camera: &CameraClutter, out: &mut impl Write) -> io::Result<()> {
    let hours = camera.inspected_s / 3600.0;
    writeln!(out, "\n{} ({}): learnt in {hours:.1} hours of inspection.", camera.name, camera.camera)?;
    if camera.highest.is_empty() {
        writeln!(out, "No track ended unconfirmed.")?;
    } else {
        writeln!(out, "{:>7} {:>7} {:>20} {:>16}", "x", "y", "unconfirmed a day", "limit raised by")?;
    }
    for ListedPlace { x, y, unconfirmed_per_day, limit_raised } in &camera.highest {
        writeln!(out, "{x:>7.3} {y:>7.3} {unconfirmed_per_day:>20.1} {limit_raised:>+16.1}")?;
    }
    let border = format!("+{}+", "-".repeat(camera.columns));
    writeln!(out, "{border}")?;
    for row in camera.unconfirmed_per_day.chunks(camera.columns) {
        writeln!(out, "|{}|", row.iter().map(|&per_day| mark(per_day)).collect::<String>())?;
    }
    writeln!(out, "{border}")
}

fn mark(per_day: f32) -> char {
    MARKS.iter().rfind(|(_, from)| per_day >= *from).map_or(' ', |(mark, _)| *mark)
}

fn write_legend(out: &mut impl Write) -> io::Result<()> {
    let marks: Vec<_> = MARKS[1..].iter().map(|(mark, from)| format!("{mark} {from}")).collect();
    writeln!(out, "\nIn the map, unconfirmed tracks a day at each place, from: {}.", marks.join("  "))?;
    writeln!(
        out,
        "x and y are fractions of the picture. A limit raised by 0.7 asks for twice the evidence for a vessel, by 2.3 for ten times."
    )?;
    writeln!(out, "What is a day old counts half, so the hours of inspection stay below 35.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::site;
    use crate::track::ClutterCell;

    /// The output for the example site, with this text as its clutter file.
    fn output(file: Option<&str>, camera: Option<&str>, json: bool) -> anyhow::Result<String> {
        let (folder, config) = site(|text| text);
        if let Some(text) = file {
            std::fs::write(folder.path().join("logbook.clutter.json"), text)?;
        }
        let mut out = Vec::new();
        clutter(&ClutterArgs { config, camera: camera.map(str::to_owned), json }, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    /// A file in which `quay-east` was inspected for ten hours, with 300 tracks at one place.
    fn learnt() -> String {
        let mut ended = vec![0.0; CLUTTER_GRID[0] * CLUTTER_GRID[1]];
        ended[5 * CLUTTER_GRID[0] + 20] = 300.0;
        serde_json::json!({"format": 1, "saved": "2026-06-01T20:13:00Z", "cameras": {"quay-east": {
            "columns": CLUTTER_GRID[0], "rows": CLUTTER_GRID[1], "inspected_s": vec![36_000.0; ended.len()], "ended": ended,
        }}})
        .to_string()
    }

    #[test]
    fn the_highest_places_and_the_map_are_shown() {
        let text = output(Some(&learnt()), None, false).unwrap();
        assert!(text.starts_with("Saved on 1 June 2026 22:13, Europe/Amsterdam.\n"), "{text}");
        let lines: Vec<_> = text.lines().collect();
        let title = lines.iter().position(|line| line.contains("(quay-east): learnt in 10.0 hours")).unwrap();
        assert_eq!(
            lines[title + 2].split_whitespace().collect::<Vec<_>>(),
            ["0.641", "0.306", "452.3", "+2.1"]
        );
        assert!(lines[title + 3].starts_with("+---"), "one place only");
        let map = &lines[title + 4..title + 4 + CLUTTER_GRID[1]];
        assert_eq!(map[5].chars().position(|c| c == '='), Some(21), "{text}");
        assert!(map.iter().all(|line| line.chars().count() == CLUTTER_GRID[0] + 2), "{text}");
        assert_eq!(map.concat().matches(['=', '.', ':']).count(), 1, "{text}");
        assert!(text.contains("from: . 10  : 30  - 100"), "{text}");
        assert!(lines.iter().all(|line| line.len() <= 130), "{text}");
    }

    #[test]
    fn json_has_the_same_and_one_camera_can_be_chosen() {
        let text = output(Some(&learnt()), Some("quay-east"), true).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["saved"], "2026-06-01T20:13:00Z");
        assert_eq!(json["cameras"].as_array().unwrap().len(), 1);
        let camera = &json["cameras"][0];
        assert_eq!(camera["unconfirmed_per_day"].as_array().unwrap().len(), 576);
        assert!((camera["highest"][0]["x"].as_f64().unwrap() - 20.5 / 32.0).abs() < 1e-6);
        let error = output(None, Some("nowhere"), true).unwrap_err().to_string();
        assert!(error.contains("no camera `nowhere`"), "{error}");
    }

    #[test]
    fn without_a_file_nothing_was_learnt() {
        let text = output(None, None, false).unwrap();
        assert!(text.starts_with("Nothing was learnt yet: there is no file /"), "{text}");
        assert!(output(None, None, true).unwrap().contains("\"saved\": null"));
        let empty = r#"{"format": 1, "saved": "2026-06-01T20:13:00Z", "cameras": {}}"#;
        let text = output(Some(empty), Some("quay-east"), false).unwrap();
        assert!(
            text.contains("(quay-east): nothing was learnt yet.") && !text.contains("In the map"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let error = format!("{:#}", output(Some("{\"format\": 1"), None, false).unwrap_err());
        assert!(
            error.contains("logbook.clutter.json: it is damaged, or another program wrote it"),
            "{error}"
        );
    }

    #[test]
    fn a_mark_stands_for_its_rate_and_above() {
        assert_eq!([0.0, 9.0, 10.0, 290.0, 300.0, 1e7].map(mark), [' ', ' ', '.', '-', '=', '@']);
        let map = ClutterMap::from_cells(vec![ClutterCell::default(); 576]).unwrap();
        assert!(map.is_empty() && map.places(24.0).iter().all(|place| mark(place.ended_per_day) == ' '));
    }
}
