//! Where messages go. Every segment is a checked identifier, so no topic can hold a wildcard.
//!
//! | topic | content | kept by the broker |
//! |---|---|---|
//! | `havenwacht/<site>/alert/<camera>/<rule>` | an alert, JSON (`config/alert.schema.json`) | no |
//! | `havenwacht/<site>/picture/<alert id>` | its picture, JPEG, sent just before it | no |
//! | `havenwacht/<site>/camera/<camera>/state` | a camera's state, and why it is blind, JSON | yes |
//! | `havenwacht/<site>/status` | `online` with version and start, or `offline` (also the last will), JSON | yes |
//! | `havenwacht/<site>/logbook/head` | where the chain of events ends, JSON: for `logbook verify --head` | yes |
//! | `havenwacht/<site>/ack` | an answer of the staff, JSON: to the watch, not from it | no |
//!
//! All are sent with quality of service 1: at least once. Drop repeats by `alert_id`.

use uuid::Uuid;

use crate::ids::{CameraId, RuleId, SiteId};

pub(super) fn alert(site: &SiteId, camera: &CameraId, rule: &RuleId) -> String {
    format!("havenwacht/{site}/alert/{camera}/{rule}")
}

pub(super) fn picture(site: &SiteId, alert: Uuid) -> String {
    format!("havenwacht/{site}/picture/{alert}")
}

pub(super) fn camera_state(site: &SiteId, camera: &CameraId) -> String {
    format!("havenwacht/{site}/camera/{camera}/state")
}

pub(super) fn head(site: &SiteId) -> String {
    format!("havenwacht/{site}/logbook/head")
}

pub(super) fn answer(site: &SiteId) -> String {
    format!("havenwacht/{site}/ack")
}

pub(super) fn status(site: &SiteId) -> String {
    format!("havenwacht/{site}/status")
}
