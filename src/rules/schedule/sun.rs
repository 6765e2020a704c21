//! Times of the sun, computed from position and date.
//!
//! Source: the low-precision solar coordinates of Meeus, *Astronomical Algorithms* (2nd ed.), chapter 25. Between 1970 and
//! 2070 the times are within 5 seconds of VSOP87's up to 58 degrees of latitude, and within a minute in the days around
//! polar night. Refraction at the horizon is the value of almanacs; weather changes it by a minute or two.

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::shift::Sun;

/// Altitude of the sun's centre when its upper edge is on the horizon: refraction and half the disc.
const HORIZON_DEG: f64 = -0.833;
/// Altitude at which civil twilight ends.
const TWILIGHT_DEG: f64 = -6.0;

const DAY_S: f64 = 86_400.0;
const DEG_S: f64 = 240.0;

/// A position on Earth (WGS84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPosition {
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
}

/// A time of the sun on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SunTime {
    /// It happens then.
    At(Timestamp),
    /// It does not happen on that day. The moment is solar midnight where the sun stays up, and solar noon where it stays
    /// down, so that a shift from evening to morning is empty in polar day and lasts all day in polar night.
    Never(Timestamp),
}

/// The time of `what` on the day whose solar noon is nearest to 12:00 of `date` in `time_zone`; in the evening it can be
/// after midnight. `None` only at the ends of the calendar.
pub fn sun_time(what: Sun, date: Date, position: GeoPosition, time_zone: &TimeZone) -> Option<SunTime> {
    let noon = noon(date, position, time_zone)?;
    let threshold = match what {
        Sun::Sunrise | Sun::Sunset => HORIZON_DEG,
        Sun::Dawn | Sun::Dusk => TWILIGHT_DEG,
    };
    let evening = matches!(what, Sun::Sunset | Sun::Dusk);
    let other = if evening { date.tomorrow() } else { date.yesterday() };
    // Halfway between two noons, so that an evening ends where the next morning begins.
    let midnight = noon + self::noon(other.ok()?, position, time_zone)?.duration_since(noon) / 2;
    if SunCoordinates::at(noon).altitude(noon, position) <= threshold {
        return Some(SunTime::Never(noon));
    }
    if SunCoordinates::at(midnight).altitude(midnight, position) >= threshold {
        return Some(SunTime::Never(midnight));
    }
    // The altitude falls from noon to midnight, so bisection finds the one crossing. Formulas for the hour angle fail in
    // the last days before polar night.
    let (mut above, mut below) = (noon, midnight);
    while below.duration_since(above).abs() > SignedDuration::from_secs(1) {
        let middle = above + below.duration_since(above) / 2;
        match SunCoordinates::at(middle).altitude(middle, position) > threshold {
            true => above = middle,
            false => below = middle,
        }
    }
    // Whole seconds, independent of the steps of the bisection.
    Timestamp::from_second(below.as_second()).ok().map(SunTime::At)
}

/// Solar noon on the day of `date`.
fn noon(date: Date, position: GeoPosition, time_zone: &TimeZone) -> Option<Timestamp> {
    let noon_by_clock =
        date.to_datetime(time(12, 0, 0, 0)).to_zoned_datetime(time_zone.clone()).ok()?.timestamp();
    // Twice: the first step can be half a day, in which the equation of time changes by seconds.
    let mut noon = noon_by_clock;
    for _ in 0..2 {
        let west_deg = SunCoordinates::at(noon).hour_angle(noon, position);
        noon = noon.checked_sub(SignedDuration::from_secs((west_deg * DEG_S).round() as i64)).ok()?;
    }
    Some(noon)
}

/// Equatorial coordinates of the sun, in radians.
struct SunCoordinates {
    right_ascension: f64,
    declination: f64,
}

impl SunCoordinates {
    fn at(at: Timestamp) -> Self {
        let days = days(at);
        // Centuries of 36,525 days.
        let t = days / 36_525.0;
        let mean_longitude = 280.46646 + t * (36000.76983 + t * 0.0003032);
        let anomaly = (357.52911 + t * (35999.05029 - t * 0.0001537)).to_radians();
        let centre = (1.914602 - t * (0.004817 + t * 0.000014)) * anomaly.sin()
            + (0.019993 - t * 0.000101) * (2.0 * anomaly).sin()
            + 0.000289 * (3.0 * anomaly).sin();
        let node = (125.04 - 1934.136 * t).to_radians();
        let longitude = (mean_longitude + centre - 0.00569 - 0.00478 * node.sin()).to_radians();
        let obliquity = (23.439291 - 0.013004 * t + 0.00256 * node.cos()).to_radians();
        Self {
            right_ascension: (obliquity.cos() * longitude.sin()).atan2(longitude.cos()),
            declination: (obliquity.sin() * longitude.sin()).asin(),
        }
    }

    /// Degrees west of the meridian, -180 to 180.
    fn hour_angle(&self, at: Timestamp, position: GeoPosition) -> f64 {
        // Mean sidereal time at Greenwich (Meeus 12.4, without the terms of 0.001 degrees a century).
        let sidereal = 280.46061837 + 360.98564736629 * days(at);
        let angle = sidereal + position.longitude - self.right_ascension.to_degrees();
        (angle + 180.0).rem_euclid(360.0) - 180.0
    }

    /// Degrees of the sun's centre above the horizon, without refraction.
    fn altitude(&self, at: Timestamp, position: GeoPosition) -> f64 {
        let (latitude, hour) = (position.latitude.to_radians(), self.hour_angle(at, position).to_radians());
        let sine =
            latitude.sin() * self.declination.sin() + latitude.cos() * self.declination.cos() * hour.cos();
        sine.clamp(-1.0, 1.0).asin().to_degrees()
    }
}

/// Days since noon of 1 January 2000, universal time.
fn days(at: Timestamp) -> f64 {
    const EPOCH_S: f64 = 946_728_000.0;
    (at.as_second() as f64 - EPOCH_S) / DAY_S
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEVENINGEN: GeoPosition = GeoPosition { latitude: 52.10, longitude: 4.26 };
    const DRAKE: GeoPosition = GeoPosition { latitude: -57.27, longitude: 0.0 };
    const TROMSO: GeoPosition = GeoPosition { latitude: 69.65, longitude: 18.96 };

    fn times(date: &str, position: GeoPosition, zone: &str) -> [SunTime; 4] {
        let (date, zone) = (date.parse().unwrap(), TimeZone::get(zone).unwrap());
        [Sun::Dawn, Sun::Sunrise, Sun::Sunset, Sun::Dusk]
            .map(|what| sun_time(what, date, position, &zone).unwrap())
    }

    #[test]
    fn times_are_those_of_the_almanac() {
        // Computed with PyEphem 4.2 (VSOP87), the upper edge at -50 minutes of arc, twilight at -6 degrees.
        let days = [
            (
                "2026-06-21",
                SCHEVENINGEN,
                "Europe/Amsterdam",
                ["02:32:59", "03:22:09", "20:07:23", "20:56:33"],
            ),
            (
                "2026-12-21",
                SCHEVENINGEN,
                "Europe/Amsterdam",
                ["07:08:08", "07:49:15", "15:32:46", "16:13:53"],
            ),
            (
                "2026-03-20",
                SCHEVENINGEN,
                "Europe/Amsterdam",
                ["05:12:07", "05:45:49", "17:56:00", "18:29:48"],
            ),
            ("2059-02-13", DRAKE, "UTC", ["03:55:30", "04:40:30", "19:46:09", "20:30:45"]),
            ("2026-01-16", TROMSO, "Europe/Oslo", ["07:54:18", "10:13:32", "11:34:58", "13:54:15"]),
            ("2026-11-26", TROMSO, "Europe/Oslo", ["07:32:35", "09:57:14", "11:04:51", "13:29:28"]),
        ];
        for (date, position, zone, almanac) in days {
            for (ours, almanac) in times(date, position, zone).into_iter().zip(almanac) {
                let almanac: Timestamp = format!("{date}T{almanac}Z").parse().unwrap();
                let SunTime::At(ours) = ours else { panic!("{date}: none, and {almanac}") };
                let allowed_s = if position == TROMSO { 60 } else { 10 };
                assert!(ours.duration_since(almanac).abs().as_secs() <= allowed_s, "{ours}, and {almanac}");
            }
        }
    }

    #[test]
    fn polar_day_and_polar_night() {
        let local = |date, what| {
            let zone = TimeZone::get("Europe/Oslo").unwrap();
            match times(date, TROMSO, "Europe/Oslo")[what] {
                SunTime::At(at) => zone.to_datetime(at).strftime("%d %H:%M").to_string(),
                SunTime::Never(at) => zone.to_datetime(at).strftime("never %d %H").to_string(),
            }
        };
        let (sunrise, sunset, dusk) = (1, 2, 3);
        assert_eq!(local("2026-12-15", sunset), "never 15 11", "down at noon");
        assert_eq!(local("2026-12-15", dusk), "15 13:53", "and yet a day has its twilight");
        assert_eq!(local("2026-06-15", sunset), "never 16 00", "up at midnight");
        assert_eq!(local("2026-06-15", sunrise), "never 15 00", "and since the midnight before");
        assert_eq!(local("2026-07-26", sunset), "27 00:13", "the evening of the 26th");
    }
}
