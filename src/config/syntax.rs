//! Parses the bytes of a site file as TOML.

use toml::de::DeTable;

use super::collector::{Collector, Location, position};
use super::diagnostic::{Diagnostic, Level};

/// The file as text.
pub(super) fn utf8<'t>(file: &str, bytes: &'t [u8]) -> Result<&'t str, Vec<Diagnostic>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let (line, column) = position(&good, good.len());
        vec![Diagnostic {
            level: Level::Error,
            file: file.to_owned(),
            line,
            column,
            key: String::new(),
            what: "this byte is not UTF-8 text".to_owned(),
            help: Some("save the file in the encoding UTF-8".to_owned()),
            span: error.valid_up_to()..error.valid_up_to(),
        }]
    })
}

/// The document. Reports each key that is given twice. After any other syntax error the rest cannot be read reliably, so
/// only the first is reported.
pub(super) fn parse<'t>(collector: &Collector<'t>, text: &'t str) -> Option<DeTable<'t>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let twice = |message: &str| message.starts_with("duplicate key");
    let at = |error: &toml::de::Error| Location { key: String::new(), span: error.span().unwrap_or(0..0) };
    if let Some(first) = errors.iter().find(|error| !twice(error.message())) {
        let place = at(first);
        let rest = "the rest of the file was not read: correct this and check again";
        if is_decimal_comma(text, place.span.start) {
            let help = format!("decimals are written with a point, such as 2.5; {rest}");
            collector.error(&place, "a comma follows a number", help);
        } else {
            collector.error(&place, format!("this is not TOML: {}", first.message()), rest);
        }
        return None;
    }
    for error in &errors {
        let place = at(error);
        let key = text.get(place.span.clone()).unwrap_or_default();
        collector.error(
            &place,
            format!("`{}` is given twice", super::reader::short(key)),
            "keep one of the two",
        );
    }
    Some(document.into_inner())
}

/// Whether `at` is in a number like `2,5`: at its comma, or just behind it.
fn is_decimal_comma(text: &str, at: usize) -> bool {
    let digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let comma = |at: usize| {
        text.as_bytes().get(at) == Some(&b',') && digit(at.checked_sub(1)) && digit(at.checked_add(1))
    };
    comma(at) || at.checked_sub(1).is_some_and(comma)
}
