//! What a detected box contains.

/// The class of a detection.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[strum(serialize_all = "lowercase")]
pub enum Class {
    /// Anything that floats and is steered.
    Vessel,
    /// A human being.
    Person,
}

impl Class {
    /// The name in manifests and in the logbook.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
