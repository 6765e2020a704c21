//! The site file: from TOML text to a checked [`Site`], or to diagnostics for every mistake.
//!
//! The file is parsed once, with the location of every key and value. One reader a section (`sections`, `camera`,
//! `calibration`, `place`, `shifts`, `rule`) reads it and notes errors; `links` checks references, `drafts` resolves
//! them, and `checks` finds what is suspicious only in the whole. A [`Site`] comes out when no error was noted, with the
//! warnings beside it.

mod calibration;
mod camera;
mod checks;
mod collector;
mod credentials;
mod diagnostic;
mod drafts;
mod files;
mod holidays;
mod host;
mod identifier;
mod links;
mod parts;
mod place;
mod reader;
mod report;
mod rule;
mod schedule_checks;
mod schema;
mod secret;
mod sections;
mod shapes;
mod shifts;
mod site;
mod size;
mod suggest;
mod syntax;
mod tls;
mod units;

use std::path::Path;

use sha2::{Digest, Sha256};

pub use checks::{inferences_per_second, share_of_a_core};
pub use diagnostic::{ConfigError, Diagnostic, Level};
pub use report::rendered;
pub use secret::{SecretError, SecretSource};
// A site holds them, so that its readers need no other module.
pub use crate::rules::{GeoPosition, Rule, Severity, format_duration};
pub use site::*;
pub use size::format_size;

use camera::CameraDraft;
use collector::Collector;
use drafts::Drafts;
use place::PlaceDraft;
use reader::TableReader;
use rule::RuleDraft;
use sections::{OptionalValue, Sections};
use shifts::NamedSchedule;

use crate::rules::Holidays;

/// Reads and checks the site file at `path`. Returns the [`Site`] and the warnings.
pub fn load(path: &Path) -> Result<(Site, Vec<Diagnostic>), ConfigError> {
    let bytes =
        std::fs::read(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
    let name = path.display().to_string();
    let text = syntax::utf8(&name, &bytes).map_err(ConfigError::Invalid)?;
    check_text(&name, text, path.parent().unwrap_or(Path::new("")))
}

/// Checks the text of a site file called `name`, whose relative paths start in `folder`.
pub fn check_text(name: &str, text: &str, folder: &Path) -> Result<(Site, Vec<Diagnostic>), ConfigError> {
    let collector = Collector::new(name, text, folder);
    let site = syntax::parse(&collector, text).and_then(|document| {
        let root = TableReader::root(&collector, &document);
        let sections = Sections::read(&root);
        let zones: Vec<_> = root.sections("zone").iter().map(PlaceDraft::zone).collect();
        let groups =
            root.sections("group").iter().map(|group| PlaceDraft::group(group, &zones)).collect::<Vec<_>>();
        let lines = root.sections("line").iter().map(PlaceDraft::line).collect();
        let drafts = Drafts {
            cameras: root.sections("camera").iter().map(CameraDraft::read).collect(),
            places: [zones, groups, lines].into_iter().flatten().collect(),
            schedules: root.sections("schedule").iter().map(NamedSchedule::read).collect(),
            rules: root.sections("rule").iter().map(RuleDraft::read).collect(),
        };
        links::check(&collector, &drafts, &root);
        checks::check(&collector, &drafts, &sections);
        let (cameras, rules) = drafts.join()?;
        let position = match sections.position {
            OptionalValue::Valid(position) => Some(position),
            OptionalValue::Absent | OptionalValue::Invalid => None,
        };
        let holidays = match sections.holidays {
            OptionalValue::Valid(holidays) => holidays,
            OptionalValue::Absent | OptionalValue::Invalid => Holidays::default(),
        };
        Some(Site {
            id: sections.id?,
            name: sections.name?,
            time_zone: sections.time_zone?,
            position,
            model: sections.model?,
            broker: sections.broker?,
            logbook: sections.logbook?,
            signing_key: sections.signing_key,
            retention: sections.retention,
            health: sections.health,
            cameras,
            rules,
            hash: hash(text, &holidays),
            holidays,
        })
    });
    let found = collector.into_diagnostics();
    match site {
        Some(site) if found.iter().all(|d| d.level == Level::Warning) => Ok((site, found)),
        _ => Err(ConfigError::Invalid(found)),
    }
}

/// SHA-256 of the site file and of the holidays, which also decide when rules are live.
fn hash(text: &str, holidays: &Holidays) -> String {
    let mut digest = Sha256::new_with_prefix(text);
    for (date, name) in holidays.iter() {
        digest.update(format!("{date} {name}\n"));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod documents;
#[cfg(test)]
mod rule_documents;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;
