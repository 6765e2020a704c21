//! How times, numbers and classes are stored.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Type;

use crate::detect::Class;

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// A time as it is stored: milliseconds since 1970 in UTC, and the zone's offset at that time in quarters of an hour.
pub(super) fn local(zone: &TimeZone, at: Timestamp) -> (i64, i64) {
    (at.as_millisecond(), i64::from(zone.to_offset(at).seconds() / 900))
}

/// The time that [`local`] stored.
pub(super) fn timestamp(milliseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(cause)))
}

/// A time as the views write UTC: such texts sort in the order of time.
pub(super) fn utc_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A number as SQLite stores it. Numbers of vessels and frames never come near the limit.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A class as it is stored; `v_detections` shows it as text.
pub(super) fn class_number(class: Class) -> i64 {
    match class {
        Class::Vessel => 0,
        Class::Person => 1,
    }
}

/// The class that [`class_number`] stored; `None` for a class of a later version.
pub(super) fn class_of(number: i64) -> Option<Class> {
    [Class::Vessel, Class::Person].into_iter().find(|&class| class_number(class) == number)
}
