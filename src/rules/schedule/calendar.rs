//! By what schedules are read.

use jiff::tz::TimeZone;

use super::holidays::Holidays;
use super::sun::GeoPosition;

/// Time zone, position and holidays of a site.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Times of schedules are local times of this zone.
    pub time_zone: TimeZone,
    /// For times of the sun; always given where a schedule uses them.
    pub position: Option<GeoPosition>,
    /// For shifts that depend on holidays.
    pub holidays: Holidays,
}
