//! Schedules on ordinary nights, on nights with a change of the clock, at any latitude, and with their cache.

use jiff::civil::{Date, Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    Calendar, Dates, Edge, GeoPosition, Holidays, Live, NotLiveReason, OnHolidays, Schedule, ScheduleStatus,
    Shift, Shifts, Sun,
};
use crate::rules::testing::calendar;

const ALL: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn shift(days: &[Weekday], from: (i8, i8), to: (i8, i8)) -> Shift {
    let clock = |(hour, minute)| Edge::Clock(time(hour, minute, 0, 0));
    Shift { days: days.to_vec(), from: clock(from), to: clock(to), dates: None, holidays: None }
}

fn sun(from: Edge, to: Edge) -> Shift {
    Shift { from, to, ..shift(&ALL, (0, 0), (0, 0)) }
}

fn day() -> Shift {
    shift(&ALL, (0, 0), (0, 0))
}

fn amsterdam() -> Calendar {
    calendar()
}

fn in_zone(name: &str, position: Option<GeoPosition>) -> Calendar {
    Calendar { time_zone: TimeZone::get(name).unwrap(), position, ..amsterdam() }
}

fn only(only: Vec<Shift>) -> Shifts {
    Shifts { only, never: Vec::new() }
}

fn schedule(days: &[Weekday], from: (i8, i8), to: (i8, i8)) -> Schedule {
    Schedule::new(only(vec![shift(days, from, to)]), &amsterdam())
}

fn moment(local: &str) -> Timestamp {
    let zoned: jiff::ZonedDateTime = format!("{local}[Europe/Amsterdam]").parse().unwrap();
    zoned.timestamp()
}

fn live(schedule: &Schedule, local: &str) -> bool {
    schedule.live(moment(local)).is_some()
}

#[test]
fn a_night_shift_runs_past_midnight() {
    let night = schedule(&ALL, (21, 30), (5, 30));
    for (at, want) in [
        ("2026-06-01T21:29:59", false),
        ("2026-06-01T21:30:00", true),
        ("2026-06-02T00:00:00", true),
        ("2026-06-02T05:29:59", true),
        ("2026-06-02T05:30:00", false),
    ] {
        assert_eq!(live(&night, at), want, "{at}");
    }
}

#[test]
fn a_shift_belongs_to_the_day_on_which_it_begins() {
    let friday = schedule(&[Weekday::Friday], (22, 0), (6, 0));
    assert!(live(&friday, "2026-06-05T23:00:00"), "Friday evening");
    assert!(live(&friday, "2026-06-06T05:00:00"), "the Saturday morning that follows");
    assert!(!live(&friday, "2026-06-05T05:00:00"), "Friday morning belongs to Thursday");
    assert!(!live(&friday, "2026-06-06T23:00:00"), "Saturday evening");
}

#[test]
fn a_repeated_hour_is_in_force_twice() {
    let early = schedule(&ALL, (2, 15), (2, 45));
    for utc in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
        assert!(early.live(utc.parse().unwrap()).is_some(), "{utc} is 02:30 in Amsterdam");
    }
    assert!(early.live("2026-10-25T01:00:00Z".parse().unwrap()).is_none(), "02:00 the second time");
}

#[test]
fn a_skipped_hour_is_not_in_force() {
    let skipped = schedule(&ALL, (2, 15), (2, 45));
    for minute in 0..180 {
        let at: Timestamp = "2026-03-29T00:00:00Z".parse().unwrap();
        assert!(skipped.live(at + jiff::SignedDuration::from_mins(minute)).is_none());
    }
    let over_the_gap = schedule(&ALL, (2, 30), (4, 0));
    let at = "2026-03-29T01:10:00Z".parse().unwrap(); // 03:10 local, ten minutes after the clock jumped
    let Some(Live::Since(since)) = over_the_gap.live(at) else { panic!("in force after the gap") };
    assert!(since <= at);
}

#[test]
fn a_night_shift_is_live_since_the_evening() {
    let night = schedule(&ALL, (21, 30), (5, 30));
    let at: Timestamp = "2026-06-01T22:30:00Z".parse().unwrap(); // 00:30 local
    let Some(Live::Since(since)) = night.live(at) else { panic!("in force") };
    assert_eq!(at.duration_since(since), jiff::SignedDuration::from_hours(3));
}

#[test]
fn texts_say_which_of_two_equal_times() {
    let early = schedule(&ALL, (2, 15), (2, 45));
    let text = |utc: &str| early.status_text(utc.parse().unwrap());
    assert_eq!(text("2026-10-25T00:30:00Z"), "live since 02:15 the first time, until 02:45 the first time");
    assert_eq!(text("2026-10-25T00:50:00Z"), "outside its hours; live again 02:15 the second time");
    assert_eq!(text("2026-10-25T01:30:00Z"), "live since 02:15 the second time, until 02:45 the second time");
}

#[test]
fn a_night_is_an_hour_longer_in_autumn_and_shorter_in_spring() {
    let night = schedule(&ALL, (21, 30), (5, 30));
    for (evening, hours) in [("2026-10-24", 9), ("2026-03-28", 7), ("2026-06-01", 8)] {
        let ScheduleStatus::Live { since, until } = night.status(moment(&format!("{evening}T23:00"))) else {
            panic!("live")
        };
        let length = until.unwrap().duration_since(since.unwrap());
        assert_eq!(length, SignedDuration::from_hours(hours), "{evening}");
    }
}

#[test]
fn consecutive_shifts_are_one_interval() {
    use Weekday::{Saturday, Sunday};
    let weekend = only(vec![shift(&[Saturday], (20, 0), (0, 0)), shift(&[Sunday], (0, 0), (12, 0))]);
    let weekend = Schedule::new(weekend, &amsterdam());
    let want = ScheduleStatus::Live {
        since: Some(moment("2026-06-06T20:00")),
        until: Some(moment("2026-06-07T12:00")),
    };
    assert_eq!(weekend.status(moment("2026-06-07T00:00")), want);
}

#[test]
fn always_live_has_no_beginning_and_no_end() {
    for shifts in [Vec::new(), vec![day()], vec![shift(&ALL, (0, 0), (12, 0)), shift(&ALL, (12, 0), (0, 0))]]
    {
        let schedule = Schedule::new(only(shifts), &amsterdam());
        let at = moment("2026-03-29T04:00");
        assert_eq!(schedule.status(at), ScheduleStatus::Live { since: None, until: None });
        assert_eq!(
            (schedule.live(at), schedule.status_text(at)),
            (Some(Live::Always), "always live".to_owned())
        );
    }
}

#[test]
fn never_wins_over_only_and_is_named() {
    let never = vec![
        shift(&[Weekday::Monday], (23, 0), (23, 30)),
        Shift { holidays: Some(OnHolidays::Only), ..day() },
    ];
    let schedule = Shifts { only: vec![shift(&ALL, (21, 30), (5, 30))], never };
    let date = |text: &str| text.parse::<Date>().unwrap();
    let holidays = [(date("2026-12-25"), "Christmas Day".to_owned()), (date("2026-12-26"), String::new())];
    let night = Schedule::new(schedule, &Calendar { holidays: Holidays::from_iter(holidays), ..amsterdam() });
    for (local, text) in [
        ("2026-06-01T22:00", "live since 21:30, until 23:00"),
        ("2026-06-01T23:10", "never mon 23:00 to 23:30; live again 23:30"),
        ("2026-06-01T23:50", "live since 23:30, until Tue 05:30"),
        ("2026-06-01T20:00", "outside its hours; live again 21:30"),
        ("2026-12-25T03:00", "never on holidays (Christmas Day); live again Sun 00:00"),
        ("2026-12-26T23:00", "never on holidays; live again Sun 00:00"),
    ] {
        assert_eq!(night.status_text(moment(local)), text, "{local}");
    }
}

#[test]
fn the_reason_is_the_one_nearest_to_being_live() {
    let summer =
        Shift { dates: Some(Dates::EveryYear((4, 1), (9, 30))), ..shift(&ALL[..5], (8, 0), (18, 0)) };
    let workday = Shift { holidays: Some(OnHolidays::Never), ..shift(&ALL[..5], (7, 0), (19, 0)) };
    let holidays = [("2026-04-27".parse::<Date>().unwrap(), "King's Day".to_owned())];
    let site = Calendar { holidays: Holidays::from_iter(holidays), ..amsterdam() };
    let why = |shifts: &[&Shift], local: &str| {
        let shifts = shifts.iter().map(|shift| (*shift).clone()).collect();
        match Schedule::new(only(shifts), &site).status(moment(local)) {
            ScheduleStatus::NotLive { why, .. } => Some(why),
            ScheduleStatus::Live { .. } => None,
        }
    };
    assert_eq!(why(&[&summer], "2026-12-01T12:00"), Some(NotLiveReason::Dates));
    assert_eq!(why(&[&summer, &workday], "2026-12-05T12:00"), Some(NotLiveReason::Weekday), "a Saturday");
    assert_eq!(why(&[&summer, &workday], "2026-12-04T22:00"), Some(NotLiveReason::Hours));
    assert_eq!(why(&[&workday], "2026-04-27T12:00"), Some(NotLiveReason::Holiday));
    assert_eq!(why(&[&workday, &summer], "2026-04-27T12:00"), None, "King's Day is a day of summer too");
    let feast = Shift { holidays: Some(OnHolidays::Only), ..day() };
    assert_eq!(why(&[&feast], "2026-04-26T12:00"), Some(NotLiveReason::NoHoliday));
}

#[test]
fn periods_that_begin_on_a_leap_day() {
    let season = Shift { dates: Some(Dates::EveryYear((2, 29), (3, 10))), ..day() };
    let season = Schedule::new(only(vec![season]), &amsterdam());
    let text = |local: &str| season.status_text(moment(local));
    assert_eq!(text("2027-02-28T12:00"), "out of season; live again Mon 00:00");
    assert_eq!(text("2028-02-29T12:00"), "live since 00:00, until Sat 11 Mar 00:00");
    let leap = Shift { dates: Some(Dates::EveryYear((2, 29), (2, 29))), ..day() };
    let leap = Schedule::new(only(vec![leap]), &amsterdam());
    assert_eq!(
        leap.status_text(moment("2028-03-01T12:00")),
        "out of season; live again Sun 29 Feb 2032 00:00"
    );
    let gone = Date::constant(2026, 6, 1);
    let gone =
        Schedule::new(only(vec![Shift { dates: Some(Dates::Once(gone, gone)), ..day() }]), &amsterdam());
    assert_eq!(
        gone.status_text(moment("2026-06-02T12:00")),
        "not on this date; not live again within five years"
    );
}

const TROMSO: GeoPosition = GeoPosition { latitude: 69.65, longitude: 18.96 };
const LONGYEARBYEN: GeoPosition = GeoPosition { latitude: 78.22, longitude: 15.63 };

#[test]
fn polar_night_is_all_live_and_polar_day_is_not() {
    let dark = only(vec![sun(Edge::Sun(Sun::Sunset, 30), Edge::Sun(Sun::Sunrise, -30))]);
    let light = only(vec![sun(Edge::Sun(Sun::Sunrise, 30), Edge::Sun(Sun::Sunset, -30))]);
    for (zone, position, winter, summer) in [
        ("Europe/Oslo", TROMSO, "2026-12-05T00:00:00Z", "2026-06-05T00:00:00Z"),
        ("Arctic/Longyearbyen", LONGYEARBYEN, "2026-11-20T00:00:00Z", "2026-05-20T00:00:00Z"),
    ] {
        let site = in_zone(zone, Some(position));
        let (dark, light) = (Schedule::new(dark.clone(), &site), Schedule::new(light.clone(), &site));
        for quarter in 0..96 * 10 {
            let at =
                |begin: &str| begin.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(15 * quarter);
            let (winter, summer) = (at(winter), at(summer));
            assert!(dark.status(winter).is_live() && !dark.status(summer).is_live(), "{zone} {winter}");
            assert!(light.status(summer).is_live() && !light.status(winter).is_live(), "{zone} {summer}");
        }
        let status = dark.status(summer.parse().unwrap());
        assert!(
            matches!(status, ScheduleStatus::NotLive { why: NotLiveReason::Sun, next: Some(_) }),
            "{status:?}"
        );
    }
}

fn edges() -> impl Strategy<Value = Edge> {
    let suns = prop::sample::select(vec![Sun::Dawn, Sun::Sunrise, Sun::Sunset, Sun::Dusk]);
    prop_oneof![
        (0..24i8, prop::sample::select(vec![0i8, 15, 30, 59]))
            .prop_map(|(h, m)| Edge::Clock(time(h, m, 0, 0))),
        Just(Edge::Clock(Time::MIN)),
        (suns, -360..=360i16).prop_map(|(sun, minutes)| Edge::Sun(sun, minutes)),
    ]
}

fn shifts() -> impl Strategy<Value = Shift> {
    let days = prop::sample::subsequence(ALL.to_vec(), 1..=7);
    let month_day = || prop_oneof![(1..=12i8, 1..=28i8), Just((2i8, 29i8))];
    let dates = prop_oneof![
        3 => Just(None),
        1 => (month_day(), month_day()).prop_map(|(first, last)| Some(Dates::EveryYear(first, last))),
    ];
    let holidays =
        prop_oneof![3 => Just(None), 1 => Just(Some(OnHolidays::Only)), 1 => Just(Some(OnHolidays::Never))];
    (days, edges(), edges(), dates, holidays).prop_map(|(days, from, to, dates, holidays)| Shift {
        days,
        from,
        to,
        dates,
        holidays,
    })
}

fn places() -> impl Strategy<Value = Calendar> {
    prop::sample::select(vec![
        ("Europe/Amsterdam", 52.1, 4.26),
        ("Europe/Oslo", 69.65, 18.96),
        ("Arctic/Longyearbyen", 78.22, 15.63),
        // A clock change of half an hour, a skipped date, the time zone farthest from solar time, and both poles.
        ("Australia/Lord_Howe", -31.55, 159.08),
        ("Pacific/Apia", -13.83, -171.77),
        ("Asia/Kashgar", 39.47, 75.99),
        ("Asia/Shanghai", 39.47, 75.99),
        ("Antarctica/McMurdo", -90.0, 0.0),
        ("Arctic/Longyearbyen", 90.0, 180.0),
    ])
    .prop_map(|(zone, latitude, longitude)| Calendar {
        holidays: (1..28i8).map(|day| (Date::constant(2026, 12, day), String::new())).collect(),
        ..in_zone(zone, Some(GeoPosition { latitude, longitude }))
    })
}

/// Near changes of the clock, the skipped date and new year, and anywhere else.
fn moments() -> impl Strategy<Value = Timestamp> {
    let anywhere = 1_200_000_000..2_100_000_000i64;
    let near = prop::sample::select(vec![1_325_240_000i64, 1_774_746_000, 1_792_890_000, 1_798_758_000]);
    let near = (near, -200_000..200_000i64).prop_map(|(night, off)| night + off);
    prop_oneof![anywhere, near].prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_changes_no_status(
        site in places(),
        only in prop::collection::vec(shifts(), 0..4),
        never in prop::collection::vec(shifts(), 0..3),
        start in moments(),
        steps in prop::collection::vec(-50_000..200_000i64, 1..12),
    ) {
        let written = Shifts { only, never };
        let cached = Schedule::new(written.clone(), &site);
        let mut at = start;
        for step in steps {
            at += SignedDuration::from_secs(step);
            let fresh = Schedule::new(written.clone(), &site).status(at);
            prop_assert_eq!(cached.status(at), fresh, "{} at {}", written, at);
        }
    }

    #[test]
    fn until_is_the_next_change_and_since_the_last(
        site in places(),
        only in prop::collection::vec(shifts(), 1..3),
        never in prop::collection::vec(shifts(), 0..2),
        at in moments(),
        parts in prop::collection::vec(0.0..1.0f64, 40),
    ) {
        let schedule = Schedule::new(Shifts { only, never }, &site);
        // A clone for each call, so that the cache is not used.
        let live = |moment: Timestamp| schedule.clone().live_at(moment);
        let now = live(at);
        let (since, until) = match schedule.status(at) {
            ScheduleStatus::Live { since, until } => {
                prop_assert!(now);
                (since, until)
            }
            ScheduleStatus::NotLive { next, .. } => {
                prop_assert!(!now);
                (None, next)
            }
        };
        let moment = SignedDuration::from_nanos(1);
        if let Some(until) = until {
            prop_assert!(until > at);
            prop_assert!(live(until) != now && live(until - moment) == now, "{} at {until}", schedule.text());
        }
        if let Some(since) = since {
            prop_assert!(since <= at && live(since) && !live(since - moment), "{} at {since}", schedule.text());
        }
        let day = SignedDuration::from_hours(48);
        let (first, last) = (since.unwrap_or(at).max(at - day), until.unwrap_or(at + day).min(at + day));
        for part in parts {
            let between = first + last.duration_since(first).mul_f64(part);
            prop_assert_eq!(live(between.min(last - moment)), now, "{} at {}", schedule.text(), between);
        }
    }
}
