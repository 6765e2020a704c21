//! When a rule is live.
//!
//! A clock time of a schedule is the clock on the wall. So on the nights of a clock change a shift is an hour shorter or
//! longer, what lies in the hour that comes twice is in force twice, and what lies in the hour that never comes is not.

use std::cell::Cell;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::standing::{NotLiveReason, ScheduleStatus};
use super::stretch::{Instant, Stretch};
use crate::config::{self, Holidays, OnHolidays, Position, Shift, Site};

/// How many days a schedule is looked through for its next change and its last: enough for a 29 February.
const HORIZON_DAYS: i32 = 5 * 366;

/// Days looked through in one go.
const LEAF_DAYS: i32 = 8;

/// A schedule at one site. Remembers its last answer, which holds until something may change.
#[derive(Clone, Debug)]
pub struct Schedule {
    schedule: config::Schedule,
    words: String,
    time_zone: TimeZone,
    position: Option<Position>,
    holidays: Holidays,
    last: Cell<Option<Answer>>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    from: Timestamp,
    until: Timestamp,
    standing: ScheduleStatus,
}

/// Why a rule is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It always is.
    Always,
    /// It is since then.
    Since(Timestamp),
}

/// The stretches that begin on some days, each with its place in the schedule.
struct Leaf {
    only: Vec<Stretch>,
    never: Vec<(usize, Stretch)>,
}

impl Leaf {
    fn live(&self, now: Instant, always: bool) -> bool {
        (always || self.only.iter().any(|stretch| stretch.in_force(now))) && self.excluded(now).is_none()
    }

    fn excluded(&self, now: Instant) -> Option<usize> {
        self.never.iter().find(|(_, stretch)| stretch.in_force(now)).map(|(index, _)| *index)
    }
}

impl Schedule {
    /// `schedule` at `site`: in its time zone, under its sun, with its holidays.
    pub fn new(schedule: config::Schedule, site: &Site) -> Self {
        Self {
            words: schedule.to_string(),
            schedule,
            time_zone: site.time_zone.clone(),
            position: site.position,
            holidays: site.holidays.clone(),
            last: Cell::new(None),
        }
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
            return last.standing;
        }
        let (standing, until) = self.look_up(at);
        self.last.set(until.map(|until| Answer { from: at, until, standing }));
        standing
    }

    /// The whole schedule in words: "every day 21:30 to 05:30 the next day, but never on holidays".
    pub fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn only(&self) -> &[Shift] {
        &self.schedule.only
    }

    pub(super) fn never(&self) -> &[Shift] {
        &self.schedule.never
    }

    pub(super) fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// The standing at `at`, and the next moment at which it may be another.
    fn look_up(&self, at: Timestamp) -> (ScheduleStatus, Option<Timestamp>) {
        let now = self.instant(at);
        let today = now.wall.date();
        let leaf = self.leaf(today, 1);
        let standing = if self.live_in(&leaf, now) {
            ScheduleStatus::Live { since: self.last_change(at), until: self.next_change(at) }
        } else {
            ScheduleStatus::NotLive { why: self.silence_at(&leaf, now), next: self.next_change(at) }
        };
        let next = self.moments(&leaf, today, 1).into_iter().find(|moment| *moment > at);
        (standing, next)
    }

    fn instant(&self, at: Timestamp) -> Instant {
        Instant { at, wall: self.time_zone.to_datetime(at) }
    }

    fn live_in(&self, leaf: &Leaf, now: Instant) -> bool {
        leaf.live(now, self.schedule.only.is_empty())
    }

    /// Every stretch that can be in force on one of `days` days from `first`: one begins the day before at the earliest,
    /// and, before a sunrise, the day after at the latest.
    fn leaf(&self, first: Date, days: i32) -> Leaf {
        let mut leaf = Leaf { only: Vec::new(), never: Vec::new() };
        for date in (-1..=days).filter_map(|day| first.checked_add(day.days()).ok()) {
            let on = |shift: &Shift| {
                let begins = self.obstacle(shift, date).is_none();
                begins.then(|| Stretch::new(shift, date, &self.time_zone, self.position)).flatten()
            };
            leaf.only.extend(self.schedule.only.iter().filter_map(on));
            let never = self.schedule.never.iter().enumerate();
            leaf.never.extend(never.filter_map(|(index, shift)| Some((index, on(shift)?))));
        }
        leaf
    }

    /// Why `shift` does not begin on `date`.
    fn obstacle(&self, shift: &Shift, date: Date) -> Option<NotLiveReason> {
        if shift.dates.is_some_and(|dates| !dates.contain(date)) {
            return Some(NotLiveReason::Dates);
        }
        if !shift.days.contains(&date.weekday()) {
            return Some(NotLiveReason::Weekday);
        }
        match (shift.holidays, self.holidays.name(date)) {
            (Some(OnHolidays::Only), None) => Some(NotLiveReason::NoHoliday),
            (Some(OnHolidays::Never), Some(_)) => Some(NotLiveReason::Holiday),
            _ => None,
        }
    }

    /// The moments on `days` days from `first` at which anything may change, in order: nothing changes between two.
    fn moments(&self, leaf: &Leaf, first: Date, days: i32) -> Vec<Timestamp> {
        let midnight = |day: i32| {
            let date = first.checked_add(day.days()).ok()?;
            date.to_zoned_datetime(self.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        let Some((begin, end)) = midnight(0).zip(midnight(days)) else { return Vec::new() };
        let stretches = leaf.only.iter().chain(leaf.never.iter().map(|(_, stretch)| stretch));
        let mut moments: Vec<_> = stretches.flat_map(|stretch| stretch.moments(&self.time_zone)).collect();
        // Reasons change at midnight, and a clock that is changed passes many times at once.
        moments.extend((0..=days).filter_map(midnight));
        let changes = self.time_zone.following(begin).map(|change| change.timestamp());
        moments.extend(changes.take_while(|change| *change <= end));
        moments.retain(|moment| (begin..=end).contains(moment));
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// The first moment after `at` at which the rule is live if it is not at `at`, and the other way round.
    fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let live = self.live_at(at);
        let today = self.instant(at).wall.date();
        (0..HORIZON_DAYS).step_by(LEAF_DAYS as usize).find_map(|day| {
            let first = today.checked_add(day.days()).ok()?;
            let leaf = self.leaf(first, LEAF_DAYS);
            let moments = self.moments(&leaf, first, LEAF_DAYS);
            let mut later = moments.into_iter().filter(|moment| *moment > at);
            later.find(|moment| self.live_in(&leaf, self.instant(*moment)) != live)
        })
    }

    /// The last moment up to `at` at which it became what it is at `at`.
    fn last_change(&self, at: Timestamp) -> Option<Timestamp> {
        let live = self.live_at(at);
        let today = self.instant(at).wall.date();
        let before = |moment: &Timestamp| moment.checked_sub(Span::new().nanoseconds(1)).ok();
        (0..HORIZON_DAYS).step_by(LEAF_DAYS as usize).find_map(|day| {
            let first = today.checked_sub((day + LEAF_DAYS - 1).days()).ok()?;
            let leaf = self.leaf(first, LEAF_DAYS);
            let moments = self.moments(&leaf, first, LEAF_DAYS);
            let mut earlier = moments.into_iter().rev().filter(|moment| *moment <= at);
            earlier.find(|moment| {
                before(moment).is_some_and(|before| self.live_in(&leaf, self.instant(before)) != live)
            })
        })
    }

    /// Whether the rule is live at `at`: what a schedule means, without memory.
    pub(super) fn live_at(&self, at: Timestamp) -> bool {
        let now = self.instant(at);
        self.live_in(&self.leaf(now.wall.date(), 1), now)
    }

    fn silence_at(&self, leaf: &Leaf, now: Instant) -> NotLiveReason {
        if let Some(index) = leaf.excluded(now) {
            return NotLiveReason::Never(index);
        }
        let today = now.wall.date();
        let reasons = self.schedule.only.iter().map(|shift| {
            self.obstacle(shift, today).unwrap_or_else(|| {
                let stretch = Stretch::new(shift, today, &self.time_zone, self.position);
                match stretch.is_none_or(|stretch| stretch.is_empty(&self.time_zone)) {
                    true => NotLiveReason::Sun,
                    false => NotLiveReason::Hours,
                }
            })
        });
        // The nearest to being live is what people ask about.
        reasons.min().unwrap_or(NotLiveReason::Hours)
    }
}
