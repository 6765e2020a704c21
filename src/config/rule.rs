//! `[[rule]]`.

use std::time::Duration;

use super::names;
use super::reader::{Item, Table};
use super::reading::{At, Place};
use super::shifts::RuleSchedule;
use super::site::{Direction, Severity};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a rule watches for, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Presence,
    Entry,
    Crossing,
    Dwell,
}

const KINDS: [(&str, Kind); 4] = [
    ("presence", Kind::Presence),
    ("entry", Kind::Entry),
    ("crossing", Kind::Crossing),
    ("dwell", Kind::Dwell),
];

impl Kind {
    pub(super) fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A rule as far as it could be read; its references are not resolved yet.
pub(super) struct RuleDraft {
    pub(super) place: Place,
    pub(super) id: Option<At<String>>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    /// Its zone, or its line where it is a crossing.
    pub(super) target: Option<At<String>>,
    pub(super) direction: Direction,
    pub(super) dead_band: f64,
    pub(super) longer_than: Option<At<Duration>>,
    pub(super) schedule: RuleSchedule,
    pub(super) severity: Severity,
    pub(super) confirm: At<Duration>,
    pub(super) clear: Duration,
    pub(super) cooldown: Duration,
}

impl RuleDraft {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let id = table.required("id", "\"night-passage\"", names::identifier);
        let kind = table.required("kind", "\"presence\" (or \"entry\", \"crossing\", \"dwell\")", |item| {
            item.choice(&KINDS)
        });
        let text = |item: &Item<'_>| item.text().map(|text| item.at(text.to_owned()));
        let (zone, line) = (table.optional("zone", text), table.optional("line", text));
        let directions = [
            ("left-to-right", Direction::LeftToRight),
            ("right-to-left", Direction::RightToLeft),
            ("either", Direction::Either),
        ];
        let direction = table.optional("direction", |item| item.choice(&directions));
        let dead_band = table.optional("dead_band", |item| {
            item.number(0.0..=0.25, "a fraction of the picture either side of the line")
        });
        let longer_than =
            table.optional("longer_than", |item| item.duration(SECOND..=DAY * 365).map(|d| item.at(d)));
        let severities =
            [("info", Severity::Info), ("warning", Severity::Warning), ("alert", Severity::Alert)];
        let confirm =
            table.optional("confirm", |item| item.duration(Duration::ZERO..=DAY).map(|d| item.at(d)));
        let severity = table.optional("severity", |item| item.choice(&severities));
        let clear = table.optional("clear", |item| item.duration(Duration::ZERO..=DAY));
        let cooldown = table.optional("cooldown", |item| item.duration(Duration::ZERO..=DAY * 7));
        if let Some(kind) = kind {
            fits(table, kind);
        }
        Self {
            place: table.place.clone(),
            name: names::name_or(table, id.as_ref()),
            id,
            kind,
            target: if kind == Some(Kind::Crossing) { line } else { zone },
            direction: direction.unwrap_or(Direction::Either),
            dead_band: dead_band.unwrap_or(0.01),
            longer_than,
            schedule: RuleSchedule::read(table),
            severity: severity.unwrap_or(Severity::Alert),
            confirm: confirm.unwrap_or(At { value: SECOND, place: table.place.clone() }),
            clear: clear.unwrap_or(SECOND * 5),
            cooldown: cooldown.unwrap_or(SECOND * 60),
        }
    }
}

/// The keys that a kind needs are there, and those of other kinds are not.
fn fits(table: &Table<'_>, kind: Kind) {
    let word = kind.word();
    let crossing = kind == Kind::Crossing;
    let (needs, example) = if crossing { ("line", "\"harbour-mouth\"") } else { ("zone", "\"inner-basin\"") };
    let missing = |key: &str, example: &str| {
        let place = table.place.child(key, table.place.span.clone());
        table.reading.error(
            &place,
            format!("is missing: a {word} needs it"),
            format!("add {key} = {example}"),
        );
    };
    if table.get(needs).is_none() {
        missing(needs, example);
    }
    if kind == Kind::Dwell && table.get("longer_than").is_none() {
        missing("longer_than", "\"5m\"");
    }
    let owners = [
        ("longer_than", "dwell", kind == Kind::Dwell),
        ("direction", "crossing", crossing),
        ("dead_band", "crossing", crossing),
        ("line", "crossing", crossing),
        ("zone", "presence, entry or dwell", !crossing),
    ];
    for (key, owner, fits) in owners {
        if let Some(item) = table.get(key).filter(|_| !fits) {
            item.error(
                format!("has no meaning for a {word}"),
                format!("leave it out, or make the rule kind {owner}"),
            );
        }
    }
}
