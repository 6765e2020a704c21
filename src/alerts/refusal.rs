//! Why a broker refuses a message or a subscription, in words.

use std::fmt;

/// A reason of MQTT 5, as far as people act on it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// 0x87: the access list forbids it.
    NotAuthorised,
    /// 0x97: the broker has no room for it.
    QuotaExceeded,
    /// 0x99: the broker expects another format.
    PayloadFormatInvalid,
    /// 0x95, or larger than the broker announced.
    PacketTooLarge,
    /// 0x8F, 0x90: the broker accepts no such topic.
    TopicInvalid,
    /// Any other reason.
    Unspecified,
}

impl Refusal {
    /// The reason as a word for counters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAuthorised => "not-authorised",
            Self::QuotaExceeded => "quota-exceeded",
            Self::PayloadFormatInvalid => "payload-format-invalid",
            Self::PacketTooLarge => "packet-too-large",
            Self::TopicInvalid => "topic-invalid",
            Self::Unspecified => "unspecified",
        }
    }
}

/// For people: the reason and what to do.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAuthorised => {
                "not authorised: allow this topic for this user in the broker's access list"
            }
            Self::QuotaExceeded => "quota exceeded: the broker has no room for it",
            Self::PayloadFormatInvalid => "payload format invalid: the broker expects another format",
            Self::PacketTooLarge => "packet too large: raise the broker's limit for one message",
            Self::TopicInvalid => "topic invalid: the broker accepts no such topic",
            Self::Unspecified => "the broker gives no reason: look at its log",
        })
    }
}
