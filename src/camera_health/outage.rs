//! Camera outages: what began, and how it ended.

use super::Cause;
use crate::clock::Stamp;

/// A time in which a camera gives no usable picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// Why.
    pub cause: Cause,
    /// Its first moment.
    pub began: Stamp,
    /// What was measured, in `unit`; `None` where no picture arrived.
    pub measured: Option<f64>,
    /// The threshold that it was compared with, in `unit`.
    pub threshold: Option<f64>,
    /// Of both.
    pub unit: &'static str,
    /// For people: "the picture has been the same for 15 s".
    pub text: String,
}

/// How an outage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::IntoStaticStr)]
pub enum OutageEnd {
    /// The pictures are usable again.
    #[strum(serialize = "recovered")]
    Recovered,
    /// An outage with another cause follows.
    #[strum(serialize = "another cause")]
    AnotherCause,
    /// The daemon stops.
    #[strum(serialize = "stop")]
    Stop,
}

impl OutageEnd {
    /// As written in the logbook.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The beginning or the end of an outage.
#[derive(Clone, Debug, PartialEq)]
pub enum OutageChange {
    /// It began, a while ago.
    Began(Outage),
    /// It ended at that time.
    Ended(Outage, Stamp, OutageEnd),
}

impl OutageChange {
    /// The outage, while it lasts.
    pub fn current(&self) -> Option<&Outage> {
        match self {
            Self::Began(outage) => Some(outage),
            Self::Ended(..) => None,
        }
    }
}
