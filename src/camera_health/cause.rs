//! Why a camera is blind.

/// Why a camera gives no picture that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// No picture comes.
    Away,
    /// The picture is black.
    Black,
    /// Most of the picture is as bright as the sensor can tell.
    WashedOut,
    /// Nothing stands out any more.
    Fog,
    /// Pictures come, and it is the same picture.
    Frozen,
    /// The camera looks elsewhere, or something stands before it.
    Moved,
    /// Edges are soft that were sharp.
    OutOfFocus,
    /// Far fewer pictures come than are to be looked at.
    Slow,
}

impl Cause {
    /// All of them; of two that hold, the earlier one is told.
    pub const ALL: [Self; 8] = [
        Self::Away,
        Self::Black,
        Self::WashedOut,
        Self::Fog,
        Self::Frozen,
        Self::Moved,
        Self::OutOfFocus,
        Self::Slow,
    ];

    /// As written in the logbook, in metrics and on the camera's topic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Black => "black",
            Self::WashedOut => "washed out",
            Self::Fog => "fog",
            Self::Frozen => "frozen",
            Self::Moved => "moved",
            Self::OutOfFocus => "out of focus",
            Self::Slow => "slow",
        }
    }

    /// Its place in [`Cause::ALL`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// As a part of a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Away => "no picture comes",
            Self::Black => "the picture is black",
            Self::WashedOut => "the picture is washed out",
            Self::Fog => "nothing can be made out",
            Self::Frozen => "the picture is frozen",
            Self::Moved => "the camera was moved",
            Self::OutOfFocus => "the picture is out of focus",
            Self::Slow => "too few pictures come",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_at_its_place() {
        assert_eq!(Cause::ALL.map(Cause::place), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
