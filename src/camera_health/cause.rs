//! Causes of a camera outage.

/// Why a camera gives no usable picture. Of two that hold, the one earlier in this list is reported.
///
/// The text of a cause is that of the logbook, the metrics and the camera's topic.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    strum::EnumCount,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
pub enum Cause {
    /// No picture arrives.
    #[strum(serialize = "signal loss")]
    SignalLoss,
    /// The picture is black.
    #[strum(serialize = "black")]
    Black,
    /// Most of the picture is as bright as the sensor can measure.
    #[strum(serialize = "overexposed")]
    Overexposed,
    /// Nothing in the picture differs from its surroundings.
    #[strum(serialize = "low contrast")]
    LowContrast,
    /// Pictures arrive, and it is always the same picture.
    #[strum(serialize = "frozen")]
    Frozen,
    /// The camera points elsewhere, or something is in front of it.
    #[strum(serialize = "scene change")]
    SceneChange,
    /// Edges are soft that were sharp.
    #[strum(serialize = "defocused")]
    Defocused,
    /// Far fewer pictures arrive than the detector asks for.
    #[strum(serialize = "low frame rate")]
    LowFrameRate,
}

impl Cause {
    /// Its text.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// As a part of a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::SignalLoss => "no picture arrives",
            Self::Black => "the picture is black",
            Self::Overexposed => "the picture is overexposed",
            Self::LowContrast => "the picture has no contrast",
            Self::Frozen => "the picture is frozen",
            Self::SceneChange => "the scene changed",
            Self::Defocused => "the picture is out of focus",
            Self::LowFrameRate => "too few pictures arrive",
        }
    }
}
