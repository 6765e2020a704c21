//! Whether a rule is live at a moment, and why.

use jiff::Timestamp;

/// The status of a schedule at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleStatus {
    /// The rule is live.
    Live {
        /// Since when; `None` where there is no beginning within the time that is searched.
        since: Option<Timestamp>,
        /// Until when; `None` where there is no end within the time that is searched.
        until: Option<Timestamp>,
    },
    /// The rule is not live.
    NotLive {
        /// Why.
        why: NotLiveReason,
        /// When it is live again; `None` where that is not within the time that is searched.
        next: Option<Timestamp>,
    },
}

/// Why a rule is not live; of several reasons, the one that is nearest to being live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotLiveReason {
    /// A shift of `never`, by its index.
    Never(usize),
    /// The day is right, the hour is not.
    Hours,
    /// The sun ends the shift before it begins that day, for example in polar day.
    Sun,
    /// The day is a holiday, and the shift is for other days.
    Holiday,
    /// The day is not a holiday, and the shift is for holidays.
    NoHoliday,
    /// It is another day of the week.
    Weekday,
    /// It is another date.
    Dates,
}

impl ScheduleStatus {
    /// Whether the rule is live.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }
}
