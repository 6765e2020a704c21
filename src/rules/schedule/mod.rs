//! Schedules: when rules are live.

mod calendar;
mod holidays;
mod interval;
#[expect(
    clippy::module_inception,
    reason = "the module is about schedules, and its main type is the schedule"
)]
mod schedule;
mod shift;
mod shift_text;
mod status;
mod status_text;
mod sun;
#[cfg(test)]
mod tests;

pub use calendar::Calendar;
pub use holidays::Holidays;
pub use schedule::{Live, Schedule};
pub use shift::{Dates, Edge, OnHolidays, Shift, Shifts, Sun};
pub use status::{NotLiveReason, ScheduleStatus};
pub use status_text::when;
pub use sun::{GeoPosition, SunTime, sun_time};
