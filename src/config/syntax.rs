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
        let help = "the rest of the file was not read: correct this and check again";
        collector.error(&at(first), format!("this is not TOML: {}", first.message()), help);
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
