//! Collects diagnostics while a site file is read, with their locations.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use super::diagnostic::{Diagnostic, Level};

/// A key or value in the file: its full key and its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Location {
    pub(super) key: String,
    pub(super) span: Range<usize>,
}

impl Location {
    /// A key below this one.
    pub(super) fn child(&self, key: &str, span: Range<usize>) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { key, span }
    }

    /// An item of this list, counted from 0.
    pub(super) fn item(&self, index: usize, span: Range<usize>) -> Self {
        Self { key: format!("{}[{index}]", self.key), span }
    }
}

/// A value with its location.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Location,
}

/// Collects the diagnostics of one site file.
pub(super) struct Collector<'t> {
    file: &'t str,
    text: &'t str,
    /// Relative paths in the site file start in this folder.
    pub(super) folder: &'t Path,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'t> Collector<'t> {
    pub(super) fn new(file: &'t str, text: &'t str, folder: &'t Path) -> Self {
        Self { file, text, folder, found: RefCell::default() }
    }

    /// Adds an error: the daemon does not start.
    pub(super) fn error(&self, place: &Location, what: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Error, place, what.into(), help.into());
    }

    /// Adds a warning: allowed, but probably not meant.
    pub(super) fn warning(&self, place: &Location, what: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Warning, place, what.into(), help.into());
    }

    fn add(&self, level: Level, place: &Location, what: String, help: String) {
        let (line, column) = position(self.text, place.span.start);
        self.found.borrow_mut().push(Diagnostic {
            level,
            file: self.file.to_owned(),
            line,
            column,
            key: place.key.clone(),
            what,
            help: (!help.is_empty()).then_some(help),
            span: place.span.clone(),
        });
    }

    /// All diagnostics, in the order of the file.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by(|a, b| (a.line, a.column, a.level, &a.key).cmp(&(b.line, b.column, b.level, &b.key)));
        found.dedup();
        found
    }
}

/// Line and column (in characters) of a byte, both from 1.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let mut end = byte.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// Compares the values and ignores the locations.
impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
