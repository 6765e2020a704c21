//! `[[schedule]]`, and the shifts of a rule's `schedule` and `never`.

use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use strum::VariantArray;
use toml::de::DeValue;

use super::collector::{Located, Location};
use super::reader::{TableReader, ValueReader, short};
use super::{identifier, suggest, units};
use crate::rules::{Dates, Edge, OnHolidays, Shift, Shifts, Sun};

/// The largest offset from a time of the sun.
const LARGEST_SUN_OFFSET: Duration = Duration::from_secs(6 * 3600);

/// The shifts of a schedule: those in which a rule is live, and those in which it is never.
#[derive(Clone, Debug, Default)]
pub(super) struct ShiftsDraft {
    pub(super) only: Vec<Located<Shift>>,
    pub(super) never: Vec<Located<Shift>>,
}

/// A schedule that rules name by its id.
pub(super) struct NamedSchedule {
    pub(super) place: Location,
    pub(super) id: Option<Located<String>>,
    /// `None` where it could not be read.
    pub(super) shifts: Option<ShiftsDraft>,
}

/// The schedule of a rule.
pub(super) struct RuleSchedule {
    /// The schedule it names.
    pub(super) named: Option<Located<String>>,
    /// Its own shifts; `None` where they could not be read.
    pub(super) shifts: Option<ShiftsDraft>,
}

impl ShiftsDraft {
    pub(super) fn and(mut self, mut more: Self) -> Self {
        self.only.append(&mut more.only);
        self.never.append(&mut more.never);
        self
    }

    pub(super) fn shifts(&self) -> Shifts {
        let values = |shifts: &[Located<Shift>]| shifts.iter().map(|shift| shift.value.clone()).collect();
        Shifts { only: values(&self.only), never: values(&self.never) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.only.is_empty() && self.never.is_empty()
    }
}

impl NamedSchedule {
    pub(super) fn read(table: &TableReader<'_>) -> Self {
        let id = table.required("id", "\"night\"", identifier::identifier);
        let (only, never) = (shifts(table, "only"), shifts(table, "never"));
        if table.get("only").is_none() && table.get("never").is_none() {
            let help = "add only = [{ from = \"21:30\", to = \"05:30\" }], or never = [...]";
            table.collector.error(&table.place, "is empty: it has neither only nor never", help);
        }
        let shifts = only.zip(never).map(|(only, never)| ShiftsDraft { only, never });
        Self { place: table.place.clone(), id, shifts }
    }
}

impl RuleSchedule {
    pub(super) fn read(table: &TableReader<'_>) -> Self {
        let never = shifts(table, "never");
        let item = table.get("schedule");
        let name = item.as_ref().filter(|item| matches!(item.value, DeValue::String(_)));
        let (named, only) = match name {
            Some(name) => (name.text().map(|id| name.at(id.to_owned())), Some(Vec::new())),
            None => (None, shifts(table, "schedule")),
        };
        // Where the name could not be read, the schedule is unknown.
        let only = only.filter(|_| name.is_none() || named.is_some());
        Self { named, shifts: only.zip(never).map(|(only, never)| ShiftsDraft { only, never }) }
    }
}

/// The shifts under `key`: none where it is absent, `None` where they could not be read.
fn shifts(table: &TableReader<'_>, key: &'static str) -> Option<Vec<Located<Shift>>> {
    let Some(item) = table.get(key) else { return Some(Vec::new()) };
    let items = match item.value {
        // One shift without a list around it: noted, and read anyway.
        DeValue::Table(_) => {
            let help = format!("put [ ] around it: {key} = [{{ days = ... }}]");
            item.error("should be a list of shifts", help);
            vec![item.clone()]
        }
        _ => item.list()?,
    };
    if items.is_empty() {
        let help = match key {
            "never" => "leave never out for a rule that has no exceptions".to_owned(),
            key => format!("leave {key} out for a rule that is always live"),
        };
        item.error("is an empty list", help);
        return None;
    }
    let read: Vec<_> = items.iter().map(shift).collect();
    read.into_iter().collect()
}

fn shift(item: &ValueReader<'_>) -> Option<Located<Shift>> {
    let table = item.table("shift")?;
    let keys = ["days", "from", "to", "dates", "holidays"];
    if keys.iter().all(|key| table.get(key).is_none()) {
        item.error(
            "is empty",
            "give from and to, days, dates or holidays: { from = \"21:30\", to = \"05:30\" }",
        );
        return None;
    }
    // A missing key has its default; a wrong one has been noted.
    let or =
        |key, read: Option<Edge>| if table.get(key).is_none() { Some(Edge::Clock(Time::MIN)) } else { read };
    let days = match table.get("days") {
        None => Some(Weekday::Monday.cycle_forward().take(7).collect()),
        Some(item) => days(&item),
    };
    let from = or("from", table.optional("from", edge));
    let to = or("to", table.optional("to", edge));
    let dates = table.optional("dates", dates);
    let holidays = table.optional("holidays", |item| {
        item.choice(&[("only", OnHolidays::Only), ("never", OnHolidays::Never)])
    });
    let unread = dates.is_none() && table.get("dates").is_some()
        || holidays.is_none() && table.get("holidays").is_some();
    let shift = Shift { days: days?, from: from?, to: to?, dates, holidays };
    if let Some(to) = table.get("to").filter(|_| has_no_length(&shift) && table.get("from").is_some()) {
        to.error(
            "is not after the beginning of the shift, which has no length",
            "for whole days leave from and to out",
        );
        return None;
    }
    (!unread).then(|| item.at(shift))
}

fn has_no_length(shift: &Shift) -> bool {
    match (shift.from, shift.to) {
        (Edge::Clock(from), Edge::Clock(to)) => from == to,
        (Edge::Sun(from, later), Edge::Sun(to, later_still)) => from == to && later_still <= later,
        _ => false,
    }
}

/// A time of day or of the sun: "21:30", "sunset", "sunset+30m", "sunrise-1h".
fn edge(item: &ValueReader<'_>) -> Option<Edge> {
    const HELP: &str = "\"dawn\", \"sunrise\", \"sunset\" or \"dusk\", with up to 6 hours more or less: \"sunset+30m\", \"sunrise-1h\"";
    let text = match item.value {
        DeValue::String(text) if text.starts_with(|c: char| c.is_alphabetic()) => text,
        _ => return item.time_of_day().map(Edge::Clock),
    };
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (word, offset) = text.split_at(end);
    let Some(sun) = Sun::VARIANTS.iter().copied().find(|sun| sun.word() == word) else {
        let near = suggest::nearest(word, Sun::VARIANTS.iter().map(|sun| sun.word()))
            .map(|near| format!("did you mean \"{near}\"? "));
        let help = format!(
            "{}a time of day such as \"21:30\", or a time of the sun: {HELP}",
            near.unwrap_or_default()
        );
        item.error(format!("\"{}\" is not a time of day", short(text)), help);
        return None;
    };
    if offset.is_empty() {
        return Some(Edge::Sun(sun, 0));
    }
    let (sign, length) = offset.split_at(offset.chars().next().map_or(0, char::len_utf8));
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => 0,
    };
    let length = units::duration(length).filter(|length| *length <= LARGEST_SUN_OFFSET);
    match length {
        Some(length) if sign != 0 && length.as_secs() % 60 == 0 => {
            Some(Edge::Sun(sun, sign * (length.as_secs() / 60) as i16))
        }
        _ => {
            item.error(format!("\"{}\" is not an offset from {word}", short(text)), HELP);
            None
        }
    }
}

fn days(item: &ValueReader<'_>) -> Option<Vec<Weekday>> {
    const HELP: &str = "a list of days: [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    if matches!(item.value, DeValue::String(_)) {
        item.mistyped("a list of days", HELP);
        return None;
    }
    let items = item.list()?;
    if items.is_empty() {
        item.error("has no day: the rule would never be live", HELP);
        return None;
    }
    let mut days = Vec::new();
    for day in &items {
        let read = day.weekday();
        if read.is_some_and(|d| days.contains(&Some(d))) {
            day.warning("is given twice", "once is enough");
        } else {
            days.push(read);
        }
    }
    days.into_iter().collect()
}

/// A date, every year or in one year.
#[derive(Clone, Copy)]
enum Day {
    Yearly((i8, i8)),
    Once(Date),
}

/// One date, or the first and the last of several.
fn dates(item: &ValueReader<'_>) -> Option<Dates> {
    const HELP: &str =
        "the first and the last day, or one alone: [\"04-01\", \"09-30\"] every year, [\"2026-12-24\"] once";
    let items = match item.value {
        DeValue::Array(_) => item.list()?,
        _ => {
            item.mistyped("a list of one or two dates", HELP);
            return None;
        }
    };
    if !(1..=2).contains(&items.len()) {
        item.error(format!("has {} dates", items.len()), HELP);
        return None;
    }
    let read: Vec<_> = items.iter().map(date).collect();
    let read: Vec<Day> = read.into_iter().collect::<Option<_>>()?;
    match (read[0], read[read.len() - 1]) {
        (Day::Yearly(first), Day::Yearly(last)) => Some(Dates::EveryYear(first, last)),
        (Day::Once(first), Day::Once(last)) if first <= last => Some(Dates::Once(first, last)),
        (Day::Once(first), Day::Once(last)) => {
            item.error(format!("ends on {last}, before it begins on {first}"), HELP);
            None
        }
        _ => {
            item.error("has a year in one date but not in the other", HELP);
            None
        }
    }
}

fn date(item: &ValueReader<'_>) -> Option<Day> {
    const HELP: &str = "month and day \"04-01\", or year, month and day \"2026-12-24\"";
    if let DeValue::Datetime(unquoted) = item.value {
        item.error(format!("{unquoted} is not in quotes"), HELP);
        return None;
    }
    let text = item.text()?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i8>().ok()).flatten();
    let yearly = text.split_once('-').and_then(|(month, day)| Some((two(month)?, two(day)?)));
    // A leap year has every date.
    let yearly = yearly.filter(|(month, day)| Date::new(2024, *month, *day).is_ok()).map(Day::Yearly);
    let once = || text.parse::<Date>().ok().filter(|_| text.len() == 10).map(Day::Once);
    let day = yearly.or_else(once);
    if day.is_none() {
        item.error(format!("\"{}\" is not a date", short(text)), HELP);
    }
    day
}
