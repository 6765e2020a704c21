//! Identifiers of the site file. They become MQTT topic levels, file names and SQL values, so their alphabet is small.
//! It is checked here and nowhere else.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a text cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identifier: use 1 to 64 of a-z, 0-9 and '-', beginning with a letter or digit")]
pub struct InvalidId(String);

fn checked(text: &str) -> Result<Arc<str>, InvalidId> {
    let fits = (1..=64).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if fits { Ok(text.into()) } else { Err(InvalidId(text.chars().take(80).collect())) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the alphabet.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] with the rule for identifiers.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                checked(text).map(Self)
            }

            /// The identifier as written in the site file.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A site: one box at one quay.
    SiteId
}
id! {
    /// A configured camera.
    CameraId
}
id! {
    /// A zone, a group of zones or a line of one camera.
    PlaceId
}
id! {
    /// A rule of the site file.
    RuleId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_can_be_a_topic_segment_and_a_file_name() {
        for good in ["quay-east", "a", "0", &"x".repeat(64)] {
            assert_eq!(CameraId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a/b", "a+b", "#", "A", "ä", "a b", "..", &"x".repeat(65)] {
            assert!(CameraId::new(bad).is_err(), "{bad:?}");
        }
    }
}
