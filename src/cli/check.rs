//! `havenwacht check`: prints every mistake in a site file, or a summary of what the daemon would do with it.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::clock::MonoTime;
use crate::config::{self, Camera, ConfigError, Diagnostic, GeoPosition, Level, Rule, Site, Stream};
use crate::daemon::planner_config;
use crate::geometry::FrameSize;
use crate::regions::{PassContext, RegionPlanner};
use crate::rules::{Schedule, ScheduleStatus};

/// Exit status for a site file with errors (`EX_CONFIG` of sysexits.h).
pub const BAD_CONFIG: u8 = 78;
/// Exit status when the summary of a good file cannot be written (`EX_IOERR`).
const NOT_WRITTEN: u8 = 74;

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStyle {
    /// `file:line:column: error: key: ...`, for logs and editors.
    Plain,
    /// With the line of the file, for a terminal.
    Annotated {
        /// With ANSI colours.
        colour: bool,
    },
}

/// Checks the site file at `path`. Writes diagnostics to `err` and the summary of a valid site to `out`. Warns of reviews
/// and holiday lists that are out of date at `now`. Returns the exit status: 0, [`BAD_CONFIG`], or
/// 74 when a disk is full.
pub fn check(
    path: &Path,
    style: OutputStyle,
    now: Timestamp,
    out: &mut impl Write,
    err: &mut impl Write,
) -> u8 {
    let (status, written) = match config::load(path) {
        Ok((site, warnings)) => {
            let written = print_diagnostics(path, &warnings, style, err)
                .and_then(|()| overdue(&site, now, err))
                .and_then(|()| summary(&site, now, out))
                .and_then(|()| out.flush());
            (0, written)
        }
        Err(ConfigError::Invalid(found)) => (BAD_CONFIG, print_diagnostics(path, &found, style, err)),
        Err(unreadable) => (BAD_CONFIG, writeln!(err, "{unreadable}")),
    };
    match written {
        // The reader may have closed the pipe (`check | head`). That says nothing about the file.
        Err(cause) if status == 0 && cause.kind() != io::ErrorKind::BrokenPipe => NOT_WRITTEN,
        _ => status,
    }
}

fn print_diagnostics(
    path: &Path,
    found: &[Diagnostic],
    style: OutputStyle,
    err: &mut impl Write,
) -> io::Result<()> {
    match (style, std::fs::read_to_string(path)) {
        (OutputStyle::Annotated { colour }, Ok(text)) => {
            write!(err, "{}", config::rendered(found, &text, colour))?
        }
        _ => found.iter().try_for_each(|diagnostic| writeln!(err, "{diagnostic}"))?,
    }
    let errors = found.iter().filter(|d| d.level == Level::Error).count();
    let warnings = found.len() - errors;
    writeln!(err, "{}: {}, {}", path.display(), count(errors, "error"), count(warnings, "warning"))
}

fn overdue(site: &Site, now: Timestamp, err: &mut impl Write) -> io::Result<()> {
    let today = site.time_zone.to_datetime(now).date();
    site.overdue(today).try_for_each(|rule| writeln!(err, "warning: {rule}"))
}

fn summary(site: &Site, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    let zone = site.time_zone.iana_name().unwrap_or_default();
    writeln!(out, "{} ({}), times in {zone}", site.name, site.id)?;
    if let Some(position) = site.position {
        writeln!(out, "sunrise and sunset for {}", degrees(position))?;
    }
    if let Some(last) = site.holidays.last() {
        let over = last < site.time_zone.to_datetime(now).date();
        let over = if over { ": all are in the past, add the next ones" } else { "" };
        writeln!(out, "{}, the last on {last}{over}", count(site.holidays.len(), "holiday"))?;
    }
    let input = site.model.input_width();
    for camera in &site.cameras {
        writeln!(out, "\n{} ({}): {}", camera.name, camera.id, source(camera))?;
        writeln!(out, "  {}", detection_passes(camera))?;
        if let Some(input) = input {
            writeln!(out, "  {}", smallest_vessels(camera, input))?;
        }
        for rule in site.rules.iter().filter(|rule| rule.camera == camera.id) {
            writeln!(out, "  {}: {}", rule.id, words(rule))?;
            let status = Schedule::new(rule.schedule.clone(), &site.calendar()).status(now);
            if matches!(status, ScheduleStatus::NotLive { next: None, .. }) {
                writeln!(out, "    no such time comes in the next years: the rule is not live")?;
            }
        }
    }
    let total: f64 = site.cameras.iter().map(config::inferences_per_second).sum();
    let share = config::share_of_a_core(total) * 100.0;
    writeln!(
        out,
        "\nat most {total:.1} inferences a second in all, about {share:.0} % of one core with the model that comes with Havenwacht"
    )?;
    let kept = site.retention;
    writeln!(
        out,
        "alerts to {}:{}, logbook {} (detections kept {}, tracks {}, pictures {}, events {}{}), health on {}",
        site.broker.host,
        site.broker.port,
        site.logbook.display(),
        config::format_duration(kept.detections),
        config::format_duration(kept.tracks),
        config::format_duration(kept.pictures),
        config::format_duration(kept.events),
        kept.max_size.map(|most| format!("; {} at most", config::format_size(most))).unwrap_or_default(),
        site.health
    )
}

fn degrees(position: GeoPosition) -> String {
    let (latitude, longitude) = (position.latitude, position.longitude);
    let (north, east) = (if latitude < 0.0 { 'S' } else { 'N' }, if longitude < 0.0 { 'W' } else { 'E' });
    format!("{:.4} {north}, {:.4} {east}", latitude.abs(), longitude.abs())
}

fn source(camera: &Camera) -> String {
    let codec = camera.codec.spec().name;
    match &camera.stream {
        Stream::Rtsp { url, login, .. } => {
            let login = login.as_ref().map(|login| format!(" as {}", login.username)).unwrap_or_default();
            format!("{url}{login}, {codec}")
        }
        Stream::Clip(path) => format!("the recording {}, {codec}", path.display()),
    }
}

fn detection_passes(camera: &Camera) -> String {
    let regions = (!camera.regions.is_empty()).then(|| count(camera.regions.len(), "region"));
    let whole = camera.whole_frame.then(|| "the whole frame".to_owned());
    let tiles =
        regions.unwrap_or_else(|| if camera.water.is_some() { "the water" } else { "tiles" }.to_owned());
    let sweep: Vec<_> = whole.into_iter().chain([tiles]).collect();
    format!("{} detection passes a second, sweep over {}", camera.detect_fps, sweep.join(" and "))
}

/// The smallest vessels that the sweep can find, those that it finds in most cases, and the time of a full sweep.
fn smallest_vessels(camera: &Camera, input_px: u32) -> String {
    const FULL_HD: FrameSize = FrameSize { width: 1920, height: 1080 };
    let mut planner = RegionPlanner::new(planner_config(camera, input_px));
    let at = MonoTime::default();
    planner.plan(&PassContext { at, frame: FULL_HD, moving_cells: &[], priority_areas: &[] });
    let swept = planner.coverage(at);
    format!(
        "finds some vessels from {:.0} px and most from {:.0} px length in a picture 1920 px wide; a full sweep takes {:.1} s",
        swept.sought_px,
        swept.mostly_found_px,
        // Rounded up, so that the sweep never takes longer than printed.
        (swept.max_age.as_secs_f32() * 10.0).ceil() / 10.0
    )
}

/// A rule in plain words.
fn words(rule: &Rule) -> String {
    let what = rule.condition_text();
    let raises = if rule.raises { rule.severity.as_str() } else { "only for other rules," };
    format!("{raises} when {what}, {}", rule.schedule)
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::site;

    fn run(path: &Path, style: OutputStyle) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let status = check(path, style, now, &mut out, &mut err);
        (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_valid_site_gives_a_summary() {
        let (_folder, path) = site(|text| text);
        let (status, out, err) = run(&path, OutputStyle::Plain);
        assert_eq!(status, 0);
        assert!(err.ends_with("site.toml: 0 errors, 0 warnings\n"), "{err}");
        for words in [
            "My harbour (my-harbour), times in Europe/Amsterdam",
            "Quay east (quay-east): rtsp://192.0.2.10:554/stream1, H.264",
            "4 detection passes a second, sweep over the whole frame and tiles",
            "finds some vessels from ",
            " px length in a picture 1920 px wide; a full sweep takes ",
            "night-passage: alert when a vessel is in Inner basin for 2s, every day 21:30 to 05:30 the next day",
            "at most 8.0 inferences a second in all, about 30 % of one core",
        ] {
            assert!(out.contains(words), "no {words:?} in\n{out}");
        }
    }

    #[test]
    fn an_invalid_site_gives_diagnostics_and_status_78() {
        let (_folder, path) = site(|text| text.replace("\"h264\"", "\"mjpeg\""));
        let (status, out, err) = run(&path, OutputStyle::Plain);
        assert_eq!((status, out.as_str()), (BAD_CONFIG, ""));
        assert!(err.contains("site.toml:28:9: error: camera[0].codec: \"mjpeg\" is unknown"), "{err}");
        assert!(err.contains("1 error, 0 warnings"), "{err}");
        let (status, _, err) = run(&path, OutputStyle::Annotated { colour: false });
        assert_eq!(status, BAD_CONFIG);
        assert!(err.contains("codec = \"mjpeg\""), "{err}");
    }

    #[test]
    fn the_status_is_that_of_the_file_unless_the_disk_is_full() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (_folder, good) = site(|text| text);
        let (_folder, bad) = site(|text| text.replace("\"h264\"", "\"mjpeg\""));
        let status = |path: &Path, cause| {
            let now = "2026-06-01T12:00:00Z".parse().unwrap();
            check(path, OutputStyle::Plain, now, &mut Broken(cause), &mut Broken(cause))
        };
        assert_eq!(status(&good, io::ErrorKind::BrokenPipe), 0);
        assert_eq!(status(&good, io::ErrorKind::StorageFull), NOT_WRITTEN);
        assert_eq!(status(&bad, io::ErrorKind::BrokenPipe), BAD_CONFIG);
        assert_eq!(status(&bad, io::ErrorKind::StorageFull), BAD_CONFIG);
    }

    #[test]
    fn warnings_do_not_change_the_status() {
        let (_folder, path) = site(|text| text.replace("confirm = \"2s\"", "confirm = \"20h\""));
        let (status, out, err) = run(&path, OutputStyle::Plain);
        assert_eq!(status, 0);
        assert!(
            !out.is_empty() && err.contains("warning: rule[0].confirm: the rule can never hold"),
            "{err}"
        );
    }

    #[test]
    fn an_overdue_review_is_a_warning_with_the_owner() {
        let review = |date: &str| {
            let (_folder, path) = site(|text| {
                let keys = format!("owner = \"harbour master\"\nreview_by = \"{date}\"\nkind = \"presence\"");
                text.replace("kind = \"presence\"", &keys)
            });
            run(&path, OutputStyle::Plain)
        };
        let (status, out, err) = review("2026-05-31");
        assert_eq!(status, 0);
        let words = "warning: the review of rule night-passage by harbour master was due on 2026-05-31";
        assert!(!out.is_empty() && err.contains(words), "{err}");
        assert!(!review("2026-06-01").2.contains("the review of"));
    }

    #[test]
    fn past_dates_and_past_holidays_are_in_the_summary() {
        let (folder, path) = site(|text| {
            text.replace("[model]", "latitude = 52.1\nlongitude = -4.26\nholidays = \"days.txt\"\n[model]")
                .replace("from = \"21:30\"", "dates = [\"2025-12-24\"], from = \"21:30\"")
        });
        std::fs::write(folder.path().join("days.txt"), "2025-12-25 Christmas Day\n2025-12-26\n").unwrap();
        let (status, out, err) = run(&path, OutputStyle::Plain);
        assert_eq!(status, 0, "{err}");
        for words in [
            "sunrise and sunset for 52.1000 N, 4.2600 W",
            "2 holidays, the last on 2025-12-26: all are in the past",
            "24 Dec 2025, 21:30 to 05:30 the next day\n    no such time comes",
        ] {
            assert!(out.contains(words), "no {words:?} in\n{out}");
        }
    }

    #[test]
    fn a_missing_file_gives_status_78() {
        let (status, _, err) = run(Path::new("/nonexistent/site.toml"), OutputStyle::Plain);
        assert_eq!(status, BAD_CONFIG);
        assert!(err.contains("cannot read the site file /nonexistent/site.toml"), "{err}");
    }
}
