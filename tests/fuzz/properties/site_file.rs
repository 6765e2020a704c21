//! For any site file, the check ends, rejects it with a reason, and points at places that exist; and it can explain a site
//! file that it accepts.

use std::collections::BTreeSet;
use std::path::Path;

use havenwacht::cli::check::{BAD_CONFIG, OutputStyle, check};
use havenwacht::config::{ConfigError, Diagnostic, Level, load, rendered};
use jiff::Timestamp;
use toml::de::{DeTable, DeValue};

/// Checks a site file of these bytes in a folder of [`super::site_folder`].
pub(crate) fn check_site(folder: &Path, data: &[u8]) {
    let path = folder.join("config/site.toml");
    std::fs::write(&path, data).expect("room for a site file");
    let found = match load(&path) {
        Ok((site, warnings)) => {
            assert!(!site.cameras.is_empty(), "no camera");
            assert!(warnings.iter().all(|d| d.level == Level::Warning), "a site although there is an error");
            assert_eq!(status(&path), 0);
            warnings
        }
        Err(ConfigError::Invalid(found)) => {
            assert!(found.iter().any(|d| d.level == Level::Error), "rejected without a reason");
            assert_eq!(status(&path), BAD_CONFIG);
            found
        }
        Err(other) => panic!("{other}"),
    };
    let file = path.display().to_string();
    // A file that is not UTF-8 has no keys.
    let keys = keys(std::str::from_utf8(data).unwrap_or_default());
    for diagnostic in &found {
        assert_eq!(diagnostic.file, file);
        assert!(!diagnostic.what.is_empty(), "{diagnostic:?}");
        check_place(diagnostic, data);
        assert!(has_key(diagnostic, &keys), "no such key: {diagnostic}");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(rendered(&found, text, false).is_empty(), found.is_empty());
    }
}

/// The exit status of `havenwacht check`, which describes a valid site.
fn status(path: &Path) -> u8 {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let now = Timestamp::constant(1_780_344_780, 0);
    let status = check(path, OutputStyle::Plain, now, &mut out, &mut err);
    assert!(!err.is_empty() && (status != 0 || !out.is_empty()));
    status
}

fn check_place(diagnostic: &Diagnostic, data: &[u8]) {
    let line = data.split(|byte| *byte == b'\n').nth(diagnostic.line.wrapping_sub(1));
    let line = line.unwrap_or_else(|| panic!("no such line: {diagnostic}"));
    // A finding may point at the end of a line.
    let columns = String::from_utf8_lossy(line).chars().count() + 1;
    assert!((1..=columns).contains(&diagnostic.column), "no such column: {diagnostic}");
    let span = &diagnostic.span;
    assert!(span.start <= span.end && span.end <= data.len(), "beyond the file: {diagnostic:?}");
}

/// Whether the key is in the file, or the table in which it is missing.
fn has_key(diagnostic: &Diagnostic, keys: &BTreeSet<String>) -> bool {
    let key = diagnostic.key.as_str();
    let home = key.rsplit_once('.').map_or("", |(home, _)| home);
    let absent = ["missing", "there is no "].iter().any(|words| diagnostic.what.contains(words));
    keys.contains(key) || (absent && keys.contains(home))
}

/// Every key of the file as findings name it, and "" for the file itself.
fn keys(text: &str) -> BTreeSet<String> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut keys = BTreeSet::from([String::new()]);
    table_keys("", document.get_ref(), &mut keys);
    keys
}

fn table_keys(home: &str, table: &DeTable<'_>, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let name = name.get_ref();
        let key = if home.is_empty() { name.to_string() } else { format!("{home}.{name}") };
        value_keys(key, value.get_ref(), keys);
    }
}

fn value_keys(key: String, value: &DeValue<'_>, keys: &mut BTreeSet<String>) {
    match value {
        DeValue::Table(table) => table_keys(&key, table, keys),
        DeValue::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                value_keys(format!("{key}[{index}]"), item.get_ref(), keys);
            }
        }
        _ => {}
    }
    keys.insert(key);
}
