//! The site file: raw TOML in, a checked [`Site`] or every mistake in it out.
//!
//! The file is parsed once, with the place of every key and value kept. One reader a section (`basics`, `camera`,
//! `calibration`, `place`, `shifts`, `rule`) walks it, notes what is wrong and goes on; `links` resolves what refers to what, and `checks` looks
//! at what is suspicious only in the whole. A [`Site`] comes out when no error was noted, with the warnings beside it.

mod basics;
mod calibration;
mod camera;
mod checks;
mod condition;
mod credentials;
mod diagnostic;
mod drawn;
mod files;
mod holidays;
mod links;
mod names;
mod parts;
mod place;
mod reader;
mod reading;
mod rule;
mod schedule;
mod schedule_checks;
mod schema;
mod secret;
mod shapes;
mod shifts;
mod site;
mod size;
mod suggest;
mod syntax;
mod units;

use std::path::Path;

use sha2::{Digest, Sha256};

pub use checks::{runs_per_second, share_of_a_core};
pub use condition::{Condition, Direction};
pub use diagnostic::{ConfigError, Diagnostic, Level};
pub use drawn::drawn;
pub use holidays::Holidays;
pub use schedule::{Dates, Edge, OnHolidays, Schedule, Shift, Sun};
pub use secret::{SecretError, SecretSource};
pub use site::*;
pub use size::written_size;
pub use units::{clock, day, written};

use basics::{Basics, Given};
use camera::CameraDraft;
use links::Drafts;
use place::PlaceDraft;
use reader::Table;
use reading::Reading;
use rule::RuleDraft;
use shifts::NamedSchedule;

/// Reads and checks the site file at `path`. The warnings stand beside the [`Site`].
pub fn load(path: &Path) -> Result<(Site, Vec<Diagnostic>), ConfigError> {
    let bytes =
        std::fs::read(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
    let name = path.display().to_string();
    let text = syntax::utf8(&name, &bytes).map_err(ConfigError::Invalid)?;
    check_text(&name, text, path.parent().unwrap_or(Path::new("")))
}

/// Checks the text of a site file called `name`, whose relative paths start in `folder`.
pub fn check_text(name: &str, text: &str, folder: &Path) -> Result<(Site, Vec<Diagnostic>), ConfigError> {
    let reading = Reading::new(name, text, folder);
    let site = syntax::parse(&reading, text).and_then(|document| {
        let root = Table::root(&reading, &document);
        let basics = Basics::read(&root);
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
        drafts.check_links(&reading, &root);
        checks::check(&reading, &drafts, &basics);
        let (cameras, rules) = drafts.join()?;
        let position = match basics.position {
            Given::Good(position) => Some(position),
            Given::Absent | Given::Wrong => None,
        };
        let holidays = match basics.holidays {
            Given::Good(holidays) => holidays,
            Given::Absent | Given::Wrong => Holidays::default(),
        };
        Some(Site {
            id: basics.id?,
            name: basics.name?,
            time_zone: basics.time_zone?,
            position,
            model: basics.model?,
            broker: basics.broker?,
            logbook: basics.logbook?,
            signing_key: basics.signing_key,
            retention: basics.retention,
            health: basics.health,
            cameras,
            rules,
            hash: hash(text, &holidays),
            holidays,
        })
    });
    let found = reading.into_findings();
    match site {
        Some(site) if found.iter().all(|d| d.level == Level::Warning) => Ok((site, found)),
        _ => Err(ConfigError::Invalid(found)),
    }
}

/// The list of holidays decides with the site file when rules are live, so its days are part of the hash.
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
mod schedule_promises;
#[cfg(test)]
mod tests;
