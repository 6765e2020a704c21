//! Keys of rule kinds in the site file. A kind declares its keys with [`rule_kind!`]; `config` reads them by their
//! [`KeySpec`] and hands the values back as [`KeyValues`].

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use crate::geometry::{Norm, Point};
use crate::ids::RuleId;
use crate::rules::place::{Line, Zone};

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A key as the reader of the site file sees it.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// As written in the site file.
    pub name: &'static str,
    /// A value as it would be written, for messages.
    pub example: &'static str,
    /// What it holds.
    pub value: ValueSpec,
    /// What it is where it is left out; `None`: it must be given.
    pub default: Option<DefaultValue>,
    /// It is a time that counts only while the schedule is in force.
    pub counts_in_schedule: bool,
}

/// What a key holds, and within which limits.
#[derive(Clone, Copy, Debug)]
pub enum ValueSpec {
    /// The id of a zone or of a group of zones.
    Zone,
    /// The id of a line.
    Line,
    /// The id of a rule above this one.
    Rule,
    /// Ids of rules above this one.
    Rules,
    /// A point of the picture.
    Point,
    /// A duration, from the least to the most.
    Duration(Duration, Duration),
    /// A number from the least to the most, and what it means.
    Number(f64, f64, &'static str),
    /// A whole number from the least to the most, and what it counts.
    Count(u16, u16, &'static str),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The value of a key that is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A number.
    Number(f64),
    /// A whole number.
    Count(u16),
    /// A word.
    Word(&'static str),
    /// No rules.
    NoRules,
}

/// The value of a key, checked against its [`ValueSpec`].
#[derive(Clone, Debug)]
pub enum Value {
    /// Of [`ValueSpec::Zone`].
    Zone(Zone),
    /// Of [`ValueSpec::Line`].
    Line(Line),
    /// Of [`ValueSpec::Rule`].
    Rule(RuleId),
    /// Of [`ValueSpec::Rules`].
    Rules(Vec<RuleId>),
    /// Of [`ValueSpec::Point`].
    Point(Point<Norm>),
    /// Of [`ValueSpec::Duration`].
    Duration(Duration),
    /// Of [`ValueSpec::Number`].
    Number(f64),
    /// Of [`ValueSpec::Count`].
    Count(u16),
    /// Of [`ValueSpec::Word`].
    Word(&'static str),
}

/// The values of a rule's keys, by name.
pub type KeyValues = BTreeMap<&'static str, Value>;

/// A key whose value is a `T` for the kind that declares it.
#[derive(Clone, Copy)]
pub(super) struct Key<T> {
    pub(super) spec: KeySpec,
    extract: fn(&Value) -> Option<T>,
}

impl From<DefaultValue> for Value {
    fn from(default: DefaultValue) -> Self {
        match default {
            DefaultValue::Number(number) => Self::Number(number),
            DefaultValue::Count(count) => Self::Count(count),
            DefaultValue::Word(word) => Self::Word(word),
            DefaultValue::NoRules => Self::Rules(Vec::new()),
        }
    }
}

/// `fn(&Value) -> Option<T>` for one variant of [`Value`].
macro_rules! extract {
    ($Variant:ident) => {
        |value| if let Value::$Variant(value) = value { Some(Clone::clone(value)) } else { None }
    };
}

impl<T> Key<T> {
    const fn new(
        name: &'static str,
        example: &'static str,
        value: ValueSpec,
        extract: fn(&Value) -> Option<T>,
    ) -> Self {
        Self { spec: KeySpec { name, example, value, default: None, counts_in_schedule: false }, extract }
    }

    /// The key may be left out, and is `default` then.
    pub(super) const fn or(mut self, default: DefaultValue) -> Self {
        self.spec.default = Some(default);
        self
    }

    /// The key's value among those of a rule; `None` where it is missing.
    pub(super) fn value(&self, values: &KeyValues) -> Option<T> {
        match values.get(self.spec.name) {
            Some(value) => (self.extract)(value),
            None => (self.extract)(&self.spec.default?.into()),
        }
    }
}

impl Key<RuleId> {
    pub(super) const fn rule(name: &'static str, example: &'static str) -> Self {
        Self::new(name, example, ValueSpec::Rule, extract!(Rule))
    }
}

impl Key<Vec<RuleId>> {
    pub(super) const fn rules(name: &'static str, example: &'static str) -> Self {
        Self::new(name, example, ValueSpec::Rules, extract!(Rules))
    }
}

impl Key<Point<Norm>> {
    pub(super) const fn point(name: &'static str, example: &'static str) -> Self {
        Self::new(name, example, ValueSpec::Point, extract!(Point))
    }
}

impl Key<Duration> {
    /// From a second to a year.
    pub(super) const fn duration(name: &'static str, example: &'static str) -> Self {
        Self::new(name, example, ValueSpec::Duration(SECOND, YEAR), extract!(Duration))
    }

    /// Time outside of the schedule counts, too.
    pub(super) const fn counts_always(mut self) -> Self {
        self.spec.counts_in_schedule = false;
        self
    }
}

impl Key<f64> {
    pub(super) const fn number(
        name: &'static str,
        example: &'static str,
        (least, most): (f64, f64),
        meaning: &'static str,
    ) -> Self {
        Self::new(name, example, ValueSpec::Number(least, most, meaning), extract!(Number))
    }
}

impl Key<u32> {
    pub(super) const fn count(
        name: &'static str,
        example: &'static str,
        (least, most): (u16, u16),
        meaning: &'static str,
    ) -> Self {
        let extract: fn(&Value) -> Option<u32> =
            |value| if let Value::Count(count) = value { Some((*count).into()) } else { None };
        Self::new(name, example, ValueSpec::Count(least, most, meaning), extract)
    }
}

impl<T: FromStr> Key<T> {
    /// One of `words`, each of which `T` reads.
    pub(super) const fn word(
        name: &'static str,
        example: &'static str,
        words: &'static [&'static str],
    ) -> Self {
        let extract: fn(&Value) -> Option<T> =
            |value| if let Value::Word(word) = value { word.parse().ok() } else { None };
        Self::new(name, example, ValueSpec::Word(words), extract)
    }
}

// Keys of several kinds.

pub(super) const ZONE: Key<Zone> = Key::new("zone", "\"inner-basin\"", ValueSpec::Zone, extract!(Zone));
pub(super) const LINE: Key<Line> = Key::new("line", "\"harbour-mouth\"", ValueSpec::Line, extract!(Line));
pub(super) const LONGER_THAN: Key<Duration> = {
    let mut key = Key::duration("longer_than", "\"5m\"");
    key.spec.counts_in_schedule = true;
    key
};
pub(super) const WITHIN: Key<Duration> = Key::duration("within", "\"10m\"");
pub(super) const LIMIT_KNOTS: Key<f64> =
    Key::number("limit_knots", "6", (0.1, 60.0), "the limit in knots (1 knot is 1.85 km/h)");

/// Declares a rule kind's struct: each field is a key of the site file, read by the [`Key`] behind `=`.
macro_rules! rule_kind {
    (
        $(#[$meta:meta])*
        pub struct $Kind:ident { $($(#[$field_meta:meta])* $field:ident: $Type:ty = $key:expr,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $Kind { $($(#[$field_meta])* pub $field: $Type,)* }

        impl $Kind {
            /// Its keys in the site file.
            pub(super) const KEYS: &'static [$crate::rules::kinds::key::KeySpec] = &[$($key.spec),*];

            /// The kind with the values of its keys; `None` where one is missing.
            pub(super) fn from_values(values: &$crate::rules::kinds::key::KeyValues) -> Option<Self> {
                Some(Self { $($field: $key.value(values)?,)* })
            }
        }
    };
}
pub(super) use rule_kind;
