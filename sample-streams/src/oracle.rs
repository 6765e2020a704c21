//! A test oracle: the signals that a site file must raise on a clip, from the ground truth alone.
//!
//! It is simple on purpose and shares no code with the daemon's rules: it takes every frame, boxes are exact, and nothing
//! is tracked.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::site::{Direction, Hours, Line, Rule, RuleKind, Site, seconds};
use crate::truth::TruthBox;

/// When a clip starts, by the wall clock of the site: seconds after Monday 2026-06-01 00:00.
pub type Start = f64;
/// When the demo starts: on that Monday at 22:13:00.
pub const DEMO_START: Start = (22.0 * 60.0 + 13.0) * 60.0;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The dead band of a line when the rule gives none, as a share of the picture.
const DEAD_BAND: f64 = 0.01;

/// A signal that must be raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signal {
    /// The rule.
    pub rule: String,
    /// The camera.
    pub camera: String,
    /// The zone or line.
    pub place: String,
    /// The vessel's number in the ground truth.
    pub vessel: u32,
    /// When it opens, in seconds from the start of the clip; the time to confirm has passed.
    pub opens_s: f64,
    /// When it closes; the time to clear has passed. A crossing closes when it opens.
    pub closes_s: f64,
}

/// The signals of `camera`, by the time they open. The `frames` have `size` pixels, come at `fps` a second and begin at
/// `start`.
pub fn signals(
    site: &Site,
    camera: &str,
    frames: &[Vec<TruthBox>],
    size: (usize, usize),
    fps: f64,
    start: Start,
) -> Result<Vec<Signal>> {
    let mut vessels: Vec<u32> = frames.iter().flatten().map(|s| s.id).collect();
    vessels.sort_unstable();
    vessels.dedup();
    let mut all = Vec::new();
    for rule in &site.rules {
        let zone = site.zones.iter().find(|z| Some(&z.id) == rule.zone.as_ref() && z.camera == camera);
        let line = site.lines.iter().find(|l| Some(&l.id) == rule.line.as_ref() && l.camera == camera);
        let place = match (zone, line) {
            (Some(zone), _) => &zone.id,
            (_, Some(line)) => &line.id,
            (None, None) => continue,
        };
        for &vessel in &vessels {
            let path: Vec<Option<[f64; 2]>> =
                frames.iter().map(|f| f.iter().find(|s| s.id == vessel).map(|s| s.waterline(size))).collect();
            let spans = match (zone, line) {
                (Some(zone), _) => stays(rule, &zone.polygon, &path, fps, start)?,
                (_, Some(line)) => crossings(rule, line, &path, fps, start)?,
                _ => Vec::new(),
            };
            all.extend(spans.into_iter().map(|(opens, closes)| Signal {
                rule: rule.id.clone(),
                camera: camera.to_owned(),
                place: place.clone(),
                vessel,
                opens_s: (opens * 100.0).round() / 100.0,
                closes_s: (closes * 100.0).round() / 100.0,
            }));
        }
    }
    all.sort_by(|a, b| a.opens_s.total_cmp(&b.opens_s));
    Ok(all)
}

/// When a rule about a zone holds for one vessel: when each signal opens and closes, in seconds.
fn stays(
    rule: &Rule,
    zone: &[[f64; 2]],
    path: &[Option<[f64; 2]>],
    fps: f64,
    start: Start,
) -> Result<Vec<(f64, f64)>> {
    let duration = |text: &Option<String>| text.as_deref().map_or(Ok(0.0), seconds);
    let (confirm, clear) = (duration(&rule.confirm)?, duration(&rule.clear)?);
    let wait = if rule.kind == RuleKind::Dwell { duration(&rule.longer_than)?.max(confirm) } else { confirm };
    let mut spans = Vec::new();
    let mut was_outside = false;
    let mut since: Option<f64> = None;
    let mut last = 0.0;
    let mut open: Option<f64> = None;
    for (n, point) in path.iter().enumerate() {
        let now = n as f64 / fps;
        let inside = point.is_some_and(|p| within(zone, p));
        let came_in = rule.kind != RuleKind::Entry || was_outside || since.is_some();
        if inside && came_in && live(rule.schedule.as_deref(), start + now)? {
            let began = *since.get_or_insert(now);
            last = now;
            if open.is_none() && now - began >= wait {
                open = Some(now);
            }
        } else if now - last >= clear || open.is_none() {
            if let Some(opened) = open.take() {
                spans.push((opened, now));
            }
            since = None;
        }
        was_outside |= point.is_some() && !inside;
    }
    if let Some(opened) = open {
        spans.push((opened, path.len() as f64 / fps));
    }
    Ok(spans)
}

/// When one vessel crosses a line in the rule's direction.
fn crossings(
    rule: &Rule,
    line: &Line,
    path: &[Option<[f64; 2]>],
    fps: f64,
    start: Start,
) -> Result<Vec<(f64, f64)>> {
    let band = rule.dead_band.unwrap_or(DEAD_BAND);
    let (dx, dy) = (line.to[0] - line.from[0], line.to[1] - line.from[1]);
    let length = dx.hypot(dy);
    let mut spans = Vec::new();
    // The last point outside the dead band, and its distance from the line: negative to the left.
    let mut clear: Option<([f64; 2], f64)> = None;
    for (n, point) in path.iter().enumerate() {
        let Some(p) = *point else { continue };
        let distance = (dx * (p[1] - line.from[1]) - dy * (p[0] - line.from[0])) / length;
        if distance.abs() <= band {
            continue;
        }
        if let Some((before, was)) = clear
            && was.signum() != distance.signum()
        {
            let now = n as f64 / fps;
            let rightwards = distance > 0.0;
            let counts = match rule.direction.unwrap_or(Direction::Either) {
                Direction::LeftToRight => rightwards,
                Direction::RightToLeft => !rightwards,
                Direction::Either => true,
            };
            let t = was / (was - distance);
            let hit = [before[0] + (p[0] - before[0]) * t, before[1] + (p[1] - before[1]) * t];
            let along = ((hit[0] - line.from[0]) * dx + (hit[1] - line.from[1]) * dy) / (length * length);
            if counts && (0.0..=1.0).contains(&along) && live(rule.schedule.as_deref(), start + now)? {
                spans.push((now, now));
            }
        }
        clear = Some((p, distance));
    }
    Ok(spans)
}

/// Whether a point lies in a polygon (even-odd rule).
fn within(polygon: &[[f64; 2]], p: [f64; 2]) -> bool {
    let mut inside = false;
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
            inside = !inside;
        }
    }
    inside
}

/// Whether a schedule is active at a time, counted as in [`Start`].
fn live(schedule: Option<&[Hours]>, now: f64) -> Result<bool> {
    let Some(schedule) = schedule else { return Ok(true) };
    let (day, second) = ((now / 86_400.0) as usize, now % 86_400.0);
    for hours in schedule {
        let (from, to) = (of_day(&hours.from)?, of_day(&hours.to)?);
        let on = |day: usize| hours.days.iter().any(|d| d == DAYS[day % 7]);
        let holds = if from < to {
            on(day) && (from..to).contains(&second)
        } else {
            (on(day) && second >= from) || (on(day + 6) && second < to)
        };
        if holds {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_day(text: &str) -> Result<f64> {
    let (hours, minutes) = text.split_once(':').with_context(|| format!("{text} is not a time of day"))?;
    Ok((hours.parse::<f64>()? * 60.0 + minutes.parse::<f64>()?) * 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [[zone]]
        id = "basin"
        camera = "a"
        polygon = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]
        [[line]]
        id = "mouth"
        camera = "a"
        from = [0.5, 0.8]
        to = [0.5, 0.4]
        [[rule]]
        id = "in"
        kind = "crossing"
        line = "mouth"
        direction = "left-to-right"
        [[rule]]
        id = "night"
        kind = "presence"
        zone = "basin"
        confirm = "1s"
        clear = "2s"
        schedule = [{ days = ["mon"], from = "21:30", to = "05:30" }]
        [[rule]]
        id = "works"
        kind = "presence"
        zone = "basin"
        schedule = [{ days = ["mon", "tue"], from = "07:00", to = "19:00" }]
        [[rule]]
        id = "enter"
        kind = "entry"
        zone = "basin"
        [[rule]]
        id = "loiter"
        kind = "dwell"
        zone = "basin"
        longer_than = "3s"
    "#;

    /// A vessel of 10 x 10 pixels in a picture of 1000 x 1000 that sails straight from one point to another in ten seconds.
    fn sail(from: [i32; 2], to: [i32; 2]) -> Vec<(String, f64)> {
        let frames: Vec<Vec<TruthBox>> = (0..=250)
            .map(|n| {
                let at = |a: i32, b: i32| a + (b - a) * n / 250;
                let (x, y) = (at(from[0], to[0]), at(from[1], to[1]));
                vec![TruthBox { id: 1, left: x - 5, top: y - 10, width: 10, height: 10, visibility: 1.0 }]
            })
            .collect();
        let site: Site = toml::from_str(SITE).unwrap();
        let signals = signals(&site, "a", &frames, (1000, 1000), 25.0, DEMO_START).unwrap();
        signals.into_iter().map(|s| (s.rule, s.opens_s)).collect()
    }

    fn rules(from: [i32; 2], to: [i32; 2]) -> Vec<String> {
        let mut rules: Vec<String> = sail(from, to).into_iter().map(|s| s.0).collect();
        rules.sort();
        rules
    }

    #[test]
    fn a_crossing_counts_on_the_line_and_in_its_direction_only() {
        assert_eq!(rules([300, 700], [700, 700]), ["in"]);
        assert_eq!(rules([700, 700], [300, 700]), [""; 0]);
        assert_eq!(rules([300, 900], [700, 900]), [""; 0], "beyond the end of the line");
        assert_eq!(rules([300, 700], [505, 700]), [""; 0], "within the dead band");
    }

    #[test]
    fn a_slow_passage_raises_every_active_rule() {
        // It is in the zone from 2.5 to 7.5 s.
        let signals = sail([300, 500], [700, 500]);
        let opens = |rule: &str| signals.iter().find(|s| s.0 == rule).map(|s| s.1);
        assert!((opens("enter").unwrap() - 2.5).abs() < 0.1);
        assert!((opens("night").unwrap() - 3.5).abs() < 0.1);
        assert!((opens("loiter").unwrap() - 5.5).abs() < 0.1);
        assert_eq!(opens("works"), None);
        // At twice the speed the stay is too short.
        assert!(!rules([100, 500], [900, 500]).contains(&"loiter".to_owned()));
    }

    #[test]
    fn a_vessel_that_was_there_at_the_start_has_not_entered() {
        assert_eq!(rules([500, 500], [500, 510]), ["loiter", "night"]);
    }
}
