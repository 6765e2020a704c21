//! Identifiers and names.

use super::collector::Located;
use super::reader::{TableReader, ValueReader};
use crate::ids::{CameraId, InvalidId};

/// An identifier. One with a wrong alphabet is noted and still returned: what refers to it is no second mistake.
pub(super) fn identifier(item: &ValueReader<'_>) -> Option<Located<String>> {
    let text = item.text()?;
    // All four kinds of identifier share one alphabet.
    if let Err(error @ InvalidId { .. }) = CameraId::new(text) {
        let slug: Vec<String> = text
            .to_lowercase()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let help = match slug.join("-") {
            slug if slug.is_empty() || slug.len() > 64 => String::new(),
            slug => format!("did you mean \"{slug}\"? what staff read is the `name`"),
        };
        item.error(error.to_string(), help);
    }
    Some(item.at(text.to_owned()))
}

/// The `name` of a section; its identifier where there is none.
pub(super) fn name_or(table: &TableReader<'_>, id: Option<&Located<String>>) -> Option<String> {
    match table.get("name") {
        Some(item) => item.text().map(|name| name.trim().to_owned()),
        None => id.map(|id| id.value.clone()),
    }
}
