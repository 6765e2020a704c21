//! `[[rule]]`.

use std::time::Duration;

use super::collector::{Located, Location};
use super::condition::Direction;
use super::identifier;
use super::reader::{TableReader, ValueReader};
use super::shifts::RuleSchedule;
use super::site::Severity;
use super::{shapes, suggest};
use crate::geometry::{Norm, Point};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a rule watches for, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Presence,
    Entry,
    Crossing,
    WrongWay,
    Dwell,
    Loitering,
    Speeding,
    Stop,
    Departure,
    Overstay,
    Unexpected,
    Rendezvous,
    Crowd,
    Absent,
    Inactivity,
    Repeat,
    Approach,
    All,
    Then,
}

/// A kind's word, the keys that it needs, and those that it may have besides what every rule may.
const KINDS: [(&str, Kind, &[&str], &[&str]); 19] = [
    ("presence", Kind::Presence, &["zone"], &[]),
    ("entry", Kind::Entry, &["zone"], &[]),
    ("crossing", Kind::Crossing, &["line"], &["direction", "dead_band"]),
    ("wrong-way", Kind::WrongWay, &["zone", "from", "to"], &["lengths"]),
    ("dwell", Kind::Dwell, &["zone", "longer_than"], &[]),
    ("loitering", Kind::Loitering, &["zone", "radius_m", "longer_than"], &[]),
    ("speeding", Kind::Speeding, &["zone", "limit_knots"], &["margin_knots", "estimates"]),
    ("stop", Kind::Stop, &["zone", "longer_than"], &[]),
    ("departure", Kind::Departure, &["zone"], &[]),
    ("overstay", Kind::Overstay, &["zone", "longer_than"], &[]),
    ("unexpected", Kind::Unexpected, &["zone"], &[]),
    ("rendezvous", Kind::Rendezvous, &["zone", "closer_than_m", "longer_than"], &["slower_than_knots"]),
    ("crowd", Kind::Crowd, &["zone", "more_than"], &[]),
    ("absent", Kind::Absent, &["zone", "longer_than"], &[]),
    ("inactivity", Kind::Inactivity, &["zone", "longer_than"], &[]),
    ("repeat", Kind::Repeat, &["zone", "times", "within"], &[]),
    ("approach", Kind::Approach, &["line", "limit_knots", "within_m"], &[]),
    ("all", Kind::All, &["of"], &["unless"]),
    ("then", Kind::Then, &["first", "second", "within"], &[]),
];

/// Every key of some kinds, with an example of its value.
const KEYS: [(&str, &str); 21] = [
    ("zone", "\"inner-basin\""),
    ("line", "\"harbour-mouth\""),
    ("direction", "\"left-to-right\""),
    ("dead_band", "0.01"),
    ("from", "[0.2, 0.6]"),
    ("to", "[0.8, 0.6]"),
    ("lengths", "1.0"),
    ("longer_than", "\"5m\""),
    ("radius_m", "50"),
    ("limit_knots", "6"),
    ("margin_knots", "1"),
    ("estimates", "3"),
    ("closer_than_m", "20"),
    ("slower_than_knots", "2"),
    ("more_than", "5"),
    ("times", "3"),
    ("within", "\"10m\""),
    ("within_m", "200"),
    ("of", "[\"night-passage\", \"speeding\"]"),
    ("unless", "[\"patrol\"]"),
    ("first", "\"at-the-fuel-quay\""),
];

impl Kind {
    pub(super) fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind, ..)| *kind == self).map_or("", |(word, ..)| word)
    }

    /// The key that names its place, and the word for such a place; `None` for compositions.
    pub(super) fn place(self) -> Option<&'static str> {
        match self {
            Self::Crossing | Self::Approach => Some("line"),
            Self::All | Self::Then => None,
            _ => Some("zone"),
        }
    }

    /// Whether it is about single vessels, with a size and a confidence of their own.
    fn means_vessels(self) -> bool {
        !matches!(self, Self::Crowd | Self::Absent | Self::Inactivity)
    }

    /// Whether it is a moment: nothing has to last.
    fn is_moment(self) -> bool {
        matches!(self, Self::Crossing | Self::Departure | Self::Repeat | Self::Then)
    }

    /// Whether it measures on the ground.
    pub(super) fn needs_metres(self) -> bool {
        matches!(
            self,
            Self::Loitering | Self::Speeding | Self::Unexpected | Self::Rendezvous | Self::Approach
        )
    }

    /// Whether its zone must be a berth.
    pub(super) fn needs_berth(self) -> bool {
        matches!(self, Self::Departure | Self::Overstay | Self::Unexpected | Self::Absent | Self::Repeat)
    }
}

/// A rule as far as it could be read; its references are not resolved yet.
pub(super) struct RuleDraft {
    pub(super) place: Location,
    pub(super) id: Option<Located<String>>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    /// Its zone or line, whichever its kind has.
    pub(super) target: Option<Located<String>>,
    /// The rules that it is made of: those that must hold, in order, and those that must not.
    pub(super) parts: Vec<Located<String>>,
    pub(super) unless: Vec<Located<String>>,
    pub(super) measures: Measures,
    pub(super) schedule: RuleSchedule,
    pub(super) severity: Severity,
    pub(super) raises: bool,
    pub(super) confirm: Located<Duration>,
    pub(super) clear: Duration,
    pub(super) cooldown: Duration,
    pub(super) escalate_after: Option<Duration>,
    pub(super) min_confidence: f64,
    pub(super) length_m: Option<Located<[f64; 2]>>,
    pub(super) owner: Option<String>,
    pub(super) review_by: Option<jiff::civil::Date>,
}

/// What kinds hold their measurements against.
#[derive(PartialEq)]
pub(super) struct Measures {
    pub(super) direction: Direction,
    pub(super) dead_band: f64,
    pub(super) flow: Option<(Point<Norm>, Point<Norm>)>,
    pub(super) lengths: f64,
    pub(super) longer_than: Option<Located<Duration>>,
    pub(super) radius_m: Option<f64>,
    pub(super) limit_knots: Option<f64>,
    pub(super) margin_knots: f64,
    pub(super) estimates: u16,
    pub(super) closer_than_m: Option<f64>,
    pub(super) slower_than_knots: f64,
    pub(super) more_than: Option<u16>,
    pub(super) times: Option<u16>,
    pub(super) within: Option<Duration>,
    pub(super) within_m: Option<f64>,
}

impl Measures {
    fn read(table: &TableReader<'_>) -> Self {
        let number = |key, range, meaning: &str| table.optional(key, |item| item.number(range, meaning));
        let count = |key, range, meaning: &str| table.optional(key, |item| item.whole(range, meaning));
        let directions = [
            ("left-to-right", Direction::LeftToRight),
            ("right-to-left", Direction::RightToLeft),
            ("either", Direction::Either),
        ];
        let direction = table.optional("direction", |item| item.choice(&directions));
        let (from, to) = (table.optional("from", shapes::point), table.optional("to", shapes::point));
        Self {
            direction: direction.unwrap_or(Direction::Either),
            dead_band: number("dead_band", 0.0..=0.25, "a fraction of the picture either side of the line")
                .unwrap_or(0.01),
            flow: from.zip(to),
            lengths: number(
                "lengths",
                0.1..=100.0,
                "how many of its own lengths a vessel goes the wrong way",
            )
            .unwrap_or(1.0),
            longer_than: table.optional("longer_than", |item| {
                item.duration(SECOND..=DAY * 365).map(|duration| item.at(duration))
            }),
            radius_m: number("radius_m", 1.0..=10_000.0, "the circle's radius in metres"),
            limit_knots: number("limit_knots", 0.1..=60.0, "the limit in knots (1 knot is 1.85 km/h)"),
            margin_knots: number("margin_knots", 0.0..=20.0, "knots above the limit that are let pass")
                .unwrap_or(0.5),
            estimates: count("estimates", 2..=20, "estimates in a row, at least a second apart").unwrap_or(3),
            closer_than_m: number(
                "closer_than_m",
                1.0..=1000.0,
                "the distance between two vessels in metres",
            ),
            slower_than_knots: number("slower_than_knots", 0.1..=60.0, "the speed of both in knots")
                .unwrap_or(2.0),
            more_than: count("more_than", 0..=1000, "how many vessels may be there"),
            times: count("times", 2..=1000, "arrivals"),
            within: table.optional("within", |item| item.duration(SECOND..=DAY * 365)),
            within_m: number("within_m", 1.0..=10_000.0, "the distance from the line in metres"),
        }
    }
}

impl RuleDraft {
    pub(super) fn read(table: &TableReader<'_>) -> Self {
        let id = table.required("id", "\"night-passage\"", identifier::identifier);
        let kinds = KINDS.map(|(word, kind, ..)| (word, kind));
        let kind = table.required("kind", "\"presence\" (config/rules.md tells of every kind)", |item| {
            item.choice(&kinds)
        });
        let text = |item: &ValueReader<'_>| item.text().map(|text| item.at(text.to_owned()));
        let texts =
            |item: &ValueReader<'_>| item.list().map(|all| all.iter().filter_map(text).collect::<Vec<_>>());
        let (zone, line) = (table.optional("zone", text), table.optional("line", text));
        let of = table.optional("of", texts).unwrap_or_default();
        let unless = table.optional("unless", texts).unwrap_or_default();
        let (first, second) = (table.optional("first", text), table.optional("second", text));
        let measures = Measures::read(table);
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
            name: identifier::name_or(table, id.as_ref()),
            id,
            kind,
            target: if kind.and_then(Kind::place) == Some("line") { line } else { zone },
            parts: if kind == Some(Kind::Then) { first.into_iter().chain(second).collect() } else { of },
            unless,
            measures,
            schedule: RuleSchedule::read(table),
            severity: severity.unwrap_or(Severity::Alert),
            raises: table.optional("raises", ValueReader::boolean).unwrap_or(true),
            confirm: confirm.unwrap_or(Located { value: SECOND, place: table.place.clone() }),
            clear: clear.unwrap_or(SECOND * 5),
            cooldown: cooldown.unwrap_or(SECOND * 60),
            escalate_after: table.optional("escalate_after", |item| item.duration(SECOND * 10..=DAY * 7)),
            min_confidence: table
                .optional("min_confidence", |item| item.number(0.0..=1.0, "how sure the detector must be"))
                .unwrap_or(0.0),
            length_m: table
                .optional("length_m", |item| shapes::span(item, "metres").map(|span| item.at(span))),
            owner: table.optional("owner", |item| item.text().map(str::to_owned)),
            review_by: table.optional("review_by", ValueReader::date),
        }
    }
}

/// The keys that a kind needs are there, and those of other kinds are not.
fn fits(table: &TableReader<'_>, kind: Kind) {
    let Some((word, _, needs, may)) = KINDS.iter().find(|(_, known, ..)| *known == kind) else { return };
    for key in *needs {
        if table.get(key).is_none() {
            let place = table.place.child(key, table.place.span.clone());
            let example =
                KEYS.iter().find(|(known, _)| known == key).map_or("\"departed\"", |(_, value)| value);
            table.collector.error(
                &place,
                format!("is missing: a {word} rule needs it"),
                format!("add {key} = {example}"),
            );
        }
    }
    let idle = [
        ("length_m", kind.means_vessels()),
        ("min_confidence", kind.means_vessels()),
        ("confirm", !kind.is_moment()),
    ];
    for (key, _) in idle.into_iter().filter(|(_, has_meaning)| !has_meaning) {
        if let Some(item) = table.get(key) {
            item.warning(format!("has no meaning for a {word} rule"), "leave it out");
        }
    }
    for (key, _) in KEYS.into_iter().chain([("second", "")]) {
        let Some(item) = table.get(key).filter(|_| !needs.contains(&key) && !may.contains(&key)) else {
            continue;
        };
        let has = |needs: &[&str], may: &[&str]| needs.contains(&key) || may.contains(&key);
        let owners: Vec<_> =
            KINDS.iter().filter(|(_, _, needs, may)| has(needs, may)).map(|(word, ..)| *word).collect();
        item.error(
            format!("has no meaning for a {word} rule"),
            format!("leave it out, or make the rule kind {}", suggest::or(&owners)),
        );
    }
}
