//! Reads sections and values of the parsed file. Reports errors and continues.

use std::ops::RangeInclusive;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::collector::{Collector, Located, Location};
use super::{schema, suggest};

/// A table of the file, read as one section.
#[derive(Clone)]
pub(super) struct TableReader<'a> {
    pub(super) collector: &'a Collector<'a>,
    pub(super) place: Location,
    section: &'static str,
    table: &'a DeTable<'a>,
}

/// A value of the file.
#[derive(Clone)]
pub(super) struct ValueReader<'a> {
    pub(super) collector: &'a Collector<'a>,
    pub(super) place: Location,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> TableReader<'a> {
    /// The file itself.
    pub(super) fn root(collector: &'a Collector<'a>, table: &'a DeTable<'a>) -> Self {
        Self { collector, place: Location::default(), section: "", table }.reject_unknown_keys()
    }

    /// Reports keys that the section does not have.
    fn reject_unknown_keys(self) -> Self {
        let known = schema::keys(self.section);
        for (key, value) in self.table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let place = self.place.child(name, key.span());
            let here = schema::header(self.section);
            if is_password(name) {
                self.collector.error(
                    &place,
                    "a password must not be in the site file: the file is copied and mailed, and its hash is in the logbook",
                    "give its source: password_file = \"/etc/havenwacht/secrets/...\" (a file with nothing else in it, mode 0600) or password_credential = \"...\" (a systemd credential, LoadCredential=)",
                );
                continue;
            }
            let help = match suggest::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => match schema::sections_with(name).as_slice() {
                    [] => format!("known here: {}", known.join(", ")),
                    homes => format!("`{name}` belongs in {}", homes.join(" or ")),
                },
            };
            let what = match (self.section, value.get_ref()) {
                ("", DeValue::Table(_) | DeValue::Array(_)) => "there is no such section".to_owned(),
                ("", _) => "this key is before the first section".to_owned(),
                _ => format!("there is no such key in {here}"),
            };
            self.collector.error(&place, what, help);
        }
        self
    }

    /// Whether the section contains a password, which was reported.
    pub(super) fn holds_password(&self) -> bool {
        self.table.keys().any(|key| is_password(key.get_ref()))
    }

    /// The value of `key`, if it exists.
    pub(super) fn get(&self, key: &'static str) -> Option<ValueReader<'a>> {
        debug_assert!(schema::keys(self.section).contains(&key), "{key} is missing in the schema");
        let (name, value) = self.table.get_key_value(key)?;
        // The location of a section is its header, that of a value the value.
        let span = if value.span().is_empty() { name.span() } else { value.span() };
        Some(ValueReader {
            collector: self.collector,
            place: self.place.child(key, span),
            value: value.get_ref(),
        })
    }

    /// Reads `key`. `None` where it is absent, and where `read` reported an error.
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&ValueReader<'a>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(|item| read(&item))
    }

    /// Reads `key`. Its absence is an error that shows `example`.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&ValueReader<'a>) -> Option<T>,
    ) -> Option<T> {
        let item = self.get(key);
        if item.is_none() {
            let place = self.place.child(key, self.place.span.clone());
            self.collector.error(&place, "is missing", format!("add {key} = {example}"));
        }
        item.and_then(|item| read(&item))
    }

    /// The table `[name]`. Its absence is an error where `required` has an example.
    pub(super) fn section(&self, name: &'static str, required: Option<&str>) -> Option<TableReader<'a>> {
        let Some(item) = self.get(name) else {
            if let Some(example) = required {
                let place = self.place.child(name, self.place.span.clone());
                self.collector.error(&place, format!("the section [{name}] is missing"), example);
            }
            return None;
        };
        match item.value {
            DeValue::Array(list) if matches!(list.first().map(Spanned::get_ref), Some(DeValue::Table(_))) => {
                let help = format!("write [{name}] once, with single brackets");
                self.collector.error(&item.place, "there can be only one", help);
                item.list()?.first()?.table(name)
            }
            _ => item.table(name),
        }
    }

    /// The tables `[[name]]`, in the order of the file.
    pub(super) fn sections(&self, name: &'static str) -> Vec<TableReader<'a>> {
        let Some(item) = self.get(name) else { return Vec::new() };
        if let DeValue::Table(_) = item.value {
            let help = format!("write [[{name}]] with double brackets: there can be several");
            self.collector.error(&item.place, format!("[{name}] is written as a single section"), help);
            return item.table(name).into_iter().collect();
        }
        item.list().unwrap_or_default().iter().filter_map(|item| item.table(name)).collect()
    }
}

fn is_password(key: &str) -> bool {
    let key = key.to_lowercase();
    let near = ["password", "passwd", "passwort", "wachtwoord", "pwd", "secret", "token"];
    let place = ["password_file", "password_credential"];
    (near.iter().any(|word| key.contains(word)) || key == "pass" || key.ends_with("_pass"))
        && place.iter().all(|known| strsim::osa_distance(&key, known) > 3)
}

impl<'a> ValueReader<'a> {
    /// Reports an error at this value.
    pub(super) fn error(&self, what: impl Into<String>, help: impl Into<String>) {
        self.collector.error(&self.place, what, help);
    }

    /// Reports a warning at this value.
    pub(super) fn warning(&self, what: impl Into<String>, help: impl Into<String>) {
        self.collector.warning(&self.place, what, help);
    }

    /// `value` with this item's location.
    pub(super) fn at<T>(&self, value: T) -> Located<T> {
        Located { value, place: self.place.clone() }
    }

    /// Reports that the value has the wrong type.
    pub(super) fn mistyped(&self, wanted: &str, help: impl Into<String>) {
        let found = match self.value {
            DeValue::String(_) => "text in quotes",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time without quotes",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        };
        self.error(format!("should be {wanted}, but is {found}"), help);
    }

    /// Text that is not blank.
    pub(super) fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            self.mistyped("text in quotes", "");
            return None;
        };
        if text.trim().is_empty() {
            self.error("is empty", "");
            return None;
        }
        Some(text.as_ref())
    }

    /// True or false.
    pub(super) fn boolean(&self) -> Option<bool> {
        let DeValue::Boolean(value) = self.value else {
            self.mistyped("true or false", "without quotes");
            return None;
        };
        Some(*value)
    }

    /// Any finite number.
    pub(super) fn any_number(&self) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|i| i as f64)
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => {
                self.mistyped("a number", "without quotes");
                return None;
            }
        };
        let finite = number.filter(|n: &f64| n.is_finite());
        if finite.is_none() {
            self.error("is not a finite number", "");
        }
        finite
    }

    /// A number in `range`; `meaning` says what it counts.
    pub(super) fn number(&self, range: RangeInclusive<f64>, meaning: &str) -> Option<f64> {
        let number = self.any_number()?;
        if !range.contains(&number) {
            self.error(
                format!("{number} is out of range"),
                format!("{meaning}, from {} to {}", range.start(), range.end()),
            );
            return None;
        }
        Some(number)
    }

    /// A whole number in `range`; `meaning` says what it counts.
    pub(super) fn whole(&self, range: RangeInclusive<u16>, meaning: &str) -> Option<u16> {
        let DeValue::Integer(_) = self.value else {
            self.mistyped("a whole number", format!("{meaning}, without quotes"));
            return None;
        };
        let (low, high) = (f64::from(*range.start()), f64::from(*range.end()));
        self.number(low..=high, meaning).map(|n| n as u16)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let list = words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        let DeValue::String(text) = self.value else {
            self.mistyped("text in quotes", format!("one of {list}"));
            return None;
        };
        let found = choices.iter().find(|(word, _)| *word == text.as_ref()).map(|(_, value)| *value);
        if found.is_none() {
            let near = suggest::nearest(text, words).map(|w| format!("did you mean \"{w}\"? "));
            self.error(
                format!("\"{}\" is unknown", short(text)),
                format!("{}known are {list}", near.unwrap_or_default()),
            );
        }
        found
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Option<Vec<ValueReader<'a>>> {
        let DeValue::Array(list) = self.value else {
            self.mistyped("a list in [ ]", "");
            return None;
        };
        let item = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| ValueReader {
            collector: self.collector,
            place: self.place.item(index, value.span()),
            value: value.get_ref(),
        };
        Some(list.iter().enumerate().map(item).collect())
    }

    /// Whether it is a list with nothing in it.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.value, DeValue::Array(list) if list.is_empty())
    }

    /// A table, read as `section`.
    pub(super) fn table(&self, section: &'static str) -> Option<TableReader<'a>> {
        let DeValue::Table(table) = self.value else {
            self.mistyped("a section", format!("write {} on a line of its own", schema::header(section)));
            return None;
        };
        Some(
            TableReader { collector: self.collector, place: self.place.clone(), section, table }
                .reject_unknown_keys(),
        )
    }
}

/// `text` for a message: cut to 60 characters, without control characters.
pub(super) fn short(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    let plain: String = cut.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if plain.chars().count() < text.chars().count() { format!("{plain}...") } else { plain }
}
