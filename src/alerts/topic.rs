//! MQTT topics. [`topics!`] below is the only place that formats or parses one: a new topic is one line there.
//!
//! Every variable segment is a checked identifier or a UUID, so no topic can contain a wildcard. All messages use
//! quality of service 1 (at least once): drop repeated alerts by `alert_id`.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::ids::{CameraId, RuleId, SiteId};

/// The first segment of every topic.
const PREFIX: &str = "havenwacht";

/// Defines [`TopicKind`] from one line a topic: its variable segments in order, its text, whether the broker retains it.
macro_rules! topics {
    ($($(#[$doc:meta])* $kind:ident $({ $($segment:ident: $type:ty),+ })? = $template:literal, retained: $retained:literal;)+) => {
        /// What a topic is about; the segments below `havenwacht/<site>/`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum TopicKind {
            $(
                $(#[$doc])*
                $kind $({ $(#[doc = concat!("The segment `", stringify!($segment), "`.")] $segment: $type),+ })?,
            )+
        }

        impl TopicKind {
            /// The text of every topic below `havenwacht/<site>/`, with `{name}` for a variable segment.
            pub const TEMPLATES: &[&str] = &[$($template),+];

            /// True when the broker keeps the newest message for later subscribers.
            pub fn is_retained(&self) -> bool {
                match self {
                    $(Self::$kind { .. } => $retained,)+
                }
            }

            fn parse(text: &str) -> Option<Self> {
                $(
                    if let Some(values) = variable_segments($template, text)
                        && let [$($($segment),+)?] = values[..]
                    {
                        return Some(Self::$kind $({ $($segment: $segment.parse().ok()?),+ })?);
                    }
                )+
                None
            }
        }

        impl fmt::Display for TopicKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$kind $({ $($segment),+ })? => write!(f, $template $($(, $segment = $segment)+)?),)+
                }
            }
        }
    };
}

topics! {
    /// An alert, JSON (`config/alert.schema.json`).
    Alert { camera: CameraId, rule: RuleId } = "alert/{camera}/{rule}", retained: false;
    /// The picture of an alert, JPEG, sent just before the alert.
    Picture { alert: Uuid } = "picture/{alert}", retained: false;
    /// A camera's state and, under `outage`, why it gives no usable picture, JSON.
    CameraState { camera: CameraId } = "camera/{camera}/state", retained: true;
    /// `online` with version, start and `problems`, or `offline` (also the last will), JSON.
    Status = "status", retained: true;
    /// The end of the logbook's chain of events, JSON: for `havenwacht logbook verify --head`.
    LogbookHead = "logbook/head", retained: true;
    /// An acknowledgement, JSON: from staff to the daemon.
    Acknowledge = "acknowledge", retained: false;
}

/// The topic of one message: `havenwacht/<site>/...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The site that sends the message or, for an acknowledgement, receives it.
    pub site: SiteId,
    /// The rest of the topic.
    pub kind: TopicKind,
}

impl Topic {
    /// The topic of this kind at `site`.
    pub fn new(site: &SiteId, kind: TopicKind) -> Self {
        Self { site: site.clone(), kind }
    }

    /// The subscription filter for every topic of `site`.
    pub fn filter(site: &SiteId) -> String {
        format!("{PREFIX}/{site}/#")
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}/{}/{}", self.site, self.kind)
    }
}

/// The text is not a topic of Havenwacht.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a topic of Havenwacht: expected `{PREFIX}/<site>/` and one of {:?}", TopicKind::TEMPLATES)]
pub struct UnknownTopic;

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        let parse = || {
            let (prefix, rest) = text.split_once('/')?;
            let (site, kind) = rest.split_once('/')?;
            let topic = Self { site: site.parse().ok()?, kind: TopicKind::parse(kind)? };
            (prefix == PREFIX).then_some(topic)
        };
        parse().ok_or(UnknownTopic)
    }
}

/// The segments of `text` that stand where `template` has a `{name}`; `None` where the texts differ elsewhere.
fn variable_segments<'a>(template: &str, text: &'a str) -> Option<Vec<&'a str>> {
    if template.split('/').count() != text.split('/').count() {
        return None;
    }
    let mut values = Vec::new();
    for (expected, segment) in template.split('/').zip(text.split('/')) {
        if expected.starts_with('{') {
            values.push(segment);
        } else if expected != segment {
            return None;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_topic() -> Vec<Topic> {
        let camera = CameraId::new("quay-east").unwrap();
        let kinds = [
            TopicKind::Alert { camera: camera.clone(), rule: RuleId::new("night-passage").unwrap() },
            TopicKind::Picture { alert: Uuid::from_u128(7) },
            TopicKind::CameraState { camera },
            TopicKind::Status,
            TopicKind::LogbookHead,
            TopicKind::Acknowledge,
        ];
        assert_eq!(kinds.len(), TopicKind::TEMPLATES.len());
        kinds.map(|kind| Topic::new(&SiteId::new("sample-harbour").unwrap(), kind)).into()
    }

    #[test]
    fn topics_have_their_documented_text() {
        insta::assert_snapshot!(every_topic().iter().map(|topic| format!("{topic}\n")).collect::<String>(), @r"
        havenwacht/sample-harbour/alert/quay-east/night-passage
        havenwacht/sample-harbour/picture/00000000-0000-0000-0000-000000000007
        havenwacht/sample-harbour/camera/quay-east/state
        havenwacht/sample-harbour/status
        havenwacht/sample-harbour/logbook/head
        havenwacht/sample-harbour/acknowledge
        ");
    }

    #[test]
    fn a_formatted_topic_parses_to_itself() {
        for topic in every_topic() {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
    }

    #[test]
    fn other_texts_are_unknown_topics() {
        for text in [
            "",
            "havenwacht",
            "havenwacht/a",
            "havenwacht/a/status/x",
            "other/a/status",
            "havenwacht/A/status",
            "havenwacht/a/alert/quay-east",
            "havenwacht/a/alert/+/night",
            "havenwacht/a/picture/7",
        ] {
            assert_eq!(text.parse::<Topic>(), Err(UnknownTopic), "{text}");
        }
    }
}
