//! `[[rule]]`.

use std::time::Duration;

use super::collector::{Located, Location};
use super::reader::{TableReader, ValueReader};
use super::shifts::RuleSchedule;
use super::{identifier, shapes, suggest};
use crate::rules::{KINDS, KeySpec, KindEntry, Severity, SubjectType, Value, ValueSpec, all_keys};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A rule as far as it could be read. Its references are not resolved yet.
pub(super) struct RuleDraft {
    pub(super) place: Location,
    pub(super) id: Option<Located<String>>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<&'static KindEntry>,
    /// The keys of its kind.
    pub(super) keys: Vec<(KeySpec, KeyDraft)>,
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

/// The value of a kind's key as far as it could be read.
pub(super) enum KeyDraft {
    /// The id of a zone or line.
    Place(Located<String>),
    /// Ids of rules.
    Rules(Vec<Located<String>>),
    /// Any other value.
    Value(Located<Value>),
}

impl KeyDraft {
    fn read(item: &ValueReader<'_>, spec: &KeySpec) -> Option<Self> {
        let text = |item: &ValueReader<'_>| item.text().map(|text| item.at(text.to_owned()));
        let value = match spec.value {
            ValueSpec::Zone | ValueSpec::Line => return text(item).map(Self::Place),
            ValueSpec::Rule => return text(item).map(|id| Self::Rules(vec![id])),
            ValueSpec::Rules => {
                return item.list().map(|ids| Self::Rules(ids.iter().filter_map(text).collect()));
            }
            ValueSpec::Point => Value::Point(shapes::point(item)?),
            ValueSpec::Duration(least, most) => Value::Duration(item.duration(least..=most)?),
            ValueSpec::Number(least, most, meaning) => Value::Number(item.number(least..=most, meaning)?),
            ValueSpec::Count(least, most, meaning) => Value::Count(item.whole(least..=most, meaning)?),
            ValueSpec::Word(words) => {
                let choices: Vec<_> = words.iter().map(|word| (*word, *word)).collect();
                Value::Word(item.choice(&choices)?)
            }
        };
        Some(Self::Value(item.at(value)))
    }

    /// The value as text; equal for equal values.
    fn text(&self) -> String {
        match self {
            Self::Place(id) => id.value.clone(),
            Self::Rules(ids) => ids.iter().map(|id| id.value.as_str()).collect::<Vec<_>>().join(" "),
            Self::Value(value) => format!("{:?}", value.value),
        }
    }
}

impl RuleDraft {
    pub(super) fn read(table: &TableReader<'_>) -> Self {
        let id = table.required("id", "\"night-passage\"", identifier::identifier);
        let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.info.word, kind)).collect();
        let kind = table.required("kind", "\"presence\" (config/rules.md describes every kind)", |item| {
            item.choice(&kinds)
        });
        let severities: Vec<_> = <Severity as strum::VariantArray>::VARIANTS
            .iter()
            .map(|severity| (severity.as_str(), *severity))
            .collect();
        let severity = table.optional("severity", |item| item.choice(&severities));
        let duration = |key, range| table.optional(key, |item| item.duration(range));
        let confirm =
            table.optional("confirm", |item| item.duration(Duration::ZERO..=DAY).map(|d| item.at(d)));
        let keys = kind.map_or_else(all_keys, |kind| kind.keys.to_vec());
        let keys = keys.into_iter().filter_map(|spec| {
            let draft = KeyDraft::read(&table.get(spec.name)?, &spec)?;
            Some((spec, draft))
        });
        let keys = keys.collect();
        if let Some(kind) = kind {
            check_keys(table, kind);
        }
        Self {
            place: table.place.clone(),
            name: identifier::name_or(table, id.as_ref()),
            id,
            kind,
            keys,
            schedule: RuleSchedule::read(table),
            severity: severity.unwrap_or(Severity::Alert),
            raises: table.optional("raises", ValueReader::boolean).unwrap_or(true),
            confirm: confirm.unwrap_or(Located { value: SECOND, place: table.place.clone() }),
            clear: duration("clear", Duration::ZERO..=DAY).unwrap_or(SECOND * 5),
            cooldown: duration("cooldown", Duration::ZERO..=DAY * 7).unwrap_or(SECOND * 60),
            escalate_after: duration("escalate_after", SECOND * 10..=DAY * 7),
            min_confidence: table
                .optional("min_confidence", |item| {
                    item.number(0.0..=1.0, "the least confidence of the detector")
                })
                .unwrap_or(0.0),
            length_m: table
                .optional("length_m", |item| shapes::span(item, "metres").map(|span| item.at(span))),
            owner: table.optional("owner", |item| item.text().map(str::to_owned)),
            review_by: table.optional("review_by", ValueReader::date),
        }
    }

    /// Whether its id is `id`.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|known| known.value == id)
    }

    /// The key that names its zone or line, and the id it names.
    pub(super) fn target(&self) -> Option<(&KeySpec, &Located<String>)> {
        self.keys.iter().find_map(|(spec, key)| match key {
            KeyDraft::Place(id) => Some((spec, id)),
            _ => None,
        })
    }

    /// The rules that it combines.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Located<String>> {
        self.keys.iter().flat_map(|(_, key)| match key {
            KeyDraft::Rules(ids) => ids.as_slice(),
            _ => &[],
        })
    }

    /// The keys of its kind and their values; equal for rules that detect the same.
    pub(super) fn key_values(&self) -> Vec<(&'static str, String)> {
        self.keys.iter().map(|(spec, key)| (spec.name, key.text())).collect()
    }
}

/// The keys that a kind needs are there, and those of other kinds are not.
fn check_keys(table: &TableReader<'_>, kind: &KindEntry) {
    let word = kind.info.word;
    for key in kind.keys.iter().filter(|key| key.default.is_none()) {
        if table.get(key.name).is_none() {
            let place = table.place.child(key.name, table.place.span.clone());
            let what = format!("is missing: a {word} rule needs it");
            table.collector.error(&place, what, format!("add {} = {}", key.name, key.example));
        }
    }
    let has_vessels = kind.info.about == SubjectType::Vessels;
    let without_meaning =
        [("length_m", !has_vessels), ("min_confidence", !has_vessels), ("confirm", kind.info.is_moment)];
    for (key, _) in without_meaning.into_iter().filter(|(_, without_meaning)| *without_meaning) {
        if let Some(item) = table.get(key) {
            item.warning(format!("has no meaning for a {word} rule"), "leave it out");
        }
    }
    let has_key = |kind: &KindEntry, name| kind.keys.iter().any(|key| key.name == name);
    for key in all_keys().into_iter().filter(|key| !has_key(kind, key.name)) {
        let Some(item) = table.get(key.name) else { continue };
        let others = KINDS.iter().filter(|kind| has_key(kind, key.name)).map(|kind| kind.info.word);
        item.error(
            format!("has no meaning for a {word} rule"),
            format!("leave it out, or make the rule kind {}", suggest::or(&others.collect::<Vec<_>>())),
        );
    }
}
