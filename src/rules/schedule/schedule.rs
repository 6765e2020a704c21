//! When a rule is live.
//!
//! Times of a schedule are local times. So in the nights in which clocks change, a shift is an hour shorter or longer; a
//! shift within the repeated hour is in force twice, and one within the skipped hour is not in force at all.

use std::cell::Cell;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::calendar::Calendar;
use super::holidays::Holidays;
use super::interval::{Instant, ShiftInterval};
use super::shift::{OnHolidays, Shift, Shifts};
use super::status::{NotLiveReason, ScheduleStatus};

/// The days that are searched for the next and the last change: enough for a 29 February.
const HORIZON_DAYS: i32 = 5 * 366;

/// Days that are searched at a time.
const CHUNK_DAYS: i32 = 8;

/// A schedule at one site. It caches its last status, which is valid until something may change.
#[derive(Clone, Debug)]
pub struct Schedule {
    shifts: Shifts,
    text: String,
    calendar: Calendar,
    last: Cell<Option<CachedStatus>>,
}

#[derive(Clone, Copy, Debug)]
struct CachedStatus {
    from: Timestamp,
    until: Timestamp,
    status: ScheduleStatus,
}

/// Since when a rule is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Always.
    Always,
    /// Since then.
    Since(Timestamp),
}

/// The intervals of the shifts that begin on some days; those of `never` with their indices.
struct Intervals {
    only: Vec<ShiftInterval>,
    never: Vec<(usize, ShiftInterval)>,
}

impl Intervals {
    fn live(&self, now: Instant, always: bool) -> bool {
        (always || self.only.iter().any(|interval| interval.in_force(now))) && self.excluded(now).is_none()
    }

    fn excluded(&self, now: Instant) -> Option<usize> {
        self.never.iter().find(|(_, interval)| interval.in_force(now)).map(|(index, _)| *index)
    }
}

impl Schedule {
    /// `shifts` by `calendar`.
    pub fn new(shifts: Shifts, calendar: &Calendar) -> Self {
        Self { text: shifts.to_string(), shifts, calendar: calendar.clone(), last: Cell::new(None) }
    }

    /// Whether the rule is live at `at`, and since when.
    pub fn live(&self, at: Timestamp) -> Option<Live> {
        match self.status(at) {
            ScheduleStatus::Live { since, .. } => Some(since.map_or(Live::Always, Live::Since)),
            ScheduleStatus::NotLive { .. } => None,
        }
    }

    /// Whether the rule is live at `at`, why, and until when.
    pub fn status(&self, at: Timestamp) -> ScheduleStatus {
        if let Some(last) = self.last.get().filter(|last| last.from <= at && at < last.until) {
            return last.status;
        }
        let (status, until) = self.compute(at);
        self.last.set(until.map(|until| CachedStatus { from: at, until, status }));
        status
    }

    /// The whole schedule in words: "every day 21:30 to 05:30 the next day, but never on holidays".
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn only(&self) -> &[Shift] {
        &self.shifts.only
    }

    pub(super) fn never(&self) -> &[Shift] {
        &self.shifts.never
    }

    pub(super) fn holidays(&self) -> &Holidays {
        &self.calendar.holidays
    }

    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.calendar.time_zone
    }

    /// The status at `at`, and the next moment at which it may change.
    fn compute(&self, at: Timestamp) -> (ScheduleStatus, Option<Timestamp>) {
        let now = self.instant(at);
        let today = now.wall.date();
        let intervals = self.intervals(today, 1);
        let status = if self.live_in(&intervals, now) {
            ScheduleStatus::Live { since: self.last_change(at), until: self.next_change(at) }
        } else {
            ScheduleStatus::NotLive { why: self.reason_at(&intervals, now), next: self.next_change(at) }
        };
        let next = self.moments(&intervals, today, 1).into_iter().find(|moment| *moment > at);
        (status, next)
    }

    fn instant(&self, at: Timestamp) -> Instant {
        Instant { at, wall: self.calendar.time_zone.to_datetime(at) }
    }

    fn live_in(&self, intervals: &Intervals, now: Instant) -> bool {
        intervals.live(now, self.shifts.only.is_empty())
    }

    /// Every interval that can be in force on one of `days` days from `first`: it begins on the day before at the earliest
    /// and, before a sunrise, on the day after at the latest.
    fn intervals(&self, first: Date, days: i32) -> Intervals {
        let mut intervals = Intervals { only: Vec::new(), never: Vec::new() };
        for date in (-1..=days).filter_map(|day| first.checked_add(day.days()).ok()) {
            let on = |shift: &Shift| {
                let begins = self.obstacle(shift, date).is_none();
                begins
                    .then(|| {
                        ShiftInterval::new(shift, date, &self.calendar.time_zone, self.calendar.position)
                    })
                    .flatten()
            };
            intervals.only.extend(self.shifts.only.iter().filter_map(on));
            let never = self.shifts.never.iter().enumerate();
            intervals.never.extend(never.filter_map(|(index, shift)| Some((index, on(shift)?))));
        }
        intervals
    }

    /// Why `shift` does not begin on `date`, if it does not.
    fn obstacle(&self, shift: &Shift, date: Date) -> Option<NotLiveReason> {
        if shift.dates.is_some_and(|dates| !dates.contain(date)) {
            return Some(NotLiveReason::Dates);
        }
        if !shift.days.contains(&date.weekday()) {
            return Some(NotLiveReason::Weekday);
        }
        match (shift.holidays, self.calendar.holidays.name(date)) {
            (Some(OnHolidays::Only), None) => Some(NotLiveReason::NoHoliday),
            (Some(OnHolidays::Never), Some(_)) => Some(NotLiveReason::Holiday),
            _ => None,
        }
    }

    /// The moments on `days` days from `first` at which anything may change, in order.
    fn moments(&self, intervals: &Intervals, first: Date, days: i32) -> Vec<Timestamp> {
        let midnight = |day: i32| {
            let date = first.checked_add(day.days()).ok()?;
            date.to_zoned_datetime(self.calendar.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        let Some((begin, end)) = midnight(0).zip(midnight(days)) else { return Vec::new() };
        let all = intervals.only.iter().chain(intervals.never.iter().map(|(_, interval)| interval));
        let mut moments: Vec<_> =
            all.flat_map(|interval| interval.moments(&self.calendar.time_zone)).collect();
        // Reasons change at midnight, and a change of the clock passes many times at once.
        moments.extend((0..=days).filter_map(midnight));
        let changes = self.calendar.time_zone.following(begin).map(|change| change.timestamp());
        moments.extend(changes.take_while(|change| *change <= end));
        moments.retain(|moment| (begin..=end).contains(moment));
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// The first moment after `at` at which the rule is no longer live, or is live again.
    fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let live = self.live_at(at);
        let today = self.instant(at).wall.date();
        (0..HORIZON_DAYS).step_by(CHUNK_DAYS as usize).find_map(|day| {
            let first = today.checked_add(day.days()).ok()?;
            let intervals = self.intervals(first, CHUNK_DAYS);
            let moments = self.moments(&intervals, first, CHUNK_DAYS);
            let mut later = moments.into_iter().filter(|moment| *moment > at);
            later.find(|moment| self.live_in(&intervals, self.instant(*moment)) != live)
        })
    }

    /// The last moment up to `at` at which the rule became live, or ceased to be.
    fn last_change(&self, at: Timestamp) -> Option<Timestamp> {
        let live = self.live_at(at);
        let today = self.instant(at).wall.date();
        let before = |moment: &Timestamp| moment.checked_sub(Span::new().nanoseconds(1)).ok();
        (0..HORIZON_DAYS).step_by(CHUNK_DAYS as usize).find_map(|day| {
            let first = today.checked_sub((day + CHUNK_DAYS - 1).days()).ok()?;
            let intervals = self.intervals(first, CHUNK_DAYS);
            let moments = self.moments(&intervals, first, CHUNK_DAYS);
            let mut earlier = moments.into_iter().rev().filter(|moment| *moment <= at);
            earlier.find(|moment| {
                before(moment).is_some_and(|before| self.live_in(&intervals, self.instant(before)) != live)
            })
        })
    }

    /// Whether the rule is live at `at`, computed without the cache.
    pub(super) fn live_at(&self, at: Timestamp) -> bool {
        let now = self.instant(at);
        self.live_in(&self.intervals(now.wall.date(), 1), now)
    }

    fn reason_at(&self, intervals: &Intervals, now: Instant) -> NotLiveReason {
        if let Some(index) = intervals.excluded(now) {
            return NotLiveReason::Never(index);
        }
        let today = now.wall.date();
        let reasons = self.shifts.only.iter().map(|shift| {
            self.obstacle(shift, today).unwrap_or_else(|| {
                let interval =
                    ShiftInterval::new(shift, today, &self.calendar.time_zone, self.calendar.position);
                match interval.is_none_or(|interval| interval.is_empty(&self.calendar.time_zone)) {
                    true => NotLiveReason::Sun,
                    false => NotLiveReason::Hours,
                }
            })
        });
        // People ask about the shift that is nearest to being in force.
        reasons.min().unwrap_or(NotLiveReason::Hours)
    }
}
