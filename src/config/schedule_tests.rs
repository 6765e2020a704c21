//! Schedules in site files, right and wrong.

use super::tests::{EXAMPLE, check_in, folder, lines};
use super::*;

/// The example with another schedule, a position and a list of holidays.
fn with_schedule(
    schedule: &str,
    site: &str,
    holidays: &str,
) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let old = EXAMPLE.lines().find(|line| line.starts_with("schedule")).unwrap();
    let folder = folder();
    std::fs::write(folder.path().join("config/days.txt"), holidays).unwrap();
    check_in(folder.path(), &EXAMPLE.replace(old, schedule).replace("[model]", &format!("{site}\n[model]")))
}

const SITE: &str = "latitude = 52.1\nlongitude = 4.26\nholidays = \"days.txt\"";
const DAYS: &str = "# by law\n2026-12-25 Christmas Day\n\n2026-04-27\tKing's Day # since 2014\n2026-05-05\n";

#[test]
fn schedules_in_words() {
    for (schedule, words) in [
        (
            "schedule = [{ from = \"sunset+30m\", to = \"sunrise-1.5h\" }]",
            "every day 30 min after sunset to 1 h 30 min before sunrise the next day",
        ),
        ("schedule = [{ days = [\"sat\"], dates = [\"11-01\", \"02-29\"] }]", "sat 1 Nov to 29 Feb"),
        ("schedule = [{ dates = [\"2026-12-24\"], from = \"12:00\" }]", "24 Dec 2026, 12:00 to midnight"),
        ("never = [{ holidays = \"only\" }]", "at any time, but never on holidays"),
        (
            "schedule = \"night\"\nnever = [{ days = [\"mon\"] }]\n[[schedule]]\nid = \"night\"\nonly = [{ from = \"dusk\", to = \"dawn\" }]\nnever = [{ dates = [\"12-31\"] }]\n[[rule]]\nid = \"second\"\nkind = \"entry\"\nzone = \"inner-basin\"",
            "every day dusk to dawn the next day, but never 31 Dec or mon",
        ),
    ] {
        let (site, warnings) =
            with_schedule(schedule, SITE, DAYS).unwrap_or_else(|found| panic!("{}", lines(&found)));
        assert_eq!(warnings, [], "{schedule}");
        assert_eq!(site.rules[0].schedule.to_string(), words);
    }
}

#[test]
fn wrong_schedules_have_helpful_messages() {
    for (schedule, key, words) in [
        (
            "schedule = [{ from = \"sunst\", to = \"05:30\" }]",
            "rule[0].schedule[0].from",
            &["did you mean \"sunset\"?"][..],
        ),
        (
            "schedule = [{ from = \"sunset+30\", to = \"05:30\" }]",
            "rule[0].schedule[0].from",
            &["\"sunset+30m\""],
        ),
        (
            "schedule = [{ from = \"sunset 30m\", to = \"05:30\" }]",
            "rule[0].schedule[0].from",
            &["\"sunset+30m\""],
        ),
        (
            "schedule = [{ from = \"sunset+7h\", to = \"05:30\" }]",
            "rule[0].schedule[0].from",
            &["up to 6 hours"],
        ),
        ("schedule = [{ from = \"dusk+1h\", to = \"dusk+30m\" }]", "rule[0].schedule[0].to", &["no length"]),
        ("schedule = [{}]", "rule[0].schedule[0]", &["is empty"]),
        ("schedule = { from = \"21:30\" }", "rule[0].schedule", &["list of shifts", "[ ]"]),
        ("never = []", "rule[0].never", &["empty list"]),
        ("schedule = [{ dates = [\"02-30\"] }]", "rule[0].schedule[0].dates[0]", &["not a date", "04-01"]),
        ("schedule = [{ dates = \"04-01\" }]", "rule[0].schedule[0].dates", &["a list of one or two dates"]),
        ("schedule = [{ dates = [2026-12-24] }]", "rule[0].schedule[0].dates[0]", &["not in quotes"]),
        (
            "schedule = [{ dates = [\"2026-12-24\", \"01-02\"] }]",
            "rule[0].schedule[0].dates",
            &["has a year in one date"],
        ),
        (
            "schedule = [{ dates = [\"2026-12-24\", \"2026-01-02\"] }]",
            "rule[0].schedule[0].dates",
            &["ends on 2026-01-02"],
        ),
        (
            "schedule = [{ holidays = \"always\" }]",
            "rule[0].schedule[0].holidays",
            &["known are \"only\", \"never\""],
        ),
        (
            "schedule = \"nigth\"\n[[schedule]]\nid = \"night\"\nonly = [{ days = [\"mon\"] }]\n[[rule]]\nid = \"x\"\nkind = \"entry\"\nzone = \"inner-basin\"",
            "rule[0].schedule",
            &["no schedule \"nigth\"", "did you mean \"night\"?"],
        ),
        (
            "[[schedule]]\nid = \"night\"\n[[rule]]\nid = \"x\"\nkind = \"entry\"\nzone = \"inner-basin\"",
            "schedule[0]",
            &["neither only nor never"],
        ),
    ] {
        let found = lines(&with_schedule(schedule, SITE, DAYS).expect_err(schedule));
        assert!(found.contains(&format!("error: {key}: ")), "{schedule}\n{found}");
        assert!(words.iter().all(|words| found.contains(words)), "{schedule}\n{found}");
    }
}

#[test]
fn an_unused_schedule_is_a_warning() {
    let idle = "[[schedule]]\nid = \"night\"\nonly = [{ from = \"21:30\" }]\n[[rule]]\nid = \"x\"\nkind = \"entry\"\nzone = \"inner-basin\"";
    let (_, warnings) = with_schedule(idle, "", "").unwrap_or_else(|found| panic!("{}", lines(&found)));
    assert!(lines(&warnings).contains("schedule[0]: no rule has this schedule"), "{}", lines(&warnings));
}

#[test]
fn a_schedule_needs_position_and_holidays() {
    let dark = "schedule = [{ from = \"sunset\", to = \"sunrise\" }]";
    let feast = "never = [{ holidays = \"only\" }]";
    for (schedule, site, days, words) in [
        (
            dark,
            "",
            "",
            "rule[0].schedule[0]: depends on the sun, but the site has no position\n  help: add latitude",
        ),
        (
            feast,
            "",
            "",
            "rule[0].never[0]: depends on holidays, but the site has no list of them\n  help: add holidays",
        ),
        (
            dark,
            "latitude = 52.1",
            "",
            "site.latitude: has no partner: a position needs latitude and longitude\n  help: add longitude",
        ),
        (dark, "latitude = 152.1\nlongitude = 4", "", "site.latitude: 152.1 is out of range"),
        (feast, "holidays = \"none.txt\"", "", "site.holidays: there is no file"),
        (
            feast,
            "holidays = \"days.txt\"",
            "2026-12-25\n25-12-2026 Christmas\n",
            "days.txt:2: \"25-12-2026\" is not a date",
        ),
    ] {
        let found = lines(&with_schedule(schedule, site, days).expect_err(words));
        assert!(found.contains(words), "no {words:?} in\n{found}");
        assert_eq!(found.matches("error: ").count(), 1, "one error is reported once\n{found}");
    }
    let (_, warnings) = with_schedule(feast, "holidays = \"days.txt\"", "# none yet\n").unwrap();
    assert!(lines(&warnings).contains("has no date"), "{}", lines(&warnings));
}

#[test]
fn holidays_change_the_hash_and_comments_do_not() {
    let hash = |days: &str| with_schedule("never = [{ holidays = \"only\" }]", SITE, days).unwrap().0.hash;
    assert_ne!(hash("2026-12-25\n"), hash("2026-12-26\n"));
    assert_eq!(hash("2026-12-25\n"), hash("# by law\n2026-12-25\n"));
}
